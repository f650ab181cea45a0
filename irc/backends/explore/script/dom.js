// Making elements. Texts are only ever set as text: no name in a model can become markup.

const SVG = "http://www.w3.org/2000/svg";

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined) continue;
    if (name.startsWith("aria-")) element.setAttribute(name, String(value));
    else if (value === false) continue;
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

function el(tag, attributes, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

function svg(tag, attributes, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

let serial = 0;

/** An id that nothing else on the page has. */
function freshId(stem) {
  serial += 1;
  return `${stem}-${serial}`;
}

/**
 * A row of buttons of which one is chosen; arrow keys move.
 * `options` are pairs of a value and a title; `role` is that of the row and of its buttons.
 */
function choices(options, chosen, onChoose, label, roles = ["radiogroup", "radio"]) {
  const state = roles[1] === "tab" ? "aria-selected" : "aria-checked";
  const buttons = options.map(([value, title]) =>
    el(
      "button",
      { type: "button", role: roles[1], "data-value": value, onclick: () => pick(value) },
      title,
    ),
  );
  const row = el(
    "div",
    { role: roles[0], "aria-label": label, class: "choices", onkeydown: move },
    buttons,
  );

  function mark(value) {
    buttons.forEach((button) => {
      const is = button.dataset.value === String(value);
      button.setAttribute(state, is);
      button.tabIndex = is ? 0 : -1;
    });
  }

  function pick(value) {
    mark(value);
    onChoose(value);
  }

  function move(event) {
    const across = { ArrowRight: 1, ArrowLeft: -1 };
    const step = (roles[1] === "tab" ? across : { ...across, ArrowDown: 1, ArrowUp: -1 })[
      event.key
    ];
    const at = buttons.indexOf(document.activeElement);
    if (!step || at < 0) return;
    event.preventDefault();
    const next = buttons[(at + step + buttons.length) % buttons.length];
    next.focus();
    pick(options[buttons.indexOf(next)][0]);
  }

  mark(chosen);
  return { row, buttons, mark };
}

const tip = document.getElementById("tip");

/** Show a text beside the pointer, or beside an element that has the focus. */
function showTip(lines, x, y) {
  tip.replaceChildren(...lines.map((line) => el("div", {}, line)));
  tip.hidden = false;
  const box = tip.getBoundingClientRect();
  const left = Math.min(x + 14, window.innerWidth - box.width - 8);
  const top = y + 18 + box.height > window.innerHeight ? y - box.height - 10 : y + 18;
  tip.style.left = `${Math.max(8, left)}px`;
  tip.style.top = `${Math.max(8, top)}px`;
}

function hideTip() {
  tip.hidden = true;
}

/** Give an element a tooltip for pointer and keyboard. */
function withTip(element, lines) {
  element.addEventListener("pointermove", (event) => {
    if (event.pointerType === "mouse" && !event.buttons)
      showTip(lines(), event.clientX, event.clientY);
  });
  element.addEventListener("pointerleave", hideTip);
  element.addEventListener("blur", hideTip);
  element.addEventListener("focus", () => {
    if (!element.matches(":focus-visible")) return;
    const box = element.getBoundingClientRect();
    showTip(lines(), box.left, box.bottom - 10);
  });
  return element;
}
