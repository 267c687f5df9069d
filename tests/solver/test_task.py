"""The task: moments, data, and what it refuses."""

from __future__ import annotations

import dataclasses
import pickle

import numpy as np
import pytest

from flbook import Task


def test_target_and_floor():
    task = Task(4.0, 2.0, 3.0)
    assert task.target == 0.5
    assert task.loss_floor == (3.0 - 1.0) / 2


def test_floor_does_not_cancel():
    # E[y²] = c²/m (1 + δ) with δ far below what subtracting rounded numbers would keep.
    m, c = 3.0, 1.0 + 2.0**-30
    label = np.nextafter(c * c / m, np.inf)
    exact = (int(label * 2**80) * 3 - int(c * 2**40) ** 2) / 2**80 / 6
    assert Task(m, c, float(label)).loss_floor == pytest.approx(exact, rel=1e-15, abs=0)
    assert exact < 1e-16


def test_floor_is_zero_for_perfect_labels():
    random = np.random.default_rng(0)
    a = random.normal(size=1000)
    task = Task.from_data(a, 0.3 * a)
    assert 0 <= task.loss_floor < 1e-16
    assert task.target == pytest.approx(0.3, rel=1e-14, abs=0)


def test_arrays_broadcast():
    task = Task([[1.0], [2.0]], [1.0, 0.0, -1.0], 5.0)
    assert task.shape == (2, 3)
    np.testing.assert_array_equal(task.target, [[1, 0, -1], [0.5, 0, -0.5]])


def test_values_are_frozen():
    moments = np.array([1.0, 2.0])
    task = Task(moments, 1.0, 5.0)
    moments[0] = 7.0
    assert task.second_moment[0] == 1.0
    with pytest.raises(ValueError, match="read-only"):
        task.second_moment[0] = 3.0
    with pytest.raises(dataclasses.FrozenInstanceError):
        task.cross_moment = 2.0


def test_equality_hash_and_pickle():
    one, other = Task([1.0, 2.0], 1.0, 5.0), Task([1.0, 2.0], 1.0, 5.0)
    assert one == other
    assert hash(one) == hash(other)
    assert one != Task([1.0, 2.5], 1.0, 5.0)
    assert one != "task"
    assert pickle.loads(pickle.dumps(one)) == one


def test_data_on_the_line_of_numbers():
    x, y = np.array([1.0, -2.0, 3.0]), np.array([1.0, 1.0, 2.0])
    task = Task.from_data(x, y)
    assert task.second_moment == pytest.approx(14 / 3, rel=1e-15, abs=0)
    assert task.cross_moment == pytest.approx(5 / 3, rel=1e-15, abs=0)
    assert task.label_moment == 2.0


@pytest.mark.parametrize("scale", [1e-150, 1.0, 1e100])
@pytest.mark.parametrize("dimension", [1, 2, 5])
def test_data_on_a_line_in_space(dimension, scale):
    random = np.random.default_rng(dimension)
    n = random.normal(size=dimension)
    n /= np.linalg.norm(n) * np.sign(n[np.argmax(np.abs(n))])
    a, y = scale * random.normal(size=50), random.normal(size=50)
    task, plain = Task.from_data(np.outer(a, n), y), Task.from_data(a, y)
    assert task.second_moment == pytest.approx(plain.second_moment, rel=1e-13, abs=0)
    assert task.cross_moment == pytest.approx(plain.cross_moment, rel=1e-13, abs=0)


@pytest.mark.parametrize(
    ("moments", "message"),
    [
        ((0.0, 0.0, 1.0), "second_moment must be finite and greater than 0, got 0.0"),
        ((-1.0, 0.0, 1.0), "second_moment must be .* got -1.0"),
        ((np.nan, 0.0, 1.0), "second_moment must be finite.* got nan"),
        ((1.0, np.inf, 1.0), "cross_moment must be finite, got inf"),
        ((1.0, 0.0, -1.0), "label_moment must be finite and at least 0, got -1.0"),
        ((1.0, 2.0, 3.9), r"cross_moment must be at most sqrt.* Cauchy-Schwarz demands, got 2.0"),
        (([1.0, 0.0], 0.0, 1.0), "second_moment must be .* got 0.0 at index 1"),
        (([1.0, 1.0], [0.0] * 3, 1.0), r"second_moment \(2,\), cross_moment \(3,\) and"),
        (([[1.0, 1.0], [1.0, -2.0]], 0.0, 1.0), r"got -2.0 at index \(1, 1\)"),
    ],
)
def test_bad_moments(moments, message):
    with pytest.raises(ValueError, match=message):
        Task(*moments)


@pytest.mark.parametrize("bad", ["1", None, 1j, True, [True], [[1.0], [1.0, 2.0]], object()])
def test_moments_that_are_no_numbers(bad):
    with pytest.raises(TypeError, match="cross_moment must be a real number or an array of them"):
        Task(1.0, bad, 1.0)


def test_moment_too_large_for_a_double():
    with pytest.raises(ValueError, match="second_moment must fit in a double"):
        Task(10**400, 0.0, 1.0)


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        ([[1.0, 0.0], [0.0, 1.0]], [1.0, 1.0], "x must lie on one line .* got row 1 at distance 1"),
        ([[1.0, 1.0], [1.0, 1.0 + 1e-6]], [1.0, 1.0], "x must lie on one line"),
        ([0.0, 0.0], [1.0, 1.0], "x must hold an input that is not zero"),
        ([[0.0, 0.0]], [1.0], "x must hold an input that is not zero"),
        ([], [], r"x must have shape \(n,\) or \(n, D\) and hold data, got \(0,\)"),
        (1.0, [1.0], "x must have shape"),
        (np.ones((2, 2, 2)), [1.0, 1.0], "x must have shape"),
        ([1.0, 2.0], [1.0], r"y must have shape \(2,\) like x, got \(1,\)"),
        ([1.0, np.nan], [1.0, 1.0], "x must be finite, got nan at index 1"),
        ([1.0, 2.0], [1.0, np.inf], "y must be finite, got inf at index 1"),
    ],
)
def test_bad_data(x, y, message):
    with pytest.raises(ValueError, match=message):
        Task.from_data(x, y)


def test_data_that_is_no_numbers():
    with pytest.raises(TypeError, match="y must be a real number"):
        Task.from_data([1.0], ["a"])
