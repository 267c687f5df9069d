"""The phase diagram by exponents against the one measured on ensembles."""

import dataclasses
from collections import Counter

import numpy as np
import pytest

import flbook as fl

TASK = fl.Task(1.0, 1.0, 1.0)
ALIGNMENT = {-1: "none", 0: "partial", 1: "full"}


def predicted_powers(scaling):
    """Return the powers that the exponents predict for drift, alignment and rate."""
    b, k, g, o, rate = scaling.exponents()
    drift = b - k if b >= k else 2 * (b - k) + 2 * max(o, 0)
    return drift, g, rate


def half_integer_scalings(count, seed):
    random = np.random.default_rng(seed)
    return [fl.Scaling(*random.integers(-4, 5, 5) / 2) for _ in range(count)]


def check(scaling):
    measured = fl.measure_phase(scaling, size=300)
    drift, alignment, rate = predicted_powers(scaling)
    assert measured.phase is scaling.phase(), scaling
    assert measured.speed == scaling.speed(), scaling
    assert measured.alignment_class == ALIGNMENT[int(np.sign(alignment))], scaling
    assert measured.drift.value == pytest.approx(drift, abs=0.02), scaling
    assert measured.alignment.value == pytest.approx(alignment, abs=0.02), scaling
    assert measured.rate.value == pytest.approx(rate, abs=0.02), scaling
    return measured


def test_random_scalings_measure_as_predicted():
    found = [check(scaling) for scaling in half_integer_scalings(300, seed=1)]
    phases = [measured.phase for measured in found]
    classes = [(measured.speed, measured.alignment_class) for measured in found]
    assert set(phases) == set(fl.Phase) - {fl.Phase.FEATURE_UNLEARNING}
    assert len(set(classes)) == 9


def test_every_joint_limit_measures_as_predicted():
    """Random scalings of six powers, multiples of ½, many of them at a fixed width."""
    random = np.random.default_rng(9)
    found = Counter()
    for seed in range(2000):
        scaling = fl.Scaling(*random.integers(-4, 5, 5) / 2, width=random.choice([0, 0.5, 1, 2]))
        if seed % 4 == 0:  # every phase its share: put onto b = k, or balanced at a fixed width
            powers = scaling.exponents()
            lead = powers.signal - powers.kernel
            scaling = dataclasses.replace(scaling, gamma=scaling.gamma + lead)
        elif seed % 4 == 1:
            scaling = dataclasses.replace(
                scaling, width=0, eta_u=scaling.eta_w + scaling.sigma2_u - scaling.sigma2_w
            )
        scales = np.array([1e4, 1e8, 1e12]) ** (1 / max(scaling.width, 1))
        measured = fl.measure_phase(scaling, TASK, scales, base_width=7, size=400, seed=seed)
        assert measured.phase is scaling.phase(), scaling
        assert measured.speed == scaling.speed(), scaling
        found[measured.phase, scaling.width == 0] += 1
    assert sum(count for (_, fixed), count in found.items() if fixed) >= 300
    assert min(found[phase, True] for phase in fl.Phase) >= 30
    assert found[fl.Phase.FEATURE_UNLEARNING, False] == 0


def test_a_large_start_at_a_fixed_width_is_unlearned():
    """K(∞)/K(0) → √(1 − ζ_K(0)²), a random number below 1; unbalanced layers keep their kernel."""
    balanced = fl.Scaling(0, 1, 1, 0, 0, width=0)
    medians = {}
    for width in (1, 2, 5, 20):
        network = balanced.at_scale(1e12, base_width=width)
        gram = network.sample_gram(size=20_000, seed=10)
        flow = fl.GradientFlow(network, TASK, gram)
        limit = np.sqrt(1 - flow.kernel_alignment(0.0) ** 2)
        np.testing.assert_allclose(flow.outcome.kernel_ratio, limit, rtol=1e-9, atol=1e-9)
        medians[width] = np.median(limit)
    assert sorted(medians.values()) == list(medians.values())
    assert medians[1] == pytest.approx(0.709, abs=0.01)
    assert medians[20] == pytest.approx(0.989, abs=0.002)
    unbalanced = fl.Scaling(0, 1, 0.5, 0, 0, width=0).at_scale(1e12, base_width=5)
    ensemble = fl.Ensemble(unbalanced, TASK, size=1000, seed=11)
    assert np.abs(ensemble.kernel_drift).max() < 1e-4


def test_scalings_on_the_boundaries_measure_as_predicted():
    # moved onto b = k by the output multiplier, then onto max(b, k) = 0 by both learning rates
    for scaling in half_integer_scalings(60, seed=2):
        powers = scaling.exponents()
        critical = dataclasses.replace(scaling, gamma=scaling.gamma + powers.signal - powers.kernel)
        assert check(critical).phase is fl.Phase.FEATURE_CRITICAL
        rate = critical.exponents().rate
        learning = dataclasses.replace(
            critical, eta_u=critical.eta_u - rate, eta_w=critical.eta_w - rate
        )
        assert check(learning).speed == "learning"


@pytest.mark.parametrize("name", list(fl.SCALINGS))
def test_named_scalings_measure_as_predicted(name):
    scaling = fl.SCALINGS[name]
    measured = fl.measure_phase(scaling)
    assert measured.phase is scaling.phase()
    assert measured.speed == scaling.speed()
    for slope, wanted in zip(
        (measured.drift, measured.alignment, measured.rate), predicted_powers(scaling), strict=True
    ):
        assert slope.value == pytest.approx(wanted, abs=0.005)
        assert abs(slope.value - wanted) < 5 * slope.error + 1e-9


def test_the_strip_of_full_alignment_in_the_kernel_phase():
    # unbalanced layers: the kernel is frozen and the layers are parallel at the end
    strip = fl.Scaling(gamma=0, sigma2_u=0, sigma2_w=-3, eta_u=-1, eta_w=-1)
    measured = fl.measure_phase(strip)
    assert measured.phase is fl.Phase.KERNEL
    assert measured.alignment_class == "full"
    assert measured.kernel_drift[-1] < 1e-8


@pytest.mark.parametrize("name", ["ntk", "mup", "xavier"])
def test_medians_are_those_of_real_weights(name):
    widths = [10, 30, 100]
    measured = fl.measure_phase(fl.SCALINGS[name], TASK, widths, size=20_000)
    random = np.random.default_rng(3)
    for index, width in enumerate(widths):
        net = fl.SCALINGS[name].at_width(width)
        u = net.sigma_u * random.standard_normal((20_000, width))
        w = net.sigma_w * random.standard_normal((20_000, width))
        uu, uw, ww = np.sum(u * u, 1), np.sum(u * w, 1), np.sum(w * w, 1)
        kernel = net.gamma**2 * (net.eta_w * uu + net.eta_u * ww)
        signals = 4 * net.gamma**2 * net.eta_u * net.eta_w * (1 - (net.gamma * uw) ** 2)
        last = np.sqrt(kernel**2 + signals)
        drift = np.median(np.abs(last / kernel - 1))
        assert measured.kernel_drift[index] == pytest.approx(drift, rel=0.05)
        cotangent = np.median(1 / (net.gamma * np.sqrt(uu * ww - uw**2)))
        assert measured.alignment_cotangent[index] == pytest.approx(cotangent, rel=0.01)
        assert measured.final_rate[index] == pytest.approx(np.median(last), rel=0.01)


def test_the_fit_is_ordinary_least_squares():
    measured = fl.measure_phase(fl.SCALINGS["ntk"], size=50)
    for slope, values in (
        (measured.drift, measured.kernel_drift),
        (measured.alignment, measured.alignment_cotangent),
        (measured.rate, measured.final_rate),
    ):
        line, covariance = np.polyfit(np.log(measured.widths), np.log(values), 1, cov=True)
        assert slope.value == pytest.approx(line[0], rel=1e-9)
        assert slope.error == pytest.approx(np.sqrt(covariance[0, 0]), rel=1e-6)


def test_the_phase_is_read_off_the_measurement():
    # with a target far away these widths are not yet in the kernel regime: K(∞)/K(0) = √(v*²/d)
    early = fl.measure_phase(fl.SCALINGS["ntk"], fl.Task(1.0, 1e9, 1e18), [10, 100, 1000])
    assert early.drift.value == pytest.approx(-0.5, abs=0.05)
    assert early.kernel_drift[0] > 1e8
    assert fl.measure_phase(fl.SCALINGS["ntk"]).drift.value == pytest.approx(-1.0, abs=0.01)


@pytest.mark.parametrize(("value", "sign"), [(0.1, 1), (-0.1, -1), (0.099, 0), (-2.0, -1)])
def test_signs_of_slopes(value, sign):
    assert fl.Slope(value, 0.0).sign == sign


def test_results_are_frozen_and_reproducible():
    measured = fl.measure_phase(fl.SCALINGS["mup"], size=50, seed=4)
    assert measured == fl.measure_phase(fl.SCALINGS["mup"], size=50, seed=4)
    assert measured != fl.measure_phase(fl.SCALINGS["mup"], size=50, seed=5)
    with pytest.raises(ValueError, match="read-only"):
        measured.kernel_drift[0] = 0.0


def test_refusals():
    ntk = fl.SCALINGS["ntk"]
    with pytest.raises(TypeError, match="scaling must be a Scaling"):
        fl.measure_phase("ntk")
    with pytest.raises(TypeError, match="task must be a Task"):
        fl.measure_phase(ntk, 1.0)
    with pytest.raises(ValueError, match="task must be a single one with a target"):
        fl.measure_phase(ntk, fl.Task(1.0, 0.0, 1.0))
    with pytest.raises(ValueError, match="task must be a single one with a target"):
        fl.measure_phase(ntk, fl.Task(1.0, [1.0, 2.0], 9.0))
    for widths in ([10, 100], [10, 10, 100], 100):
        with pytest.raises(ValueError, match="scales must hold at least three different scales"):
            fl.measure_phase(ntk, TASK, widths)
    with pytest.raises(ValueError, match="scales must be finite and greater than 0"):
        fl.measure_phase(ntk, TASK, [0, 1, 2])
    with pytest.raises(ValueError, match="size must be"):
        fl.measure_phase(ntk, size=0)
    with pytest.raises(ValueError, match="scaling must keep the drift of the kernel between 0"):
        fl.measure_phase(fl.Scaling(-20, 0, 0, 0, 0))
