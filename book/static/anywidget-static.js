// A host for anywidget models in a page without a kernel.
//
// When the book is built, myst-nb stores the state of every widget in the page (one JSON script) and leaves
// a small script where each view stood. This host reads both and starts the widgets as JupyterLab would, by
// anywidget's front-end contract (anywidget.dev/en/afm): `initialize({ model, signal, experimental })` once a
// model, `render({ model, el, signal, experimental })` once a view. Widgets hear each other through the model:
//
//   model.get(name)            a value of the state
//   model.set(name, value)     or set({ name: value, ... }): changes what differs, then tells the listeners
//   model.on("change:name", f) f(model, value); "change" hears of every set that changed something;
//                              several events with spaces between
//   model.off(event, f)        no f: all of that event; no event: all
//   model.save_changes()       nothing to do: no kernel listens
//   model.send(content)        likewise; a message has no answer
//
// A large binary value is null at first. It comes in a file of its own (book/_ext/latevalues.py) after the reader's
// first sign, when a view is less than a screen away, and is then set as by anyone; until then the view's element
// carries data-late.
//
// `experimental.invoke` rejects, as there is no Python to call. A view that cannot start says so in a
// sentence. When all views have started or said so, <html> carries data-widgets-ready with their number.
//
// Classic and deferred on purpose: browsers refuse module scripts from file://, but import a blob.
(() => {
  const STATE = 'script[type="application/vnd.jupyter.widget-state+json"]';
  const VIEW = 'script[type="application/vnd.jupyter.widget-view+json"]';

  const same = (a, b) => Object.is(a, b) || JSON.stringify(a) === JSON.stringify(b);

  class Model {
    #state;
    #listeners = new Map();

    constructor(state) {
      this.#state = state;
    }

    get(name) {
      return this.#state[name];
    }

    set(name, value) {
      const wanted = typeof name === "object" ? name : { [name]: value };
      const changed = Object.keys(wanted).filter((key) => !same(this.#state[key], wanted[key]));
      for (const key of changed) this.#state[key] = wanted[key];
      for (const key of changed) this.#tell(`change:${key}`, this.#state[key]);
      if (changed.length) this.#tell("change");
    }

    on(events, listener) {
      for (const event of events.split(/\s+/)) {
        this.#listeners.set(event, [...(this.#listeners.get(event) ?? []), listener]);
      }
    }

    off(events, listener) {
      for (const event of events?.split(/\s+/) ?? [...this.#listeners.keys()]) {
        const kept = listener ? (this.#listeners.get(event) ?? []).filter((each) => each !== listener) : [];
        this.#listeners.set(event, kept);
      }
    }

    save_changes() {}

    send() {}

    #tell(event, ...values) {
      for (const listener of this.#listeners.get(event) ?? []) listener(this, ...values);
    }
  }

  const viewOf = (base64) => new DataView(Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0)).buffer);

  // Binary values stand beside the state, as base64 with their path into it, or as a file.
  function unpack({ state, buffers = [] }) {
    for (const { path, data } of buffers) {
      const holder = path.slice(0, -1).reduce((value, key) => value[key], state);
      holder[path.at(-1)] = data === undefined ? null : viewOf(data);
    }
    return state;
  }

  const files = new Map(); // address -> promise of the value in it
  function fetched(address) {
    if (!files.has(address)) {
      files.set(address, new Promise((resolve, reject) => {
        const script = document.createElement("script");
        script.onload = () => resolve(viewOf(script.value));
        script.onerror = () => reject(new Error(`${address} does not load.`));
        script.src = address;
        document.head.append(script);
      }));
    }
    return files.get(address);
  }

  // The first move, touch, key or scroll; whoever only opens a page loads nothing large. A sidebar that the theme
  // scrolls is no sign: its event does not reach the window.
  const reader = new Promise((resolve) => {
    for (const sign of ["pointermove", "pointerdown", "keydown"]) addEventListener(sign, resolve, { once: true, capture: true });
    addEventListener("scroll", resolve, { once: true });
  });

  const near = (el) => new Promise((resolve) => {
    const observer = new IntersectionObserver((entries) => {
      if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
      observer.disconnect();
      resolve();
    }, { rootMargin: "100% 0px" });
    observer.observe(el);
  });

  // A view keeps the most height that its widget has had at this width, so that an answer does not move the page below
  // it: the reader's line stays, and the browser need not paint the rest of the page again.
  function keepPlace(el) {
    let [width, height] = [0, 0];
    new ResizeObserver(([{ borderBoxSize: [box] }]) => {
      const wanted = box.inlineSize === width ? Math.max(height, box.blockSize) : box.blockSize;
      [width, height] = [box.inlineSize, wanted];
      el.style.minBlockSize = `${height}px`;
    }).observe(el.firstElementChild);
  }

  async function bringLate(el, model, late) {
    if (!late.length) return;
    el.dataset.late = late.length;
    await reader;
    await near(el);
    for (const { path: [name], file } of late) model.set(name, model.get(name) ?? (await fetched(file)));
    delete el.dataset.late;
  }

  // Script or style of a model: its own, or those of the model that it names (book/_ext/onescript.py).
  const source = (state, name) => (state[name]?.as_in ? stored[state[name].as_in].state[name] : state[name]);

  const modules = new Map(); // source -> promise of the widget it defines
  function load(source) {
    if (!modules.has(source)) {
      const address = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
      const widget = import(address).then(({ default: value }) => (typeof value === "function" ? value() : value));
      modules.set(source, widget);
    }
    return modules.get(source);
  }

  const context = {
    signal: new AbortController().signal, // never aborted: the page keeps its widgets until it goes
    experimental: { invoke: async () => Promise.reject(new Error("This page has no kernel to call.")) },
  };

  const stored = JSON.parse(document.querySelector(STATE)?.textContent ?? '{"state": {}}').state;
  // All styles before the first widget: a later one would have the whole page's styles worked out again. Each rule once:
  // every widget brings those of the kit, and each rule more is looked at for every element that an answer changes.
  const styles = new Set(Object.values(stored).map(({ state }) => source(state, "_css")).filter(Boolean));
  const rules = new Set();
  for (const css of styles) {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
    for (const { cssText } of sheet.cssRules) rules.add(cssText);
  }
  document.head.append(Object.assign(document.createElement("style"), { textContent: [...rules].join("\n") }));

  const models = new Map(); // id -> promise of { widget, model }, initialized
  function start(id) {
    if (!models.has(id)) models.set(id, initialize(stored[id]));
    return models.get(id);
  }

  async function initialize(entry) {
    if (entry?.model_name !== "AnyModel") throw new Error("It needs Python behind it.");
    const state = unpack(entry);
    const widget = await load(source(state, "_esm"));
    const model = new Model(state);
    await widget.initialize?.({ model, ...context });
    return { widget, model, late: (entry.buffers ?? []).filter(({ file }) => file) };
  }

  async function show(place) {
    const el = document.createElement("div");
    el.className = "anywidget-static";
    place.after(el);
    const fail = (error) => {
      console.error(error);
      el.classList.add("anywidget-failed");
      el.textContent = `This interactive figure could not start. ${error.message} Open the chapter as a notebook to use it.`;
    };
    try {
      const { widget, model, late } = await start(JSON.parse(place.textContent).model_id);
      await widget.render?.({ model, el, ...context });
      if (el.firstElementChild) keepPlace(el);
      bringLate(el, model, late).catch(fail); // nobody waits for what comes late
    } catch (error) {
      fail(error);
    }
  }

  const places = [...document.querySelectorAll(VIEW)];
  Promise.all(places.map(show)).then(() => {
    document.documentElement.dataset.widgetsReady = places.length;
  });
})();
