"""The independent route: it must hold up without the solver, or it is no evidence."""

from __future__ import annotations

import numpy as np
import pytest

from flbook import Network, Task
from flbook.simulation import Simulation, gradient_descent, gradient_flow


def _half_square(weights, network, x, y):
    """Return L of one stacked weight vector, from the definition of the model."""
    width = network.width
    u, w = weights[:width], weights[width:]
    prediction = network.gamma * sum(u[i] * (w[i] * x) for i in range(width))
    return np.mean((prediction - y) ** 2) / 2


def _numeric_gradient(weights, network, x, y):
    gradient = np.empty_like(weights)
    for i in range(weights.size):
        # The loss is quadratic in every single weight, so a central difference is exact.
        up, down = weights.copy(), weights.copy()
        up[i] += 0.5
        down[i] -= 0.5
        gradient[i] = _half_square(up, network, x, y) - _half_square(down, network, x, y)
    return gradient


@pytest.fixture
def problem():
    random = np.random.default_rng(0)
    x = random.normal(size=11)
    y = 0.4 * x + random.normal(size=11)
    network = Network(3, gamma=0.7, eta_u=0.05, eta_w=0.2)
    return network, x, y, random.normal(size=3), random.normal(size=3)


def test_steps_follow_the_numeric_gradient(problem):
    network, x, y, u0, w0 = problem
    run = gradient_descent(network, (x, y), u0, w0, np.arange(6))
    weights = np.concatenate([u0, w0])
    rates = np.repeat([network.eta_u, network.eta_w], 3)
    for n in range(6):
        np.testing.assert_allclose(run.u[n], weights[:3], rtol=1e-12)
        np.testing.assert_allclose(run.w[n], weights[3:], rtol=1e-12)
        assert run.loss[n] == pytest.approx(_half_square(weights, network, x, y), rel=1e-12, abs=0)
        weights = weights - rates * _numeric_gradient(weights, network, x, y)


def test_moments_and_examples_agree(problem):
    network, x, y, u0, w0 = problem
    steps = [0, 1, 10, 50]
    by_examples = gradient_descent(network, (x, y), u0, w0, steps)
    by_moments = gradient_descent(network, Task.from_data(x, y), u0, w0, steps)
    np.testing.assert_allclose(by_examples.u, by_moments.u, rtol=1e-12)
    np.testing.assert_allclose(by_examples.loss, by_moments.loss, rtol=1e-12)


def test_flow_is_the_limit_of_small_numeric_steps(problem):
    network, x, y, u0, w0 = problem
    run = gradient_flow(network, Task.from_data(x, y), u0, w0, [0.0, 1.0])
    rates = np.repeat([network.eta_u, network.eta_w], 3)

    def euler(count):
        weights = np.concatenate([u0, w0])
        for _ in range(count):
            weights = weights - rates * _numeric_gradient(weights, network, x, y) / count
        return weights

    coarse, fine = euler(50), euler(100)
    # Richardson: the first-order error cancels.
    expected = 2 * fine - coarse
    np.testing.assert_allclose(np.concatenate([run.u[1], run.w[1]]), expected, rtol=1e-4)
    assert np.abs(fine - expected).max() > 1e-5


def test_tolerances_are_met(problem):
    network, x, y, u0, w0 = problem
    task = Task.from_data(x, y)
    tight = gradient_flow(network, task, u0, w0, [0.0, 5.0, 20.0])
    loose = gradient_flow(network, task, u0, w0, [0.0, 5.0, 20.0], rtol=1e-5, atol=1e-7)
    assert 1e-11 < np.abs(loose.u - tight.u).max() < 1e-3


def test_measures():
    network, task = Network(2, gamma=0.5, eta_u=2.0, eta_w=3.0), Task(1.0, 1.0, 2.0)
    u, w = np.array([[1.0, 2.0], [0.0, 0.0]]), np.array([[3.0, 4.0], [1.0, 1.0]])
    run = Simulation(network, task, np.array([0.0, 1.0]), u, w)
    np.testing.assert_array_equal(run.slope, [5.5, 0.0])
    np.testing.assert_allclose(run.loss, [4.5**2 / 2 + 0.5, 1.0])
    np.testing.assert_array_equal(run.kernel, [0.25 * (15 + 50), 0.25 * 4])
    np.testing.assert_allclose(run.alignment, [11 / np.sqrt(125), 0.0])
    np.testing.assert_array_equal(run.gram.uw, [11.0, 0.0])


def test_only_time_zero():
    run = gradient_flow(Network(1), Task(1.0, 1.0, 1.0), [2.0], [3.0], [0.0])
    assert run.slope.tolist() == [6.0]


def test_progress_is_reported(problem):
    network, x, y, u0, w0 = problem
    flow_reports, step_reports = [], []
    task = Task.from_data(x, y)
    gradient_flow(network, task, u0, w0, [0.0, 9.0], progress=lambda *r: flow_reports.append(r))
    gradient_descent(network, task, u0, w0, [500], progress=lambda *r: step_reports.append(r))
    assert 5 < len(flow_reports) <= 101
    assert all(0 < done <= 9.0 and wanted == 9.0 for done, wanted in flow_reports)
    assert step_reports[0] == (0, 500)
    assert step_reports[-1] == (500, 500)
    assert len(step_reports) == 101


def test_divergence_is_an_error():
    network, task = Network(1, eta_u=5.0, eta_w=5.0), Task(1.0, 1.0, 1.0)
    with pytest.raises(ValueError, match="steps must end before the weights leave the range"):
        gradient_descent(network, task, [2.0], [1.0], [1, 100])


def test_integrator_that_gives_up():
    with pytest.raises(
        RuntimeError, match="the integrator stopped after 0 of 2 times: Required step size"
    ):
        gradient_flow(Network(1), Task(1.0, 1.0, 1.0), [1e200], [1.0], [0.0, 1e-3])


def test_bad_arguments():
    network, task, one = Network(1), Task(1.0, 1.0, 1.0), [1.0]
    with pytest.raises(TypeError, match="network must be a Network"):
        gradient_flow(task, task, one, one, [0.0])
    with pytest.raises(TypeError, match="task must be a Task"):
        gradient_flow(network, network, one, one, [0.0])
    with pytest.raises(
        ValueError, match=r"network must be a single one to simulate, got .* \(2,\)"
    ):
        gradient_flow(Network([1, 1]), task, one, one, [0.0])
    with pytest.raises(ValueError, match=r"w0 must have shape \(1,\), got \(2,\)"):
        gradient_flow(network, task, one, [1.0, 2.0], [0.0])
    with pytest.raises(ValueError, match="u0 must be finite, got nan at index 0"):
        gradient_descent(network, task, [np.nan], one, [0])
    with pytest.raises(ValueError, match=r"t must have shape \(n,\)"):
        gradient_flow(network, task, one, one, 1.0)
    with pytest.raises(
        ValueError, match="t must be finite to be integrated to, got inf at index 1"
    ):
        gradient_flow(network, task, one, one, [0.0, np.inf])
    with pytest.raises(ValueError, match=r"t must be increasing, got 1\.0 at index 1"):
        gradient_flow(network, task, one, one, [1.0, 1.0])
    with pytest.raises(ValueError, match="rtol must be finite and greater than 0"):
        gradient_flow(network, task, one, one, [1.0], rtol=0)
    with pytest.raises(ValueError, match="steps must be finite to be taken"):
        gradient_descent(network, task, one, one, [np.inf])
    with pytest.raises(ValueError, match=r"steps must be increasing, got 2\.0 at index 1"):
        gradient_descent(network, task, one, one, [3, 2])
    with pytest.raises(ValueError, match=r"steps must have shape \(n,\)"):
        gradient_descent(network, task, one, one, 3)
    with pytest.raises(TypeError, match=r"data must be a Task or a tuple \(x, y\), got \[1\.0\]"):
        gradient_descent(network, one, one, one, [0])
    with pytest.raises(ValueError, match=r"x must have shape \(examples,\), got \(1, 1\)"):
        gradient_descent(network, ([[1.0]], one), one, one, [0])
    with pytest.raises(ValueError, match=r"y must have shape \(1,\) like x"):
        gradient_descent(network, (one, [1.0, 2.0]), one, one, [0])
