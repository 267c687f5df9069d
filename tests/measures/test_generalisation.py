"""The exact test error, against whole networks with many input dimensions."""

from types import SimpleNamespace

import numpy as np
import pytest

import flbook as fl
from flbook import simulation

INFINITY = float("inf")


def rotation(dimensions, seed=0):
    random = np.random.default_rng(seed)
    return np.linalg.qr(random.standard_normal((dimensions, dimensions)))[0]


def line_data(dimensions, seed=0):
    """Return inputs on a line, labels, the line's direction and their task."""
    random = np.random.default_rng(seed)
    a = random.standard_normal(12)
    y = 1.4 * a + 0.3 * random.standard_normal(12)
    direction = rotation(dimensions)[0]
    task = fl.Task(np.mean(a * a), np.mean(a * y), np.mean(y * y))
    return np.outer(a, direction), y, direction, task


@pytest.mark.parametrize("by_steps", [False, True])
def test_training_never_reaches_the_weights_across_the_line(by_steps):
    dimensions, width = 6, 5
    x, y, n, task = line_data(dimensions)
    network = fl.Network(width, 0.8, 0.9, 0.7, 0.03, 0.05)
    u0, w0 = simulation.sample_layers(network, dimensions, seed=1)
    times = np.array([0.0, 3.0, 20.0, 60.0])
    train = simulation.gradient_descent if by_steps else simulation.gradient_flow
    trained = train(network, (x, y), u0, w0, times)
    gram = fl.Gram.from_weights(u0, w0 @ n)
    kind = fl.GradientDescent if by_steps else fl.GradientFlow
    dynamics = kind(network, task, gram)

    across = np.eye(dimensions) - np.outer(n, n)
    assert trained.w @ across == pytest.approx(
        np.broadcast_to(w0 @ across, trained.w.shape), abs=1e-12
    )
    assert np.sum(trained.u**2, axis=1) == pytest.approx(dynamics.gram(times).uu, rel=1e-8)
    assert trained.predict(n[None])[:, 0] == pytest.approx(dynamics.slope(times), rel=1e-8)
    assert trained.test_error(x, y) == pytest.approx(dynamics.loss(times), rel=1e-8)


@pytest.mark.parametrize("by_steps", [False, True])
def test_variance_over_thousands_of_directions(by_steps):
    # every direction across the line is one draw of γ u·W⊥e, with the same u
    dimensions, width = 3001, 3
    x, y, n = np.zeros((2, dimensions)), np.array([1.0, -2.0]), np.eye(dimensions)[0]
    x[:, 0] = [1.0, -1.5]
    network = fl.Network(width, 0.8, 0.9, 0.7, 0.05, 0.05)
    layers = simulation.sample_layers(network, dimensions, seed=2)
    train = simulation.gradient_descent if by_steps else simulation.gradient_flow
    times = [0.0, 10.0, 100.0]
    trained = train(network, (x, y), *layers, times)
    kind = fl.GradientDescent if by_steps else fl.GradientFlow
    gram = fl.Gram.from_weights(layers[0], layers[1] @ n)
    dynamics = kind(network, fl.Task.from_data(x[:, 0], y), gram)
    predictions = trained.predict(np.eye(dimensions)[1:])
    variance = np.mean(predictions**2, axis=1)
    wanted = fl.off_line_variance(dynamics, times)
    assert variance == pytest.approx(wanted, rel=4 * np.sqrt(2 / 3000))
    assert wanted[2] > 1.2 * wanted[0]


@pytest.mark.parametrize("by_steps", [False, True])
def test_error_of_real_networks_on_inputs_off_the_line(by_steps):
    dimensions, width, networks = 4, 3, 300
    x, y, n, task = line_data(dimensions)
    random = np.random.default_rng(5)
    a = 0.5 + random.standard_normal(40)
    off = random.standard_normal((40, dimensions)) * [0.4, 2.0, 1.0, 0.2]
    off -= np.outer(off @ n, n)
    labels = 1.1 * a + off @ [0.1, -0.1, 0.05, 0.2] + 0.2 * random.standard_normal(40)
    inputs = np.outer(a, n) + off
    test = fl.Task(np.mean(a * a), np.mean(a * labels), np.mean(labels**2))
    moment = np.mean(np.sum(off**2, axis=1))

    network = fl.Network(width, 0.8, 0.9, 0.7, 0.1, 0.15)
    times = [0.0, 4.0, 40.0]
    gaps, off_line = [], []
    for seed in range(networks):
        u0, w0 = simulation.sample_layers(network, dimensions, seed)
        gram = fl.Gram.from_weights(u0, w0 @ n)
        if by_steps:
            trained = simulation.gradient_descent(network, (x, y), u0, w0, times)
            dynamics = fl.GradientDescent(network, task, gram)
        else:
            trained = simulation.gradient_flow(network, (x, y), u0, w0, times, rtol=1e-6, atol=1e-8)
            dynamics = fl.GradientFlow(network, task, gram)
        wanted = fl.generalisation_error(dynamics, times, moment, test)
        gaps.append(trained.test_error(inputs, labels) - wanted)
        off_line.append(moment * fl.off_line_variance(dynamics, times) / 2)
    error = np.std(gaps, axis=0) / np.sqrt(networks)
    assert (np.abs(np.mean(gaps, axis=0)) < 4 * error).all()
    # the comparison can see the off-line term: without it the gap would be many errors wide
    assert (np.mean(off_line, axis=0) > 8 * error).all()


def test_large_initialisation_costs_and_the_rich_corner_is_free():
    scales = 10.0 ** np.arange(-6, 2)
    network = fl.Network(1000, sigma_u=scales, sigma_w=scales)
    flow = fl.GradientFlow(network, fl.Task(1.0, 1.0, 1.0), network.typical_gram())
    error = fl.generalisation_error(flow, INFINITY, 1.0)
    assert (np.diff(error) > 0).all()
    # uu(∞) → |v*|/γ = 1 in the rich corner, and uu(∞) → uu(0) = d σ² far from it
    assert error[0] == pytest.approx(scales[0] ** 2 / 2, rel=1e-6, abs=0)
    assert error[-1] == pytest.approx(1000 * scales[-1] ** 4 / 2, rel=1e-3)


def test_on_the_line_the_error_is_the_loss():
    network = fl.Network(5)
    flow = fl.GradientFlow(network, fl.Task(2.0, 1.0, 3.0), fl.Gram(1.0, 0.4, 2.0))
    times = [0.0, 0.3, INFINITY]
    assert fl.generalisation_error(flow, times, 0.0) == pytest.approx(flow.loss(times), rel=1e-14)
    other = fl.Task(0.5, -0.2, 1.0)
    v = flow.slope(times)
    wanted = (0.5 * v**2 + 2 * 0.2 * v + 1.0) / 2
    assert fl.generalisation_error(flow, times, 0.0, other) == pytest.approx(wanted, rel=1e-13)


def test_shapes_broadcast():
    network = fl.Network(5, sigma_w=np.array([0.5, 1.0, 2.0]))
    task = fl.Task(1.0, 1.0, 2.0)
    flow = fl.GradientFlow(network, task, fl.Gram(1.0, 0.4, np.ones((2, 1))))
    times = np.linspace(0, 3, 5)
    assert fl.off_line_variance(flow, times).shape == (2, 3, 5)
    assert fl.off_line_variance(flow, 1.0).shape == (2, 3)
    moments = np.ones((4, 1, 1))
    test = fl.Task(1.0, 0.5, np.array([1.0, 2.0, 3.0]))
    error = fl.generalisation_error(flow, times, moments, test)
    assert error.shape == (4, 2, 3, 5)
    single = fl.GradientFlow(fl.Network(5, sigma_w=2.0), task, fl.Gram(1.0, 0.4, 1.0))
    alone = fl.generalisation_error(single, times, 1.0, fl.Task(1.0, 0.5, 3.0))
    assert error[3, 1, 2] == pytest.approx(alone, rel=1e-14)


def test_a_descent_that_diverges_has_infinite_error():
    network = fl.Network(2, sigma_w=[1.0, 0.0], eta_u=10.0, eta_w=10.0)
    task = fl.Task(1.0, 1.0, 1.0)
    descent = fl.GradientDescent(network, task, fl.Gram(1.0, 0.2, 1.0))
    assert fl.off_line_variance(descent, 2000).tolist() == [INFINITY, 0.0]
    assert fl.generalisation_error(descent, 2000, 1.0).tolist() == [INFINITY, INFINITY]
    assert fl.generalisation_error(descent, 2000, 0.0).tolist() == [INFINITY, INFINITY]


class OneLayer:
    """A training run of somebody else's: u stays, and w learns v = 1 − exp(−t)."""

    network = fl.Network(3, gamma=2.0, sigma_w=0.5)
    task = fl.Task(1.0, 1.0, 1.0)
    start = fl.Gram(3.0, 0.0, 10.0)

    def gram(self, t):
        return self.at(t).gram

    def at(self, t):
        residual = -np.exp(-np.asarray(t))
        gram = fl.Gram(3.0, residual / 2 + 0.5, 10.0)
        moved = fl.Gram(np.zeros(np.shape(t)), 0.0, (residual + 1) ** 2 / 12)
        return SimpleNamespace(residual=residual, gram=gram, displacement=moved)


def test_any_dynamics_with_a_gram_matrix_will_do():
    t = np.array([0.0, 1.0, 2.0])
    assert fl.off_line_variance(OneLayer(), t).tolist() == [3.0] * 3
    error = fl.generalisation_error(OneLayer(), t, [[0.0], [4.0]])
    assert error.shape == (2, 1, 3)
    assert error[0, 0] == pytest.approx(np.exp(-2 * t) / 2)
    assert error[1, 0] == pytest.approx(np.exp(-2 * t) / 2 + 6)
    assert fl.error_parts(OneLayer(), t, 4.0).random_function.tolist() == [6.0] * 3


@pytest.mark.parametrize("sigma", [2.0, 0.4])
def test_the_parts_are_those_of_whole_networks(sigma):
    """f₀, f − f₀ and their product, over inputs across the line, for one network of many inputs."""
    dimensions, width = 4001, 6
    x, y, n = np.zeros((2, dimensions)), np.array([1.0, -2.0]), np.eye(dimensions)[0]
    x[:, 0] = [1.0, -1.5]
    network = fl.Network(width, 0.8, sigma, 0.7, 0.02, 0.05)
    u0, w0 = simulation.sample_layers(network, dimensions, seed=4)
    trained = simulation.gradient_descent(network, (x, y), u0, w0, [0, 1000])
    task = fl.Task.from_data(x, y)
    dynamics = fl.GradientDescent(network, task, fl.Gram.from_weights(u0, w0 @ n))
    # every direction across the line is one draw of the random features
    across = np.eye(dimensions)[1:]
    before, after = trained.predict(across)
    parts = fl.error_parts(dynamics, 1000, off_line_moment=1.0)
    error = 3 / np.sqrt(2 * (dimensions - 1))
    whole = parts.random_function + parts.laziness
    assert parts.random_function == pytest.approx(np.mean(before**2) / 2, rel=error)
    assert parts.laziness == pytest.approx(np.mean((after - before) ** 2) / 2, rel=error)
    rest = np.mean(before * (after - before))
    assert parts.interference == pytest.approx(rest, abs=2 * error * whole)
    assert parts.on_line == pytest.approx(trained.test_error(x, y)[1], rel=1e-8)
    assert parts.total == pytest.approx(fl.generalisation_error(dynamics, 1000, 1.0), rel=1e-14)


def test_laziness_alone_has_a_price():
    """A centred lazy network pays m⊥ v*²/(8d) off the line, a rich one next to nothing."""
    target, moment, width = 1.3, 784.0, 200
    task = fl.Task(1.0, target, target**2)
    lazy = fl.Network(width, gamma=1e-3, sigma_u=30.0, sigma_w=30.0)
    rich = fl.Network(width, sigma_u=1e-3, sigma_w=1e-3)
    price = moment * target**2 / (8 * width)
    for network, low, high in ((lazy, 0.99, 1.01), (rich, 0.0, 0.01)):
        flow = fl.GradientFlow(network, task, network.typical_gram(overlap=0.0))
        laziness = fl.error_parts(flow, INFINITY, moment).laziness
        assert low * price <= laziness <= high * price


def test_a_descent_that_diverged_has_infinite_parts():
    network = fl.Network(2, eta_u=10.0, eta_w=10.0)
    descent = fl.GradientDescent(network, fl.Task(1.0, 1.0, 1.0), fl.Gram(1.0, 0.2, 1.0))
    parts = fl.error_parts(descent, [0, 2000], off_line_moment=1.0)
    assert not any(np.isnan(part).any() for part in parts)
    assert (parts.total[0] < INFINITY, parts.total[1]) == (True, INFINITY)
    with np.errstate(over="ignore"):
        assert not np.isnan(fl.error_parts(descent, [0, 2000], off_line_moment=0.0).total).any()


def test_refusals():
    network, task, gram = fl.Network(2), fl.Task(1.0, 1.0, 1.0), fl.Gram(1.0, 0.0, 1.0)
    flow = fl.GradientFlow(network, task, gram)
    frozen = fl.KernelFlow(network, task, gram)
    run = simulation.gradient_flow(network, task, [1.0, 0.0], [0.0, 1.0], [0.0])
    for wrong in (frozen, network, run, None):
        with pytest.raises(TypeError, match="dynamics must know the Gram matrix of its layers"):
            fl.off_line_variance(wrong, 1.0)
        with pytest.raises(TypeError, match="dynamics must know the Gram matrix of its layers"):
            fl.generalisation_error(wrong, 1.0, 1.0)
    with pytest.raises(ValueError, match="t must be a time of at least 0"):
        fl.off_line_variance(flow, -1.0)
    with pytest.raises(ValueError, match="off_line_moment must be finite and at least 0"):
        fl.generalisation_error(flow, 1.0, -1.0)
    with pytest.raises(TypeError, match="test must be a Task"):
        fl.generalisation_error(flow, 1.0, 1.0, gram)
    several = fl.GradientFlow(network, task, fl.Gram(1.0, np.zeros(2), 1.0))
    with pytest.raises(ValueError, match=r"off_line_moment \(3,\)"):
        fl.generalisation_error(several, 1.0, np.ones(3))
