// The activation explorer, drawn: value and slope as numbers and curves, and a table and a plot of ten layers.

import { announcer, attribute, fit, h, scroller, select, slider, spell, watch, write } from "./kit.mjs";
import { plot } from "./plot.mjs";
import { change, stateOf } from "./model.mjs";
import {
  ACTIVATIONS, HERE, HUNDREDTHS, LAYERS, MARKED, STEPS, TENTHS,
  explain, fatesInWords, short, stepOf, summary, xAt, zonesInWords,
} from "./activation_explorer.math.mjs";

const TRAITS = ["activation", "x", "weight", "negative_slope", "alpha"];

function render({ model, el }) {
  const put = (trait) => (value) => change(model, { [trait]: value });

  const names = Object.fromEntries(Object.entries(ACTIVATIONS).map(([key, { name }]) => [key, name]));
  const activation = select("Activation", names, put("activation"));
  const x = slider("Input x", STEPS, (step) => put("x")(xAt(step)));
  const leak = slider("Slope, x < 0", HUNDREDTHS.negative_slope, (hundredths) => put("negative_slope")(hundredths / 100));
  const alpha = slider("Alpha", TENTHS.alpha, (tenths) => put("alpha")(tenths / 10));
  const weight = slider("Weight w", TENTHS.weight, (tenths) => put("weight")(tenths / 10));

  const values = plot({ x: "x", y: "Value f(x)" });
  const slopes = plot({ x: "x", y: "Slope f′(x)" });
  const sizes = plot({ x: "layer", y: "Size, as a power of ten: 0 is 1, −2 is 0.01" });
  slopes.element.classList.add("cb-slopes");

  const found = h("p", { class: "cb-equation" });
  const here = h("p");
  const regions = h("p", { class: "cb-quiet" });
  const body = h("tbody");
  const rows = [];
  const table = h("table", {},
    h("caption", { class: "cb-hidden" }, "What each layer does"),
    h("thead", {}, h("tr", {}, ...["Layer", "Value", "Slope w·f′", "Product", "Unit"].map((text) => h("th", { scope: "col" }, text)))),
    body);
  const wide = scroller("Ten layers", table);
  const outcome = h("p", { class: "cb-outcome" });
  const said = announcer();

  function draw() {
    const now = stateOf(model, TRAITS);
    const view = explain(now);
    activation.update(now.activation);
    x.update(stepOf(now.x), short(now.x));
    leak.update(Math.round(100 * now.negative_slope), short(now.negative_slope));
    leak.element.hidden = now.activation !== "leaky_relu";
    alpha.update(Math.round(10 * now.alpha), short(now.alpha));
    alpha.element.hidden = now.activation !== "elu";
    weight.update(Math.round(10 * now.weight), short(now.weight));

    const argument = ["input", short(now.x)];
    spell(found, ["f(", argument, ") = ", ["output", short(view.value)], " and f′(", argument, ") = ", ["kernel", short(view.slope)]]);
    write(here, HERE[view.kind]);
    write(regions, zonesInWords(now, view.zones));
    drawCurves(now, view);
    drawRows([{ value: now.x, slope: null, product: 1, kind: "" }, ...view.layers]);
    drawSizes(view);
    write(outcome, fatesInWords(now, view));
    said.say(summary(now, view));
  }

  function drawCurves(now, view) {
    const bands = MARKED.map(({ kind, name }) =>
      ({ name, ranges: view.zones.filter((zone) => zone.kind === kind).map(({ from, to }) => [from, to]) }));
    const [span, marked] = [[-view.span, view.span], `Marked: x = ${short(now.x)}`];
    const [value, slope] = view.formulas;
    values.update({
      label: `Value of ${names[now.activation]} for x from ${short(span[0])} to ${short(span[1])}. ${marked}, value ${short(view.value)}.`,
      x: span, y: view.valueRange, at: now.x, bands, lines: [{ name: `f(x) = ${value}`, points: view.values }],
    });
    slopes.update({
      label: `Slope of ${names[now.activation]}. ${marked}, slope ${short(view.slope)}. ${zonesInWords(now, view.zones)}`,
      x: span, y: view.slopeRange, at: now.x, bands, lines: [{ name: `f′(x) = ${slope}`, points: view.slopes }],
    });
  }

  function makeRow(layer) {
    const cells = Array.from({ length: 4 }, () => h("td"));
    return { element: h("tr", {}, h("th", { scope: "row" }, String(layer || "Start")), ...cells), cells };
  }

  function drawRows(layers) {
    fit(rows, layers.length, makeRow, body);
    layers.forEach(({ value, slope, product, kind }, i) => {
      attribute(rows[i].element, "class", kind && `cb-${kind}`);
      const texts = [...[value, slope, product].map((number) => (number === null ? "" : short(number))), kind];
      texts.forEach((text, place) => write(rows[i].cells[place], text));
    });
  }

  function drawSizes({ layers, sizes: { values: sizeOfValues, products }, sizeRange }) {
    const lost = products.findIndex(([, y]) => y === null);
    const [last] = layers.slice(-1);
    sizes.update({
      label: `Sizes of value and product after each of ${LAYERS} layers, as powers of ten. At the last: value ${short(last.value)}, product ${short(last.product)}.`,
      x: [0, LAYERS], y: sizeRange, at: lost < 0 ? LAYERS : lost - 1,
      lines: [{ name: "value", points: sizeOfValues }, { name: "product of slopes: the gradient", points: products }],
    });
  }

  const root = h("div", { class: "cb-widget cb-activation", role: "group", "aria-label": "Activation explorer" },
    h("p", { class: "cb-title" }, "Activation explorer"),
    h("div", { class: "cb-controls" }, activation.element, x.element, leak.element, alpha.element),
    h("div", { class: "cb-result" }, found, here, regions),
    h("div", { class: "cb-pair" }, values.element, slopes.element),
    h("div", { class: "cb-chain" },
      h("p", { class: "cb-caption" }, `${LAYERS} layers, each f(w · x), the first from the input above. The product of slopes is the gradient of a layer’s value with respect to that input. A unit is named by its own slope f′, without w.`),
      h("div", { class: "cb-controls" }, weight.element)),
    h("div", { class: "cb-pair" }, wide.element, sizes.element),
    outcome, said.element);

  draw();
  const unwatch = watch(model, TRAITS, draw);
  el.replaceChildren(root);
  return () => {
    unwatch();
    said.stop();
    wide.stop();
    root.remove();
  };
}

export default { render };
