"""The central flow: gradient flow before steps overshoot, the mean of descent at the edge."""

from __future__ import annotations

import numpy as np
import pytest

from flbook import CentralFlow, GradientDescent, GradientFlow, Gram, Network, Task


def _parts(kernel, turn, target, *, m=1.0, gamma=1.0, eta_u=1.0, eta_w=1.0, share=0.5):
    """A start with the given mK, h and γηm v*; `share` of the kernel is the output layer's u²."""
    couple = gamma * np.sqrt(eta_u * eta_w) * m
    v, goal = (target + turn) / couple, np.asarray(target / couple)
    scale = kernel / (m * gamma**2)
    gram = Gram(share * scale / eta_w, v / gamma, (1 - share) * scale / eta_u)
    network = Network(2, gamma=gamma, eta_u=eta_u, eta_w=eta_w)
    return network, Task(m, m * goal, m * goal**2 + 1), gram


def _near_edge(excess, turn, target, **more):
    """A start whose flow would end at mK = 2 + excess."""
    floor = (2 + excess) ** 2 - 4 * target**2
    return _parts(np.sqrt(floor + 4 * (target + turn) ** 2), turn, target, **more)


def _middle(x):
    """The running mean that an alternation drops out of, and the amplitude of that."""
    return (x[:-2] + 2 * x[1:-1] + x[2:]) / 4, (x[:-2] - 2 * x[1:-1] + x[2:]) / 4


def test_it_is_gradient_flow_until_steps_overshoot():
    parts = _parts(0.3, -0.6, 0.7, gamma=2.0, eta_u=0.3, share=0.2)
    central, flow = CentralFlow(*parts), GradientFlow(*parts)
    t = np.linspace(0, float(central.overshoot_time) * 0.999, 7)
    m = parts[1].second_moment
    assert m * flow.kernel(central.overshoot_time) == pytest.approx(1, rel=1e-12, abs=0)
    for name in ("slope", "residual", "loss", "imbalance", "determinant"):
        np.testing.assert_allclose(getattr(central, name)(t), getattr(flow, name)(t), rtol=1e-12)
    np.testing.assert_allclose(central.kernel(t), flow.kernel(t), rtol=1e-12)
    assert not central.oscillation(t).any()


def test_small_steps_never_overshoot():
    parts = _parts(0.01, -0.3, 0.3)
    assert np.isinf(CentralFlow(*parts).overshoot_time)
    np.testing.assert_allclose(
        CentralFlow(*parts).slope([5.5, 1e4]), GradientFlow(*parts).slope([5.5, 1e4]), rtol=1e-12
    )


def test_it_follows_the_mean_of_descent_near_the_edge():
    t = np.arange(600)
    for target, share in ((0.0, 0.5), (0.6, 0.3), (0.9, 0.5), (-0.97, 0.5)):
        parts = _near_edge(0.05, -0.01, target, m=2.0, gamma=0.5, eta_w=1.7, share=share)
        central, descent = CentralFlow(*parts).at(t), GradientDescent(*parts).at(t)
        couple = 0.5 * 1.7**0.5 * 2
        for name, size, bound in (("kernel", 2.0, 0.004), ("residual", couple, 0.003)):
            mean, _ = _middle(getattr(descent, name))
            assert np.abs(size * (mean - getattr(central, name)[1:-1])).max() < bound, name
        _, swing = _middle(descent.residual)
        high = (swing**2).max()
        assert central.oscillation.max() == pytest.approx(high, rel=0.06, abs=0)
        for name in ("imbalance", "determinant"):
            ends = getattr(central, name)[-1], getattr(descent, name)[-1]
            np.testing.assert_allclose(*ends, rtol=0.04)


def test_the_error_falls_faster_than_the_height_above_the_edge():
    errors = []
    for excess in (0.2, 0.1, 0.05):
        parts = _near_edge(excess, -excess / 20, 0.5)
        late = 100 / excess
        errors.append(CentralFlow(*parts).kernel(late) - GradientDescent(*parts).kernel(int(late)))
    assert errors[0] > 0
    assert errors[0] / errors[1] > 3
    assert errors[1] / errors[2] > 3


def test_beyond_the_last_stable_target_the_oscillation_stays():
    parts = _near_edge(0.3, -0.05, 1.03)
    central, descent = CentralFlow(*parts).at(4000.0), GradientDescent(*parts).at([4000, 4001])
    assert central.determinant == pytest.approx(0, abs=1e-12)
    swing = np.diff(descent.residual)[0] / 2
    assert central.oscillation == pytest.approx(swing**2, rel=0.05, abs=0)
    assert central.oscillation == pytest.approx(2 * 0.03 / 2.03, rel=0.06, abs=0)
    assert central.kernel == pytest.approx(np.mean(descent.kernel), rel=0.002, abs=0)


def test_shapes_are_those_of_the_other_dynamics():
    parts = _near_edge(np.array([[0.05], [0.1]]), np.array([-0.02, -0.05, 0.0]), 0.4)
    t = np.array([[0.0, 1.5], [7.0, 7.0]])
    central = CentralFlow(*parts).at(t)
    assert central.kernel.shape == (2, 3, 2, 2)
    for i, j in np.ndindex(2, 3):
        start = parts[2]
        gram = Gram(*(np.broadcast_to(x, (2, 3))[i, j] for x in (start.uu, start.uw, start.ww)))
        alone = CentralFlow(parts[0], parts[1], gram).at(t)
        for name in ("slope", "loss", "oscillation", "imbalance", "determinant", "kernel"):
            np.testing.assert_allclose(
                getattr(central, name)[i, j], getattr(alone, name), rtol=1e-9
            )
    assert np.ndim(CentralFlow(*_near_edge(0.05, -0.02, 0.4)).slope(3)) == 0


@pytest.mark.parametrize("target", [0.0, 0.5, 0.97])
def test_its_limit_is_what_late_times_come_to(target):
    central = CentralFlow(*_near_edge(0.1, -0.02, target))
    end, late = central.at(np.inf), central.at(30_000.0)
    assert end.residual == end.oscillation == 0
    assert end.kernel == pytest.approx(late.kernel, rel=1e-8, abs=0)
    assert end.determinant == pytest.approx(late.determinant, rel=1e-8, abs=0)


def test_no_start_inside_the_border_is_too_wild():
    random = np.random.default_rng(0)
    target = random.uniform(0, 1.9, 300)
    turn = random.uniform(-2, 2, 300)
    least, most = 2 * np.abs(target + turn), 4 + turn * target
    sharpness = least + (most - least) * random.uniform(0.001, 0.999, 300)
    central = CentralFlow(*_parts(sharpness, turn, target)).at([0.0, 1.0, 300.0])
    for name in ("slope", "kernel", "loss", "oscillation", "determinant"):
        assert np.isfinite(getattr(central, name)).all(), name


def test_a_start_at_the_target_stays():
    parts = _parts(3.0, 0.0, 0.4)
    assert CentralFlow(*parts).residual(50.0) == 0
    assert CentralFlow(*parts).kernel(50.0) == pytest.approx(3.0, rel=1e-14, abs=0)


def test_what_it_refuses():
    parts = _parts(2.0, -0.1, 0.4)
    with pytest.raises(ValueError, match="t must be finite where the oscillation does not die out"):
        CentralFlow(*_near_edge(0.3, -0.05, 1.03)).slope(np.inf)
    with pytest.raises(ValueError, match=r"gram must be inside the border of .*, got 4\.1"):
        CentralFlow(*_parts(4.1, -0.2, 0.4))
    with pytest.raises(ValueError, match="eta_w must be greater than 0"):
        CentralFlow(Network(2, eta_w=0.0), *parts[1:])
