// The channel explorer, drawn: a row for each input channel with the kernel on it, their sum, a map for each filter.

import { announcer, checkbox, fit, h, scroller, select, slider, spell, watch, write } from "./kit.mjs";
import { numberGrid } from "./grid.mjs";
import { change, stateOf } from "./model.mjs";
import { formatNumber, formatWeight, parseNumber } from "./numbers.mjs";
import { RANGES, consistent, cost, divisors, explain, inside, letters, reads, restacked, reweighted, summary, wiring } from "./channel_explorer.math.mjs";

const TRAITS = ["image", "weight", "bias", "selected"];

// Once a model: keeps the chosen cell inside the maps, for every view and Python.
function initialize({ model }) {
  const settle = () => {
    const state = stateOf(model, TRAITS);
    if (consistent(state)) change(model, { selected: inside(state) });
  };
  settle();
  return watch(model, TRAITS, settle);
}

const shadeOf = (numbers) => {
  const largest = Math.max(1e-12, ...numbers.flat(Infinity).map(Math.abs));
  return (x) => ({ shade: Math.abs(x) / largest, class: x < 0 ? "cb-negative" : "" });
};

function render({ model, el }) {
  const restack = (wanted) => change(model, restacked(stateOf(model, TRAITS), wanted));

  const channels = slider("Channels C", RANGES.channels, (count) => restack({ channels: count }));
  const filters = slider("Filters F", RANGES.filters, (count) => restack({ filters: count }));
  const most = Math.max(...RANGES.channels);
  const choices = Object.fromEntries(Array.from({ length: most }, (_, i) => [i + 1, String(i + 1)]));
  const groups = select("Groups", choices, (count) => restack({ groups: Number(count) }));
  const size = slider("Kernel size k", RANGES.size, (side) => restack({ size: side }));
  const bias = checkbox("Bias", (on) => change(model, { bias: on ? Array(model.get("weight").length).fill(1) : null }));

  const inputs = h("div", { class: "cb-inputs" });
  const maps = h("div", { class: "cb-maps" });
  const wires = numberGrid({ kind: "kernel" });
  const caption = h("p", { class: "cb-caption" });
  const equation = h("p", { class: "cb-line" });
  const said = announcer();
  const wide = scroller("Filters and channels", wires.element);
  const words = h("p");
  const costs = [h("p"), h("p")];
  const channelRows = [];
  const mapGrids = [];

  function edit(channel, row, column, text) {
    const value = parseNumber(text);
    if (Number.isNaN(value)) return `“${text}” is not a number, so the kernel keeps its last one. Write 2, −0.5 or 1/9.`;
    const state = stateOf(model, TRAITS);
    const [filter] = inside(state);
    change(model, { weight: reweighted(state, [filter, reads(state, filter).indexOf(channel), row, column], value) });
    return "";
  }

  function makeChannel(channel) {
    const pixels = numberGrid({ kind: "input" });
    const kernel = numberGrid({ kind: "kernel", edit: (row, column, text) => edit(channel, row, column, text) });
    const sum = h("p", { class: "cb-part" });
    const read = h("div", { class: "cb-read" }, h("span", { class: "cb-operator", "aria-hidden": "true" }, "⋆"), kernel.element, sum);
    const unread = h("p", { class: "cb-unread" });
    const element = h("div", { class: "cb-channel" },
      h("div", {}, h("p", { class: "cb-caption" }, `Channel ${channel}`), pixels.element), read, unread);
    return { element, pixels, kernel, sum, read, unread };
  }

  function makeMap(filter) {
    const grid = numberGrid({ kind: "output", choose: (row, column) => change(model, { selected: [filter, row, column] }) });
    return { element: h("div", {}, h("p", { class: "cb-caption" }, `Map of filter ${filter}`), grid.element), grid };
  }

  function draw() {
    const state = stateOf(model, TRAITS);
    if (!consistent(state)) return; // more of it is about to change
    const count = letters(state);
    const view = explain(state);

    channels.update(count.channels);
    filters.update(count.filters);
    size.update(count.size);
    bias.update(Boolean(state.bias));
    const possible = divisors(count.channels, count.filters);
    for (const option of groups.element.querySelectorAll("option")) {
      const each = Number(option.value);
      option.disabled = !possible.includes(each);
      write(option, each === count.channels && each > 1 ? `${each}: depthwise` : String(each));
    }
    groups.update(count.groups);

    fit(channelRows, count.channels, makeChannel, inputs);
    fit(mapGrids, count.filters, makeMap, maps);
    drawChannels(state, view, count);
    drawMaps(view);
    drawWires(state, view, count);
    write(words, wiring(state));
    cost(state).lines.forEach((line, i) => write(costs[i], line));
    said.say(summary(state, view));
  }

  function drawChannels(state, { selected: [filter, row, column], sums, bias: added, total }, { size: side }) {
    const shade = shadeOf(state.image);
    const depth = shadeOf(state.weight);
    channelRows.forEach((each, channel) => {
      const place = sums.findIndex((sum) => sum.channel === channel);
      const kernel = state.weight[filter][place];
      const weight = (r, c) => kernel?.[r - row]?.[c - column];
      each.pixels.update(`Channel ${channel}`, state.image[channel].map((line, r) => line.map((x, c) => {
        const cell = { text: formatNumber(x), ...shade(x) };
        return weight(r, c) === undefined ? cell : { ...cell, class: `${cell.class} cb-ring`, weight: `×${formatWeight(weight(r, c))}` };
      })));
      each.element.classList.toggle("cb-idle", !kernel);
      each.read.hidden = !kernel;
      each.unread.hidden = Boolean(kernel);
      write(each.unread, `Filter ${filter} does not read it.`);
      if (!kernel) return;
      each.kernel.update(`Kernel of filter ${filter} for channel ${channel}`, kernel.map((line, r) => line.map((x, c) =>
        ({ text: formatWeight(x), ...depth(x), name: `filter ${filter}, channel ${channel}, row ${r + 1}, column ${c + 1}` }))));
      write(each.sum, `sum ${formatNumber(sums[place].sum)}`);
    });
    write(caption, `Map of filter ${filter}, row ${row + 1}, column ${column + 1}: the sum of ${side * side * sums.length} products${state.bias ? " and the bias" : ""}`);
    const terms = sums.map(({ sum }) => ["input", formatNumber(sum)]);
    if (state.bias) terms.push(["kernel", formatWeight(added)]);
    spell(equation, [...terms.flatMap((term, i) => (i ? [" + ", term] : [term])), " = ", ["output", formatNumber(total)]]);
  }

  function drawMaps({ maps: found, selected: [filter, row, column] }) {
    const shade = shadeOf(found);
    mapGrids.forEach(({ grid }, f) => {
      grid.update(`Map of filter ${f}, arrow keys move`, found[f].map((line, r) => line.map((x, c) =>
        ({ text: formatNumber(x), ...shade(x), selected: f === filter && r === row && c === column }))));
    });
  }

  function drawWires(state, { selected: [filter] }, { channels: columns, filters: rows }) {
    const cell = (f, c) => (reads(state, f).includes(c)
      ? { text: "●", shade: f === filter ? 1 : 0.4, class: f === filter ? "cb-now" : "", name: `filter ${f} reads channel ${c}` }
      : { text: "", name: `filter ${f} does not read channel ${c}` });
    wires.update("Which filter, a row each, reads which channel, a column each",
      Array.from({ length: rows }, (_, f) => Array.from({ length: columns }, (__, c) => cell(f, c))));
  }

  const root = h("div", { class: "cb-widget cb-channels", role: "group", "aria-label": "Channel explorer" },
    h("p", { class: "cb-title" }, "Channel explorer"),
    h("div", { class: "cb-controls" }, channels.element, filters.element, groups.element, size.element, bias.element),
    h("div", { class: "cb-figures" }, inputs,
      h("div", { class: "cb-side" }, maps,
        h("div", {}, h("p", { class: "cb-caption" }, "Filters (rows) read channels (columns)"), wide.element))),
    h("div", { class: "cb-result" }, caption, equation),
    h("div", { class: "cb-costs" }, words, ...costs),
    said.element);

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

export default { initialize, render };
