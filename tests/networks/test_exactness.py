"""The linear network with one input and one output against the exact solver, in float64."""

from __future__ import annotations

from itertools import pairwise

import jax
import numpy as np
import pytest

import flbook as fl
from flbook.networks import MLP, aligned_start, train

WIDTH = 10_000
X = np.linspace(-1.0, 2.0, 7)[:, None]
Y = 1.5 * X[:, 0] + 0.3 * np.sin(5 * X[:, 0])


def exact_twin(network: MLP, params, rate: float) -> tuple[fl.Network, fl.Task, fl.Gram]:
    w, u = (np.asarray(matrix).ravel() for matrix in params)
    eta_w, eta_u = (rate * eta for eta in network.etas)
    twin = fl.Network(len(u), gamma=network.gamma, eta_u=eta_u, eta_w=eta_w)
    return twin, fl.Task.from_data(X, Y), fl.Gram.from_weights(u, w)


def found(run) -> dict[str, np.ndarray]:
    """Slope and Gram matrix by dot products, at the checkpoints."""
    weights = [[np.asarray(m).ravel() for m in run.checkpoints[step]] for step in run.steps]
    return {
        "uu": np.array([u @ u for w, u in weights]),
        "uw": np.array([u @ w for w, u in weights]),
        "ww": np.array([w @ w for w, u in weights]),
    }


STARTS = {
    "random": (1.0, 1.0, None),
    "unequal rates": (0.3, 3.0, None),
    "one layer frozen": (1.0, 0.0, None),
    "to align": (1.0, 1.0, 0.0),
    "to disalign": (0.5, 2.0, -0.9),
}


@pytest.mark.parametrize(("eta_w", "eta_u", "alignment"), STARTS.values(), ids=STARTS)
def test_every_step_is_that_of_gradient_descent(eta_w, eta_u, alignment):
    network = MLP((1, WIDTH, 1), "linear", WIDTH**-0.5, sigmas=(1.2, 0.7), etas=(eta_w, eta_u))
    if alignment is None:
        params = network.init(seed=3, dtype="float64")
    else:
        params = aligned_start(network, alignment, seed=3, dtype="float64")
        network = MLP(network.sizes, "linear", 1 / WIDTH, network.sigmas, network.etas)
    rate = 0.2 if alignment is None else 0.2 * WIDTH
    steps = np.array([0, 1, 2, 5, 20, 100, 400])
    run = train(
        network, params, X, Y, learning_rate=rate, steps=400, record=steps, checkpoints=steps
    )
    exact = fl.GradientDescent(*exact_twin(network, params, rate)).at(steps)
    np.testing.assert_allclose(run.losses, exact.loss, rtol=1e-10)
    for name, value in found(run).items():
        scale = np.sqrt(exact.gram.uu * exact.gram.ww) if name == "uw" else 1.0
        np.testing.assert_allclose(
            value / scale, getattr(exact.gram, name) / scale, rtol=1e-10, atol=1e-12
        )
    assert not jax.config.jax_enable_x64


def test_small_steps_tend_to_gradient_flow_in_first_order():
    network = MLP.parametrised("mean_field", (1, WIDTH, 1), "linear")
    params = aligned_start(network, 0.2, seed=0, dtype="float64")
    twin = exact_twin(network, params, 1.0)
    slope = fl.GradientFlow(*twin).slope(2.0)
    missed = []
    for rate in (0.008, 0.004, 0.002):
        steps = round(2.0 / rate)
        run = train(network, params, X, Y, learning_rate=rate, steps=steps, record=[steps])
        missed.append(float(run.predict(np.ones((1, 1)))[0, 0]) / slope - 1)
    assert abs(missed[-1]) < 2e-3
    for large, small in pairwise(missed):
        assert large / small == pytest.approx(2.0, rel=0.05)


def test_single_precision_is_single_precision():
    network = MLP.parametrised("ntk", (1, 100, 1), "linear")
    for dtype in ("float32", "float64"):
        run = train(network, network.init(0, dtype), X, Y, learning_rate=0.1, steps=3)
        assert {str(matrix.dtype) for matrix in run.params} == {dtype}
        assert str(run.predict(X).dtype) == dtype
