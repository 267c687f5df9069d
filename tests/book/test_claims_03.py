"""Chapter 3: what its sentences say of the exact solution, its limits and its corners."""

import numpy as np
import pytest
from corners import decades, signal

import flbook as fl
from flbook import simulation

INFINITY = float("inf")
UNIT = fl.Task(1.0, 1.0, 1.0)
# with rational roots, so that a balanced start is balanced to the last digit
RATES = [(1.0, 1.0), (0.5, 2.0), (4.0, 0.0625)]


def corners(size, seed):
    """Draw networks with unequal layers and rates, their tasks, and starts on either side."""
    random = np.random.default_rng(seed)
    draw = decades(random, size)
    network = fl.Network(
        np.floor(draw(0, 4)).astype(int),
        draw(-2, 1),
        draw(-3, 1),
        draw(-3, 1),
        draw(-2, 1),
        draw(-2, 1),
    )
    target = draw(-1, 1) * random.choice([-1, 1], size)
    moment = draw(-1, 1)
    task = fl.Task(moment, moment * target, moment * target**2)
    return network, task, network.sample_gram(seed=seed)


def balanced(eta_u, eta_w, overlap, size=1.0):
    """Return a start without imbalance, of a given cosine."""
    ratio = np.sqrt(eta_w / eta_u)
    return fl.Gram(size / ratio, overlap * size, size * ratio)


@pytest.mark.parametrize(("eta_u", "eta_w"), RATES)
def test_only_what_is_opposed_and_balanced_stays_in_the_saddle(eta_u, eta_w):
    network = fl.Network(2, 1.0, eta_u=eta_u, eta_w=eta_w)
    start = balanced(eta_u, eta_w, -1.0)
    ends = fl.GradientFlow(network, UNIT, start).slope(INFINITY)
    assert ends == 0
    # balanced, but not opposed; opposed, but not balanced
    near = balanced(eta_u, eta_w, -0.99)
    unbalanced = fl.Gram(4 * start.uu, 2 * start.uw, start.ww)
    away = fl.Task(1.0, -1.0, 1.0)
    aligned = balanced(eta_u, eta_w, 1.0)
    for task, gram in ((UNIT, near), (UNIT, unbalanced), (away, start), (UNIT, aligned)):
        arrives = fl.GradientFlow(network, task, gram)
        assert arrives.residual(INFINITY) == 0
    assert fl.GradientFlow(network, away, aligned).slope(INFINITY) == 0


def test_the_corners_against_raw_weights():
    t = np.array([0.0, 0.3, 1.0, 3.0])
    one, two = np.array([1.0]), np.array([2.0])
    for u0, w0, target in (
        (two, -one, 1),
        (one, -one, -2),
        (one, one, 0),
        (one, one, 2),
        (two, 0 * one, 1),
        (one, -one, 1),
    ):
        for eta_u, eta_w in RATES[:2]:
            network = fl.Network(1, eta_u=eta_u, eta_w=eta_w)
            task = fl.Task(1, target, target**2)
            run = simulation.gradient_flow(network, task, u0, w0, t)
            flow = fl.GradientFlow(network, task, fl.Gram.from_weights(u0, w0))
            assert flow.slope(t) == pytest.approx(run.slope, abs=1e-9)


def test_the_target_zero_without_a_floor_is_reached_by_a_power_of_time():
    network = fl.Network(1, 0.7, eta_u=0.5, eta_w=2.0)
    start = balanced(0.5, 2.0, 1.0, size=3.0)
    flow = fl.GradientFlow(network, fl.Task(1.3, 0, 1), start)
    t = np.array([0.1, 1, 10, 1000])
    v0 = flow.slope(0)
    wanted = v0 / (1 + 1.3 * signal(network) * v0 * t)
    assert flow.slope(t) == pytest.approx(wanted, rel=1e-6)


def test_a_network_that_arrives_comes_in_at_the_rate_of_its_final_kernel():
    network, task, gram = corners(20_000, seed=1)
    flow = fl.GradientFlow(network, task, gram)
    first, last = flow.time_to_shrink([1e-60, 1e-90]).T
    arrives = np.isfinite(last)
    assert arrives.mean() > 0.99
    rate = 30 * np.log(10) / (last - first)
    final = task.second_moment * flow.kernel(INFINITY)
    assert rate[arrives] == pytest.approx(final[arrives], rel=1e-9)


@pytest.mark.parametrize(("eta_u", "eta_w"), RATES)
@pytest.mark.parametrize("target", [1.0, -2.0])
def test_the_wait_grows_with_the_logarithm_of_the_floor(eta_u, eta_w, target):
    network = fl.Network(5, 1.3, eta_u=eta_u, eta_w=eta_w)
    task = fl.Task(0.6, 0.6 * target, target**2)
    size = 10.0 ** -np.arange(4, 21, 4)
    even = balanced(eta_u, eta_w, 0.0, size)
    for gram in (even, fl.Gram(size, 0.0, 0 * size), fl.Gram(2 * size, 0.0, size)):
        flow = fl.GradientFlow(network, task, gram)
        half = np.diag(flow.time_to_shrink(np.full(size.size, 0.5)))
        s = signal(network) * abs(target)
        jump = np.log(2 * s / flow.kernel_floor) / (task.second_moment * s)
        assert half == pytest.approx(jump, rel=1e-3)
        longer = np.log(1e4) / flow.rate[0]
        assert np.diff(half) == pytest.approx(np.full(size.size - 1, longer), rel=1e-3)


@pytest.mark.parametrize(("eta_u", "eta_w"), RATES)
def test_from_the_wrong_side_the_wait_is_twice_as_long_up_to_a_constant(eta_u, eta_w):
    network = fl.Network(5, eta_u=eta_u, eta_w=eta_w)
    height = np.array([1e-3, 1e-5, 1e-7])
    ahead = fl.GradientFlow(network, UNIT, balanced(eta_u, eta_w, 0.0, height))
    overlap = -np.sqrt(1 - (height / 0.7) ** 2)
    behind = fl.GradientFlow(network, UNIT, balanced(eta_u, eta_w, overlap, 0.7))
    assert behind.kernel_floor == pytest.approx(ahead.kernel_floor, rel=1e-2)
    short, long = (
        np.diag(flow.time_to_shrink(-0.5 / flow.residual(0))) for flow in (ahead, behind)
    )
    assert np.diff(long) / np.diff(short) == pytest.approx([2, 2], rel=1e-2)
    assert long[-1] / short[-1] == pytest.approx(2, rel=0.1)


def test_a_high_floor_gives_the_exponential_only_if_it_is_high_against_both():
    network, task, gram = corners(20_000, seed=2)
    # a time scale common to all
    m = 1 / fl.GradientFlow(network, task, gram).rate
    task = fl.Task(m, m * task.target, m * task.target**2)
    flow, frozen = (kind(network, task, gram) for kind in (fl.GradientFlow, fl.KernelFlow))
    t = np.linspace(0, 6, 13)
    start = np.abs(flow.residual(0))[:, None]
    gap = np.abs((flow.slope(t) - frozen.slope(t)) / start).max(axis=1)
    scale = signal(network)
    high = flow.kernel_floor > 20 * scale * np.abs(task.target)
    both = high & (flow.kernel_floor > 20 * scale * np.abs(flow.slope(0)))
    assert both.sum() > 100
    assert (gap[both] < 2e-3).all()
    large = fl.GradientFlow(fl.Network(2), fl.Task(1, 0.01, 1), fl.Gram(10, 9.9, 10))
    other = fl.KernelFlow(large.network, large.task, large.start)
    assert large.kernel_floor > 20 * 2 * 0.01
    assert np.abs(large.slope(0.1) - other.slope(0.1)) > 0.1


@pytest.mark.parametrize(("eta_u", "eta_w"), RATES)
def test_a_vanishing_floor_gives_the_logistic_curve_if_slope_and_target_have_one_sign(eta_u, eta_w):
    network = fl.Network(2, eta_u=eta_u, eta_w=eta_w)
    t = np.linspace(0, 10, 50)
    for v0, target in ((0.3, 2.0), (-0.3, -2.0), (2.0, 0.3), (-0.3, 1.0)):
        task = fl.Task(1, target, target**2)
        gaps = []
        for off in 10.0 ** -np.arange(2, 13, 5):
            gram = balanced(eta_u, eta_w, np.sign(v0) * (1 - off), abs(v0))
            flow = fl.GradientFlow(network, task, gram)
            s = signal(network) * target
            curve = target / (1 + (target / flow.slope(0) - 1) * np.exp(-np.abs(s) * t))
            gaps.append(np.abs(flow.slope(t) - curve).max())
        if v0 * target > 0:
            assert gaps[-1] < 1e-9 < gaps[0]
        else:
            assert min(gaps) > 0.1


def test_who_is_ahead_of_the_frozen_kernel():
    network, task, gram = corners(5000, seed=3)
    t = 10.0 ** np.linspace(-3, 2, 11)
    still = fl.Gram(gram.uu, 0 * gram.uw, gram.ww)
    bound = fl.KernelFlow(network, task, still).residual(t)
    flow = fl.GradientFlow(network, task, still)
    assert (np.abs(flow.residual(t)) <= np.abs(bound) * (1 + 1e-9)).all()
    beyond = np.abs(gram.uw) * network.gamma / 2
    task = fl.Task(1.0, beyond, beyond**2)
    start = fl.Gram(gram.uu, np.abs(gram.uw), gram.ww)
    bound = fl.KernelFlow(network, task, start).residual(t)
    flow = fl.GradientFlow(network, task, start)
    assert (np.abs(flow.residual(t)) >= np.abs(bound) * (1 - 1e-9)).all()


def test_sums_grow_and_differences_shrink_by_the_root_of_y():
    random = np.random.default_rng(4)
    network = fl.Network(6, 0.8, eta_u=0.3, eta_w=2.0)
    u0, w0 = random.standard_normal((2, 6))
    task = fl.Task(1.0, -1.5, 3.0)
    run = simulation.gradient_flow(network, task, u0, w0, [0, 0.4, 2.0])
    y = run.kernel + signal(network) * run.slope
    factor = np.sqrt(y / y[0])[:, None]
    a, b = run.u / np.sqrt(0.3), run.w / np.sqrt(2.0)
    assert a + b == pytest.approx((a + b)[0] * factor, rel=1e-8)
    assert a - b == pytest.approx((a - b)[0] / factor, rel=1e-8)


def test_the_time_at_which_a_slope_is_passed():
    for v0 in (-1.0, 0.2, 3.0):
        network = fl.Network(3, 0.9, eta_u=0.4, eta_w=1.5)
        task = fl.Task(1.2, 1.2, 2.0)
        flow = fl.GradientFlow(network, task, fl.Gram(5.0, v0 / 0.9, 4.0))
        v = (v0 + 3 * task.target) / 4
        s = signal(network)
        y0 = flow.kernel(0) + s * v0
        y = np.hypot(s * v, flow.kernel_floor) + s * v
        a, b = flow.kernel(INFINITY) + s, flow.kernel(INFINITY) - s
        time = np.log((y0 - a) * (y + b) / ((y0 + b) * (y - a))) / flow.rate
        assert flow.slope(time) == pytest.approx(v, rel=1e-9)


@pytest.mark.parametrize(("eta_u", "eta_w"), RATES)
def test_the_gap_between_steps_and_flow_is_proportional_to_the_rates(eta_u, eta_w):
    gaps = []
    start = fl.Gram(1.2, -0.3, 0.8)
    for steps in (1000, 10_000):
        share = 2 / steps
        stepped = fl.Network(3, eta_u=eta_u * share, eta_w=eta_w * share)
        flow = fl.GradientFlow(fl.Network(3, eta_u=eta_u, eta_w=eta_w), UNIT, start)
        descent = fl.GradientDescent(stepped, UNIT, start)
        gaps.append(abs(descent.slope(steps) - flow.slope(2.0)))
    assert gaps[0] / gaps[1] == pytest.approx(10, rel=0.05)


@pytest.mark.parametrize(("eta_u", "eta_w"), [(0.3, 0.3), (0.1, 0.6), (0.5, 0.5)])
def test_near_the_target_a_step_multiplies_the_distance_by_one_minus_the_kernel(eta_u, eta_w):
    network = fl.Network(3, eta_u=eta_u, eta_w=eta_w)
    descent = fl.GradientDescent(network, UNIT, fl.Gram(3.0, -0.5, 2.5))
    n = np.argmax(np.abs(descent.residual(np.arange(2000))) < 1e-4)
    shrink = descent.residual(n + 1) / descent.residual(n)
    assert shrink == pytest.approx(1 - descent.kernel(n), abs=1e-3)
    assert descent.kernel(n) >= signal(network) * abs(descent.slope(n))


def test_steps_that_are_short_at_the_start_may_be_too_long_at_the_end():
    network = fl.Network(3, eta_u=1.2, eta_w=1.2)
    descent = fl.GradientDescent(network, UNIT, fl.Gram(1e-4, 0.0, 1e-4))
    assert descent.kernel(0) < 1e-3
    n = np.arange(200, 400)
    assert (descent.kernel(n) > 2).any()
    assert np.abs(descent.residual(n)).max() > 0.1
    flow = fl.GradientFlow(network, UNIT, descent.start)
    assert flow.kernel(INFINITY) > 2
    # steps melt the floor, and may then arrive where the flow's own kernel would be too large
    wide = fl.Network(10**6, 1e-3, eta_u=1.2, eta_w=1.2)
    descent = fl.GradientDescent(wide, fl.Task(1.0, 1.0, 1.0), wide.typical_gram(0.5))
    assert fl.GradientFlow(wide, UNIT, descent.start).kernel(INFINITY) > 2
    assert descent.loss(3000) < 1e-12
    assert descent.kernel(3000) < 2


def test_steps_nearly_always_lower_the_floor_of_a_descent_that_settles():
    random = np.random.default_rng(0)
    draw = decades(random, 4000)
    overlap = draw(-1, 1.3) * random.choice([-1, 1], 4000)
    length = np.abs(overlap) * np.exp(random.exponential(0.5, 4000))
    eta = draw(-1, 0.5)
    network = fl.Network(3, eta_u=eta, eta_w=eta)
    state = fl.GradientDescent(network, UNIT, fl.Gram(length, overlap, length)).at([0, 2000])
    with np.errstate(invalid="ignore"):
        settled = np.isfinite(state.kernel[:, 1]) & (np.abs(state.residual[:, 1]) < 1e-9)
    before, after = state.determinant[settled].T
    assert settled.sum() > 1000
    assert 0 < np.mean(after > 1.01 * before) < 0.01
    least = signal(network)[settled] * UNIT.target
    assert (state.kernel[settled, 1] >= least * (1 - 1e-6)).all()
