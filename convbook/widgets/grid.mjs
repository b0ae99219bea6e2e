// A grid of numbers: to look at, to choose a cell from, or to edit.

import { attribute, fit, h, write } from "./kit.mjs";

// Where a key leads from (row, column) in a grid: [row, column], or null for a key that does not move.
export function moved(key, [row, column], [rows, columns]) {
  const to = {
    ArrowUp: [row - 1, column], ArrowDown: [row + 1, column],
    ArrowLeft: [row, column - 1], ArrowRight: [row, column + 1],
    Home: [row, 0], End: [row, columns - 1],
  }[key];
  return to ? [Math.max(0, Math.min(rows - 1, to[0])), Math.max(0, Math.min(columns - 1, to[1]))] : null;
}

// A grid of numbers. `update(label, cells)` takes rows of {text, class, shade, weight}: shade is 0 to 1, weight a small
// second number in the corner. Plain by default; with `choose` or `edit` it is a grid in ARIA's sense, one tab stop in
// which arrow keys move.
//   choose(row, column): the reader chose a cell; `update` takes the chosen one as third argument.
//   edit(row, column, text): the reader wrote into a cell; answers "", or the sentence that says what is wrong with it.
// A cell with a `name` is called so instead of by its row and column; one with `fixed` cannot be written into.
export function numberGrid({ kind, choose = null, edit = null }) {
  const live = choose || edit;
  const table = h("div", { class: `cb-grid cb-${kind}`, role: live ? "grid" : "table" });
  const note = h("p", { class: "cb-note", role: "alert" });
  const rows = []; // of {element, cells}; a cell is {element, target}: the target takes the focus, the cell or the input in it
  const shown = new WeakMap(); // what each cell shows, as JSON
  let home = [0, 0]; // the cell that Tab reaches

  const targetAt = ([row, column]) => rows[row]?.cells[column]?.target;

  // The focus goes first: after a change, and for a cell that has it, the browser would lay out the page to move it.
  function focusOn(row, column) {
    targetAt([row, column]).focus();
    if (choose) choose(row, column);
    else setHome(row, column);
  }

  function setHome(row, column) {
    const [from, to] = [targetAt(home), targetAt([row, column])];
    if (from && from !== to) attribute(from, "tabindex", "-1");
    attribute(to, "tabindex", "0");
    home = [row, column];
  }

  function onkeydown(event, row, column) {
    const { target, key } = event;
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    if (edit) { // within a number, the caret moves first
      const [at, end] = [target.selectionStart, target.value.length];
      const whole = at === 0 && target.selectionEnd === end;
      if (!whole && (key === "Home" || key === "End" || (key === "ArrowLeft" && at > 0) || (key === "ArrowRight" && at < end))) return;
    }
    const to = moved(key, [row, column], [rows.length, rows[0].cells.length]);
    if (!to) return;
    event.preventDefault();
    event.stopPropagation();
    focusOn(...to);
    if (edit) targetAt(to).select();
  }

  function makeCell(row, column) {
    const events = live ? { onkeydown: (event) => onkeydown(event, row, column) } : {};
    if (edit) {
      const input = h("input", {
        ...events, type: "text", autocomplete: "off", spellcheck: "false", tabindex: "-1",
        "aria-label": `${kind} row ${row + 1}, column ${column + 1}`,
        onfocus: () => setHome(row, column),
        oninput: () => refuse(edit(row, column, input.value)),
        onblur: () => {
          input.value = input.dataset.text;
          refuse("");
        },
      });
      const refuse = (sentence) => {
        note.textContent = sentence;
        input.setAttribute("aria-invalid", String(sentence !== ""));
      };
      return { element: h("div", { role: "gridcell" }, input), target: input };
    }
    if (choose) {
      const element = h("div", { ...events, role: "gridcell", tabindex: "-1", onclick: () => focusOn(row, column) });
      return { element, target: element };
    }
    const element = h("div", { role: "cell" });
    return { element, target: element };
  }

  const makeRow = () => ({ element: h("div", { role: "row" }), cells: [] });

  function update(label, values, chosen = null) {
    const hadFocus = table.contains(document.activeElement);
    attribute(table, "aria-label", label);
    fit(rows, values.length, makeRow, table);
    values.forEach(({ length }, row) => fit(rows[row].cells, length, (column) => makeCell(row, column), rows[row].element));
    table.classList.toggle("cb-long", values.flat().some(({ text }) => text.length > 3));
    const mark = (r, c) => (chosen ? { selected: r === chosen[0] && c === chosen[1] } : {});
    values.forEach((row, r) => row.forEach((value, c) => fillCell(rows[r].cells[c], { ...value, ...mark(r, c) })));
    if (!live || !values.length) return;
    setHome(...(chosen ?? [Math.min(home[0], values.length - 1), Math.min(home[1], values[0].length - 1)]));
    if (hadFocus && !table.contains(document.activeElement)) targetAt(home).focus(); // its cell is gone
  }

  function fillCell({ element, target }, value) {
    const { text, class: classes = "", shade = 0, weight = null, selected = null, name = null, fixed = false } = value;
    const wanted = JSON.stringify(value);
    if (shown.get(element) === wanted) return;
    shown.set(element, wanted);
    if (selected !== null) attribute(element, "aria-selected", selected);
    attribute(element, "class", `cb-cell ${classes}`);
    element.style.setProperty("--shade", shade.toFixed(3));
    if (weight === null) delete element.dataset.weight;
    else element.dataset.weight = weight;
    if (name) attribute(target, "aria-label", name);
    if (edit) target.readOnly = fixed;
    if (!edit) write(target, text);
    else if (target.dataset.text !== text) {
      target.dataset.text = text; // the last number understood, put back when the reader leaves the cell
      if (target !== target.ownerDocument.activeElement) target.value = text;
    }
  }

  return { element: edit ? h("div", {}, table, note) : table, update };
}
