"""Measure the book's pages as a reader on a slow line meets them.

python tools/bench_pages.py [--page NAME] [--no-build]

Each page of _build/html comes, compressed, from a server on this machine to headless Chromium, held to slow 4G and
to half of its processor's speed. The figures stand beside their aims, and in _build/bench/pages.json.

An answer to an input is the processor time of the page's main thread for a key press on a demo: all it does from the
key to the end of the frame that shows the answer (scripts, style, layout, paint). A wait for the frame to begin, or for
another process of a busy machine, is none of it. It is measured at the processor's full speed, which the aim is for,
and at half of it. Cold and warm builds are timed in a copy of the tree.
"""

import argparse
import gzip
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from operator import itemgetter
from pathlib import Path
from threading import Thread

from browser import chromium
from playwright.sync_api import Browser, CDPSession, Locator, Page

ROOT = Path(__file__).resolve().parent.parent
SLOW_4G = {"offline": False, "latency": 150, "downloadThroughput": 1.6e6 / 8, "uploadThroughput": 0.75e6 / 8}
SLOWDOWN = 2
SCREEN = {"width": 1280, "height": 900}
# What no page should pass; DESIGN's words: light, alive, prompt.
AIMS = {"kilobytes": 350, "kilobytes_plain": 120, "largest_paint_s": 2.5, "demos_ready_s": 3.5, "answer_ms": 16}
BUILD_AIMS = {"cold_s": 600, "warm_s": 30}
PACKED = {".woff", ".woff2", ".png", ".jpg"}  # compressed by their format
CONTROLS = {
    "th[tabindex='0']": ("ArrowDown", "ArrowUp"),
    "input[type=range]": ("ArrowRight", "ArrowLeft"),
    "input[type=number]": ("ArrowUp", "ArrowDown"),
    "[role=gridcell][tabindex='0']": ("ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp"),
    ".cb-maps": ("ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp"),
    ".cb-canvas": ("Space", "ArrowRight", "Space", "ArrowDown"),
}
OBSERVE = """
window.bench = { paint: 0, ready: 0 };
new PerformanceObserver((list) => { for (const entry of list.getEntries()) bench.paint = entry.startTime; })
  .observe({ type: "largest-contentful-paint", buffered: true });
new MutationObserver(() => { bench.ready ||= document.querySelector("html[data-widgets-ready]") && performance.now(); })
  .observe(document, { subtree: true, attributes: true, attributeFilter: ["data-widgets-ready"] });
addEventListener("keydown", () => {
  performance.mark("bench: key");
  requestAnimationFrame(() => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => performance.mark("bench: shown"); // the first task after the frame
    port2.postMessage(0);
  });
}, true);
"""
TWO_FRAMES = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))))"
FOCUS = """(demo, [kind, index]) => {
  const controls = demo.querySelectorAll(kind); // fewer than before, perhaps, after the last answer
  controls[Math.min(index, controls.length - 1)].focus();
}"""
# The demo has its large values, and the page its last place (page.js).
AT_REST = """(demo) => !("late" in demo.dataset)
  && (!document.querySelector("script[src*='page.js']") || "rested" in document.documentElement.dataset)"""
A_FRAME = 60  # milliseconds; asking the page whether it has come would be work of the page's main thread
KEY, SHOWN = MARKS = ("bench: key", "bench: shown")
# Tasks and marks alone: the categories that tell style from layout walk the whole page for each of their events.
TRACE = {"includedCategories": ["toplevel", "blink.user_timing"], "excludedCategories": ["*"]}


class Compressing(SimpleHTTPRequestHandler):
    """Files as a public server sends them: connections stay open, and text is compressed."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        file = Path(self.translate_path(self.path))
        if not file.is_file():
            self.send_error(404)
            return
        content = file.read_bytes()
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(str(file)))
        if file.suffix not in PACKED:
            content = gzip.compress(content)
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments: object) -> None:
        pass


@contextmanager
def serve(folder: Path) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Compressing, directory=str(folder))) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def measure(browser: Browser, address: str, loads: int, inputs: int) -> dict:
    """The page's figures: medians over `loads` first visits, and the answers of each demo to `inputs` key presses."""
    visits = [visit(browser, address, inputs if index == 0 else 0) for index in range(loads)]
    figures = {key: visits[0][key] for key in ("requests", "rich", "demos")}
    for key in ("kilobytes", "largest_paint_s", "demos_ready_s"):
        values = [each[key] for each in visits]
        figures[key] = None if values[0] is None else round(statistics.median(values), 2)
    return figures | {"misses": misses(figures)}


def visit(browser: Browser, address: str, inputs: int) -> dict:
    """One first visit, with nothing in any cache."""
    context = browser.new_context(viewport=SCREEN)
    try:
        page = context.new_page()
        page.add_init_script(OBSERVE)
        devtools = context.new_cdp_session(page)
        loaded: list[float] = []
        devtools.on("Network.loadingFinished", lambda event: loaded.append(event["encodedDataLength"]))
        devtools.send("Network.enable")
        devtools.send("Network.emulateNetworkConditions", SLOW_4G)
        devtools.send("Emulation.setCPUThrottlingRate", {"rate": SLOWDOWN})
        page.goto(address, wait_until="load", timeout=120_000)
        demos = page.locator(".anywidget-static")
        if page.locator("script[type$='widget-view+json']").count():
            page.wait_for_selector("html[data-widgets-ready]", timeout=120_000)
        page.wait_for_load_state("networkidle", timeout=120_000)
        seen = page.evaluate("bench")
        return {
            "kilobytes": sum(loaded) / 1000,
            "requests": len(loaded),
            "rich": bool(demos.count() or page.locator(".katex").count()),
            "largest_paint_s": seen["paint"] / 1000,
            "demos_ready_s": seen["ready"] / 1000 if demos.count() else None,
            "demos": [answers(page, devtools, demo, inputs) for demo in demos.all()] if inputs else [],
        }
    finally:
        context.close()


def answers(page: Page, devtools: CDPSession, demo: Locator, inputs: int) -> dict:
    """Milliseconds of a demo's answers, at full speed (median and worst) and slowed; keys go round its controls."""
    name = demo.evaluate("(element) => element.querySelector('[aria-label]')?.getAttribute('aria-label') ?? ''")
    demo.scroll_into_view_if_needed()
    page.mouse.move(1, 1)  # a reader is there, for whom large values come
    page.wait_for_function(AT_REST, arg=demo.element_handle(), timeout=60_000)
    times = press(page, devtools, demo, inputs, slowdown=1)
    slowed = press(page, devtools, demo, inputs, slowdown=SLOWDOWN)
    if not times:
        return {"demo": name, "inputs": 0, "median_ms": None, "worst_ms": None, "slowed_ms": None}
    return {
        "demo": name,
        "inputs": len(times),
        "median_ms": round(statistics.median(times), 1),
        "worst_ms": round(max(times), 1),
        "slowed_ms": round(statistics.median(slowed), 1),
    }


def press(page: Page, devtools: CDPSession, demo: Locator, inputs: int, slowdown: int) -> list[float]:
    """What each of `inputs` key presses costs, in milliseconds; none for a demo without a control that keys move."""
    devtools.send("Emulation.setCPUThrottlingRate", {"rate": slowdown})
    controls = [(kind, i, keys) for kind, keys in CONTROLS.items() for i in range(demo.locator(kind).count())]
    with traced(page) as events:
        for step in range(inputs if controls else 0):
            kind, index, keys = controls[step % len(controls)]
            demo.evaluate(FOCUS, [kind, index])
            page.evaluate(TWO_FRAMES)
            page.keyboard.press(keys[step // len(controls) % len(keys)])
            page.wait_for_timeout(A_FRAME)
        page.evaluate(TWO_FRAMES)
    return spent(events)


@contextmanager
def traced(page: Page) -> Iterator[list[dict]]:
    """What Chromium's tracer says of the time inside; whole when the context ends."""
    events: list[dict] = []
    ended: list[dict] = []
    devtools = page.context.browser.new_browser_cdp_session()
    devtools.on("Tracing.dataCollected", lambda part: events.extend(part["value"]))
    devtools.on("Tracing.tracingComplete", lambda event: ended.append(event))
    devtools.send("Tracing.start", {"transferMode": "ReportEvents", "traceConfig": TRACE})
    yield events
    devtools.send("Tracing.end")
    while not ended:
        page.wait_for_timeout(20)
    devtools.detach()


def spent(events: list[dict]) -> list[float]:
    """Milliseconds of processor time on the main thread from each key to the end of the frame that shows its answer."""
    marks = {name: sorted((e for e in events if e["name"] == name), key=itemgetter("ts")) for name in MARKS}
    if not marks[KEY]:
        return []
    thread = itemgetter("pid", "tid")
    tasks = [e for e in events if "tdur" in e and e["name"].endswith("RunTask") and thread(e) == thread(marks[KEY][0])]
    return [
        sum(task["tdur"] for task in tasks if key["ts"] < task["ts"] + task["dur"] <= shown["ts"]) / 1000
        for key, shown in zip(*marks.values(), strict=True)
    ]


def misses(figures: dict) -> list[str]:
    """A sentence for each aim that the page misses."""
    weight = AIMS["kilobytes" if figures["rich"] else "kilobytes_plain"]
    compared = [
        ("weighs", figures["kilobytes"], weight, "kB"),
        ("has its largest paint after", figures["largest_paint_s"], AIMS["largest_paint_s"], "s"),
        ("has its demos ready after", figures["demos_ready_s"], AIMS["demos_ready_s"], "s"),
        *(
            (f"answers in {demo['demo']}, at the median, within", demo["median_ms"], AIMS["answer_ms"], "ms")
            for demo in figures["demos"]
        ),
    ]
    return [f"{what} {value} {unit}; the aim is {aim}" for what, value, aim, unit in compared if value and value > aim]


def time_builds() -> dict[str, float]:
    """Seconds of a first build and of one after it, in a copy of the tree beside which nothing was built."""
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        away = shutil.ignore_patterns("_build", "node_modules", "__pycache__", ".[!c]*", ".cache")
        shutil.copytree(ROOT, tree, ignore=away)
        (tree / "node_modules").symlink_to(ROOT / "node_modules")
        environment = os.environ | {"PYTHONPATH": str(tree)}
        seconds = {}
        for kind in BUILD_AIMS:
            started = time.monotonic()
            build = [sys.executable, "tools/book.py"]
            done = subprocess.run(build, cwd=tree, env=environment, capture_output=True, text=True, check=False)
            if done.returncode:
                sys.exit(f"bench: the book does not build:\n{done.stdout[-3000:]}{done.stderr}")
            seconds[kind] = round(time.monotonic() - started, 1)
        return seconds


def tell(name: str, figures: dict) -> None:
    ready = f"{figures['demos_ready_s']:.2f} s" if figures["demos_ready_s"] is not None else "-"
    limit = AIMS["kilobytes" if figures["rich"] else "kilobytes_plain"]
    print(
        f"{name:<32} {figures['kilobytes']:6.0f} of {limit} kB {figures['requests']:4} requests   "
        f"largest paint {figures['largest_paint_s']:.2f} s   demos ready {ready}",
        flush=True,
    )
    for demo in figures["demos"]:
        if demo["inputs"]:
            told = (
                f"median {demo['median_ms']} ms, worst {demo['worst_ms']} ms of {demo['inputs']} inputs; "
                f"median {demo['slowed_ms']} ms on a processor {SLOWDOWN} times slower"
            )
        else:
            told = "no control that arrow keys move"
        print(f"{'':<34} {demo['demo']}: {told}")
    for miss in figures["misses"]:
        print(f"{'':<34} MISSED: {miss}")


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--html", type=Path, default=ROOT / "_build" / "html", help="the built book")
    parser.add_argument("--page", action="append", help="a page under it (default: all)")
    parser.add_argument("--loads", type=int, default=3, help="first visits a page, of which the median counts")
    parser.add_argument("--inputs", type=int, default=40, help="key presses a demo")
    parser.add_argument("--no-build", action="store_true", help="do not time the build of the book")
    parser.add_argument("--json", type=Path, default=ROOT / "_build" / "bench" / "pages.json", help="where to save")
    options = parser.parse_args(arguments)
    built = (page.relative_to(options.html).as_posix() for page in options.html.glob("**/*.html"))
    names = options.page or sorted(name for name in built if name != "index.html")  # that one only leads to the front
    if not names:
        sys.exit(f"{options.html} holds no book. Run `make book` first.")
    result = {
        "machine": {"system": platform.platform(), "cores": os.cpu_count(), "load": os.getloadavg()[0]},
        "conditions": {"network": SLOW_4G, "slowdown": SLOWDOWN, "screen": SCREEN, "loads": options.loads},
        "aims": AIMS | BUILD_AIMS,
        "pages": {},
    }
    with serve(options.html) as address, chromium() as browser:
        for name in names:
            figures = measure(browser, f"{address}/{name}", options.loads, options.inputs)
            result["pages"][name] = figures
            tell(name, figures)
    if not options.no_build:
        result["build"] = time_builds()
        for kind, seconds in result["build"].items():
            aim = f"aim for ten chapters on two cores: {BUILD_AIMS[kind]} s"
            print(f"build, {kind.removesuffix('_s')}: {seconds} s ({aim})")
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(result, indent=1) + "\n")
    print(f"bench: {options.json}")


if __name__ == "__main__":
    main()
