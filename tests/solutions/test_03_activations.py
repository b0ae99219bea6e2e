"""Assignment 03: its solutions are what torch computes, and its text says what they give."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from tests.solutions.bare import Notebook

NOTEBOOK = Notebook("03-activations")


@pytest.mark.parametrize(
    ("name", "theirs"),
    [
        ("relu", F.relu),
        ("leaky_relu", F.leaky_relu),
        ("elu", F.elu),
        ("tanh", torch.tanh),
        ("silu", F.silu),
        ("gelu", F.gelu),
    ],
)
def test_values_and_slopes_are_torchs_the_kink_included(name, theirs):
    x = torch.cat([torch.linspace(-20, 20, 401, dtype=torch.float64), torch.zeros(1)]).requires_grad_()
    value = theirs(x)
    (slope,) = torch.autograd.grad(value.sum(), x)
    ours = NOTEBOOK.namespace()[name](x.detach().numpy())
    assert np.allclose(ours[0], value.detach(), rtol=1e-12, atol=1e-15)
    assert np.allclose(ours[1], slope, rtol=1e-12, atol=1e-15)


def test_the_stable_forms_are_torchs_where_torchs_are_exact():
    namespace = NOTEBOOK.namespace()
    x = torch.linspace(-1000, 1000, 2001, dtype=torch.float64)
    for name, theirs in (("sigmoid", torch.sigmoid), ("softplus", lambda x: torch.logaddexp(x, torch.zeros_like(x)))):
        found, complaint = namespace["strictly"](namespace[name], x.numpy())
        assert complaint == ""
        assert np.allclose(found, theirs(x), rtol=1e-12, atol=1e-300)
    scores = x[torch.randperm(2000, generator=torch.Generator().manual_seed(0))].reshape(400, 5)
    found, complaint = namespace["strictly"](namespace["log_softmax"], scores.numpy())
    assert complaint == ""
    assert np.allclose(found, torch.log_softmax(scores, 1), rtol=1e-12, atol=1e-12)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_the_forms_on_paper_fail_as_the_text_says():
    strictly = NOTEBOOK.namespace()["strictly"]
    assert strictly(lambda x: 1 / (1 + np.exp(-x)), np.array([-1000.0])) == (None, "overflow encountered in exp")
    assert 1 / (1 + np.exp(np.float64(1000))) == 0
    assert np.isnan(np.exp(np.float64(1000)) / (1 + np.exp(np.float64(1000))))
    assert f"{np.exp(-40):.1e}" == "4.2e-18"
    assert "about $4.2 \\cdot 10^{-18}$" in NOTEBOOK.text


def test_the_shares_of_the_text_are_those_of_softmax():
    softmax = NOTEBOOK.namespace()["softmax"]
    scores = np.array([[2.0, 1, 0]])
    percent = [f"{100 * share:.0f} %" for share in softmax(scores)[0]]
    assert f"{percent[0]}, {percent[1]} and {percent[2]}" in NOTEBOOK.text
    cold, hot = (f"{100 * softmax(scores, heat)[0, 0]:.0f} %" for heat in (0.5, 5))
    assert f"At 0.5 the first class gets {cold}, and at 5 it gets {hot}." in NOTEBOOK.text


def test_a_fresh_network_with_small_weights_hides_the_bugs():
    rng = np.random.default_rng(0)
    layers = [(0.01 * rng.normal(size=(8, 8)), np.zeros(8)) for _ in range(3)]
    x = rng.uniform(-0.1, 0.1, size=(16, 8))
    namespace = NOTEBOOK.namespace()
    right = namespace["watch"](layers, x)
    with_bugs = next(each for each in NOTEBOOK.catalogue.MISTAKES if each.name.endswith("mends nothing"))
    exec(with_bugs.source, namespace)
    for report in (right, namespace["watch"](layers, x)):
        assert [(saturated, f"{slope:.4f}") for saturated, slope in report] == [(0, "1.0000")] * 3
