"""The training panel in a real JupyterLab, in a headless Chromium, training for real."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.jupyterlab import WAIT, Notebook, opened

ROOT = Path(__file__).resolve().parents[2]

PREPARE = """\
import torch
from torch import nn
torch.set_num_threads(1)
from convbook.nets import lenet
from convbook.train import Run, TrainingPanel, fit
from convbook.train.randomness import borrowed

generator = torch.Generator().manual_seed(0)
pictures = torch.randn(128, 1, 28, 28, generator=generator)
labels = torch.arange(128) % 10

class Troubled(nn.Sequential):
    def forward(self, x):
        if self.trouble == "memory" and len(x) > 16:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        return super().forward(x.flatten() if self.trouble == "shape" else x)

def build(choice):
    model = Troubled(lenet(), nn.Dropout(0.1))
    model.trouble = choice["trouble"]
    optimizer = torch.optim.SGD(model.parameters(), lr=choice["rate"], momentum=0.9)
    size = choice["batch_size"]
    return Run(model, list(zip(pictures.split(size), labels.split(size))), optimizer)

print("prepared")"""
PANEL = """\
{name} = TrainingPanel(
    build,
    {{"trouble": ["none", "shape", "memory"], "rate": [0.01, 0.001]}},
    epochs={epochs}, batch_size=32, title="{name}",
)
{name}"""
# A cell that a student runs beside a panel. That it answers at all shows that the panel leaves the kernel free, since
# these runs would take hours.
LOOK = "print('answer', {name}.background.state, {name}.run.step)"
# Ends the panel and compares its weights with those of a run of as many batches that nobody has interrupted.
COMPARE = """\
run = first.run
with borrowed(torch.device("cpu"), 0):
    same = build({"trouble": "none", "rate": 0.01, "batch_size": 32})
class Until:
    def batch(self, other, epochs):
        if other.step == run.step:
            other.stop.set()
    def say(self, text): pass
    def stopped(self, other): pass
    def close(self): pass
try:
    fit(same, 10**6, Until())
except KeyboardInterrupt:
    pass
pairs = zip(run.model.state_dict().values(), same.model.state_dict().values())
print("answer", all(torch.equal(a, b) for a, b in pairs), same.step)"""
ENDLESS = 10**6
# Keeps the kernel busy until the test puts a file beside the notebook.
BUSY = """\
import pathlib, time
while not pathlib.Path("go-on").exists():
    time.sleep(0.05)"""
FIRST, LOOK_FIRST, COMPARE_FIRST, SECOND, LOOK_SECOND, OLD_FIRST, END_OF_OLD, CLOSE, FAILING, ORDERED, KEEP_BUSY = (
    range(1, 12)
)
CELLS = {
    0: PREPARE,
    FIRST: PANEL.format(name="first", epochs=ENDLESS) + "\n",
    LOOK_FIRST: LOOK.format(name="first"),
    COMPARE_FIRST: COMPARE,
    SECOND: PANEL.format(name="second", epochs=ENDLESS),
    LOOK_SECOND: LOOK.format(name="second"),
    OLD_FIRST: "old, thread = first, first.background._thread",
    END_OF_OLD: "thread.join(60); print('answer', old.background.state, int(old.run is not None))",
    CLOSE: "first.close(); second.close(); print('answer', 'closed', 0)",
    FAILING: PANEL.format(name="failing", epochs=3),
    ORDERED: PANEL.format(name="ordered", epochs=3),
    KEEP_BUSY: BUSY,
}


# Three more cells for each chapter: all that a reader runs for its panel, the panel, and what it has measured. Two
# epochs show that it learns, and leave CI the time that the rest would take.
CHAPTER = "%reset -f\n{source}\n{name}.epochs = min({name}.epochs, 2)"
ACCURACIES = "print('accuracies', *(run['accuracy'][-1] for run in {name}.runs.values()))"


def chapters() -> Iterator[tuple[str, str, str]]:
    """Of every chapter with a panel: its name, the panel's, and the code that a reader runs to have it.

    These are the code cells of the section that has the panel, down to it, after all that the chapter imports.
    """
    for path in sorted((ROOT / "notebooks" / "chapters").glob("*.ipynb")):
        imports: list[str] = []
        section: list[str] = []
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type == "markdown":
                section = [] if re.search(r"^## ", cell.source, re.MULTILINE) else section
            elif "google.colab" not in cell.source:
                nodes = list(ast.walk(ast.parse(cell.source)))
                imports += [ast.unparse(node) for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]
                section.append(cell.source)
                if made := re.search(r"^(\w+) = TrainingPanel\(", cell.source, re.MULTILINE):
                    yield path.stem, made[1], "\n".join([*imports, *section])
                    break


CHAPTERS = {}
for chapter, name, source in chapters():
    CHAPTERS[chapter] = len(CELLS)
    for cell in (CHAPTER.format(source=source, name=name), name, ACCURACIES.format(name=name)):
        CELLS[len(CELLS)] = cell


@pytest.fixture(scope="module")
def notebook(server: tuple[str, Path], browser: Browser) -> Iterator[Notebook]:
    with opened(server, browser, "panel", CELLS.values()) as notebook:
        assert "prepared" in notebook.run(0).inner_text()
        yield notebook


def press(area: Locator, name: str) -> None:
    """Press a button from the keyboard."""
    area.get_by_role("button", name=name, exact=True).press("Enter")


def shows(area: Locator, text: str) -> None:
    expect(area).to_contain_text(re.compile(text), timeout=WAIT)


def test_cells_answer_while_a_panel_trains_and_a_pause_changes_nothing(notebook: Notebook) -> None:
    area = notebook.run(FIRST)
    press(area, "Start")
    shows(area, "Training none, 0.01, epoch .* loss")
    state, before = notebook.answer(LOOK_FIRST)
    assert state == "training"
    picture = area.get_by_role("img")
    expect(picture).to_have_attribute("alt", re.compile(r"none, 0\.01: after .* the loss went from"), timeout=WAIT)
    shows(area, "the gradient norm is")
    press(area, "Pause")
    shows(area, "Paused: none, 0.01")
    state, paused = notebook.answer(LOOK_FIRST)
    assert (state, notebook.answer(LOOK_FIRST)[1]) == ("paused", paused) and paused > before
    press(area, "Resume")
    shows(area, "Training none, 0.01")
    assert notebook.answer(LOOK_FIRST)[0] == "training"
    press(area, "Stop")
    shows(area, "Stopped: none, 0.01")
    stopped = notebook.answer(LOOK_FIRST)[1]
    assert notebook.answer(COMPARE_FIRST) == ("True", stopped)


def test_two_panels_train_in_turn_and_a_cell_that_runs_again_ends_its_old_panel(notebook: Notebook) -> None:
    first, second = notebook.run(FIRST), notebook.run(SECOND)
    for area in (first, second):
        press(area, "Start")
        shows(area, "Training none, 0.01, epoch .* loss")
    notebook.run(OLD_FIRST)
    first = notebook.run(FIRST)
    shows(first, "Nothing has been trained yet")
    assert notebook.answer(END_OF_OLD) == ("stopped", 0)
    shows(second, "none, 0.01: after .* the loss went from")
    state, step = notebook.answer(LOOK_SECOND)
    assert state == "training"
    press(first, "Start")
    shows(first, "Training none, 0.01, epoch .* loss")
    state, later = notebook.answer(LOOK_SECOND)
    assert state == "training" and later > step
    assert notebook.answer(CLOSE) == ("closed", 0)


def test_what_fails_is_said_in_words_and_a_smaller_batch_is_offered(notebook: Notebook) -> None:
    area = notebook.run(FAILING)
    area.get_by_label("trouble").select_option("shape")
    press(area, "Start")
    shows(area, r"shape, 0.01 failed. RuntimeError: .*It came from line \d+ of forward: return super")
    expect(area.get_by_role("alert")).to_be_visible()
    area.get_by_label("trouble").select_option("memory")
    press(area, "Start")
    shows(area, "memory, 0.01 failed. .*out of memory")
    shows(area, "Take smaller batches")
    press(area, "Try batches of 16")
    shows(area, "Finished: memory, 0.01, batches of 16")


def test_start_takes_what_was_chosen_before_though_the_kernel_hears_of_it_later(
    server: tuple[str, Path], notebook: Notebook
) -> None:
    area = notebook.run(ORDERED)
    press(area, "Start")
    shows(area, "Finished: none, 0.01")
    notebook.begin(KEEP_BUSY)
    # A dropdown's first message waits for the kernel, the others in the page, and Start passes them all.
    for rate in ("0.001", "0.01", "0.001"):
        area.get_by_label("rate").select_option(rate)
    press(area, "Start")
    shows(area, "Starting, as soon as the kernel has read the choices")
    (server[1] / "go-on").touch()
    shows(area, "Finished: none, 0.001")


# The panels of the chapters


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_chapters_panel_trains_two_choices_and_compares_them(notebook: Notebook, chapter: str) -> None:
    first = CHAPTERS[chapter]
    assert "Error" not in notebook.run(first).inner_text()
    area = notebook.run(first + 1)
    for place in (0, -1):
        chosen = []
        for choice in area.get_by_role("combobox").all():
            labels = choice.locator("option").all_inner_texts()
            choice.select_option(labels[place])
            chosen.append(labels[place].replace("\N{NO-BREAK SPACE}", " "))
        press(area, "Start")
        shows(area, f"Finished: {re.escape(', '.join(chosen))}, epoch")
    alt = re.compile(r"epochs the loss went from .* epochs the loss went from")  # both runs
    expect(area.get_by_role("img")).to_have_attribute("alt", alt, timeout=WAIT)
    assert not area.get_by_role("alert").count()
    word, *accuracies = notebook.run(first + 2).inner_text().split()
    assert word == "accuracies" and len(accuracies) == 2 and max(map(float, accuracies)) > 0.4  # guessing gets 0.1
