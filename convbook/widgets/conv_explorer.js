// The convolution explorer, drawn: controls, three grids, the products of one output cell, the size formula.

import { announcer, button, checkbox, fit, h, player, scroller, select, slider, spell, watch, write } from "./kit.mjs";
import { numberGrid } from "./grid.mjs";
import { change, stateOf } from "./model.mjs";
import { nameOf, shapeOf } from "./arithmetic.mjs";
import { formatNumber, formatWeight, parseNumber } from "./numbers.mjs";
import {
  IMAGES, KERNELS, MODES, RANGES,
  explain, outline, randomImage, relation, resize, sizes, sumOf, summary,
} from "./conv_explorer.math.mjs";

const TRAITS = ["image", "kernel", "stride", "padding", "padding_mode", "dilation", "flip", "selected"];

// Once a model: keeps what follows from the rest (the output's shape, a selection inside it) true for every view and Python.
function initialize({ model }) {
  const settle = () => {
    const { out_shape, selected } = outline(stateOf(model, TRAITS));
    change(model, { out_shape, selected });
  };
  settle();
  return watch(model, TRAITS, settle);
}

const by = (shape) => shape.join(" × ");
const shadeOf = (rows) => {
  const largest = Math.max(1e-12, ...rows.flat().map(Math.abs));
  return (x) => ({ shade: Math.abs(x) / largest, class: x < 0 ? "cb-negative" : "" });
};

// "0·1 + 1·2 + …", one line a kernel row, and the sum.
function equation() {
  const terms = h("div", { class: "cb-terms" });
  const sum = h("span", { class: "cb-sum" });
  const rows = []; // of {element, products}, a product being {element, value}

  const makeRow = () => ({ element: h("div", { class: "cb-row" }), products: [] });
  function makeProduct(row, column) {
    const value = h("span");
    return { element: h("span", { class: "cb-term" }, h("span", {}, row || column ? " + " : ""), value), value };
  }

  function update(products) {
    fit(rows, products.length, makeRow, terms);
    products.forEach((line, u) => {
      fit(rows[u].products, line.length, (v) => makeProduct(u, v), rows[u].element);
      line.forEach(({ value, weight, padding }, v) => spell(rows[u].products[v].value, [
        [padding ? "input cb-pad" : "input", formatNumber(value)], "·",
        ["kernel", weight < 0 ? `(${formatWeight(weight)})` : formatWeight(weight)]]));
    });
    spell(sum, [` ${relation(products)} `, ["output", formatNumber(sumOf(products))]]);
  }
  return { element: h("div", { class: "cb-equation" }, terms, sum), update };
}

// The size formula with numbers in place of its letters: "Output size: ⌊(7 + 2·1 − 2·(3 − 1) − 1) / 2⌋ + 1 = 3".
const sizeLine = ({ name, n, k, s, p, d, size }) =>
  [`${name}: ⌊(`, ["input", n], ` + 2·${p} − ${d}·(`, ["kernel", k], ` − 1) − 1) / ${s}⌋ + 1 = `, ["output", formatNumber(size)]];

function render({ model, el }) {
  const put = (trait) => (value) => change(model, { [trait]: value });
  const names = (presets) => Object.fromEntries(Object.keys(presets).map((name) => [name, name]));

  const image = select("Input", names(IMAGES), (name) => put("image")(IMAGES[name]), "custom");
  const preset = select("Kernel", names(KERNELS), (name) => put("kernel")(KERNELS[name]), "custom");
  const mode = select("Padding mode", MODES, put("padding_mode"));
  const size = slider("Kernel size k", RANGES.size, (k) => put("kernel")(resize(model.get("kernel"), k)));
  const stride = slider("Stride s", RANGES.stride, put("stride"));
  const padding = slider("Padding p", RANGES.padding, put("padding"));
  const dilation = slider("Dilation d", RANGES.dilation, put("dilation"));
  const flip = checkbox("Flip the kernel (true convolution)", put("flip"));

  const grids = {
    input: numberGrid({ kind: "input" }),
    kernel: numberGrid({ kind: "kernel", edit: editKernel }),
    applied: numberGrid({ kind: "kernel" }),
    output: numberGrid({ kind: "output", choose: (row, column) => put("selected")([row, column]) }),
  };
  const captions = Object.fromEntries(Object.keys(grids).map((name) => [name, h("p", { class: "cb-caption" })]));
  const scrollers = [];
  const scrolling = (label, child) => {
    scrollers.push(scroller(label, child));
    return scrollers.at(-1).element;
  };
  const figure = (name, label) =>
    h("div", { class: `cb-figure cb-${name}-figure` }, captions[name], scrolling(label, grids[name].element));
  const applied = figure("applied", "Flipped kernel");
  const problem = h("p", { class: "cb-problem" });
  const output = figure("output", "Output");
  output.append(problem);
  const operator = h("span", { class: "cb-operator", "aria-hidden": "true" });

  const where = h("p", { class: "cb-caption" });
  const products = equation();
  const result = h("div", { class: "cb-result" }, where, scrolling("Products", products.element));
  const formula = h("div");
  const lines = [];
  const said = announcer();

  const slide = player("Next cell", advance, () => said.say(summary(stateOf(model, TRAITS))));

  function advance() {
    const { out_shape: [rows, columns], selected: [row, column] } = outline(stateOf(model, TRAITS));
    if (!rows) return;
    const next = (row * columns + column + 1) % (rows * columns);
    put("selected")([Math.floor(next / columns), next % columns]);
  }

  function editKernel(row, column, text) {
    const value = parseNumber(text);
    if (Number.isNaN(value)) return `“${text}” is not a number, so the kernel keeps its last one. Write 2, −0.5 or 1/9.`;
    put("kernel")(model.get("kernel").map((weights, r) => weights.map((weight, c) => (r === row && c === column ? value : weight))));
    return "";
  }

  function draw() {
    const state = stateOf(model, TRAITS);
    const view = explain(state);
    const [row, column] = view.selected;

    image.update(nameOf(IMAGES, state.image));
    preset.update(nameOf(KERNELS, state.kernel));
    mode.update(state.padding_mode);
    size.update(Math.max(...shapeOf(state.kernel)), by([...new Set(shapeOf(state.kernel))]));
    stride.update(state.stride);
    padding.update(state.padding);
    dilation.update(state.dilation);
    flip.update(state.flip);
    slide.enable(!view.problem);

    drawInput(state, view);

    const depth = shadeOf(state.kernel);
    const weights = (kernel) => kernel.map((line) => line.map((weight) => ({ text: formatWeight(weight), ...depth(weight) })));
    write(captions.kernel, `Kernel ${by(shapeOf(state.kernel))}`);
    grids.kernel.update(captions.kernel.textContent, weights(state.kernel));
    if (state.flip) grids.applied.update(captions.applied.textContent, weights(view.applied));
    applied.hidden = !state.flip;
    write(operator, state.flip ? "∗" : "⋆");

    const shade = shadeOf(view.output);
    write(captions.output, view.problem ? "No output" : `Output ${by(view.out_shape)}`);
    grids.output.update(`${captions.output.textContent}, arrow keys move`,
      view.output.map((line) => line.map((x) => ({ text: formatNumber(x), ...shade(x) }))), view.selected);
    grids.output.element.hidden = Boolean(view.problem);
    write(problem, view.problem);

    result.hidden = Boolean(view.problem);
    write(where, `Output row ${row + 1}, column ${column + 1}`);
    products.update(view.products);
    const found = sizes(state);
    fit(lines, found.length, () => ({ element: h("p", { class: "cb-size" }) }), formula);
    found.forEach((each, i) => spell(lines[i].element, sizeLine(each)));
    // Columns of the three grids at stride 1 and dilation 1, so that cells keep their size while those change.
    figures.style.setProperty("--columns", 2 * view.padded[0].length + 1);
    if (!slide.playing()) said.say(summary(state, view));
  }

  function drawInput(state, view) {
    const field = new Map(view.products.flat().map(({ row, column, weight }) => [`${row},${column}`, weight]));
    const shade = shadeOf(state.image);
    const shape = by(shapeOf(state.image));
    write(captions.input, state.padding ? `Input ${shape}, padded to ${by(shapeOf(view.padded))} (dashed)` : `Input ${shape}`);
    grids.input.update(captions.input.textContent, view.padded.map((line, r) => line.map(({ value, padding }, c) => {
      const cell = { text: formatNumber(value), ...shade(value) };
      if (padding) cell.class += " cb-pad";
      if (!field.has(`${r},${c}`)) return cell;
      return { ...cell, class: `${cell.class} cb-ring`, weight: `×${formatWeight(field.get(`${r},${c}`))}` };
    })));
  }

  captions.applied.append("Flipped kernel, as it slides");
  const pair = (...children) => h("div", { class: "cb-pair" }, ...children); // a sign goes to the next line with what follows it
  const figures = h("div", { class: "cb-figures" },
    figure("input", "Input"),
    pair(operator, h("div", { class: "cb-stack" }, figure("kernel", "Kernel"), applied)),
    pair(h("span", { class: "cb-operator", "aria-hidden": "true" }, "="), output));
  const root = h("div", { class: "cb-widget cb-conv", role: "group", "aria-label": "Convolution explorer" },
    h("div", { class: "cb-bar" },
      h("p", { class: "cb-title" }, "Convolution explorer"),
      button("Random input", () => put("image")(randomImage())), ...slide.elements),
    h("div", { class: "cb-controls" },
      image.element, preset.element, size.element, stride.element,
      padding.element, mode.element, dilation.element, flip.element),
    figures,
    result,
    h("div", { class: "cb-formula" },
      h("p", { class: "cb-letters" }, "Size of the output for n input cells: ⌊(n + 2p − d(k − 1) − 1) / s⌋ + 1"), formula),
    said.element);

  draw();
  const unwatch = watch(model, TRAITS, draw);
  el.replaceChildren(root);
  return () => {
    unwatch();
    slide.stop();
    said.stop();
    scrollers.forEach((each) => each.stop());
    root.remove();
  };
}

export default { initialize, render };
