// The tabs of Verilog and C: the files, with the lines that a node became.

function outputTab(output, number) {
  const language = output.name === "C" ? "c" : "verilog";
  const view = codeView(`${output.name}, one line an option`, () => {});
  const heading = el("h3", {});
  const buttons = output.files.map((file, index) =>
    el(
      "button",
      {
        type: "button",
        class: "pass line1",
        title: file.name,
        onclick: () => show(index),
        "data-file": index,
      },
      el("span", { class: "name" }, fileLabel(file.name)),
      el("span", { class: "amount" }, plural(file.numbers[file.numbers.length - 1], "line")),
    ),
  );
  const nav = el(
    "nav",
    { class: "passlist", "aria-label": `Files of ${output.name}` },
    el(
      "ol",
      {},
      buttons.map((button) => el("li", {}, button)),
    ),
  );
  nav.addEventListener("keydown", (event) => {
    const to = current + ({ ArrowDown: 1, ArrowUp: -1 }[event.key] || 0);
    if (to === current || !buttons[to]) return;
    event.preventDefault();
    show(to);
    buttons[to].focus();
  });
  let current = -1;

  function show(index) {
    current = index;
    const file = output.files[index];
    heading.textContent = file.name;
    buttons.forEach((button, i) => {
      if (i === index) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
    });
    const items = [];
    const skipped = new Map(file.skipped);
    let comment = false;
    file.lines.forEach((text, line) => {
      if (skipped.has(line))
        items.push({
          text: `${plural(skipped.get(line), "line")} of numbers left out`,
          set: file.origins[line],
          kind: "gap",
        });
      const inside = comment;
      if (text.includes("/*")) comment = true;
      if (text.includes("*/")) comment = false;
      items.push({
        text,
        set: file.origins[line],
        number: file.numbers[line],
        kind: "",
        comment: inside,
      });
    });
    view.show(items, language, false);
    shown.file[number] = index;
  }

  onSelect(() => {
    buttons.forEach((button, index) => {
      const has = output.files[index].origins.some((set) => isHit(set));
      button.classList.toggle("hit", has);
    });
  });
  // The best place to begin is the one with the names of the layers.
  show(
    Math.max(0, language === "c" ? output.files.findIndex((file) => file.name.endsWith(".c")) : 0),
  );
  const main = el(
    "div",
    { class: "passmain" },
    el("div", { class: "headline" }, heading),
    el("div", { class: "bar" }, view.jumps),
    view.frame,
  );
  return { panel: el("div", { class: "passes" }, nav, main), show, redraw: view.redraw };
}

/** The name of a file; what all modules of a design begin with says nothing. */
function fileLabel(name) {
  const rest = name.startsWith(`${DATA.name}_`) ? name.slice(DATA.name.length + 1) : name;
  return shortened(rest, 26);
}
