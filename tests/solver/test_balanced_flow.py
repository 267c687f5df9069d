"""Balanced two-layer networks: against their trained weights, one neuron, modes, and limits."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from balanced_layers import balanced, columns, many_digits, train
from hypothesis import given, settings
from hypothesis import strategies as st

from flbook import BalancedFlow, NeuronFlow

TIMES = np.array([0.0, 1e-9, 0.1, 1.0, 10.0, 1e3, 1e9, np.inf])
SHAPES = [
    ((3, 2, 4), 0.0),
    ((3, 2, 4), 1.5),
    ((4, 2, 3), -1.5),
    ((2, 5, 3), 0.0),
    ((3, 3, 3), 4.0),
    ((3, 3, 3), -4.0),
    ((5, 1, 1), -2.0),
    ((1, 1, 6), 2.0),
    ((1, 1, 1), 0.0),
    ((6, 8, 5), 0.0),
]


def _flow(seed, shape, balance, scale=1.0, eta=1.0, target=1.0):
    random = np.random.default_rng(seed)
    layers = balanced(random, shape, balance, scale)
    return BalancedFlow(*layers, target * random.normal(size=shape[::-2]), eta)


@pytest.mark.parametrize(("shape", "balance"), SHAPES)
@pytest.mark.parametrize("seed", range(3))
def test_against_the_integrated_weights(shape, balance, seed):
    flow = _flow(seed, shape, balance, scale=(1.0, 0.1, 2.0)[seed], eta=0.7)
    assert flow.balance == pytest.approx(balance, rel=1e-12, abs=1e-14)
    t = np.array([0.0, 1e-3, 0.03, 0.3, 1.0, 3.0, 10.0])
    first, last = train(flow.W1, flow.W2, flow.target, flow.eta, t)
    now, near = flow.at(t), {"rtol": 1e-8, "atol": 1e-9}
    back = np.swapaxes(first, 1, 2)
    np.testing.assert_allclose(now.map, last @ first, **near)
    np.testing.assert_allclose(now.input_gram, back @ first, **near)
    np.testing.assert_allclose(now.output_gram, last @ np.swapaxes(last, 1, 2), **near)
    off = np.sum((last @ first - flow.target) ** 2, axis=(1, 2)) / 2
    np.testing.assert_allclose(now.loss, off, **near)
    # the kernel is what gradients of the map's entries have in common
    for k in (0, 3, 6):
        outputs, inputs = flow.target.shape
        rows = []
        for i in range(outputs):
            for j in range(inputs):
                by_first, by_last = np.zeros_like(first[k]), np.zeros_like(last[k])
                by_first[:, j], by_last[i] = last[k][i], first[k][:, j]
                rows.append(np.concatenate([by_first.ravel(), by_last.ravel()]))
        jacobian = np.array(rows)
        np.testing.assert_allclose(now.kernel[k], flow.eta * jacobian @ jacobian.T, **near)


@pytest.mark.parametrize(("shape", "balance"), [((4, 2, 5), 0.0), ((5, 2, 4), -30.0), *SHAPES[:4]])
def test_to_the_last_digits(shape, balance):
    """Allow 1e-12 of the largest number, and what a few roundings of the start do to it anyway."""
    for seed, scale in enumerate((1e-3, 0.1, 1.0)):
        flow, inputs = _flow(seed, shape, balance, scale), shape[0]
        rounding = 1 + 2e-16 * np.random.default_rng(seed).normal(size=flow.W1.shape)
        for t in (0.1, 2.0, 20.0):
            now, rest = flow.at(t), (flow.W2, flow.target, flow.balance, t)
            exact = many_digits(flow.W1, *rest)
            moved = np.max(np.abs(many_digits(flow.W1 * rounding, *rest) - exact))
            allowed = 1e-12 * np.max(np.abs(exact)) + 20 * moved
            for got, wanted in (
                (now.map, exact[inputs:, :inputs]),
                (now.input_gram, exact[:inputs, :inputs]),
                (now.output_gram, exact[inputs:, inputs:]),
            ):
                assert np.max(np.abs(got - wanted)) < allowed


@pytest.mark.parametrize("balance", [-1e4, -1e3, -1.0, 0.0, 1.0, 1e3, 1e4])
@pytest.mark.parametrize("dimensions", [1, 2, 100])
def test_one_neuron(balance, dimensions):
    random = np.random.default_rng(dimensions)
    w, target = random.normal(size=(2, dimensions)) / np.sqrt(dimensions)
    if balance < 0:
        a, w = 0.3, w * np.sqrt((0.09 - balance) / (w @ w))
    else:
        a = np.sqrt(balance + w @ w)
    one = NeuronFlow(a, w, target, 0.5, 0.5)
    flow = BalancedFlow(w[None], [[a]], target[None], 0.5)
    rates = np.array([one.rate, one.turning_rate])
    t = np.concatenate([np.outer([0, 1e-3, 0.1, 1, 5], 1 / rates).ravel(), [np.inf]])
    size = np.max(one.kernel_size(t))
    np.testing.assert_allclose(flow.map(t)[:, 0], one.slope(t), rtol=1e-9, atol=1e-13 * size)
    np.testing.assert_allclose(flow.kernel(t), one.kernel(t), rtol=1e-9, atol=1e-13 * size)
    np.testing.assert_allclose(flow.loss(t), one.loss(t), rtol=1e-8, atol=1e-15 * size)


# more neurons than modes are balanced only at λ = 0, by those that carry none
@pytest.mark.parametrize(
    ("shape", "balance"),
    [
        *itertools.product([(3, 3, 3), (5, 3, 4), (4, 2, 4)], [-0.8, 0.0, 0.8]),
        ((3, 4, 5), 0.0),
    ],
)
def test_aligned_layers_are_independent_modes(shape, balance):
    """White inputs of many dimensions are then that many networks on a line."""
    inputs, width, outputs = shape
    random = np.random.default_rng(1)
    k = min(inputs, outputs)
    left, right = columns(random, outputs, outputs), columns(random, inputs, inputs)
    values = np.sort(random.uniform(0.5, 3, k))[::-1]
    held = min(width, k)
    turn = columns(random, width, width)[:, :held]
    sizes = random.uniform(1, 2, held)
    above, below = np.sqrt(sizes**2 + balance), sizes
    flow = BalancedFlow(
        turn * below @ right[:, :held].T,
        left[:, :held] * above @ turn.T,
        left[:, :k] * values @ right[:, :k].T,
        0.6,
    )
    t = np.array([0.0, 0.1, 1.0, 4.0, 30.0, np.inf])
    modes, maps = flow.modes, flow.map(t)
    slopes = np.einsum("oi,toj,jk->tik", left, maps, right)
    wanted = np.zeros_like(slopes)
    wanted[:, range(k), range(k)] = modes.slope(t).T
    np.testing.assert_allclose(slopes, wanted, rtol=1e-10, atol=1e-13)
    np.testing.assert_allclose(modes.imbalance(0.0)[:held], 0.6 * balance, atol=1e-13)
    np.testing.assert_allclose(flow.loss(t), np.sum(modes.loss(t), axis=0), rtol=1e-9, atol=1e-13)


def test_layers_that_mix_the_modes_have_none():
    with pytest.raises(ValueError, match="diagonal in the singular vectors of the target"):
        _ = _flow(0, (3, 2, 4), 0.0).modes


flows = st.builds(
    lambda seed, case, scale: _flow(seed, *SHAPES[case], scale=scale),
    st.integers(0, 2**32),
    st.integers(0, len(SHAPES) - 1),
    st.floats(0.05, 3.0),
)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(flows)
def test_the_balance_never_moves(flow):
    """In Q = (W1ᵀ; W2): (W2W2ᵀ)² − (W2W1)(W2W1)ᵀ = λ W2W2ᵀ, and the like for the inputs."""
    now = flow.at(TIMES)
    back = np.swapaxes(now.map, -1, -2)
    size = np.max(np.abs(now.output_gram)) + np.max(np.abs(now.input_gram))
    for gram, product, sign in (
        (now.output_gram, now.map @ back, 1),
        (now.input_gram, back @ now.map, -1),
    ):
        rest = gram @ gram - product - sign * flow.balance * gram
        assert np.max(np.abs(rest)) < 1e-11 * size**2


@settings(max_examples=25, deadline=None, derandomize=True)
@given(flows)
def test_the_loss_never_rises(flow):
    loss = flow.loss(np.concatenate([[0], np.geomspace(1e-3, 1e3, 20)]))
    assert np.all(np.diff(loss) <= 1e-12 * loss[0])


@pytest.mark.parametrize("seed", range(6))
def test_a_narrow_network_ends_at_the_best_map_of_its_rank(seed):
    shape, balance = (((4, 2, 5), 0.0), ((4, 2, 5), 0.5), ((5, 2, 4), -0.5))[seed % 3]
    flow = _flow(seed, shape, balance, scale=0.3)
    left, values, right = np.linalg.svd(flow.target)
    best = left[:, :2] * values[:2] @ right[:2]
    np.testing.assert_allclose(flow.map(np.inf), best, atol=1e-12)
    assert flow.loss(np.inf) == pytest.approx(np.sum(values[2:] ** 2) / 2, rel=1e-10)


def test_strongly_unbalanced_layers_arrive_late_and_do_arrive():
    flow = _flow(0, (5, 2, 2), -1e3)
    slow = np.linalg.svd(flow.target)[1][-1] ** 2 / 1e3
    assert flow.loss(1e-2 / slow) > 0.1 * flow.loss(1.0)
    assert flow.loss(np.array([60.0, 1e3]) / slow).max() < 1e-20
    np.testing.assert_allclose(flow.map(np.inf), flow.target, atol=1e-11)


def test_tiny_weights_wait_and_then_jump():
    flow = _flow(2, (3, 3, 3), 0.0, scale=1e-150)
    values = np.linalg.svd(flow.target)[1]
    t = np.log(1e300) / 2 / values
    for k, when in enumerate(t):
        before, after = np.linalg.svd(flow.map(np.array([0.8, 1.3]) * when))[1][:, k]
        assert before < 0.01 * values[k]
        assert after == pytest.approx(values[k], rel=1e-2)


def test_no_target_and_no_weights():
    gone = _flow(0, (3, 2, 4), 0.0, target=0.0)
    np.testing.assert_array_equal(gone.map(np.inf), 0)
    left = _flow(0, (3, 2, 4), 1.5, target=0.0)
    np.testing.assert_allclose(left.map(np.inf), 0, atol=1e-14)
    np.testing.assert_allclose(np.trace(left.at(np.inf).output_gram), 3.0, rtol=1e-12)
    nothing = BalancedFlow(np.zeros((2, 3)), np.zeros((4, 2)), np.ones((4, 3)))
    np.testing.assert_array_equal(nothing.map(TIMES), 0)
    still = _flow(0, (3, 2, 4), 0.0, eta=0.0)
    np.testing.assert_allclose(still.map(np.inf), still.W2 @ still.W1, atol=1e-15)


@pytest.mark.parametrize("t", [1.0, [1.0], np.ones((2, 3)), np.ones(0)])
def test_shapes(t):
    now = _flow(0, (3, 2, 4), 0.0).at(t)
    assert np.shape(now.loss) == np.shape(t)
    assert np.shape(now.map) == (*np.shape(t), 4, 3)
    assert np.shape(now.kernel) == (*np.shape(t), 12, 12)
    assert np.shape(now.input_gram) == (*np.shape(t), 3, 3)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (
            ([1.0], [[1.0]], [[1.0]]),
            ValueError,
            r"W1 must have shape \(width, inputs\), got \(1,\)",
        ),
        (([[1.0]], [[1.0, 1.0]], [[1.0]]), ValueError, "W2 must have 1 columns, as W1 has rows"),
        (([[1.0]], [[1.0]], [[1.0, 2.0]]), ValueError, r"target must have shape \(1, 1\) like W2"),
        (([[np.inf]], [[1.0]], [[1.0]]), ValueError, "W1 must be finite, got inf"),
        (([[1.0]], [[1.0]], [[1.0]], -1.0), ValueError, "eta must be finite and at least 0"),
        (([[1.0]], [[1.0]], [[1.0]], [1.0]), TypeError, "eta must be one real number"),
        (([[1, 0], [0, 2]], [[1, 0], [0, 1]], np.eye(2)), ValueError, "W1 and W2 must be balanced"),
    ],
)
def test_bad_input(arguments, error, message):
    with pytest.raises(error, match=message):
        BalancedFlow(*arguments)


def test_bad_times():
    with pytest.raises(ValueError, match="t must be a time of at least 0"):
        _flow(0, (1, 1, 1), 0.0).map(np.nan)
