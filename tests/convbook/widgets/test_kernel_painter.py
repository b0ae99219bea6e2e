"""The painter: its state in Python, and its arithmetic in node against torch in float64."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
import traitlets

from convbook.data import photograph
from convbook.widgets import KernelPainter

Node = Callable[..., Any]
# States come with their picture as {shape, bytes}; the page gets a DataView, here one that begins inside its buffer.
IMPORT = """import * as math from "./kernel_painter.math.mjs";
const view = (bytes) => new DataView(Uint8Array.from([7, 7, ...bytes]).buffer, 2);
const revive = (state) => ({ ...state, picture: { shape: state.picture.shape, data: view(state.picture.bytes) } });
const plain = (typed) => [...typed];
"""


def state(picture: np.ndarray, kernel: Any, **changes: Any) -> dict[str, Any]:
    packed = {"shape": picture.shape, "bytes": picture.ravel().tolist()}
    usual = {"description": "noise", "brush": 1, "tones": "auto", "selected": [0, 0]}
    return {"picture": packed, "kernel": np.asarray(kernel, float).tolist(), **usual, **changes}


def by_torch(picture: np.ndarray, kernel: Any) -> np.ndarray:
    image, weight = (torch.tensor(np.asarray(each), dtype=torch.float64)[None, None] for each in (picture, kernel))
    return F.conv2d(image / 255, weight)[0, 0].numpy()


def random_states(seed: int, count: int) -> list[tuple[np.ndarray, np.ndarray, dict[str, Any]]]:
    """Pictures of 5 to 12 pixels a side with kernels of every kind that can be painted or normalized."""
    draws = np.random.default_rng(seed)
    states = []
    for _ in range(count):
        picture = draws.integers(0, 256, size=draws.integers(5, 13, size=2)).astype(np.uint8)
        kernel = draws.integers(-4, 5, size=[int(draws.choice([3, 5]))] * 2) * draws.integers(0, 2)
        kernel = kernel / (draws.integers(1, 10) if draws.integers(2) else max(1, abs(kernel.sum())))
        tones = str(draws.choice(["auto", "picture", "signed"]))
        states.append(
            (picture, kernel, state(picture, kernel, tones=tones, selected=draws.integers(0, 20, 2).tolist()))
        )
    return states


def test_the_map_is_that_of_torch_for_any_picture_and_kernel(node: Node) -> None:
    cases = random_states(1, 300)
    code = f"""{IMPORT}const answer = input.map(revive).map(math.mapOf)
      .map((map) => ({{ ...map, values: plain(map.values) }}));"""
    for (picture, kernel, _), found in zip(cases, node(code, [each for *_, each in cases]), strict=True):
        wanted = by_torch(picture, kernel)
        assert tuple(found["shape"]) == wanted.shape
        np.testing.assert_allclose(np.reshape(found["values"], wanted.shape), wanted, rtol=1e-12, atol=1e-12)
        assert [found["least"], found["most"]] == pytest.approx([wanted.min(), wanted.max()], abs=1e-12)


def test_the_photograph_gives_what_torch_gives(node: Node) -> None:
    painter = KernelPainter()
    found = node(
        f"{IMPORT}const answer = plain(math.mapOf(revive(input)).values);", state(painter.picture, painter.kernel)
    )
    wanted = by_torch(painter.picture, painter.kernel)
    np.testing.assert_allclose(np.reshape(found, (126, 126)), wanted, atol=1e-12)
    assert np.abs(by_torch(255 * photograph("camera", 128), painter.kernel) - wanted).max() < 8 * 0.5 / 255 + 1e-9


def test_each_pixel_is_the_sum_of_its_patch_and_each_gray_its_place_in_the_range(node: Node) -> None:
    cases = random_states(2, 300)
    code = f"""{IMPORT}const answer = input.map(revive).map((state) => {{
      const view = math.explain(state);
      return {{ ...view, gray: plain(view.shown.gray), clipped: view.shown.clipped, at: math.inside(state),
        patch: math.patch(state, math.inside(state)), said: math.summary(state) }};
    }});"""
    kinds = set()
    for (picture, kernel, given), found in zip(cases, node(code, [each for *_, each in cases]), strict=True):
        wanted = by_torch(picture, kernel)
        row, column = found["at"]
        assert (row, column) == tuple(min(at, n - 1) for at, n in zip(given["selected"], wanted.shape, strict=True))
        total = sum(each["value"] * each["weight"] for line in found["patch"] for each in line)
        assert total == pytest.approx(wanted[row, column], abs=1e-12)

        positive = kernel.sum() > 1e-9
        tones = given["tones"] if given["tones"] != "auto" else "picture" if positive else "signed"
        largest = np.abs(wanted).max() or 1
        black, white = (0, 1) if tones == "picture" else (-largest, largest)
        assert (found["tones"], found["range"]) == (tones, pytest.approx([black, white], abs=1e-12))
        gray = 255 * (wanted - black) / (white - black)
        assert np.abs(np.reshape(found["gray"], wanted.shape) - gray.clip(0, 255)).max() <= 0.5 + 1e-6
        outside = ((wanted < black - 1e-9) | (wanted > white + 1e-9)).sum()
        assert found["clipped"] == outside
        assert found["said"]
        assert not any(word in found["said"] for word in ("undefined", "NaN", "null", "Infinity"))
        kinds.add((tones, bool(outside), bool(positive)))
    assert len(kinds) >= 5, "the draws must try both tones, with and without pixels outside"


def test_a_signed_map_has_zero_at_mid_gray(node: Node) -> None:
    flat = np.full((6, 6), 200, np.uint8)
    code = f"{IMPORT}const answer = plain(math.explain(revive(input)).shown.gray);"
    assert set(node(code, state(flat, KernelPainter().kernel))) == {128}
    edge = flat.copy()
    edge[:, 3:] = 0
    assert set(node(code, state(edge, KernelPainter().kernel))) == {0, 128}


def test_presets_have_their_textbook_sums_and_are_known_at_both_sizes(node: Node) -> None:
    presets = node(f"{IMPORT}const answer = math.PRESETS;")
    sums = {name: round(float(np.sum(kernel)), 12) for name, kernel in presets.items()}
    zero = {"Sobel x", "Sobel y", "Laplacian"}
    assert sums == {name: 0 if name in zero else 1 for name in presets}
    assert {"identity", "box blur", "sharpen", "emboss"} | zero <= set(presets)
    binomial = np.outer([1, 4, 6, 4, 1], [1, 4, 6, 4, 1]) / 256
    np.testing.assert_allclose(presets["Gaussian blur, 5 × 5"], binomial)
    np.testing.assert_allclose(presets["Gaussian blur"], np.outer([1, 2, 1], [1, 2, 1]) / 16)
    small = [kernel for kernel in presets.values() if len(kernel) == 3]
    code = f"""{IMPORT}const answer = input.map((kernel) => [
      math.presetOf(kernel), math.presetOf(math.resize(kernel, 5)),
      math.resize(math.resize(kernel, 5), 3), math.resize(kernel, 5)]);"""
    for kernel, (name, larger_name, back, larger) in zip(small, node(code, small), strict=True):
        assert presets[name] == kernel == back
        assert larger_name == name
        np.testing.assert_array_equal(larger, np.pad(kernel, 1))
    large = [kernel for kernel in presets.values() if len(kernel) == 5]
    assert [presets[name] for name in node(f"{IMPORT}const answer = input.map(math.presetOf);", large)] == large
    ring = np.pad(presets["Sobel x"], 1).tolist()
    ring[0][0] = 1
    assert node(f"{IMPORT}const answer = math.presetOf(input);", ring) == "custom"


def test_normalizing_makes_the_sum_1_or_says_that_it_cannot(node: Node) -> None:
    cases = [kernel.tolist() for _, kernel, _ in random_states(3, 100)]
    found = node(f"{IMPORT}const answer = input.map((kernel) => [math.normalized(kernel), math.total(kernel)]);", cases)
    possible = 0
    for kernel, (normalized, total) in zip(cases, found, strict=True):
        exact = np.sum(kernel)
        assert total == pytest.approx(exact, abs=1e-9)
        if abs(exact) < 1e-9:
            assert normalized is None
            assert total == 0
        else:
            assert np.sum(normalized) == pytest.approx(1)
            np.testing.assert_allclose(np.multiply(normalized, exact), kernel, atol=1e-12)
            possible += 1
    assert 20 < possible < 95


def test_a_pixel_of_the_photograph_leads_to_the_patch_around_it(node: Node) -> None:
    given = state(np.zeros((9, 7), np.uint8), np.ones((5, 5)))
    places = [[4, 3], [0, 0], [8, 6], [2, 6]]
    code = f"{IMPORT}const answer = input[1].map((at) => math.under(...at, revive(input[0])));"
    assert node(code, [given, places]) == [[2, 1], [0, 0], [4, 2], [0, 2]]


@pytest.mark.parametrize(
    ("kernel", "words"),
    [
        (np.zeros((3, 3)), "All weights are 0"),
        ([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]], "add up to 0: a flat patch of any gray answers 0"),
        (np.full((3, 3), 1 / 9), "a mean of its neighbors"),
        ([[0, 0, 0], [0, 1, 0], [0, 0, 0]], "the map is the picture"),
        ([[0, -1, 0], [-1, 5, -1], [0, -1, 0]], "some are negative: flat patches keep their gray"),
        (np.ones((3, 3)), "add up to 9: the picture gets brighter. A flat patch of any gray answers 9 times that gray"),
        (np.full((5, 5), 1 / 50), "add up to 0.5: the picture gets darker"),
        ([[0, 0, 0], [0, -1, 0], [0, 0, 0]], "less than 0: bright patches become dark"),
    ],
)
def test_the_meaning_of_a_kernel_follows_from_its_sum_and_signs(node: Node, kernel: Any, words: str) -> None:
    assert words in node(f"{IMPORT}const answer = math.meaning(input);", np.asarray(kernel, float).tolist())


def test_the_summary_says_what_the_page_shows(node: Node) -> None:
    ramp = np.tile(np.arange(0, 60, 10, dtype=np.uint8), (5, 1))
    assert node(f"{IMPORT}const answer = math.summary(revive(input));", state(ramp, KernelPainter().kernel)) == (
        "Kernel of 3 by 3 weights, Sobel x, from −2 to 2. The weights add up to 0: a flat patch of any gray answers 0, "
        "so the map shows only where the picture changes. The map of noise has 3 by 4 pixels, from 0.314 to 0.314. "
        "−0.314 is black, 0 mid-gray, 0.314 white. Its row 1, column 1 is 0.314, the sum of 9 products."
    )
    bright = state(np.full((5, 5), 255, np.uint8), np.ones((3, 3)))
    assert "0 is black and 1 is white; 100 percent of the pixels lie outside and are cut." in node(
        f"{IMPORT}const answer = math.summary(revive(input));", bright
    )


def test_the_page_offers_what_python_accepts(node: Node) -> None:
    offered = node(f"{IMPORT}const answer = [math.BRUSH, Object.keys(math.TONES), Object.values(math.PRESETS)];")
    traits = KernelPainter.class_traits()
    assert [traits["brush"].min, traits["brush"].max] == offered[0]
    assert traits["tones"].values == offered[1]
    for kernel in offered[2]:
        assert KernelPainter(kernel=kernel).kernel == kernel


def test_a_picture_is_kept_as_bytes_and_goes_to_the_page_and_back() -> None:
    painter = KernelPainter(picture=np.linspace(0, 1, 30).reshape(5, 6))
    assert painter.description == "a picture"
    assert painter.picture.dtype == np.uint8
    np.testing.assert_array_equal(painter.picture, np.rint(np.linspace(0, 255, 30)).reshape(5, 6))
    sent = painter.get_state()["picture"]
    assert (sent["shape"], len(sent["data"])) == ([5, 6], 30)
    painter.set_state({"picture": {"shape": [5, 6], "data": memoryview(bytes(range(30)))}})
    np.testing.assert_array_equal(painter.picture, np.arange(30).reshape(5, 6))


def test_the_books_photograph_is_the_default_and_cannot_be_written_into() -> None:
    painter = KernelPainter()
    assert np.abs(painter.picture / 255 - photograph("camera", 128)).max() <= 0.5 / 255 + 1e-12
    with pytest.raises(ValueError, match="read-only"):
        painter.picture[0, 0] = 0


@pytest.mark.parametrize(
    ("trait", "value", "reason"),
    [
        ("picture", np.ones((8, 8, 3)), "Got shape"),
        ("picture", np.ones((129, 8)), "1 to 128 pixels a side"),
        ("picture", np.full((8, 8), 1.01), "Got values outside 0 to 1"),
        ("picture", np.full((8, 8), np.nan), "Got values outside 0 to 1"),
        ("picture", np.full((8, 8), "a"), "Got values outside 0 to 1"),
        ("picture", np.ones((4, 8)), "5 pixels a side or more"),
        ("kernel", np.ones((4, 4)), "3 × 3 or 5 × 5 weights. Got 4 × 4"),
        ("kernel", np.ones((3, 5)), "Got 3 × 5"),
        ("brush", 5, "brush"),
        ("tones", "loud", "tones"),
        ("selected", (-1, 0), "selected"),
    ],
)
def test_a_value_without_meaning_is_refused_with_a_reason_and_changes_nothing(
    trait: str, value: Any, reason: str
) -> None:
    painter = KernelPainter()
    before = getattr(painter, trait)
    with pytest.raises(traitlets.TraitError, match=reason):
        setattr(painter, trait, value)
    assert np.array_equal(getattr(painter, trait), before)
