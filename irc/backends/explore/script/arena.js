// The arena of the C: a box for each buffer, as wide as it lives and as high as it is large.

const ARENA = { left: 58, right: 12, top: 10, bottom: 34, height: 190 };

function arenaView(level) {
  const place = el("div", { class: "arena" });
  const { buffers, size } = level.arena;
  const inner = ARENA.height - ARENA.top - ARENA.bottom;
  let width = 0;
  let boxes = [];

  function draw() {
    const first = Math.min(...buffers.map((buffer) => buffer.first));
    const last = Math.max(...buffers.map((buffer) => buffer.last));
    const step = (width - ARENA.left - ARENA.right) / (last - first + 1);
    const x = (kernel) => ARENA.left + (kernel - first) * step;
    const y = (offset) => ARENA.top + inner - (offset / size) * inner;
    const parts = [];
    for (const value of niceTicks(0, size, 5)) {
      parts.push(
        svg("line", {
          class: "grid",
          x1: ARENA.left,
          x2: width - ARENA.right,
          y1: y(value),
          y2: y(value),
        }),
      );
      parts.push(
        svg(
          "text",
          { class: "tick", x: ARENA.left - 8, y: y(value) + 4, "text-anchor": "end" },
          count(value),
        ),
      );
    }
    boxes = buffers.map((buffer) => box(buffer, x, y, step));
    const letters = Math.max(1, Math.ceil(26 / step));
    for (let kernel = first; kernel <= last; kernel += letters) {
      parts.push(
        svg(
          "text",
          {
            class: "tick",
            x: x(kernel) + step / 2,
            y: ARENA.top + inner + 14,
            "text-anchor": "middle",
          },
          String(kernel - first + 1),
        ),
      );
    }
    parts.push(
      svg(
        "text",
        {
          class: "axis",
          x: (ARENA.left + width - ARENA.right) / 2,
          y: ARENA.height - 4,
          "text-anchor": "middle",
        },
        "kernels, in order",
      ),
    );
    const label = `Arena of ${count(size)} bytes over ${plural(last - first + 1, "kernel")}`;
    place.replaceChildren(
      svg("svg", { width, height: ARENA.height, role: "group", "aria-label": label }, parts, boxes),
    );
    mark();
  }

  function box(buffer, x, y, step) {
    const node = level.nodes[buffer.node];
    const text = [
      `${node.name || node.kind}: ${buffer.what}`,
      `${count(buffer.size)} bytes at ${count(buffer.offset)}, as ${buffer.region}`,
    ];
    const rect = svg("rect", {
      class: `buffer ${buffer.what} ${categoryOf(node)}`,
      x: x(buffer.first) + 1,
      y: y(buffer.offset + buffer.size),
      width: Math.max(2, (buffer.last - buffer.first + 1) * step - 2),
      height: Math.max(1.5, (buffer.size / size) * inner - 1),
      rx: 2,
      tabindex: 0,
      role: "button",
      "aria-label": text.join(", "),
    });
    const use = () => selectSet(node.set, { from: place });
    rect.addEventListener("click", use);
    rect.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      use();
    });
    return withTip(rect, () => text);
  }

  function mark() {
    buffers.forEach((buffer, i) =>
      boxes[i].classList.toggle("hit", isHit(level.nodes[buffer.node].set)),
    );
  }

  onSelect(() => {
    if (boxes.length) mark();
  });
  new ResizeObserver(() => {
    if (place.clientWidth && place.clientWidth !== width) {
      width = place.clientWidth;
      draw();
    }
  }).observe(place);
  return el(
    "section",
    { class: "arenabox" },
    el(
      "h3",
      {},
      "Arena ",
      el("span", { class: "muted" }, `${count(size)} B: when each buffer lives, and where`),
    ),
    place,
  );
}
