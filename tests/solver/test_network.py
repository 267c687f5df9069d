"""The network: its parameters, the law of its random start, and what it refuses."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from scipy import stats

from flbook import Gram, Network


def test_defaults():
    network = Network(3)
    assert network == Network(3, gamma=1, sigma_u=1, sigma_w=1, eta_u=1, eta_w=1)
    assert repr(network) == (
        "Network(width=3, gamma=1.0, sigma_u=1.0, sigma_w=1.0, eta_u=1.0, eta_w=1.0)"
    )


def test_width_may_be_a_whole_float_and_huge():
    assert Network(1e15).width == 10**15
    np.testing.assert_array_equal(Network([1, 10]).width, [1, 10])
    assert Network([1.0, 10.0]).width.dtype == np.int64


@pytest.mark.parametrize("width", [1, 2, 5, 40])
def test_sampled_gram_has_the_law_of_real_weights(width):
    network = Network(width, sigma_u=0.5, sigma_w=3.0)
    exact = network.sample_gram(size=20_000, seed=1)
    random = np.random.default_rng(2)
    u = 0.5 * random.standard_normal((20_000, width))
    w = 3.0 * random.standard_normal((20_000, width))
    real = Gram.from_weights(u, w)
    # One number of each kind, and combinations that see how they hang together.
    for name in ("uu", "uw", "ww", "alignment", "determinant"):
        if width == 1 and name in ("alignment", "determinant"):
            continue
        test = stats.ks_2samp(getattr(exact, name), getattr(real, name))
        assert test.pvalue > 1e-3, (name, test)
    mixed = [g.uu / 0.25 + g.ww / 9.0 + 2 * g.uw / 1.5 for g in (exact, real)]
    assert stats.ks_2samp(*mixed).pvalue > 1e-3


def test_sampled_gram_of_one_neuron_is_parallel():
    gram = Network(1, sigma_u=2.0).sample_gram(size=1000, seed=0)
    np.testing.assert_allclose(np.abs(gram.uw), np.sqrt(gram.uu * gram.ww), rtol=1e-14)
    assert np.abs(gram.uw).max() > 1


def test_sampled_gram_at_enormous_width():
    d = 10**15
    gram = Network(d).sample_gram(size=10_000, seed=0)
    np.testing.assert_allclose(gram.uu, d, rtol=1e-6)
    np.testing.assert_allclose(gram.ww, d, rtol=1e-6)
    overlap = gram.uw / np.sqrt(d)
    assert stats.kstest(overlap, "norm").pvalue > 1e-3
    spread = (gram.uu - d) / np.sqrt(2 * d)
    assert stats.kstest(spread, "norm").pvalue > 1e-3


def test_sample_shapes():
    network = Network([[10], [20]], sigma_u=[1.0, 2.0, 3.0])
    assert network.shape == (2, 3)
    assert network.sample_gram(seed=0).shape == (2, 3)
    assert network.sample_gram(size=5, seed=0).shape == (5, 2, 3)
    assert network.sample_gram(size=(4, 5), seed=0).shape == (4, 5, 2, 3)
    assert Network(10).sample_gram(seed=0).shape == ()
    assert Network(10).sample_gram(size=(0,), seed=0).shape == (0,)


def test_sampling_follows_the_seed():
    network = Network(10)
    assert network.sample_gram(seed=3) == network.sample_gram(seed=3)
    assert network.sample_gram(seed=3) != network.sample_gram(seed=4)
    generator = np.random.default_rng(3)
    assert network.sample_gram(seed=generator) == network.sample_gram(seed=3)
    assert network.sample_gram(seed=generator) != network.sample_gram(seed=3)


def test_sampled_weights():
    u, w = Network(100_000, sigma_u=0.1, sigma_w=2.0).sample_weights(seed=0)
    assert u.shape == w.shape == (100_000,)
    assert stats.kstest(u / 0.1, "norm").pvalue > 1e-3
    assert stats.kstest(w / 2.0, "norm").pvalue > 1e-3
    assert abs(np.corrcoef(u, w)[0, 1]) < 0.02


def test_sampled_weights_of_several_networks():
    u, w = Network(1000, sigma_u=[1.0, 10.0]).sample_weights(seed=0)
    assert u.shape == w.shape == (2, 1000)
    np.testing.assert_allclose(u.std(axis=1), [1.0, 10.0], rtol=0.1)
    np.testing.assert_allclose(w.std(axis=1), 1.0, rtol=0.1)


def test_typical_gram():
    network = Network(100, sigma_u=0.5, sigma_w=2.0)
    gram = network.typical_gram(overlap=-2.0)
    assert (gram.uu, gram.uw, gram.ww) == (25.0, -20.0, 4 * 103.0)
    assert network.typical_gram() == network.typical_gram(1.0)
    assert network.typical_gram(overlap=[0.0, 1.0]).shape == (2,)
    means = network.sample_gram(size=100_000, seed=0)
    assert means.uu.mean() == pytest.approx(gram.uu, rel=0.01, abs=0)
    assert means.ww.mean() == pytest.approx(network.typical_gram().ww, rel=0.01, abs=0)


def test_zero_scale_gives_zero_weights():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        gram = Network(5, sigma_u=0.0, sigma_w=0.0).sample_gram(seed=0)
    assert gram == Gram(0.0, gram.uw, 0.0)
    assert gram.uw == 0


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"width": 0}, r"width must be a whole number from 1 to 2\*\*53, got 0"),
        ({"width": -3}, "width must be .* got -3"),
        ({"width": 1.5}, "width must be .* got 1.5"),
        ({"width": np.inf}, "width must be .* got inf"),
        ({"width": np.nan}, "width must be .* got nan"),
        ({"width": 2**60}, "width must be"),
        ({"width": [3, 0]}, "width must be .* got 0.0 at index 1"),
        ({"gamma": 0}, "gamma must be finite and greater than 0, got 0.0"),
        ({"gamma": -1}, "gamma must be .* got -1.0"),
        ({"sigma_u": -1}, "sigma_u must be finite and at least 0, got -1.0"),
        ({"sigma_w": np.inf}, "sigma_w must be .* got inf"),
        ({"eta_u": -0.5}, "eta_u must be finite and at least 0, got -0.5"),
        ({"eta_w": np.nan}, "eta_w must be .* got nan"),
        ({"eta_u": [1, 2], "eta_w": [1, 2, 3]}, r"eta_u \(2,\) and eta_w \(3,\)"),
    ],
)
def test_bad_parameters(parameters, message):
    with pytest.raises(ValueError, match=message):
        Network(**({"width": 3} | parameters))


@pytest.mark.parametrize("name", ["width", "gamma", "sigma_u", "sigma_w", "eta_u", "eta_w"])
@pytest.mark.parametrize("bad", ["1", None, 1j, True])
def test_parameters_that_are_no_numbers(name, bad):
    with pytest.raises(TypeError, match=f"{name} must be a real number"):
        Network(**({"width": 3} | {name: bad}))


def test_bad_sampling():
    with pytest.raises(ValueError, match="size must be made of ints of at least 0, got -1"):
        Network(3).sample_gram(size=-1)
    with pytest.raises(TypeError, match=r"size must be an int or a tuple of ints, got 1\.5"):
        Network(3).sample_gram(size=1.5)
    with pytest.raises(TypeError, match="size must be an int"):
        Network(3).sample_gram(size=(2, True))
    with pytest.raises(ValueError, match="width must be one number to draw weights, got 2 widths"):
        Network([3, 4]).sample_weights()
    with pytest.raises(TypeError, match="overlap must be a real number"):
        Network(3).typical_gram("lucky")
    with pytest.raises(ValueError, match=r"network \(2,\) and overlap \(3,\)"):
        Network([3, 4]).typical_gram([1.0, 2.0, 3.0])
