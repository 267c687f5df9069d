"""Chapter 1: what its sentences say of lazy and rich networks, over corners."""

import numpy as np
import pytest
from corners import decades, signal

import flbook as fl
from flbook import simulation

INFINITY = float("inf")
UNIT = fl.Task(1.0, 1.0, 1.0)


def corners(size, seed, *, equal_rates=False):
    """Draw networks of every width from 1 up, with unequal layers, their tasks and their starts."""
    random = np.random.default_rng(seed)
    draw = decades(random, size)
    eta_u = draw(-3, 1)
    network = fl.Network(
        np.floor(draw(0, 5)).astype(int),
        gamma=draw(-3, 1),
        sigma_u=draw(-3, 2),
        sigma_w=draw(-3, 2),
        eta_u=eta_u,
        eta_w=eta_u if equal_rates else draw(-3, 1),
    )
    target = draw(-2, 2) * random.choice([-1, 1], size)
    moment = draw(-1, 1)
    task = fl.Task(moment, moment * target, moment * target**2)
    return network, task, network.sample_gram(seed=seed)


def test_the_two_networks_look_alike_on_one_axis_and_not_on_the_other():
    normal = np.random.default_rng(4).standard_normal((2, 10_000))
    target = 0.586
    task = fl.Task(1, target, 1)
    t = np.arange(301)
    flows = []
    for sigma, eta in ((0.2, 0.25), (0.045, 4)):
        network = fl.Network(10_000, 0.01, sigma, sigma, eta, eta)
        flows.append(fl.GradientFlow(network, task, fl.Gram.from_weights(*(sigma * normal))))
    lazy, rich = flows
    assert np.abs(lazy.loss(t) - rich.loss(t)).max() < 0.1 * (lazy.loss(0) - task.loss_floor)
    assert lazy.outcome.kernel_excursion < 0.012
    assert rich.outcome.kernel_excursion > 1
    log_excess = [np.log(np.abs(flow.residual(t[:241]))) for flow in flows]
    bends = [np.ptp(np.diff(curve)) / -np.diff(curve).mean() for curve in log_excess]
    assert bends[0] < 0.02
    assert bends[1] > 0.5
    moved = []
    for flow in flows:
        way = flow.at(300).displacement
        moved.append(np.sqrt((way.uu + way.ww) / (flow.start.uu + flow.start.ww)))
    assert moved[0] < 0.1
    assert moved[1] > 1


def test_the_steepness_of_the_excess_loss_is_the_kernel():
    network, task, gram = corners(20_000, seed=0)
    m = 1 / fl.GradientFlow(network, task, gram).rate
    task = fl.Task(m, m * task.target, m * task.target**2)
    flow = fl.GradientFlow(network, task, gram)
    h = 1e-4
    for t in (0.1, 1.0, 4.0):
        excess = flow.residual([t - h, t + h]) ** 2
        steepness = np.log(excess[:, 0] / excess[:, 1]) / (2 * h)
        assert steepness / 2 == pytest.approx(m * flow.kernel(t), rel=1e-4, abs=1e-9)


def test_a_real_step_shrinks_the_distance_by_one_minus_the_kernel():
    for eta_u, eta_w in ((4.0, 4.0), (1.0, 8.0)):
        network = fl.Network(10_000, 0.01, 0.045, 0.045, eta_u, eta_w)
        task = fl.Task(1.0, 0.586, 1.0)
        descent = fl.GradientDescent(network, task, network.sample_gram(seed=1))
        steps = np.arange(150, 250)
        shrink = descent.residual(steps + 1) / descent.residual(steps)
        by_step = np.abs((1 - shrink) / descent.kernel(steps) - 1)
        by_log = np.abs(-np.log(shrink) / descent.kernel(steps) - 1)
        assert by_step.max() < 1e-3
        assert by_log.min() > 10 * by_step.max()


def test_from_slope_zero_the_first_kernel_tells_how_far_the_kernel_strays():
    network, task, gram = corners(20_000, seed=3, equal_rates=True)
    start = fl.Gram(gram.uu, 0.0 * gram.uw, gram.ww)
    outcome = fl.GradientFlow(network, task, start).outcome
    kernel = network.gamma**2 * network.eta_u * (gram.uu + gram.ww)
    factor = np.hypot(1, signal(network) * task.target / kernel)
    assert outcome.kernel_ratio == pytest.approx(factor, rel=1e-12)
    assert outcome.kernel_excursion + 1 == pytest.approx(factor, rel=1e-12)
    faster = fl.Network(network.width, network.gamma, eta_u=7.0, eta_w=7.0)
    again = fl.GradientFlow(faster, task, start).outcome
    assert again.kernel_ratio == pytest.approx(factor, rel=1e-12)


@pytest.mark.parametrize("eta", [0.1, 3.0])
def test_the_law_of_slope_and_kernel_against_raw_weights(eta):
    for width in (1, 2, 3, 50):
        network = fl.Network(width, width**-0.5, 0.7, 1.3, eta, eta)
        u0, w0 = network.sample_weights(seed=width)
        run = simulation.gradient_flow(network, UNIT, u0, w0, np.linspace(0, 2, 9))
        kept = run.kernel**2 - signal(network) ** 2 * run.slope**2
        assert kept == pytest.approx(np.full(9, kept[0]), rel=1e-8)


def test_the_kernel_ends_lower_exactly_where_the_slope_does():
    network, task, gram = corners(20_000, seed=4)
    flow = fl.GradientFlow(network, task, gram)
    gap = np.abs(task.target) - np.abs(flow.outcome.initial_slope)
    apart = np.abs(gap) > 1e-9 * np.abs(task.target)
    drift = flow.outcome.kernel_drift
    assert (np.sign(drift) == np.sign(gap))[apart].mean() == 1


def test_a_kernel_that_comes_back_has_moved():
    network = fl.Network(2, eta_u=2.0, eta_w=0.5)
    flow = fl.GradientFlow(network, UNIT, fl.Gram(2.0, -1.0, 0.51))
    assert flow.outcome.kernel_ratio == pytest.approx(1, abs=1e-12)
    assert flow.outcome.kernel_excursion > 0.5


@pytest.mark.parametrize("width", [3, 100, 1000])
def test_unbalanced_layers_are_lazy_and_learn_features(width):
    network = fl.Network(width, 1.0, 1.0, 1e-3 / width, 1 / width, 1 / width)
    u0, w0 = network.sample_weights(seed=width)
    run = simulation.gradient_flow(network, UNIT, u0, w0, np.linspace(0, 30, 61))
    lazy = fl.GradientFlow(network, UNIT, fl.Gram.from_weights(u0, w0)).outcome
    assert np.abs(run.kernel / run.kernel[0] - 1).max() < 0.15
    assert lazy.kernel_excursion < 0.15
    assert np.linalg.norm(run.w[-1] - w0) > 20 * np.linalg.norm(w0)


def test_with_layers_of_like_size_features_and_kernel_stay_or_move_together():
    random = np.random.default_rng(5)
    size = 20_000
    uu, ww = 10.0 ** random.uniform(-2, 2, size) * np.array([1, 2])[:, None]
    gram = fl.Gram(uu, random.uniform(-0.3, 0.3, size) * np.sqrt(uu * ww), ww)
    flow = fl.GradientFlow(fl.Network(3), UNIT, gram)
    strays = flow.outcome.kernel_excursion
    features = np.sqrt(flow.at(INFINITY).displacement.ww / ww)
    assert (features[strays < 0.01] < 0.25).all()
    assert (features[strays > 1] > 0.4).all()
    assert (strays < 0.01).sum() > 1000 < (strays > 1).sum()


def test_the_width_makes_lazy_with_one_multiplier_and_not_with_the_other():
    width = 10 ** np.arange(1, 9)
    strays = []
    for gamma in (width**-0.5, 1.0 / width):
        network = fl.Network(width, gamma)
        flow = fl.GradientFlow(network, UNIT, network.typical_gram(overlap=0))
        strays.append(flow.outcome.kernel_excursion)
    assert strays[0][-1] < 1e-8
    assert strays[1] == pytest.approx(np.full(8, np.sqrt(2) - 1), rel=0.1)


def test_a_scale_ten_times_smaller_makes_a_plateau():
    network = fl.Network(10_000, 0.01, 0.0045, 0.0045)
    flow = fl.GradientFlow(network, fl.Task(1, 0.586, 1), network.typical_gram(overlap=0))
    half = flow.outcome.half_time
    assert flow.slope(half / 2) < 0.1 * flow.slope(half)


def test_layers_of_like_size_move_their_features_under_a_kernel_that_stays_if_one_is_faster():
    start, task = fl.Gram(1.0, 0.1, 1.0), fl.Task(1.0, 5.0, 25.0)
    fast = fl.GradientFlow(fl.Network(3, eta_u=1e-3, eta_w=1e3), task, start)
    assert fast.outcome.kernel_excursion < 0.01
    assert fast.at(INFINITY).displacement.ww > start.ww
    alike = fl.GradientFlow(fl.Network(3, eta_u=1.0, eta_w=1.0), task, start)
    assert alike.outcome.kernel_excursion > 1


def test_a_kernel_that_never_arrives_ends_lower_from_a_slope_smaller_than_the_target():
    lost = fl.GradientFlow(fl.Network(1), fl.Task(1.0, 2.0, 4.0), fl.Gram(1.0, -1.0, 1.0))
    assert abs(lost.slope(0)) < lost.task.target
    assert lost.outcome.kernel_ratio < 1
