// The tab of the passes: the IR after each, or what it changed.

const CONTEXT = 3;
const FOLD_FROM = 4;

function passesTab() {
  const view = codeView("IR, one line an option", (gap) => {
    opened.add(gap.key);
    draw(true);
  });
  const opened = new Set();
  const heading = el("h3", {});
  const why = el("p", { class: "about" });
  const modes = choices(
    [
      ["changes", "Changes"],
      ["whole", "Whole IR"],
    ],
    "changes",
    (mode) => show(current, mode),
    "What to show",
  );
  const back = el(
    "button",
    { type: "button", title: "previous pass ([)", onclick: () => step(-1) },
    "‹ Previous",
  );
  const next = el(
    "button",
    { type: "button", title: "next pass (])", onclick: () => step(1) },
    "Next ›",
  );
  const none = el("p", { class: "notice", hidden: true });
  const buttons = [];
  let current = 0;
  let mode = "changes";
  const most = Math.max(
    1,
    ...DATA.stages.map((stage) => (stage.level === "hw" ? 0 : stage.added + stage.removed)),
  );

  function entry(stage, number) {
    const changed = stage.added + stage.removed;
    const share = Math.min(1, changed / most);
    const bar = el("span", { class: "change", "aria-hidden": true });
    for (const [kind, amount] of [
      ["add", stage.added],
      ["del", stage.removed],
    ]) {
      const part = el("i", { class: kind });
      part.style.width = amount
        ? `${Math.max(2, Math.min(44, (44 * share * amount) / changed))}px`
        : "0";
      bar.append(part);
    }
    const label = stage.pass || "as read";
    const amount =
      stage.before === null
        ? ""
        : changed
          ? `+${count(stage.added)} −${count(stage.removed)}`
          : "no change";
    const button = el(
      "button",
      {
        type: "button",
        class: changed || stage.before === null ? "pass" : "pass idle",
        title: `${stage.spec || DATA.file}\n${stage.why}`,
        "aria-label": `${label}, ${amount || plural(stage.lines.length, "line")}`,
        onclick: () =>
          show(number, mode === "whole" || stage.before === null ? "whole" : "changes"),
        "data-stage": number,
      },
      el("span", { class: "name" }, label),
      el(
        "span",
        { class: "amount" },
        stage.before === null ? plural(stage.operations, "op") : amount,
      ),
      changed ? bar : null,
    );
    buttons.push(button);
    return el("li", {}, button);
  }

  function groups() {
    const found = [];
    DATA.stages.forEach((stage, number) => {
      const last = found[found.length - 1];
      if (last && last.level === stage.level) last.entries.push(entry(stage, number));
      else found.push({ level: stage.level, entries: [entry(stage, number)] });
    });
    return found.map((group) =>
      el(
        "li",
        { class: "group" },
        el(
          "h3",
          {},
          DATA.stages[0].level === group.level ? "" : "to ",
          LEVEL_TITLES[group.level],
          " ",
          el("span", { class: "muted" }, LEVEL_ABOUT[group.level]),
        ),
        el("ol", {}, group.entries),
      ),
    );
  }

  const nav = el(
    "nav",
    { class: "passlist", "aria-label": "Passes, in the order in which they ran" },
    el("ol", {}, groups()),
  );
  nav.addEventListener("keydown", (event) => {
    const moves = { ArrowDown: 1, ArrowUp: -1 };
    if (!moves[event.key]) return;
    event.preventDefault();
    step(moves[event.key]);
    buttons[current].focus();
  });

  function step(by) {
    const to = current + by;
    if (to >= 0 && to < DATA.stages.length) show(to, mode);
  }

  function show(number, wanted) {
    if (number !== current) opened.clear();
    current = number;
    const stage = DATA.stages[number];
    mode = wanted;
    const actual = stage.before === null ? "whole" : mode;
    modes.mark(actual);
    modes.buttons[0].disabled = stage.before === null;
    heading.textContent = stage.spec || DATA.file;
    const numbers = `${plural(stage.operations, "operation")}, ${plural(stage.lines.length, "line")}`;
    why.textContent =
      stage.before === null ? `As it was read: ${numbers}.` : `${sentence(stage.why)} ${numbers}.`;
    buttons.forEach((button, i) => {
      if (i === number) button.setAttribute("aria-current", "step");
      else button.removeAttribute("aria-current");
    });
    const box = buttons[number].getBoundingClientRect();
    const outer = nav.getBoundingClientRect();
    if (box.top < outer.top || box.bottom > outer.bottom)
      nav.scrollTop += box.top - outer.top - outer.height / 2;
    back.disabled = number === 0;
    next.disabled = number === DATA.stages.length - 1;
    shown.stage = number;
    shown.view = mode;
    remember();
    draw(false);
  }

  function draw(keep) {
    const stage = DATA.stages[current];
    const whole = mode === "whole" || stage.before === null;
    const unchanged = !whole && !stage.hunks.length;
    none.hidden = !unchanged;
    view.frame.hidden = unchanged;
    view.jumps.hidden = unchanged;
    if (unchanged) none.textContent = `${stage.pass} found nothing to change in this network.`;
    view.show(whole ? wholeItems(stage) : diffItems(stage, opened), "mlir", keep);
  }

  const main = el(
    "div",
    { class: "passmain" },
    el(
      "div",
      { class: "headline" },
      el("div", {}, heading, why),
      el("div", { class: "steps" }, back, next),
    ),
    el("div", { class: "bar" }, modes.row, view.jumps),
    view.frame,
    none,
    el(
      "p",
      { class: "note" },
      "Values keep their names from pass to pass. Of long constants the beginning and a checksum are shown.",
    ),
  );
  const stage = Number(recalled().get("stage"));
  const lift = DATA.stages.findIndex((each) => each.before !== null && each.hunks.length);
  const first = recalled().has("stage") && DATA.stages[stage] ? stage : Math.max(0, lift);
  show(first, recalled().get("view") === "whole" ? "whole" : "changes");
  return { panel: el("div", { class: "passes" }, nav, main), show, step, redraw: view.redraw };
}

function item(stage, line, kind, extra) {
  return {
    text: DATA.lines[stage.lines[line]],
    set: stage.origins[line],
    number: line + 1,
    kind,
    ...extra,
  };
}

function wholeItems(stage) {
  return Array.from(stage.lines, (_, line) => item(stage, line, ""));
}

/** What a pass took away and added, with lines of context; `opened` are gaps that are shown. */
function diffItems(stage, opened) {
  const before = DATA.stages[stage.before];
  const items = [];
  let at = 0;
  const same = (from, to, isFirst, isLast) => {
    const head = isFirst ? 0 : CONTEXT;
    const tail = isLast ? 0 : CONTEXT;
    const key = `${from}-${to}`;
    if (to - from < head + tail + FOLD_FROM || opened.has(key)) {
      for (let line = from; line < to; line++) items.push(item(stage, line, ""));
      return;
    }
    for (let line = from; line < from + head; line++) items.push(item(stage, line, ""));
    const hidden = to - from - head - tail;
    items.push({
      text: `${plural(hidden, "unchanged line")}: click to show`,
      set: 0,
      kind: "gap",
      key,
    });
    for (let line = to - tail; line < to; line++) items.push(item(stage, line, ""));
  };
  stage.hunks.forEach(([i1, i2, j1, j2], number) => {
    same(at, j1, number === 0, false);
    const pairs = i2 - i1 === j2 - j1 ? i2 - i1 : 0;
    const marks = [];
    for (let k = 0; k < pairs; k++) {
      marks.push(changedPart(DATA.lines[before.lines[i1 + k]], DATA.lines[stage.lines[j1 + k]]));
    }
    for (let i = i1; i < i2; i++)
      items.push(item(before, i, "del", marks[i - i1] ? { mark: marks[i - i1][0] } : {}));
    for (let j = j1; j < j2; j++)
      items.push(item(stage, j, "add", marks[j - j1] ? { mark: marks[j - j1][1] } : {}));
    at = j2;
  });
  same(at, stage.lines.length, stage.hunks.length === 0, true);
  return items;
}

/** Where two lines differ, if they are alike enough for that to say something. */
function changedPart(left, right) {
  let head = 0;
  const shortest = Math.min(left.length, right.length);
  while (head < shortest && left[head] === right[head]) head += 1;
  let tail = 0;
  while (tail < shortest - head && left[left.length - 1 - tail] === right[right.length - 1 - tail])
    tail += 1;
  if (head + tail < 0.4 * Math.max(left.length, right.length)) return null;
  return [
    [head, left.length - tail],
    [head, right.length - tail],
  ];
}
