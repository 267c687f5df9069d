"""Scalings: exponents against measured powers, phases, speeds, and the named parametrisations."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from flbook import SCALINGS, Factors, GradientFlow, Phase, Scaling, Task


def test_powers_of_the_width():
    network = Scaling(gamma=-0.5, sigma2_u=-2, sigma2_w=1, eta_u=3, eta_w=-1).at_width(100)
    wanted = {"width": 100, "gamma": 0.1, "sigma_u": 0.01, "sigma_w": 10, "eta_u": 1e6}
    for name, value in {**wanted, "eta_w": 0.01}.items():
        assert getattr(network, name) == pytest.approx(value, rel=1e-15)


def test_many_widths():
    network = SCALINGS["mean_field"].at_width([10, 1000])
    assert network.shape == (2,)
    np.testing.assert_allclose(network.gamma, [0.1, 0.001], rtol=1e-15)


def _measured(scaling: Scaling) -> dict[str, float]:
    """Return powers of the width between 10¹⁰ and 10¹⁴, with the overlap of a typical draw."""
    task = Task(1.0, 1.0, 1.0)
    widths = np.array([10**10, 10**14])
    network = scaling.at_width(widths)
    gram = network.typical_gram()
    flow = GradientFlow(network, task, gram)
    quantities = {
        "signal": 2 * network.gamma * np.sqrt(network.eta_u * network.eta_w),
        "kernel": flow.kernel(0.0),
        "alignment": 1 / (network.gamma * gram.root_determinant),
        "initial_slope": np.abs(flow.slope(0.0)),
        "rate": flow.rate,
    }
    return {name: np.diff(np.log10(x)).item() / 4 for name, x in quantities.items()}


def test_exponents_are_the_measured_powers():
    random = np.random.default_rng(0)
    for _ in range(200):
        scaling = Scaling(*random.integers(-4, 5, 5) / 2)
        measured, predicted = _measured(scaling), scaling.exponents()._asdict()
        assert measured == pytest.approx(predicted, abs=0.01), scaling


def test_exponents_obey_their_bounds():
    random = np.random.default_rng(1)
    for _ in range(1000):
        powers = Scaling(*random.uniform(-3, 3, 5)).exponents()
        assert powers.signal - powers.kernel <= powers.alignment + 1e-12
        assert powers.kernel >= powers.signal + powers.initial_slope + 0.5 - 1e-12
        assert powers.rate == max(powers.signal, powers.kernel)


@pytest.mark.parametrize(
    ("name", "phase", "speed", "ratio", "alignment"),
    [
        ("ntk", Phase.KERNEL, "learning", 1.0, 0.003),
        ("mean_field", Phase.FEATURE_CRITICAL, "learning", 2**0.5, 0.5**0.5),
        ("mup", Phase.FEATURE_CRITICAL, "learning", 2**0.5, 0.5**0.5),
        ("kaiming", Phase.KERNEL, "learning", 1.0, 0.003),
        ("standard", Phase.KERNEL, "unstable", 1.0, 0.003),
        ("xavier", Phase.FEATURE_CRITICAL, "learning", 1.25**0.5, 0.2**0.5),
    ],
)
def test_named_parametrisations(name, phase, speed, ratio, alignment):
    scaling = SCALINGS[name]
    assert scaling.phase() is phase
    assert scaling.speed() == speed
    network = scaling.at_width(10**5)
    flow = GradientFlow(network, Task(1.0, 1.0, 1.0), network.typical_gram(overlap=0.0))
    assert flow.kernel(np.inf) / flow.kernel(0.0) == pytest.approx(ratio, abs=1e-3)
    assert flow.alignment(np.inf) == pytest.approx(alignment, abs=1e-3)


def test_xavier_keeps_its_finite_width_form():
    network = SCALINGS["xavier"].at_width([1, 9])
    np.testing.assert_allclose(network.sigma_u**2, [1.0, 0.2], rtol=1e-15)
    np.testing.assert_allclose(network.sigma_w**2, [1.0, 0.2], rtol=1e-15)


def test_factors_multiply_what_the_powers_give():
    plain = Scaling(-0.5, -1, 0.5, 0.25, -2)
    factors = Factors(gamma=2.0, sigma2_u=9.0, sigma2_w=16.0, eta_u=0.5, eta_w=0.1)
    scaled = Scaling(-0.5, -1, 0.5, 0.25, -2, factors=factors)
    one, other = plain.at_width([1, 10, 1000]), scaled.at_width([1, 10, 1000])
    for name, factor in (
        ("gamma", 2),
        ("sigma_u", 3),
        ("sigma_w", 4),
        ("eta_u", 0.5),
        ("eta_w", 0.1),
    ):
        np.testing.assert_allclose(getattr(other, name), factor * getattr(one, name), rtol=1e-15)
    assert scaled.phase() is plain.phase()
    assert scaled.exponents() == plain.exponents()
    assert scaled != plain


def test_the_fan_offset_is_for_the_variances_only():
    network = Scaling(-1, -1, -2, 1, 1, fan_offset=3.0).at_width(7)
    np.testing.assert_allclose(network.sigma_u**2, 0.1, rtol=1e-15)
    np.testing.assert_allclose(network.sigma_w, 0.1, rtol=1e-15)
    assert (network.gamma, network.eta_u) == (1 / 7, 7.0)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        (
            {"factors": Factors(sigma2_u=0.0)},
            ValueError,
            "factors.sigma2_u must be finite and",
        ),
        ({"factors": (1, 1, 1, 1, 1)}, TypeError, "factors must be a Factors"),
        (
            {"factors": Factors(eta_u=[1.0, 2.0])},
            TypeError,
            "factors.eta_u must be one real",
        ),
        ({"fan_offset": -1}, ValueError, "fan_offset must be finite and at least 0"),
    ],
)
def test_bad_factors_are_refused(options, error, message):
    with pytest.raises(error, match=message):
        Scaling(0, 0, 0, 0, 0, **options)


def test_standard_is_kaiming_with_learning_rate_one():
    kaiming, standard = SCALINGS["kaiming"].at_width(64), SCALINGS["standard"].at_width(64)
    assert standard.sigma_u == kaiming.sigma_u == 0.125
    assert (standard.eta_u, standard.eta_w) == (1.0, 1.0)


def test_vanishing_initialisation():
    scaling = Scaling(gamma=0, sigma2_u=-2, sigma2_w=-2, eta_u=0, eta_w=0)
    assert scaling.phase() is Phase.FEATURE_VANISHING
    assert scaling.speed() == "learning"
    assert Scaling(0, -2, -2, -1, -1).speed() == "frozen"


def test_a_common_factor_on_the_learning_rates_moves_no_phase():
    random = np.random.default_rng(2)
    for _ in range(200):
        powers = random.integers(-4, 5, 5) / 2
        scaling = Scaling(*powers)
        rate = scaling.exponents().rate
        rescaled = Scaling(*powers[:3], *(powers[3:] - rate))
        assert rescaled.speed() == "learning"
        assert rescaled.phase() is scaling.phase()


@pytest.mark.parametrize("third", [Fraction(1, 3), 1 / 3])
def test_boundaries_survive_rounding(third):
    # b − k = −cγ − 1 − c with c = c_u = c_w; as sums of thirds and tenths it is 0 up to rounding.
    scaling = Scaling(-third, -2 * third, -2 * third, third, third)
    assert scaling.exponents().signal - scaling.exponents().kernel == pytest.approx(0, abs=1e-15)
    assert scaling.phase() is Phase.FEATURE_CRITICAL
    assert Scaling(-0.3, -0.7, -0.7, 0.3, 0.3).phase() is Phase.FEATURE_CRITICAL
    assert Scaling(-0.3, -0.7, -0.7, 0.3, 0.3).speed() == "learning"
    assert Scaling(-0.3, -0.7 + 1e-6, -0.7, 0.3, 0.3).phase() is Phase.KERNEL
    assert Scaling(-0.3, -0.7, -0.7, 0.3 + 1e-6, 0.3).speed() == "unstable"


@pytest.mark.parametrize("bad", ["0", None, [0.0, 1.0], True])
def test_exponents_that_are_no_numbers(bad):
    with pytest.raises(TypeError, match="sigma2_u must be"):
        Scaling(0, bad, 0, 0, 0)


def test_bad_values():
    with pytest.raises(ValueError, match="gamma must be finite, got nan"):
        Scaling(np.nan, 0, 0, 0, 0)
    with pytest.raises(ValueError, match="d must be a whole number from 1"):
        SCALINGS["ntk"].at_width(0)
    with pytest.raises(ValueError, match=r"name must be one of ntk, .*, standard, got 'gaussian'"):
        SCALINGS["gaussian"]
    with pytest.raises(TypeError):
        SCALINGS["mine"] = SCALINGS["ntk"]
