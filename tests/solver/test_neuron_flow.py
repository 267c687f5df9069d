"""One neuron with many inputs: against its trained weights, against many digits, at its limits."""

from __future__ import annotations

import mpmath
import neuron_oracle
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flbook import GradientFlow, Gram, Network, NeuronFlow, Task
from flbook.simulation import gradient_flow as simulate

TIMES = np.array([0.0, 1e-9, 0.1, 1.0, 10.0, 1e3, 1e9, 1e300, np.inf])
NUMBERS = ("loss", "kernel_size", "kernel_rotation", "alignment")
VECTORS = ("slope", "residual")


def _draw(random, decades=1.0, dimensions=None):
    """Draw a neuron; every third balanced, every fifth parallel to its target."""
    size = dimensions or int(random.integers(1, 5))
    scale = 10.0 ** random.uniform(-decades, decades, 5)
    a = scale[0] * random.choice([-1, 1])
    w, target = random.normal(size=(2, size)) * scale[1:3, None]
    if random.random() < 0.2:
        w = target * scale[1] * random.choice([-1, 1])
    if random.random() < 0.3:
        a = np.sign(a) * np.sqrt(scale[3] / scale[4]) * np.linalg.norm(w)
    return float(a), w, target, float(scale[3]), float(scale[4])


def _train(a, w, target, eta_a, eta_w, t):
    """Train one hidden neuron on white inputs, weight by weight."""
    inputs = np.sqrt(w.size) * np.eye(w.size)
    data = (inputs, inputs @ target) if w.size > 1 else Task(1.0, target[0], target[0] ** 2)
    w0 = w[None] if w.size > 1 else w
    run = simulate(Network(1, eta_u=eta_a, eta_w=eta_w), data, [a], w0, t)
    return run.u[:, 0], run.w.reshape(len(t), w.size)


@pytest.mark.parametrize("seed", range(12))
def test_against_the_integrated_weights(seed):
    random = np.random.default_rng(seed)
    neuron = _draw(random, 0.5)
    flow = NeuronFlow(*neuron)
    t = np.linspace(0, 6 / flow.rate, 7)
    a, w = _train(*neuron, t)
    near = {"rtol": 1e-8, "atol": 1e-10}
    np.testing.assert_allclose(flow.weights(t)[0], a, **near)
    np.testing.assert_allclose(flow.weights(t)[1], w, **near)
    _, _, target, eta_a, eta_w = neuron
    slope = a[:, None] * w
    kernel = eta_w * a[:, None, None] ** 2 * np.eye(w.shape[1])
    kernel = kernel + eta_a * w[:, :, None] * w[:, None, :]
    cosine = np.sum(kernel * kernel[0], axis=(1, 2)) / np.linalg.norm(kernel, axis=(1, 2))
    expected = {
        "slope": slope,
        "residual": slope - target,
        "loss": np.sum((slope - target) ** 2, axis=1) / 2,
        "kernel": kernel,
        "kernel_size": np.linalg.eigvalsh(kernel)[:, -1],
        "kernel_rotation": 1 - cosine / np.linalg.norm(kernel[0]),
        "alignment": w @ target / np.linalg.norm(w, axis=1) / np.linalg.norm(target),
    }
    for name, value in expected.items():
        np.testing.assert_allclose(getattr(flow, name)(t), value, **near, err_msg=name)


def _nudged(point):
    """Give the point with each number moved by two units in the last place, up and down."""
    for i, value in enumerate(point):
        array = np.atleast_1d(np.asarray(value, dtype=np.float64))
        for k in range(array.size):
            for way in (-2, 2):
                moved = array.copy()
                moved[k] += way * np.spacing(np.abs(moved[k]))
                yield *point[:i], moved if np.ndim(value) else float(moved[0]), *point[i + 1 :]


@pytest.mark.parametrize("seed", range(10))
def test_to_the_last_digits(seed):
    """Allow 1e-12 of the exact number, and what two units in the last place of every input do."""
    random = np.random.default_rng(100 + seed)
    for _ in range(30):
        neuron = _draw(random, (1.0, 4.0)[seed % 2])
        flow = NeuronFlow(*neuron)
        rate = float(random.choice([flow.rate, flow.turning_rate]))
        t = min(float(10 ** random.uniform(-3, 2)) / rate, 2000 / float(flow.rate))
        point, now = (*neuron, t), flow.at(t)
        exact = neuron_oracle.solve(*point)
        got = {"a": now.weights[0], "w": now.weights[1]}
        got |= {name: getattr(now, name) for name in exact if name not in got}
        # the rotation is a square, so its root is what has digits
        root = abs(
            mpmath.sqrt(got.pop("kernel_rotation"))
            - mpmath.sqrt(abs(*exact.pop("kernel_rotation")))
        )
        assert root < 1e-9, point
        moved = None
        for name, value in got.items():
            off = neuron_oracle.distance(value, exact[name])
            allowed = 1e-12 * max(neuron_oracle.size(exact[name]), mpmath.mpf(1e-290))
            if off > allowed:
                moved = moved or [neuron_oracle.solve(*near) for near in _nudged(point)]
                changes = [
                    [x - y for x, y in zip(m[name], exact[name], strict=True)] for m in moved
                ]
                allowed += mpmath.fsum(neuron_oracle.size(change) for change in changes)
            assert off <= allowed, f"{name} is off by {float(off):.3g} at {point}"


def test_start_and_end():
    flow = NeuronFlow(0.5, [1.0, -2.0, 0.5], [2.0, 0.0, 1.0], 2.0, 0.25)
    assert flow.imbalance == 0.25 * 0.25 - 2 * 5.25
    start, end = flow.at(0.0), flow.at(np.inf)
    assert start.weights[0] == pytest.approx(0.5, rel=1e-15)
    np.testing.assert_allclose(start.weights[1], [1.0, -2.0, 0.5], rtol=1e-15)
    assert start.kernel_rotation < 1e-30
    np.testing.assert_allclose(end.slope, [2.0, 0.0, 1.0], rtol=1e-14, atol=1e-15)
    assert end.loss == 0
    assert end.alignment == 1
    np.testing.assert_array_equal(end.residual, 0)
    values = np.linalg.eigvalsh(end.kernel)
    np.testing.assert_allclose(values, [flow.turning_rate] * 2 + [flow.rate], rtol=1e-12)


@pytest.mark.parametrize("imbalance", [-1e6, -1e3, -1.0, 0.0, 1.0, 1e3, 1e6])
def test_the_last_approach_has_the_rates_of_the_last_kernel(imbalance):
    """Across the target with the turning rate, along it twice that or 2ρ, whichever is slower."""
    w = np.array([0.3, 0.4]) if imbalance >= 0 else np.array([0.6, 0.8]) * np.sqrt(-imbalance)
    flow = NeuronFlow(np.sqrt(max(imbalance + w @ w, 0.0)), w, [0.0, 1.5])
    assert flow.imbalance == pytest.approx(imbalance, rel=1e-12, abs=1e-15)
    t = np.array([40.0, 41.0]) / flow.turning_rate
    across, along = np.abs(flow.residual(t)).T
    assert np.log(across[0] / across[1]) == pytest.approx(1.0, rel=1e-6)
    faster = min(2.0, flow.rate / flow.turning_rate)
    if abs(faster - 2) > 0.1 or imbalance < 0:
        assert np.log(along[0] / along[1]) == pytest.approx(faster, rel=1e-6)


neurons = st.builds(
    lambda seed, decades: _draw(np.random.default_rng(seed), decades),
    st.integers(0, 2**32),
    st.floats(0.0, 3.0),
)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(neurons)
def test_the_imbalance_never_moves_and_the_kernel_lies_on_its_hyperbola(neuron):
    flow, (_, _, _, eta_a, eta_w) = NeuronFlow(*neuron), neuron
    now = flow.at(TIMES / flow.rate)
    a, w = now.weights
    outer, inner = eta_w * a**2, eta_a * np.sum(w**2, axis=-1)
    scale = np.max(outer + inner)
    np.testing.assert_allclose(outer - inner, flow.imbalance, rtol=1e-9, atol=1e-12 * scale)
    signal = 2 * np.sqrt(eta_a * eta_w) * np.linalg.norm(now.slope, axis=-1)
    np.testing.assert_allclose(
        now.kernel_size, np.hypot(signal, flow.imbalance), rtol=1e-9, atol=1e-12 * scale
    )


@settings(max_examples=60, deadline=None, derandomize=True)
@given(neurons, st.integers(0, 2**32))
def test_rotating_the_inputs_rotates_everything(neuron, seed):
    a, w, target, eta_a, eta_w = neuron
    turn = np.linalg.qr(np.random.default_rng(seed).normal(size=(w.size, w.size)))[0]
    flow, turned = NeuronFlow(*neuron), NeuronFlow(a, turn @ w, turn @ target, eta_a, eta_w)
    t = np.array([0.0, 0.1, 1.0]) / flow.rate
    off = np.linalg.norm(target) + np.abs(a) * np.linalg.norm(w)
    np.testing.assert_allclose(turned.slope(t), flow.slope(t) @ turn.T, rtol=1e-9, atol=1e-11 * off)
    np.testing.assert_allclose(turned.kernel_rotation(t), flow.kernel_rotation(t), atol=1e-9)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(neurons)
def test_the_flow_restarts_from_its_own_state(neuron):
    flow = NeuronFlow(*neuron)
    t = 1 / flow.rate
    again = NeuronFlow(*flow.weights(t), *neuron[2:])
    off = np.linalg.norm(neuron[2]) + np.linalg.norm(flow.slope(0.0))
    np.testing.assert_allclose(again.slope(t), flow.slope(2 * t), rtol=1e-9, atol=1e-11 * off)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(neurons)
def test_the_loss_never_rises(neuron):
    flow = NeuronFlow(*neuron)
    loss = flow.loss(np.concatenate([[0], np.geomspace(1e-3, 1e3, 60)]) / flow.rate)
    assert np.all(np.diff(loss) <= 1e-12 * loss[:-1])


@pytest.mark.parametrize("seed", range(8))
def test_one_dimension_is_the_line(seed):
    a, w, target, eta_a, eta_w = _draw(np.random.default_rng(seed), 1.0, dimensions=1)
    a = 1.5 * a  # what is balanced and opposed to the last digit is stuck, or not, by rounding
    network = Network(1, eta_u=eta_a, eta_w=eta_w)
    task = Task(1.0, target[0], target[0] ** 2)
    line, flow = (
        GradientFlow(network, task, Gram.from_weights([a], w)),
        NeuronFlow(a, w, target, eta_a, eta_w),
    )
    t = np.array([0.0, 0.1, 1.0, 5.0, 40.0]) / flow.rate
    np.testing.assert_allclose(flow.slope(t)[..., 0], line.slope(t), rtol=1e-9, atol=1e-13)
    np.testing.assert_allclose(flow.residual(t)[..., 0], line.residual(t), rtol=1e-9, atol=1e-100)
    np.testing.assert_allclose(flow.kernel_size(t), line.kernel(t), rtol=1e-10)
    np.testing.assert_array_equal(flow.kernel_rotation(t), 0)
    assert flow.rate == pytest.approx(float(line.rate), rel=1e-12)


@pytest.mark.parametrize("dimensions", [2, 100])
def test_a_target_across_everything_that_is_there(dimensions):
    """With w across β and a = 0 nothing can be learned: the gradient is zero."""
    w, target = np.eye(dimensions)[:2]
    flow = NeuronFlow(0.0, w, target)
    np.testing.assert_array_equal(flow.slope(TIMES), 0)
    np.testing.assert_allclose(flow.weights(TIMES)[1], np.broadcast_to(w, (9, dimensions)), 1e-15)
    np.testing.assert_allclose(flow.loss(TIMES), 0.5, rtol=1e-15)


def test_opposed_to_the_target():
    """On a line a balanced neuron is stuck; the least push across it turns it round."""
    stuck = NeuronFlow(1.0, [-1.0, 0.0], [2.0, 0.0])
    np.testing.assert_array_equal(stuck.slope(np.inf), 0)
    assert stuck.loss(np.inf) == pytest.approx(2, rel=1e-14)
    for push in (1e-3, 1e-6):
        flow = NeuronFlow(np.sqrt(1 + push**2), [-1.0, push], [2.0, 0.0])
        np.testing.assert_allclose(flow.slope(np.inf), [2.0, 0.0], atol=1e-15)
        assert flow.alignment(0.0) == pytest.approx(-1)
        assert flow.alignment(np.inf) == 1


def test_into_the_saddle():
    """Where both layers pull back just as hard as they push, w ends across the target and a at 0.

    The numbers are such that the sum is exactly 0: δ = −3/2, ρ = 5/4, a_∞ = 1/√2, w_∞ = √2.
    """
    flow = NeuronFlow(1.0, [-0.5, 1.5], [1.0, 0.0])
    assert (flow.imbalance, flow.rate, flow.turning_rate) == (-1.5, 2.5, 0.5)
    a, w = flow.weights([0.5, 5.0, 40.0, np.inf])
    np.testing.assert_allclose(w[:, 0], -a / 2, rtol=1e-14)
    assert np.all(np.diff(a) < 0)
    np.testing.assert_array_equal(a[-1], 0)
    np.testing.assert_allclose(w[-1], [0, np.sqrt(1.5)], rtol=1e-15, atol=1e-300)
    assert flow.loss(np.inf) == 0.5
    np.testing.assert_allclose(NeuronFlow(1 + 1e-9, [-0.5, 1.5], [1, 0]).slope(np.inf), [1, 0])


@pytest.mark.parametrize("a", [0.0, 1e-100, 1.0, -1.0, 1e8])
@pytest.mark.parametrize("w", [[0.0, 0.0], [1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [-1e8, 1e-8]])
@pytest.mark.parametrize("target", [[0.0, 0.0], [1.0, 0.0], [-1e-8, 0.0], [1e8, 1.0]])
@pytest.mark.parametrize("rates", [(1.0, 1.0), (0.0, 1.0), (1.0, 0.0), (0.0, 0.0), (1e-8, 1e8)])
def test_degenerate_states_give_numbers_without_warnings(a, w, target, rates):
    flow = NeuronFlow(a, w, target, *rates)
    now = flow.at(TIMES)
    for name in (*NUMBERS, *VECTORS, "kernel"):
        assert np.isfinite(getattr(now, name)).all(), name
    assert np.all(np.abs(now.alignment) <= 1)
    assert np.all((now.kernel_rotation >= 0) & (now.kernel_rotation <= 1))
    assert np.all(np.diff(now.loss) <= 1e-12 * now.loss[:-1])
    np.testing.assert_allclose(now.weights[0][0], a, rtol=1e-14)
    np.testing.assert_allclose(now.weights[1][0], w, rtol=1e-14, atol=1e-15 * np.max(np.abs(w)))
    off = np.max(np.abs(now.slope), axis=-1, keepdims=True) + np.max(np.abs(target))
    np.testing.assert_allclose(
        (now.slope - now.residual) / np.maximum(off, 1e-300),
        target / np.maximum(off, 1e-300),
        atol=1e-12,
    )


def test_no_target_is_forgotten():
    """Balanced, like 1/t; unbalanced, the smaller layer alone."""
    slow = NeuronFlow(1.0, [0.6, 0.8], [0.0, 0.0])
    a, w = slow.weights([3.0, np.inf])
    np.testing.assert_allclose(a, [1 / np.sqrt(7), 0], rtol=1e-15)
    np.testing.assert_allclose(w, [[0.6 / np.sqrt(7), 0.8 / np.sqrt(7)], [0, 0]], rtol=1e-15)
    inner = NeuronFlow(1.0, [0.0, 2.0], [0.0, 0.0])
    np.testing.assert_allclose(inner.weights(np.inf)[1], [0, np.sqrt(3)], rtol=1e-15)
    assert inner.weights(np.inf)[0] == 0


def test_frozen_layers():
    t = np.array([0.0, 0.3, 2.0, np.inf])
    w, target = np.array([1.0, 2.0]), np.array([3.0, -0.5])
    only_w = NeuronFlow(0.5, w, target, 0.0, 2.0)
    left = np.exp(-2 * 0.25 * t)[:, None]
    np.testing.assert_allclose(only_w.slope(t), target + left * (0.5 * w - target), atol=1e-14)
    np.testing.assert_allclose(only_w.weights(t)[0], 0.5, rtol=1e-15)
    only_a = NeuronFlow(0.5, w, target, 3.0, 0.0)
    best = w @ target / (w @ w)
    np.testing.assert_allclose(
        only_a.weights(t)[0], best + (0.5 - best) * np.exp(-15 * t), rtol=1e-13
    )
    np.testing.assert_allclose(only_a.weights(t)[1], np.broadcast_to(w, (4, 2)), rtol=1e-15)
    still = NeuronFlow(0.5, w, target, 0.0, 0.0)
    np.testing.assert_allclose(still.slope(t), np.broadcast_to(0.5 * w, (4, 2)), rtol=1e-14)


def test_shapes():
    flow = NeuronFlow(np.ones((3, 1)), np.ones((4, 5)), np.ones(5), eta_a=[1.0, 2.0, 3.0, 4.0])
    assert flow.shape == (3, 4)
    assert flow.dimensions == 5
    for t in (1.0, [1.0], np.ones((2, 6)), np.ones(0)):
        shape, now = (3, 4, *np.shape(t)), flow.at(t)
        for name in NUMBERS:
            assert np.shape(getattr(now, name)) == shape, name
        for name in VECTORS:
            assert np.shape(getattr(now, name)) == (*shape, 5), name
        assert np.shape(now.kernel) == (*shape, 5, 5)
        assert [np.shape(x) for x in now.weights] == [shape, (*shape, 5)]
    for name in ("imbalance", "rate", "turning_rate"):
        assert np.shape(getattr(flow, name)) == (3, 4), name


def test_arrays_equal_a_loop():
    random = np.random.default_rng(0)
    a, w, target = random.normal(size=4), random.normal(size=(4, 3)), random.normal(size=(4, 3))
    a[0], w[1] = 0.0, 0.0
    t = np.array([0.0, 0.5, np.inf])
    together = NeuronFlow(a, w, target, 2.0).at(t)
    for i in range(4):
        for k in range(3):
            alone = NeuronFlow(a[i], w[i], target[i], 2.0).at(t[k])
            for name in (*NUMBERS, *VECTORS, "kernel"):
                got, wanted = getattr(together, name)[i, k], getattr(alone, name)
                np.testing.assert_allclose(got, wanted, rtol=1e-13, atol=1e-15, err_msg=name)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((np.nan, [1.0], [1.0]), ValueError, "a must be finite, got nan"),
        ((1.0, 1.0, [1.0]), ValueError, r"w must have shape \(..., D\), got \(\)"),
        ((1.0, [1.0], np.ones((2, 0))), ValueError, r"target must have shape .*got \(2, 0\)"),
        ((1.0, [1.0, 2.0], [1.0]), ValueError, "target must have as many columns as w, got 1 wh"),
        ((1.0, [1.0], [1.0], -1.0), ValueError, "eta_a must be finite and at least 0, got -1.0"),
        ((1.0, [1.0], [1.0], 1.0, "x"), TypeError, "eta_w must be a real number"),
        (([1.0, 2.0], np.ones((3, 1)), [1.0]), ValueError, r"the shapes of a \(2,\), w \(3,\)"),
    ],
)
def test_bad_input(arguments, error, message):
    with pytest.raises(error, match=message):
        NeuronFlow(*arguments)


def test_bad_times():
    with pytest.raises(ValueError, match="t must be a time of at least 0"):
        NeuronFlow(1.0, [1.0], [1.0]).slope(-1.0)


def test_equal_by_value():
    one, other = (NeuronFlow(1.0, [1.0, 2.0], [0.0, x]) for x in (1.0, 2.0))
    assert one == NeuronFlow(1.0, [1.0, 2.0], [0.0, 1.0])
    assert one != other
