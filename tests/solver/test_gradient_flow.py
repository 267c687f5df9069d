"""Gradient flow: limits, degenerate states, shapes, weights, and what it refuses.

Random accuracy is the business of test_accuracy, symmetries that of test_properties.
"""

from __future__ import annotations

import numpy as np
import pytest
from oracle import METHODS

from flbook import GradientFlow, Gram, Network, Task
from flbook.simulation import gradient_flow as simulate

TIMES = np.array([0.0, 1e-9, 0.1, 1.0, 10.0, 1e3, 1e9, 1e300, np.inf])


def _flow(uu, uw, ww, c=1.0, m=1.0, **network):
    return GradientFlow(Network(2, **network), Task(m, c, c * c / m + 1), Gram(uu, uw, ww))


def _everything(flow, t=TIMES):
    gram = flow.gram(t)
    answers = {name: getattr(flow, name)(t) for name in METHODS}
    return answers | {"uu": gram.uu, "uw": gram.uw, "ww": gram.ww}


@pytest.mark.parametrize("seed", range(6))
def test_against_the_integrated_weights(seed):
    random = np.random.default_rng(seed)
    gamma, eta_u, eta_w, m, c = np.exp(random.normal(size=5) / 2)
    width = int(random.integers(1, 6))
    network = Network(width, gamma=gamma, eta_u=eta_u, eta_w=eta_w)
    task = Task(m, c * random.choice([-1, 1]), c * c / m + 0.5)
    u0, w0 = random.normal(size=(2, width))
    t = np.linspace(0, 3 / (m * eta_u), 7)
    run = simulate(network, task, u0, w0, t)
    flow = GradientFlow(network, task, Gram.from_weights(u0, w0))
    near = {"rtol": 1e-8, "atol": 1e-9}
    u, w = flow.weights(t, u0, w0)
    np.testing.assert_allclose(u, run.u, **near)
    np.testing.assert_allclose(w, run.w, **near)
    np.testing.assert_allclose(flow.slope(t), run.slope, **near)
    np.testing.assert_allclose(flow.residual(t), run.slope - task.target, **near)
    np.testing.assert_allclose(flow.loss(t), run.loss, **near)
    np.testing.assert_allclose(flow.kernel(t), run.kernel, **near)
    np.testing.assert_allclose(flow.alignment(t), run.alignment, **near)
    for name in ("uu", "uw", "ww"):
        np.testing.assert_allclose(getattr(flow.gram(t), name), getattr(run.gram, name), **near)


def test_start():
    flow = _flow(2.0, -0.5, 3.0, c=4.0, m=2.0, gamma=0.5, eta_u=2.0, eta_w=0.25)
    assert flow.slope(0.0) == -0.25
    assert flow.residual(0.0) == -2.25
    assert flow.loss(0.0) == pytest.approx(2.25**2 + 0.5, rel=1e-15, abs=0)
    assert flow.kernel(0.0) == pytest.approx(0.25 * (0.5 + 6.0), rel=1e-15, abs=0)
    assert flow.alignment(0.0) == pytest.approx(-0.5 / np.sqrt(6.0), rel=1e-15, abs=0)
    assert flow.imbalance(0.0) == 0.25 * 2.0 - 2.0 * 3.0
    assert flow.determinant(0.0) == 5.75
    gram = flow.gram(0.0)
    assert (gram.uu, gram.uw, gram.ww) == pytest.approx((2.0, -0.5, 3.0), rel=1e-15, abs=0)


def test_end():
    flow = _flow(2.0, -0.5, 3.0, c=4.0, m=2.0, gamma=0.5, eta_u=2.0, eta_w=0.25)
    assert flow.slope(np.inf) == 2.0
    assert flow.residual(np.inf) == 0.0
    assert flow.loss(np.inf) == 0.5
    assert flow.kernel(np.inf) * 2.0 == pytest.approx(flow.rate, rel=1e-15, abs=0)
    assert flow.gram(np.inf).uw == 4.0


def test_exact_drift_of_the_kernel():
    flow = _flow(2.0, -0.5, 3.0, c=4.0, m=2.0, gamma=0.5, eta_u=2.0, eta_w=0.25)
    floor, signal = flow.kernel_floor, 2 * 0.5 * np.sqrt(0.5)
    expected = np.hypot(signal * 2.0, floor) / np.hypot(signal * 0.25, floor)
    assert flow.kernel(np.inf) / flow.kernel(0.0) == pytest.approx(expected, rel=1e-14, abs=0)


def test_kernel_returns_when_the_target_is_minus_the_start():
    flow = _flow(2.0, -0.5, 3.0, c=0.5)
    assert flow.kernel(np.inf) == pytest.approx(flow.kernel(0.0), rel=1e-15, abs=0)
    assert flow.kernel(0.2) < 0.999 * flow.kernel(0.0)
    assert flow.alignment(np.inf) == pytest.approx(-flow.alignment(0.0), rel=1e-15, abs=0)


def test_residual_keeps_its_digits_until_it_leaves_the_doubles():
    flow = _flow(1.0, 0.0, 1.0, c=2.0)
    t = np.linspace(20.0, 155.0, 28)
    residual = flow.residual(t)
    assert np.abs(residual).min() < 1e-299
    rates = -np.diff(np.log(-residual)) / np.diff(t)
    np.testing.assert_allclose(rates, flow.rate, rtol=1e-12)


def test_logistic_curve_of_the_rich_limit():
    # Balanced and parallel layers: K_min = 0 exactly.
    v0, target, m, gamma, eta = 1e-6, 2.0, 1.5, 0.5, 4.0
    flow = _flow(v0 / gamma, v0 / gamma, v0 / gamma, c=m * target, m=m, gamma=0.5, eta_u=4, eta_w=4)
    t = np.linspace(0, 5, 50)
    expected = target / (1 + (target / v0 - 1) * np.exp(-2 * m * gamma * eta * target * t))
    np.testing.assert_allclose(flow.slope(t), expected, rtol=1e-12)
    assert flow.kernel_floor == 0


def test_plateau_from_tiny_weights():
    floor, target = 1e-12, 1.0
    flow = _flow(floor, 0.0, floor, c=target, gamma=0.5)
    plateau = np.log(4 * 0.5 * target / flow.kernel_floor) / (2 * 0.5 * target)
    assert flow.slope(0.8 * plateau) < 0.01
    assert flow.slope(1.2 * plateau) > 0.99


@pytest.mark.parametrize("c", [2.0, -2.0])
def test_stuck_on_the_wrong_side_of_the_saddle(c):
    wrong = -np.sign(c)
    flow = _flow(1.0, wrong, 1.0, c=c)
    t = np.linspace(0, 100, 30)
    # With one empty mode ds/dt = −m|s|(s − s*) is a logistic curve that ends at the saddle.
    v0, target, decay = wrong, c, np.exp(-2 * np.abs(c) * t)
    expected = v0 * decay * target / (target - v0 * (1 - decay))
    np.testing.assert_allclose(flow.slope(t), expected, rtol=1e-12)
    np.testing.assert_array_equal(flow.alignment(TIMES), wrong)
    np.testing.assert_array_equal(flow.kernel_alignment(TIMES), wrong)
    assert flow.slope(np.inf) == flow.kernel(np.inf) == 0
    assert flow.residual(np.inf) == -c
    assert flow.gram(np.inf) == Gram(0.0, 0.0, 0.0)
    assert flow.slope(170.0) == pytest.approx(wrong * 2 * np.exp(-680.0) / 3, rel=1e-12, abs=0)


def test_next_to_the_saddle_is_not_stuck():
    flow = _flow(1.0, -1.0 + 1e-15, 1.0, c=2.0)
    assert flow.slope(np.inf) == 2.0
    # It stays at the saddle for about ln(1/K_min) and then escapes.
    assert abs(flow.slope(5.0)) < 1e-3
    assert flow.slope(40.0) == pytest.approx(2.0, rel=1e-12, abs=0)


@pytest.mark.parametrize("c", [0.0, 3.0])
def test_zero_weights_do_not_move(c):
    flow = _flow(0.0, 0.0, 0.0, c=c)
    answers = _everything(flow)
    for name in ("slope", "kernel", "alignment", "kernel_alignment", "uu", "uw", "ww"):
        np.testing.assert_array_equal(answers[name], 0)
    np.testing.assert_array_equal(answers["residual"], -c)
    np.testing.assert_array_equal(answers["loss"], flow.loss(0.0))
    u, w = flow.weights(TIMES, [0.0, 0.0], [0.0, 0.0])
    assert not u.any()
    assert not w.any()


def test_one_zero_layer_learns_at_once():
    flow = _flow(0.0, 0.0, 4.0, c=1.0)
    assert flow.kernel_floor == 4.0
    assert flow.alignment(0.0) == 0
    # D = 0, so the layers are parallel from the first moment on.
    np.testing.assert_array_equal(flow.alignment(TIMES[1:]), 1.0)
    assert flow.slope(np.inf) == 1.0
    assert flow.slope(1e-9) == pytest.approx(4e-9, rel=1e-6, abs=0)


@pytest.mark.parametrize("uw", [1.0, -1.0])
def test_target_zero_without_a_floor_is_forgotten_slowly(uw):
    flow = _flow(1.0, uw, 1.0, c=0.0, m=3.0)
    t = np.array([0.0, 1.0, 1e3, 1e12])
    np.testing.assert_allclose(flow.slope(t), uw / (1 + 6.0 * t), rtol=1e-14)
    np.testing.assert_allclose(flow.residual(t), uw / (1 + 6.0 * t), rtol=1e-14)
    assert flow.slope(np.inf) == flow.residual(np.inf) == flow.kernel(np.inf) == 0
    np.testing.assert_array_equal(flow.alignment(TIMES), uw)
    assert flow.rate == 0


def test_target_zero_with_a_floor():
    flow = _flow(1.0, 0.5, 1.0, c=0.0)
    np.testing.assert_array_equal(flow.slope(TIMES), flow.residual(TIMES))
    assert flow.slope(np.inf) == 0
    assert flow.kernel(np.inf) == flow.kernel_floor == flow.rate


def test_start_at_the_target():
    flow = _flow(1.0, 0.5, 1.0, c=0.5)
    np.testing.assert_array_equal(flow.slope(TIMES), 0.5)
    np.testing.assert_array_equal(flow.residual(TIMES), 0.0)
    np.testing.assert_allclose(flow.kernel(TIMES), 2.0, rtol=1e-15)


def test_frozen_layers():
    t = np.array([0.0, 0.3, 2.0, np.inf])
    only_w = _flow(2.0, 0.5, 3.0, c=4.0, eta_u=0.0, eta_w=0.5)
    np.testing.assert_allclose(only_w.slope(t), 4.0 - 3.5 * np.exp(-t), rtol=1e-14)
    np.testing.assert_allclose(only_w.kernel(t), 1.0, rtol=1e-15)
    np.testing.assert_allclose(only_w.gram(t).uu, 2.0, rtol=1e-15)
    none = _flow(2.0, 0.5, 3.0, c=4.0, eta_u=0.0, eta_w=0.0)
    np.testing.assert_array_equal(none.slope(t), 0.5)
    np.testing.assert_array_equal(none.gram(t).ww, 3.0)
    # A frozen layer of zeros keeps the other one where it is.
    assert _flow(0.0, 0.0, 3.0, c=4.0, eta_u=0.0).gram(np.inf) == Gram(0.0, 0.0, 3.0)
    assert _flow(2.0, 0.0, 0.0, c=4.0, eta_w=0.0).gram(np.inf) == Gram(2.0, 0.0, 0.0)
    u0, w0 = np.array([1.0, 1.0]), np.array([0.25 + 1.4, 0.25 - 1.4])
    flow = GradientFlow(only_w.network, only_w.task, Gram.from_weights(u0, w0))
    u, w = flow.weights(t, u0, w0)
    np.testing.assert_array_equal(u, np.broadcast_to(u0, (4, 2)))
    np.testing.assert_allclose(w @ u0, flow.slope(t), rtol=1e-14)


def test_a_slow_layer_is_the_limit_of_a_frozen_one():
    frozen = _everything(_flow(2.0, 0.5, 3.0, c=4.0, eta_u=0.0), TIMES[2:6])
    slow = _everything(_flow(2.0, 0.5, 3.0, c=4.0, eta_u=1e-20), TIMES[2:6])
    for name, answer in frozen.items():
        np.testing.assert_allclose(slow[name], answer, rtol=1e-9, atol=1e-9, err_msg=name)


DEGENERATE = {
    "parallel, right side": (1.0, 1.0, 1.0),
    "parallel, wrong side": (1.0, -1.0, 1.0),
    "parallel, unbalanced": (4.0, -2.0, 1.0),
    "orthogonal": (1.0, 0.0, 1.0),
    "no u": (0.0, 0.0, 1.0),
    "no w": (1.0, 0.0, 0.0),
    "nothing": (0.0, 0.0, 0.0),
    "tiny": (1e-16, 1e-16, 1e-16),
    "huge": (1e16, -1e16, 1e16),
    "hardly anything": (1e-100, 0.0, 1e-100),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("start", DEGENERATE.values(), ids=DEGENERATE.keys())
@pytest.mark.parametrize("c", [0.0, 1e-8, 1.0, -1.0, 1e8])
@pytest.mark.parametrize("eta_u", [0.0, 1e-8, 1.0, 1e8])
@pytest.mark.parametrize("eta_w", [0.0, 1.0])
def test_degenerate_states_give_numbers_without_warnings(start, c, eta_u, eta_w):
    flow = _flow(*start, c=c, eta_u=eta_u, eta_w=eta_w)
    answers = _everything(flow)
    for name, answer in answers.items():
        assert np.isfinite(answer).all(), name
    assert np.all(np.abs(answers["alignment"]) <= 1)
    assert np.all(np.abs(answers["kernel_alignment"]) <= 1)
    assert np.all(np.diff(answers["loss"]) <= 1e-15 * answers["loss"][:-1])
    assert np.isfinite(flow.rate)
    np.testing.assert_allclose(
        answers["slope"] - answers["residual"], c, rtol=1e-13, atol=1e-15 * np.abs(start[1])
    )


@pytest.mark.parametrize("exponent", [-8, 8])
def test_extreme_corners_are_finite(exponent):
    random = np.random.default_rng(0)
    sizes = 10.0 ** (exponent * random.choice([-1, 1], (7, 500)))
    gamma, eta_u, eta_w, m, c, uu, ww = sizes
    network = Network(np.full(500, 3), gamma=gamma, eta_u=eta_u, eta_w=eta_w)
    uw = random.choice([-1.0, 0.0, 0.5, 1.0], 500) * np.sqrt(uu * ww)
    flow = GradientFlow(network, Task(m, c, c * c / m * 1.5), Gram(uu, uw, ww))
    for name, answer in _everything(flow).items():
        assert np.isfinite(answer).all(), name


def test_shapes():
    network = Network([[10], [20]], eta_u=1.0)
    task = Task(1.0, [1.0, 2.0, 3.0], 9.0)
    gram = Gram(np.ones((4, 1, 1)), 0.5, 1.0)
    flow = GradientFlow(network, task, gram)
    assert flow.shape == (4, 2, 3)
    for t in (1.0, [1.0], np.ones((5, 6)), np.ones(0)):
        shape = (4, 2, 3, *np.shape(t))
        for name, answer in _everything(flow, t).items():
            assert np.shape(answer) == shape, name
    assert np.shape(flow.rate) == np.shape(flow.kernel_floor) == (4, 2, 3)
    single = _flow(1.0, 0.5, 1.0)
    assert np.shape(single.slope(1.0)) == ()
    assert isinstance(single.gram(1.0).uu, float)


def test_arrays_equal_a_loop():
    random = np.random.default_rng(0)
    gamma, eta_u, uu, ww = np.exp(random.normal(size=(4, 5)))
    uw, c = random.uniform(-1, 1, 5) * np.sqrt(uu * ww), random.normal(size=5)
    t = np.array([[0.0, 0.5], [3.0, np.inf]])
    flow = GradientFlow(Network(2, gamma=gamma, eta_u=eta_u), Task(2.0, c, 9.0), Gram(uu, uw, ww))
    together = _everything(flow, t)
    for i in range(5):
        network = Network(2, gamma=gamma[i], eta_u=eta_u[i])
        alone = GradientFlow(network, Task(2.0, c[i], 9.0), Gram(uu[i], uw[i], ww[i]))
        for name, answer in together.items():
            for k in np.ndindex(2, 2):
                expected = _everything(alone, float(t[k]))[name]
                np.testing.assert_allclose(answer[(i, *k)], expected, rtol=1e-14, err_msg=name)


def test_answers_are_fresh_and_writable():
    flow = _flow(1.0, 0.5, 1.0)
    first = flow.determinant(TIMES)
    first[:] = 7.0
    np.testing.assert_array_equal(flow.determinant(TIMES), 0.75)


def test_flow_restarts_from_its_own_state():
    flow = _flow(2.0, -0.5, 3.0, c=4.0, gamma=0.5, eta_u=2.0)
    again = GradientFlow(flow.network, flow.task, flow.gram(0.3))
    np.testing.assert_allclose(again.slope([0.1, 1.0]), flow.slope([0.4, 1.3]), rtol=1e-13)
    np.testing.assert_allclose(again.residual([0.1, 9.0]), flow.residual([0.4, 9.3]), rtol=1e-12)


def test_weights_have_the_gram_matrix_of_the_flow():
    random = np.random.default_rng(0)
    u0, w0 = random.normal(size=(2, 4, 30))
    network = Network(30, gamma=0.2, eta_u=[0.5, 1.0, 2.0, 3.0])
    flow = GradientFlow(network, Task(1.0, 1.0, 2.0), Gram.from_weights(u0, w0))
    t = np.array([[0.0, 0.1, 1.0], [5.0, 50.0, np.inf]])
    u, w = flow.weights(t, u0, w0)
    assert u.shape == w.shape == (4, 2, 3, 30)
    np.testing.assert_allclose(u[:, 0, 0], u0, rtol=1e-15, atol=1e-15)
    gram, expected = Gram.from_weights(u, w), flow.gram(t)
    for name in ("uu", "uw", "ww"):
        np.testing.assert_allclose(getattr(gram, name), getattr(expected, name), rtol=1e-12)
    # Neuron by neuron, η_w u² − η_u w² never moves.
    frozen = u**2 - network.eta_u[:, None, None, None] * w**2
    np.testing.assert_allclose(frozen, np.broadcast_to(frozen[:, :1, :1], u.shape), atol=1e-12)


def test_weights_at_the_saddle_end_at_zero():
    u0, w0 = np.array([1.0, 2.0]), np.array([-1.0, -2.0])
    flow = GradientFlow(Network(2), Task(1.0, 1.0, 1.0), Gram.from_weights(u0, w0))
    u, w = flow.weights([0.0, 1.0, 400.0, np.inf], u0, w0)
    np.testing.assert_array_equal(u, -w)
    assert not u[-1].any()
    np.testing.assert_allclose(u[2] @ w[2], flow.slope(400.0), rtol=1e-12)


@pytest.mark.parametrize(
    ("t", "message"),
    [
        (-1.0, r"t must be a time of at least 0 \(infinity allowed\), got -1.0"),
        ([0.0, -np.inf], "t must be .* got -inf at index 1"),
        (np.nan, "t must be .* got nan"),
    ],
)
@pytest.mark.parametrize("name", [*METHODS, "gram"])
def test_bad_times(name, t, message):
    with pytest.raises(ValueError, match=message):
        getattr(_flow(1.0, 0.5, 1.0), name)(t)


@pytest.mark.parametrize("t", ["soon", None, 1j])
def test_times_that_are_no_numbers(t):
    with pytest.raises(TypeError, match="t must be a real number or an array of them"):
        _flow(1.0, 0.5, 1.0).slope(t)


def test_bad_parts():
    network, task, gram = Network(2), Task(1.0, 1.0, 1.0), Gram(1.0, 0.0, 1.0)
    with pytest.raises(TypeError, match=r"network must be a Network, got Task\("):
        GradientFlow(task, network, gram)
    with pytest.raises(TypeError, match=r"task must be a Task, got 1\.0"):
        GradientFlow(network, 1.0, gram)
    with pytest.raises(TypeError, match="gram must be a Gram, got None"):
        GradientFlow(network, task, None)
    with pytest.raises(ValueError, match=r"network \(2,\), task \(\) and gram \(3,\)"):
        GradientFlow(Network([2, 3]), task, Gram(np.ones(3), 0.0, 1.0))


def test_bad_weights():
    flow = _flow(1.0, 0.0, 1.0)
    u0, w0 = [1.0, 0.0], [0.0, 1.0]
    with pytest.raises(ValueError, match="w0 must have width 2 like u0, got 3"):
        flow.weights(1.0, u0, [0.0, 1.0, 0.0])
    with pytest.raises(ValueError, match=r"u0 must have shape \(..., width\), got \(\)"):
        flow.weights(1.0, 1.0, w0)
    with pytest.raises(ValueError, match=r"u0 must broadcast to \(\) \+ \(width,\), got \(3, 2\)"):
        flow.weights(1.0, np.ones((3, 2)), w0)
    with pytest.raises(
        ValueError, match="u0 and w0 must have the Gram matrix of the start, got uw"
    ):
        flow.weights(1.0, u0, [0.6, 0.8])
    with pytest.raises(ValueError, match="w0 must be finite"):
        flow.weights(1.0, u0, [0.0, np.nan])
    with pytest.raises(ValueError, match="t must be a time"):
        flow.weights(-1.0, u0, w0)


def test_frozen_and_comparable():
    flow = _flow(1.0, 0.5, 1.0)
    assert flow == _flow(1.0, 0.5, 1.0)
    assert flow != _flow(1.0, 0.4, 1.0)
    with pytest.raises(AttributeError):
        flow.network = Network(3)
    assert repr(flow).startswith("GradientFlow(network=Network(width=2")
