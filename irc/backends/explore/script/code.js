// A view of many lines of which only those in sight are elements.

const LINE_HEIGHT = 20;
const OVERSCAN = 24;

/**
 * `show(items, language)` fills it; an item is
 * `{ text, set, number, kind, mark, comment }`, of which `kind` is "", "add", "del" or "gap".
 * `onGap` hears of a click on a gap.
 */
function codeView(label, onGap) {
  const rows = el("div", { class: "rows" });
  const sheet = el("div", { class: "sheet" }, rows);
  const code = el(
    "div",
    { class: "code", tabindex: 0, role: "listbox", "aria-label": label },
    sheet,
  );
  const ruler = el("div", { class: "ruler", "aria-hidden": true });
  const status = el("span", { class: "muted" });
  const back = el(
    "button",
    { type: "button", title: "previous line of the selection (p)", onclick: () => jump(-1) },
    "▲",
  );
  const next = el(
    "button",
    { type: "button", title: "next line of the selection (n)", onclick: () => jump(1) },
    "▼",
  );
  const jumps = el("div", { class: "jumps" }, back, next, status);
  const frame = el("div", { class: "codeframe" }, code, ruler);
  let items = [];
  let language = "mlir";
  let cursor = -1;
  let hits = [];
  let waiting = false;

  function draw() {
    waiting = false;
    const first = Math.max(0, Math.floor(code.scrollTop / LINE_HEIGHT) - OVERSCAN);
    const last = Math.min(
      items.length,
      Math.ceil((code.scrollTop + code.clientHeight) / LINE_HEIGHT) + OVERSCAN,
    );
    rows.style.transform = `translateY(${first * LINE_HEIGHT}px)`;
    const made = [];
    for (let i = first; i < last; i++) made.push(row(i));
    rows.replaceChildren(...made);
    const active = document.getElementById(`${code.id}-${cursor}`);
    if (active) code.setAttribute("aria-activedescendant", active.id);
    else code.removeAttribute("aria-activedescendant");
  }

  function later() {
    if (!waiting) {
      waiting = true;
      requestAnimationFrame(draw);
    }
  }

  function row(i) {
    const item = items[i];
    const hit = isHit(item.set);
    const classes = [
      "line",
      item.kind || "",
      hit ? "hit" : "",
      i === cursor ? "cursor" : "",
      item.set ? "linked" : "",
    ];
    const sign = { add: "+", del: "−", gap: "⋯" }[item.kind] || " ";
    return el(
      "div",
      {
        class: classes.filter(Boolean).join(" "),
        role: "option",
        id: `${code.id}-${i}`,
        "aria-selected": hit,
        "data-line": i,
        "data-set": item.set,
      },
      el(
        "span",
        { class: "gutter", "aria-hidden": true },
        item.number === undefined ? "" : String(item.number),
      ),
      el("span", { class: "sign", "aria-hidden": !item.kind }, sign),
      el(
        "span",
        { class: item.comment ? "text t-comment" : "text" },
        item.kind === "gap" || item.comment ? item.text : coloured(item.text, language, item.mark),
      ),
    );
  }

  function find() {
    hits = [];
    items.forEach((item, i) => {
      if (isHit(item.set)) hits.push(i);
    });
    back.disabled = next.disabled = !hits.length;
    const what = selection.nodes.size ? `from ${nodesText()}` : "selected";
    status.textContent = hits.length
      ? `${plural(hits.length, "line")} ${what}`
      : selection.nodes.size
        ? `no line ${what}`
        : "";
    drawRuler();
  }

  function drawRuler() {
    const ticks = [];
    for (let i = 0; i < hits.length;) {
      let end = i;
      while (end + 1 < hits.length && hits[end + 1] - hits[end] <= items.length / 200) end += 1;
      const tick = el("i", {});
      tick.style.top = `${(100 * hits[i]) / items.length}%`;
      tick.style.height = `max(2px, ${(100 * (hits[end] - hits[i] + 1)) / items.length}%)`;
      ticks.push(tick);
      i = end + 1;
    }
    ruler.replaceChildren(...ticks);
  }

  function jump(step) {
    if (!hits.length) return;
    const from = cursor < 0 ? (step > 0 ? -1 : items.length) : cursor;
    let to = step > 0 ? hits.find((i) => i > from) : hits.findLast((i) => i < from);
    if (to === undefined) to = step > 0 ? hits[0] : hits[hits.length - 1];
    moveTo(to, true);
  }

  function moveTo(i, centre) {
    cursor = Math.max(0, Math.min(items.length - 1, i));
    const top = cursor * LINE_HEIGHT;
    if (centre) code.scrollTop = top - code.clientHeight / 3;
    else if (top < code.scrollTop) code.scrollTop = top;
    else if (top + LINE_HEIGHT > code.scrollTop + code.clientHeight - 16)
      code.scrollTop = top + LINE_HEIGHT - code.clientHeight + 16;
    draw();
  }

  function use(i) {
    const item = items[i];
    if (!item) return;
    cursor = i;
    if (item.kind === "gap") onGap(item);
    else if (item.set) selectSet(item.set, { from: code });
    else draw();
  }

  code.id = freshId("code");
  code.addEventListener("scroll", later, { passive: true });
  new ResizeObserver(later).observe(code);
  code.addEventListener("click", (event) => {
    const line = event.target.closest(".line");
    if (line && !String(getSelection())) use(Number(line.dataset.line));
  });
  code.addEventListener("keydown", (event) => {
    const page = Math.max(1, Math.floor(code.clientHeight / LINE_HEIGHT) - 2);
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page };
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (steps[event.key]) moveTo(cursor + steps[event.key]);
    else if (event.key === "Home") moveTo(0);
    else if (event.key === "End") moveTo(items.length - 1);
    else if (event.key === "Enter" || event.key === " ") use(cursor);
    else if (event.key === "n") jump(1);
    else if (event.key === "p") jump(-1);
    else return;
    event.preventDefault();
  });
  onSelect((options) => {
    find();
    if (options.from !== code && hits.length && frame.isConnected) {
      const near = hits.find((i) => i >= code.scrollTop / LINE_HEIGHT);
      const seen =
        near !== undefined && (near + 1) * LINE_HEIGHT < code.scrollTop + code.clientHeight;
      if (!seen) return moveTo(hits[0], true);
    }
    return draw();
  });

  return {
    frame,
    jumps,
    show(newItems, newLanguage, keep) {
      items = newItems;
      language = newLanguage;
      cursor = -1;
      let longest = 0;
      for (const item of items) longest = Math.max(longest, item.text.length);
      sheet.style.height = `${items.length * LINE_HEIGHT + 8}px`;
      sheet.style.setProperty("--letters", longest + 12);
      find();
      if (!keep) {
        code.scrollTop = 0;
        code.scrollLeft = 0;
        if (hits.length) moveTo(hits[0], true);
      }
      draw();
    },
    redraw: later,
  };
}
