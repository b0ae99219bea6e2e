// The page of results asks for the pages found, for their excerpts; it gets their words. See book/_ext/excerpts.py.
window.fetch = (address) =>
  new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = address.replace(/^\.\/(.*)\.html$/, "./_static/words/$1.js");
    script.onload = () => resolve(new Response(script.words));
    script.onerror = () => reject(new Error(`${script.src} does not load.`));
    document.head.append(script);
  });

// Sphinx looks for the place as for a CSS selector, which the id of a solution is not.
Search.htmlToText = (words, anchor) => {
  const page = new DOMParser().parseFromString(words, "text/html");
  return (page.getElementById(anchor.slice(1)) ?? page.body).textContent;
};
