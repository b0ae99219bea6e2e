// What questions compute: which option a written number is, what is remembered, the line that sums up. No DOM.

import { parseNumber } from "./numbers.mjs";

// What a written number may mean: to some readers 49,152 is 49.152, to others 49152, as 49 152 is. Empty for no number.
export function readings(text) {
  const joined = text.trim().replace(/(?<=\d)[,\s](?=\d{3}(?!\d))/g, "");
  return [parseNumber(joined), parseNumber(text)].filter((x) => !Number.isNaN(x));
}

// The option that a number is: the right one if any reading is near it, else a wrong one, else the last, which stands
// for all others. Options are {option, right}, `option` the number as the book writes it. Null for no number.
export function judge(text, options, tolerance) {
  const numbers = readings(text);
  if (!numbers.length) return null;
  const near = ({ option }) => {
    const wanted = parseNumber(option); // NaN, near nothing, for the last
    return numbers.some((x) => Math.abs(x - wanted) <= tolerance + 1e-12 * Math.abs(wanted));
  };
  return options.find((each) => each.right && near(each)) ?? options.find(near) ?? options.at(-1);
}

const PLACE = "convbook/answers/";

// What readers answered on one page, kept in their own browser: objects by key. `open` gives the browser's storage or
// throws. Where it does, `lasting` turns false and answers are kept until the page goes.
export function memory(open, page) {
  const place = PLACE + page;
  let known = {};
  let lasting = true;

  function attempt(action) {
    try {
      return action(open());
    } catch {
      lasting = false;
      return null;
    }
  }

  // Other windows write too, so the storage is read again before every change. What is no object of ours is dropped.
  function read() {
    const text = attempt((storage) => storage.getItem(place));
    if (!lasting) return known;
    try {
      const found = JSON.parse(text ?? "{}");
      return found && typeof found === "object" && !Array.isArray(found) ? found : {};
    } catch {
      return {};
    }
  }

  known = read();
  return {
    get: (key) => known[key] ?? {},
    set(key, value) {
      known = { ...read(), [key]: value };
      attempt((storage) => storage.setItem(place, JSON.stringify(known)));
    },
    forget() {
      known = {};
      attempt((storage) => storage.removeItem(place));
    },
    forgetAll() {
      known = {};
      attempt((storage) => Object.keys(storage).filter((name) => name.startsWith(PLACE)).forEach((name) => storage.removeItem(name)));
    },
    lasting: () => lasting,
  };
}

// "3 of 8 questions answered correctly. 2 of 6 predictions opened." Each is {kind: "quiz" | "predict", done}.
export function tally(states) {
  const line = (kind, noun, words) => {
    const all = states.filter((each) => each.kind === kind);
    const done = all.filter((each) => each.done).length;
    return all.length ? `${done} of ${all.length} ${noun}${all.length > 1 ? "s" : ""} ${words}.` : "";
  };
  const lines = [line("quiz", "question", "answered correctly"), line("predict", "prediction", "opened")];
  return lines.filter(Boolean).join(" ");
}
