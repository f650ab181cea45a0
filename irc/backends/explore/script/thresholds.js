// The tab of the thresholds: where each channel decides, and how far from float32 rounding.

const SEARCHED =
  "Left: the integers that can occur in front of the quantizer, a line a channel, and the thresholds among them. Right: how far the nearest of these integers stays from the decision, before the quantizer, divided by what float32 may be off there. Right of 1, no rounding of any operation, in whatever order, decides otherwise.";

const JOINED =
  "The integers that can occur in front of the quantizer, a line a channel, and the thresholds among them. The decision is about a sum of branches or about a table of the model's own: at which integers float32 rounding may decide is known, how far the others stay from it is not.";

/** What the search says of a layer: a class and words. */
function verdict(layer) {
  if (!layer.count) return ["plain", "decides nothing: its result is constant"];
  if (layer.doubts) return ["bad", `${plural(layer.doubts, "interval")} where rounding may decide`];
  if (!layer.searched) return ["good", "exact for any evaluation order"];
  if (layer.least === null) return ["good", "float32 makes no error here"];
  if (layer.least < 1) return ["plain", "exact: float32 rounds alike everywhere"];
  return ["good", "exact for any evaluation order"];
}

function thresholdsTab() {
  const heading = el("h3", {});
  const chain = el("p", { class: "about" });
  const badge = el("p", {});
  const plot = el("div", { class: "plot" });
  const detail = el("p", { class: "detail", "aria-live": "polite" });
  const note = el("p", { class: "note" });
  let near = false;
  const spans = choices(
    [
      ["all", "All that can occur"],
      ["near", "Around the thresholds"],
    ],
    "all",
    (span) => {
      near = span === "near";
      draw();
    },
    "Span of the plot",
  );
  const buttons = DATA.thresholds.map((layer, index) =>
    el(
      "button",
      {
        type: "button",
        class: "pass stacked",
        title: layer.name,
        onclick: () => show(index),
        "data-layer": index,
      },
      el("span", { class: "name" }, shortened(layer.name, 30)),
      el("span", { class: `dot ${verdict(layer)[0]}`, title: verdict(layer)[1] }),
      el(
        "span",
        { class: "amount" },
        `${plural(layer.count, "threshold")}, ${layer.count ? roomText(layer) : "constant"}`,
      ),
    ),
  );
  let current = 0;
  let cursor = null;

  function roomText(layer) {
    if (layer.doubts) return "in doubt";
    if (!layer.searched) return "exact";
    return layer.least === null ? "exact" : `headroom ≥ ${count(layer.least)}×`;
  }

  function show(index) {
    current = index;
    cursor = null;
    const layer = DATA.thresholds[index];
    heading.textContent = layer.name;
    const functions = layer.functions.length ? ` → ${layer.functions.join(" → ")}` : "";
    const shape = `${plural(layer.channels, "channel")}, ${plural(layer.count, "threshold")}`;
    chain.textContent = `${layer.searched ? `accumulator${functions} → ${layer.codes}` : `to ${layer.codes}, from a sum of branches or a table`}. ${shape}.`;
    const [kind, text] = verdict(layer);
    badge.className = `badge ${kind}`;
    badge.textContent = text;
    note.textContent = layer.searched ? SEARCHED : JOINED;
    buttons.forEach((button, i) => {
      if (i === index) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
    });
    draw();
    explain(null);
  }

  function explain(channel) {
    const layer = DATA.thresholds[current];
    if (channel === null) {
      const more =
        layer.rows.length < layer.channels
          ? ` The first ${count(layer.rows.length)} of ${count(layer.channels)} channels are drawn.`
          : "";
      detail.textContent = `Point at a channel, or use the arrow keys in the plot.${more}`;
      return;
    }
    detail.textContent = channelLines(layer, channel).join(" · ");
  }

  function draw() {
    const width = Math.max(300, plot.clientWidth || 640);
    plot.replaceChildren(
      thresholdPlot(DATA.thresholds[current], width, near, (channel) => {
        cursor = channel;
        explain(channel);
      }),
    );
  }

  let drawnWidth = 0;
  new ResizeObserver(() => {
    if (plot.clientWidth && plot.clientWidth !== drawnWidth) {
      drawnWidth = plot.clientWidth;
      draw();
    }
  }).observe(plot);
  onSelect(() => {
    DATA.thresholds.forEach((layer, index) =>
      buttons[index].classList.toggle("hit", isHit(layer.set)),
    );
  });
  const nav = el(
    "nav",
    { class: "passlist", "aria-label": "Layers with thresholds" },
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
  const pick = el(
    "button",
    { type: "button", onclick: () => selectSet(DATA.thresholds[current].set) },
    "Select its node",
  );
  const main = el(
    "div",
    { class: "passmain scrolls" },
    el(
      "div",
      { class: "headline" },
      el("div", {}, heading, chain),
      el("div", { class: "steps" }, pick),
    ),
    el("div", { class: "bar" }, badge, spans.row),
    plot,
    detail,
    note,
  );
  show(0);
  return { panel: el("div", { class: "passes" }, nav, main), show };
}
