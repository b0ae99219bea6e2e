// The receptive-field explorer, drawn: the layers with their settings, and rows of cells with the paths between them.

import { announcer, attribute, button, fit, h, number, select, slider, watch, write } from "./kit.mjs";
import { change, stateOf } from "./model.mjs";
import { formatNumber } from "./numbers.mjs";
import {
  KINDS, MOST, RANGES, SIZE, STACKS,
  added, center, changed, chosen, explain, maps, recast, removed, sight, stackOf, summary, taps, work,
} from "./receptive_field.math.mjs";

const TRAITS = ["layers", "size", "unit"];
const LABELS = { kernel: "Kernel", stride: "Stride", padding: "Padding", dilation: "Dilation" };
const ROW = 2.6; // from row to row, in cells
const CELL = 0.86;

// Once a model: keeps the chosen unit inside the last layer, for every view and Python.
function initialize({ model }) {
  const settle = () => {
    const state = stateOf(model, TRAITS);
    const { maps: found, problem } = maps(state);
    if (state.unit !== null && !problem) change(model, { unit: chosen(state, found.at(-1)) });
  };
  settle();
  return watch(model, TRAITS, settle);
}

function shape(tag, attributes, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

function render({ model, el }) {
  const layersOf = () => model.get("layers");
  const put = (trait) => (value) => change(model, { [trait]: value });

  const stack = select("Layers", Object.fromEntries(Object.keys(STACKS).map((name) => [name, name])), (name) => put("layers")(STACKS[name]), "custom");
  const size = slider("Input pixels", SIZE, put("size"));
  const unit = slider("Output cell", [0, 0], put("unit"));
  const cards = h("ol", { class: "cb-cards" });
  const add = button("Add a layer", () => {
    put("layers")(added(layersOf()));
    if (add.disabled) rows.at(-1).remove.focus();
  });
  const [lines, words] = [shape("g", {}), shape("g", {})];
  const figure = shape("svg", { role: "img", class: "cb-rows" }, lines, words);
  figure.addEventListener("click", choose);
  const counts = h("p", { class: "cb-counts" });
  const seen = h("p", { class: "cb-sight" });
  const said = announcer();
  const rows = [];
  const paths = [];
  const texts = [];
  let view = null;

  // A click leads to the unit of the last row that is nearest to it.
  function choose(event) {
    const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(figure.getScreenCTM().inverse());
    const last = view.maps.at(-1);
    const nearest = Math.round((at.x - center(last)) / last.jump);
    put("unit")(Math.max(0, Math.min(last.n - 1, nearest)));
  }

  function makeRow(place) {
    const kind = select(`Layer ${place + 1}`, KINDS, (name) => put("layers")(layersOf().with(place, recast(layersOf()[place], name))));
    const fields = Object.keys(LABELS).map((name) => number(LABELS[name], RANGES.Conv[name], (value) => put("layers")(changed(layersOf(), place, { [name]: value }))));
    const remove = button("Remove", () => {
      put("layers")(removed(layersOf(), place));
      rows[Math.min(place, rows.length - 1)].focus();
    });
    remove.setAttribute("aria-label", `Remove layer ${place + 1}`);
    const done = h("p", { class: "cb-work" });
    const card = h("li", {}, h("div", { class: "cb-settings" }, kind.element, ...fields.map(({ element }) => element), remove), done);
    return {
      element: card, remove,
      focus: () => card.querySelector("select").focus(),
      update(layer, last) {
        kind.update(layer.kind);
        Object.keys(LABELS).forEach((name, i) => {
          fields[i].element.querySelector("input").max = RANGES[layer.kind][name][1];
          fields[i].update(layer[name]);
        });
        remove.disabled = last;
      },
      tell(words, problem) {
        write(done, problem ? problem.text : words.join(" · "));
        done.classList.toggle("cb-problem", Boolean(problem));
      },
    };
  }

  function draw() {
    const state = stateOf(model, TRAITS);
    view = explain(state);
    const last = view.maps.at(-1);
    stack.update(stackOf(state.layers));
    size.update(state.size);
    unit.element.querySelector("input").max = last.n - 1;
    unit.update(view.unit);

    const { length } = state.layers;
    fit(rows, length, makeRow, cards);
    rows.forEach((row, place) => {
      row.update(state.layers[place], length === 1);
      row.tell(work(state, view, place), view.problem?.layer === place ? view.problem : null);
    });
    add.disabled = length === MOST;

    drawRows(state);
    write(seen, sight(state, view));
    attribute(figure, "aria-label", `Rows of cells, the input first. ${seen.textContent}`);
    const [first, end] = view.inside;
    write(counts, view.counts.length ? `Paths from pixel${first === end ? ` ${first}` : `s ${first} to ${end}`}: ${view.counts.join(" ")}` : "");
    said.say(summary(state, view));
  }

  // Every unit stands over the middle of what it sees, so that rows line up with the pixels.
  function drawRows(state) {
    const { maps: found, reach, gaps } = view;
    const left = (map, at) => center(found[map], at) - CELL / 2;
    const places = found.flatMap((map, i) => [0, map.n - 1, ...Object.keys(reach[i].padding).map(Number)].map((at) => center(map, at)));
    const [from, to] = [Math.min(...places) - 0.5, Math.max(...places) + 0.5];
    const wide = to - from;
    const square = (map, at) => `M${left(map, at)} ${map * ROW}h${CELL}v${CELL}h${-CELL}z`;
    const parts = [];
    const path = (name, pieces) => pieces.length && parts.push([name, pieces.join("")]);
    const counted = [];

    for (let map = 1; map < found.length; map++) {
      path("cb-path", reach[map].real.flatMap((count, i) => (count ? taps(state.layers[map - 1], i).map((at) =>
        `M${center(found[map], i)} ${map * ROW}L${center(found[map - 1], at)} ${(map - 1) * ROW + CELL}`) : [])));
    }
    found.forEach((map, i) => {
      const kind = i === 0 ? "cb-in" : i === found.length - 1 ? "cb-out" : "cb-between";
      const units = [...reach[i].real.keys()];
      const gap = (at) => i === 0 && gaps.includes(at);
      path(`cb-unit ${kind}`, units.filter((at) => !reach[i].real[at] && !gap(at)).map((at) => square(i, at)));
      path("cb-unit", units.filter(gap).map((at) => `${square(i, at)}m0 0l${CELL} ${CELL}m0 ${-CELL}l${-CELL} ${CELL}`));
      path(`cb-unit cb-seen ${kind}`, units.filter((at) => reach[i].real[at]).map((at) => square(i, at)));
      path("cb-unit cb-padding", Object.keys(reach[i].padding).map((at) => square(i, Number(at))));
      if (wide > 32) return; // too small to be read
      counted.push(...units.filter((at) => reach[i].real[at]).map((at) =>
        [center(map, at), i * ROW + CELL / 2, formatNumber(reach[i].real[at])]));
    });
    fit(paths, parts.length, () => ({ element: shape("path", {}) }), lines);
    parts.forEach(([name, d], i) => {
      attribute(paths[i].element, "class", name);
      attribute(paths[i].element, "d", d);
    });
    fit(texts, counted.length, () => ({ element: shape("text", { class: "cb-count" }) }), words);
    counted.forEach(([x, y, count], i) => {
      attribute(texts[i].element, "x", x);
      attribute(texts[i].element, "y", y);
      write(texts[i].element, count);
    });
    attribute(figure, "viewBox", `${from} -0.2 ${wide} ${(found.length - 1) * ROW + CELL + 0.4}`);
    figure.style.setProperty("--cells", wide);
  }

  const root = h("div", { class: "cb-widget cb-field-of", role: "group", "aria-label": "Receptive-field explorer" },
    h("div", { class: "cb-bar" }, h("p", { class: "cb-title" }, "Receptive-field explorer"), add),
    h("div", { class: "cb-controls" }, stack.element, size.element, unit.element),
    cards,
    h("p", { class: "cb-caption" }, "Input on top, a row a layer. A number counts the paths to the chosen cell; dashed is padding, crossed out a gap."),
    figure, counts, seen, said.element);

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
