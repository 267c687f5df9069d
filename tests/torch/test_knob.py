"""The experiment on the output scale: what it finds, and what its stored result says."""

from __future__ import annotations

import json
import math

import pytest

from experiments import knob_torch
from flbook._measures.knob import RICH_ERROR, UNCERTAINTY

STORED = json.loads(knob_torch.RESULT.read_text(encoding="utf-8"))
NEAR = 5.0
"""Predictions are held to their word for scales within this factor of the boundary."""


def test_where_errors_cross_is_found_between_scales():
    rows = [
        {"scale": scale, "linearisation_error": RICH_ERROR * 30 / scale}
        for scale in (1.0, 100.0, 10.0, 1000.0)
    ]
    assert knob_torch.found(rows) == pytest.approx(30)
    assert knob_torch.found(rows[:1]) is None


def test_a_lazy_run_is_lazier_at_a_larger_scale():
    rows = [knob_torch.run("MLP", scale, most=200) for scale in (1.0, 1000.0)]
    assert rows[0]["verdict"] == "rich"
    assert rows[1]["linearisation_error"] < RICH_ERROR < rows[0]["linearisation_error"]


@pytest.mark.parametrize("boundary", STORED["boundaries"], ids=lambda b: b["network"])
def test_stored_predictions_near_the_boundary_hold_within_what_is_said(boundary):
    key = boundary["network"], boundary["seed"]
    rows = [row for row in STORED["rows"] if (row["network"], row["seed"]) == key]
    assert boundary["found"] == pytest.approx(knob_torch.found(rows))
    near = [row for row in rows if abs(math.log(row["scale"] / boundary["found"])) < math.log(NEAR)]
    assert near
    for row in near:
        off = abs(math.log(row["predicted"] / boundary["found"]))
        assert off < math.log(UNCERTAINTY), row
