"""The tables of the experiments with PyTorch are today's, and a share is run again."""

from __future__ import annotations

from pathlib import Path

import experiment_checks as check
import pytest

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "results"
NAMES = [name for name in check.names(ROOT / "experiments") if check.on_torch(name)]


def test_there_is_one():
    assert NAMES


@pytest.mark.parametrize("name", NAMES)
def test_an_experiment_is_a_command_and_its_table_is_todays(name):
    assert check.wrong(name, RESULTS) == []


@pytest.mark.parametrize("name", NAMES)
def test_the_sample_comes_out_the_same_again(name):
    assert check.otherwise(name, RESULTS) == []
