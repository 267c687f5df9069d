"""The Gram matrix: dot products, measures without cancellation, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest

from flbook import Gram


def test_measures():
    gram = Gram(4.0, -1.0, 1.0)
    assert gram.alignment == -0.5
    assert gram.determinant == 3.0
    assert gram.root_determinant == np.sqrt(3.0)
    assert gram.norm_product == 2.0


def test_from_weights():
    random = np.random.default_rng(0)
    u, w = random.normal(size=(2, 3, 4, 50))
    gram = Gram.from_weights(u, w)
    assert gram.shape == (3, 4)
    np.testing.assert_allclose(gram.uu, np.sum(u * u, -1), rtol=1e-14)
    np.testing.assert_allclose(gram.uw, np.sum(u * w, -1), rtol=1e-12)
    np.testing.assert_allclose(gram.ww, np.sum(w * w, -1), rtol=1e-14)
    one = Gram.from_weights(u[1, 2], w[1, 2])
    assert isinstance(one.uu, float)
    assert one.uw == pytest.approx(gram.uw[1, 2], rel=1e-13, abs=0)


def test_from_weights_broadcasts_and_converts():
    u, w = np.arange(3), np.arange(6, dtype=np.float32).reshape(2, 3)
    gram = Gram.from_weights(u, w)
    np.testing.assert_array_equal(gram.uw, [5, 14])
    assert gram.shape == (2,)


def test_determinant_does_not_cancel():
    # uu·ww − uw² is fifty bits below the products.
    gram = Gram(1.0 + 2.0**-30, 1.0 + 2.0**-40, 1.0 - 2.0**-30 + 2.0**-39 + 2.0**-50)
    uu, uw, ww = (int(x * 2**50) for x in (gram.uu, gram.uw, gram.ww))
    exact = (uu * ww - uw * uw) / 2**100
    assert 0 < exact < 1e-14
    assert gram.determinant == pytest.approx(exact, rel=1e-15, abs=0)


@pytest.mark.parametrize("scale", [1e-170, 1e-8, 1.0, 1e8, 1e150])
def test_measures_at_any_scale(scale):
    gram = Gram(4 * scale, -scale, scale)
    assert gram.alignment == pytest.approx(-0.5, rel=1e-15, abs=0)
    assert gram.root_determinant == pytest.approx(np.sqrt(3.0) * scale, rel=1e-15, abs=0)


@pytest.mark.parametrize("uw", [2.0, -2.0])
def test_parallel_layers(uw):
    gram = Gram(4.0, uw, 1.0)
    assert gram.determinant == 0
    assert gram.alignment == np.sign(uw)


def test_rounding_below_zero_counts_as_zero():
    uu, ww = 0.1, 0.3
    uw = np.nextafter(np.sqrt(uu * ww), 1)
    gram = Gram(uu, uw, ww)
    assert gram.determinant == 0
    assert gram.alignment == 1


def test_zero_layers_have_no_alignment():
    np.testing.assert_array_equal(Gram([0.0, 0.0, 1.0], 0.0, [0.0, 1.0, 0.0]).alignment, 0)


def test_values_are_frozen_and_compare():
    gram = Gram([1.0, 2.0], 0.5, 1.0)
    with pytest.raises(ValueError, match="read-only"):
        gram.uu[0] = 2.0
    with pytest.raises(AttributeError):
        gram.ww = 2.0
    assert gram == Gram([1.0, 2.0], 0.5, 1.0)
    assert gram != Gram([1.0, 2.0], 0.5, 1.5)
    weights = Gram.from_weights(np.ones((2, 3)), np.ones((2, 3)))
    with pytest.raises(ValueError, match="read-only"):
        weights.uu[0] = 2.0


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ((-1.0, 0.0, 1.0), "uu must be finite and at least 0, got -1.0"),
        ((1.0, 0.0, -1.0), "ww must be finite and at least 0, got -1.0"),
        ((1.0, np.nan, 1.0), "uw must be finite, got nan"),
        ((1.0, 1.0 + 1e-9, 1.0), r"uw must be at most sqrt\(uu \* ww\) in size"),
        ((0.0, 1e-300, 1.0), "uw must be at most"),
        (([1.0, 1.0], [0.0, -1.1], 1.0), "positive semidefinite matrix, got -1.1 at index 1"),
        (([1.0] * 2, [0.0] * 3, 1.0), r"shapes of uu \(2,\), uw \(3,\) and ww \(\)"),
    ],
)
def test_bad_entries(entries, message):
    with pytest.raises(ValueError, match=message):
        Gram(*entries)


@pytest.mark.parametrize(
    ("u", "w", "message"),
    [
        ([1.0], [1.0, 2.0], "w must have width 1 like u, got 2"),
        (1.0, [1.0], r"u must have shape \(..., width\), got \(\)"),
        ([], [], r"u must have shape \(..., width\), got \(0,\)"),
        ([1.0, np.nan], [1.0, 1.0], "u must be finite, got nan at index 1"),
        ([1.0, 1.0], [1.0, -np.inf], "w must be finite, got -inf at index 1"),
        ([1e200], [1.0], "u must have a squared norm that fits in a double"),
        (np.ones((2, 3)), np.ones((4, 3)), r"shapes of u \(2, 3\) and w \(4, 3\)"),
    ],
)
def test_bad_weights(u, w, message):
    with pytest.raises(ValueError, match=message):
        Gram.from_weights(u, w)


@pytest.mark.parametrize("bad", ["weights", [1j], [True, False]])
def test_weights_that_are_no_numbers(bad):
    with pytest.raises(TypeError, match="u must be an array of real numbers"):
        Gram.from_weights(bad, [1.0, 1.0])
