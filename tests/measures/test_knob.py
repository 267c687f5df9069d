"""How far the boundary is: predicted from one run, and found by turning the knob."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

import flbook as fl
from flbook._measures import knob
from flbook._measures.kernel_change import matching_error

RESULT = Path(__file__).resolve().parents[2] / "results" / "knob.json"


@pytest.mark.parametrize("strength", np.geomspace(0.05, 1e4, 12))
def test_the_prediction_holds_on_the_solvable_line(strength):
    """There the factor to the boundary is 2γη|v*|/K_min itself, by the map."""
    gram = fl.Gram(1.0, 0.0, 1.0)
    # K_min = 2γ² √D = 2γ², so 2γη|v*|/K_min = 1/γ
    place = fl.locate(fl.Network(2, gamma=1 / strength), fl.Task(1.0, 1.0, 1.0), gram)
    assert place.radius == pytest.approx(1 / strength)
    error = matching_error(float(place.kernel_ratio))
    assert knob.TRIED[0] <= error <= knob.TRIED[1]
    off = knob.boundary_factor(error) / strength
    assert max(off, 1 / off) < knob.UNCERTAINTY


def test_the_prediction_holds_for_the_networks_that_were_tried():
    rows = [row for row in json.loads(RESULT.read_text())["rows"] if row["centred"]]
    assert {row["network"] for row in rows} == {"MLP", "CNN", "transformer"}
    for row in rows:
        factor = knob.boundary_factor(row["linearisation_error"])
        assert row["verdict"] == knob.verdict(row["linearisation_error"])
        if math.isinf(factor):
            assert row["predicted"] is None
            continue
        assert row["predicted"] == pytest.approx(row["scale"] * factor)
        off = row["predicted"] / row["found"]
        assert max(off, 1 / off) < knob.UNCERTAINTY, row


def test_no_prediction_where_the_start_takes_part():
    rows = [row for row in json.loads(RESULT.read_text())["rows"] if not row["centred"]]
    assert any(row["output_change"] < 2 for row in rows)
    for row in rows:
        assert (row["predicted"] is None) == (row["output_change"] < 2)
