// The plot of a layer: thresholds among what can occur, and the headroom of each.

const AXIS = { left: 60, right: 16, top: 26, bottom: 44, gap: 40 };
const SHADES = 5;

function channelLines(layer, channel) {
  const row = layer.rows[channel];
  const range = `${count(layer.low[channel])} to ${count(layer.high[channel])}${layer.step[channel] > 1 ? ` in steps of ${layer.step[channel]}` : ""}`;
  const lines = [`channel ${channel}`, `can be ${range}`];
  if (!row.at.length) lines.push("always gives the same");
  row.at.slice(0, 4).forEach((at, i) => {
    let text = `decides at ${count(at)}`;
    if (row.room) {
      // Between the two integers real arithmetic decides in this place.
      const border = at - layer.step[channel] * (1 - row.place[i]);
      text += ` (real numbers at ${count(round(border))})`;
      text += row.room[i] === null ? ", without any error" : `, headroom ${count(row.room[i])}×`;
    }
    lines.push(text);
  });
  if (row.at.length > 4) lines.push(`and at ${row.at.length - 4} more`);
  return lines;
}

function rowHeight(channels) {
  return Math.max(1.5, Math.min(24, 416 / channels));
}

/** From where to where the plot goes: all that can occur, or the thresholds with some room. */
function spanOf(layer, near) {
  const all = [Math.min(...layer.low), Math.max(...layer.high)];
  const places = layer.rows.flatMap((row) => row.at);
  if (!near || !places.length) return all;
  const least = places.reduce((a, b) => Math.min(a, b));
  const most = places.reduce((a, b) => Math.max(a, b));
  const room = Math.max(2, Math.ceil((most - least) / 12));
  return [Math.max(all[0], least - room), Math.min(all[1], most + room)];
}

/** Both panels of a layer; `onChannel` hears which channel is pointed at. */
function thresholdPlot(layer, width, near, onChannel) {
  const rows = layer.rows;
  const tall = rowHeight(rows.length);
  const inner = rows.length * tall;
  const height = inner + AXIS.top + AXIS.bottom;
  const hasRoom = layer.searched && layer.count > 0;
  const usable = width - AXIS.left - AXIS.right - (hasRoom ? AXIS.gap : 0);
  const first = [AXIS.left, AXIS.left + (hasRoom ? Math.round(usable * 0.58) : usable)];
  const second = [first[1] + AXIS.gap, width - AXIS.right];
  const [low, high] = spanOf(layer, near);
  const x = (value) =>
    first[0] +
    ((Math.max(low, Math.min(high, value)) - low) / Math.max(1, high - low)) *
      (first[1] - first[0]);
  const y = (channel) => AXIS.top + channel * tall;
  const parts = [];

  const ranges = rows.map(
    (row, c) =>
      `M${x(layer.low[c]).toFixed(1)} ${(y(c) + tall / 2).toFixed(1)}H${Math.max(x(layer.high[c]), x(layer.low[c]) + 1).toFixed(1)}`,
  );
  parts.push(...axis(first, low, high, inner, x, "integer in front of the quantizer"));
  parts.push(svg("path", { class: "range", d: ranges.join("") }));
  const levels = Math.max(1, ...rows.map((row) => row.at.length));
  const marks = Array.from({ length: Math.min(levels, SHADES) }, () => []);
  const tick = Math.max(1.2, tall * 0.8);
  rows.forEach((row, c) => {
    row.at.forEach((at, i) => {
      const shade = levels <= SHADES ? i : Math.floor((i * SHADES) / levels);
      marks[shade].push(
        `M${x(at).toFixed(1)} ${(y(c) + (tall - tick) / 2).toFixed(1)}v${tick.toFixed(1)}`,
      );
    });
  });
  marks.forEach((path, shade) =>
    parts.push(svg("path", { class: `threshold shade${shade}`, d: path.join("") })),
  );
  const doubts = layer.ambiguous
    .filter(([channel]) => channel < rows.length)
    .map(([channel, from, to]) => {
      const left = x(Math.max(from, low));
      return `M${left.toFixed(1)} ${(y(channel) + tall / 2).toFixed(1)}H${Math.max(left + 3, x(Math.min(to, high))).toFixed(1)}`;
    });
  if (doubts.length) {
    const path = svg("path", { class: "doubt", d: doubts.join("") });
    path.setAttribute("stroke-width", Math.max(2, tall * 0.6));
    parts.push(path);
  }
  parts.push(...channelAxis(rows.length, tall));
  if (hasRoom) parts.push(...roomPanel(layer, second, tall, inner));

  const band = svg("rect", {
    class: "band",
    x: first[0] - 4,
    width: width - AXIS.right - first[0] + 8,
    height: Math.max(3, tall),
    y: -99,
  });
  const label = `Thresholds of ${layer.name}: ${plural(layer.count, "threshold")} of ${plural(layer.channels, "channel")}`;
  const canvas = svg(
    "svg",
    {
      class: "thresholds",
      width,
      height,
      viewBox: `0 0 ${width} ${height}`,
      role: "img",
      tabindex: 0,
      "aria-label": label,
    },
    band,
    parts,
  );
  let channel = null;

  function point(to) {
    channel = to;
    band.setAttribute("y", to === null ? -99 : y(to) + (tall - Math.max(3, tall)) / 2);
    onChannel(to);
  }

  canvas.addEventListener("pointermove", (event) => {
    const box = canvas.getBoundingClientRect();
    const at = Math.floor((event.clientY - box.top - AXIS.top) / tall);
    if (at < 0 || at >= rows.length) {
      hideTip();
      return;
    }
    point(at);
    showTip(channelLines(layer, at), event.clientX, event.clientY);
  });
  canvas.addEventListener("pointerleave", hideTip);
  canvas.addEventListener("keydown", (event) => {
    const from = channel === null ? -1 : channel;
    const to = {
      ArrowDown: from + 1,
      ArrowUp: from - 1,
      Home: 0,
      End: rows.length - 1,
      PageDown: from + 16,
      PageUp: from - 16,
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    point(Math.max(0, Math.min(rows.length - 1, to)));
  });
  return canvas;
}

/** Ticks, grid and title of a linear axis. */
function axis([left, right], low, high, inner, x, title) {
  const parts = [];
  for (const value of niceTicks(low, high, Math.max(3, Math.floor((right - left) / 64)))) {
    parts.push(
      svg("line", {
        class: "grid",
        x1: x(value),
        x2: x(value),
        y1: AXIS.top,
        y2: AXIS.top + inner,
      }),
    );
    parts.push(
      svg(
        "text",
        { class: "tick", x: x(value), y: AXIS.top + inner + 16, "text-anchor": "middle" },
        count(value),
      ),
    );
  }
  parts.push(
    svg(
      "text",
      { class: "axis", x: (left + right) / 2, y: AXIS.top + inner + 36, "text-anchor": "middle" },
      title,
    ),
  );
  return parts;
}

function niceTicks(low, high, most) {
  const span = Math.max(1, high - low);
  const power = 10 ** Math.floor(Math.log10(span / most));
  const step = Math.max(
    1,
    [1, 2, 5, 10].map((factor) => factor * power).find((each) => span / each <= most + 0.5) ||
      10 * power,
  );
  const found = [];
  for (let value = Math.ceil(low / step) * step; value <= high; value += step)
    found.push(value || 0);
  return found;
}

function channelAxis(channels, tall) {
  const step = niceStep(Math.ceil(22 / tall), channels);
  const parts = [
    svg(
      "text",
      { class: "axis", x: AXIS.left - 8, y: AXIS.top - 10, "text-anchor": "end" },
      "channel",
    ),
  ];
  for (let c = 0; c < channels; c += step) {
    parts.push(
      svg(
        "text",
        {
          class: "tick",
          x: AXIS.left - 10,
          y: AXIS.top + c * tall + tall / 2 + 4,
          "text-anchor": "end",
        },
        count(c),
      ),
    );
  }
  return parts;
}

function niceStep(least, most) {
  for (let step = 1; step < most; step *= 2) if (step >= least) return step;
  return Math.max(1, most);
}

/** The panel of headrooms, on a logarithmic scale whose right end is infinity. */
function roomPanel(layer, [left, right], tall, inner) {
  const rooms = layer.rows.flatMap((row) => row.room.filter((room) => room !== null));
  const least = Math.min(0, Math.floor(Math.log10(Math.max(1e-3, Math.min(1, ...rooms)))));
  const most = Math.max(1, Math.ceil(Math.log10(Math.max(1, ...rooms))));
  const end = right - 26;
  const x = (room) =>
    left + ((Math.log10(Math.max(room, 10 ** least)) - least) / (most - least)) * (end - left);
  const y = (c) => AXIS.top + c * tall + tall / 2;
  const parts = [];
  if (least < 0)
    parts.push(
      svg("rect", { class: "danger", x: left, width: x(1) - left, y: AXIS.top, height: inner }),
    );
  const every = Math.max(1, Math.ceil((most - least) / Math.max(2, Math.floor((end - left) / 44))));
  for (let power = least; power <= most; power += every) {
    const place = x(10 ** power);
    parts.push(
      svg("line", { class: "grid", x1: place, x2: place, y1: AXIS.top, y2: AXIS.top + inner }),
    );
    const text =
      power < 0
        ? String(10 ** power)
        : power < 4
          ? count(10 ** power)
          : ["10", svg("tspan", { dy: -5, "font-size": "8" }, String(power))];
    parts.push(
      svg(
        "text",
        { class: "tick", x: place, y: AXIS.top + inner + 16, "text-anchor": "middle" },
        text,
      ),
    );
  }
  parts.push(
    svg("line", { class: "one", x1: x(1), x2: x(1), y1: AXIS.top - 4, y2: AXIS.top + inner }),
  );
  parts.push(
    svg(
      "text",
      {
        class: "axis",
        x: x(1) + (least < 0 ? 0 : -2),
        y: AXIS.top - 10,
        "text-anchor": least < 0 ? "middle" : "start",
      },
      "float32 rounding",
    ),
  );
  parts.push(
    svg("line", {
      class: "grid",
      x1: right - 6,
      x2: right - 6,
      y1: AXIS.top,
      y2: AXIS.top + inner,
    }),
  );
  const size = Math.max(1.4, Math.min(3.2, tall * 0.45));
  const dots = [];
  const exact = [];
  layer.rows.forEach((row, c) => {
    for (const room of row.room) {
      const place = room === null ? right - 6 : x(room);
      (room === null ? exact : dots).push(
        `M${(place - size).toFixed(1)} ${y(c).toFixed(1)}h${(2 * size).toFixed(1)}`,
      );
    }
  });
  for (const [kind, path] of [
    ["room", dots],
    ["room exact", exact],
  ]) {
    const drawn = svg("path", { class: kind, d: path.join("") });
    drawn.setAttribute("stroke-width", (2 * size).toFixed(1));
    parts.push(drawn);
  }
  parts.push(
    svg(
      "text",
      { class: "tick", x: right - 6, y: AXIS.top + inner + 16, "text-anchor": "middle" },
      "∞",
    ),
  );
  parts.push(
    svg(
      "text",
      { class: "axis", x: (left + right) / 2, y: AXIS.top + inner + 36, "text-anchor": "middle" },
      "headroom",
    ),
  );
  return parts;
}
