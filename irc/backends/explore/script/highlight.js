// Colours for IR, Verilog and C: a line becomes pieces of one class each.

const LANGUAGES = {
  mlir: [
    ["comment", /\/\/.*/],
    ["string", /"(?:\\.|[^"\\])*"/],
    ["value", /%[\w$.#-]+/],
    ["symbol", /[@^][\w$.]+/],
    ["type", /![a-z]\w*(?:\.\w+)*|\b(?:tensor|vector|index|none|[su]?i\d+|ui\d+|bf16|f\d+)\b/],
    ["attribute", /#[a-z]\w*(?:\.\w+)*/],
    ["keyword", /\b(?:module|attributes|private|loc|unknown|true|false|unit)\b/],
    ["operation", /\b[a-z_]\w*\.[A-Za-z_][\w.]*/],
    ["number", /-?\b(?:0x[0-9A-Fa-f]+|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)(?=[^\w.]|x\b|x\d|x!|$)/],
    ["name", /\b[A-Za-z_]\w*\b/],
  ],
  verilog: [
    ["comment", /\/\/.*|\/\*.*?\*\//],
    ["string", /"(?:\\.|[^"\\])*"/],
    ["attribute", /`\w+|\(\*.*?\*\)/],
    [
      "keyword",
      /\b(?:module|endmodule|input|output|wire|reg|assign|always|posedge|negedge|if|else|begin|end|case|endcase|default|initial|function|endfunction|for|integer|signed|localparam|parameter)\b/,
    ],
    ["symbol", /\$\w+/],
    ["number", /\b\d+'s?[bdh][0-9A-Fa-fxz_]+|\b\d+\b/],
    ["operation", /(?<=\.)\w+/],
    ["name", /\b[A-Za-z_]\w*\b/],
  ],
  c: [
    ["comment", /\/\*.*?(?:\*\/|$)|\/\/.*|^ \*.*/],
    ["string", /"(?:\\.|[^"\\])*"|<\w+\.h>/],
    ["attribute", /#\s*\w+/],
    ["type", /\b(?:u?int\d+_t|int|unsigned|char|void|float|double|size_t|signed|long|short)\b/],
    [
      "keyword",
      /\b(?:static|const|volatile|return|if|else|for|while|do|struct|typedef|sizeof|extern|inline|break|continue|switch|case|default)\b/,
    ],
    ["number", /-?\b0x[0-9A-Fa-f.p+-]+[uUlLfF]*|\b\d+(?:\.\d+)?(?:[eE][+-]?\d+)?[uUlLfF]*\b/],
    ["operation", /\b[A-Za-z_]\w*(?=\()/],
    ["name", /\b[A-Za-z_]\w*\b/],
  ],
};

const LONGEST_COLOURED = 4000;

const LEXERS = Object.fromEntries(
  Object.entries(LANGUAGES).map(([language, rules]) => [
    language,
    new RegExp(rules.map(([, rule]) => `(${rule.source})`).join("|"), "g"),
  ]),
);

/** Pairs of a class and a text that make up a line. */
function pieces(line, language) {
  const lexer = LEXERS[language];
  if (!lexer || line.length > LONGEST_COLOURED) return [["", line]];
  const names = LANGUAGES[language].map(([name]) => name);
  const found = [];
  let last = 0;
  lexer.lastIndex = 0;
  for (let match = lexer.exec(line); match && match[0]; match = lexer.exec(line)) {
    if (match.index > last) found.push(["", line.slice(last, match.index)]);
    const which = match.findIndex((group, index) => index > 0 && group !== undefined);
    found.push([names[which - 1], match[0]]);
    last = match.index + match[0].length;
  }
  if (last < line.length) found.push(["", line.slice(last)]);
  return found;
}

/** The line as elements; letters from `mark[0]` to `mark[1]` stand out. */
function coloured(line, language, mark) {
  const out = [];
  let at = 0;
  for (const [kind, text] of pieces(line, language)) {
    const cuts = [0, text.length];
    for (const edge of mark || []) {
      if (edge > at && edge < at + text.length) cuts.push(edge - at);
    }
    cuts.sort((a, b) => a - b);
    for (let i = 0; i + 1 < cuts.length; i++) {
      const part = text.slice(cuts[i], cuts[i + 1]);
      const marked = mark && at + cuts[i] >= mark[0] && at + cuts[i] < mark[1];
      if (!kind && !marked) out.push(part);
      else out.push(el(marked ? "mark" : "span", { class: kind ? `t-${kind}` : null }, part));
    }
    at += text.length;
  }
  return out;
}
