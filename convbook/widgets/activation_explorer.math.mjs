// The arithmetic of the activation explorer: pure functions of its state, no DOM.
//
// state: {activation, x, weight, negative_slope, alpha}, the traits of ActivationExplorer. Letters: f the activation,
// w the weight, z = w · x what a layer's activation sees. At a kink the slope is that of the left side, as in torch.

import { formatNumber } from "./numbers.mjs";

const THRESHOLD = 0.05; // a slope under it, in size, counts as saturated
export const LAYERS = 10;
const [SMALL, LARGE] = [0.01, 100]; // sizes at which ten layers count as vanishing and exploding
// Steps of the slider, for x: tenths up to 5, halves up to 10, fives up to 50.
export const STEPS = [-68, 68];
export const TENTHS = { weight: [-50, 50], alpha: [1, 30] };
export const HUNDREDTHS = { negative_slope: [0, 100] };

export function xAt(step) {
  const n = Math.abs(step);
  return Math.sign(step) * (n <= 50 ? n / 10 : n <= 60 ? n / 2 - 20 : 5 * n - 290);
}

export function stepOf(x) {
  const n = Math.abs(x);
  return Math.sign(x) * Math.round(n <= 5 ? 10 * n : n <= 10 ? 2 * (n + 20) : (n + 290) / 5);
}

const sigmoid = (x) => (x < 0 ? Math.exp(x) / (1 + Math.exp(x)) : 1 / (1 + Math.exp(-x)));
const sigmoidSlope = (x) => Math.exp(-Math.abs(x)) / (1 + Math.exp(-Math.abs(x))) ** 2;

const density = (x) => Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);

// The normal distribution function: Abramowitz and Stegun (1964), the series 26.2.11 near 0, the continued fraction
// 26.2.14 in the tails, where the series would lose its digits.
export function distribution(x) {
  const n = Math.abs(x);
  if (n < 3) {
    let term = x;
    let sum = 0;
    for (let odd = 3; sum + term !== sum; odd += 2) {
      sum += term;
      term *= (x * x) / odd;
    }
    return 0.5 + density(x) * sum;
  }
  let fraction = n;
  for (let level = 60; level; level--) fraction = n + level / fraction;
  return x < 0 ? density(n) / fraction : 1 - density(n) / fraction;
}

// Each with its value and slope, and both as formulas.
export const ACTIVATIONS = {
  identity: { name: "identity", value: (x) => x, slope: () => 1, formulas: () => ["x", "1"] },
  relu: {
    name: "ReLU",
    value: (x) => Math.max(0, x),
    slope: (x) => (x > 0 ? 1 : 0),
    formulas: () => ["max(0, x)", "1 for x > 0, else 0"],
  },
  leaky_relu: {
    name: "leaky ReLU",
    value: (x, { negative_slope: a }) => (x > 0 ? x : a * x),
    slope: (x, { negative_slope: a }) => (x > 0 ? 1 : a),
    formulas: ({ negative_slope: a }) => [`x for x > 0, else ${short(a)} · x`, `1 for x > 0, else ${short(a)}`],
  },
  elu: {
    name: "ELU",
    value: (x, { alpha }) => (x > 0 ? x : alpha * Math.expm1(x)),
    slope: (x, { alpha }) => (x > 0 ? 1 : alpha * Math.exp(x)),
    formulas: ({ alpha }) => [`x for x > 0, else ${short(alpha)} · (eˣ − 1)`, `1 for x > 0, else ${short(alpha)} · eˣ`],
  },
  gelu: {
    name: "GELU",
    value: (x) => x * distribution(x),
    slope: (x) => distribution(x) + x * density(x),
    formulas: () => ["x · Φ(x), with Φ the normal distribution’s area up to x", "Φ(x) + x · φ(x), with φ = Φ′, the bell curve"],
  },
  silu: {
    name: "SiLU",
    value: (x) => x * sigmoid(x),
    slope: (x) => sigmoid(x) * (1 + x * sigmoid(-x)),
    formulas: () => ["x · σ(x), with σ the sigmoid", "σ(x) · (1 + x · (1 − σ(x)))"],
  },
  sigmoid: {
    name: "sigmoid",
    value: sigmoid,
    slope: sigmoidSlope,
    formulas: () => ["σ(x) = 1 / (1 + e⁻ˣ)", "σ(x) · (1 − σ(x))"],
  },
  tanh: {
    name: "tanh",
    value: Math.tanh,
    slope: (x) => 4 * sigmoidSlope(2 * x),
    formulas: () => ["tanh x = 2σ(2x) − 1", "1 − tanh² x"],
  },
};

// Whether the slope is exactly 0 somewhere: not where it only is too small for a 64-bit number.
const canFallSilent = ({ activation, negative_slope }) => activation === "relu" || (activation === "leaky_relu" && negative_slope === 0);

// The stretches of x where the slope is under the threshold, from left to right: {kind, from, to}. One that goes on for
// ever is "saturated", or "silent" where the slope is exactly 0; one between steeper sides is "level", a minimum.
export function zones(state) {
  const flat = (x) => Math.abs(ACTIVATIONS[state.activation].slope(x, state)) < THRESHOLD;
  const [ends, every] = [10, 0.1]; // no slope crosses the threshold further out, or twice between two places
  const found = [];
  const edge = (inside, outside) => {
    for (let i = 0; i < 40; i++) {
      const middle = (inside + outside) / 2;
      if (flat(middle)) inside = middle;
      else outside = middle;
    }
    return Math.round(inside * 1e9) / 1e9 + 0;
  };
  let from = flat(-ends) ? -Infinity : null;
  for (let i = 1; i <= (2 * ends) / every; i++) {
    const [before, x] = [i - 1, i].map((n) => n * every - ends);
    if (from === null && flat(x)) from = edge(x, before);
    if (from !== null && !flat(x)) {
      found.push([from, edge(before, x)]);
      from = null;
    }
  }
  if (from !== null) found.push([from, Infinity]);
  return found.map(([left, right]) => ({
    kind: Number.isFinite(right - left) ? "level" : canFallSilent(state) ? "silent" : "saturated",
    from: left,
    to: right,
  }));
}

const kindAt = (x, found) => found.find(({ from, to }) => from <= x && x <= to)?.kind ?? "active";

// The layers, one after another, with z = w · x: {value f(z), slope w · f′(z), product of the slopes so far, kind}.
function chain(state, found) {
  const { value, slope } = ACTIVATIONS[state.activation];
  let [x, product] = [state.x, 1];
  return Array.from({ length: LAYERS }, () => {
    const z = state.weight * x;
    const own = state.weight * slope(z, state);
    x = value(z, state);
    product *= own;
    return { value: x, slope: own, product, kind: kindAt(z, found) };
  });
}

const around = (numbers, share) => {
  const [low, high] = [Math.min(...numbers), Math.max(...numbers)];
  return [low - share * (high - low), high + share * (high - low)];
};

// Points of the two curves over [−span, span], among them the chosen x; a gap in the slope where it jumps.
function curves(state, span) {
  const { value, slope } = ACTIVATIONS[state.activation];
  const right = Number.MIN_VALUE; // the first number to the right of 0
  const places = Array.from({ length: 201 }, (_, i) => (span * (i - 100)) / 100);
  const at = [...new Set([...places, state.x, right])].sort((a, b) => a - b);
  const jumps = slope(right, state) !== slope(0, state);
  const values = at.map((x) => [x, value(x, state)]);
  const slopes = at.flatMap((x) => [...(jumps && x === right ? [[0, null]] : []), [x, slope(x, state)]]);
  return {
    values, slopes,
    valueRange: around(values.map(([, y]) => y), 0.06),
    slopeRange: around([0, 1, ...slopes.flatMap(([, y]) => (y === null ? [] : y))], 0.06),
  };
}

// Sizes as powers of ten, with the start; null for zero, which has none.
const power = (x) => (x === 0 ? null : Math.log10(Math.abs(x)));

export function explain(state) {
  const { value, slope, formulas } = ACTIVATIONS[state.activation];
  const found = zones(state);
  const layers = chain(state, found);
  const span = [5, 10, 20, 50].find((each) => Math.abs(state.x) <= each);
  const sizes = {
    values: [[0, power(state.x)], ...layers.map((layer, i) => [i + 1, power(layer.value)])],
    products: [[0, 0], ...layers.map(({ product }, i) => [i + 1, power(product)])],
  };
  const seen = [...sizes.values, ...sizes.products].flatMap(([, y]) => (y === null ? [] : y));
  return {
    value: value(state.x, state), slope: slope(state.x, state), kind: kindAt(state.x, found), formulas: formulas(state),
    zones: found, layers, span, ...curves(state, span), sizes,
    sizeRange: [Math.min(-2, ...seen.map(Math.floor)), Math.max(1, ...seen.map(Math.ceil))],
  };
}

// A number as people write it, three significant digits; very small and large ones with a power of ten: 1.93·10⁻²².
export function short(x) {
  const n = Math.abs(x);
  if (n === 0 || (n >= 1e-3 && n < 1e5)) return formatNumber(x);
  const [digits, exponent] = x.toExponential(2).split("e");
  const raised = exponent.replace("+", "").replace(/./g, (sign) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[sign] ?? "⁻");
  return `${formatNumber(Number(digits))}·10${raised}`;
}

// "x < −2.89 and x > 2.89". Only a kink's zone ends at 0, and there 0 belongs to it.
const where = ({ from, to }) => {
  if (Number.isFinite(from) && Number.isFinite(to)) return `${short(from)} < x < ${short(to)}`;
  return Number.isFinite(to) ? `x ${to === 0 ? "≤" : "<"} ${short(to)}` : `x > ${short(from)}`;
};

const KINDS = {
  saturated: `saturated (|slope| < ${THRESHOLD})`,
  silent: "silent (slope exactly 0)",
  level: `level around its minimum (|slope| < ${THRESHOLD})`,
};
// The kinds that plots mark.
export const MARKED = ["saturated", "silent"].map((kind) => ({ kind, name: KINDS[kind] }));
// What a unit at the chosen x is.
export const HERE = {
  active: "The unit is active here.",
  saturated: "The unit is saturated here: little gradient gets back.",
  silent: "The unit is silent here: no gradient gets back.",
  level: "The curve is level here, around its minimum.",
};

// Where the function saturates, is silent, is level.
export function zonesInWords(state, found) {
  const { name } = ACTIVATIONS[state.activation];
  const parts = Object.keys(KINDS).flatMap((kind) => {
    const those = found.filter((zone) => zone.kind === kind).map(where);
    return those.length ? `${KINDS[kind]} for ${those.join(" and ")}` : [];
  });
  if (!parts.length) return `${name} is nowhere saturated (|slope| < ${THRESHOLD}), and nowhere silent.`;
  return `${name} is ${parts.join(", and ")}.`;
}

const inWords = (x) => {
  if (x === 0) return "is 0";
  const fate = Math.abs(x) < SMALL ? `vanishes (under ${SMALL} in size)`
    : Math.abs(x) > LARGE ? `explodes (over ${LARGE} in size)` : "neither vanishes nor explodes";
  return `is ${short(x)}: it ${fate}`;
};

// Why no gradient comes back, and from which layer on.
function lossInWords({ weight }, layers) {
  const lost = layers.findIndex(({ product }) => product === 0);
  if (lost < 0) return "";
  if (weight === 0) return " A weight of 0 lets nothing back.";
  if (layers[lost].kind === "silent") return ` Layer ${lost + 1} is silent, and lets nothing back.`;
  return ` From layer ${lost + 1} on it is too small for a 64-bit number.`;
}

// What becomes of the value and of the gradient.
export function fatesInWords(state, { layers }) {
  const { value, product } = layers.at(-1);
  return `After ${LAYERS} layers the value ${inWords(value)}. The product of ${LAYERS} slopes, the gradient, ${inWords(product)}.`
    + lossInWords(state, layers);
}

export function summary(state, view = explain(state)) {
  const list = (key) => view.layers.map((layer) => short(layer[key])).join(", ");
  return [
    `${ACTIVATIONS[state.activation].name}, f(x) = ${view.formulas[0]}.`,
    `At x = ${short(state.x)} the value is ${short(view.value)} and the slope ${short(view.slope)}. ${HERE[view.kind]}`,
    zonesInWords(state, view.zones),
    `${LAYERS} layers with weight ${short(state.weight)}: values ${list("value")}; products of slopes ${list("product")}.`,
    fatesInWords(state, view),
  ].join(" ");
}
