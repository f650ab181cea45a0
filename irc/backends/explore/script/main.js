// The page: header, tabs, side column, keys.

const tabs = [];
let network = null;
let passes = null;
const outputs = [];

function showTab(name) {
  for (const tab of tabs) {
    const is = tab.name === name;
    tab.panel.hidden = !is;
    if (is && !tab.made) {
      tab.made = tab.make();
      tab.panel.append(tab.made.panel);
    }
    if (is && tab.made.redraw) tab.made.redraw();
  }
  tabRow.mark(name);
  shown.tab = name;
  remember();
}

function tabNamed(name) {
  return tabs.find((tab) => tab.name === name);
}

/** Show the IR after a pass. */
function showStage(stage, view) {
  showTab("passes");
  tabNamed("passes").made.show(stage, view);
}

/** Show a file of Verilog or C. */
function showFile(output, file) {
  showTab(DATA.outputs[output].name.toLowerCase());
  tabNamed(DATA.outputs[output].name.toLowerCase()).made.show(file);
}

function addTab(name, title, make) {
  const panel = el("section", {
    role: "tabpanel",
    id: `panel-${name}`,
    "aria-label": title,
    class: "panel",
    hidden: true,
  });
  tabs.push({ name, title, panel, make, made: null });
}

function header() {
  const made = Object.entries(DATA.provenance).filter(
    ([key]) => !["model", "irc", "sha256"].includes(key),
  );
  const hash = DATA.provenance.sha256 ? DATA.provenance.sha256.slice(0, 12) : null;
  const about = [
    hash && `sha256 ${hash}…`,
    ...made.map(([key, value]) => `${key} ${value}`),
    `irc ${DATA.provenance.irc}`,
  ].filter(Boolean);
  const facts = DATA.facts.map(([label, value, explanation]) =>
    el(
      "div",
      { class: explanation.startsWith("more than") ? "fact over" : "fact", title: explanation },
      el("dt", {}, label),
      el("dd", {}, value),
    ),
  );
  const problems = Object.entries(DATA.problems).map(([target, text]) =>
    el(
      "details",
      { class: "problem" },
      el("summary", {}, `Target ${target} does not support this network`),
      el("pre", {}, text),
    ),
  );
  return [
    el(
      "div",
      { class: "titles" },
      el("h1", {}, DATA.file),
      el("p", { class: "muted" }, about.join(" · ")),
    ),
    facts.length ? el("dl", { class: "facts" }, facts) : null,
    ...problems,
    tabRow.row,
  ];
}

addTab("network", "Network", () => (network = networkTab()));
addTab("passes", "Passes", () => (passes = passesTab()));
if (DATA.thresholds.length) addTab("thresholds", "Thresholds", thresholdsTab);
DATA.outputs.forEach((output, number) =>
  addTab(
    output.name.toLowerCase(),
    output.name,
    () => (outputs[number] = outputTab(output, number)),
  ),
);

const tabRow = choices(
  tabs.map((tab) => [tab.name, tab.title]),
  "network",
  showTab,
  "Views",
  ["tablist", "tab"],
);
tabRow.row.classList.add("tabs");
tabRow.buttons.forEach((button, index) =>
  button.setAttribute("aria-controls", tabs[index].panel.id),
);
document.getElementById("top").append(...header().filter(Boolean));
document.getElementById("main").append(...tabs.map((tab) => tab.panel));
const side = document.getElementById("side");
const toggle = el(
  "button",
  {
    type: "button",
    class: "toggle",
    "aria-expanded": false,
    "aria-controls": "side",
    onclick: () => fold(!side.classList.contains("open")),
  },
  "Nodes",
);
side.append(nodeList(), tracePanel());
document.getElementById("columns").prepend(toggle);

function fold(open) {
  side.classList.toggle("open", open);
  toggle.setAttribute("aria-expanded", open);
}

onSelect((options) => {
  toggle.textContent = selection.nodes.size ? `Nodes: ${shortened(nodesText(), 28)}` : "Nodes";
  if (!options.start && options.from && options.from.classList.contains("nodelist"))
    document.getElementById("trace").scrollTop = 0;
});

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, select, textarea");
  if (event.key === "Escape") {
    hideTip();
    if (typing) event.target.blur();
    else if (selection.nodes.size) select([]);
    return;
  }
  if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "/") {
    event.preventDefault();
    fold(true);
    document.getElementById("filter").focus();
  } else if (event.key === "[" || event.key === "]") {
    showTab("passes");
    passes.step(event.key === "]" ? 1 : -1);
  } else if (/^[1-9]$/.test(event.key) && tabs[event.key - 1]) {
    showTab(tabs[event.key - 1].name);
  }
});
window.addEventListener("scroll", hideTip, { passive: true });

const start = recalled();
const wantedNodes = start
  .getAll("node")
  .map((name) => DATA.nodes.findIndex((node) => node[0] === name))
  .filter((node) => node >= 0);
showTab(tabNamed(start.get("tab")) ? start.get("tab") : "network");
if (wantedNodes.length) select(wantedNodes, { start: true });
document.body.classList.add("ready");
