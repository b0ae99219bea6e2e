// The pooling explorer, drawn: controls, input and output, the window's numbers, and on request the gradient's way back.

import { announcer, button, checkbox, h, player, scroller, select, slider, spell, watch, write } from "./kit.mjs";
import { numberGrid } from "./grid.mjs";
import { change, stateOf } from "./model.mjs";
import { nameOf, shapeOf } from "./arithmetic.mjs";
import { formatNumber, formatWeight, parseNumber } from "./numbers.mjs";
import {
  IMAGES, MODES, RANGES, TIES,
  explain, formatValue, outline, randomImage, relation, replaced, routing, sum, summary, upstreamOf,
} from "./pool_explorer.math.mjs";

const TRAITS = [
  "image", "mode", "kernel", "stride", "padding", "count_include_pad", "gradient", "upstream", "ties", "selected",
];

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
const joined = (parts, between) => parts.flatMap((part, index) => (index ? [between, part] : [part]));

// "max(1, 3, 2, 9) = 9" or "(1 + 3 + 2 + 9) / 4 = 3.75".
function equation({ mode }, { window, output, selected: [i, j] }) {
  const counted = mode === "max" ? window : window.filter(({ weight }) => weight);
  const terms = counted.map(({ value, padding, wins }) =>
    [`input${padding ? " cb-pad" : ""}${wins ? " cb-winner" : ""}`, formatValue(value)]);
  const total = output[i][j];
  const inside = joined(terms, mode === "max" ? ", " : " + ");
  const sign = relation(counted.map(({ value }) => value), total);
  return mode === "max"
    ? ["max(", ...inside, `) ${sign} `, ["output", formatNumber(total)]]
    : ["(", ...inside, `) / ${counted.length} ${sign} `, ["output", formatNumber(total)]];
}

// "Row 2, column 3 lies in 4 windows that feed it: 1 + 0.5 = 1.5", the sum that overlapping windows make.
function meetingLine({ meeting: { row, column, parts } }) {
  const total = sum(parts);
  const count = parts.length === 1 ? "one window" : `${parts.length} windows`;
  return [
    `Input row ${row + 1}, column ${column + 1} gets gradient from ${count}: `,
    ...joined(parts.map((part) => ["output", formatWeight(part)]), " + "),
    ` ${relation(parts, total)} `, ["input", formatNumber(total)],
  ];
}

function render({ model, el }) {
  const state = () => stateOf(model, TRAITS);
  const put = (trait) => (value) => change(model, { [trait]: value });
  const names = Object.fromEntries(Object.keys(IMAGES).map((name) => [name, name]));

  const image = select("Input", names, (name) => put("image")(IMAGES[name]), "custom");
  const mode = select("Pooling", MODES, put("mode"));
  const kernel = slider("Window k", RANGES.kernel, put("kernel"));
  const stride = slider("Stride s", RANGES.stride, put("stride"));
  const padding = slider("Padding p", RANGES.padding, put("padding"));
  const counting = checkbox("Count padding as zeros", put("count_include_pad"));
  const ties = select("At a tie", TIES, put("ties"));
  const gradient = checkbox("Show the gradient", put("gradient"));

  const grids = {
    input: numberGrid({ kind: "input", edit: editInput }),
    output: numberGrid({ kind: "output", choose: (row, column) => put("selected")([row, column]) }),
    received: numberGrid({ kind: "input" }),
    upstream: numberGrid({ kind: "output", edit: editUpstream }),
  };
  const captions = Object.fromEntries(Object.keys(grids).map((name) => [name, h("p", { class: "cb-caption" })]));
  const scrollers = [];
  const scrolling = (label, child) => {
    scrollers.push(scroller(label, child));
    return scrollers.at(-1).element;
  };
  const figure = (name, label) =>
    h("div", { class: `cb-figure cb-${name}-figure` }, captions[name], scrolling(label, grids[name].element));
  const arrow = (text) => h("span", { class: "cb-operator", "aria-hidden": "true" }, text);
  const problem = h("p", { class: "cb-problem" });
  const output = figure("output", "Output");
  output.append(problem);
  const back = [figure("received", "Gradient of the input"), arrow("←"), figure("upstream", "Gradient of the output")];

  const where = h("p", { class: "cb-caption" });
  const line = h("p", { class: "cb-equation" });
  const routed = h("p");
  const met = h("p", { class: "cb-equation" });
  const size = h("p", { class: "cb-size" });
  const result = h("div", { class: "cb-result" }, where, line, h("div", { class: "cb-route" }, routed, met));
  const said = announcer();
  const walk = player("Next cell", advance, () => said.say(summary(state())));

  function advance() {
    const { out_shape: [rows, columns], selected: [row, column] } = outline(state());
    if (!rows) return;
    const next = (row * columns + column + 1) % (rows * columns);
    put("selected")([Math.floor(next / columns), next % columns]);
  }

  const number = (text, keep) => {
    const value = parseNumber(text);
    if (Number.isNaN(value)) return `“${text}” is not a number, so the cell keeps its last one. Write 2, −0.5 or 1/9.`;
    keep(value);
    return "";
  };

  function editInput(row, column, text) {
    const p = paddingShown();
    return number(text, (value) => put("image")(replaced(model.get("image"), row - p, column - p, value)));
  }

  function editUpstream(row, column, text) {
    const full = upstreamOf(state(), model.get("out_shape"));
    return number(text, (value) => put("upstream")(replaced(full, row, column, value)));
  }

  // Padding that is refused is not drawn.
  const paddingShown = () => (outline(state()).problem ? 0 : model.get("padding"));

  function draw() {
    const now = state();
    const view = explain(now);
    const [row, column] = view.selected;
    const average = now.mode === "average";

    image.update(nameOf(IMAGES, now.image));
    mode.update(now.mode);
    kernel.update(now.kernel, by([now.kernel, now.kernel]));
    stride.update(now.stride);
    padding.update(now.padding);
    counting.update(now.count_include_pad);
    counting.element.hidden = !average;
    ties.update(now.ties);
    ties.element.hidden = average || !now.gradient;
    gradient.update(now.gradient);
    walk.enable(!view.problem);

    const field = new Map(view.window.map((cell) => [`${cell.row},${cell.column}`, cell]));
    drawInput(now, view, field);
    const shade = shadeOf(view.output);
    write(captions.output, view.problem ? "No output" : `Output ${by(view.out_shape)}`);
    grids.output.update(`${captions.output.textContent}, arrow keys move`,
      view.output.map((cells) => cells.map((x) => ({ text: formatNumber(x), ...shade(x) }))), view.selected);
    grids.output.element.hidden = Boolean(view.problem);
    write(problem, view.problem);

    back.forEach((each) => (each.hidden = Boolean(view.problem) || !now.gradient));
    if (now.gradient) drawGradient(view, field);

    result.hidden = Boolean(view.problem);
    result.lastChild.hidden = !now.gradient;
    if (!view.problem) {
      write(where, `Output row ${row + 1}, column ${column + 1}`);
      spell(line, equation(now, view));
      if (now.gradient) {
        write(routed, routing(now, view));
        spell(met, meetingLine(view));
      }
    }
    spell(size, sizeLine(now, view));
    // Columns of two grids side by side at stride 1, so that cells keep their size while the stride changes.
    figures.style.setProperty("--columns", 2 * (shapeOf(now.image)[1] + 2 * now.padding));
    if (!walk.playing()) said.say(summary(now, view));
  }

  function drawInput({ image: pixels, mode: pooling, padding: pad }, view, field) {
    const p = view.problem ? 0 : pad;
    const [rows, columns] = shapeOf(pixels);
    const shade = shadeOf(pixels);
    const filling = pooling === "max" ? "−∞" : "0";
    write(captions.input, p ? `Input ${by([rows, columns])}, padded with ${filling} (dashed)` : `Input ${by([rows, columns])}`);
    grids.input.update(captions.input.textContent, Array.from({ length: rows + 2 * p }, (_, r) =>
      Array.from({ length: columns + 2 * p }, (_, c) => {
        const [row, column] = [r - p, c - p];
        const value = pixels[row]?.[column];
        const cell = value === undefined
          ? { text: filling, class: "cb-pad", fixed: true, name: "padding" }
          : { text: formatNumber(value), name: `input row ${row + 1}, column ${column + 1}`, ...shade(value) };
        const under = field.get(`${row},${column}`);
        if (!under) return cell;
        return { ...cell, class: `${cell.class} cb-ring${under.wins ? " cb-winner" : ""}`, weight: under.wins ? "max" : null };
      })));
  }

  function drawGradient(view, field) {
    const [depth, shade] = [shadeOf(view.gradient), shadeOf(view.upstream)];
    const [i, j] = view.selected;
    grids.received.update(captions.received.textContent, view.gradient.map((cells, row) => cells.map((x, column) => {
      const cell = { text: formatNumber(x), ...depth(x) };
      const under = field.get(`${row},${column}`);
      if (!under) return cell;
      const share = under.weight ? `×${formatWeight(under.weight)}` : null;
      return { ...cell, class: `${cell.class} cb-ring${share && under.wins ? " cb-winner" : ""}`, weight: share };
    })));
    grids.upstream.update(captions.upstream.textContent, view.upstream.map((cells, row) => cells.map((x, column) => {
      const cell = { text: formatWeight(x), name: `gradient of output row ${row + 1}, column ${column + 1}`, ...shade(x) };
      return row === i && column === j ? { ...cell, class: `${cell.class} cb-ring` } : cell;
    })));
  }

  function sizeLine({ image: picture, kernel: k, stride: s, padding: p }, { problem: none, out_shape }) {
    if (none) return [];
    const [rows, columns] = shapeOf(picture);
    const text = (n, out) => [`⌊(`, ["input", n], ` + 2·${p} − `, ["kernel", k], `) / ${s}⌋ + 1 = `, ["output", out]];
    if (rows === columns) return ["Output size ⌊(n + 2p − k) / s⌋ + 1: ", ...text(rows, out_shape[0])];
    return ["Output rows ⌊(n + 2p − k) / s⌋ + 1: ", ...text(rows, out_shape[0]), "; columns: ", ...text(columns, out_shape[1])];
  }

  captions.received.append("Gradient of the input");
  captions.upstream.append("Gradient of the output");
  const figures = h("div", { class: "cb-figures" }, figure("input", "Input"), arrow("→"), output, ...back);
  const root = h("div", { class: "cb-widget cb-pool", role: "group", "aria-label": "Pooling explorer" },
    h("div", { class: "cb-bar" },
      h("p", { class: "cb-title" }, "Pooling explorer"),
      button("Random input", () => put("image")(randomImage())), ...walk.elements),
    h("div", { class: "cb-controls" },
      image.element, mode.element, kernel.element, stride.element, padding.element, counting.element, gradient.element,
      ties.element),
    figures, result, size, said.element);

  draw();
  const unwatch = watch(model, TRAITS, draw);
  el.replaceChildren(root);
  return () => {
    unwatch();
    walk.stop();
    said.stop();
    scrollers.forEach((each) => each.stop());
    root.remove();
  };
}

export default { initialize, render };
