// What widgets are drawn with: elements, controls, a player, a line for screen readers. Grids are in grid.mjs.
// Every control opts out of JupyterLab's shortcuts, which would swallow its arrow keys. Nothing has an id.

// An element: its attributes (on… adds a listener), then its children.
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value);
  }
  if (element.matches("button, input, select, [tabindex]")) element.setAttribute("data-lm-suppress-shortcuts", "true");
  element.append(...children);
  return element;
}

// What follows leaves alone what is as it should be: for whatever is written, the page is laid out and painted again.

export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function attribute(element, name, value) {
  if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
}

// Grows or shrinks `made`, a list of {element, …}, to `count`, with `make(index)` for what is new, as children of `parent`.
export function fit(made, count, make, parent) {
  while (made.length > count) made.pop().element.remove();
  while (made.length < count) {
    made.push(make(made.length));
    parent.append(made.at(-1).element);
  }
}

// A line of words and numbers: each part is a string, or [kind, text] for a chip in the color of input, kernel or output.
export function spell(element, parts) {
  parts.forEach((part, i) => {
    const [kind, text] = typeof part === "string" ? ["", part] : part;
    const there = element.childNodes[i];
    const node = there?.nodeName === (kind ? "B" : "#text") ? there : kind ? h("b") : document.createTextNode("");
    if (!there) element.append(node);
    else if (node !== there) there.replaceWith(node);
    if (kind) attribute(node, "class", `cb-chip cb-${kind}`);
    write(node, String(text));
  });
  while (element.childNodes.length > parts.length) element.lastChild.remove();
}

// Calls `react` after a change of any of the traits; returns what stops it.
export function watch(model, traits, react) {
  for (const trait of traits) model.on(`change:${trait}`, react);
  return () => traits.forEach((trait) => model.off(`change:${trait}`, react));
}

// Each control is {element, update}: `update` shows a value, `change` is called with one that the reader chose.

export function slider(label, [min, max], change) {
  const input = h("input", { type: "range", min, max, step: 1, oninput: () => change(Number(input.value)) });
  const shown = h("span", { class: "cb-value", "aria-hidden": "true" });
  return {
    element: h("label", { class: "cb-field" }, h("span", {}, label), input, shown),
    update(value, text = String(value)) {
      if (input.value !== String(value)) input.value = value;
      attribute(input, "aria-valuetext", text);
      write(shown, text);
    },
  };
}

// A small field for a whole number, for places where many stand together. What is no number in the range changes nothing.
export function number(label, [min, max], change) {
  const input = h("input", {
    type: "number", min, max, step: 1,
    oninput: () => input.value !== "" && input.checkValidity() && change(Number(input.value)),
    onblur: () => (input.value = input.dataset.value),
  });
  return {
    element: h("label", { class: "cb-number" }, h("span", {}, label), input),
    update(value) {
      input.dataset.value = value;
      const mayChange = input !== input.ownerDocument.activeElement || input.checkValidity();
      if (mayChange && input.value !== String(value)) input.value = value;
    },
  };
}

// `choices` maps values to labels. A value that is none of them shows as the last entry, `other`, if there is one.
export function select(label, choices, change, other = null) {
  const options = Object.entries(choices).map(([value, text]) => h("option", { value }, text));
  if (other) options.push(h("option", { value: other, disabled: "" }, other));
  const input = h("select", { "aria-label": label, onchange: () => change(input.value) }, ...options);
  return {
    element: h("label", { class: "cb-field" }, h("span", {}, label), input),
    update(value) {
      if (input.value !== String(value)) input.value = value;
    },
  };
}

export function checkbox(label, change) {
  const input = h("input", { type: "checkbox", onchange: () => change(input.checked) });
  return {
    element: h("label", { class: "cb-check" }, input, h("span", {}, label)),
    update: (value) => void (input.checked = value),
  };
}

export const button = (label, onclick) => h("button", { type: "button", class: "cb-button", onclick }, label);

// Two buttons that call `advance`: "Play" again and again until pressed once more, the other once. Play is not offered
// to readers who want less motion. `rested` is called when it stops.
export function player(stepLabel, advance, rested) {
  const every = 900; // milliseconds: time to read a line of products
  let timer = null;
  const stop = () => {
    clearInterval(timer);
    timer = null;
    play.textContent = "Play";
  };
  const toggle = () => {
    if (timer) {
      stop();
      rested();
    } else {
      timer = setInterval(advance, every);
      play.textContent = "Pause";
    }
  };
  const play = h("button", { type: "button", class: "cb-button cb-play", onclick: toggle }, "Play");
  const step = button(stepLabel, () => {
    stop();
    advance();
  });
  return {
    elements: [play, step],
    playing: () => timer !== null,
    enable: (possible) => [play, step].forEach((each) => (each.disabled = !possible)),
    stop,
  };
}

// Words for screen readers. They follow the state politely: said once it has rested for half a second.
export function announcer() {
  const element = h("p", { class: "cb-hidden", role: "status" });
  let timer;
  return {
    element,
    say(text) {
      clearTimeout(timer);
      if (element.isConnected) timer = setTimeout(() => (element.textContent = text), 500);
      else element.textContent = text; // the first text is part of the page, not news
    },
    stop: () => clearTimeout(timer),
  };
}

// Its child scrolls sideways where it is wider than the page, and can then be reached by keyboard.
export function scroller(label, child) {
  const element = h("div", { class: "cb-scroller", tabindex: "-1" }, child);
  const observer = new ResizeObserver(() => {
    const wide = element.scrollWidth > element.clientWidth;
    for (const [name, value] of Object.entries({ tabindex: "0", role: "group", "aria-label": `${label}, scrolls sideways` })) {
      if (wide) element.setAttribute(name, value);
      else element.removeAttribute(name);
    }
  });
  observer.observe(element);
  observer.observe(child);
  return { element, stop: () => observer.disconnect() };
}
