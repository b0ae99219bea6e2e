// The shift demo, drawn: a row of pixels that moves, four ways to halve it, and a plot of how much they change.

import { announcer, button, h, player, scroller, select, slider, watch, write } from "./kit.mjs";
import { numberGrid } from "./grid.mjs";
import { plot } from "./plot.mjs";
import { change, stateOf } from "./model.mjs";
import { formatNumber, parseNumber } from "./numbers.mjs";
import {
  BLURS, QUARTERS, SIGNALS, WAYS,
  curves, explain, inPercent, nameOfSignal, pixels, randomSignal, summary,
} from "./shift_demo.math.mjs";

const TRAITS = ["signal", "shift", "blur"];

function render({ model, el }) {
  const state = () => stateOf(model, TRAITS);
  const put = (trait) => (value) => change(model, { [trait]: value });

  const names = Object.fromEntries(Object.keys(SIGNALS).map((name) => [name, name]));
  const preset = select("Pixels", names, (name) => put("signal")(SIGNALS[name]), "custom");
  const blur = select("Blur", BLURS, (width) => put("blur")(Number(width)));
  const shift = slider("Shift", QUARTERS, (quarters) => put("shift")(quarters / 4));
  const walk = player("Move a quarter pixel", () => put("shift")((model.get("shift") + 0.25) % (QUARTERS[1] / 4 + 0.25)),
    () => said.say(summary(state())));

  const still = numberGrid({ kind: "input", edit });
  const moving = numberGrid({ kind: "input" });
  const movingCaption = h("p", { class: "cb-caption" });
  const strips = Object.keys(WAYS).map(() => ({ name: h("b"), ratio: h("span"), grid: numberGrid({ kind: "output" }) }));
  const pictures = h("div", { class: "cb-strips" },
    h("p", { class: "cb-caption" }, "Pixels, closed to a ring"), still.element,
    movingCaption, moving.element,
    ...strips.flatMap(({ name, ratio, grid }) =>
      [h("p", { class: "cb-caption" }, name, ratio), h("div", { class: "cb-halves" }, grid.element)]));
  const wide = scroller("Pixels and answers", pictures);
  const graph = plot({ x: "shift in pixels", y: "Change of the answers, %" });
  const said = announcer();

  function edit(_, column, text) {
    const value = parseNumber(text);
    if (Number.isNaN(value)) return `“${text}” is not a number, so the pixel keeps its last one. Write 1, 0.5 or 1/3.`;
    put("signal")(model.get("signal").with(column, value));
    return "";
  }

  function draw() {
    const now = state();
    const view = explain(now);
    preset.update(nameOfSignal(now.signal));
    blur.update(now.blur);
    shift.update(4 * now.shift, pixels(now.shift));

    const largest = Math.max(1e-12, ...now.signal.map(Math.abs));
    const cell = (x) => ({ text: formatNumber(x), shade: Math.min(1, Math.abs(x) / largest), class: x < 0 ? "cb-negative" : "" });
    still.update("Pixels, arrow keys move", [now.signal.map((x, i) => ({ ...cell(x), name: `pixel ${i + 1}` }))]);
    write(movingCaption, `Moved by ${pixels(now.shift)}`);
    moving.update(movingCaption.textContent, [view.now.map(cell)]);
    view.ways.forEach((way, index) => {
      const { name, ratio, grid } = strips[index];
      const words = way.ratio === null ? "no value, since all was 0 before"
        : `${formatNumber(way.moving)} / ${formatNumber(way.still)} = ${inPercent(way.ratio)}`;
      write(name, way.name);
      write(ratio, `change ${words}`);
      grid.update(way.name, [way.after.map((x, i) => {
        const was = way.before[i];
        const kept = formatNumber(was) === formatNumber(x);
        return { ...cell(x), ...(kept ? { weight: " " } : { weight: `was ${formatNumber(was)}`, class: `${cell(x).class} cb-ring` }) };
      })]);
    });
    graph.update({
      label: curves(view), x: [0, QUARTERS[1] / 4], y: [0, view.top], at: now.shift,
      lines: view.ways.map(({ name, points, sensitivity }) => ({ name: `${name.split(":")[0]}: ${inPercent(sensitivity)}`, points })),
    });
    if (!walk.playing()) said.say(summary(now, view));
  }

  const root = h("div", { class: "cb-widget cb-shift", role: "group", "aria-label": "Shift demo" },
    h("div", { class: "cb-bar" },
      h("p", { class: "cb-title" }, "Shift demo"),
      button("Random pixels", () => put("signal")(randomSignal(model.get("signal").length))), ...walk.elements),
    h("div", { class: "cb-controls" }, preset.element, shift.element, blur.element),
    h("div", { class: "cb-both" },
      wide.element,
      h("div", {},
        graph.element,
        h("p", { class: "cb-caption" }, "Change: the sum of |after − before|, divided by the sum of |before|. In the legend, at one pixel: the sensitivity to shifts."))),
    said.element);

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
