"""What is said of two-layer networks stands in the stored table of the experiment."""

from __future__ import annotations

import numpy as np
import pytest
from two_layer import curve, rows

TASKS = ["regression", "classification"]


def test_the_linear_networks_are_the_exact_solution():
    for row in rows(task="regression", features=1, activation="linear"):
        assert row["error_descent"] < 1e-12
        assert row["error_flow_half"] < 0.01
        assert row["error_flow"] / row["error_flow_half"] == pytest.approx(2.0, rel=0.02)


@pytest.mark.parametrize("task", TASKS)
def test_with_one_feature_a_relu_network_ends_where_the_solution_does(task):
    for row in rows(task=task, features=1, activation=["relu", "leaky_relu"]):
        assert abs(curve(row)[-1] - row["zeta_solution"]) < 0.02
        assert row["agree"] == 5


@pytest.mark.parametrize("task", TASKS)
def test_from_little_alignment_it_rises_at_first_in_every_network(task):
    for row in rows(task=task, start="align"):
        zeta = curve(row)
        assert zeta.max() > zeta[0] + 0.03
        if row["scale"] == 0.1:
            assert zeta.max() > 0.85


@pytest.mark.parametrize("task", TASKS)
def test_from_large_aligned_layers_it_falls_in_every_network(task):
    for row in rows(task=task, start="disalign", scale=[10.0, 30.0]):
        assert curve(row)[-1] < curve(row)[0] - 0.04


def test_curved_networks_lose_again_what_they_had_aligned():
    """What the solution never does: ζ comes back down, while the loss goes on falling."""
    small = {"start": "align", "scale": 0.1}
    curved = rows(features=10, activation=["relu", "leaky_relu", "sigmoid", "swish"], **small)
    curved += rows(task="regression", features=1, activation=["sigmoid", "swish"], **small)
    for row in curved:
        zeta, loss = curve(row), curve(row, "loss")
        peak = int(np.argmax(zeta))
        assert zeta[-1] < zeta[peak] - 0.03
        assert loss[-1] < loss[peak]
    for row in rows(activation="linear", **small):
        assert row["turned_back"] < 1e-3
