"""The frozen kernel: its formula, its limits, and where gradient flow agrees with it."""

from __future__ import annotations

import numpy as np
import pytest

from flbook import GradientFlow, Gram, KernelFlow, Network, Task


def _lazy(uu, uw, ww, c=1.0, **network):
    return KernelFlow(Network(2, **network), Task(1.0, c, c * c + 1), Gram(uu, uw, ww))


def test_formula():
    lazy = _lazy(2.0, -0.5, 3.0, c=4.0, gamma=0.5, eta_w=2.0)
    t = np.array([0.0, 0.5, 2.0, np.inf])
    kernel, v0 = 0.25 * 7.0, -0.25
    residual = (v0 - 4.0) * np.exp(-kernel * t)
    np.testing.assert_allclose(lazy.kernel(t), kernel, rtol=1e-15)
    np.testing.assert_allclose(lazy.residual(t), residual, rtol=1e-14)
    np.testing.assert_allclose(lazy.slope(t), 4.0 + residual, rtol=1e-14)
    np.testing.assert_allclose(lazy.loss(t), residual**2 / 2 + 0.5, rtol=1e-14)


def test_small_changes_keep_their_digits():
    lazy = _lazy(1.0, 1e-12, 1.0, c=1.0)
    assert lazy.slope(1e-13) == pytest.approx(1e-12 + 2e-13, rel=1e-12, abs=0)


def test_small_residuals_keep_their_digits():
    lazy = _lazy(1.0, 0.0, 1.0)
    # Beyond the range of exp(−κ) itself when the start is far away.
    far = _lazy(1.0, 0.0, 1.0, c=1e30)
    assert lazy.residual(350.0) == pytest.approx(-np.exp(-700.0), rel=1e-12, abs=0)
    assert far.residual(375.0) == pytest.approx(-np.exp(30 * np.log(10) - 750.0), rel=1e-12, abs=0)


def test_zero_kernel_does_not_move():
    lazy = _lazy(0.0, 0.0, 0.0, c=3.0)
    t = np.array([0.0, 1.0, np.inf])
    np.testing.assert_array_equal(lazy.slope(t), 0.0)
    np.testing.assert_array_equal(lazy.residual(t), -3.0)
    np.testing.assert_array_equal(lazy.kernel(t), 0.0)


@pytest.mark.parametrize(("uu", "ww"), [(1e8, 1e8), (1e8, 1e-8)], ids=["determinant", "imbalance"])
def test_gradient_flow_is_lazy_when_the_floor_is_high(uu, ww):
    lazy = _lazy(uu, 0.0, ww)
    flow = GradientFlow(lazy.network, lazy.task, lazy.start)
    t = np.array([0.0, 1e-9, 1e-8, 1e-7, np.inf])
    np.testing.assert_allclose(lazy.slope(t), flow.slope(t), rtol=1e-12)
    np.testing.assert_allclose(lazy.kernel(t), flow.kernel(t), rtol=1e-12)


def test_gradient_flow_with_a_frozen_layer_is_lazy_exactly():
    lazy = _lazy(2.0, 0.5, 3.0, c=5.0, eta_u=0.0)
    flow = GradientFlow(lazy.network, lazy.task, lazy.start)
    t = np.linspace(0, 30, 20)
    np.testing.assert_allclose(lazy.residual(t), flow.residual(t), rtol=1e-13)


def test_shapes():
    lazy = KernelFlow(Network([1, 2]), Task(1.0, [[1.0], [2.0], [3.0]], 9.0), Gram(1.0, 0.5, 1.0))
    assert lazy.shape == (3, 2)
    for t in (1.0, [1.0, np.inf], np.ones((2, 2))):
        for name in ("slope", "residual", "loss", "kernel"):
            assert getattr(lazy, name)(t).shape == (3, 2, *np.shape(t))


@pytest.mark.parametrize("name", ["slope", "residual", "loss", "kernel"])
def test_bad_times(name):
    lazy = _lazy(1.0, 0.5, 1.0)
    with pytest.raises(ValueError, match="t must be a time of at least 0"):
        getattr(lazy, name)([1.0, -1.0])
    with pytest.raises(TypeError, match="t must be a real number"):
        getattr(lazy, name)("later")


def test_bad_parts():
    with pytest.raises(TypeError, match="gram must be a Gram, got"):
        KernelFlow(Network(2), Task(1.0, 1.0, 1.0), (1.0, 0.0, 1.0))
