// The arithmetic of the layer stack: pure functions of its state {layers, input_shape, selected}, no DOM.
//
// A layer is {kind, …}, with the names and settings of convbook.shapes. Figures and sentences are those of its `table`:
// biases, activations and pooling count no multiply-adds.

import { outputSize, same } from "./arithmetic.mjs";

export const KINDS = {
  Conv: "convolution", Pool: "pooling, max or average", AdaptivePool: "global pooling", Flatten: "flatten", Dense: "dense",
};
// Of each kind, its settings in the order of Python's: a range, or true or false.
export const RANGES = {
  Conv: {
    channels: [1, 2048], kernel: [1, 11], stride: [1, 11], padding: [0, 5], dilation: [1, 8], groups: [1, 2048], bias: "bool",
  },
  Pool: { kernel: [1, 11], stride: [1, 11], padding: [0, 5] },
  AdaptivePool: {},
  Flatten: {},
  Dense: { features: [1, 4096], bias: "bool" },
};
export const INPUT = [[1, 2048], [1, 512], [1, 512]];
export const MOST = 32;

export const conv = (channels, kernel, more = {}) =>
  ({ kind: "Conv", channels, kernel, stride: 1, padding: 0, dilation: 1, groups: 1, bias: true, ...more });
export const pool = (kernel, stride = kernel, padding = 0) => ({ kind: "Pool", kernel, stride, padding });
export const dense = (features) => ({ kind: "Dense", features, bias: true });
const flatten = { kind: "Flatten" };

const vgg = [[64, 2], [128, 2], [256, 3], [512, 3], [512, 3]].flatMap(([channels, times]) =>
  [...Array(times).fill(conv(channels, 3, { padding: 1 })), pool(2)]);

export const PRESETS = {
  "LeNet-5": {
    input_shape: [1, 32, 32],
    layers: [conv(6, 5), pool(2), conv(16, 5), pool(2), conv(120, 5), flatten, dense(84), dense(10)],
  },
  "AlexNet": {
    input_shape: [3, 227, 227],
    layers: [
      conv(96, 11, { stride: 4 }), pool(3, 2), conv(256, 5, { padding: 2, groups: 2 }), pool(3, 2),
      conv(384, 3, { padding: 1 }), conv(384, 3, { padding: 1, groups: 2 }), conv(256, 3, { padding: 1, groups: 2 }),
      pool(3, 2), flatten, dense(4096), dense(4096), dense(1000),
    ],
  },
  "VGG-16": { input_shape: [3, 224, 224], layers: [...vgg, flatten, dense(4096), dense(4096), dense(1000)] },
};

// The preset that a state equals, or "custom".
export const nameOfPreset = ({ layers, input_shape }) =>
  Object.keys(PRESETS).find((name) => same(PRESETS[name], { input_shape, layers })) ?? "custom";

export const standard = {
  Conv: conv(16, 3, { padding: 1 }), Pool: pool(2), AdaptivePool: { kind: "AdaptivePool" }, Flatten: flatten, Dense: dense(10),
};

export const clamp = ({ layers, selected }) => Math.max(0, Math.min(selected, layers.length - 1));

const product = (numbers) => numbers.reduce((total, x) => total * x, 1);
const written = (shape) => `(${shape.join(", ")}${shape.length === 1 ? "," : ""})`;

// A map is {shape, axes}: shape as torch has it without the batch; an axis is {n, size, jump}, its units and what they
// see, which a flat map remembers. Looking at the whole axis:
const whole = ({ n, size, jump }) => ({ n: 1, size: size + (n - 1) * jump, jump: 0 });

function slid(map, { kernel: k, stride: s, padding: p, dilation: d = 1 }) {
  return map.axes.map(({ n, size, jump }) => {
    const span = d * (k - 1) + 1;
    if (span > n + 2 * p) {
      throw new RangeError(`The kernel spans ${span} pixels and the padded input has only ${n + 2 * p}: pad more, or take a smaller kernel or dilation.`);
    }
    return { n: outputSize(n, k, s, p, d), size: size + d * (k - 1) * jump, jump: jump * s };
  });
}

const needsAxes = ({ shape }) => {
  if (shape.length === 1) throw new RangeError(`It needs a map with channels and axes; a flat row of ${shape[0]} features has none.`);
};
const withAxes = (channels, axes) => ({ shape: [channels, ...axes.map(({ n }) => n)], axes });

// Of each kind: the map it makes of another, with its parameters and multiply-adds. RangeError where they do not fit.
const LAYERS = {
  Conv(layer, map) {
    needsAxes(map);
    const { channels, kernel, groups, bias } = layer;
    for (const [count, side] of [[map.shape[0], "input"], [channels, "output"]]) {
      if (count % groups) throw new RangeError(`groups is ${groups}; it must divide the ${count} ${side} channels.`);
    }
    const axes = slid(map, layer);
    const weights = channels * (map.shape[0] / groups) * kernel ** axes.length;
    return {
      ...withAxes(channels, axes),
      parameters: weights + (bias ? channels : 0), multiply_adds: weights * product(axes.map(({ n }) => n)),
    };
  },
  Pool(layer, map) {
    needsAxes(map);
    const { kernel, padding } = layer;
    const half = Math.floor(kernel / 2);
    if (padding > half) throw new RangeError(`padding is ${padding}; a pooling of size ${kernel} may have at most half its size, ${half}.`);
    return withAxes(map.shape[0], slid(map, layer));
  },
  AdaptivePool(_, map) {
    needsAxes(map);
    return withAxes(map.shape[0], map.axes.map(whole));
  },
  Flatten: (_, { shape, axes }) => ({ shape: [product(shape)], axes }),
  Dense({ features, bias }, { shape, axes }) {
    if (shape.length > 1) throw new RangeError(`It needs a flat row of features, and the map has the shape ${written(shape)}: Flatten it first.`);
    return {
      shape: [features], axes: axes.map(whole),
      parameters: features * (shape[0] + (bias ? 1 : 0)), multiply_adds: features * shape[0],
    };
  },
};

const NAMES = { Conv: "conv", Pool: "pool", AdaptivePool: "global", Flatten: "flatten", Dense: "dense" };

// The names of the layers: conv1, pool1, conv2, …
export function namesOf(layers) {
  const seen = {};
  return layers.map(({ kind }) => `${NAMES[kind]}${(seen[kind] = (seen[kind] ?? 0) + 1)}`);
}

// A layer's settings as tables print them: "16 × 5×5, stride 2"; what is usual goes without saying.
export function setting(layer) {
  const { kind, channels, kernel, stride, padding, dilation = 1, groups = 1, bias = true } = layer;
  const parts = {
    Conv: [`${channels} × ${kernel}×${kernel}`], Pool: [`${kernel}×${kernel}`],
    AdaptivePool: ["whole map"], Flatten: [""], Dense: [`${layer.features}`],
  }[kind];
  if (stride > 1) parts.push(`stride ${stride}`);
  if (padding) parts.push(`padding ${padding}`);
  if (dilation > 1) parts.push(`dilation ${dilation}`);
  if (groups > 1) parts.push(`groups ${groups}`);
  if (!bias) parts.push("no bias");
  return parts.join(", ");
}

// The table: `rows` up to the first layer that does not fit, `problem` its sentence ("" where all fit), and the sums.
export function table({ layers, input_shape: [channels, ...sizes] }) {
  const names = namesOf(layers);
  const rows = [];
  let map = withAxes(channels, sizes.map((n) => ({ n, size: 1, jump: 1 })));
  let problem = "";
  for (const [index, layer] of layers.entries()) {
    try {
      map = LAYERS[layer.kind](layer, map);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      problem = error.message;
      break;
    }
    const { shape, axes, parameters = 0, multiply_adds = 0 } = map;
    rows.push({
      name: names[index], shape, parameters, multiply_adds,
      field: axes.map(({ size }) => size), jump: axes.map(({ jump }) => jump),
    });
  }
  const total = (column) => rows.reduce((sum, row) => sum + row[column], 0);
  return { rows, problem, parameters: total("parameters"), multiply_adds: total("multiply_adds") };
}

// Edits of the list, each {layers, selected}.

// A layer below the chosen one that fits there: a convolution that keeps the shape, or a dense layer where all is flat.
export function added(state) {
  const at = clamp(state);
  const shape = table({ ...state, layers: state.layers.slice(0, at + 1) }).rows[at]?.shape;
  const layer = shape?.length === 1 ? standard.Dense : { ...standard.Conv, channels: shape ? Math.min(shape[0], 2048) : 16 };
  return { layers: state.layers.toSpliced(at + 1, 0, layer), selected: at + 1 };
}

export function removed(state) {
  const at = clamp(state);
  const layers = state.layers.toSpliced(at, 1);
  return { layers, selected: Math.min(at, layers.length - 1) };
}

export function shifted(state, by) {
  const at = clamp(state);
  const to = Math.max(0, Math.min(state.layers.length - 1, at + by));
  return { layers: state.layers.toSpliced(at, 1).toSpliced(to, 0, state.layers[at]), selected: to };
}

export const changed = ({ layers, selected }, change) =>
  layers.map((layer, index) => (index === selected ? { ...layer, ...change } : layer));

export const formatCount = (x) => x.toLocaleString("en-US");
// One number where all axes agree.
export const along = (values) => (new Set(values).size === 1 ? String(values[0]) : values.join("×"));

export function summary(state, view = table(state)) {
  const at = clamp(state);
  const names = namesOf(state.layers);
  const { rows, problem, parameters, multiply_adds } = view;
  const by = (values) => values.join(" by ");
  const count = (x, one, many) => `${formatCount(x)} ${x === 1 ? one : many}`;
  const sums = `${count(parameters, "parameter", "parameters")} and ${count(multiply_adds, "multiply-add", "multiply-adds")}`;
  const sentences = [`${count(names.length, "layer", "layers")} on an input of ${by(state.input_shape)}.`];
  if (problem) sentences.push(`${names[rows.length]} does not fit. ${problem}`);
  if (rows.length) sentences.push(`${problem ? `The layers before ${names[rows.length]}` : "All together"} have ${sums}.`);
  if (rows[at]) {
    const { shape, field, jump } = rows[at];
    sentences.push(
      `Chosen: ${names[at]}, layer ${at + 1}. It gives ${shape.length > 1 ? by(shape) : `a row of ${formatCount(shape[0])}`}, with ${count(rows[at].parameters, "parameter", "parameters")} and ${count(rows[at].multiply_adds, "multiply-add", "multiply-adds")}.`,
      `A unit sees ${by(field)} pixels of the input, and the next one lies ${count(jump[0], "pixel", "pixels")} further${jump[0] === jump[1] ? "" : ` down, ${jump[1]} across`}.`);
  }
  return sentences.join(" ");
}
