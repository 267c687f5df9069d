"""The stored table of two-layer networks, for the tests of the experiment and of its chapter."""

from pathlib import Path

import numpy as np

from flbook import sweeps

TABLE = sweeps.load(Path(__file__).resolve().parents[2] / "results" / "two_layer.json")


def rows(**conditions):
    """Return the rows that meet some conditions, and fail where there are none."""
    found = TABLE.select(**conditions).rows
    assert found, conditions
    return found


def curve(row, name="zeta"):
    """Return the median over the seeds."""
    return np.array(row[name])[1]
