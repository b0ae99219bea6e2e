// What the theme's scripts leave undone, for readers with a keyboard and for paper.

// The theme blurs these buttons when they are pressed, which sends a keyboard reader back to the page's start.
const BLURRED = ".theme-switch-button, .search-button, .primary-toggle, .secondary-toggle";
for (const button of document.querySelectorAll(BLURRED)) button.blur = () => {};

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

// Paper is white and cannot be clicked: print in light colors, with the answers open, then put all back.
addEventListener("beforeprint", () => {
  const { theme } = document.documentElement.dataset;
  const closed = [...document.querySelectorAll("details.sd-dropdown:not([open])")];
  document.documentElement.dataset.theme = "light";
  for (const answer of closed) answer.open = true;
  const putBack = () => {
    document.documentElement.dataset.theme = theme;
    for (const answer of closed) answer.open = false;
  };
  addEventListener("afterprint", putBack, { once: true });
});
