"""Training: what `fit` computes, what it keeps, and that an interrupted run ends like one that was not."""

import copy
import inspect
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from convbook.data import Split, batches
from convbook.train import History, Run, evaluate, fit, setup
from convbook.train.meter import gradient_norms, hits
from convbook.train.randomness import Turns, borrowed, mix

pytestmark = pytest.mark.usefixtures("one_thread")

CLASSES = ("low", "high", "left")


def split(n: int = 44) -> Split:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (n, 6, 6), dtype=np.uint8)
    return Split(images, rng.integers(0, 3, n), CLASSES, (0.5,), (0.3,), "made up")


def network() -> nn.Sequential:
    """With all that has a state or draws: batch norm and dropout."""
    torch.manual_seed(1)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(0.5), nn.Flatten(), nn.Linear(64, 3)
    )


def loader(_: int = 0) -> Any:
    part = split()
    data = torch.utils.data.TensorDataset(torch.from_numpy(part.images)[:, None] / 255, torch.from_numpy(part.labels))
    return torch.utils.data.DataLoader(data, batch_size=8, shuffle=True)


SCHEDULES: dict[str, Callable[[Any], Any]] = {
    "none": lambda optimizer: None,
    "one cycle": lambda o: torch.optim.lr_scheduler.OneCycleLR(o, 0.1, total_steps=40),
    "milestones": lambda o: torch.optim.lr_scheduler.MultiStepLR(o, [3, 9]),
    "warm-up, then cosine": lambda o: torch.optim.lr_scheduler.SequentialLR(
        o,
        [
            torch.optim.lr_scheduler.LinearLR(o, 0.1, total_iters=4),
            torch.optim.lr_scheduler.CosineAnnealingLR(o, 14),
        ],
        [4],
    ),
}


def make(checkpoint: Path | None = None, *, schedule: str = "one cycle", adam: bool = False, data: Any = None) -> Run:
    model = network()
    optimizer: torch.optim.Optimizer = (
        torch.optim.AdamW(model.parameters(), lr=0.01)
        if adam
        else torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    )
    return Run(
        model,
        data if data is not None else batches(split(), 8, seed=3),
        optimizer,
        validation=batches(split(20), 7),
        schedule=SCHEDULES[schedule](optimizer),
        checkpoint=checkpoint,
        seed=5,
    )


class Quiet:
    """Watches, keeps what is said, and stops the run after some batches."""

    def __init__(self, stop_at: int | None = None) -> None:
        self.stop_at, self.said, self.batches, self.closed = stop_at, [], 0, False

    def batch(self, run: Run, epochs: int) -> None:
        self.batches += 1
        if run.step == self.stop_at:
            run.stop.set()

    def say(self, text: str) -> None:
        self.said.append(text)

    def stopped(self, run: Run) -> None:
        self.said.append(f"stopped after {run.where()}")

    def close(self) -> None:
        self.closed = True


def state(run: Run) -> dict[str, Any]:
    """All that a run is, the clock aside."""
    rows = [{k: v for k, v in row.items() if k != "seconds"} for row in run.history.rows]
    schedule = run.schedule.state_dict() if run.schedule else None
    return {
        "model": {name: value.tolist() for name, value in run.model.state_dict().items()},
        "optimizer": str(run.optimizer.state_dict()),
        "schedule": str(schedule),
        "rows": rows,
        "points": run.history.points,
        "position": (run.epoch, run.batch, run.step),
    }


def test_fit_computes_what_a_plain_loop_computes() -> None:
    run = make(schedule="none")
    model = copy.deepcopy(run.model)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    losses: list[list[float]] = []
    source = batches(split(), 8, seed=3)
    for epoch in range(2):
        losses.append([])
        for index, (images, labels) in enumerate(source.epoch(epoch)):
            with borrowed(torch.device("cpu"), 5, epoch * 6 + index):
                loss = nn.functional.cross_entropy(model(images), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses[-1] += [float(loss.detach())] * len(labels)
    history = fit(run, 2, Quiet())
    for mine, plain in zip(run.model.state_dict().values(), model.state_dict().values(), strict=True):
        assert torch.equal(mine, plain)
    assert history["loss"] == pytest.approx([np.mean(epoch) for epoch in losses], rel=1e-6)
    gradient = torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None]).norm()
    assert history.points[-1]["gradient"] == pytest.approx(float(gradient), rel=1e-5)
    assert history.layers == ["0", "1", "5"]


@pytest.mark.parametrize("stop_at", [1, 4, 6, 7, 11])
@pytest.mark.parametrize("kind", ["same run", "checkpoint"])
def test_stop_and_resume_is_bit_for_bit_an_uninterrupted_run(tmp_path: Path, stop_at: int, kind: str) -> None:
    whole = make()
    fit(whole, 3, Quiet())
    path = tmp_path / "run.pt" if kind == "checkpoint" else None
    part = make(path)
    with pytest.raises(KeyboardInterrupt):
        fit(part, 3, Quiet(stop_at))
    assert part.step == stop_at  # not one batch more
    if path:
        part = make(path)
    torch.manual_seed(99)  # what other cells draw meanwhile has no influence
    fit(part, 3, Quiet())
    assert state(part) == state(whole)


@pytest.mark.parametrize("schedule", list(SCHEDULES))
@pytest.mark.parametrize("adam", [False, True])
def test_optimizer_and_schedule_go_on_from_a_checkpoint(tmp_path: Path, schedule: str, adam: bool) -> None:
    whole = make(schedule=schedule, adam=adam)
    fit(whole, 2, Quiet())
    path = tmp_path / "run.pt"
    with pytest.raises(KeyboardInterrupt):
        fit(make(path, schedule=schedule, adam=adam), 2, Quiet(5))
    part = make(path, schedule=schedule, adam=adam)
    watcher = Quiet()
    fit(part, 2, watcher)
    assert state(part) == state(whole)
    assert watcher.said == [f"{path}: going on after batch 5 of 6 in epoch 1."]
    assert [entry.name for entry in tmp_path.iterdir()] == ["run.pt"]


def test_a_loader_that_shuffles_and_augments_with_torchs_generator_resumes_too() -> None:
    whole, part = make(data=loader()), make(data=loader())
    fit(whole, 2, Quiet())
    with pytest.raises(KeyboardInterrupt):
        fit(part, 2, Quiet(3))
    fit(part, 2, Quiet())
    assert state(part) == state(whole)
    orders = [[tuple(labels.tolist()) for _, labels in part._epoch()] for part.epoch in (0, 1)]
    part.batch = 0
    assert orders[0] != orders[1]


def test_more_epochs_go_on_and_a_complete_run_is_left_alone() -> None:
    run, whole = make(), make()
    fit(run, 1, Quiet())
    before = copy.deepcopy(state(run))
    watcher = Quiet()
    fit(run, 1, watcher)
    assert state(run) == before and watcher.batches == 0 and "fit(run, 2) trains one more" in watcher.said[0]
    fit(run, 2, Quiet())
    fit(whole, 2, Quiet())
    assert state(run) == state(whole)


def test_an_interrupt_waits_for_the_batch_and_leaves_a_run_that_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    class Interrupts(nn.Module):
        calls = 0

        def forward(self, x: Tensor) -> Tensor:
            Interrupts.calls += 1
            if Interrupts.calls == 3:
                os.kill(os.getpid(), signal.SIGINT)
            return x

    handler = signal.getsignal(signal.SIGINT)
    run, whole = make(), make()
    run.model.append(Interrupts())
    run = Run(run.model, run.train, run.optimizer, run.validation, run.schedule, seed=5)
    with pytest.raises(KeyboardInterrupt):
        fit(run, 2)
    assert run.step == 3
    assert "Stopped after batch 3 of 6 in epoch 1. Call fit again" in capsys.readouterr().out
    assert signal.getsignal(signal.SIGINT) is handler
    fit(run, 2, Quiet())
    fit(whole, 2, Quiet())
    assert state(run) == state(whole)


def test_a_second_interrupt_does_not_wait_and_writes_no_checkpoint(tmp_path: Path) -> None:
    class Hangs(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            for _ in range(2):
                os.kill(os.getpid(), signal.SIGINT)
            return x

    model = nn.Sequential(nn.Flatten(), nn.Linear(36, 3), Hangs())
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    run = Run(model, batches(split(), 8), optimizer, checkpoint=tmp_path / "run.pt")
    watcher = Quiet()
    with pytest.raises(KeyboardInterrupt):
        fit(run, 1, watcher)
    assert "in the middle of a batch" in watcher.said[-1]
    assert not (tmp_path / "run.pt").exists() and run.step == 0 and watcher.closed


def test_cells_draw_as_if_nothing_had_trained() -> None:
    run = make()
    torch.manual_seed(7)
    alone = torch.rand(3)
    torch.manual_seed(7)
    fit(run, 1, Quiet())
    assert torch.equal(torch.rand(3), alone)


def test_in_a_thread_a_network_that_draws_nothing_leaves_the_generator_alone() -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(36, 3))
    run = Run(model, batches(split(), 8), torch.optim.SGD(model.parameters(), lr=0.1))
    states: list[bool] = []

    class Looks(Quiet):
        def batch(self, run: Run, epochs: int) -> None:
            with run.draws.of(run.step):
                states.append(torch.equal(torch.get_rng_state(), outside))

    outside = torch.get_rng_state()
    thread = threading.Thread(target=lambda: fit(run, 1, Looks()))
    thread.start()
    thread.join(60)
    assert all(states) and len(states) == 7


def test_modes_of_modules_are_kept() -> None:
    run = make()
    run.model[1].eval()  # a frozen batch norm
    mean = run.model[1].running_mean.clone()
    fit(run, 1, Quiet())
    assert torch.equal(run.model[1].running_mean, mean)
    assert [module.training for module in run.model] == [True, False, True, True, True, True]


def test_evaluate_weighs_each_picture_the_same() -> None:
    model = network()
    images, labels = next(iter(batches(split(20), 20)))
    model.eval()
    expected = float(nn.functional.cross_entropy(model(images).double(), labels).detach())
    model.train()
    measured = evaluate(model, batches(split(20), 7))
    assert measured["loss"] == pytest.approx(expected, rel=1e-5)
    model.eval()
    assert measured["accuracy"] == float((model(images).argmax(1) == labels).float().mean())
    with pytest.raises(ValueError, match="no batch"):
        evaluate(model, [])


def test_clipping_bounds_the_step() -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(36, 3))
    before = nn.utils.parameters_to_vector(model.parameters()).detach()
    run = Run(model, batches(split(), 44), torch.optim.SGD(model.parameters(), lr=1.0), clip=1e-3)
    fit(run, 1, Quiet())
    moved = nn.utils.parameters_to_vector(model.parameters()).detach() - before
    assert float(moved.norm()) == pytest.approx(1e-3, rel=1e-3)


@pytest.mark.parametrize(
    ("outputs", "labels", "right", "count"),
    [
        (torch.eye(3), torch.tensor([0, 1, 0]), 2, 3),
        (torch.eye(3), torch.eye(3), 3, 3),
        (torch.eye(3)[None, :, :, None], torch.zeros(1, 3, 1, dtype=torch.int64), 1, 3),  # a class a pixel
    ],
)
def test_hits_counts_what_the_largest_output_is_right_about(
    outputs: Tensor, labels: Tensor, right: float, count: int
) -> None:
    found, number = hits(outputs, labels)
    assert (float(found), number) == (right, count)


def test_gradient_norms_are_those_of_the_joined_gradients() -> None:
    model = network()
    nn.functional.cross_entropy(model(torch.randn(4, 1, 6, 6)), torch.tensor([0, 1, 2, 0])).backward()
    layer = list(model[5].parameters())
    assert layer[0].grad is not None and layer[1].grad is not None
    expected = torch.cat([layer[0].grad.double().flatten(), layer[1].grad.double()]).norm()
    assert gradient_norms([layer, [nn.Parameter(torch.ones(2))]]) == pytest.approx([float(expected), 0.0], rel=1e-5)


def test_turns_are_granted_in_the_order_of_asking() -> None:
    turns, order, asked = Turns(), [], []

    def take(name: str) -> None:
        asked.append(name)
        with turns:
            order.append(name)

    threads = []
    with turns:
        for name in "abc":
            threads.append(threading.Thread(target=take, args=(name,)))
            threads[-1].start()
            while len(turns._waiting) < len(threads) + 1:
                pass
    for thread in threads:
        thread.join(60)
    assert order == list("abc") and not turns._waiting


def test_mixed_seeds_depend_on_every_number() -> None:
    seeds = {mix(a, b) for a in range(20) for b in range(20)}
    assert len(seeds) == 400 and all(0 <= seed < 2**63 for seed in seeds)


# Checkpoints


def test_a_checkpoint_of_another_recipe_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "run.pt"
    fit(make(path), 1, Quiet())
    other = make(path, adam=True)
    with pytest.raises(
        ValueError, match=r"run\.pt is the checkpoint of another run: its optimizer differs\."
    ) as caught:
        fit(other, 1, Quiet())
    assert "SGD" in str(caught.value) and "AdamW" in str(caught.value) and "Delete the file" in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", "pickle", "weights", "cut"])
def test_a_file_that_is_no_checkpoint_is_refused_and_left_alone(tmp_path: Path, content: Any) -> None:
    path = tmp_path / "run.pt"
    if content == "pickle":
        torch.save({"form": Path("/")}, path)  # an object that would need code to be read
    elif content == "weights":
        torch.save(network().state_dict(), path)
    elif content == "cut":
        fit(make(path), 1, Quiet())
        path.write_bytes(path.read_bytes()[:-200])
    else:
        path.write_bytes(content)
    before = path.read_bytes()
    with pytest.raises(ValueError, match=r"run\.pt (cannot be read as|is not) a checkpoint"):
        fit(make(path), 1, Quiet())
    assert path.read_bytes() == before


def test_a_folder_that_is_missing_is_said_before_anything_trains(tmp_path: Path) -> None:
    run = make(tmp_path / "no" / "run.pt")
    with pytest.raises(ValueError, match="There is no folder"):
        fit(run, 1, Quiet())
    assert run.step == 0


def test_training_goes_on_where_a_checkpoint_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "run.pt"
    fit(make(path), 1, Quiet())
    before = path.read_bytes()

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", full)
    watcher, run = Quiet(), make(path)
    fit(run, 2, watcher)
    assert run.epoch == 2 and "cannot be written" in watcher.said[-1]
    assert path.read_bytes() == before and len(list(tmp_path.iterdir())) == 1


# History and setup


def test_the_history_is_a_plain_table() -> None:
    history = fit(make(), 2, Quiet())
    assert history.columns == (
        *("epoch", "loss", "accuracy", "validation_loss", "validation_accuracy", "rate", "seconds"),
    )
    lines = history.to_markdown().splitlines()
    assert len(lines) == 4 and lines[0].startswith("| epoch | loss |") and lines[2].startswith("| 1 | ")
    assert history["epoch"] == [1, 2] and len(history) == 2
    with pytest.raises(KeyError, match=r"no column 'acc'; there are: epoch, loss"):
        history["acc"]
    assert History().to_markdown() == "No epoch is complete yet."


def test_setup_says_what_it_chose_and_repeats_every_draw(capsys: pytest.CaptureFixture[str]) -> None:
    import random

    drawn = []
    for _ in range(2):
        machine = setup(device="cpu", seed=3, threads=1)
        drawn.append((random.random(), np.random.rand(), float(torch.rand(()))))
    assert drawn[0] == drawn[1]
    assert capsys.readouterr().out.splitlines()[0] == "Training on the CPU, 1 CPU thread, laptop budget, seed 3."
    assert machine.pick(laptop=1, full=2) == 1
    assert setup(device="cpu", budget="full").pick(laptop=1, full=2) == 2


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"device": "tpu"}, "no kind of device 'tpu'. This machine has: .*cpu"),
        ({"device": "xla"}, "no 'xla' that torch can use. It has: .*cpu"),
        ({"device": "cuda:99"}, "no 'cuda:99' that torch can use"),
        ({"budget": "huge"}, "Choose 'laptop' or 'full'"),
        ({"threads": 0}, "at least 1"),
    ],
)
def test_setup_refuses_what_is_not_there(arguments: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        setup(**arguments)


def test_the_loop_is_short_enough_to_read() -> None:
    assert len(inspect.getsource(fit).splitlines()) < 60
