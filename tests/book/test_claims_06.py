"""Chapter 6: what its sentences say of the half plane and of names, over corners."""

import numpy as np
import pytest
from corners import decades

import flbook as fl
from flbook import simulation
from flbook._support.shared import shared

INFINITY = float("inf")
UNIT = fl.Task(1.0, 1.0, 1.0)
ONE_PER_CENT = np.log(1.01)


def corners(size, seed):
    """Draw networks with unequal rates, their targets of both signs, and unbalanced starts."""
    random = np.random.default_rng(seed)
    draw = decades(random, size)
    network = fl.Network(2, gamma=draw(-2, 2), eta_u=draw(-3, 3), eta_w=draw(-3, 3))
    overlap = draw(-3, 3) * random.choice([-1, 1], size)
    slope = network.gamma * draw(-3, 3) * random.choice([-1, 1], size)
    length, height = draw(-2, 2), draw(-3, 3)
    product = np.hypot(overlap, height)
    gram = fl.Gram(product * length, overlap, product / length)
    return fl.GradientFlow(network, fl.Task(1.0, slope, slope**2), gram)


def balanced(flow):
    """Return the flow from the same point of the half plane with balanced layers."""
    network = flow.network
    product, ratio = flow.start.norm_product, np.sqrt(network.eta_u / network.eta_w)
    gram = fl.Gram(product * ratio, flow.start.uw, product / ratio)
    return fl.GradientFlow(network, flow.task, gram)


def log_stretch(flow):
    """Return the largest |ln(K/K₀)| along the whole path, from its turning point and its end."""
    end = np.log(flow.outcome.kernel_ratio)
    crosses = flow.slope(0) * flow.task.target < 0
    dip = np.where(crosses, np.log(flow.kernel(0) / flow.kernel_floor), 0.0)
    return np.maximum(np.abs(end), dip)


def turns(decomposition):
    return np.abs(decomposition.turn)


@pytest.mark.parametrize("width", [1, 2, 3, 40])
@pytest.mark.parametrize(("eta_u", "eta_w"), [(0.1, 3.0), (2.0, 0.5)])
def test_training_moves_the_point_horizontally_and_stretches_by_the_square_of_the_cosine(
    width, eta_u, eta_w
):
    network = fl.Network(width, 0.7, sigma_u=1.5, sigma_w=0.4, eta_u=eta_u, eta_w=eta_w)
    u0, w0 = network.sample_weights(seed=width)
    w0 = w0 * np.sign(u0 @ w0)
    t = np.concatenate([[0], np.geomspace(1e-4, 3, 3000)])
    run = simulation.gradient_flow(network, fl.Task(1.0, 2.0, 4.0), u0, w0, t)
    lengths = np.linalg.norm(run.u, axis=1) * np.linalg.norm(run.w, axis=1)
    overlap = np.sum(run.u * run.w, axis=1)
    across = np.sqrt(np.maximum(lengths**2 - overlap**2, 0))
    assert across == pytest.approx(across[0], rel=1e-5, abs=1e-5 * lengths[0])
    cosine2 = (overlap / lengths) ** 2
    law = (cosine2[1:] + cosine2[:-1]) / 2 * np.diff(np.log(overlap))
    assert law.sum() == pytest.approx(np.log(lengths[-1] / lengths[0]), rel=1e-4)


def test_finite_steps_let_the_point_sink():
    network = fl.Network(5, eta_u=0.05, eta_w=0.02)
    u0, w0 = network.sample_weights(seed=1)
    run = simulation.gradient_descent(network, UNIT, u0, w0, np.arange(50))
    height = np.sqrt(run.determinant)
    assert (np.diff(height[:10]) < 0).all()
    assert height[-1] < 0.999 * height[0]


def test_rescaling_is_the_larger_share_where_the_ends_multiply_to_more_than_the_determinant():
    flow = corners(20_000, seed=0)
    learned = fl.decompose(flow.start, flow.gram(INFINITY))
    product = np.abs(flow.start.uw * flow.task.target / flow.network.gamma)
    beyond = product / flow.start.determinant
    clear = np.abs(np.log(beyond)) > 1e-6
    rescaled = np.abs(learned.rescaling) > np.abs(learned.alignment)
    assert (rescaled == (beyond > 1))[clear].all()
    counts = clear & (learned.mechanism != "kernel")
    assert ((learned.mechanism == "rescaling") == (beyond > 1))[counts].all()
    assert set(learned.mechanism) == {"kernel", "alignment", "disalignment", "rescaling"}


def test_balanced_layers_are_named_kernel_exactly_where_the_kernel_stays():
    flow = balanced(corners(50_000, seed=1))
    learned = fl.decompose(flow.start, flow.gram(INFINITY))
    stretch = log_stretch(flow)
    clear = np.abs(stretch / ONE_PER_CENT - 1) > 1e-6
    assert ((learned.mechanism == "kernel") == (stretch <= ONE_PER_CENT))[clear].all()
    crossed = learned.crossed & (learned.mechanism == "kernel")
    assert crossed.sum() > 1000


def test_unbalanced_layers_named_kernel_are_lazy():
    flow = corners(50_000, seed=2)
    learned = fl.decompose(flow.start, flow.gram(INFINITY))
    assert (log_stretch(flow) <= ONE_PER_CENT * (1 + 1e-6))[learned.mechanism == "kernel"].all()


def test_a_long_low_move_is_rescaling_and_lazy_ntk_networks_are_kernel():
    start, end = (fl.Gram(np.hypot(s, 1), s, np.hypot(s, 1)) for s in (8.0, 1000.0))
    far = fl.decompose(start, end)
    assert far.mechanism == "rescaling"
    assert far.rescaling / far.total == pytest.approx(0.998, abs=5e-4)
    network = fl.SCALINGS["ntk"].at_width(100)
    flow = fl.GradientFlow(network, UNIT, network.sample_gram(size=5000, seed=0))
    learned = fl.decompose(flow.start, flow.gram(INFINITY))
    lazy = flow.outcome.kernel_excursion <= 0.01
    assert np.degrees(np.median(turns(learned)[lazy])) > 3
    assert np.mean(learned.mechanism[lazy] == "kernel") > 0.99


def test_turning_is_of_first_order_and_the_kernel_of_second():
    target = 10.0 ** -np.arange(1, 5)
    network = fl.Network(3, eta_u=0.3, eta_w=2.0)
    gram = fl.Gram(0.3, 0.0, 2.0)
    flow = fl.GradientFlow(network, fl.Task(1.0, target, target**2), gram)
    turn = turns(fl.decompose(gram, flow.gram(INFINITY)))
    power = np.diff([np.log(turn), np.log(flow.outcome.kernel_drift)]) / np.diff(np.log(target))
    assert power[0] == pytest.approx(1, abs=0.01)
    assert power[1] == pytest.approx(2, abs=0.01)
    end = fl.Gram(1.0, np.sin(np.arccos(1 / 1.01)), 1.0)
    stretch = 1 / end.root_determinant
    assert stretch == pytest.approx(1.01)
    assert np.degrees(turns(fl.decompose(fl.Gram(1.0, 0.0, 1.0), end))) == pytest.approx(8, abs=0.1)


def test_turning_multiplies_the_slope_by_less_than_the_inverse_cosine():
    flow = corners(20_000, seed=3)
    learned = fl.decompose(flow.start, flow.gram(INFINITY))
    assert (learned.alignment <= -np.log(np.abs(flow.start.alignment)) * (1 + 1e-12) + 1e-9).all()
    zeta, product = 0.1, 1.0
    factor = 1 / zeta**2 - 1
    start = fl.Gram(product, product * zeta, product)
    length = np.hypot(factor * start.uw, start.root_determinant)
    shares = fl.decompose(start, fl.Gram(length, factor * start.uw, length))
    assert shares.rescaling == pytest.approx(shares.alignment)


def test_the_kernel_is_the_distance_seen_from_its_own_height():
    random = np.random.default_rng(4)
    t = np.linspace(0, 2, 21)
    for _ in range(5):
        gamma, eta_u, eta_w = 10.0 ** random.uniform(-0.5, 0.5, 3)
        network = fl.Network(4, gamma, eta_u=eta_u, eta_w=eta_w)
        u0, w0 = network.sample_weights(seed=random)
        run = simulation.gradient_flow(network, fl.Task(1.0, -2.0, 4.0), u0, w0, t)
        eta = np.sqrt(eta_u * eta_w)
        height = fl.GradientFlow(network, UNIT, fl.Gram.from_weights(u0, w0)).kernel_floor
        height = height / (2 * gamma**2 * eta)
        overlap = np.sum(run.u * run.w, axis=1)
        distance = np.hypot(overlap, height)
        assert run.kernel / (2 * gamma**2 * eta) == pytest.approx(distance, rel=1e-5)
        assert run.kernel_alignment == pytest.approx(overlap / distance, rel=1e-4, abs=1e-4)


def test_far_below_its_height_the_kernel_stays_whatever_the_layers_do():
    flow = corners(50_000, seed=5)
    network = flow.network
    eta = np.sqrt(network.eta_u) * np.sqrt(network.eta_w)
    height = flow.kernel_floor / (2 * network.gamma**2 * eta)
    farther = np.maximum(np.abs(flow.start.uw), np.abs(flow.task.target / network.gamma))
    far = height > 10 * farther
    assert (flow.outcome.kernel_excursion < 0.51 * (farther / height) ** 2)[far].all()
    learned = fl.decompose(flow.start, flow.gram(INFINITY))
    names, counts = np.unique(learned.mechanism[far], return_counts=True)
    assert set(names) == {"kernel", "alignment", "disalignment", "rescaling"}
    assert counts.min() > 500


def test_unbalanced_layers_that_start_aligned_keep_kernel_and_angle():
    start = fl.Gram(1e6, 5.0, (5.0**2 + 1e-4) / 1e6)
    flow = fl.GradientFlow(fl.Network(2, eta_u=3.0), fl.Task(1.0, 10.0, 100.0), start)
    assert flow.outcome.kernel_excursion < 1e-8
    assert abs(fl.decompose(start, flow.gram(INFINITY)).turn) < 0.01


@pytest.mark.parametrize(("factor_u", "factor_w"), [(1.0, 1.0), (5.0, 0.2), (0.2, 5.0)])
def test_in_the_unbalanced_corner_the_layers_turn_by_half_a_right_angle(factor_u, factor_w):
    factors = fl.Factors(eta_u=factor_u, eta_w=factor_w)
    corner = fl.Scaling(0, 0, -2, -1, -1, factors=factors)
    network = corner.at_width(3000)
    u0, w0 = network.sample_weights(seed=6)
    run = simulation.gradient_flow(network, UNIT, u0, w0, [0, 40 / factor_w])
    assert run.kernel[-1] / run.kernel[0] == pytest.approx(1, abs=1e-5)
    assert np.abs(run.alignment) == pytest.approx([0, 2**-0.5], abs=0.05)
    assert np.linalg.norm(run.w[-1] - w0) / np.linalg.norm(w0) == pytest.approx(1, abs=0.1)
    assert np.linalg.norm(run.u[-1] - u0) / np.linalg.norm(u0) < 1e-4


@pytest.mark.parametrize("name", ["alignment", "disalignment", "rescaling", "kernel"])
def test_the_buttons_lead_to_one_example_of_each_name(name):
    values = shared("presets")[f"move_{name}"]["values"]
    start, end = (
        fl.Gram(np.hypot(s, values["root_determinant"]), s, np.hypot(s, values["root_determinant"]))
        for s in (values["uw"], values["target"])
    )
    assert fl.decompose(start, end).mechanism == name


@pytest.mark.parametrize(("uu", "ww"), [(0.0, 3.0), (2.0, 0.0)])
@pytest.mark.parametrize("target", [0.01, -2.0])
def test_with_a_layer_of_zeros_the_first_piece_of_slope_is_made_by_stretching(uu, ww, target):
    network = fl.Network(3, 0.5, eta_u=0.3, eta_w=2.0)
    task = fl.Task(1.0, target, target**2)
    zero = fl.GradientFlow(network, task, fl.Gram(uu, 0.0, ww))
    first = fl.decompose(zero.gram(0), zero.gram(1e-6))
    assert first.rescaling == INFINITY
    assert first.alignment == 0
    assert abs(zero.alignment(1e-6)) == pytest.approx(1)
    other = fl.GradientFlow(network, task, fl.Gram(uu + 1, 0.0, ww + 1))
    first = fl.decompose(other.gram(0), other.gram(1e-6))
    assert first.alignment == INFINITY
    assert first.rescaling == pytest.approx(0, abs=1e-9)


def test_layers_that_align_with_a_negative_target_turn_apart():
    def at(overlap):
        length = np.hypot(overlap, 0.8)
        return fl.Gram(length, overlap, length)

    for sign in (1, -1):
        align = fl.decompose(at(sign * 0.1), at(sign * 2.5))
        back = fl.decompose(at(sign * 2.5), at(sign * 0.1))
        assert (align.mechanism, back.mechanism) == ("alignment", "disalignment")
        assert np.sign(align.turn) == -sign
        assert np.sign(back.turn) == sign


def test_a_name_compares_the_ends_and_sees_a_turn_where_the_shares_are_nothing():
    def at(overlap):
        length = np.hypot(overlap, 0.2)
        return fl.Gram(length, overlap, length)

    for end, name in ((8.0, "rescaling"), (2.0, "alignment")):
        learned = fl.decompose(at(-2.0), at(end))
        assert learned.crossed
        assert abs(learned.turn) > np.radians(150)
        assert learned.mechanism == name
