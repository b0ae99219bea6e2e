// The arithmetic of the shift demo: pure functions of its state {signal, shift, blur}, no DOM.
//
// The row of pixels is a ring: pixel n is pixel 0.

import { same } from "./arithmetic.mjs";
import { formatNumber } from "./numbers.mjs";

export const QUARTERS = [0, 16]; // of a pixel
export const BLURS = { 3: "(1 2 1) / 4", 5: "(1 4 6 4 1) / 16" };
export const SIGNALS = {
  "pairs": [0, 0, 1, 1, 0, 0, 1, 1],
  "stripes": [1, 0, 1, 0, 1, 0, 1, 0],
  "dot": [0, 0, 0, 1, 0, 0, 0, 0],
  "edge": [0, 0, 0, 1, 1, 1, 1, 1],
  "wave": [1, 0.85, 0.5, 0.15, 0, 0.15, 0.5, 0.85],
};
export const nameOfSignal = (signal) => Object.keys(SIGNALS).find((name) => same(SIGNALS[name], signal)) ?? "custom";
export const randomSignal = (length, random = Math.random) => Array.from({ length }, () => Math.floor(11 * random()) / 10);

const at = (ring, i) => ring[((i % ring.length) + ring.length) % ring.length];

// The row moved to the right. Between two pixels each is a mix of both, in the shares that a square pixel catches.
export function shifted(signal, shift) {
  const whole = Math.floor(shift);
  const part = shift - whole;
  return signal.map((_, i) => (1 - part) * at(signal, i - whole) + (part ? part * at(signal, i - whole - 1) : 0));
}

const everySecond = (row) => row.filter((_, i) => i % 2 === 0);
const pairs = (row, join) => row.map((x, i) => join(x, at(row, i + 1)));

function blurred(row, width) {
  const weights = { 3: [1, 2, 1], 5: [1, 4, 6, 4, 1] }[width];
  const whole = weights.reduce((sum, weight) => sum + weight);
  const middle = (width - 1) / 2;
  return row.map((_, i) => weights.reduce((sum, weight, tap) => sum + weight * at(row, i + tap - middle), 0) / whole);
}

// The ways to halve a row.
export const WAYS = {
  stride: { name: "Every second pixel", halve: (row) => everySecond(row) },
  max: { name: "Max of two, stride 2", halve: (row) => everySecond(pairs(row, Math.max)) },
  average: { name: "Average of two, stride 2", halve: (row) => everySecond(pairs(row, (a, b) => (a + b) / 2)) },
  blur: {
    name: "Blur pooling: max, blur, stride 2",
    halve: (row, width) => everySecond(blurred(pairs(row, Math.max), width)),
  },
};

const size = (row) => row.reduce((sum, x) => sum + Math.abs(x), 0);

// Σ|after − before|, Σ|before| and their ratio, which is null where there is nothing to compare with.
export function changed(before, after) {
  const [moving, still] = [size(after.map((x, i) => x - before[i])), size(before)];
  return { moving, still, ratio: still ? moving / still : null };
}

// One way at a state: its answers, the change now, and its `sensitivity`, which is the change after one pixel.
export function explain({ signal, shift, blur }) {
  const still = signal;
  const now = shifted(signal, shift);
  const ways = Object.entries(WAYS).map(([key, { name, halve }]) => {
    const answer = (by) => halve(shifted(still, by), blur);
    const before = answer(0);
    const points = Array.from({ length: QUARTERS[1] + 1 }, (_, quarter) =>
      [quarter / 4, percent(changed(before, answer(quarter / 4)).ratio)]);
    return {
      key, name, before, after: answer(shift), ...changed(before, answer(shift)),
      sensitivity: changed(before, answer(1)).ratio, points,
    };
  });
  const top = Math.max(100, ...ways.flatMap(({ points }) => points.map(([, y]) => y ?? 0)));
  return { now, ways, top: Math.ceil(top / 50) * 50 };
}

const percent = (ratio) => (ratio === null ? null : 100 * ratio);
export const inPercent = (ratio) => (ratio === null ? "no value" : `${formatNumber(Math.round(1000 * ratio) / 10)} %`);
export const pixels = (shift) => `${formatNumber(shift)} ${shift === 1 ? "pixel" : "pixels"}`;
const list = (numbers) => numbers.map(formatNumber).join(", ");

// What the plot shows, in words.
export const curves = ({ ways }) => {
  const shares = ways.map(({ name, sensitivity }) => `${name}, ${inPercent(sensitivity)}`).join("; ");
  return `Change of the answers, in percent, for shifts from 0 to ${QUARTERS[1] / 4} pixels. At one pixel: ${shares}.`;
};

export function summary(state, view = explain(state)) {
  const sentences = [`${state.signal.length} pixels, moved by ${pixels(state.shift)}: ${list(view.now)}.`];
  for (const { name, before, after, ratio } of view.ways) {
    const became = same(before, after) ? "stays" : `${list(before)} becomes`;
    const words = ratio === null ? "the answer before was all zero, so the change has no value" : `a change of ${inPercent(ratio)}`;
    sentences.push(`${name}: ${became} ${list(after)}, ${words}.`);
  }
  return sentences.join(" ");
}
