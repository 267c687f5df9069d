"""The network as a function: its value and gradient by hand, its scales, its refusals."""

from __future__ import annotations

import jax
import numpy as np
import pytest
from scipy.special import expit

import flbook as fl
from flbook.networks import (
    ACTIVATIONS,
    LOSSES,
    MLP,
    PARAMETRISATIONS,
    aligned_start,
    antisymmetric_start,
    train,
)

BY_HAND = {
    "linear": lambda h: h,
    "relu": lambda h: np.where(h > 0, h, 0),
    "leaky_relu": lambda h: np.where(h > 0, h, 0.01 * h),
    "sigmoid": expit,
    "swish": lambda h: h * expit(h),
    "tanh": np.tanh,
}
X = np.random.default_rng(5).standard_normal((6, 3))


def output(network: MLP, matrices, x: np.ndarray) -> np.ndarray:
    """The definition, in numpy."""
    for matrix in matrices[:-1]:
        x = BY_HAND[network.activation](x @ matrix.T)
    return network.gamma * x @ matrices[-1].T


def loss(name: str, outputs: np.ndarray, y: np.ndarray) -> float:
    if name == "mse":
        return 0.5 * np.sum((outputs - y) ** 2) / len(y)
    return float(
        np.mean([np.log(np.sum(np.exp(f))) - f[c] for f, c in zip(outputs, y, strict=True)])
    )


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("name", LOSSES)
def test_one_step_follows_the_finite_differences(activation, name):
    """The step of every weight, at rates that differ, against differences of a numpy loss."""
    rates = (0.3, 2.0, 0.7)
    network = MLP((3, 4, 5, 2), activation, gamma=1.7, sigmas=(0.8, 1.1, 0.6), etas=rates)
    params = network.init(seed=1, dtype="float64")
    y = np.array([0, 1, 1, 0, 1, 0]) if name == "cross_entropy" else np.sin(X[:, :2])
    run = train(network, params, X, y, loss=name, learning_rate=0.1, steps=1)
    before = [np.array(matrix) for matrix in params]
    np.testing.assert_allclose(network(params, X), output(network, before, X), rtol=1e-13)
    assert run.losses[0] == pytest.approx(loss(name, output(network, before, X), y), rel=1e-13)
    for layer, (matrix, after) in enumerate(zip(before, run.params, strict=True)):
        slope = np.empty_like(matrix)
        for index in np.ndindex(matrix.shape):
            sides = []
            for side in (1e-5, -1e-5):
                moved = [m.copy() for m in before]
                moved[layer][index] += side
                sides.append(loss(name, output(network, moved, X), y))
            slope[index] = (sides[0] - sides[1]) / 2e-5
        np.testing.assert_allclose(
            np.asarray(after) - matrix, -0.1 * rates[layer] * slope, rtol=1e-6, atol=1e-10
        )


def test_features_are_what_enters_the_next_layer():
    network = MLP((3, 4, 5, 2), "swish", gamma=0.5)
    params = network.init(seed=0)
    first, second = network.features(params, X)
    np.testing.assert_allclose(first, BY_HAND["swish"](X @ np.asarray(params[0]).T), rtol=1e-5)
    np.testing.assert_allclose(
        network(params, X), 0.5 * np.asarray(second) @ np.asarray(params[2]).T, rtol=1e-5
    )


def test_the_network_is_a_function_that_jax_transforms():
    network = MLP((3, 4, 2), "tanh")
    params = network.init(seed=0, dtype="float64")
    single = X.astype(np.float32)
    whole = network(params, single)
    assert str(whole.dtype) == "float64"
    np.testing.assert_allclose(jax.jit(network)(params, single), whole, rtol=1e-14)
    np.testing.assert_allclose(jax.vmap(network, (None, 0))(params, single), whole, rtol=1e-13)
    value, change = jax.jvp(lambda gain: network(params, gain * single), (1.0,), (1.0,))
    np.testing.assert_allclose(value, whole, rtol=1e-6)
    forward, back = (np.asarray(network(params, k * single)) for k in (1 + 2**-10, 1 - 2**-10))
    np.testing.assert_allclose(change, (forward - back) * 2**9, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", PARAMETRISATIONS)
def test_the_named_parametrisations_are_those_of_the_solvable_model(name):
    network = MLP.parametrised(name, (1, 400, 1), "linear")
    twin = fl.SCALINGS[name].at_width(400)
    assert network.gamma == pytest.approx(twin.gamma, rel=1e-14)
    assert network.sigmas == pytest.approx((twin.sigma_w, twin.sigma_u), rel=1e-14)
    assert network.etas == pytest.approx((twin.eta_w, twin.eta_u), rel=1e-14)


@pytest.mark.parametrize("depth", [2, 4])
def test_mup_and_mean_field_train_alike(depth):
    sizes = (3, *[20, 30, 40][: depth - 1], 2)
    runs = []
    for name in ("mup", "mean_field"):
        network = MLP.parametrised(name, sizes, "relu", gain=2**0.5)
        params = network.init(seed=4, dtype="float64")
        runs.append(train(network, params, X, X[:, :2], learning_rate=0.05, steps=100))
    np.testing.assert_allclose(*(run.losses for run in runs), rtol=1e-9)
    assert runs[0].losses[-1] < 0.5 * runs[0].losses[0]


def test_the_output_scale_keeps_the_kernel_and_makes_training_lazy():
    """Chizat's α: the first change of f is the same at every α, that of the weights goes as 1/α."""
    plain = MLP.parametrised("mean_field", (3, 50, 1), "tanh")
    params, y = antisymmetric_start(plain, seed=2, dtype="float64"), X[:, 0]
    moves, turns = [], []
    for alpha in (1.0, 10.0, 100.0):
        network = plain.with_output_scale(alpha)
        assert network.gamma == alpha * plain.gamma
        run = train(network, params, X, y, learning_rate=1e-4, steps=1)
        moves.append(np.asarray(run.predict(X)))
        turns.append(np.linalg.norm(np.asarray(run.params[0] - params[0])))
    np.testing.assert_allclose(moves[1], moves[2], rtol=1e-4)
    np.testing.assert_allclose(moves[0], moves[2], rtol=1e-2)
    assert turns[0] / turns[1] == pytest.approx(10, rel=1e-6)
    assert turns[1] / turns[2] == pytest.approx(10, rel=1e-6)


def test_the_start_has_the_spread_that_was_asked_for_and_follows_the_seed():
    network = MLP((50, 400, 3), sigmas=(0.2, 3.0)).with_initial_scale(0.5)
    first, second = network.init(seed=0)
    assert np.std(first) == pytest.approx(0.1, rel=0.02)
    assert np.std(second) == pytest.approx(1.5, rel=0.1)
    np.testing.assert_array_equal(first, network.init(seed=0)[0])
    assert not np.array_equal(first, network.init(seed=1)[0])


@pytest.mark.parametrize("zeta", [-1.0, -0.3, 0.0, 0.8, 1.0])
def test_an_aligned_start_has_the_cosine_that_was_asked_for(zeta):
    network = MLP((1, 300, 1), "relu", sigmas=(2.0, 1e-3))
    w, u = (np.asarray(m).ravel() for m in aligned_start(network, zeta, 7, "float64"))
    gram = fl.Gram.from_weights(u, w)
    assert gram.alignment == pytest.approx(zeta, abs=1e-14)
    assert gram.ww == pytest.approx(300 * 4.0, rel=0.3)
    assert gram.uu == pytest.approx(300 * 1e-6, rel=0.3)


def test_an_antisymmetric_start_is_zero_at_any_input():
    network = MLP((3, 40, 2), "relu", gamma=5.0)
    params = antisymmetric_start(network, seed=0, dtype="float64")
    assert np.abs(network(params, 100 * X)).max() < 1e-10
    assert np.abs(np.asarray(network.features(params, X)[0])).max() > 0.1


ODD = {
    "sizes must name": lambda: MLP((3,)),
    "sizes must be a whole number": lambda: MLP((3, 0, 1)),
    "sizes must be a sequence": lambda: MLP(3),
    "activation must be one of .*'gelu'": lambda: MLP((3, 1), "gelu"),
    "gamma must be": lambda: MLP((3, 1), gamma=0.0),
    "sigmas must have one entry for each of 2": lambda: MLP((3, 4, 1), sigmas=(1.0,)),
    "etas must be finite and at least 0": lambda: MLP((3, 4, 1), etas=(1.0, -1.0)),
    "name must be one of": lambda: MLP.parametrised("lecun", (3, 4, 1)),
    "scale must be": lambda: MLP((3, 1)).with_initial_scale(-1.0),
    "alpha must be": lambda: MLP((3, 1)).with_output_scale(0.0),
    "dtype must be": lambda: MLP((3, 1)).init(0, "float16"),
    "x must have shape": lambda: MLP((3, 1))(MLP((3, 1)).init(0), X[:, :2]),
    "params must have shapes": lambda: MLP((3, 1))(MLP((3, 2)).init(0), X),
    "params must have one dtype": lambda: MLP((3, 3, 1))(
        (MLP((3, 3)).init(0)[0], MLP((3, 1)).init(0, "float64")[0]), X
    ),
    "network must have sizes": lambda: aligned_start(MLP((2, 4, 1)), 0.5),
    "alignment must be from": lambda: aligned_start(MLP((1, 4, 1)), 1.5),
    "alignment must be 1 or -1": lambda: aligned_start(MLP((1, 1, 1)), 0.5),
    "network must have one hidden layer of even": lambda: antisymmetric_start(MLP((2, 3, 1))),
}


@pytest.mark.parametrize(("words", "call"), ODD.items(), ids=ODD)
def test_bad_input_is_named(words, call):
    with pytest.raises((ValueError, TypeError), match=words):
        call()
