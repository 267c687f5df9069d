"""How far the boundary is: predicted from one run, and found by turning the knob."""

import numpy as np
import pytest

import flbook as fl
from flbook._measures import knob
from flbook._measures.kernel_change import matching_error


@pytest.mark.parametrize("strength", np.geomspace(0.05, 1e4, 12))
def test_the_prediction_holds_on_the_solvable_line(strength):
    """There the factor to the boundary is 2γη|v*|/K_min itself, by the map."""
    gram = fl.Gram(1.0, 0.0, 1.0)
    # K_min = 2γ² √D = 2γ², so 2γη|v*|/K_min = 1/γ
    place = fl.locate(fl.Network(2, gamma=1 / strength), fl.Task(1.0, 1.0, 1.0), gram)
    assert place.radius == pytest.approx(1 / strength)
    error = matching_error(float(place.kernel_ratio))
    off = knob.boundary_factor(error) / strength
    assert max(off, 1 / off) < knob.uncertainty(error)


def test_where_errors_cross_the_boundary_is_found_between_runs():
    scales = np.array([1.0, 100.0, 10.0, 1000.0])
    assert fl.boundary_scale(scales, knob.RICH_ERROR * 30 / scales) == pytest.approx(30)
    assert fl.boundary_scale(scales[:1], [0.5]) is None
    assert fl.boundary_scale(scales, 0.001 / scales) is None


def test_where_errors_cross_it_more_than_once_the_last_time_counts():
    scales = np.geomspace(1, 1e4, 5)
    errors = knob.RICH_ERROR * np.array([10, 0.1, 10, 0.1, 0.01])
    assert fl.boundary_scale(scales, errors) == pytest.approx(10**2.5)


@pytest.mark.parametrize(
    ("scales", "errors", "words"),
    [
        ([1, 2], [0.1], "errors must have one entry"),
        ([1, 0], [0.1, 0.2], "scales must be finite and greater than 0"),
        ([1, 2], [0.1, np.nan], "errors must be finite"),
    ],
)
def test_runs_must_be_legal(scales, errors, words):
    with pytest.raises(ValueError, match=words):
        fl.boundary_scale(scales, errors)
