// Keyboard repairs that the theme's scripts make necessary.

// The theme blurs these buttons when they are pressed, which sends a keyboard reader back to the page's start.
const BLURRED = ".theme-switch-button, .search-button, .primary-toggle, .secondary-toggle";
for (const button of document.querySelectorAll(BLURRED)) button.blur = () => {};

// What is wider than its column scrolls, and what scrolls must be reachable by keyboard. The theme knows neither
// formulas nor what stands in a closed box when the page loads; an observer hears of both when their size changes.
const SCROLLING = ".bd-article :is(pre, div.math, .cell_output > .output, .pst-scrollable-table-container)";
const observer = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
    else target.removeAttribute("tabindex");
  }
});
addEventListener("load", () => document.querySelectorAll(SCROLLING).forEach((each) => observer.observe(each)));
