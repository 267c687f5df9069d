"""Gradient noise: its moments by counting, its consequences by long runs of the map."""

from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np
import pytest
from scipy.integrate import quad

import flbook as fl
from flbook._measures.gradient_noise import mean_log

X = np.linspace(-1.0, 1.4, 9)
Y = 0.7 * X + 0.4 * np.cos(5 * X)


@pytest.mark.parametrize("size", [1, 2, 4, 9])
def test_the_moments_are_those_of_all_batches(size):
    noise = fl.GradientNoise(X, Y, batch_size=size, label_noise=0.6)
    moments, pulls = [], []
    for chosen in combinations(range(9), size):
        x, y = X[list(chosen)], Y[list(chosen)]
        moments.append(np.mean(x * x))
        at_target = np.mean(x * x) * noise.task.target - np.mean(x * y)
        pulls.append(at_target**2 + 0.6**2 * np.mean(x * x) / size)
    assert noise.square == pytest.approx(np.mean(np.square(moments)), rel=1e-12, abs=0)
    assert noise.pull == pytest.approx(np.mean(pulls), rel=1e-12, abs=1e-15)


@pytest.mark.parametrize(
    ("width", "rates", "options"),
    [
        (100, (0.1, 0.1), {"label_noise": 1.0}),
        (100, (0.02, 0.5), {"label_noise": 0.5, "batch_size": 3}),
        (3000, (0.3, 0.3), {"label_noise": 2.0, "batch_size": 2}),
        (100, (0.3, 0.3), {}),
        (1, (0.02, 0.05), {"label_noise": 0.3}),
    ],
)
def test_erosion_and_fluctuation_are_those_of_settled_paths(width, rates, options):
    paths, window = 600, np.linspace(400, 700, 31).round()
    network = fl.Network(width, gamma=width**-0.5, eta_u=rates[0], eta_w=rates[1])
    gram = fl.Gram(np.full(paths, width * 1.5), 0.1 * width**0.5, width * 0.8)
    run = fl.StochasticDescent(network, X, Y, gram, seed=3, **options)
    state, noise = run.at(window), fl.GradientNoise(X, Y, **options)
    # √D and Δ shrink by the same factors
    lost = -np.log(state.determinant[:, -1] / state.determinant[:, 0]) / 600
    error = lost.std() / np.sqrt(paths)
    predicted = noise.erosion(network, state.kernel).mean()
    assert error < 0.02 * predicted
    assert lost.mean() == pytest.approx(predicted, rel=0.06, abs=0)
    measured = np.mean(state.residual**2)
    assert measured == pytest.approx(noise.fluctuation(state.kernel).mean(), rel=0.06, abs=0)


def test_steps_to_sink():
    """One path through three heights of the floor, against the integral."""
    network = fl.Network(3000, gamma=3000**-0.5, eta_u=0.2, eta_w=0.2)
    gram = fl.Gram(np.full(40, 3000.0), 0.0, 3000.0)
    run = fl.StochasticDescent(network, X, Y, gram, label_noise=2.0, seed=0)
    noise = fl.GradientNoise(X, Y, label_noise=2.0)
    n = np.arange(0, 12_001, 200)
    floor = network.gamma**2 * 2 * 0.2 * np.sqrt(run.determinant(n)).mean(axis=0)
    for start, end in ((0, 20), (20, 60), (0, 60)):
        predicted = noise.steps_to_sink(network, floor[start], floor[end])
        assert predicted == pytest.approx(200 * (end - start), rel=0.05, abs=0)
    assert noise.steps_to_sink(network, [0.4, 0.2], 0.2).shape == (2,)


@pytest.mark.parametrize("size", [1, 3])
@pytest.mark.parametrize("label_noise", [0.0, 2.0, 9.0])
def test_growth_is_the_slope_of_the_modes(size, label_noise):
    network = fl.Network(2, gamma=0.5, eta_u=0.2, eta_w=0.1)
    noise = fl.GradientNoise(X, Y, size, label_noise)
    steps, paths = 300, 400
    gram = fl.Gram(np.full(paths, 1e-90), 0.0, 1e-90)
    run = fl.StochasticDescent(
        network, X, Y, gram, batch_size=size, label_noise=label_noise, seed=1
    )
    state = run.at(steps)
    signal = 2 * 0.5 * np.sqrt(0.02) * state.slope
    floor = 0.25 * np.hypot(state.imbalance, np.sqrt(0.08 * state.determinant))
    larger = state.kernel + np.abs(signal)
    smaller, ahead = floor / larger * floor, signal > 0
    modes = {"p": np.where(ahead, larger, smaller), "q": np.where(ahead, smaller, larger)}
    for name, value in modes.items():
        moved = np.log(value / run.kernel(0)) / 2 / steps
        error = moved.std() / np.sqrt(paths)
        assert noise.growth(network, name) == pytest.approx(moved.mean(), abs=4 * error + 1e-4)


@pytest.mark.parametrize("ratio", [0.0, 1e-3, 0.3, 2.0, 7.99, 8.01, 40.0])
def test_mean_log_against_quadrature(ratio):
    def density(z):
        return np.log(abs(ratio + z)) * np.exp(-z * z / 2) / np.sqrt(2 * np.pi)

    pieces = [-np.inf, -ratio, -ratio + 5, np.inf] if ratio < 30 else [-12, 12]
    wanted = sum(
        quad(density, a, b, epsabs=1e-13, epsrel=1e-12, limit=200)[0] for a, b in pairwise(pieces)
    )
    for scale in (1e-6, 1.0, 1e5):
        got = mean_log(-ratio * scale, scale)
        assert got == pytest.approx(wanted + np.log(scale), rel=0, abs=1e-9)


def test_mean_log_without_noise():
    np.testing.assert_array_equal(mean_log([1.0, -np.e, 0.0], 0.0), [0.0, 1.0, -np.inf])


def test_no_stationary_state():
    network = fl.Network(2)
    noise = fl.GradientNoise(X, Y, label_noise=1.0)
    edge = 2 * noise.task.second_moment / noise.square
    assert np.isfinite(noise.erosion(network, 0.999 * edge))
    np.testing.assert_array_equal(noise.erosion(network, [edge, 9.0]), np.inf)
    np.testing.assert_array_equal(noise.fluctuation([edge, 9.0]), np.inf)


def test_without_noise_nothing_erodes():
    noise = fl.GradientNoise(X, 0.5 * X, batch_size=9)
    network = fl.Network(2, eta_u=0.1, eta_w=0.1)
    assert noise.erosion(network, 0.2) == pytest.approx(0, abs=1e-30)
    assert noise.steps_to_sink(network, 1.0, 0.1) > 1e20


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda n: fl.GradientNoise(X, Y, batch_size=10),
            ValueError,
            "batch_size must be at most 9",
        ),
        (lambda n: fl.GradientNoise(X, Y, label_noise=-1), ValueError, "label_noise must be"),
        (lambda n: n.erosion(3, 1.0), TypeError, "network must be a Network"),
        (lambda n: n.erosion(fl.Network(2), -1.0), ValueError, "kernel must be"),
        (lambda n: n.steps_to_sink(fl.Network(2), 0.0, 1.0), ValueError, "start must be"),
        (lambda n: n.growth(fl.Network(2), "r"), ValueError, "mode must be one of 'p', 'q'"),
        (
            lambda n: fl.GradientNoise(np.ones(60), np.ones(60), 30).growth(fl.Network(2)),
            ValueError,
            "batch_size must leave at most",
        ),
    ],
)
def test_bad_parts(call, error, message):
    with pytest.raises(error, match=message):
        call(fl.GradientNoise(X, Y))
