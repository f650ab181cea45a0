// The side column: the nodes of the model, and what became of those that are selected.

function nodeList() {
  const filter = el("input", {
    type: "search",
    id: "filter",
    placeholder: "Filter nodes",
    "aria-label": "Filter nodes by name or operator",
    autocomplete: "off",
    spellcheck: "false",
  });
  const list = el("div", {
    class: "nodelist",
    role: "listbox",
    "aria-label": "Nodes of the model",
    "aria-multiselectable": true,
    tabindex: 0,
  });
  const empty = el("p", { class: "muted pad", hidden: true }, "No node is called so.");
  let cursor = 0;
  const rows = DATA.nodes.map(([name, operator, result], node) =>
    el(
      "div",
      {
        role: "option",
        class: "noderow",
        id: `node-${node}`,
        "data-node": node,
        title: `${name} · ${operator}\n${result}`,
        onclick: (event) => pick(node, event.ctrlKey || event.metaKey || event.shiftKey),
      },
      el("span", { class: "name" }, name),
      el("span", { class: "kind" }, operator),
    ),
  );
  list.append(...rows);

  function pick(node, more) {
    cursor = node;
    const wanted = new Set(more ? selection.nodes : []);
    if (selection.nodes.has(node) && (more || selection.nodes.size === 1)) wanted.delete(node);
    else wanted.add(node);
    select(wanted, { from: list });
  }

  function visible() {
    return rows.map((row, node) => node).filter((node) => !rows[node].hidden);
  }

  function focusOn(node) {
    rows[cursor].classList.remove("cursor");
    cursor = node;
    rows[node].classList.add("cursor");
    list.setAttribute("aria-activedescendant", rows[node].id);
    rows[node].scrollIntoView({ block: "nearest" });
  }

  filter.addEventListener("input", () => {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    DATA.nodes.forEach(([name, operator], node) => {
      const text = `${name} ${operator}`.toLowerCase();
      rows[node].hidden = !words.every((word) => text.includes(word));
    });
    empty.hidden = visible().length > 0;
  });
  filter.addEventListener("keydown", (event) => {
    const shownNodes = visible();
    if (event.key === "Enter" && shownNodes.length) pick(shownNodes[0]);
    if (event.key === "ArrowDown" && shownNodes.length) {
      event.preventDefault();
      list.focus();
      focusOn(shownNodes[0]);
    }
  });
  list.addEventListener("keydown", (event) => {
    const shownNodes = visible();
    const at = shownNodes.indexOf(cursor);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: shownNodes.length - 1 }[
      event.key
    ];
    if (to !== undefined && shownNodes[to] !== undefined) focusOn(shownNodes[to]);
    else if (event.key === "Enter" || event.key === " ")
      pick(cursor, event.ctrlKey || event.shiftKey);
    else return;
    event.preventDefault();
  });
  onSelect((options) => {
    rows.forEach((row, node) => row.setAttribute("aria-selected", selection.nodes.has(node)));
    const [first] = selection.nodes;
    if (first !== undefined && options.from !== list) {
      rows[first].scrollIntoView({ block: "nearest" });
      cursor = first;
    }
  });
  const title = DATA.stages[0].level === "onnx" ? "ONNX nodes" : "Operations of the file";
  return el(
    "section",
    { class: "nodes" },
    el("h2", {}, title, " ", el("span", { class: "muted" }, count(DATA.nodes.length))),
    filter,
    list,
    empty,
  );
}

/** Where the selected nodes are at each level: the last stage of it, then the outputs. */
function traces() {
  const found = [];
  const lastOf = new Map(DATA.stages.map((stage, number) => [stage.level, number]));
  for (const [level, number] of lastOf) {
    const stage = DATA.stages[number];
    const lines = [];
    stage.origins.forEach((set, line) => {
      if (isHit(set)) lines.push(line);
    });
    const operations = lines
      .map((line) => operationOf(DATA.lines[stage.lines[line]]))
      .filter(Boolean);
    found.push({
      title: LEVEL_TITLES[level],
      key: level,
      lines: lines.length,
      kinds: tally(operations),
      go: () => showStage(number, "whole"),
      gone: lines.length ? null : goneIn(level),
    });
  }
  DATA.outputs.forEach((output, number) => {
    let lines = 0;
    const files = [];
    output.files.forEach((file, index) => {
      const own = file.origins.reduce((sum, set) => sum + (isHit(set) ? 1 : 0), 0);
      if (own) files.push([file.name, index, own]);
      lines += own;
    });
    const best = files.find(([, index]) => isHit(output.files[index].set)) || files[0];
    found.push({
      title: output.name,
      key: output.name.toLowerCase(),
      lines,
      kinds: files.map(([name]) => fileLabel(name)),
      go: () => showFile(number, best ? best[1] : 0),
      gone: null,
    });
  });
  return found;
}

function operationOf(line) {
  const match = /^\s*(?:%[^=]*= )?"?([a-z_]\w*\.[\w.]+)/.exec(line);
  return match ? match[1] : null;
}

function tally(names) {
  const counts = new Map();
  for (const name of names) counts.set(name, (counts.get(name) || 0) + 1);
  return [...counts].map(([name, number]) => (number > 1 ? `${number} × ${name}` : name));
}

/** The pass after which nothing of the selection is left, on the way to a level. */
function goneIn(level) {
  const way = [];
  for (
    let number = DATA.stages.findLastIndex((stage) => stage.level === level);
    number !== null && number >= 0;
    number = DATA.stages[number].before
  ) {
    way.unshift(number);
  }
  let gone = null;
  for (const number of way) {
    const lives = DATA.stages[number].origins.some((set) => isHit(set));
    if (lives) gone = null;
    else if (gone === null) gone = number;
  }
  return gone;
}

function tracePanel() {
  const body = el("div", { class: "trace", id: "trace" });
  const clear = el(
    "button",
    { type: "button", class: "quiet", hidden: true, onclick: () => select([]) },
    "Clear",
  );
  const section = el(
    "section",
    { class: "tracebox", "aria-label": "What became of the selection" },
    el("div", { class: "headline" }, el("h2", {}, "From node to machine"), clear),
    body,
  );

  function draw() {
    clear.hidden = !selection.nodes.size;
    if (!selection.nodes.size) {
      body.replaceChildren(
        el(
          "p",
          { class: "muted pad" },
          "Select a node here, in a graph, or by a line of IR, Verilog or C: what became of it shows at every level.",
        ),
      );
      return;
    }
    const rows = traces().map((trace) => {
      const shownKinds = trace.kinds.slice(0, 4);
      const more =
        trace.kinds.length > 4
          ? [el("span", { class: "muted" }, `and ${trace.kinds.length - 4} more`)]
          : [];
      if (!trace.lines) {
        const reason =
          trace.gone === null
            ? "nothing of its own"
            : [
                "gone after ",
                el(
                  "button",
                  {
                    type: "button",
                    class: "link",
                    onclick: () => showStage(trace.gone, "changes"),
                  },
                  DATA.stages[trace.gone].pass || "reading",
                ),
              ];
        return el(
          "li",
          { class: "none", "data-level": trace.key, "data-lines": 0 },
          el("span", { class: "rung" }, trace.title),
          el("span", { class: "muted" }, reason),
        );
      }
      return el(
        "li",
        { "data-level": trace.key, "data-lines": trace.lines },
        el("button", { type: "button", class: "rung link", onclick: trace.go }, trace.title),
        el(
          "span",
          { class: "what" },
          ...shownKinds.map((kind) => el("code", {}, kind.replace(`${trace.key}.`, ""))),
          ...more,
        ),
        el("span", { class: "amount" }, plural(trace.lines, "line")),
      );
    });
    const operators = [...new Set([...selection.nodes].map((node) => DATA.nodes[node][1]))]
      .slice(0, 3)
      .join(", ");
    body.replaceChildren(
      el(
        "p",
        { class: "picked" },
        el("strong", {}, nodesText()),
        " ",
        el("span", { class: "muted" }, operators),
      ),
      el("ol", {}, rows),
    );
  }

  onSelect(draw);
  draw();
  return section;
}
