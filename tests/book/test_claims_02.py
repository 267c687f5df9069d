"""Chapter 2: what its sentences say of the frozen numbers and the kernel, over corners."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import flbook as fl
from flbook import simulation

UNIT = fl.Task(1.0, 1.0, 1.0)
WIDTHS = [1, 2, 3, 7]


def draw(width, seed):
    """Draw a network with unequal layers and rates, and its weights."""
    random = np.random.default_rng(seed)
    scales = 10.0 ** random.uniform(-0.5, 0.5, 4)
    network = fl.Network(width, 10.0 ** random.uniform(-0.5, 0.3), *scales)
    return network, *network.sample_weights(seed)


def matrix(network, u, w):
    return np.outer(u, u) / network.eta_u - np.outer(w, w) / network.eta_w


def mean_rate(network):
    return np.sqrt(network.eta_u * network.eta_w)


@pytest.mark.parametrize("width", WIDTHS)
def test_one_matrix_and_its_two_numbers_stay_whatever_drives_the_weights(width):
    network, u0, w0 = draw(width, seed=width)

    def velocity(t, weights):
        u, w = np.split(weights, 2)
        # the slope under an absolute error, a target that moves, and inputs that change
        pull = network.gamma * (np.sign(network.gamma * u @ w - 2) + np.sin(5 * t) * (1 + u @ w))
        return np.concatenate([-network.eta_u * pull * w, -network.eta_w * pull * u])

    path = solve_ivp(
        velocity, (0, 1), np.concatenate([u0, w0]), "DOP853", rtol=1e-10, atol=1e-12
    ).y.T
    start = matrix(network, u0, w0)
    size = np.abs(start).max()
    for weights in path[:: max(1, len(path) // 10)]:
        u, w = np.split(weights, 2)
        assert np.abs(matrix(network, u, w) - start).max() < 1e-6 * (size + u @ u + w @ w)
        now, then = fl.Gram.from_weights(u, w), fl.Gram.from_weights(u0, w0)
        scale = now.uu * now.ww + then.uu * then.ww
        assert abs(now.determinant - then.determinant) < 1e-6 * scale


@pytest.mark.parametrize("width", WIDTHS)
def test_imbalance_and_determinant_are_the_eigenvalues_and_the_floor_their_distance(width):
    for seed in range(20):
        network, u, w = draw(width, seed)
        gram = fl.Gram.from_weights(u, w)
        flow = fl.GradientFlow(network, UNIT, gram)
        values = np.linalg.eigvalsh(matrix(network, u, w))
        squared = mean_rate(network) ** 2
        size = np.abs(values).max()
        assert values.sum() == pytest.approx(flow.imbalance(0) / squared, abs=1e-12 * size)
        pairs = (values.sum() ** 2 - (values**2).sum()) / 2
        assert pairs == pytest.approx(-gram.determinant / squared, abs=1e-12 * size**2)
        norm = np.linalg.norm(matrix(network, u, w), "nuc")
        floor = network.gamma**2 * squared * norm
        assert flow.kernel_floor == pytest.approx(floor, rel=1e-10)
        crossed = np.outer(u, u) / network.eta_w - np.outer(w, w) / network.eta_u
        assert np.linalg.norm(crossed, "nuc") != pytest.approx(norm, rel=1e-3)


@pytest.mark.parametrize("width", WIDTHS)
def test_the_kernel_is_a_function_of_the_slope(width):
    network, u0, w0 = draw(width, seed=10 + width)
    flow = fl.GradientFlow(network, UNIT, fl.Gram.from_weights(u0, w0))
    for task in (fl.Task(1, -2, 4), fl.Task(3, 0, 1), fl.Task(0.2, 1, 5)):
        run = simulation.gradient_flow(network, task, u0, w0, [0, 0.1, 0.7, 2])
        signal = 2 * network.gamma * mean_rate(network) * run.slope
        assert run.kernel == pytest.approx(np.hypot(signal, flow.kernel_floor), rel=1e-9)


@pytest.mark.parametrize("width", WIDTHS)
def test_the_slope_moves_at_the_speed_of_the_kernel(width):
    network, u0, w0 = draw(width, seed=20 + width)
    task = fl.Task(0.5, -0.7, 2)
    h = 1e-5
    for t in (0.2, 1.0):
        run = simulation.gradient_flow(network, task, u0, w0, [t - h, t, t + h])
        speed = (run.slope[2] - run.slope[0]) / (2 * h)
        wanted = -task.second_moment * run.kernel[1] * (run.slope[1] - task.target)
        assert speed == pytest.approx(wanted, rel=1e-6, abs=1e-9)


def test_which_neurons_can_change_the_sign_of_their_output_weight():
    network, u0, w0 = draw(400, seed=3)
    crossed = np.zeros(400, bool)
    for target in (-3, 3):
        task = fl.Task(1, target, 9)
        flow = fl.GradientFlow(network, task, fl.Gram.from_weights(u0, w0))
        crossed |= np.sign(flow.weights(np.inf, u0, w0)[0]) != np.sign(u0)
    opens_up = network.eta_w * u0**2 < network.eta_u * w0**2
    assert crossed.any()
    assert not crossed[~opens_up].any()


def test_a_single_neuron_is_lazy_by_imbalance_against_start_and_target():
    random = np.random.default_rng(0)
    size = 50_000
    u, w, gamma, eta_u, eta_w = 10.0 ** random.uniform(-3, 3, (5, size))
    target = 10.0 ** random.uniform(-3, 3, size) * random.choice([-1, 1], size)
    network = fl.Network(1, gamma, eta_u=eta_u, eta_w=eta_w)
    flow = fl.GradientFlow(network, fl.Task(1, target, target**2), fl.Gram(u * u, u * w, w * w))
    strays = flow.outcome.kernel_excursion
    far = np.maximum(np.abs(flow.outcome.initial_slope), np.abs(target))
    floor, signal = flow.kernel_floor, 2 * gamma * mean_rate(network)
    condition = floor > 10 * signal * far
    assert (strays[condition] < 0.006).all()
    # a start with unequal weights is not enough
    from_the_start = floor > 10 * signal * np.abs(flow.outcome.initial_slope)
    assert (strays[from_the_start] > 1).any()
    larger = np.maximum(np.sqrt(eta_w / eta_u) * u**2, np.sqrt(eta_u / eta_w) * w**2)
    enough = from_the_start & (gamma * larger > 20.2 * np.abs(target))
    assert (strays[enough] < 0.006).all()
    assert enough.sum() > 1000


def test_balancing_learning_rates_lower_the_floor_most():
    _, u, w = draw(5, seed=5)
    gram = fl.Gram.from_weights(u, w)
    ratio = gram.ww / gram.uu * 10.0 ** np.linspace(-2, 2, 41)
    network = fl.Network(5, 1.3, eta_u=0.4 / np.sqrt(ratio), eta_w=0.4 * np.sqrt(ratio))
    flow = fl.GradientFlow(network, UNIT, gram)
    lowest = 2 * 1.3**2 * 0.4 * np.sqrt(gram.determinant)
    assert flow.kernel_floor.argmin() == flow.kernel(0).argmin() == 20
    assert flow.kernel_floor.min() == pytest.approx(lowest, rel=1e-12)


@pytest.mark.parametrize("eta", [0.1, 0.7])
def test_steps_melt_what_the_flow_freezes(eta):
    u0, w0 = np.array([1.0, -0.5, 0.3]), np.array([0.2, 0.9, -0.4])
    network = fl.Network(3, 1.0, eta_u=eta / 3, eta_w=3 * eta)
    run = simulation.gradient_descent(network, UNIT, u0, w0, np.arange(9))
    epsilon = eta * run.residual[:-1]
    factor = 1 - epsilon**2
    assert run.imbalance[1:] == pytest.approx(factor * run.imbalance[:-1], rel=1e-10)
    assert run.determinant[1:] == pytest.approx(factor**2 * run.determinant[:-1], rel=1e-10)
    shrinks = np.diff(np.abs(run.imbalance)) < 0
    assert (shrinks == (np.abs(epsilon) < np.sqrt(2))).all()


def test_decay_at_one_rate_shrinks_the_frozen_numbers_and_momentum_leaves_the_hyperbolas():
    network, u0, w0 = draw(4, seed=8)
    rates = np.repeat([network.eta_u, network.eta_w], 4)
    start = fl.Gram.from_weights(u0, w0)

    def pull(weights):
        u, w = np.split(weights, 2)
        return -network.gamma * (network.gamma * u @ w - 1) * np.concatenate([w, u]) * rates

    def gram(weights):
        return fl.Gram.from_weights(*np.split(weights, 2))

    def imbalance(now):
        return network.eta_w * now.uu - network.eta_u * now.ww

    both = np.concatenate([u0, w0])
    keep = {"rtol": 1e-10, "atol": 1e-12}
    decayed = solve_ivp(lambda t, x: pull(x) - 0.3 * x, (0, 1), both, **keep).y[:, -1]
    assert imbalance(gram(decayed)) == pytest.approx(np.exp(-0.6) * imbalance(start), rel=1e-6)
    lost = np.exp(-1.2) * start.determinant
    assert gram(decayed).determinant == pytest.approx(lost, rel=1e-6)

    def heavy(t, state):
        x, v = np.split(state, 2)
        return np.concatenate([v, pull(x) - v])

    rolled = solve_ivp(heavy, (0, 3), np.concatenate([both, 0 * both]), **keep).y[:8, -1]
    assert gram(rolled).determinant != pytest.approx(start.determinant, rel=0.01)


def test_without_the_half_loss_and_rates_double_and_steps_change_more_than_that():
    start, network = fl.Gram(1.0, 0.2, 2.0), fl.Network(3, 0.5, eta_u=0.4, eta_w=1.5)
    half, whole = (fl.Task(m, 0.7 * m, m) for m in (1.3, 2.6))
    t = np.array([0.0, 0.3, 1.0, 4.0])
    one, other = (fl.GradientFlow(network, task, start) for task in (half, whole))
    np.testing.assert_allclose(other.slope(t), one.slope(2 * t), rtol=1e-12)
    np.testing.assert_allclose(other.loss(t), 2 * one.loss(2 * t), rtol=1e-12)
    np.testing.assert_allclose(other.kernel(np.inf), one.kernel(np.inf), rtol=1e-12)
    one, other = (fl.GradientDescent(network, task, start) for task in (half, whole))
    assert abs(other.kernel(np.inf) / one.kernel(np.inf) - 1) > 1e-3
