// The kernel painter, drawn: controls, the kernel, the photograph beside its map, the patch behind one pixel.

import { announcer, button, h, select, slider, spell, watch, write } from "./kit.mjs";
import { numberGrid } from "./grid.mjs";
import { picture } from "./picture.mjs";
import { change, stateOf } from "./model.mjs";
import { formatNumber, formatWeight, parseNumber } from "./numbers.mjs";
import {
  BRUSH, PRESETS, SIZES, TONES,
  explain, grayOf, inside, meaning, normalized, painted, patch, presetOf, resize, summary, under,
} from "./kernel_painter.math.mjs";

const TRAITS = ["picture", "description", "kernel", "brush", "tones", "selected"];

// Once a model: keeps the chosen pixel inside the map, for every view and Python.
function initialize({ model }) {
  const settle = () => change(model, { selected: inside(stateOf(model, TRAITS)) });
  settle();
  return watch(model, ["picture", "kernel", "selected"], settle);
}

function render({ model, el }) {
  const put = (trait) => (value) => change(model, { [trait]: value });

  const preset = select("Kernel", Object.fromEntries(Object.keys(PRESETS).map((name) => [name, name])), (name) => put("kernel")(PRESETS[name]), "custom");
  const size = select("Size", SIZES, (side) => put("kernel")(resize(model.get("kernel"), Number(side))));
  const brush = slider("Brush", BRUSH, put("brush"));
  const tones = select("Gray scale", TONES, put("tones"));
  const normalize = button("Normalize to sum 1", () => put("kernel")(normalized(model.get("kernel"))));

  const kernel = numberGrid({ kind: "kernel", edit });
  const products = numberGrid({ kind: "input" });
  const before = picture({ choose: (row, column) => put("selected")(under(row, column, stateOf(model, TRAITS))) });
  const after = picture({ choose: (row, column) => put("selected")([row, column]), keys: true });
  const caption = () => h("p", { class: "cb-caption" });
  const captions = { kernel: caption(), before: caption(), after: caption(), patch: caption() };
  const sum = h("p", { class: "cb-sum" });
  const ends = [h("span"), h("span"), h("span")];
  const cut = h("p", { class: "cb-cut" });
  const said = announcer();
  const means = h("p", { class: "cb-meaning" });

  function edit(row, column, text) {
    const value = parseNumber(text);
    if (Number.isNaN(value)) return `“${text}” is not a number, so the kernel keeps its last one. Write 2, −0.5 or 1/9.`;
    put("kernel")(painted(model.get("kernel"), row, column, value));
    return "";
  }

  // Painting. A mouse leaves the focus in the cell, ready to type; a finger does not, since a keyboard would then pop up.
  const canvas = h("div", { class: "cb-paint", onpointerdown, onpointermove, onlostpointercapture, onkeydown, onmousedown: (event) => event.preventDefault() }, kernel.element);
  let last = null;

  function paintAt(cell) {
    const row = [...cell.parentElement.parentElement.children].indexOf(cell.parentElement);
    const column = [...cell.parentElement.children].indexOf(cell);
    last = cell.querySelector("input");
    put("kernel")(painted(model.get("kernel"), row, column, model.get("brush")));
    last.value = formatWeight(model.get("brush")); // also while it has the focus
  }

  function onpointerdown(event) {
    const cell = event.target.closest("[role=gridcell]");
    if (!cell || event.button) return;
    event.preventDefault();
    canvas.setPointerCapture(event.pointerId); // so that the stroke ends here, wherever the pointer is let go
    paintAt(cell);
  }

  function onpointermove(event) {
    if (!last) return;
    const cell = canvas.getRootNode().elementFromPoint(event.clientX, event.clientY)?.closest("[role=gridcell]");
    if (cell && canvas.contains(cell) && !cell.contains(last)) paintAt(cell);
  }

  function onlostpointercapture({ pointerType }) {
    if (last && pointerType === "mouse") {
      last.focus();
      last.select();
    }
    last = null;
  }

  function onkeydown(event) {
    if (event.key !== " ") return;
    event.preventDefault();
    paintAt(event.target.closest("[role=gridcell]"));
    last.select();
    last = null;
  }

  let view = null;
  let drawn = []; // what `view` follows from

  function draw() {
    const state = stateOf(model, TRAITS);
    const source = [state.picture, state.kernel, state.tones];
    if (source.some((each, i) => each !== drawn[i])) {
      const gray = state.picture === drawn[0] ? view.gray : grayOf(state.picture);
      view = { gray, ...explain(state) };
      drawn = source;
      drawKernel(state);
    }
    brush.update(state.brush, formatWeight(state.brush));
    drawPixel(state);
    said.say(summary(state, view));
  }

  function drawKernel({ kernel: weights, tones: wanted }) {
    const { map, tones: used, range, shown } = view;
    const side = weights.length;
    const largest = Math.max(...weights.flat().map(Math.abs)) || 1;
    preset.update(presetOf(weights));
    size.update(String(side));
    tones.update(wanted);
    normalize.disabled = !normalized(weights);
    write(captions.kernel, `Kernel ${side} × ${side}`);
    kernel.update(`${captions.kernel.textContent}, space paints`, weights.map((line) => line.map((weight) =>
      ({ text: formatWeight(weight), shade: Math.abs(weight) / largest, class: weight < 0 ? "cb-negative" : "" }))));
    write(means, meaning(weights));
    write(captions.before, `Photograph ${view.gray.shape.join(" × ")}`);
    write(captions.after, `Map ${map.shape.join(" × ")}`);
    const [black, white] = range.map(formatNumber);
    ends.forEach((end, i) => write(end, [black, used === "signed" ? "0" : "", white][i]));
    write(cut, shown.clipped ? `${formatNumber((100 * shown.clipped) / map.values.length)} % of the pixels lie outside and are cut.` : "");
  }

  function drawPixel(state) {
    const { map, gray, shown } = view;
    const [row, column] = inside(state);
    const side = state.kernel.length;
    before.update(`${state.description}, the patch of ${side} by ${side} pixels framed`, gray, { row, column, rows: side, columns: side });
    after.update(`Map of ${state.description}, arrow keys move the chosen pixel`, shown, { row, column, rows: 1, columns: 1 });
    write(captions.patch, `Patch of row ${row + 1}, column ${column + 1}`);
    products.update(captions.patch.textContent, patch(state, [row, column]).map((line) => line.map(({ value, weight }) =>
      ({ text: formatNumber(value), shade: value, weight: `×${formatWeight(weight)}` }))));
    spell(sum, [`Sum of ${side * side} products: `, ["output", formatNumber(map.values[row * map.shape[1] + column])]]);
  }

  const root = h("div", { class: "cb-widget cb-painter", role: "group", "aria-label": "Kernel painter" },
    h("div", { class: "cb-bar" }, h("p", { class: "cb-title" }, "Kernel painter"), normalize),
    h("div", { class: "cb-controls" }, preset.element, size.element, brush.element, tones.element),
    h("div", { class: "cb-figures" },
      h("div", { class: "cb-kernels" }, captions.kernel, canvas, h("p", { class: "cb-hint" }, "Press and drag to paint; space paints too. Or type a number.")),
      h("div", { class: "cb-pictures" },
        h("div", {}, captions.before, before.element),
        h("div", { class: "cb-output" }, captions.after, after.element, h("div", { class: "cb-scale" }, ...ends), cut))),
    means,
    h("div", { class: "cb-result" }, h("div", {}, captions.patch, products.element), sum),
    said.element);

  draw();
  const unwatch = watch(model, TRAITS, draw);
  el.replaceChildren(root);
  return () => {
    unwatch();
    said.stop();
    root.remove();
  };
}

export default { initialize, render };
