"""Every table in ``results/`` is that of an experiment as it stands, and a share is run again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import experiment_checks as check
import pytest

from flbook.sweeps import Grid, run

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "results"
NAMES = check.names(ROOT / "experiments")
HERE = [name for name in NAMES if not check.on_torch(name)]  # tests/torch has the others


def test_every_table_has_its_experiment_and_every_experiment_its_table():
    assert sorted(path.stem for path in RESULTS.glob("*")) == NAMES


@pytest.mark.parametrize("name", HERE)
def test_an_experiment_is_a_command_and_its_table_is_todays(name):
    assert check.wrong(name, RESULTS) == []


@pytest.mark.parametrize("name", HERE)
def test_the_sample_comes_out_the_same_again(name):
    assert check.otherwise(name, RESULTS) == []


def point(scale, seed):
    return [{"t": t, "value": scale * (seed + t), "curve": [seed / 3]} for t in range(2)]


TOY = SimpleNamespace(
    __name__="experiments.toy",
    point=point,
    GRID=Grid(scale=[0.1, 1.0], seed=range(3)),
    QUICK=Grid(scale=2.0, seed=1),
)


@pytest.fixture(scope="module")
def table():
    result = run(point, TOY.GRID, name="toy", workers=1)
    result = replace(result, function="experiments.toy:point")
    return replace(result, sample=check.sample_again(TOY, result).rows)


def test_a_table_of_today_is_not_stale(table):
    assert check.stale(TOY, table) == []
    assert check.differences(check.sample_again(TOY, table).rows, table.sample, 0) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda table: replace(table, name="other"), "name is"),
        (lambda table: replace(table, function="experiments.other:point"), "function is"),
        (lambda table: replace(table, configuration=[{"scale": [0.1]}]), "configuration is"),
        (lambda table: replace(table, rows=table.rows[:-2]), "rows are not"),
        (lambda table: replace(table, rows=[*table.rows, {"scale": 7, "seed": 0}]), "rows are not"),
        (lambda table: replace(table, rows=table.rows[::-1]), "rows are not"),
        (lambda table: replace(table, versions={}), "versions"),
        (lambda table: replace(table, sample=[]), "sample"),
    ],
)
def test_a_stale_table_is_noticed(table, change, words):
    assert any(told.startswith(words) for told in check.stale(TOY, change(table)))


@pytest.mark.parametrize(
    ("found", "count"),
    [
        ([{"value": 1.0, "curve": [0.5, float("nan")], "word": "a"}], 0),
        ([{"value": 1.00001, "curve": [0.5, float("nan")], "word": "a"}], 0),
        ([{"value": 1.01, "curve": [0.5, 0.5], "word": "b"}], 3),
        ([{"value": 1.0, "curve": [0.5], "word": "a"}], 1),
        ([{"value": 1.0, "curve": [0.5, float("nan")]}], 1),
        ([], 1),
    ],
)
def test_differences(found, count):
    wanted = [{"value": 1.0, "curve": [0.5, float("nan")], "word": "a"}]
    assert len(check.differences(found, wanted, 1e-4)) == count
