// The questions of a page, alive: controls for what book/_ext/questions.py has written there.
//
// This is a script of the book's pages, not a widget: it needs no model and no Python. It is joined like one, so that
// it shares the kit. Everything it shows as feedback already stands in the page, formulas set, and is copied from there.

import { h } from "./kit.mjs";
import { judge, memory, readings, tally } from "./questions.math.mjs";

const NO_NUMBER = (text) => `“${text}” is not a number. Write 16, −0.5 or 1/9.`;
const line = (text) => h("p", {}, text);

// A quiz: {update} shows what is remembered, {state} says how far the reader is.
function quiz(root, recall, changed) {
  const { key, tolerance } = root.dataset;
  const fieldset = root.querySelector("fieldset");
  const box = root.nextElementSibling;
  const answers = [...box.querySelectorAll("[data-option]")];
  const options = answers.map(({ dataset }) => ({ option: dataset.option, right: dataset.right === "true" }));
  const choices = [...fieldset.querySelectorAll("input[type=radio]")];
  const field = fieldset.querySelector("input[type=text]");

  const feedback = h("div", { class: "cb-feedback", role: "status" });
  const form = h("form", { novalidate: "", onsubmit });
  root.append(form);
  form.append(fieldset, h("button", { type: "submit" }, "Check"), feedback);
  root.dataset.live = "";

  // What is remembered of this question: {text, option}, the option's verdict being in the page. Nothing else is believed.
  function remembered() {
    const { text = "", option } = recall.get(key);
    const found = options.find((each) => each.option === option);
    return found && typeof text === "string" ? { text, ...found } : null;
  }

  function onsubmit(event) {
    event.preventDefault();
    const text = field ? field.value.trim() : "";
    const picked = choices.find((input) => input.checked)?.value;
    const found = field ? judge(text, options, Number(tolerance)) : options.find(({ option }) => option === picked);
    if (found) {
      recall.set(key, { text, option: found.option });
      changed();
    } else {
      show(null);
      feedback.append(line(!field ? "Choose an answer first." : text ? NO_NUMBER(text) : "Write a number first."));
    }
  }

  function show(given) {
    for (const input of choices) {
      const chosen = input.value === given?.option;
      if (chosen) input.closest("label").dataset.right = given.right;
      else delete input.closest("label").dataset.right;
    }
    feedback.replaceChildren(...(given ? [answers[options.findIndex(({ option }) => option === given.option)].cloneNode(true)] : []));
  }

  function update() {
    const given = remembered();
    for (const input of choices) input.checked = input.value === given?.option;
    if (field) field.value = given?.text ?? "";
    show(given);
  }

  return { update, state: () => ({ kind: "quiz", done: Boolean(remembered()?.right) }) };
}

// A prediction: the answer and the output of the cell below stay covered until the reader has guessed, or asks for them.
function predict(root, recall, changed) {
  const { key, run, number } = root.dataset;
  const answer = root.querySelector(":scope > details");
  const output = run ? root.nextElementSibling.querySelector(".cell_output") : null;
  const covered = [answer, output].filter(Boolean);

  const type = number ? { inputmode: "decimal", maxlength: 40 } : { maxlength: 500 };
  const field = h("input", { type: "text", autocomplete: "off", ...type });
  const note = h("p", { class: "cb-note", role: "status" });
  const form = h("form", { novalidate: "", onsubmit },
    h("label", { class: "cb-blank" }, h("span", {}, number ? "Your guess, a number" : "Your guess"), field),
    h("button", { type: "submit" }, run ? "Guess, then run" : "Guess, then open"),
    h("button", { type: "button", class: "cb-plain", onclick: () => reveal("") }, "Show without guessing"));
  const guess = h("p", { class: "cb-guess", tabindex: "-1" });
  const waiting = h("p", { class: "cb-covered" }, "The output waits for your guess.");
  if (answer) answer.before(form, note, guess);
  else root.append(form, note, guess);
  output?.after(waiting);
  root.dataset.live = "";
  // A link to a figure in there, or the browser's own search, has found it.
  for (const each of covered) each.addEventListener("beforematch", () => reveal(""));

  const remembered = () => {
    const { guess } = recall.get(key);
    return typeof guess === "string" ? guess : null;
  };

  function onsubmit(event) {
    event.preventDefault();
    const text = field.value.trim();
    if (!text) note.textContent = "Write a guess first. Any guess will do.";
    else if (number && !readings(text).length) note.textContent = NO_NUMBER(text);
    else reveal(text);
  }

  function reveal(text) {
    const focused = root.contains(document.activeElement);
    recall.set(key, { guess: text });
    changed();
    if (focused) guess.focus(); // the buttons are gone
  }

  function update() {
    const given = remembered();
    const open = given !== null;
    form.hidden = open;
    guess.hidden = !open;
    guess.textContent = given ? `Your guess: ${given}` : "Shown without a guess.";
    waiting.hidden = open;
    note.textContent = "";
    if (!open) field.value = "";
    for (const each of covered) {
      if (open) each.removeAttribute("hidden");
      else each.setAttribute("hidden", "until-found");
    }
    if (answer) answer.open = open;
  }

  return { update, state: () => ({ kind: "predict", done: remembered() !== null }) };
}

// The browser's storage. What stands in for a denied one (book/_templates/layout.html) keeps nothing.
function storage() {
  if (localStorage.passing) throw new Error("This browser denies its storage.");
  return localStorage;
}

function start() {
  const roots = [...document.querySelectorAll(".cb-quiz, .cb-predict")];
  const recall = memory(storage, roots[0].dataset.page);
  const said = h("p", { role: "status" });
  const where = h("p", { class: "cb-where" });
  const forget = (label, action, words) => h("button", {
    type: "button",
    class: "cb-plain",
    onclick() {
      action();
      questions.forEach(({ update }) => update());
      sum(words);
    },
  }, label);

  const sum = (words = "") => {
    said.textContent = [tally(questions.map(({ state }) => state())), words].filter(Boolean).join(" ");
    where.textContent = recall.lasting()
      ? "Your answers stay in this browser. Nothing is sent anywhere."
      : "This browser keeps nothing for the page: your answers last until you leave it. Nothing is sent anywhere.";
  };

  const questions = roots.map((root) => {
    const question = (root.matches(".cb-quiz") ? quiz : predict)(root, recall, () => {
      question.update();
      sum();
    });
    return question;
  });
  roots.at(-1).closest("section").append(h("div", { class: "cb-tally", role: "group", "aria-label": "Your answers" },
    said, where,
    forget("Forget my answers on this page", recall.forget, "Your answers on this page are forgotten."),
    forget("Forget them in the whole book", recall.forgetAll, "Your answers in the whole book are forgotten.")));
  questions.forEach(({ update }) => update());
  sum();
}

start();
