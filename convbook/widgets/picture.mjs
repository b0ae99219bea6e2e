// A gray picture, one pixel a value, with a frame round a patch of it. It is to look at, or to choose a pixel from.

import { h } from "./kit.mjs";
import { moved } from "./grid.mjs";

const percent = (part, whole) => `${(100 * part) / whole}%`;

// `update(label, {shape, gray}, frame)`: gray is a Uint8ClampedArray of shape [rows, columns], 0 black to 255 white;
// frame is {row, column, rows, columns} in pixels, or null. The pixels are drawn again only when `gray` is another array.
//   choose(row, column): the pointer is on a pixel, or, with `keys`, an arrow key has moved the frame there. Shift makes
//   steps of ten pixels.
export function picture({ choose = null, keys = false } = {}) {
  const canvas = h("canvas", {});
  const mark = h("div", { class: "cb-frame", hidden: "" });
  const role = keys ? { role: "application", tabindex: "0", onkeydown } : { role: "img" };
  const pointer = choose ? { onpointermove: point, onpointerdown: point } : {};
  const element = h("div", { class: "cb-picture", ...role, ...pointer }, canvas, mark);
  let [rows, columns] = [0, 0];
  let shown = null;
  let framed = null;

  function point(event) {
    const box = canvas.getBoundingClientRect();
    const at = (offset, size, count) => Math.max(0, Math.min(count - 1, Math.floor((offset / size) * count)));
    choose(at(event.clientY - box.top, box.height, rows), at(event.clientX - box.left, box.width, columns));
  }

  function onkeydown(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    let to = [framed.row, framed.column];
    for (let step = event.shiftKey ? 10 : 1; to && step; step--) to = moved(event.key, to, [rows, columns]);
    if (!to) return;
    event.preventDefault();
    event.stopPropagation();
    choose(...to);
  }

  function paint({ shape, gray }) {
    [rows, columns] = shape;
    const image = new ImageData(columns, rows);
    const pixels = new Uint32Array(image.data.buffer);
    gray.forEach((value, i) => (pixels[i] = 0xff000000 | (value * 0x010101))); // opaque, three equal channels
    if (canvas.width !== columns || canvas.height !== rows) Object.assign(canvas, { width: columns, height: rows });
    canvas.getContext("2d").putImageData(image, 0, 0);
    shown = gray;
  }

  function update(label, values, frame = null) {
    element.setAttribute("aria-label", label);
    if (values.gray !== shown) paint(values);
    framed = frame;
    mark.hidden = !frame;
    if (!frame) return;
    const { row, column } = frame;
    Object.assign(mark.style, {
      top: percent(row, rows), left: percent(column, columns),
      height: percent(frame.rows, rows), width: percent(frame.columns, columns),
    });
  }

  return { element, update };
}
