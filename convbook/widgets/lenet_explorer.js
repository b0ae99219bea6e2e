// The LeNet explorer, drawn: a picture to choose or to paint, the answer beside it, then every layer of the network.

import { announcer, button, h, select, slider, watch, write } from "./kit.mjs";
import { moved } from "./grid.mjs";
import { picture } from "./picture.mjs";
import { change, stateOf } from "./model.mjs";
import { same } from "./arithmetic.mjs";
import { formatNumber } from "./numbers.mjs";
import {
  BLACK, BRUSH, INKS, LAYERS, SIDE, WAITING,
  bytesOf, explain, framed, inPercent, ranking, runOf, sampleOf, shown, stroke, summary, tensorsOf, verdict, windows,
} from "./lenet_explorer.math.mjs";

const TRAITS = ["weights", "samples", "picture", "ink", "brush", "selected"];
const MAP_LAYERS = LAYERS.slice(1);
// What follows on the maps: its name, what it shows, and rows and columns to lay its numbers out in.
const DENSE = [
  { name: "fc1", after: "activation3", shape: [4, 30] },
  { name: "fc2", after: "activation4", shape: [4, 21] },
];
const caption = () => h("p", { class: "cb-caption" });

// The maps of a layer side by side, one stop for Tab: a press chooses a cell, arrow keys move it, Page Up and Down
// change the map. `choose` gets layer, map, row and column.
function layerView({ name, maps, side }, choose) {
  const pictures = Array.from({ length: maps }, () => picture());
  const tiles = h("div", { class: "cb-tiles", "aria-hidden": "true", onpointerdown: point, onpointermove: drag }, ...pictures.map((each) => each.element));
  const stop = h("div", { class: "cb-maps", role: "application", tabindex: "0", onkeydown }, tiles);
  const text = caption();
  let chosen = null;
  let told = "";
  const drawn = []; // of each map, the gray and the frame that it shows

  function point(event) {
    const map = pictures.findIndex((each) => each.element.contains(event.target));
    if (map < 0 || event.button > 0) return;
    const box = pictures[map].element.getBoundingClientRect();
    const at = (offset, size) => Math.max(0, Math.min(side - 1, Math.floor((offset / size) * side)));
    choose(name, map, at(event.clientY - box.top, box.height), at(event.clientX - box.left, box.width));
  }

  function drag(event) {
    if (event.buttons === 1) point(event);
  }

  function onkeydown(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    const middle = Math.floor(side / 2);
    const [map, ...cell] = chosen ?? [0, middle, middle];
    const turn = { PageUp: -1, PageDown: 1 }[event.key];
    const to = moved(event.key, cell, [side, side]);
    if (!turn && !to) return;
    event.preventDefault();
    event.stopPropagation();
    if (!chosen) choose(name, map, ...cell);
    else choose(name, turn ? Math.max(0, Math.min(maps - 1, map + turn)) : map, ...(to ?? cell));
  }

  // frames(map) is the part of that map to frame, or null; `cell` is the chosen [map, row, column], if it is here.
  function update({ gray, words }, frames, cell) {
    chosen = cell;
    stop.classList.toggle("cb-chosen", Boolean(cell));
    if (words !== told) {
      told = words;
      write(text, words);
      stop.setAttribute("aria-label", `${words}. Arrow keys move the chosen cell, Page Up and Page Down change the map.`);
    }
    pictures.forEach((each, map) => {
      const wanted = { gray: gray[map], frame: frames(map) };
      if (drawn[map]?.gray === wanted.gray && same(drawn[map].frame, wanted.frame)) return;
      drawn[map] = wanted;
      each.update(`map ${map + 1}`, { shape: [side, side], gray: wanted.gray }, wanted.frame);
    });
  }

  return { element: h("div", { class: `cb-layer cb-of-${maps}`, "data-layer": name }, text, stop), update };
}

// The picture to paint on: a press or a drag paints, and so does the space bar at the chosen pixel; Shift with an arrow
// key paints on. `paint` gets two pixels and paints from one to the other; `choose` moves without painting.
function canvasView(paint, choose) {
  const { element, update: show } = picture();
  const stop = h("div", { class: "cb-canvas", role: "application", tabindex: "0", onkeydown, onpointerdown, onpointermove, onlostpointercapture }, h("div", { "aria-hidden": "true" }, element));
  let at = [0, 0];
  let last = null; // where the present stroke is

  function pixel(event) {
    const box = element.getBoundingClientRect();
    const along = (offset, size) => Math.max(0, Math.min(SIDE - 1, Math.floor((offset / size) * SIDE)));
    return [along(event.clientY - box.top, box.height), along(event.clientX - box.left, box.width)];
  }

  function onpointerdown(event) {
    if (event.button) return;
    stop.setPointerCapture(event.pointerId); // so that the stroke ends here, wherever the pointer is let go
    last = pixel(event);
    paint(last, last);
  }

  function onpointermove(event) {
    if (!last) return;
    const to = pixel(event);
    if (to[0] === last[0] && to[1] === last[1]) return;
    paint(last, to);
    last = to;
  }

  function onlostpointercapture() {
    last = null;
  }

  function onkeydown(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const to = event.key === " " ? at : moved(event.key, at, [SIDE, SIDE]);
    if (!to) return;
    event.preventDefault();
    event.stopPropagation();
    if (event.key === " " || event.shiftKey) paint(event.shiftKey ? at : to, to);
    else choose(...to);
  }

  function update(label, gray, frame, chosen) {
    if (chosen) at = chosen;
    stop.setAttribute("aria-label", label);
    stop.classList.toggle("cb-chosen", Boolean(chosen));
    show("", { shape: [SIDE, SIDE], gray }, frame);
  }

  return { element: stop, update };
}

// The samples: a list for the keyboard, and the pictures themselves for the pointer.
function picker(samples, choose) {
  const name = (index) => `${index + 1}: ${samples.classes[samples.labels[index]]}`;
  const list = select("Picture", Object.fromEntries(samples.images.map((_, index) => [index, name(index)])), (index) => choose(Number(index)), "your own");
  const small = samples.images.map((image) => {
    const { element, update } = picture();
    update("", { shape: [SIDE, SIDE], gray: new Uint8ClampedArray(bytesOf(image)) });
    return element;
  });
  small.forEach((element, index) => element.addEventListener("click", () => choose(index)));
  const strip = h("div", { class: "cb-samples", "aria-hidden": "true" }, ...small);
  return {
    element: h("div", {}, list.element, strip),
    update(index) {
      list.update(index < 0 ? "your own" : index);
      small.forEach((element, place) => element.classList.toggle("cb-shown", place === index));
    },
  };
}

// The ten classes with score and probability, and which of them is the answer and which the label.
function answerView() {
  const rows = Array.from({ length: 10 }, () => [h("th", { scope: "row" }), h("td"), h("td")]);
  const lines = rows.map((cells) => h("tr", {}, ...cells));
  const head = h("tr", {}, ...["Class", "fc3", "Softmax"].map((name) => h("th", { scope: "col" }, name)));
  const element = h("table", { "aria-label": "Scores and probabilities of the classes" }, h("thead", {}, head), h("tbody", {}, ...lines));

  function update(state, run) {
    const { classes, labels } = state.samples;
    const best = run ? ranking(state, run)[0].place : -1;
    const label = labels[sampleOf(state)] ?? -1;
    rows.forEach(([name, score, probability], place) => {
      write(name, `${classes[place]}${place === label ? " (label)" : ""}`);
      write(score, run ? formatNumber(run.fc3[place]) : "");
      write(probability, run ? inPercent(run.probabilities[place]) : "");
      probability.style.setProperty("--share", (run?.probabilities[place] ?? 0).toFixed(4));
      lines[place].classList.toggle("cb-best", place === best);
    });
  }

  return { element, update };
}

// Values as grays, with what black and white mean in words; all zero while there is no run.
function scaled(values, count, signed) {
  const { gray, largest } = shown(values ?? new Float64Array(count), signed);
  const most = formatNumber(largest);
  const scale = signed ? `: black −${most}, gray 0, white ${most}` : `: black 0, white ${most}`;
  return { gray, scale: values ? scale : "" };
}

function render({ model, el }) {
  const now = () => stateOf(model, TRAITS);
  const choose = (...selected) => change(model, { selected });
  const put = (trait) => (value) => change(model, { [trait]: value });
  const paint = (from, to) => change(model, { picture: stroke(now(), from, to), selected: ["input", 0, ...to] });

  const canvas = canvasView(paint, (row, column) => choose("input", 0, row, column));
  const ink = select("Paint", INKS, (value) => put("ink")(Number(value)));
  const brush = slider("Brush", BRUSH, put("brush"));
  const clear = button("Clear", () => put("picture")(BLACK));
  const pictures = h("div", {});
  const answer = answerView();
  const layers = MAP_LAYERS.map((layer) => layerView(layer, choose));
  const dense = DENSE.map((layer) => ({ ...layer, text: caption(), ...picture() }));
  const label = caption();
  const says = h("p", { class: "cb-verdict" });
  const cell = h("p", { class: "cb-cell-text" });
  const said = announcer();
  let choices = null;

  let drawn = {}; // the state that is shown
  let tensors = null;
  let run = null;
  let grays = []; // of each layer of maps, {gray: one array a map, words}
  let gray = null; // of the picture

  function draw() {
    const state = now();
    const { weights, samples, picture: text, selected } = state;
    if (samples !== drawn.samples) {
      choices = picker(samples, (index) => put("picture")(samples.images[index]));
      pictures.replaceChildren(choices.element);
    }
    if (weights !== drawn.weights) tensors = weights && tensorsOf(weights);
    if (text !== drawn.picture) gray = new Uint8ClampedArray(bytesOf(text));
    if (weights !== drawn.weights || samples !== drawn.samples || text !== drawn.picture) {
      run = tensors && runOf(tensors, state);
      choices.update(sampleOf(state));
      drawRun(state);
    }
    ink.update(state.ink);
    brush.update(state.brush, `${state.brush} pixel${state.brush > 1 ? "s" : ""}`);
    drawCell(state, selected);
    drawn = state;
    said.say(summary(state, tensors, run));
  }

  function drawRun(state) {
    grays = MAP_LAYERS.map(({ name, maps, side, kind }) => {
      const size = side * side;
      const { gray: all, scale } = scaled(run?.[name], maps * size, kind === "conv");
      return {
        gray: Array.from({ length: maps }, (_, map) => all.subarray(map * size, (map + 1) * size)),
        words: `${name}, ${maps} maps of ${side} × ${side}${scale}`,
      };
    });
    for (const { name, after, shape, text, update } of dense) {
      const count = shape[0] * shape[1];
      const values = run?.[after];
      const { gray: all, scale } = scaled(values, count, false);
      const awake = values ? `, ${values.filter((value) => value > 0).length} of them above 0` : "";
      write(text, `${name} and ${after}, ${count} numbers${awake}${scale}`);
      update(text.textContent, { shape, gray: all });
    }
    answer.update(state, run);
    write(says, run ? verdict(state, run) : WAITING);
  }

  function drawCell(state, selected) {
    const behind = Object.fromEntries(windows(selected).map((window) => [window.name, window]));
    const [name, ...at] = selected;
    layers.forEach((layer, place) => {
      const { name: own } = MAP_LAYERS[place];
      const window = behind[own];
      const frame = window && framed(window);
      layer.update(grays[place], (map) => (window && (window.map === null || window.map === map) ? frame : null), own === name ? at : null);
    });
    const isInput = name === "input";
    canvas.update("Picture, arrow keys move, space paints, Shift with an arrow key paints on", gray, framed(behind.input), isInput ? at.slice(1) : null);
    write(cell, run ? explain(state, tensors, run) : "");
  }

  const hint = (text) => h("p", { class: "cb-hint" }, text);
  const root = h("div", { class: "cb-widget cb-lenet", role: "group", "aria-label": "LeNet explorer" },
    h("p", { class: "cb-title" }, "LeNet explorer"),
    h("div", { class: "cb-ends" },
      h("div", { class: "cb-start" }, label, canvas.element,
        hint("Press and drag to paint. By keyboard: arrow keys move, space paints, Shift with an arrow key paints on."),
        ink.element, brush.element, clear),
      h("div", { class: "cb-end" }, pictures, says, answer.element)),
    cell,
    h("div", { class: "cb-layers" }, ...layers.map((layer) => layer.element),
      ...dense.map(({ element, text }) => h("div", { class: "cb-layer cb-dense" }, text, element))),
    said.element);
  write(label, `Picture ${SIDE} × ${SIDE}`);

  draw();
  const unwatch = watch(model, TRAITS, draw);
  el.replaceChildren(root);
  return () => {
    unwatch();
    said.stop();
    root.remove();
  };
}

export default { render };
