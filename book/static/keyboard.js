// Keyboard repairs that the theme's scripts make necessary.

// The theme blurs these buttons on every click, which would send a keyboard reader back to the page's start.
document.addEventListener("click", (event) => {
  const byKeyboard = event.detail === 0;
  if (byKeyboard && !document.querySelector("dialog[open]")) event.target.closest?.("button")?.focus();
});

// What is wider than its column scrolls, and what scrolls must be reachable: the theme sees to code and tables.
const mindFormulas = () => {
  for (const formula of document.querySelectorAll("div.math")) {
    if (formula.scrollWidth > formula.clientWidth) formula.tabIndex = 0;
    else formula.removeAttribute("tabindex");
  }
};
addEventListener("load", mindFormulas);
addEventListener("resize", mindFormulas);
