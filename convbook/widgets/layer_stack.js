// The layer stack, drawn: the input's shape, the chosen layer's settings, and a table with a row a layer.

import { announcer, attribute, button, checkbox, h, number, scroller, select, watch, write } from "./kit.mjs";
import { change, stateOf } from "./model.mjs";
import {
  INPUT, KINDS, MOST, PRESETS, RANGES,
  added, along, changed, clamp, formatCount, nameOfPreset, namesOf, removed, setting, shifted, standard, summary, table,
} from "./layer_stack.math.mjs";

const TRAITS = ["layers", "input_shape", "selected"];
const COLUMNS = ["Layer", "Settings", "Output", "Parameters", "Multiply-adds", "Receptive field", "Jump"];
const LABELS = {
  channels: "Filters", kernel: "Kernel k", stride: "Stride s", padding: "Padding p", dilation: "Dilation d",
  groups: "Groups", features: "Units",
};

// Once a model: keeps the selection inside the stack, for every view and Python.
function initialize({ model }) {
  const settle = () => change(model, { selected: clamp(stateOf(model, TRAITS)) });
  settle();
  return watch(model, TRAITS, settle);
}

function render({ model, el }) {
  const state = () => stateOf(model, TRAITS);
  const put = (changes) => change(model, changes);
  const edit = (what) => put({ layers: changed(state(), what) });

  const preset = select("Network", Object.fromEntries(Object.keys(PRESETS).map((name) => [name, name])),
    (name) => put({ ...PRESETS[name], selected: 0 }), "custom");
  const sides = ["Channels", "Rows", "Columns"].map((label, side) => number(label, INPUT[side],
    (value) => put({ input_shape: model.get("input_shape").with(side, value) })));

  const heading = h("p", { class: "cb-caption" });
  const kind = select("Kind", KINDS, (name) => put({ layers: model.get("layers").with(clamp(state()), standard[name]) }));
  const ranges = Object.assign({}, ...Object.values(RANGES));
  const settings = Object.fromEntries(Object.keys(LABELS).map((name) =>
    [name, number(LABELS[name], ranges[name], (value) => edit({ [name]: value }))]));
  const bias = checkbox("Bias", (value) => edit({ bias: value }));
  const orders = {
    add: button("Add below", () => put(added(state()))),
    remove: button("Remove", () => put(removed(state()))),
    up: button("Move up", () => put(shifted(state(), -1))),
    down: button("Move down", () => put(shifted(state(), 1))),
  };

  const body = h("tbody");
  const sums = COLUMNS.map((_, place) => h(place ? "td" : "th", place ? {} : { scope: "row" }));
  const grid = h("table", { role: "grid", "aria-label": "Layers, arrow keys choose, with Alt they move the layer" },
    h("thead", {}, h("tr", {}, ...COLUMNS.map((name) => h("th", { scope: "col" }, name)))),
    body, h("tfoot", {}, h("tr", {}, ...sums)));
  const wide = scroller("Layers", grid);
  const said = announcer();
  let rows = [];

  function makeRow(index) {
    const head = h("th", { scope: "row", tabindex: "-1", onkeydown: (event) => onkeydown(event, index) });
    const cells = COLUMNS.slice(1).map(() => h("td"));
    const problem = h("td", { colspan: cells.length, class: "cb-problem" });
    const row = h("tr", { onclick: () => choose(index) }, head, ...cells, problem);
    return { row, head, cells, problem };
  }

  function choose(index) {
    rows[index].head.focus();
    put({ selected: index });
  }

  function onkeydown(event, index) {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    const last = rows.length - 1;
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    const to = { ArrowUp: index - 1, ArrowDown: index + 1, Home: 0, End: last }[event.key];
    if (event.altKey && step) put(shifted(state(), step));
    else if (event.altKey) return;
    else if (to !== undefined) choose(Math.max(0, Math.min(last, to)));
    else if (event.key === "Delete" && last) put(removed(state()));
    else return;
    event.preventDefault();
    event.stopPropagation();
    const { head } = rows[clamp(state())];
    if (head !== document.activeElement) head.focus();
  }

  function draw() {
    const now = state();
    const view = table(now);
    const at = clamp(now);
    const layer = now.layers[at];
    const names = namesOf(now.layers);

    preset.update(nameOfPreset(now));
    sides.forEach((side, place) => side.update(now.input_shape[place]));
    write(heading, `Layer ${at + 1} of ${names.length}: ${names[at]}`);
    kind.update(layer.kind);
    for (const [name, field] of Object.entries(settings)) {
      field.element.hidden = !(name in layer);
      if (name in layer) field.update(layer[name]);
    }
    bias.element.hidden = !("bias" in layer);
    bias.update(Boolean(layer.bias));

    drawRows(now, view, names);
    drawSums(view, names);

    const held = document.activeElement;
    orders.add.disabled = names.length === MOST;
    orders.remove.disabled = names.length === 1;
    orders.up.disabled = at === 0;
    orders.down.disabled = at === names.length - 1;
    if (root.contains(held) && held.disabled) rows[at].head.focus(); // a button that is disabled lets go of the focus
    said.say(summary(now, view));
  }

  function drawRows({ layers, selected }, view, names) {
    if (rows.length !== layers.length) {
      const inside = body.contains(document.activeElement);
      rows = layers.map((_, index) => makeRow(index));
      body.replaceChildren(...rows.map(({ row }) => row));
      if (inside) rows[clamp({ layers, selected })].head.focus();
    }
    layers.forEach((layer, index) => {
      const { row, head, cells, problem } = rows[index];
      const chosen = index === clamp({ layers, selected });
      const made = view.rows[index];
      row.classList.toggle("cb-chosen", chosen);
      attribute(head, "aria-selected", chosen);
      attribute(head, "tabindex", chosen ? "0" : "-1");
      write(head, names[index]);
      problem.hidden = Boolean(made) || index !== view.rows.length;
      cells.forEach((cell) => (cell.hidden = !problem.hidden));
      write(problem, problem.hidden ? "" : view.problem);
      const texts = made
        ? [made.shape.join("×"), formatCount(made.parameters), formatCount(made.multiply_adds), along(made.field), along(made.jump)]
        : Array(5).fill("");
      [setting(layer), ...texts].forEach((text, place) => write(cells[place], text));
      cells[2].style.setProperty("--share", ((made?.parameters ?? 0) / (view.parameters || 1)).toFixed(4));
      cells[3].style.setProperty("--share", ((made?.multiply_adds ?? 0) / (view.multiply_adds || 1)).toFixed(4));
    });
  }

  function drawSums({ rows: made, problem, parameters, multiply_adds }, names) {
    write(sums[0], problem ? `before ${names[made.length]}` : "total");
    write(sums[3], formatCount(parameters));
    write(sums[4], formatCount(multiply_adds));
  }

  const root = h("div", { class: "cb-widget cb-layer-stack", role: "group", "aria-label": "Layer stack" },
    h("p", { class: "cb-title" }, "Layer stack"),
    h("div", { class: "cb-side" }, preset.element,
      h("div", { class: "cb-side", role: "group", "aria-label": "Input" }, ...sides.map(({ element }) => element))),
    h("div", { class: "cb-editor", role: "group", "aria-label": "The chosen layer" },
      heading,
      h("div", { class: "cb-side" }, kind.element, ...Object.values(settings).map(({ element }) => element), bias.element),
      h("div", { class: "cb-side" }, ...Object.values(orders))),
    wide.element,
    h("p", { class: "cb-caption" }, "A bar is a layer's share of the sum."),
    said.element);

  draw();
  const unwatch = watch(model, TRAITS, draw);
  el.replaceChildren(root);
  return () => {
    unwatch();
    wide.stop();
    said.stop();
    root.remove();
  };
}

export default { initialize, render };
