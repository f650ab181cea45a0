// Which nodes of the model are selected: every view follows.

const selection = { nodes: new Set(), hits: [], listeners: [] };

/** Whether something of this set of nodes comes from a node that is selected. */
function isHit(set) {
  return selection.hits[set] === true;
}

/** Select nodes of the model by their numbers; none clears the selection. */
function select(nodes, options = {}) {
  selection.nodes = new Set(nodes);
  selection.hits = DATA.sets.map((set) => set.some((node) => selection.nodes.has(node)));
  for (const listener of selection.listeners) listener(options);
  const only = selection.nodes.size ? nodesText() : "nothing";
  announce(`${only} selected`);
  remember();
}

/** Select what a line, a unit or a kernel came from. */
function selectSet(set, options) {
  if (DATA.sets[set].length) select(DATA.sets[set], options);
}

function onSelect(listener) {
  selection.listeners.push(listener);
}

/** The names of what is selected. */
function nodesText() {
  const names = [...selection.nodes].map((node) => DATA.nodes[node][0]);
  return names.length > 3
    ? `${names.slice(0, 3).join(", ")} and ${names.length - 3} more`
    : names.join(", ");
}

/** The names of a set of nodes, for tooltips. */
function setText(set) {
  const names = DATA.sets[set].map((node) => DATA.nodes[node][0]);
  if (!names.length) return "from no single node";
  return `from ${names.slice(0, 6).join(", ")}${names.length > 6 ? ` and ${names.length - 6} more` : ""}`;
}

const speaker = el("div", { class: "hidden", "aria-live": "polite" });
document.body.append(speaker);

function announce(text) {
  speaker.textContent = text;
}

// The address tells what is shown, so that a reload or a bookmark shows it again.

const shown = { tab: null, level: null, stage: null, view: null, file: {} };

function remember() {
  const parts = new URLSearchParams();
  for (const key of ["tab", "level", "stage", "view"]) {
    if (shown[key] !== null) parts.set(key, shown[key]);
  }
  const names = [...selection.nodes].slice(0, 20).map((node) => DATA.nodes[node][0]);
  for (const name of names) parts.append("node", name);
  try {
    history.replaceState(null, "", `#${parts}`);
  } catch {
    // Some viewers of local files refuse; the page works all the same.
  }
}

function recalled() {
  return new URLSearchParams(location.hash.slice(1));
}
