// What the nodes of a level cost: a table with a bar in each cell, one scale a column.

function costsView(level) {
  const columns = level.columns;
  const order = level.nodes
    .map((node, number) => number)
    .filter((number) => columns.some((column) => column.values[number]));
  const sorted = { column: null };
  const most = columns.map((column) => Math.max(...column.values.map((value) => value || 0)));
  const rows = new Map(order.map((number) => [number, row(number)]));
  const body = el(
    "tbody",
    {},
    order.map((number) => rows.get(number)),
  );

  function row(number) {
    const node = level.nodes[number];
    const label = node.small ? node.kind.replaceAll("_", " ") : node.name || node.kind;
    const cells = columns.map((column, index) => {
      const value = column.values[number];
      const bar = el("div", {
        class: column.together === "most" && value === most[index] ? "fill most" : "fill",
      });
      bar.style.width = value ? `max(1px, ${(100 * value) / most[index]}%)` : "0";
      return el(
        "td",
        {},
        el("span", { class: "value" }, value ? count(value) : "·"),
        el("div", { class: "track", "aria-hidden": true }, bar),
      );
    });
    const button = el(
      "button",
      {
        type: "button",
        class: "link",
        title: label,
        onclick: () => selectSet(node.set, { from: body }),
      },
      shortened(label, 20),
    );
    const line = el(
      "tr",
      { class: node.small ? "small" : null, "data-set": node.set, "data-node": number },
      el(
        "th",
        { scope: "row", class: categoryOf(node) },
        button,
        node.small
          ? null
          : el(
              "span",
              { class: "kind" },
              node.kind.replace(`${level.name}.`, "").replaceAll("_", " "),
            ),
      ),
      cells,
    );
    line.addEventListener("click", (event) => {
      if (!event.target.closest("button")) selectSet(node.set, { from: body });
    });
    return line;
  }

  function sort(index) {
    sorted.column = sorted.column === index ? null : index;
    const wanted = [...order];
    if (sorted.column !== null)
      wanted.sort((a, b) => (columns[index].values[b] || 0) - (columns[index].values[a] || 0));
    body.replaceChildren(...wanted.map((number) => rows.get(number)));
    heads.forEach((head, i) =>
      head.setAttribute("aria-sort", i === sorted.column ? "descending" : "none"),
    );
  }

  const heads = columns.map((column, index) => {
    const total = column.limit
      ? `${count(round(column.total))} / ${count(column.limit)}`
      : count(round(column.total));
    const head = el(
      "th",
      { scope: "col", "aria-sort": "none" },
      el(
        "button",
        {
          type: "button",
          class: "sort",
          title: `${column.about}${column.about ? "; " : ""}click sorts`,
          onclick: () => sort(index),
        },
        column.title,
        column.unit ? el("span", { class: "unit" }, ` ${column.unit}`) : null,
      ),
      el(
        "span",
        {
          class: column.limit && column.total > column.limit ? "total over" : "total",
          title: column.together === "most" ? "the largest" : "all together",
        },
        column.together === "most" ? `max ${total}` : total,
      ),
    );
    return head;
  });

  onSelect((options) => {
    let first = null;
    for (const [number, line] of rows) {
      const hit = isHit(level.nodes[number].set);
      line.classList.toggle("hit", hit);
      if (hit && !first) first = line;
    }
    if (first && options.from !== body && first.isConnected) {
      const frame = table.closest(".costs");
      const box = first.getBoundingClientRect();
      const outer = frame.getBoundingClientRect();
      if (box.top < outer.top + 60 || box.bottom > outer.bottom)
        frame.scrollTop += box.top - outer.top - outer.height / 3;
    }
  });

  const table = el(
    "table",
    {},
    el(
      "thead",
      {},
      el(
        "tr",
        {},
        el(
          "th",
          { scope: "col" },
          level.name === "packed" ? "kernel" : level.name === "dataflow" ? "unit" : "layer",
        ),
        heads,
      ),
    ),
    body,
  );
  const frame = el(
    "div",
    { class: "costs", tabindex: 0, role: "region", "aria-label": `Costs at level ${level.name}` },
    table,
  );
  const notes = [
    ...new Set(columns.map((column) => column.about).filter((about) => about.includes("estimate"))),
  ];
  const arena = level.arena ? arenaView(level) : null;
  return el(
    "div",
    { class: "costbox" },
    frame,
    notes.map((note) => el("p", { class: "note" }, sentence(note))),
    arena,
  );
}

function round(value) {
  return Math.round(value * 100) / 100;
}

function sentence(text) {
  return `${text[0].toUpperCase()}${text.slice(1)}.`;
}
