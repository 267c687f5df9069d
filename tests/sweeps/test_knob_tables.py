"""What the tables of the knob say of the check-up: boundaries predicted from one run, and found."""

from __future__ import annotations

import math
from itertools import product
from pathlib import Path

import pytest

import flbook as fl
from flbook._measures import knob
from flbook.sweeps import load

RESULTS = Path(__file__).resolve().parents[2] / "results"
TABLES = {path.stem: load(path) for path in sorted(RESULTS.glob("knob*.json"))}


def runs(table, **conditions):
    """Return the rows of each network and seed."""
    chosen = table.select(**conditions)
    keys = product(dict.fromkeys(chosen.column("network")), dict.fromkeys(chosen.column("seed")))
    return [chosen.select(network=str(network), seed=int(seed)) for network, seed in keys]


CASES = [
    part
    for table in TABLES.values()
    for part in runs(table, **({"centred": True} if "centred" in table.columns else {}))
]


def test_both_frameworks_have_a_table():
    assert set(TABLES) == {"knob", "knob_torch"}
    assert len(CASES) >= 12


@pytest.mark.parametrize("part", CASES, ids=lambda part: part.rows[0]["network"])
def test_predictions_hold_within_what_is_said(part):
    found = fl.boundary_scale(part.column("scale"), part.column("linearisation_error"))
    assert found is not None
    for row in part.rows:
        assert row["verdict"] == knob.verdict(row["linearisation_error"])
        factor = knob.boundary_factor(row["linearisation_error"])
        if math.isinf(factor):
            assert row["predicted"] is None
            continue
        assert row["predicted"] == pytest.approx(row["scale"] * factor, rel=1e-4)
        off = abs(math.log(row["predicted"] / found))
        assert off < math.log(knob.uncertainty(row["linearisation_error"])), row


def test_no_prediction_where_the_start_takes_part():
    rows = TABLES["knob"].select(centred=False).rows
    assert any(row["output_change"] < 2 for row in rows)
    for row in rows:
        assert (row["predicted"] is None) == (row["output_change"] < 2)


def test_what_is_said_of_far_runs_is_no_more_careful_than_it_must_be():
    """Some run beyond the near ones is off by more than the near ones may be."""
    worst = 0.0
    for part in CASES:
        found = fl.boundary_scale(part.column("scale"), part.column("linearisation_error"))
        for row in part.rows:
            if row["predicted"] and knob.uncertainty(row["linearisation_error"]) > knob.UNCERTAINTY:
                worst = max(worst, abs(math.log(row["predicted"] / found)))
    assert worst > math.log(knob.UNCERTAINTY)
