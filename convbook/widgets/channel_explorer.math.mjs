// The arithmetic of the channel explorer: pure functions of its state {image, weight, bias, selected}, no DOM.
//
// Shapes are torch's: image (C, rows, columns), weight (F, C / groups, k, k), bias (F) or null. Channels and filters
// count from 0, as their indices do; rows and columns count from 0 here and from 1 where the page says them.

import { fill } from "./arithmetic.mjs";
import { formatNumber, formatWeight } from "./numbers.mjs";

export const RANGES = { channels: [1, 6], filters: [1, 6], size: [1, 3] };

const range = (count) => Array.from({ length: count }, (_, i) => i);

// The letters of a state. `depth` is how many channels a filter reads, `share` how many filters a group has.
export function letters({ image, weight }) {
  const [channels, filters, depth, size] = [image.length, weight.length, weight[0].length, weight[0][0].length];
  const groups = channels / depth;
  return { channels, filters, depth, size, groups, share: filters / groups, rows: image[0].length - size + 1, columns: image[0][0].length - size + 1 };
}

// Whether the parts belong together. They do not in the middle of a change of several, one after the other.
export function consistent(state) {
  const { filters, groups, share, rows, columns } = letters(state);
  return Number.isInteger(groups) && Number.isInteger(share) && rows > 0 && columns > 0 && (!state.bias || state.bias.length === filters);
}

// The channels that a filter reads.
export function reads(state, filter) {
  const { depth, share } = letters(state);
  const first = Math.floor(filter / share) * depth;
  return range(depth).map((i) => first + i);
}

// The groups that channels and filters can be split into.
export const divisors = (channels, filters) => range(Math.min(channels, filters)).map((i) => i + 1)
  .filter((groups) => channels % groups === 0 && filters % groups === 0);

const dot = (pixels, kernel, row, column) =>
  kernel.reduce((total, weights, u) => total + weights.reduce((sum, weight, v) => sum + weight * pixels[row + u][column + v], 0), 0);

export function inside(state) {
  const { filters, rows, columns } = letters(state);
  return [filters, rows, columns].map((count, axis) => Math.min(state.selected[axis], count - 1));
}

// The maps, and of the chosen cell the sum by channel that its filter reads, the bias and the total.
export function explain(state) {
  const { filters, rows, columns } = letters(state);
  const biasOf = (filter) => state.bias?.[filter] ?? 0;
  const cell = (filter, row, column) => reads(state, filter).map((channel, i) =>
    ({ channel, sum: dot(state.image[channel], state.weight[filter][i], row, column) }));
  const totalOf = (filter, sums) => sums.reduce((total, { sum }) => total + sum, biasOf(filter));
  const maps = range(filters).map((filter) => fill(rows, columns, (row, column) => totalOf(filter, cell(filter, row, column))));
  const selected = inside(state);
  const sums = cell(...selected);
  return { maps, selected, sums, bias: biasOf(selected[0]), total: totalOf(selected[0], sums) };
}

// Parameters and multiply-adds, each with its product in numbers.
export function cost(state) {
  const { channels, filters, depth, size, groups, rows, columns } = letters(state);
  const weights = filters * depth * size * size;
  const product = `${filters} · ${groups > 1 ? `(${channels}/${groups})` : channels} · ${size}²`;
  const parameters = weights + (state.bias ? filters : 0);
  const multiplyAdds = weights * rows * columns;
  return {
    parameters,
    multiplyAdds,
    lines: [
      `Parameters: ${product}${state.bias ? ` + ${filters}` : ""} = ${parameters}`,
      `Multiply-adds: ${product} · ${rows} · ${columns} = ${multiplyAdds}`,
    ],
  };
}

// Numbers for channels and weights that a reader adds: small, and different from one another.
const pixel = (channel, row, column) => (row * (channel + 2) + column * (channel + 3) + channel * column * row) % 4;
const weightAt = (filter, channel, row, column) => ((3 * filter + 5 * channel + 4 * row + 2 * column + filter * channel) % 5) - 2;

// The state with other numbers of channels, filters, groups or weights a side. What it has of them stays. Where `groups`
// no longer divides, the next smaller number that does takes its place.
export function restacked(state, wanted) {
  const now = letters(state);
  const { channels, filters, groups, size } = { ...now, ...wanted };
  const [height, width] = [state.image[0].length, state.image[0][0].length];
  const split = Math.max(...divisors(channels, filters).filter((each) => each <= groups));
  const [depth, share] = [channels / split, filters / split];
  const old = (filter, channel, row, column) => {
    const place = filter < now.filters ? reads(state, filter).indexOf(channel) : -1;
    return state.weight[filter]?.[place]?.[row]?.[column];
  };
  return {
    image: range(channels).map((channel) => state.image[channel] ?? fill(height, width, (row, column) => pixel(channel, row, column))),
    weight: range(filters).map((filter) => range(depth).map((i) => {
      const channel = Math.floor(filter / share) * depth + i;
      return fill(size, size, (row, column) => old(filter, channel, row, column) ?? weightAt(filter, channel, row, column));
    })),
    bias: state.bias && range(filters).map((filter) => state.bias[filter] ?? 0),
  };
}

export const reweighted = ({ weight }, [filter, place, row, column], value) =>
  weight.map((kernels, f) => kernels.map((kernel, i) => kernel.map((line, r) => line.map((old, c) =>
    (f === filter && i === place && r === row && c === column ? value : old)))));

const listed = (items) => (items.length < 2 ? items.join("") : `${items.slice(0, -1).join(", ")} and ${items.at(-1)}`);
const some = (count, noun) => `${count} ${noun}${count === 1 ? "" : "s"}`;

// How the filters are wired to the channels.
export function wiring(state) {
  const { channels, depth, groups } = letters(state);
  if (groups === 1) return channels === 1 ? "Each filter reads the one channel." : `Each filter reads all ${channels} channels.`;
  if (depth === 1) return `Depthwise: in ${groups} groups, each filter reads one channel of its own group.`;
  return `In ${groups} groups, each filter reads ${depth} of the ${channels} channels.`;
}

export function summary(state, { selected: [filter, row, column], sums, bias, total } = explain(state)) {
  const { channels, filters, size, rows, columns } = letters(state);
  const { parameters, multiplyAdds } = cost(state);
  const parts = sums.map(({ channel, sum }) => `${formatNumber(sum)} from channel ${channel}`);
  if (state.bias) parts.push(`a bias of ${formatWeight(bias)}`);
  return [
    `${some(channels, "channel")} and ${some(filters, "filter")} of ${size} by ${size} weights a channel give ${some(filters, "map")} of ${rows} by ${columns} cells.`,
    wiring(state),
    `In the map of filter ${filter}, row ${row + 1}, column ${column + 1} is ${formatNumber(total)}: ${listed(parts)}.`,
    `The layer has ${some(parameters, "parameter")} and takes ${some(multiplyAdds, "multiply-add")}.`,
  ].join(" ");
}
