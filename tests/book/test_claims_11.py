"""Chapter 11: what its sentences say of any loss and of quadratic forms, over corners."""

import numpy as np
import pytest
from corners import decades, signal
from loss_functions import Cauchy

import flbook as fl
from flbook import simulation

INFINITY = float("inf")
X = np.array([-2.6, -1.9, -1.4, -1.1, 1.0, 1.25, 1.6, 2.2])
CLEAN = np.sign(X)
NOISY = CLEAN * [1, 1, -1, 1, 1, 1, -1, 1]
LOSSES = ("squared", "huber", "logistic", "exponential", pytest.param(Cauchy(), id="Cauchy"))


def corners(size, seed):
    """Draw networks of width 1 to 1000 with unequal rates and layers, and their random starts."""
    random = np.random.default_rng(seed)
    draw = decades(random, size)
    network = fl.Network(
        np.floor(draw(0, 3)).astype(int),
        gamma=draw(-2, 0.5),
        sigma_u=draw(-2, 0.5),
        sigma_w=draw(-2, 0.5),
        eta_u=draw(-2, 1),
        eta_w=draw(-2, 1),
    )
    return network, network.sample_gram(seed=seed)


def squared_error_at(flow, slope):
    """Return the end of the squared error with this target."""
    return fl.GradientFlow(flow.network, fl.Task(1.0, slope, slope**2), flow.start).at(INFINITY)


@pytest.mark.parametrize("labels", [CLEAN, -CLEAN, NOISY], ids=["clean", "turned", "noisy"])
@pytest.mark.parametrize("loss", LOSSES, ids=str)
def test_every_state_on_the_way_is_an_end_of_the_squared_error(loss, labels):
    network, gram = corners(20, seed=1)
    flow = fl.LossFlow(network, loss, X, labels, gram)
    for t in (0.1, 3.0, 100.0):
        now = flow.at(t)
        same = squared_error_at(flow, now.slope)
        np.testing.assert_allclose(now.kernel, same.kernel, rtol=1e-8)
        np.testing.assert_allclose(now.alignment, same.alignment, atol=1e-8)
        np.testing.assert_allclose(now.gram.uu, same.gram.uu, rtol=1e-7)
        size = now.gram.uu + gram.uu
        assert np.max(np.abs(now.displacement.uu - same.displacement.uu) / size) < 1e-7


@pytest.mark.parametrize("loss", ["logistic", "huber"])
def test_it_is_one_path_weight_by_weight(loss):
    network = fl.Network(7, 0.5, eta_u=0.3, eta_w=2.0)
    u, w = network.sample_weights(seed=4)
    flow = fl.LossFlow(network, loss, X, NOISY, fl.Gram.from_weights(u, w))
    derivative = flow.criterion.derivative
    run = simulation.gradient_flow(network, (X, NOISY), u, w, [0, 0.5, 2], derivative=derivative)
    for row, v in enumerate(run.slope):
        exact = fl.GradientFlow(network, fl.Task(1.0, v, v * v), flow.start)
        for layer, wanted in zip((run.u, run.w), exact.weights(INFINITY, u, w), strict=True):
            np.testing.assert_allclose(layer[row], wanted, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("loss", ["huber", "logistic", "exponential"])
def test_the_map_holds_with_the_end_in_the_place_of_the_target(loss):
    network, gram = corners(80, seed=2)
    flow = fl.LossFlow(network, loss, X, NOISY, gram)
    end = flow.at(INFINITY)
    assert np.isfinite(end.slope).all()
    assert (np.sign(gram.uw) == -1).any()
    same = squared_error_at(flow, flow.optimum)
    for name in ("slope", "kernel", "alignment", "kernel_alignment"):
        np.testing.assert_allclose(getattr(end, name), getattr(same, name), rtol=1e-12)
    # and it is where the flow goes, not just a definition
    late = flow.at(1e9)
    np.testing.assert_allclose(late.kernel, end.kernel, rtol=1e-8)


def test_strictly_convex_losses_have_one_end_and_others_may_have_two():
    starts = fl.Gram(60.0, np.array([-30.0, 1.0, 50.0]), 60.0)
    convex = fl.LossFlow(fl.Network(9), "logistic", X, NOISY, starts)
    np.testing.assert_allclose(convex.optimum, convex.optimum[0], rtol=1e-12)
    valleys = fl.LossFlow(fl.Network(9), Cauchy(), np.ones(4), [0.0, 0.0, 20.0, 20.0], starts)
    assert np.ptp(valleys.optimum) > 19


@pytest.mark.parametrize("wrong", [1, 5, 20, 40])
def test_the_ends_with_wrong_labels(wrong):
    x = np.tile([1.0, -1.0], 50)
    y = x * np.where(np.arange(100) < wrong, -1, 1)
    share = wrong / 100
    odds = np.log((1 - share) / share)
    ends = {
        "squared": 1 - 2 * share,
        "huber": 1 - share / (1 - share),
        "logistic": odds,
        "exponential": odds / 2,
    }
    for loss, end in ends.items():
        flow = fl.LossFlow(fl.Network(2), loss, x, y, fl.Gram(1.0, 0.0, 1.0))
        assert flow.slope(INFINITY) == pytest.approx(end, rel=1e-10)


@pytest.mark.parametrize("loss", ["logistic", "exponential"])
@pytest.mark.parametrize("sign", [1, -1])
def test_separable_data_make_every_network_rich(loss, sign):
    network, gram = corners(20, seed=3)
    flow = fl.LossFlow(network, loss, X, sign * CLEAN, gram)
    end = flow.at(INFINITY)
    np.testing.assert_array_equal(end.slope, sign * INFINITY)
    np.testing.assert_array_equal(end.kernel, INFINITY)
    np.testing.assert_array_equal(end.alignment, sign)
    np.testing.assert_array_equal(end.kernel_alignment, sign)
    # where the slope has come far beyond the border, K is 2γη|v|
    late = flow.at(1e300)
    floor = fl.GradientFlow(network, fl.Task(1.0, 1.0, 1.0), gram).kernel_floor
    pull = signal(network) * np.abs(late.slope)
    beyond = pull > 30 * floor
    assert beyond.any()
    np.testing.assert_allclose((late.kernel / pull)[beyond], 1.0, rtol=1e-3)


@pytest.mark.parametrize("loss", ["logistic", "exponential"])
def test_the_exceptions_to_it(loss):
    frozen = fl.LossFlow(fl.Network(2, eta_u=0.0), loss, X, CLEAN, fl.Gram(2.0, 0.5, 1.0))
    assert frozen.slope(INFINITY) == INFINITY
    assert frozen.kernel(INFINITY) == frozen.kernel(0.0)
    for start in ((1.0, -1.0, 1.0), (0.0, 0.0, 0.0)):
        kept = fl.LossFlow(fl.Network(2), loss, X, CLEAN, fl.Gram(*start)).at(INFINITY)
        assert kept.slope == kept.kernel == 0
    # exactly opposed, but not balanced: the saddle lets it go
    free = fl.LossFlow(fl.Network(2), loss, X, CLEAN, fl.Gram(4.0, -2.0, 1.0)).at(INFINITY)
    assert free.slope == free.kernel == INFINITY


@pytest.mark.parametrize("loss", ["logistic", "exponential"])
@pytest.mark.parametrize("imbalance", [1.0, 30.0])
def test_a_lazy_network_takes_exponentially_long_to_leave(loss, imbalance):
    border = np.array([10.0, 30.0, 100.0, 300.0])  # K_min/(2γη), from v(0) = 0
    width = (2 * border / (imbalance + 1 / imbalance)) ** 2
    gamma = np.ones(border.size) / np.sqrt(width)
    network = fl.Network(np.ones(border.size, int), gamma=gamma)
    gram = fl.Gram(imbalance * width, 0.0, width / imbalance)
    flow = fl.LossFlow(network, loss, X, CLEAN, gram)
    t = np.geomspace(1e-6, 1e300, 4000)
    grown = flow.kernel(t) / flow.kernel(0)[:, None]
    left = np.array([np.interp(np.sqrt(2), row, np.log(t)) for row in grown])
    formula = border - np.log(flow.kernel(0) / 8)  # a_min = 1, one example of eight
    np.testing.assert_allclose(left, formula, atol=1.0)
    # lazy to within 1 % earlier, at a slope smaller by √(1.01² − 1), and as exponentially
    strays = np.array([np.interp(1.01, row, np.log(t)) for row in grown])
    np.testing.assert_allclose(
        strays[2:], (border * np.sqrt(1.01**2 - 1) - np.log(flow.kernel(0) / 8))[2:], atol=2.0
    )


def test_the_late_slope_of_one_example():
    """v = (ln t + ln ln t + ln 2γηϖa)/a, in the limit."""
    flow = fl.LossFlow(fl.Network(2), "exponential", [2.0], [1.0], fl.Gram(1.0, 0.0, 1.0))
    t = np.array([1e20, 1e100, 1e300])
    late = (np.log(t) + np.log(np.log(t)) + np.log(2 * 2)) / 2
    np.testing.assert_allclose(flow.slope(t), late, atol=0.1)


def test_unbalanced_layers_align_long_before_their_kernel_stirs():
    flow = fl.LossFlow(fl.Network(2), "logistic", X, CLEAN, fl.Gram(1000.0, 0.0, 1e-3))
    now = flow.at(1.0)
    assert now.alignment > 0.95
    assert now.kernel == pytest.approx(flow.kernel(0.0), rel=1e-3)


def test_quadratic_forms_freeze_products_of_opposite_eigenvalues_alone():
    start, task = [0.4, 0.5, 0.6], fl.Task(1.0, 2.0, 4.0)
    theta = fl.QuadraticFlow(np.diag([1.0, -1.0, 2.0]), task, start).weights([0.0, 1.0, INFINITY])
    np.testing.assert_allclose(theta[:, 0] * theta[:, 1], 0.2, rtol=1e-12)
    for i, j in ((0, 2), (1, 2)):
        assert np.ptp(theta[:, i] * theta[:, j]) > 1e-2
    mixed = 2 * np.log(theta[:, 0]) - np.log(theta[:, 2])
    np.testing.assert_allclose(mixed, mixed[0], atol=1e-12)


@pytest.mark.parametrize("loss", ["squared", "huber", "logistic", "exponential"])
def test_fewer_wrong_labels_lead_farther_from_laziness_if_the_start_is_at_zero(loss):
    x, shares = np.tile([1.0, -1.0], 50), (40, 20, 5, 1)
    labels = [x * np.where(np.arange(100) < wrong, -1, 1) for wrong in shares]
    for imbalance in (0.1, 1.0, 10.0):
        start = fl.Gram(imbalance, 0.0, 1.0)
        flows = [fl.LossFlow(fl.Network(2), loss, x, y, start) for y in labels]
        assert np.all(np.diff([flow.kernel(INFINITY) for flow in flows]) > 0)
        if loss in ("squared", "huber"):
            assert max(flow.slope(INFINITY) for flow in flows) <= 1
    # not from elsewhere: a start at the end that few wrong labels have stays there
    far = fl.Gram(1e3, np.log(19), 1e3)
    stays, moves = (fl.LossFlow(fl.Network(2), "logistic", x, labels[i], far) for i in (2, 0))
    assert stays.optimum == pytest.approx(np.log(19))
    assert stays.kernel(INFINITY) == pytest.approx(stays.kernel(0.0), rel=1e-12)
    assert abs(moves.kernel(INFINITY) / moves.kernel(0.0) - 1) > 1e-7


@pytest.mark.parametrize("loss", ["logistic", "huber"])
def test_steps_multiply_the_imbalance_and_leave_its_ratio_to_the_determinant(loss):
    network = fl.Network(3, eta_u=0.2, eta_w=0.4)
    u, w = network.sample_weights(seed=0)
    derivative = fl.LossFlow(
        network, loss, X, NOISY, fl.Gram.from_weights(u, w)
    ).criterion.derivative
    data, steps = (X, NOISY), range(6)
    run = simulation.gradient_descent(network, data, u, w, steps, derivative=derivative)
    gram = [fl.Gram.from_weights(*layers) for layers in zip(run.u, run.w, strict=True)]
    delta = np.array([0.4 * each.uu - 0.2 * each.ww for each in gram])
    pull = [np.mean(X * derivative(v * X, NOISY)) for v in run.slope]
    turn = np.array(pull) * np.sqrt(0.2 * 0.4)
    np.testing.assert_allclose(delta[1:] / delta[:-1], 1 - turn[:-1] ** 2, rtol=1e-9)
    ratio = [each.determinant / number**2 for each, number in zip(gram, delta, strict=True)]
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-8)


def test_a_zero_of_the_pull_that_is_not_downhill_stops_nothing():
    class Hill:
        def value(self, f, y):
            return -np.log(np.cosh(f - y))

        def derivative(self, f, y):
            return -np.tanh(f - y)

    flow = fl.LossFlow(fl.Network(2), Hill(), [1.0], [1.0], fl.Gram(3.0, 2.0, 3.0))
    assert flow.optimum == INFINITY
