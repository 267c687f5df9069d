"""The split of log|v|, against 50-digit arithmetic and against theory's four cases."""

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import flbook as fl
from flbook._measures.mechanisms import LEAST_STRETCH, LEAST_TURN

INFINITY = float("inf")


def random_grams(random, size):
    """Return Gram matrices over ten decades, from orthogonal to nearly parallel layers."""
    uu, ww = 10 ** random.uniform(-5, 5, (2, size))
    near = 10 ** random.uniform(-12, 0, size)
    cosine = np.where(random.random(size) < 0.5, near, 1 - near) * random.choice([-1, 1], size)
    return fl.Gram(uu, cosine * np.sqrt(uu) * np.sqrt(ww), ww)


def exact_shares(before, after):
    """Return the changes of log(|u||w|) and log|ζ|, with 50 digits on the way."""
    with mpmath.workdps(50):
        radii, cosines = [], []
        for gram in (before, after):
            uu, uw, ww = (mpmath.mpf(float(x)) for x in (gram.uu, gram.uw, gram.ww))
            radii.append(mpmath.sqrt(uu * ww))
            cosines.append(abs(uw) / radii[-1])
        return [float(mpmath.log(pair[1] / pair[0])) for pair in (radii, cosines)]


def entry(gram, index):
    return fl.Gram(gram.uu[index], gram.uw[index], gram.ww[index])


def test_shares_against_exact_arithmetic():
    random = np.random.default_rng(1)
    before, after = random_grams(random, 300), random_grams(random, 300)
    learned = fl.decompose(before, after)
    for index in range(300):
        rescaling, alignment = exact_shares(entry(before, index), entry(after, index))
        assert learned.rescaling[index] == pytest.approx(rescaling, rel=1e-14, abs=1e-14)
        assert learned.alignment[index] == pytest.approx(alignment, rel=1e-13, abs=1e-14)


def test_alignment_share_of_nearly_parallel_layers_keeps_its_digits():
    before, after = fl.Gram(1.0, 1 - 1e-9, 1.0), fl.Gram(1.0, 1 - 3e-9, 1.0)
    _, alignment = exact_shares(before, after)
    assert fl.decompose(before, after).alignment == pytest.approx(alignment, rel=1e-13, abs=0)


number = st.floats(1e-6, 1e6)
cosine = st.floats(-0.999999, 0.999999).filter(lambda x: abs(x) > 1e-6)


@given(number, number, cosine, number, number, cosine)
def test_shares_sum_to_what_was_learned(uu0, ww0, cos0, uu1, ww1, cos1):
    before = fl.Gram(uu0, cos0 * (uu0 * ww0) ** 0.5, ww0)
    after = fl.Gram(uu1, cos1 * (uu1 * ww1) ** 0.5, ww1)
    learned = fl.decompose(before, after)
    wanted = np.log(abs(after.uw)) - np.log(abs(before.uw))
    assert learned.total == pytest.approx(wanted, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize(
    ("start", "target", "height", "mechanism"),
    [
        (0.01, 50.0, 1.0, "alignment"),
        (1.0, 100.0, 1.0, "rescaling"),
        (-0.01, 50.0, 1.0, "alignment"),
        (0.0, -100.0, 1.0, "alignment"),
        (50.0, 0.01, 1.0, "disalignment"),
        (100.0, 1.0, 1.0, "rescaling"),
        (100.0, 0.0, 1.0, "disalignment"),
        (50.0, -0.01, 1.0, "disalignment"),
        (8.0, 1000.0, 1.0, "rescaling"),
        (0.01, 10.0, 1.0, "alignment"),
        (1.0, 100.0, 1e-3, "rescaling"),
        (100.0, 1.0, 1e-3, "rescaling"),
        (1.0, 2.0, 100.0, "kernel"),
        (-1.0, 1.0, 100.0, "kernel"),
        (0.0, 0.0, 1.0, "kernel"),
        (1.0, -1.0, 1e-3, "alignment"),
    ],
)
def test_the_cases_of_the_half_plane(start, target, height, mechanism):
    size = np.hypot(start, height)
    before = fl.Gram(size, start, size)
    task = fl.Task(1.0, target, target**2)
    flow = fl.GradientFlow(fl.Network(10), task, before)
    learned = fl.decompose(before, flow.gram(INFINITY))
    assert learned.mechanism == mechanism
    assert isinstance(learned.mechanism, str)
    assert learned.crossed == (start * target < 0)
    turn = np.arctan2(height, target) - np.arctan2(height, start)
    assert learned.turn == pytest.approx(turn, abs=1e-9)


def test_no_mechanism_in_the_kernel_regime_but_alignment_where_layers_are_unbalanced():
    task = fl.Task(1.0, 1.0, 1.0)
    wide = fl.SCALINGS["ntk"].at_width(10**8)
    unbalanced = fl.Network(10**5, sigma_w=1e-5, eta_u=1e-5, eta_w=1e-5)
    found = []
    for network in (wide, unbalanced):
        flow = fl.GradientFlow(network, task, network.typical_gram())
        assert flow.kernel(INFINITY) / flow.kernel(0.0) == pytest.approx(1.0, abs=1e-4)
        found.append(fl.decompose(flow.gram(0.0), flow.gram(INFINITY)).mechanism)
    assert found == ["kernel", "alignment"]


@pytest.mark.parametrize(
    ("before", "after", "rescaling", "alignment", "mechanism"),
    [
        ((1, 0, 1), (1, 0.5, 1), 0, INFINITY, "alignment"),
        ((1, 0.5, 1), (1, 0, 1), 0, -INFINITY, "disalignment"),
        ((1, 0, 1), (4, 0, 4), np.log(4), 0, "rescaling"),
        ((0, 0, 1), (1, 1, 1), INFINITY, 0, "rescaling"),
        ((0, 0, 0), (1, 0, 1), INFINITY, 0, "rescaling"),
        ((1, 1, 1), (0, 0, 1), -INFINITY, 0, "rescaling"),
        ((0, 0, 1), (0, 0, 4), 0, 0, "kernel"),
        ((1, 0, 1), (1, 0, 1), 0, 0, "kernel"),
        ((1e-300, 1e-300, 1e-300), (1e300, 1e300, 1e300), 600 * np.log(10), 0, "rescaling"),
        ((1e150, 1e-150, 1e150), (1e150, 1e150, 1e150), 0, 300 * np.log(10), "alignment"),
    ],
)
def test_limits_stand_where_logarithms_have_none(before, after, rescaling, alignment, mechanism):
    learned = fl.decompose(fl.Gram(*map(float, before)), fl.Gram(*map(float, after)))
    assert learned.rescaling == pytest.approx(rescaling, rel=1e-13)
    assert learned.alignment == pytest.approx(alignment, rel=1e-13, abs=1e-15)
    assert learned.total == learned.rescaling + learned.alignment
    assert learned.mechanism == mechanism
    if 0.0 in (before[0] * before[2], after[0] * after[2]):
        assert learned.turn == 0


def test_the_two_thresholds_are_one_place_of_the_half_plane():
    """From orthogonal layers, both are reached together, where the kernel has grown by 1 %."""
    for factor, mechanism in ((0.999, "kernel"), (1.001, "alignment")):
        target = np.tan(LEAST_TURN) * factor
        flow = fl.GradientFlow(
            fl.Network(2), fl.Task(1.0, target, target**2), fl.Gram(1.0, 0.0, 1.0)
        )
        learned = fl.decompose(flow.start, flow.gram(INFINITY))
        assert learned.mechanism == mechanism
        assert (abs(learned.rescaling) > LEAST_STRETCH) == (factor > 1)
        assert (flow.outcome.kernel_excursion > 0.01) == (factor > 1)


def test_a_name_never_contradicts_the_shares():
    random = np.random.default_rng(4)
    learned = fl.decompose(random_grams(random, 20_000), random_grams(random, 20_000))
    by_turn = np.abs(learned.alignment) >= np.abs(learned.rescaling)
    for name, holds in (
        ("rescaling", ~by_turn),
        ("alignment", by_turn & (learned.alignment >= 0)),
        ("disalignment", by_turn & (learned.alignment <= 0)),
    ):
        named = learned.mechanism == name
        assert named.any()
        assert holds[named].all()


def test_balanced_layers_are_named_kernel_where_they_are_lazy_and_nowhere_else():
    random = np.random.default_rng(5)
    angle = random.uniform(0.02, np.pi - 0.02, 4000)
    gram = fl.Gram(1.0, np.cos(angle), 1.0)
    target = np.cos(angle) + np.sin(angle) * random.normal(size=4000) * 0.2
    flow = fl.GradientFlow(fl.Network(2), fl.Task(1.0, target, target**2), gram)
    strays = flow.outcome.kernel_excursion
    learned = fl.decompose(gram, flow.gram(INFINITY))
    kernel = learned.mechanism == "kernel"
    assert 0.05 < kernel.mean() < 0.95
    # near the edge the kernel that shrinks by 1 % and the one that grows by it are not quite alike
    assert (strays[kernel] < 0.0101).all()
    turned = np.abs(np.arctan2(np.sin(angle), np.abs(target)) - np.minimum(angle, np.pi - angle))
    assert ((strays > 0.0099) | (turned > 0.99 * LEAST_TURN))[~kernel].all()


def test_lazy_networks_of_finite_width_are_not_named_after_their_luck():
    network, task = fl.SCALINGS["ntk"].at_width(100), fl.Task(1.0, 1.0, 1.0)
    gram = network.sample_gram(size=20_000, seed=6)
    flow = fl.GradientFlow(network, task, gram)
    lazy = flow.outcome.kernel_excursion < 0.01
    named = fl.decompose(gram, flow.gram(INFINITY)).mechanism[lazy]
    assert lazy.mean() > 0.5
    assert np.mean(named != "kernel") < 0.02


def test_arrays_answer_entry_by_entry():
    random = np.random.default_rng(2)
    before, after = random_grams(random, 20), random_grams(random, 20)
    whole = fl.decompose(before, after)
    for index in range(20):
        single = fl.decompose(entry(before, index), entry(after, index))
        assert whole.rescaling[index] == single.rescaling
        assert whole.alignment[index] == single.alignment
        assert whole.turn[index] == single.turn
        assert whole.crossed[index] == single.crossed
        assert whole.mechanism[index] == single.mechanism
    column = fl.Gram(np.ones((3, 1)), 0.5, 1.0)
    assert fl.decompose(column, fl.Gram(1.0, np.zeros(4), 1.0)).mechanism.shape == (3, 4)


def test_discrete_steps_are_split_too():
    network = fl.Network(4, eta_u=0.1, eta_w=0.1)
    descent = fl.GradientDescent(network, fl.Task(1.0, 2.0, 4.0), fl.Gram(1.0, 0.2, 1.0))
    start, end = descent.gram(0), descent.gram(INFINITY)
    assert end.determinant < 0.9 * start.determinant
    learned = fl.decompose(start, end)
    assert learned.total == pytest.approx(np.log(2.0 / 0.2), rel=1e-12)
    assert learned.mechanism == "alignment"


def test_values_are_frozen_and_equal_by_value():
    pair = fl.Gram(1.0, [0.1, 0.2], 1.0), fl.Gram(1.0, [0.3, 0.9], 1.0)
    learned = fl.decompose(*pair)
    with pytest.raises(ValueError, match="read-only"):
        learned.alignment[0] = 0.0
    assert learned == fl.decompose(*pair)
    assert hash(learned) == hash(fl.decompose(*pair))
    assert learned != fl.decompose(*reversed(pair))


def test_a_descent_that_diverged_is_refused():
    network = fl.Network(2, eta_u=10.0, eta_w=10.0)
    descent = fl.GradientDescent(network, fl.Task(1.0, 1.0, 1.0), fl.Gram(1.0, 0.2, 1.0))
    with pytest.raises(ValueError, match="finite"):
        fl.decompose(descent.gram(0), descent.gram(2000))


def test_refusals():
    gram = fl.Gram(1.0, 0.0, 1.0)
    with pytest.raises(TypeError, match="before must be a Gram"):
        fl.decompose((1.0, 0.0, 1.0), gram)
    with pytest.raises(TypeError, match="after must be a Gram"):
        fl.decompose(gram, None)
    with pytest.raises(ValueError, match=r"before \(2,\) and after \(3,\)"):
        fl.decompose(fl.Gram(np.ones(2), 0.0, 1.0), fl.Gram(np.ones(3), 0.0, 1.0))
