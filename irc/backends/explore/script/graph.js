// A level as a graph, to pan, zoom and select in.

const ZOOMS = [0.1, 3];
const LETTERS = { name: 6.95, detail: 6.35 };

/** The graph of a level; `bars` are its column of costs that shows in the nodes, if any. */
function graphView(level, bars) {
  const [width, height] = level.size;
  const scene = svg("g", { class: "scene" });
  const title = `Graph of level ${level.name}: ${plural(level.nodes.length, "node")}`;
  const canvas = svg(
    "svg",
    { class: "graph", role: "group", "aria-label": title, "data-level": level.name },
    scene,
  );
  const most = bars ? Math.max(...bars.values.map((value) => value || 0)) : 0;
  let zoom = 1;
  let left = 0;
  let top = 0;
  let active = 0;

  const edges = level.edges.map((edge) => {
    const [source, target] = edge.ends;
    const path = svg("path", {
      d: curve(edge.route),
      class: "edge",
      "data-ends": edge.ends.join(" "),
    });
    path.append(
      svg("title", {}, `${level.nodes[source].name} → ${level.nodes[target].name}: ${edge.type}`),
    );
    return path;
  });
  const nodes = level.nodes.map((node, number) => drawNode(node, number));
  scene.append(svg("g", { class: "edges" }, edges), svg("g", { class: "nodes" }, nodes));
  const reads = level.nodes.map(() => []);
  const readers = level.nodes.map(() => []);
  for (const { ends } of level.edges) {
    reads[ends[1]].push(ends[0]);
    readers[ends[0]].push(ends[1]);
  }

  function drawNode(node, number) {
    const [x, y, w, h] = node.place;
    const value = bars ? bars.values[number] : null;
    const share = value && most ? value / most : 0;
    const letters = (size) => Math.floor((w - 16) / size);
    const label = node.small ? node.kind.replaceAll("_", " ") : node.name || node.kind;
    const kind = node.kind.replace(/^.*\./, "").replaceAll("_", " ");
    const under = label === kind ? node.detail : `${kind} · ${node.detail}`;
    const parts = [svg("rect", { class: "box", width: w, height: h, rx: node.small ? h / 2 : 6 })];
    if (node.small) {
      parts.push(
        svg(
          "text",
          { class: "small", x: w / 2, y: h / 2 + 4 },
          shortened(label, letters(LETTERS.detail)),
        ),
      );
    } else {
      parts.push(
        svg("rect", { class: "stripe", x: 0, y: 6, width: 3, height: h - 12, rx: 1.5 }),
        svg("text", { class: "name", x: 11, y: 18 }, shortened(label, letters(LETTERS.name))),
        svg("text", { class: "detail", x: 11, y: 33 }, shortened(under, letters(LETTERS.detail))),
      );
      if (share)
        parts.push(
          svg("rect", {
            class: share === 1 ? "bar most" : "bar",
            x: 11,
            y: h - 7,
            width: Math.max(2, share * (w - 22)),
            height: 3,
            rx: 1.5,
          }),
        );
    }
    const text = [node.name || node.kind, node.kind, node.detail];
    if (value) text.push(`${count(value)} ${bars.unit || bars.title}`);
    const group = svg(
      "g",
      {
        class: `node ${categoryOf(node)}${node.small ? " small" : ""}`,
        transform: `translate(${x - w / 2} ${y - h / 2})`,
        tabindex: number ? -1 : 0,
        role: "button",
        "aria-label": text.join(", "),
        "aria-pressed": false,
        "data-node": number,
        "data-set": node.set,
      },
      parts,
    );
    group.addEventListener("click", () => {
      if (!moved) selectSet(node.set, { from: canvas });
    });
    return withTip(group, () => [...new Set(text), setText(node.set)]);
  }

  function place() {
    scene.setAttribute("transform", `translate(${left} ${top}) scale(${zoom})`);
  }

  function zoomTo(wanted, x = canvas.clientWidth / 2, y = canvas.clientHeight / 2) {
    const next = Math.min(ZOOMS[1], Math.max(ZOOMS[0], wanted));
    left = x - ((x - left) * next) / zoom;
    top = y - ((y - top) * next) / zoom;
    zoom = next;
    place();
  }

  /** All of it in sight, or, from the top, as much as can be read. */
  function fit(all) {
    const room = [canvas.clientWidth - 32, canvas.clientHeight - 32];
    if (room[0] <= 0) return;
    const whole = Math.min(room[0] / width, room[1] / height, 1);
    zoom = all ? whole : Math.max(whole, Math.min(1, room[0] / width, 1), 0.55);
    left = Math.max(16, (canvas.clientWidth - width * zoom) / 2);
    if (width * zoom > room[0]) left = (canvas.clientWidth - width * zoom) / 2;
    top = height * zoom < room[1] ? (canvas.clientHeight - height * zoom) / 2 : 16;
    place();
  }

  function reveal(number) {
    const [x, y, w, h] = level.nodes[number].place;
    const [px, py] = [left + x * zoom, top + y * zoom];
    const [dx, dy] = [(w / 2) * zoom + 12, (h / 2) * zoom + 12];
    if (px < dx || px > canvas.clientWidth - dx) left += canvas.clientWidth / 2 - px;
    if (py < dy || py > canvas.clientHeight - dy) top += canvas.clientHeight / 2 - py;
    place();
  }

  // A drag moves the graph, a click selects: what lies between is told by the way of the pointer.
  let from = null;
  let moved = false;
  const fingers = new Map();
  let spread = 0;
  canvas.addEventListener("pointerdown", (event) => {
    fingers.set(event.pointerId, [event.clientX, event.clientY]);
    from = [event.clientX - left, event.clientY - top, event.clientX, event.clientY];
    moved = false;
    spread = 0;
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!fingers.has(event.pointerId)) return;
    fingers.set(event.pointerId, [event.clientX, event.clientY]);
    if (fingers.size === 2) {
      const [a, b] = [...fingers.values()];
      const distance = Math.hypot(a[0] - b[0], a[1] - b[1]);
      const box = canvas.getBoundingClientRect();
      if (spread)
        zoomTo(
          (zoom * distance) / spread,
          (a[0] + b[0]) / 2 - box.left,
          (a[1] + b[1]) / 2 - box.top,
        );
      spread = distance;
      moved = true;
      return;
    }
    if (!moved && Math.hypot(event.clientX - from[2], event.clientY - from[3]) < 4) return;
    if (!moved) canvas.setPointerCapture(event.pointerId);
    moved = true;
    hideTip();
    left = event.clientX - from[0];
    top = event.clientY - from[1];
    place();
  });
  for (const name of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(name, (event) => {
      fingers.delete(event.pointerId);
      const [rest] = fingers.values();
      if (rest) from = [rest[0] - left, rest[1] - top, rest[0], rest[1]];
    });
  }
  canvas.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      hideTip();
      const box = canvas.getBoundingClientRect();
      if (event.ctrlKey || event.metaKey) {
        zoomTo(
          zoom * Math.exp(-event.deltaY / 300),
          event.clientX - box.left,
          event.clientY - box.top,
        );
        return;
      }
      left -= event.shiftKey ? event.deltaY : event.deltaX;
      top -= event.shiftKey ? 0 : event.deltaY;
      top = Math.min(canvas.clientHeight - 60, Math.max(60 - height * zoom, top));
      left = Math.min(canvas.clientWidth - 60, Math.max(60 - width * zoom, left));
      place();
    },
    { passive: false },
  );
  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const near = {
      ArrowDown: readers[active][0],
      ArrowUp: reads[active][0],
      ArrowRight: beside(1),
      ArrowLeft: beside(-1),
      Home: 0,
      End: level.nodes.length - 1,
    };
    if (event.key in near) {
      if (near[event.key] !== undefined) focusOn(near[event.key]);
    } else if (event.key === "Enter" || event.key === " ")
      selectSet(level.nodes[active].set, { from: canvas });
    else if (event.key === "+" || event.key === "=") zoomTo(zoom * 1.25);
    else if (event.key === "-") zoomTo(zoom / 1.25);
    else if (event.key === "0") fit(true);
    else return;
    event.preventDefault();
  });
  canvas.addEventListener("focusin", (event) => {
    const node = event.target.closest(".node");
    if (node) setActive(Number(node.dataset.node));
  });

  /** The next node to the left or the right in the same rank. */
  function beside(step) {
    const [x, y] = level.nodes[active].place;
    let best;
    level.nodes.forEach((node, number) => {
      const distance = (node.place[0] - x) * step;
      if (
        Math.abs(node.place[1] - y) < 4 &&
        distance > 0 &&
        (best === undefined || distance < (level.nodes[best].place[0] - x) * step)
      )
        best = number;
    });
    return best;
  }

  function setActive(number) {
    nodes[active].setAttribute("tabindex", -1);
    active = number;
    nodes[active].setAttribute("tabindex", 0);
  }

  function focusOn(number) {
    setActive(number);
    reveal(number);
    nodes[number].focus({ preventScroll: true });
  }

  function mark(options) {
    let first;
    level.nodes.forEach((node, number) => {
      const hit = isHit(node.set);
      nodes[number].classList.toggle("hit", hit);
      nodes[number].setAttribute("aria-pressed", hit);
      if (hit && first === undefined) first = number;
    });
    level.edges.forEach(({ ends }, number) => {
      edges[number].classList.toggle(
        "hit",
        isHit(level.nodes[ends[0]].set) && isHit(level.nodes[ends[1]].set),
      );
    });
    canvas.classList.toggle("picking", first !== undefined);
    if (first !== undefined && options.from !== canvas) reveal(first);
  }

  onSelect((options) => mark(options));
  mark({});
  let seen = false;
  new ResizeObserver(() => {
    if (seen || !canvas.clientWidth) return;
    seen = true;
    fit(false);
    mark({});
  }).observe(canvas);

  const tools = el(
    "div",
    { class: "tools", role: "group", "aria-label": "Zoom" },
    el(
      "button",
      {
        type: "button",
        title: "zoom in (+)",
        "aria-label": "zoom in",
        onclick: () => zoomTo(zoom * 1.25),
      },
      "+",
    ),
    el(
      "button",
      {
        type: "button",
        title: "zoom out (−)",
        "aria-label": "zoom out",
        onclick: () => zoomTo(zoom / 1.25),
      },
      "−",
    ),
    el("button", { type: "button", title: "show all of it (0)", onclick: () => fit(true) }, "Fit"),
  );
  const used = new Set(level.nodes.map(categoryOf));
  const legend = el(
    "ul",
    { class: "legend", "aria-label": "Colours" },
    [...CATEGORIES, ["other", "other"]]
      .filter(([key]) => used.has(key))
      .map(([key, text]) => el("li", { class: key }, text)),
  );
  return {
    frame: el("div", { class: "graphframe" }, canvas, el("div", { class: "under" }, legend, tools)),
    focusOn,
  };
}
