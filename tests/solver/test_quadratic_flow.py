"""Quadratic forms of all weights: against the core, the integrated weights, and their limits."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.linalg import expm

import flbook as fl

TIMES = np.array([0.0, 1e-9, 0.3, 2.0, 20.0, 1e3, 1e12, 1e300, np.inf])


def _random_form(random, size):
    matrix = random.normal(size=(size, size))
    return (matrix + matrix.T) / 2


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("width", [1, 5])
def test_two_opposite_eigenvalues_are_the_core(seed, width):
    random = np.random.default_rng(seed)
    u, w = 10 ** random.uniform(-2, 0.5) * random.normal(size=(2, width))
    gamma, eta, m = np.exp(random.normal(size=3) / 2)
    task = fl.Task(m, m * random.choice([-1.0, 1.0]), 3 * m)
    half = np.eye(width) / 2
    zero = np.zeros((width, width))
    form = fl.QuadraticFlow(
        np.block([[zero, half], [half, zero]]), task, np.r_[u, w], gamma=gamma, eta=eta
    )
    core = fl.GradientFlow(
        fl.Network(width, gamma=gamma, eta_u=eta, eta_w=eta), task, fl.Gram.from_weights(u, w)
    )
    now, exact = form.at(TIMES), core.at(TIMES)
    largest = max(abs(core.task.target), abs(core.slope(0.0)))
    assert np.abs(now.slope - exact.slope).max() < 1e-10 * largest
    assert np.abs(now.residual - exact.residual).max() < 1e-10 * largest
    np.testing.assert_allclose(now.kernel, exact.kernel, rtol=1e-10)
    np.testing.assert_allclose(now.loss, exact.loss, rtol=1e-9)
    layers = np.concatenate(core.weights(TIMES, u, w), axis=-1)
    size = np.linalg.norm(layers, axis=-1, keepdims=True)
    assert np.abs((now.weights - layers) / size).max() < 1e-10


@pytest.mark.parametrize("size", [1, 2, 7])
@pytest.mark.parametrize("seed", range(3))
def test_against_the_integrated_weights(size, seed):
    random = np.random.default_rng(seed)
    matrix, start = _random_form(random, size), random.normal(size=size) / np.sqrt(size)
    task = fl.Task(1.3, random.normal(), 9.0)
    flow = fl.QuadraticFlow(matrix, task, start, gamma=0.7, eta=0.4)
    t = np.linspace(0, 6, 7)

    def velocity(_, weights):
        error = 0.7 * weights @ matrix @ weights - task.target
        return -0.4 * 1.3 * error * 2 * 0.7 * matrix @ weights

    run = solve_ivp(velocity, (0, 6), start, "DOP853", t_eval=t, rtol=1e-12, atol=1e-13).y.T
    np.testing.assert_allclose(flow.weights(t), run, rtol=1e-8, atol=1e-9)
    slope = 0.7 * np.einsum("ti,ij,tj->t", run, matrix, run)
    np.testing.assert_allclose(flow.slope(t), slope, rtol=1e-8, atol=1e-9)
    kernel = 4 * 0.4 * 0.7**2 * np.sum((run @ matrix) ** 2, axis=-1)
    np.testing.assert_allclose(flow.kernel(t), kernel, rtol=1e-7)
    along = np.array([expm(clock * matrix) @ start for clock in flow.clock(t)])
    np.testing.assert_allclose(flow.weights(t), along, rtol=1e-10, atol=1e-12)


def test_one_eigenvalue_in_closed_form():
    """v = λγc² grows by the logistic equation dv/dt = 4ηγmλ v (v* − v)."""
    flow = fl.QuadraticFlow([[2.0]], fl.Task(0.5, 1.5, 9.0), [1e-8], gamma=0.3, eta=0.7)
    rate = 4 * 0.7 * 0.3 * 0.5 * 2.0 * 3.0
    first = 2.0 * 0.3 * 1e-16
    t = np.array([0.0, 1.0, 15.0, 16.0, 40.0, np.inf])
    wanted = 3.0 / (1 + (3.0 / first - 1) * np.exp(-rate * t))
    np.testing.assert_allclose(flow.slope(t), wanted, rtol=1e-9)


def test_frozen_combinations():
    values, vectors = np.linalg.eigh(_random_form(np.random.default_rng(3), 5))
    values = np.array([-2.0, -1.0, 0.0, 1.0, 1.0])
    matrix = vectors * values @ vectors.T
    start = vectors @ np.array([0.5, -0.4, 0.3, 0.2, -0.1])
    parts = fl.QuadraticFlow(matrix, fl.Task(1.0, 2.0, 4.0), start).weights(TIMES) @ vectors
    np.testing.assert_allclose(parts[:, 2], 0.3, rtol=1e-12)
    np.testing.assert_allclose(parts[:, 3] / parts[:, 4], -2.0, rtol=1e-12)
    np.testing.assert_allclose(parts[:, 1] * parts[:, 3], -0.08, rtol=1e-12)
    mixed = values[1] * np.log(np.abs(parts[:, 0])) - values[0] * np.log(np.abs(parts[:, 1]))
    np.testing.assert_allclose(mixed, mixed[0], rtol=1e-12)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_form_of_one_sign_cannot_reach_the_other(sign):
    matrix = sign * np.diag([1.0, 3.0, 0.0])
    flow = fl.QuadraticFlow(matrix, fl.Task(1.0, -2.0 * sign, 4.0), [1.0, 1.0, 1.0])
    now = flow.at([0.0, 1.0, 10.0, np.inf])
    assert (np.diff(sign * now.slope) < 0).all()
    assert now.slope[-1] == now.kernel[-1] == 0
    np.testing.assert_array_equal(now.weights[-1], [0.0, 0.0, 1.0])
    assert flow.clock(np.inf) == -sign * np.inf
    # near the end only the slow component is left, and θ runs at 2ηγm|v*|
    late = flow.slope([10.0, 11.0])
    assert late[1] / late[0] == pytest.approx(np.exp(-2 * 2 * 2.0), rel=1e-6)


def test_target_zero_is_forgotten_slowly():
    flow = fl.QuadraticFlow([[1.0]], fl.Task(1.0, 0.0, 1.0), [1.0])
    t = np.array([0.0, 1.0, 1e6, 1e12])
    np.testing.assert_allclose(flow.slope(t), 1 / (1 + 4 * t), rtol=1e-9)
    assert flow.slope(np.inf) == 0


@pytest.mark.parametrize(
    ("matrix", "start"),
    [
        (np.zeros((2, 2)), [1.0, 2.0]),
        (np.eye(2), [0.0, 0.0]),
        (np.diag([1.0, 0.0]), [0.0, 1.0]),
    ],
    ids=["no form", "no weights", "weights where the form is 0"],
)
def test_nothing_moves(matrix, start):
    now = fl.QuadraticFlow(matrix, fl.Task(1.0, 1.0, 1.0), start).at(TIMES)
    np.testing.assert_array_equal(now.slope, 0.0)
    np.testing.assert_array_equal(now.kernel, 0.0)
    np.testing.assert_array_equal(now.weights, np.broadcast_to(start, (TIMES.size, 2)))


def test_start_at_the_target():
    now = fl.QuadraticFlow([[0.5]], fl.Task(1.0, 2.0, 4.0), [2.0]).at(TIMES)
    np.testing.assert_array_equal(now.slope, 2.0)
    np.testing.assert_array_equal(now.residual, 0.0)


def test_a_start_near_the_target():
    """One eigenvalue, v = λγc²: near the target the error decays at the rate mK."""
    flow = fl.QuadraticFlow([[1.0]], fl.Task(1.0, 1.0, 1.0), [1 + 1e-6])
    t = np.array([0.01, 0.1, 1.0])
    np.testing.assert_allclose(flow.residual(t) / flow.residual(0.0), np.exp(-4 * t), rtol=1e-4)


def test_shapes_and_loops():
    random = np.random.default_rng(0)
    matrix, start = _random_form(random, 3), random.normal(size=(4, 1, 3))
    task = fl.Task(1.0, np.array([0.5, -0.5]), 4.0)
    flow = fl.QuadraticFlow(matrix, task, start)
    t = np.array([[0.0, 1.0, 5.0], [2.0, np.inf, 0.1]])
    now = flow.at(t)
    assert flow.shape == (4, 2)
    for name in ("slope", "residual", "loss", "kernel", "clock"):
        assert np.shape(getattr(now, name)) == np.shape(getattr(flow, name)(t)) == (4, 2, 2, 3)
    assert now.weights.shape == (4, 2, 2, 3, 3)
    alone = fl.QuadraticFlow(matrix, fl.Task(1.0, -0.5, 4.0), start[2, 0])
    np.testing.assert_allclose(now.slope[2, 1], alone.slope(t), rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(now.weights[2, 1], alone.weights(t), rtol=1e-9, atol=1e-11)
    assert np.shape(alone.slope(1.0)) == ()
    assert alone.weights(1.0).shape == (3,)
    assert alone.slope([]).shape == (0,)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"matrix": [1.0, 2.0]}, ValueError, r"matrix must have shape \(D, D\), got \(2,\)"),
        ({"matrix": [[1.0, 2.0], [0.0, 1.0]]}, ValueError, "matrix must be symmetric"),
        ({"matrix": [[np.nan]]}, ValueError, "matrix must be finite"),
        ({"weights": [1.0]}, ValueError, r"weights must have shape \(..., 2\), got \(1,\)"),
        ({"weights": 1.0}, ValueError, r"weights must have shape \(..., 2\), got \(\)"),
        ({"task": 1.0}, TypeError, "task must be a Task"),
        ({"gamma": 0.0}, ValueError, "gamma must be finite and greater than 0"),
        ({"eta": [1.0, 2.0]}, TypeError, "eta must be one real number"),
        ({"weights": np.ones((3, 2)), "task": fl.Task(1.0, [1.0, 2.0], 9.0)}, ValueError, "shapes"),
    ],
)
def test_bad_input(change, error, message):
    parts = {"matrix": np.eye(2), "task": fl.Task(1.0, 1.0, 1.0), "weights": [1.0, 0.0]}
    with pytest.raises(error, match=message):
        fl.QuadraticFlow(**(parts | change))


@pytest.mark.parametrize("name", ["slope", "residual", "loss", "kernel", "clock", "weights", "at"])
def test_bad_times(name):
    flow = fl.QuadraticFlow([[1.0]], fl.Task(1.0, 1.0, 1.0), [1.0])
    with pytest.raises(ValueError, match="t must be a time of at least 0"):
        getattr(flow, name)(-1.0)


def test_frozen_and_comparable():
    parts = ([[1.0]], fl.Task(1.0, 1.0, 1.0), [1.0])
    assert fl.QuadraticFlow(*parts) == fl.QuadraticFlow(*parts)
    assert fl.QuadraticFlow(*parts) != fl.QuadraticFlow(*parts, eta=2.0)
    with pytest.raises(AttributeError):
        fl.QuadraticFlow(*parts).eta = 1.0
