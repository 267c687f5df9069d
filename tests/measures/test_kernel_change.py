"""The measures of any model: by hand, on the solvable network, and by chance."""

import math

import numpy as np
import pytest

import flbook as fl
from flbook._measures import kernel_change as measure


def test_by_hand():
    assert measure.linearisation_error([3.0, 4.0], [3.0, 0.0]) == pytest.approx(0.8)
    assert measure.relative_change([3.0, 4.0], [6.0, 8.0]) == pytest.approx(1)
    k, turned = np.diag([1.0, 0.0]), np.diag([0.0, 1.0])
    assert measure.kernel_change(k, turned) == pytest.approx(math.sqrt(2))
    assert measure.kernel_rotation(k, turned) == pytest.approx(1)
    assert measure.kernel_growth(k, turned) == 1
    assert measure.kernel_rotation(k, 7 * k) == 0
    assert measure.relative_change([0.0], [0.0]) == 0
    assert measure.relative_change([0.0], [1e-300]) == math.inf


def test_extreme_sizes_neither_overflow_nor_vanish():
    k = np.eye(3)
    for size in (1e-200, 1e200):
        assert measure.kernel_change(size * k, 2 * size * k) == pytest.approx(1, rel=1e-14)
        assert measure.layer_alignment([[size]], [[1 / size]]) == pytest.approx(1)


def test_a_small_rotation_keeps_its_digits():
    angle = 1e-9
    turned = [math.cos(angle), math.sin(angle)]
    assert measure.kernel_rotation([1.0, 0.0], turned) == pytest.approx(angle**2 / 2, rel=1e-6)


@pytest.mark.parametrize("gamma", [0.01, 0.3, 1.0, 5.0])
@pytest.mark.parametrize("t", [0.3, 2.0, np.inf])
def test_the_solvable_line(gamma, t):
    """Balanced layers from v = 0: the error and the growth of the kernel determine each other."""
    u0, w0 = np.array([1.0, 2.0, 0.0]), np.array([2.0, -1.0, 0.0])
    flow = fl.GradientFlow(
        fl.Network(3, gamma=gamma), fl.Task(1.0, 1.0, 1.0), fl.Gram.from_weights(u0, w0)
    )
    u, w = flow.weights(t, u0, w0)
    linear = gamma * ((u - u0) @ w0 + u0 @ (w - w0))
    error = measure.linearisation_error([gamma * u @ w], [linear])
    growth = float(flow.kernel(t) / flow.kernel(0.0))
    assert error == pytest.approx(measure.matching_error(growth), rel=1e-9)
    assert measure.equivalent_kernel_growth(error) == pytest.approx(growth, rel=1e-9)


def test_alignment_of_layers():
    rng = np.random.default_rng(0)
    u, w = rng.normal(size=5), rng.normal(size=5)
    zeta = fl.Gram.from_weights(u, w).alignment
    assert measure.layer_alignment(w[:, None], u[None]) == pytest.approx(abs(zeta))
    a, b = np.outer(u, rng.normal(size=4)), np.outer(rng.normal(size=3), u)
    assert measure.layer_alignment(a, b) == pytest.approx(1)


def test_alignment_by_chance_is_its_mean_over_rotations():
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(6, 4)), rng.normal(size=(3, 6))
    squares = []
    for _ in range(4000):
        q, r = np.linalg.qr(rng.normal(size=(6, 6)))
        squares.append(measure.layer_alignment(q * np.sign(np.diag(r)) @ a, b) ** 2)
    error = np.std(squares) / math.sqrt(len(squares))
    assert abs(np.mean(squares) - measure.chance_alignment(6) ** 2) < 4 * error


def test_labels():
    y = measure.label_matrix([3, 1, 3])
    assert y.tolist() == [[0, 1], [1, 0], [0, 1]]
    rng = np.random.default_rng(2)
    labels = measure.label_matrix(rng.integers(0, 3, 20))
    j = rng.normal(size=(20, 7))
    fit, chance = measure.label_alignment(j @ j.T, labels)
    shuffled = [
        measure.label_alignment(j @ j.T, labels[rng.permutation(20)])[0] for _ in range(4000)
    ]
    assert abs(np.mean(shuffled) - chance) < 4 * np.std(shuffled) / math.sqrt(4000)
    assert -1 <= fit <= 1
    assert measure.label_alignment(labels @ labels.T, labels)[0] == pytest.approx(1)
    assert measure.label_alignment(j @ j.T + 9, labels + 1) == pytest.approx((fit, chance))
