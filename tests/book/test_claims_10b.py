"""Chapter 10b: what its sentences say of the edge of stability, over corners."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import flbook as fl


def near(excess, turn, target, seed=0):
    """A random network, of unequal rates and layers, whose flow would end at mK = 2 + `excess`.

    It starts at h = −`turn`, on its way to γηm v* = `target`.
    """
    random = np.random.default_rng(seed)
    gamma, m, eta_u, eta_w = np.exp(random.normal(size=4))
    pull = gamma * m * np.sqrt(eta_u * eta_w)
    slope = target - turn
    sharpness = np.sqrt((2 + excess) ** 2 - 4 * target**2 + 4 * slope**2)
    room = np.sqrt(1 - (2 * slope / sharpness) ** 2) * random.uniform(-1, 1)
    scale = sharpness / (2 * m * gamma**2)
    gram = fl.Gram(scale * (1 + room) / eta_w, slope / pull / gamma, scale * (1 - room) / eta_u)
    goal = target / pull
    network = fl.Network(2, gamma, eta_u=eta_u, eta_w=eta_w)
    return (network, fl.Task(m, m * goal, m * goal**2 + 1), gram), m, pull


def swing(h):
    """Return the mean and the amplitude of an alternation."""
    return (h[:-2] + 2 * h[1:-1] + h[2:]) / 4, (h[:-2] - 2 * h[1:-1] + h[2:]) / 4


TARGETS = (0.0, 0.3, -0.6, 0.8)


@pytest.mark.parametrize("seed", range(8))
def test_training_that_would_end_above_2_ends_below_it(seed):
    random = np.random.default_rng(seed)
    for target in (0.05, 0.4, 0.8, 0.95):
        excess = random.uniform(0.01, 0.3)
        parts, m, _ = near(excess, random.uniform(0.0, 1.0) * target, target, seed)
        flow = fl.GradientFlow(*parts).outcome.rate
        assert flow == pytest.approx(2 + excess)
        descent = fl.GradientDescent(*parts)
        found = fl.descent_fate(descent, steps=20_000)
        assert found.settled
        assert m * descent.kernel(np.inf) < 2
        melted = np.abs(descent.imbalance(np.inf) / descent.imbalance(0))
        assert melted < 1


def test_every_start_below_2_is_stopped_also_from_the_other_side():
    random = np.random.default_rng(0)
    size = 4000
    target = random.uniform(0, 0.98, size)
    slope = random.uniform(-1, 1, size)
    first = 2 * np.abs(slope) + (2 - 2 * np.abs(slope)) * random.uniform(0, 1, size)
    room = np.sqrt(1 - (2 * slope / first) ** 2) * random.uniform(-1, 1, size)
    gram = fl.Gram(first * (1 + room) / 2, slope, first * (1 - room) / 2)
    parts = fl.Network(2), fl.Task(1, target, target**2), gram
    above = fl.GradientFlow(*parts).outcome.rate > 2
    assert above.sum() > 300
    found = fl.descent_fate(fl.GradientDescent(*parts), steps=40_000)
    assert found.settled.all()
    assert (found.kernel_ratio * first < 2).all()


@pytest.mark.parametrize("target", TARGETS)
def test_a_small_bounce_is_a_mirror_with_the_height_of_the_formula(target):
    excess = 0.02
    parts, m, pull = near(excess, excess / 100, target, seed=3)
    steps = 2000
    states = fl.GradientDescent(*parts).at(np.arange(steps))
    assert m * states.kernel[-1] == pytest.approx(2 - excess, abs=0.1 * excess)
    _, amplitude = swing(pull * states.residual)
    height = excess**2 / 2 / (1 - target**2)
    assert np.max(amplitude**2) == pytest.approx(height, rel=0.1)


def test_on_average_the_slope_is_short_of_its_target():
    for target in (0.3, 0.8, -0.6):
        parts, _, pull = near(0.03, 0.003, target, seed=1)
        mean, amplitude = swing(pull * fl.GradientDescent(*parts).residual(np.arange(600)))
        large = amplitude**2 > 0.5 * np.max(amplitude**2)
        assert (mean * np.sign(target) < 0)[large].all()
        np.testing.assert_allclose(mean[large], -target / 2 * amplitude[large] ** 2, rtol=0.25)


def test_near_the_last_target_the_kernel_glides_along_the_edge():
    target = 0.99
    lean = 1 - target**2
    parts, m, _ = near(0.3, 0.05, target)
    t = np.arange(2000)
    sharpness = m * fl.GradientDescent(*parts).kernel(t)
    mean, _ = swing(sharpness)
    # held: for about 1/(1 − h*²) steps within a few hundredths of the edge, and above it
    held = (np.abs(mean - 2) < 0.05).nonzero()[0]
    assert (np.abs(mean[20 : 20 + int(1 / lean)] - 2) < 0.05).all()
    assert held.size > 1 / lean
    assert 2 - sharpness[-1] < 0.1 * 0.3


@pytest.mark.parametrize("target", TARGETS)
def test_the_central_flow_is_right_to_first_order(target):
    misses = []
    for excess in (0.1, 0.05, 0.025):
        parts, m, _ = near(excess, excess / 20, target, seed=2)
        t = np.arange(int(100 / excess))
        mean, _ = swing(m * fl.GradientDescent(*parts).kernel(t))
        misses.append(np.abs(m * fl.CentralFlow(*parts).kernel(t[1:-1]) - mean).max())
    assert misses[0] < 0.03
    assert misses[0] / misses[1] > 3
    assert misses[1] / misses[2] > 3


def test_the_central_flow_is_not_to_be_trusted_far_from_the_edge():
    for target, first in ((0.02, 3.0), (0.5, 1.9)):
        parts = (
            fl.Network(2),
            fl.Task(1, target, target**2),
            fl.Gram(first / 2, 0, first / 2),
        )
        gap = fl.CentralFlow(*parts).kernel(5000) - fl.GradientDescent(*parts).kernel(5000)
        assert gap > 0.1


@pytest.mark.parametrize("target", [1.01, 1.03])
def test_beyond_the_last_target_the_oscillation_is_that_of_the_exercise(target):
    parts, m, pull = near(0.2, 0.05, target)
    states = fl.GradientDescent(*parts).at(np.arange(6000, 6100))
    _, amplitude = swing(pull * states.residual)
    height = 2 * (target - 1) / (target + 1)
    np.testing.assert_allclose(amplitude**2, height, rtol=0.05)
    mean, _ = swing(m * states.kernel)
    np.testing.assert_allclose(mean, 2 + height, atol=0.1 * height)
    assert states.determinant[-1] < 1e-9 * fl.GradientDescent(*parts).determinant(0)


def test_the_modified_flow_misses_by_the_square():
    misses = []
    for share in (0.1, 0.05, 0.025):
        network = fl.Network(2, 0.5, eta_u=share, eta_w=2 * share)
        descent = fl.GradientDescent(network, fl.Task(1, 1, 1), fl.Gram(1.5, 0.2, 0.5))
        pull, n = 0.5 * np.sqrt(2) * share, round(2 / share)
        floor = fl.GradientFlow(network, descent.task, descent.start).kernel_floor

        def speed(_, state, pull=pull, floor=floor):
            h, melted = state
            sharpness = np.hypot(2 * (h + pull), floor * np.exp(melted))
            return -h * (sharpness * (1 + sharpness / 2) + h * (h + pull)), -h * h

        start = [pull * descent.residual(0), 0.0]
        run = solve_ivp(speed, (0, n), start, rtol=1e-11, atol=1e-14)
        h, melted = run.y[:, -1]
        lost = np.log(descent.imbalance(n) / descent.imbalance(0))
        misses.append([descent.residual(n) - h / pull, lost - melted])
    np.testing.assert_allclose(np.divide(misses[0], misses[1]), 4, rtol=0.1)
    np.testing.assert_allclose(np.divide(misses[1], misses[2]), 4, rtol=0.05)


def test_a_long_first_step_may_melt_the_floor_without_any_oscillation():
    gram = fl.Gram(0.5, 0.0, 0.5)
    parts = fl.Network(2), fl.Task(1, 0.9, 0.81), gram
    assert fl.GradientFlow(*parts).outcome.rate > 2
    descent = fl.GradientDescent(*parts)
    np.testing.assert_allclose(descent.residual(np.arange(1, 50)), 0, atol=1e-12)
    assert descent.kernel(np.arange(50)).max() < 2
    assert descent.determinant(1) < descent.determinant(0)


def test_by_luck_a_start_below_2_may_land_above_it():
    target, h = 0.99, -1.5
    sharpness = 1 + h * (h + target)
    gram = fl.Gram(sharpness / 2, h + target, sharpness / 2)
    parts = fl.Network(2), fl.Task(1, target, 1), gram
    assert sharpness < 2 < fl.GradientFlow(*parts).outcome.rate
    descent = fl.GradientDescent(*parts)
    assert descent.residual(1) == pytest.approx(0, abs=1e-12)
    assert descent.kernel(1) > 2.5


def test_the_bounce_is_no_mirror_if_the_start_is_farther_away_than_the_excess():
    excess, target = 0.02, 0.5
    for turn in (0.0005, 0.02, 0.1):
        parts, m, _ = near(excess, turn, target, seed=3)
        below = 2 - m * fl.GradientDescent(*parts).kernel(4000)
        wanted = np.sqrt(excess**2 + 2 * (1 - target**2) * turn**2)
        assert below == pytest.approx(wanted, rel=0.04)
        assert (below < 1.1 * excess) == (turn < excess / 10)


def test_the_central_flow_is_of_first_order_from_such_starts_only():
    misses = []
    for excess in (0.05, 0.0125):
        for turn in (excess / 20, 0.1):
            parts, m, _ = near(excess, turn, 0.5, seed=2)
            t = np.arange(int(50 / excess))
            mean, _ = swing(m * fl.GradientDescent(*parts).kernel(t))
            misses.append(np.abs(m * fl.CentralFlow(*parts).kernel(t[1:-1]) - mean).max())
    close, far, closer, as_far = misses
    assert close / closer > 8
    assert far / as_far < 1.5
