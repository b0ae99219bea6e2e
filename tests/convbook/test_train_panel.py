"""The panel without a page: what its buttons do, what it keeps, and what is shown where there are no widgets."""

import gc
import io
import os
import signal
import threading
import weakref
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
import torch
from nbclient import NotebookClient
from torch import nn

import convbook.train.__main__ as sample
from convbook.nets import lenet
from convbook.train import History, Run, TrainingPanel, curves, fit, summary
from convbook.train.background import Background
from convbook.train.drawing import STYLES
from convbook.train.progress import Progress

IMAGES = torch.randn(16, 1, 4, 4, generator=torch.Generator().manual_seed(0))
LABELS = torch.arange(16) % 3
WAIT = 120  # seconds, on a busy machine


class Gate(nn.Module):
    """Lets batches through one by one, so that a test knows where a run is."""

    def __init__(self) -> None:
        super().__init__()
        self.arrived, self.open = threading.Semaphore(0), threading.Semaphore(0)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.arrived.release()
        assert self.open.acquire(timeout=WAIT)
        return x


class Fails(nn.Module):
    def __init__(self, error: BaseException, largest: int) -> None:
        super().__init__()
        self.error, self.largest = error, largest

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if len(x) > self.largest:
            raise self.error
        return x


def make(size: int = 4, *first: nn.Module) -> Run:
    model = nn.Sequential(*first, nn.Flatten(), nn.Dropout(0.2), nn.Linear(16, 3))
    data = list(zip(IMAGES.split(size), LABELS.split(size), strict=True))
    return Run(model, data, torch.optim.SGD(model.parameters(), lr=0.1), validation=data)


@pytest.fixture
def panels() -> Iterator[Callable[..., TrainingPanel]]:
    made = []

    def panel(build: Callable[[Any], Run], choices: Any = None, **more: Any) -> TrainingPanel:
        made.append(TrainingPanel(build, choices or {"rate": [0.1, 0.01]}, **more))
        return made[-1]

    yield panel
    for one in made:
        one.close()
        if (run := one.run) is not None:
            for module in run.model.modules():
                if isinstance(module, Gate):
                    module.open.release(1000)
        assert one.wait(WAIT)


def weights(run: Run | None) -> list[Any]:
    assert run is not None
    return [value.tolist() for value in run.model.state_dict().values()]


def test_a_panel_computes_what_fit_computes_whatever_is_pressed(panels: Callable[..., TrainingPanel]) -> None:
    gates: list[Gate] = []

    def build(choice: dict[str, Any]) -> Run:
        gates.append(Gate())
        return make(choice["batch_size"], gates[-1])

    plain, pressed = (panels(build, batch_size=4, epochs=2) for _ in range(2))
    plain._main.click()
    while not gates:
        pass
    gates[0].open.release(1000)
    assert plain.wait(WAIT) and plain.background.state == "finished"

    pressed._main.click()
    while len(gates) < 2:
        pass
    gate = gates[1]
    for done in range(3):
        assert gate.arrived.acquire(timeout=WAIT)
        pressed._main.click()
        pressed.refresh()
        assert pressed.background.state == "pausing" and "Pausing after this batch" in pressed._status.value
        gate.open.release()
        assert pressed.wait(WAIT)
        pressed.refresh()
        run = pressed.run
        assert run is not None and run.step == done + 1  # the batch that was under way, and no other
        assert pressed.background.state == "paused" and pressed._main.description == "Resume"
        torch.rand(5)
        pressed._main.click()
    gate.open.release(1000)
    assert pressed.wait(WAIT) and pressed.background.state == "finished"
    assert weights(pressed.run) == weights(plain.run)
    one, other = pressed.background.history, plain.background.history
    assert one.points == other.points and one["validation_loss"] == other["validation_loss"]


def test_stop_ends_the_run_and_the_next_one_frees_its_model(panels: Callable[..., TrainingPanel]) -> None:
    gates: list[Gate] = []

    def build(choice: dict[str, Any]) -> Run:
        gates.append(Gate())
        return make(4, gates[-1])

    panel = panels(build)
    panel.start(rate=0.01)
    while not gates:
        pass
    assert gates[0].arrived.acquire(timeout=WAIT)
    panel._stop.click()
    gates[0].open.release()
    assert panel.wait(WAIT)
    panel.refresh()
    assert panel.background.state == "stopped" and "Stopped: 0.01" in panel._status.value
    assert panel.run is not None and panel.run.step == 1
    model = weakref.ref(panel.run.model)
    gates.clear()
    panel.start()
    while not gates:
        pass
    gates[0].open.release(1000)
    assert panel.wait(WAIT)
    gc.collect()
    assert model() is None
    panel.refresh()
    assert list(panel.runs) == ["0.01", "0.1"]
    model = weakref.ref(panel.run.model)
    gates.clear()
    panel.close()
    gc.collect()
    assert model() is None and panel.run is None


def test_a_run_may_be_told_to_stop_while_it_is_built() -> None:
    building, go_on = threading.Event(), threading.Event()

    def build() -> Run:
        building.set()
        assert go_on.wait(WAIT)
        return make()

    background = Background()
    background.start(build, 5)
    assert building.wait(WAIT) and background.state == "building"
    background.pause()
    go_on.set()
    assert background.join(WAIT) and background.state == "paused"
    assert background.run is not None and background.run.step == 0
    background.resume()
    assert background.join(WAIT) and background.state == "finished" and background.run.epoch == 5
    background.close()
    assert background.run is None
    with pytest.raises(RuntimeError, match="The panel is closed"):
        background.start(make, 1)


def test_a_panel_that_takes_anothers_place_waits_until_that_one_has_let_go() -> None:
    gate, old, new = Gate(), Background(), Background()
    models = []
    old.start(lambda: make(4, gate), 1)
    assert gate.arrived.acquire(timeout=WAIT) and old.run is not None
    model = weakref.ref(old.run.model)

    def build() -> Run:
        gc.collect()
        models.append(model())
        return make()

    old.close()
    new.succeed(old)
    new.start(build, 1)
    gate.open.release(1000)
    assert new.join(WAIT) and models == [None]


def test_an_interrupt_in_the_foreground_is_a_pause(panels: Callable[..., TrainingPanel]) -> None:
    class Interrupts(nn.Module):
        calls = 0

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            Interrupts.calls += 1
            if Interrupts.calls == 2:
                os.kill(os.getpid(), signal.SIGINT)
            return x

    panel, other = panels(lambda choice: make(4, Interrupts())), panels(lambda choice: make(4, nn.Identity()))
    with pytest.raises(KeyboardInterrupt):
        panel.train()
    assert panel.background.state == "paused" and panel.run is not None and panel.run.step == 2
    panel._main.click()
    assert panel.wait(WAIT) and panel.background.state == "finished"
    other.train()
    assert weights(panel.run) == weights(other.run)


def test_only_one_run_at_a_time_a_panel(panels: Callable[..., TrainingPanel]) -> None:
    gate = Gate()
    panel = panels(lambda choice: make(4, gate))
    panel.start()
    assert gate.arrived.acquire(timeout=WAIT)
    with pytest.raises(RuntimeError, match="cannot start a run now"):
        panel.start()
    with pytest.raises(RuntimeError, match="cannot start a run now"):
        panel.train()
    gate.open.release(1000)
    assert panel.wait(WAIT) and panel.background.state == "finished"


@pytest.mark.parametrize(
    ("error", "words", "smaller"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. <b>Tried</b>"), "Take smaller batches", True),
        (RuntimeError("CUDA error: unspecified launch failure"), "until the kernel is restarted", False),
        (KeyError("the student's own"), "It came from line", False),
        (SystemExit("a model that calls exit()"), "It came from line", False),
    ],
)
def test_a_failure_is_told_and_the_panel_lives_on(
    panels: Callable[..., TrainingPanel], error: BaseException, words: str, smaller: bool
) -> None:
    panel = panels(lambda choice: make(choice["batch_size"], Fails(error, 4)), batch_size=8)
    panel.start()
    assert panel.wait(WAIT)
    panel.refresh()
    shown = panel._status.value
    assert panel.background.state == "failed" and panel.run is None
    assert 'role="alert"' in shown and type(error).__name__ in shown and words in shown and "<b>Tried" not in shown
    assert "Traceback (most recent call last)" in shown and "return self" not in shown.split("<details>")[0]
    assert (panel._smaller.layout.display != "none") == smaller
    panel._smaller.click()
    assert panel.wait(WAIT)
    panel.refresh()
    assert panel.background.state == "finished" and panel.batch_size == 4
    assert list(panel.runs) == ["0.1, batches of 4"] and 'role="alert"' not in panel._status.value


@pytest.mark.parametrize("error", [KeyError("the student's own"), SystemExit("a model that calls exit()")])
def test_a_failure_in_the_foreground_is_raised_and_told_as_well(
    panels: Callable[..., TrainingPanel], error: BaseException
) -> None:
    panel = panels(lambda choice: make(choice["batch_size"], Fails(error, 4)), batch_size=8)
    with pytest.raises(type(error), match=r"the student's own|calls exit"):
        panel.train()
    assert panel.background.state == "failed" and panel.run is None
    assert 'role="alert"' in panel._status.value and type(error).__name__ in panel._status.value


def test_a_rate_that_is_too_high_is_raised_with_advice_and_its_curves_stay(
    panels: Callable[..., TrainingPanel],
) -> None:
    class Explodes(nn.Module):
        calls = 0

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            self.calls += 1
            return x * (1.0 if self.calls < 4 else 1e38) * 100

    panel = panels(lambda choice: make(4, Explodes()), {"rate": [0.1]}, epochs=2)
    with pytest.raises(FloatingPointError, match="The loss became nan at batch 4 of epoch 1"):
        panel.train()
    shown = panel._status.value
    assert panel.background.state == "failed" and 'role="alert"' in shown
    assert "try a tenth of the rate" in shown and "(here 0.1)" in shown
    assert [point["step"] for point in panel.runs["0.1"].points] == [1, 2, 3]


def test_build_must_return_a_run(panels: Callable[..., TrainingPanel]) -> None:
    panel = panels(lambda choice: None)
    panel.start()
    assert panel.wait(WAIT)
    panel.refresh()
    assert "returned NoneType. It must return a Run" in panel._status.value


def test_remarks_on_a_run_are_shown_once(panels: Callable[..., TrainingPanel]) -> None:
    panel = panels(lambda choice: make(4, nn.Flatten(), nn.Sequential(), Scale()))
    panel.start()
    assert panel.wait(WAIT)
    panel.refresh()
    assert panel._status.value.count("guessing costs log 3") == 1


class Scale(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return 1000 * x


def test_choices_have_labels_and_values(panels: Callable[..., TrainingPanel]) -> None:
    chosen = []

    def build(choice: dict[str, Any]) -> Run:
        chosen.append(choice)
        return make()

    panel = panels(
        build, {"activation": [nn.ReLU, nn.Tanh], "skips": {"with": True, "without": False}, "depth": [8, 20]}
    )
    panel.train(activation=nn.Tanh, skips="without")
    panel.train(skips=True, depth="20")
    panel.train(skips=True, depth=20)
    assert chosen[0] == {"batch_size": 128, "activation": nn.Tanh, "skips": False, "depth": 8}
    assert chosen[1] == {"batch_size": 128, "activation": nn.ReLU, "skips": True, "depth": 20}
    assert list(panel.runs) == ["Tanh, without, 8", "ReLU, with, 20", "ReLU, with, 20 (2)"]
    with pytest.raises(ValueError, match=r"depth cannot be 9\. Choose from 8, 20"):
        panel.train(depth=9)
    with pytest.raises(ValueError, match="nothing called width to choose; there is activation, skips, depth"):
        panel.start(width=3)
    with pytest.raises(ValueError, match="nothing to choose for depth"):
        panels(build, {"depth": []})
    panel._clear.click()
    panel.refresh()
    assert panel.runs == {} and panel._curves.value == ""


def test_training_in_the_foreground_equals_training_in_the_background(panels: Callable[..., TrainingPanel]) -> None:
    one, other = (panels(lambda choice: make(), epochs=2) for _ in range(2))
    one.start()
    assert one.wait(WAIT)
    history = other.train()
    assert weights(one.run) == weights(other.run) and history.points == one.background.history.points


# Curves and words


def measured(scale: float = 1.0, epochs: int = 3) -> History:
    history = History(layers=["first", "last"])
    for step in range(1, epochs * 4 + 1):
        norms = [scale / step, scale]
        point = {"loss": scale * 2 / step, "accuracy": 1 - 1 / step, "gradient": scale, "layers": norms}
        history.points.append({"step": step, "epoch": step / 4, **point})
    for epoch in range(1, epochs + 1):
        history.rows.append({"epoch": epoch, "loss": 1.0, "accuracy": 0.5, "validation_loss": 1.5})
        history.rows[-1] |= {"validation_accuracy": 0.4, "rate": 0.1, "seconds": 2.0}
    return history


def test_curves_show_every_point_of_every_run() -> None:
    runs = {"one": measured(), "two": measured(2.0), "not yet": History()}
    loss, accuracy, gradient, layers = curves(runs).axes
    line, marks = loss.lines[0], loss.lines[1]
    assert line.get_xydata().tolist() == [[p["epoch"], p["loss"]] for p in runs["one"].points]
    assert marks.get_xydata().tolist() == [[1, 1.5], [2, 1.5], [3, 1.5]]
    assert accuracy.lines[0].get_ydata()[-1] == runs["one"].points[-1]["accuracy"]
    assert layers.lines[1].get_ydata().tolist() == runs["two"].points[-1]["layers"]
    assert gradient.get_yscale() == "log"
    assert [text.get_text() for text in loss.figure.legends[0].get_texts()] == ["one", "two", "not yet"]


def test_a_gradient_of_zero_everywhere_can_be_drawn() -> None:
    history = measured(0.0)
    assert curves({"dead": history}).axes[2].get_yscale() == "linear"
    ElementTree.fromstring(curves({"dead": history}).svg())


def test_runs_differ_without_color() -> None:
    assert (
        len({str(style["linestyle"]) for style in STYLES}) == len({style["marker"] for style in STYLES}) == len(STYLES)
    )


def test_the_picture_is_the_same_file_again() -> None:
    runs = {"one": measured()}
    assert curves(runs).svg() == curves(runs).svg()


def test_the_summary_says_what_the_picture_shows() -> None:
    assert summary({"one": measured(), "two": History()}) == [
        "one: after 3.0 epochs the loss went from 2.00 to 0.17, the accuracy is 91.7%, on validation data 40.0%, "
        "the gradient norm is 1, 0.083 in first and 1 in last.",
        "two: nothing measured yet.",
    ]


# Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_a_line_an_epoch_in_a_file_and_a_bar_in_a_terminal() -> None:
    file, terminal = io.StringIO(), Terminal()
    fit(make(), 2, Progress(file))
    fit(make(), 2, Progress(terminal))
    lines = file.getvalue().splitlines()
    assert len(lines) == 2 and lines[0].startswith("epoch 1  loss ") and "validation accuracy" in lines[0]
    assert "\x1b" not in file.getvalue()
    assert "Epoch 1 of 2, batch 1 of 4, loss" in terminal.getvalue() and "[###" in terminal.getvalue()
    assert terminal.getvalue().endswith("\r\x1b[K")


# Where there are no widgets

CELLS = """\
import torch
from torch import nn
from convbook.train import Run, TrainingPanel, curves, fit
torch.set_num_threads(1)
def build(choice):
    model = nn.Sequential(nn.Flatten(), nn.Linear(16, 3))
    data = [(torch.randn(4, 1, 4, 4), torch.tensor([0, 1, 2, 0]))] * 3
    return Run(model, data, torch.optim.SGD(model.parameters(), lr=choice["rate"]))
fit(build({"rate": 0.1}), 2);
#---
panel = TrainingPanel(build, {"rate": [0.1, 0.01]}, epochs=2)
panel.train(rate=0.01);
#---
panel
#---
curves(panel.runs)
#---
import os, signal
class Interrupts(nn.Flatten):
    def forward(self, x):
        os.kill(os.getpid(), signal.SIGINT)
        return super().forward(x)
run = build({"rate": 0.1})
run.model[0] = Interrupts()
try:
    fit(run, 1)
except KeyboardInterrupt:
    print("interrupted after", run.step)
#---
run.model[0] = nn.Flatten()
fit(run, 1)"""


def test_a_notebook_that_runs_without_a_page_has_text_and_a_picture(tmp_path: Path) -> None:
    cells = [nbformat.v4.new_code_cell(source) for source in CELLS.split("#---\n")]
    notebook = nbformat.v4.new_notebook(cells=cells)
    NotebookClient(notebook, timeout=WAIT, kernel_name="python3", resources={"metadata": {"path": tmp_path}}).execute()
    first, trained, shown, drawn, interrupted, resumed = (cell.outputs for cell in notebook.cells)
    (bar,) = first
    assert "Trained for 2 epochs" in bar.data["text/plain"] and "| epoch | loss |" in bar.data["text/plain"]
    assert "<table>" in bar.data["text/html"] and "widget" not in str(bar.data)
    assert "Trained for 2 epochs" in trained[0].data["text/plain"]
    (panel,) = shown
    assert "0.01: after 2.0 epochs the loss went from" in panel.data["text/plain"]
    assert "panel.train(rate='0.1')" in panel.data["text/plain"]
    assert panel.data["application/vnd.jupyter.widget-view+json"]["model_id"]
    assert ElementTree.fromstring(panel.data["image/svg+xml"]).tag.endswith("svg")
    assert drawn[0].data["image/svg+xml"] == panel.data["image/svg+xml"]
    assert drawn[0].data["text/plain"].startswith("0.01: after 2.0 epochs")
    assert "Stopped after batch 1 of 3 in epoch 1." in interrupted[0].data["text/plain"]
    assert interrupted[1].text == "interrupted after 1\n"
    assert "Trained for 1 epoch in" in resumed[0].data["text/plain"]


def test_the_sample_script_trains_lenet_and_saves_its_weights(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = sample.fashion_mnist

    def few(split: str, *, bundled: bool) -> Any:
        from convbook.data import subset

        return subset(whole(split, bundled=bundled), 240)

    monkeypatch.setattr(sample, "fashion_mnist", few)
    out = tmp_path / "weights.pt"
    arguments = ["--bundled", "--epochs", "1", "--device", "cpu", "--threads", "1", "--out", str(out)]
    sample.main(arguments)
    printed = capsys.readouterr().out
    assert "laptop budget" in printed and "epoch 1  loss" in printed and "Accuracy on 240 test pictures" in printed
    lenet().load_state_dict(torch.load(out, weights_only=True))
    with pytest.raises(SystemExit):
        sample.main(["--out", str(tmp_path / "no" / "weights.pt")])
    assert "there is no folder" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        sample.main(["--device", "cuda:99", "--out", str(out)])
    assert "cuda:99" in capsys.readouterr().err
