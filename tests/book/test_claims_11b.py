"""Chapter 11b: what its sentences say of kernels that turn, tried at corners."""

import numpy as np
import pytest
from balanced_layers import columns, train

import flbook as fl
from flbook import simulation

SEEDS = range(12)


def draw(seed, imbalance=None, dimensions=None, decades=0.5):
    """Draw a neuron with unequal rates; with a given Δ in units of 2η|v*|, if any."""
    random = np.random.default_rng(seed)
    size = dimensions or int(random.integers(2, 20))
    eta_u, eta_w = 10.0 ** random.uniform(-decades, decades, 2)
    w, target = random.normal(size=(2, size))
    target *= 10.0 ** random.uniform(-decades, decades) / np.linalg.norm(target)
    u = random.normal()
    if imbalance is not None:
        pull = np.sqrt(eta_u * eta_w) * np.linalg.norm(target)
        small = 0.3 * pull * random.random() if imbalance else pull * random.uniform(1e-3, 3)
        gap = 2 * pull * imbalance
        u = np.sqrt((small + max(gap, 0.0)) / eta_w) * random.choice([-1, 1])
        w *= np.sqrt((small + max(-gap, 0.0)) / eta_u) / np.linalg.norm(w)
    return u, w, target, eta_u, eta_w


def trained(u, w, target, eta_u, eta_w, t, inputs=None):
    """Train the weights one by one, on white inputs if none are given."""
    x = np.sqrt(w.size) * np.eye(w.size) if inputs is None else inputs
    network = fl.Network(1, eta_u=eta_u, eta_w=eta_w)
    run = simulation.gradient_flow(network, (x, x @ target), [u], w[None], t)
    return run.u[:, 0], run.w[:, 0]


def kernels(u, w, eta_u, eta_w):
    even = eta_w * u[:, None, None] ** 2 * np.eye(w.shape[1])
    return even + eta_u * w[:, :, None] * w[:, None, :]


def turned(kernel):
    """Return 1 − cos of kernels with the first of them."""
    norms = np.linalg.norm(kernel, axis=(1, 2))
    return 1 - np.sum(kernel * kernel[0], axis=(1, 2)) / norms / norms[0]


def sine_squared(w):
    inside = (w @ w[0]) ** 2 / np.sum(w**2, axis=1) / (w[0] @ w[0])
    return 1 - inside


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("white", [True, False])
def test_size_and_shares_white_inputs_or_not(seed, white):
    u, w, target, eta_u, eta_w = draw(seed)
    random = np.random.default_rng(seed)
    inputs = None if white else random.normal(size=(30, w.size)) * random.uniform(0.2, 2, w.size)
    t = np.linspace(0, 2 / (eta_u + eta_w), 5)
    us, ws = trained(u, w, target, eta_u, eta_w, t, inputs)
    delta = eta_w * u**2 - eta_u * w @ w
    slope = np.abs(us) * np.linalg.norm(ws, axis=1)
    size = np.hypot(2 * np.sqrt(eta_u * eta_w) * slope, delta)
    values = np.linalg.eigvalsh(kernels(us, ws, eta_u, eta_w))
    np.testing.assert_allclose(values[:, -1], size, rtol=1e-8)
    np.testing.assert_allclose(values[:, :-1].T, [(size + delta) / 2] * (w.size - 1), atol=1e-8)
    inner = eta_u * np.sum(ws**2, axis=1)
    np.testing.assert_allclose(inner, (size - delta) / 2, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("white", [True, False])
def test_a_balanced_kernel_turns_by_its_exact_share(seed, white):
    u, w, target, eta_u, eta_w = draw(seed, imbalance=0.0)
    inputs = None if white else np.random.default_rng(seed).normal(size=(25, w.size))
    t = np.linspace(0, 3 / np.sqrt(eta_u * eta_w) / np.linalg.norm(target), 6)
    us, ws = trained(u, w, target, eta_u, eta_w, t, inputs)
    share = sine_squared(ws) / (w.size + 3)
    np.testing.assert_allclose(turned(kernels(us, ws, eta_u, eta_w)), share, atol=1e-9)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("imbalance", [-1000.0, -100.0, -30.0, 30.0, 100.0, 1000.0])
def test_far_out_of_balance_the_size_stays_and_the_sign_tells_of_the_direction(seed, imbalance):
    neuron = draw(seed, imbalance)
    flow = fl.NeuronFlow(*neuron)
    t = np.append(np.geomspace(1e-4, 1e4, 300) / flow.turning_rate, np.inf)
    now = flow.at(np.append(0.0, t))
    eta, delta = np.sqrt(neuron[3] * neuron[4]), abs(float(flow.imbalance))
    far = np.max(2 * eta * np.linalg.norm(now.slope, axis=-1)) / delta
    assert far < 0.2
    size = now.kernel_size / now.kernel_size[0]
    assert np.max(np.abs(size - 1)) <= far**2
    if imbalance > 0:
        assert np.max(now.kernel_rotation) <= far**4
    else:
        gap = now.kernel_rotation - sine_squared(now.weights[1])
        assert np.max(np.abs(gap)) <= far**2


@pytest.mark.parametrize("seed", SEEDS)
def test_in_the_end_a_large_input_layer_has_turned_and_a_large_output_layer_has_not(seed):
    _, w, target, *_ = draw(seed, -1000.0)
    down, up = (fl.NeuronFlow(*draw(seed, x)) for x in (-1000.0, 1000.0))
    angle = 1 - (w @ target) ** 2 / (w @ w) / (target @ target)
    assert down.kernel_rotation(np.inf) == pytest.approx(angle, abs=1e-3)
    assert up.kernel_rotation(np.inf) < 1e-8


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("imbalance", [-1000.0, -10.0, -0.3, 0.0, 0.3, 10.0])
def test_the_clock_of_the_turn(seed, imbalance):
    neuron = draw(seed, imbalance)
    flow, target = fl.NeuronFlow(*neuron), neuron[2]
    rate = float(flow.rate + flow.imbalance) / 2
    t = 20 / rate + np.array([0.0, 1.0]) / rate
    w = flow.weights(t)[1]
    along = w @ target / np.linalg.norm(target)
    across = np.linalg.norm(w - along[:, None] * target / np.linalg.norm(target), axis=1)
    tangent = across / np.abs(along)
    assert np.log(tangent[0] / tangent[1]) == pytest.approx(1.0, rel=1e-4)
    assert flow.turning_rate == pytest.approx(rate, rel=1e-6)
    if imbalance <= -10:
        slow = neuron[3] * neuron[4] * target @ target / abs(float(flow.imbalance))
        assert rate == pytest.approx(slow, rel=0.01)


@pytest.mark.parametrize("seed", SEEDS)
def test_first_what_there_is_along_w(seed):
    """With the input layer much the larger one, at the rate |Δ|; the rest waits for the turn."""
    neuron = draw(seed, -1000.0)
    flow, (_, w, target, *_) = fl.NeuronFlow(*neuron), neuron
    along = w * (w @ target) / (w @ w)
    got = flow.slope(12 / abs(float(flow.imbalance)))
    assert np.linalg.norm(got - along) < 1e-3 * np.linalg.norm(target)


@pytest.mark.parametrize("size", [1e-8, 1e-4, 1.0, 1e3])
@pytest.mark.parametrize("seed", SEEDS)
def test_the_clock_of_a_balanced_neuron_knows_nothing_of_its_size(seed, size):
    _, w, target, eta_u, eta_w = draw(seed)
    w = w * size
    if seed % 4 == 0:  # nearly opposed
        w = -target * size + 1e-3 * w
    u = np.sqrt(eta_u / eta_w) * np.linalg.norm(w) * (-1) ** seed
    pull = np.sqrt(eta_u * eta_w) * np.linalg.norm(target)
    t = np.linspace(0, 6, 13) / pull
    slope = fl.NeuronFlow(u, w, target, eta_u, eta_w).slope(t)
    cosine = slope @ target / np.linalg.norm(slope, axis=1) / np.linalg.norm(target)
    wanted = np.tanh(np.arctanh(cosine[0]) + pull * t)
    np.testing.assert_allclose(cosine, wanted, atol=1e-5)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_tiny_balanced_neuron_has_turned_before_its_loss_falls(seed):
    _, w, target, eta_u, eta_w = draw(seed)
    w = (w if seed % 3 else -target + 1e-2 * w) * 1e-6
    u = np.sqrt(eta_u / eta_w) * np.linalg.norm(w)
    flow = fl.NeuronFlow(u, w, target, eta_u, eta_w)
    t = np.linspace(0, 40, 4000) / np.sqrt(eta_u * eta_w) / np.linalg.norm(target)
    now = flow.at(t)
    aligned = np.argmax(now.alignment > 0.99)
    assert now.alignment[aligned] > 0.99
    assert now.loss[aligned] > 0.999 * now.loss[0]
    assert now.loss[-1] < 1e-3 * now.loss[0]


@pytest.mark.parametrize("seed", range(30))
def test_who_turns_all_the_way(seed):
    u, w, target, eta_u, eta_w = draw(seed, (-5.0, 0.0, 5.0)[seed % 3])
    w = w * -np.sign(w @ target)  # more than a right angle away
    u = abs(u)
    flow = fl.NeuronFlow(u, w, target, eta_u, eta_w)
    t = np.append(np.geomspace(1e-3, 1e3, 400) / flow.turning_rate, np.inf)
    now = flow.at(t)
    np.testing.assert_allclose(now.slope[-1], target, rtol=1e-9, atol=1e-12)
    if flow.imbalance >= 0 or seed % 3 == 1:
        assert np.all(now.weights[0] > 0)
        assert now.alignment[-1] == pytest.approx(1)
    else:
        # a small output layer passes zero, and w goes to the near side
        assert now.weights[0][-1] < 0
        assert now.alignment[-1] == pytest.approx(-1)


@pytest.mark.parametrize("seed", SEEDS)
def test_on_a_line_nothing_turns_and_the_sign_does_not_matter(seed):
    u, w, target, eta_u, eta_w = draw(seed, dimensions=1)
    one = fl.NeuronFlow(u, w, target, eta_u, eta_w)
    # the layers change roles
    other = fl.NeuronFlow(w[0], [u], target, eta_w, eta_u)
    assert one.imbalance == pytest.approx(-other.imbalance, rel=1e-12)
    t = np.linspace(0, 5, 20) / one.rate
    np.testing.assert_allclose(one.kernel_size(t), other.kernel_size(t), rtol=1e-9)
    assert not one.kernel_rotation(t).any()


@pytest.mark.parametrize("seed", range(30))
def test_with_a_larger_output_layer_every_start_arrives(seed):
    u, w, target, eta_u, eta_w = draw(seed, 10.0 ** -(seed % 4))
    if seed % 2:
        w = -target * np.linalg.norm(w) / np.linalg.norm(target)  # exactly opposed
    flow = fl.NeuronFlow(u, w, target, eta_u, eta_w)
    np.testing.assert_allclose(flow.slope(np.inf), target, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("seed", range(6))
def test_aligned_layers_are_lines(seed):
    random = np.random.default_rng(seed)
    values, above, below = random.uniform(0.3, 2, (3, 4))
    above = np.sqrt(below**2 + (above[0] if seed % 2 else 0.0))
    left, turn, right = (columns(random, n, 4) for n in (6, 5, 4))
    inner, outer = turn * below @ right.T, left * above @ turn.T
    t = np.linspace(0, 4, 6)
    first, last = train(inner, outer, left * values @ right.T, 0.7, t)
    network = fl.Network(1, eta_u=0.7, eta_w=0.7)
    for k in range(4):
        gram = fl.Gram.from_weights([above[k]], [below[k]])
        line = fl.GradientFlow(network, fl.Task(1.0, values[k], values[k] ** 2), gram)
        strength = np.einsum("o,toi,i->t", left[:, k], last @ first, right[:, k])
        np.testing.assert_allclose(strength, line.slope(t), rtol=1e-7)
        assert line.imbalance(0.0) == pytest.approx(0.7 * (above[k] ** 2 - below[k] ** 2))


@pytest.mark.parametrize("seed", range(6))
def test_small_layers_that_point_anywhere_learn_the_strong_modes_first_and_then_are_lines(seed):
    random = np.random.default_rng(seed)
    values, scale = np.array([3.0, 2.0, 1.0]), 1e-4
    inner, outer = (scale * columns(random, 3, 3) for _ in range(2))
    t = np.linspace(0, 25, 501)
    learned = np.diagonal(fl.BalancedFlow(inner, outer, np.diag(values)).map(t), axis1=1, axis2=2).T
    jumps = np.argmax(learned > values[:, None] / 2, axis=1)
    assert jumps[0] < jumps[1] < jumps[2]
    for curve, value, jump in zip(learned, values, jumps, strict=True):
        step = value / (1 + np.exp(-2 * value * (t - t[jump])))
        assert np.max(np.abs(curve - step)) < 0.1 * value


@pytest.mark.parametrize("seed", SEEDS)
def test_what_stays_where_the_inputs_span_a_part(seed):
    u, w, target, eta_u, eta_w = draw(seed, dimensions=7)
    random = np.random.default_rng(seed)
    u = abs(u) + 0.5
    inputs = random.uniform(0.5, 1.5, (3, 1)) * columns(random, 7, 3).T * np.sqrt(3)
    best = np.linalg.pinv(inputs) @ inputs @ target
    rest = w - np.linalg.pinv(inputs) @ inputs @ w
    delta = eta_w * u**2 - eta_u * w @ w + eta_u * rest @ rest
    end = np.sqrt((delta + np.hypot(delta, 2 * np.sqrt(eta_u * eta_w * best @ best))) / 2 / eta_w)
    t = [0.0, 60 / (eta_w * end**2 * 0.25)]
    us, ws = trained(u, w, target, eta_u, eta_w, t, inputs)
    wanted = best + np.sign(us[-1]) * end * rest
    np.testing.assert_allclose(us[-1] * ws[-1], wanted, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("seed", SEEDS)
def test_what_a_step_does_to_the_imbalance(seed):
    u, w, target, eta_u, eta_w = draw(seed, dimensions=1 + seed % 4, decades=1.0)
    network, x = fl.Network(1, eta_u=eta_u, eta_w=eta_w), np.sqrt(w.size) * np.eye(w.size)
    data = (x, x @ target)
    w0 = w[None]
    run = simulation.gradient_descent(network, data, [u], w0, [0, 1])
    delta = eta_w * run.u[:, 0] ** 2 - eta_u * np.sum(run.w[:, 0] ** 2, axis=1)
    e = u * w - target
    change = eta_u * eta_w * (eta_u * (w @ e) ** 2 - eta_w * u**2 * e @ e)
    size = eta_w * np.max(run.u**2) + eta_u * np.max(np.sum(run.w**2, axis=-1))
    assert delta[1] - delta[0] == pytest.approx(change, rel=1e-8, abs=1e-13 * size)
    if w.size == 1:
        assert change == pytest.approx(-eta_u * eta_w * e @ e * delta[0], rel=1e-9)


def test_near_zero_both_keep_the_size_that_a_far_start_loses():
    target, ray = np.array([1.0, 0.0, 0.0]), np.array([0.3, -1.0, 0.5])
    for small, kept in ((0.1, True), (30.0, False)):
        for u, length in ((np.hypot(small, np.sqrt(10)), small), (small, np.hypot(small, 10**0.5))):
            flow = fl.NeuronFlow(u, length * ray / np.linalg.norm(ray), target)
            assert abs(flow.imbalance) == pytest.approx(10)
            size = flow.kernel_size(np.append(0.0, np.geomspace(1e-4, 1e3, 99)))
            assert (np.ptp(size) < 0.03 * size[0]) == kept


@pytest.mark.parametrize("seed", SEEDS)
def test_with_a_negative_output_weight_it_is_the_other_side_that_w_turns_to(seed):
    u, w, target, eta_u, eta_w = draw(seed, 1.0)
    w = w * -np.sign(w @ target)  # more than a right angle away
    flow = fl.NeuronFlow(-abs(u), w, target, eta_u, eta_w)
    assert flow.alignment(np.inf) == pytest.approx(-1)
    assert flow.weights(np.inf)[0] < 0


def test_it_is_the_sign_of_the_imbalance_and_not_the_larger_layer_that_tells():
    unequal = fl.NeuronFlow(10.0, [3.0, 3.0], [0.1, 0.0], 1.0, 1e-3)  # |u| > |w|, yet Δ < 0
    assert unequal.imbalance < -1
    assert unequal.kernel_rotation(np.inf) > 0.4
    # and with Δ < 0 a kernel turns only if w does
    along = fl.NeuronFlow(0.1, [np.sqrt(10.01), 0.0], [1.0, 0.0])
    assert along.imbalance < -9
    assert along.kernel_rotation(np.inf) < 1e-4


def test_balanced_starts_that_never_arrive():
    target = np.array([2.0, 0.0])
    for u, w in ((0.0, [0.0, 0.0]), (1.0, [-1.0, 0.0]), (-1.0, [1.0, 0.0])):
        assert not fl.NeuronFlow(u, w, target).slope(np.inf).any()
    near = fl.NeuronFlow(1.0, [-np.cos(1e-6), np.sin(1e-6)], target)
    np.testing.assert_allclose(near.slope(np.inf), target, atol=1e-9)


def test_which_modes_come_first_depends_on_equal_starts():
    strengths, t = np.diag([2.0, 1.0]), np.linspace(0, 20, 401)

    def learned(first, second):
        """Return both strengths, from layers of these sizes; a negative one is opposed."""
        inner, outer = np.diag([first, second]), np.diag([abs(first), abs(second)])
        maps = fl.BalancedFlow(inner, outer, strengths).map(t)
        return np.diagonal(maps, axis1=1, axis2=2).T / [[2.0], [1.0]] > 0.5

    strong, weak = learned(1e-3, 1e-3)
    assert np.argmax(strong) < np.argmax(weak)
    strong, weak = learned(1e-12, 1e-3)
    assert np.argmax(strong) > np.argmax(weak) > 0
    strong, weak = learned(-1e-3, 1e-3)
    assert weak[-1]
    assert not strong.any()


@pytest.mark.parametrize("seed", range(6))
def test_half_of_all_orientations_of_three_neurons_lose_the_weakest_mode(seed):
    random = np.random.default_rng(seed)
    inner, outer = columns(random, 3, 3), columns(random, 3, 3)
    values = np.array([3.0, 2.0, 1.0])
    for sign in (1, -1):
        flow = fl.BalancedFlow(sign * 1e-3 * inner, 1e-3 * outer, np.diag(values))
        end = np.diag(flow.map(15.0))
        kept = values if sign * np.linalg.det(inner @ outer) > 0 else values * [1, 1, 0]
        np.testing.assert_allclose(end, kept, atol=1e-2)
