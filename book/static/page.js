// What the theme's scripts leave undone, for readers with a keyboard and for paper.

// The theme blurs these buttons when they are pressed, which sends a keyboard reader back to the page's start.
const BLURRED = ".theme-switch-button, .search-button, .primary-toggle, .secondary-toggle";
for (const button of document.querySelectorAll(BLURRED)) button.blur = () => {};

// What copies a cell selects a text of its own and removes it, and the focus with it.
addEventListener("click", ({ target }) => target.closest(".copybtn")?.focus());

// What is wider than its column scrolls, and what scrolls must be reachable by keyboard. The theme knows neither
// formulas nor figures nor what stands in a closed box when the page loads; an observer hears of both when their size changes.
const SCROLLING = ".bd-article :is(pre, figure, div.math, .cell_output > .output, .pst-scrollable-table-container)";
const observer = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
    else target.removeAttribute("tabindex");
  }
});
addEventListener("load", () => document.querySelectorAll(SCROLLING).forEach((each) => observer.observe(each)));

// Once all stands in its place, what scrolls is known, and so is the height of each section: those out of sight can then
// be left out of layout and painting. At another width all of them are laid out once more.
const page = document.documentElement;
let rest;
function settle() {
  clearTimeout(rest);
  delete page.dataset.rested;
  rest = setTimeout(() => {
    if (document.querySelector("script[type$='widget-view+json']") && !page.dataset.widgetsReady) return; // it calls again
    requestAnimationFrame(() => requestAnimationFrame(() => (page.dataset.rested = "")));
  }, 300);
}
new MutationObserver(settle).observe(page, { attributeFilter: ["data-widgets-ready"] });
for (const event of ["load", "resize"]) addEventListener(event, settle);

// Paper is white and cannot be clicked: print in light colors, with the answers open, then put all back.
addEventListener("beforeprint", () => {
  const { theme } = page.dataset;
  const closed = [...document.querySelectorAll("details.sd-dropdown:not([open])")];
  page.dataset.theme = "light";
  for (const answer of closed) answer.open = true;
  const putBack = () => {
    page.dataset.theme = theme;
    for (const answer of closed) answer.open = false;
  };
  addEventListener("afterprint", putBack, { once: true });
});
