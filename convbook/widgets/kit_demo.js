// The kit's demo, drawn: one of each element. A widget is this much: make the elements, draw the state, clean up.

import { announcer, button, checkbox, h, number, player, scroller, select, slider, spell, watch } from "./kit.mjs";
import { numberGrid } from "./grid.mjs";
import { change, stateOf } from "./model.mjs";
import { formatNumber, parseNumber } from "./numbers.mjs";
import { FACTORS, OPERATIONS, inside, line, next, results, summary } from "./kit_demo.math.mjs";

const TRAITS = ["numbers", "factor", "operation", "negate", "selected"];

function render({ model, el }) {
  const state = () => stateOf(model, TRAITS);
  const put = (trait) => (value) => change(model, { [trait]: value });

  const factor = slider("slider", FACTORS, put("factor"));
  const field = number("number: the same", FACTORS, put("factor"));
  const operation = select("select", OPERATIONS, put("operation"));
  const negate = checkbox("checkbox: negate", put("negate"));
  const reset = button("button: all ones", () => put("numbers")([[1, 1, 1], [1, 1, 1]]));
  const walk = player("Next cell", () => put("selected")(next(state())), () => said.say(summary(state())));
  const numbers = numberGrid({ kind: "input", edit });
  const output = numberGrid({ kind: "output", choose: (row, column) => put("selected")([row, column]) });
  const equation = h("p", { class: "cb-line" });
  const said = announcer();
  const wide = scroller("Results", output.element);

  function edit(row, column, text) {
    const value = parseNumber(text);
    if (Number.isNaN(value)) return `“${text}” is not a number, so the cell keeps its last one.`;
    put("numbers")(model.get("numbers").map((cells, r) => cells.map((x, c) => (r === row && c === column ? value : x))));
    return "";
  }

  const cells = (grid) => grid.map((row) => row.map((x) => ({ text: formatNumber(x) })));

  function draw() {
    const now = state();
    factor.update(now.factor);
    field.update(now.factor);
    operation.update(now.operation);
    negate.update(now.negate);
    numbers.update("Numbers", cells(now.numbers));
    output.update("Results, arrow keys move", cells(results(now)), inside(now));
    spell(equation, line(now).map(({ kind, text }) => (kind ? [kind, text] : text)));
    if (!walk.playing()) said.say(summary(now));
  }

  const named = (name, element) => h("div", {}, h("p", { class: "cb-caption" }, name), element);
  const root = h("div", { class: "cb-widget cb-kit", role: "group", "aria-label": "The widget kit" },
    factor.element, field.element, operation.element, negate.element,
    h("div", { class: "cb-side" }, reset, named("player", h("div", { class: "cb-side" }, ...walk.elements))),
    h("div", { class: "cb-side" },
      named("numberGrid with edit", numbers.element), named("numberGrid with choose, in a scroller", wide.element)),
    named("spell: words and chips", equation), said.element);

  draw();
  const unwatch = watch(model, TRAITS, draw);
  el.replaceChildren(root);
  return () => {
    unwatch();
    walk.stop();
    said.stop();
    wide.stop();
    root.remove();
  };
}

export default { render };
