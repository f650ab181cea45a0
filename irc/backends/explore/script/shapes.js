// What nodes of graphs look like: a colour for each kind of work, and the way of an edge.

const CATEGORIES = [
  ["weights", "weights", /mvu|linear|conv$|_conv|^conv|dense|matmul|gemm/i],
  ["decide", "thresholds", /threshold|quant|sign|argmax|round|clip|relu/i],
  ["window", "windows, pools", /pool|window|pad|upsample|resize|patch/i],
  ["branch", "branches", /add$|concat|slice|split|fork|sub$|sum/i],
  [
    "move",
    "moving data",
    /fifo|width_converter|stream|reshape|transpose|flatten|input|output|cast|move|copy|squeeze|gather|shape/i,
  ],
];

function categoryOf(node) {
  if (node.small) return "move";
  const kind = node.kind.replace(/^.*\./, "");
  const found = CATEGORIES.find(([, , rule]) => rule.test(kind));
  return found ? found[0] : "other";
}

/** A curve through points that leaves and enters them downwards. */
function curve(points) {
  let path = `M${points[0][0]} ${points[0][1]}`;
  for (let i = 1; i < points.length; i++) {
    const [[x1, y1], [x2, y2]] = [points[i - 1], points[i]];
    const middle = (y1 + y2) / 2;
    path += x1 === x2 ? `L${x2} ${y2}` : `C${x1} ${middle} ${x2} ${middle} ${x2} ${y2}`;
  }
  return path;
}
