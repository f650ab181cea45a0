// The data of the page, and lookups in them.

const DATA = JSON.parse(document.getElementById("data").textContent);

const LEVEL_TITLES = {
  onnx: "ONNX",
  bnn: "bnn",
  dataflow: "dataflow",
  hw: "hw",
  packed: "packed",
};

const LEVEL_ABOUT = {
  onnx: "the model as in the file",
  bnn: "exact integers, channels last",
  dataflow: "hardware units and streams",
  hw: "registers, wires and memories",
  packed: "words in a planned arena",
};

/** The numbers that `[count, number, count, number, …]` stands for. */
function expand(runs) {
  let length = 0;
  for (let i = 0; i < runs.length; i += 2) length += runs[i];
  const numbers = new Int32Array(length);
  let place = 0;
  for (let i = 0; i < runs.length; i += 2) {
    numbers.fill(runs[i + 1], place, place + runs[i]);
    place += runs[i];
  }
  return numbers;
}

for (const stage of DATA.stages) {
  stage.origins = expand(stage.sets);
  stage.added = stage.hunks.reduce((sum, hunk) => sum + hunk[3] - hunk[2], 0);
  stage.removed = stage.hunks.reduce((sum, hunk) => sum + hunk[1] - hunk[0], 0);
  stage.pass = stage.spec.split("{")[0];
}

for (const output of DATA.outputs) {
  for (const file of output.files) {
    file.lines = file.text.split("\n");
    file.origins = expand(file.sets);
    file.numbers = lineNumbers(file);
  }
}

/** The number in the file of each line that is shown, of which long tables are left out. */
function lineNumbers(file) {
  const numbers = [];
  const skipped = new Map(file.skipped);
  let number = 0;
  for (let i = 0; i < file.lines.length; i++) {
    number += 1 + (skipped.get(i) || 0);
    numbers.push(number);
  }
  return numbers;
}

const NUMBER = new Intl.NumberFormat("en");

/** A number as people read it: `12,345`, `1.25`. */
function count(value) {
  return NUMBER.format(value).replace("-", "−");
}

/** `1 line`, `2 lines`. */
function plural(value, word) {
  return `${count(value)} ${word}${value === 1 ? "" : "s"}`;
}

/** A text cut in its middle to at most so many letters. */
function shortened(text, most) {
  if (text.length <= most) return text;
  const tail = Math.floor((most - 1) / 2);
  return `${text.slice(0, most - 1 - tail)}…${tail ? text.slice(-tail) : ""}`;
}
