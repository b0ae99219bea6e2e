// Lines over two axes: an SVG that takes the width there is, with its words in HTML so that they keep their size.

import { attribute, fit, h, write } from "./kit.mjs";
import { formatNumber } from "./numbers.mjs";

const SVG = "http://www.w3.org/2000/svg";

// Round numbers from `low` to `high`, `count` steps or fewer: 1, 2 or 5 times a power of ten apart.
export function ticks(low, high, count = 5) {
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((each) => each * power >= rough * (1 - 1e-9));
  const [first, last] = [Math.ceil(low / step - 1e-9), Math.floor(high / step + 1e-9)];
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

// The path of points [x, y] in a box of 100 by 100, y upward. A y that is null or not finite leaves a gap.
export function path(points, [left, right], [low, high]) {
  let pen = "M";
  return points.map(([x, y]) => {
    if (y === null || !Number.isFinite(y)) {
      pen = "M";
      return "";
    }
    const place = [(100 * (x - left)) / (right - left), 100 - (100 * (y - low)) / (high - low)];
    const drawn = `${pen}${place.map((each) => Number(each.toFixed(2))).join(" ")}`;
    pen = "L";
    return drawn;
  }).join("");
}

function svg(tag, attributes, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

// A plot of up to four lines, told apart by dashes as well as by color. `x` and `y` are the words at the axes.
//   update({label, x, y, lines, at, bands}): label is what a screen reader says instead, in whole sentences; x and y are
//   [lowest, highest]; lines are {name, points}, points [x, y] with null for no value; `at` is an x to mark, with a dot
//   on each line that has a point there, or null; bands are up to two {name, ranges}, each range a stretch [from, to]
//   of x to shade, and what has no range is not in the legend.
export function plot({ x: across, y: up }) {
  const drawing = svg("svg", { viewBox: "0 0 100 100", preserveAspectRatio: "none" });
  const [rows, columns, legend] = ["cb-rows", "cb-columns", "cb-legend"].map((name) => h("div", { class: name }));
  const shades = h("div", { class: "cb-bands" });
  const element = h("div", { class: "cb-plot", role: "img" },
    h("p", { class: "cb-up" }, up), rows, h("div", { class: "cb-view" }, shades, drawing), columns,
    h("p", { class: "cb-across" }, across), legend);

  const stroke = (name, d) => svg("path", { class: name, d, "vector-effect": "non-scaling-stroke" });
  const sample = (index) => svg("svg", { class: "cb-sample", viewBox: "0 0 100 100", preserveAspectRatio: "none" },
    stroke(`cb-line cb-line-${index}`, "M0 50H100"));
  const made = { strokes: [], rows: [], columns: [], shades: [] };
  let named = ""; // what the legend says, as JSON

  // Elements for a list of {attributes, text}, those that stand there kept.
  function show(part, parent, wanted, make) {
    fit(made[part], wanted.length, () => ({ element: make() }), parent);
    wanted.forEach(({ text = "", ...attributes }, i) => {
      for (const [name, value] of Object.entries(attributes)) attribute(made[part][i].element, name, value);
      write(made[part][i].element, text);
    });
  }

  function update({ label, x, y, lines, at = null, bands = [] }) {
    attribute(element, "aria-label", label);
    const [across, up] = [ticks(...x), ticks(...y)];
    const share = (value, [low, high]) => (100 * (value - low)) / (high - low);
    const dots = (points) => points.filter((point) => point[0] === at && path([point], x, y));
    show("strokes", drawing, [
      { class: "cb-guide", d: [...up.map((value) => path([[x[0], value], [x[1], value]], x, y)),
        ...across.map((value) => path([[value, y[0]], [value, y[1]]], x, y))].join("") },
      ...(at === null ? [] : [{ class: "cb-at", d: path([[at, y[0]], [at, y[1]]], x, y) }]),
      ...lines.map(({ points }, index) => ({ class: `cb-line cb-line-${index}`, d: path(points, x, y) })),
      ...lines.flatMap(({ points }, index) => dots(points).map((point) =>
        ({ class: `cb-dot cb-line-${index}`, d: `${path([point], x, y)}h0` }))),
    ], () => stroke("", ""));
    const span = () => h("span");
    show("rows", rows, up.map((value) => ({ style: `inset-block-end: ${share(value, y)}%`, text: formatNumber(value) })), span);
    show("columns", columns, across.map((value) => ({ style: `inset-inline-start: ${share(value, x)}%`, text: formatNumber(value) })), span);
    show("shades", shades, bands.flatMap(({ ranges }, index) =>
      ranges.filter(([from, to]) => from < x[1] && to > x[0]).map(([from, to]) => ({
        class: `cb-band-${index}`,
        style: `inset-inline: ${share(Math.max(from, x[0]), x)}% ${100 - share(Math.min(to, x[1]), x)}%`,
      }))), span);
    drawLegend(lines.map(({ name }) => name), bands.map(({ name, ranges }) => (ranges.length ? name : "")));
  }

  function drawLegend(lines, bands) {
    const wanted = JSON.stringify([lines, bands]);
    if (named === wanted) return;
    named = wanted;
    legend.replaceChildren(...lines.map((name, index) => h("span", {}, sample(index), name)),
      ...bands.flatMap((name, index) => (name ? h("span", {}, h("span", { class: `cb-sample cb-band-${index}` }), name) : [])));
  }

  return { element, update };
}
