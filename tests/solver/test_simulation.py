"""The independent route: it must hold up without the solver, or it is no evidence."""

from __future__ import annotations

import numpy as np
import pytest

import flbook as fl
from flbook import Network, Task
from flbook.simulation import (
    Simulation,
    gradient_descent,
    gradient_flow,
    sample_layers,
    stochastic_descent,
)

TRAINERS = (gradient_flow, gradient_descent)


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
    assert by_examples.task == by_moments.task


@pytest.mark.parametrize("train", TRAINERS)
def test_columns_off_the_line_change_nothing_along_it(problem, train):
    network, x, y, u0, w0 = problem
    n = np.array([0.6, 0.0, -0.8])
    w_columns = sample_layers(network, 3, seed=4)[1]
    w_columns += np.outer(w0 - w_columns @ -n, -n)
    t = [0, 2, 9]
    alone = train(network, (x, y), u0, -w0, t)
    run = train(network, (np.outer(x, n), y), u0, w_columns, t)
    # the direction with a positive largest component counts as forward
    np.testing.assert_allclose(run.direction, -n, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(run.u, alone.u, rtol=1e-9)
    np.testing.assert_allclose(run.w @ n, alone.w, rtol=1e-9)
    across = np.eye(3) - np.outer(n, n)
    np.testing.assert_allclose(run.w @ across, [w_columns @ across] * 3, atol=1e-14)
    for name in ("residual", "slope", "alignment", "kernel_alignment"):
        np.testing.assert_allclose(getattr(run, name), -getattr(alone, name), rtol=1e-9)
    for name in ("loss", "kernel", "imbalance", "determinant"):
        np.testing.assert_allclose(getattr(run, name), getattr(alone, name), rtol=1e-9)
    np.testing.assert_allclose(run.predict(np.outer(x, n)), alone.predict(x), rtol=1e-9)
    np.testing.assert_allclose(run.test_error(np.outer(x, n), y), run.loss, rtol=1e-12)
    np.testing.assert_allclose(alone.test_error(x, y), alone.loss, rtol=1e-12)


def test_inputs_that_span_more_than_a_line():
    random = np.random.default_rng(2)
    x, y = random.normal(size=(9, 2)), random.normal(size=9)
    network = Network(3, gamma=0.7, eta_u=0.05, eta_w=0.2)
    u, w = sample_layers(network, 2, seed=1)
    run = gradient_descent(network, (x, y), u, w, np.arange(4))

    def loss(u, w):
        return np.mean((network.gamma * (x @ w.T) @ u - y) ** 2) / 2

    def slope_of(vary, at):
        # the loss is quadratic in every single weight, so a central difference is exact
        steps = 0.5 * np.eye(at.size).reshape(-1, *at.shape)
        return np.reshape([vary(at + step) - vary(at - step) for step in steps], at.shape)

    for n in range(4):
        np.testing.assert_allclose(run.u[n], u, rtol=1e-12)
        np.testing.assert_allclose(run.w[n], w, rtol=1e-12)
        np.testing.assert_allclose(run.test_error(x, y)[n], loss(u, w), rtol=1e-12)
        by_u = slope_of(lambda u, w=w: loss(u, w), u)
        by_w = slope_of(lambda w, u=u: loss(u, w), w)
        u, w = u - network.eta_u * by_u, w - network.eta_w * by_w

    least = np.mean((x @ np.linalg.lstsq(x, y, rcond=None)[0] - y) ** 2) / 2
    settled = gradient_flow(network, (x, y), run.u[0], run.w[0], [2000.0])
    assert settled.test_error(x, y)[0] == pytest.approx(least, rel=1e-9)

    assert run.task is None
    assert run.direction is None
    for name in ("slope", "residual", "loss", "kernel", "alignment", "gram"):
        with pytest.raises(ValueError, match="x must lie on one line through the origin"):
            getattr(run, name)


@pytest.mark.parametrize("kind", [fl.GradientFlow, fl.GradientDescent])
def test_a_simulation_answers_by_the_names_of_the_exact_dynamics(problem, kind):
    network, x, y, u0, w0 = problem
    exact = kind(network, Task.from_data(x, y), fl.Gram.from_weights(u0, w0))
    train = gradient_flow if kind is fl.GradientFlow else gradient_descent
    t = np.array([0, 1, 5])
    run = train(network, (x, y), u0, w0, t)
    np.testing.assert_array_equal(run.t, t)
    names = [
        name
        for name in vars(Simulation)
        if not name.startswith("_") and name not in ("direction", "predict", "test_error")
    ]
    assert len(names) >= 9
    for name in names:
        ours, theirs = getattr(run, name), getattr(exact, name)(t)
        if name == "gram":
            ours, theirs = ([g.uu, g.uw, g.ww] for g in (ours, theirs))
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, err_msg=name)


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
    np.testing.assert_array_equal(run.residual, [4.5, -1.0])
    np.testing.assert_array_equal(run.imbalance, [3 * 5 - 2 * 25, -4.0])
    np.testing.assert_array_equal(run.determinant, [4.0, 0.0])
    cosine = 2 * 0.5 * np.sqrt(6) * 5.5 / 16.25
    np.testing.assert_allclose(run.kernel_alignment, [cosine, 0.0])
    np.testing.assert_allclose(run.predict([2.0, -1.0]), [[11.0, -5.5], [0.0, 0.0]])
    np.testing.assert_allclose(run.test_error([2.0, -1.0], [10.0, -5.5]), [0.25, 130.25 / 4])


def test_measures_of_nothing():
    nothing = np.zeros((1, 2))
    run = Simulation(Network(2), Task(1.0, 1.0, 1.0), np.zeros(1), nothing, nothing)
    assert (run.alignment, run.kernel_alignment, run.determinant) == (0.0, 0.0, 0.0)


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
    assert all(0 <= done <= 9.0 and wanted == 9.0 for done, wanted in flow_reports)
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
    for wrong in (-1, 0.5, np.inf):
        with pytest.raises(ValueError, match=r"steps must be a whole number from 0 to 2\*\*53"):
            gradient_descent(network, task, one, one, [wrong])
    with pytest.raises(ValueError, match=r"steps must be increasing, got 2 at index 1"):
        gradient_descent(network, task, one, one, [3, 2])
    for wrong in (3, []):
        with pytest.raises(ValueError, match=r"steps must have shape \(n,\)"):
            gradient_descent(network, task, one, one, wrong)
    with pytest.raises(TypeError, match="dimensions must be one whole number"):
        sample_layers(network, [1, 2])
    with pytest.raises(ValueError, match="dimensions must be a whole number from 1"):
        sample_layers(network, 0)


@pytest.mark.parametrize("train", TRAINERS)
def test_bad_data(train):
    network, one, two = Network(1), [1.0], Network(2)
    for wrong in (one, network, (one, one, one)):
        with pytest.raises(TypeError, match=r"data must be a Task or a tuple \(x, y\), got "):
            train(network, wrong, one, one, [0])
    with pytest.raises(ValueError, match=r"data must be a single one to simulate, got .* \(2,\)"):
        train(network, Task([1.0, 1.0], 1.0, 1.0), one, one, [0])
    for wrong in (1.0, [], [[[1.0]]]):
        with pytest.raises(ValueError, match=r"x must have shape \(examples,\) or \(examples, D\)"):
            train(network, (wrong, one), one, one, [0])
    with pytest.raises(ValueError, match=r"y must have shape \(1,\) like x"):
        train(network, (one, [1.0, 2.0]), one, one, [0])
    with pytest.raises(ValueError, match=r"w0 must have shape \(1, 1\), got \(1,\)"):
        train(network, ([one], one), one, one, [0])
    with pytest.raises(ValueError, match=r"w0 must have shape \(2, 2\), got \(3, 3\)"):
        train(two, ([[1.0, 0.0]], one), [1.0, 0.0], np.eye(3), [0])
    with pytest.raises(ValueError, match="x must hold an input that is not zero"):
        train(network, ([[0.0]], one), one, [one], [0])
    run = train(two, ([[1.0, 0.0]], one), [1.0, 0.0], np.eye(2), [0])
    with pytest.raises(
        ValueError, match=r"x must have shape \(examples,\) \+ \(2,\), got \(1, 1\)"
    ):
        run.predict([[1.0]])
    with pytest.raises(ValueError, match=r"y must have shape \(1,\) like x"):
        run.test_error([[1.0, 0.0]], [1.0, 2.0])
    run = train(network, (one, one), one, one, [0])
    with pytest.raises(ValueError, match=r"x must have shape \(examples,\) \+ \(\), got \(1, 1\)"):
        run.predict([[1.0]])


def test_a_stochastic_step_goes_down_the_loss_of_its_batch(problem):
    network, x, y, u0, w0 = problem
    index, noise = np.array([[0, 3], [7, 7], [2, 10]]), np.array([0.5, -1.0])
    run = stochastic_descent(
        network, (x, y), u0, w0, [0, 1, 2, 3], index=index, noise=noise, progress=None
    )
    rates = np.repeat([network.eta_u, network.eta_w], 3)
    weights = np.concatenate([u0, w0])
    for n, chosen in enumerate(index):
        gradient = _numeric_gradient(weights, network, x[chosen], y[chosen] + noise)
        weights = weights - rates * gradient
        got = np.concatenate([run.u[n + 1], run.w[n + 1]])
        np.testing.assert_allclose(got, weights, rtol=1e-12)


def test_stochastic_steps_on_everything_are_full_steps_in_any_dimension():
    random = np.random.default_rng(3)
    network = Network(4, eta_u=0.05, eta_w=0.1)
    u0, w0 = sample_layers(network, 3, seed=1)
    data = random.normal(size=(9, 3)), random.normal(size=9)
    everything = np.tile(random.permutation(9), (20, 1))
    full = gradient_descent(network, data, u0, w0, [20])
    run = stochastic_descent(network, data, u0, w0, [20], index=everything)
    np.testing.assert_allclose(run.w, full.w, rtol=1e-12)
    assert run.w.shape == (1, 4, 3)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"data": Task(1, 1, 1)}, TypeError, r"data must be a tuple \(x, y\) to draw batches from"),
        ({"index": [0, 1]}, ValueError, r"index must have shape \(all steps, batch\), got \(2,\)"),
        ({"index": [[2], [0]]}, ValueError, "index must be made of examples 0 to 1, got 2"),
        ({"index": [[0.5], [0]]}, ValueError, "index must be a whole number"),
        ({"noise": [[1.0, 2.0]]}, ValueError, "noise must broadcast to the shape"),
        ({"steps": [0, 3]}, ValueError, "steps must be at most 2, the steps that index is for"),
    ],
)
def test_bad_batches(change, error, message):
    arguments = {"data": ([1.0, 2.0], [1.0, 1.0]), "steps": [0, 2], "index": [[0], [1]]} | change
    data, steps = arguments.pop("data"), arguments.pop("steps")
    with pytest.raises(error, match=message):
        stochastic_descent(Network(1), data, [0.1], [0.1], steps, **arguments)
