// The tab of the graphs: one level at a time, with what its nodes cost.

function networkTab() {
  const place = el("div", { class: "network" });
  const drawn = new Map();
  const options = DATA.levels.map((level) => [level.name, LEVEL_TITLES[level.name]]);
  const about = el("p", { class: "about" });
  const start =
    DATA.levels.find((level) => level.name === "dataflow") ||
    DATA.levels.find((level) => level.name === "packed") ||
    DATA.levels[0];
  const row = choices(options, start.name, show, "Level");

  function show(name) {
    const level = DATA.levels.find((each) => each.name === name);
    if (!drawn.has(name)) drawn.set(name, draw(level));
    place.replaceChildren(drawn.get(name));
    shown.level = name;
    about.textContent = `${sentence(LEVEL_ABOUT[name])} ${plural(level.nodes.length, "node")}, ${plural(level.edges.length, "edge")}.`;
    row.mark(name);
    remember();
  }

  function draw(level) {
    const bars = level.columns.find((column) => column.key === "cycles" || column.key === "macs");
    const graph = graphView(level, bars);
    const costs = level.columns.length ? costsView(level) : null;
    return el("div", { class: costs ? "split" : "split alone" }, graph.frame, costs);
  }

  const wanted = recalled().get("level");
  show(DATA.levels.some((level) => level.name === wanted) ? wanted : start.name);
  return { panel: el("div", {}, el("div", { class: "bar" }, row.row, about), place), show };
}
