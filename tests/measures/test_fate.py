"""What becomes of gradient descent, against the exact law of the boundary and real weights."""

from __future__ import annotations

import numpy as np
import pytest

from flbook import Fate, GradientDescent, Gram, Network, Task, descent_fate
from flbook.simulation import gradient_descent as simulate


def _random(size, least, most, seed=0):
    """Networks of unequal rates, unbalanced, on either side, with mK(0) < 6 and γηm|v*| given."""
    random = np.random.default_rng(seed)
    eta_u, eta_w = np.exp(random.uniform(-3, 1, (2, size)))
    gamma, m = np.exp(random.normal(size=(2, size)))
    turn = random.choice([-1, 1], size) * random.uniform(least, most, size)
    target = turn / (gamma * m * np.sqrt(eta_u * eta_w))
    layers = random.normal(size=(2, size, 3)) * np.exp(random.normal(size=(2, size, 1)))
    uu, uw, ww = (np.sum(layers[i] * layers[j], axis=-1) for i, j in ((0, 0), (0, 1), (1, 1)))
    scale = random.uniform(0, 6, size) / (m * gamma**2 * (eta_w * uu + eta_u * ww))
    network = Network(3, gamma=gamma, eta_u=eta_u, eta_w=eta_w)
    task = Task(m, m * target, m * target**2 + 1)
    return GradientDescent(network, task, Gram(uu * scale, uw * scale, ww * scale))


def test_the_margin_decides_without_exception():
    found = descent_fate(_random(10_000, 0.0, 0.99))
    settled = found.settled
    assert np.array_equal(settled, found.margin > 0)
    assert np.array_equal(found.fate == Fate.DIVERGES, found.margin < 0)
    assert 0.2 < settled.mean() < 0.8


def test_past_the_last_stable_target_nothing_settles():
    found = descent_fate(_random(2_000, 1.01, 1.99, seed=1), steps=3000)
    assert np.array_equal(found.fate == Fate.UNSETTLED, found.margin > 0)
    assert np.array_equal(found.fate == Fate.DIVERGES, found.margin < 0)
    assert np.all(descent_fate(_random(2_000, 2.01, 4.0, seed=2)).fate == Fate.DIVERGES)


@pytest.mark.parametrize("seed", range(12))
def test_real_weights_come_to_the_same_end(seed):
    random = np.random.default_rng(seed)
    x = random.normal(size=10)
    y = 0.5 * x + 0.1 * random.normal(size=10)
    network = Network(6, gamma=0.7, eta_u=0.5, eta_w=0.3)
    u, w = random.normal(size=(2, 6)) * (0.6 + 0.15 * seed)
    task = Task.from_data(x, y)
    found = descent_fate(GradientDescent(network, task, Gram.from_weights(u, w)))
    if found.fate is Fate.DIVERGES:
        with pytest.raises(ValueError, match="they have diverged"):
            simulate(network, (x, y), u, w, [400])
        return
    run = simulate(network, (x, y), u, w, np.arange(400))
    sharpness = task.second_moment * run.kernel
    assert run.slope[-1] == pytest.approx(task.target, abs=1e-6)
    assert sharpness[-1] == pytest.approx(sharpness[0] * found.kernel_ratio, rel=1e-5, abs=0)
    beyond = Fate.CATAPULT if sharpness[0] > 2 else Fate.EDGE
    assert found.fate is (beyond if sharpness.max() > 2 else Fate.CONVERGES)


def test_the_kernel_after_is_that_of_the_descent():
    descent = _random(200, 0.0, 0.9, seed=3)
    found = descent_fate(descent)
    settled = found.margin > 0
    ends = descent.kernel(np.inf)[settled] / descent.kernel(0)[settled]
    np.testing.assert_allclose(found.kernel_ratio[settled], ends, rtol=3e-6)
    assert np.isinf(found.kernel_ratio[~settled]).all()


def _single(uu, uw, ww, target=0.5, steps=10_000, **network):
    task = Task(1.0, target, target**2 + 1)
    return descent_fate(GradientDescent(Network(2, **network), task, Gram(uu, uw, ww)), steps=steps)


def test_corners():
    assert _single(0.0, 0.0, 0.0).fate is Fate.CONVERGES  # nothing moves
    assert _single(5.0, 0.5, 5.0).fate is Fate.CONVERGES  # starts at the target
    saddle = _single(0.1, -0.1, 0.1)  # opposed, balanced: the wrong side
    assert (saddle.fate, saddle.kernel_ratio) == (Fate.CONVERGES, 0)
    linear = [_single(uu, 0.0, 9.0, eta_u=0.0).fate for uu in (1.0, 2.0, 2.5)]  # K = uu for good
    assert linear == [Fate.CONVERGES, Fate.UNSETTLED, Fate.DIVERGES]
    assert _single(1e-12, 0.0, 1e-12, steps=3).fate is Fate.UNSETTLED  # not in three steps


def test_shapes_and_refusals():
    found = _single(np.full((2, 1), 0.3), np.zeros(3), 0.3)
    assert found.settled.shape == found.steps.shape == found.margin.shape == (2, 3)
    with pytest.raises(TypeError, match="descent must be a GradientDescent"):
        descent_fate(3)  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match="steps must be a whole number from 1"):
        _single(1.0, 0.0, 1.0, steps=0)
