"""The table: what is saved is what was computed, and its questions are answered as numpy would."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from flbook.sweeps import Grid, load, run

NUMBERS = {"nan": math.nan, "inf": math.inf, "minus": -math.inf, "number": 1.5}


def rows(scale, seed):
    random = np.random.default_rng([seed, int(scale * 10)])
    return [{"t": t, "value": random.normal(), "curve": random.normal(size=4)} for t in (0, 1)]


@pytest.fixture(scope="module")
def result():
    return run(rows, Grid(scale=[0.1, 1.0], seed=range(5)), workers=1, name="table")


def illegal(word):
    raise AssertionError(f"{word} is not JSON")


def test_a_saved_table_is_read_back_whole(result, tmp_path):
    path = result.save(tmp_path)
    assert path == tmp_path / "table.json"
    again = load(path)
    assert again.rows == result.rows
    for name in ("name", "function", "configuration", "versions", "code", "digits", "columns"):
        assert getattr(again, name) == getattr(result, name)
    assert again.seeds == [0, 1, 2, 3, 4]
    assert Grid.from_configuration(again.configuration) == Grid(scale=[0.1, 1.0], seed=range(5))
    assert [path.name for path in tmp_path.iterdir()] == ["table.json"]


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers_that_json_does_not_know(name, tmp_path):
    made = run(lambda x: {"y": NUMBERS[x], "ys": [0.0, NUMBERS[x]]}, Grid(x=name), workers=1)
    path = made.save(tmp_path)
    json.loads(path.read_text(encoding="utf-8"), parse_constant=illegal)
    again = load(path)
    np.testing.assert_array_equal(again.column("y"), [NUMBERS[name]])
    np.testing.assert_array_equal(again.column("ys"), [[0.0, NUMBERS[name]]])


def test_numbers_are_rounded_as_said_and_points_are_not(tmp_path):
    made = run(lambda x: {"y": x / 3}, Grid(x=[0.123456789, 1e-30]), workers=1, digits=3)
    assert made.column("x").tolist() == [0.123456789, 1e-30]
    assert made.column("y").tolist() == [0.0412, 3.33e-31]
    assert load(made.save(tmp_path)).digits == 3


def test_seeds_may_be_counted_within_a_point():
    made = run(lambda seeds, x: {"y": x}, Grid(seeds=3, x=[0, 1]), workers=1)
    assert made.seeds == [0, 1, 2]


def test_columns(result):
    assert result.columns == ("scale", "seed", "t", "value", "curve")
    assert result.column("curve").shape == (20, 4)
    assert result.column("t").tolist() == [0, 1] * 10
    with pytest.raises(ValueError, match=r"column must be one of scale, .* got 'losses'"):
        result.column("losses")


def test_a_gap_is_nan_and_curves_may_differ_in_length():
    made = run(
        lambda n: {"curve": [0.5] * n} if n % 2 else {"curve": [0.5] * n, "even": n},
        Grid(n=[1, 2]),
        workers=1,
    )
    assert [len(curve) for curve in made.column("curve")] == [1, 2]
    np.testing.assert_array_equal(made.column("even"), [math.nan, 2])


@pytest.mark.parametrize(
    ("conditions", "count"),
    [
        ({}, 20),
        ({"scale": 0.1}, 10),
        ({"scale": np.float64(0.1), "t": 1}, 5),
        ({"seed": [0, 3]}, 8),
        ({"seed": {0, 3}, "t": 0}, 4),
        ({"seed": range(3)}, 12),
        ({"value": lambda value: value > 100}, 0),
        ({"seed": lambda seed: seed > 2}, 8),
    ],
)
def test_select(result, conditions, count):
    assert len(result.select(**conditions)) == count


def test_select_refuses_an_unknown_column(result):
    with pytest.raises(ValueError, match="got 'sead'"):
        result.select(sead=1)


def test_quantiles_are_numpys(result):
    spread = result.quantiles("value", by=("scale", "t"), levels=(0.1, 0.5, 0.9))
    assert spread.columns == ("scale", "t", "count", "low", "median", "high")
    for row in spread.rows:
        values = result.select(scale=row["scale"], t=row["t"]).column("value")
        assert row["count"] == len(values) == 5
        found = [row["low"], row["median"], row["high"]]
        np.testing.assert_allclose(found, np.quantile(values, [0.1, 0.5, 0.9]))
    curves = result.quantiles("curve", by="t").select(t=1)
    wanted = np.median(result.select(t=1).column("curve"), axis=0)
    np.testing.assert_allclose(curves.column("median")[0], wanted)


def test_quantiles_count_nan_out():
    values = [1.0, math.nan, 3.0]
    made = run(lambda seed: {"y": values[seed], "same": 0}, Grid(seed=range(3)), workers=1)
    (row,) = made.quantiles("y", by="same").rows
    assert (row["count"], row["median"]) == (2, 2.0)


@pytest.mark.parametrize("levels", [(0.5,), (0.0, 0.5, 1.5)])
def test_quantiles_refuse_other_levels(result, levels):
    with pytest.raises(ValueError, match="levels must be three numbers from 0 to 1"):
        result.quantiles("value", by="t", levels=levels)


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"columns": [NaN]}'])
def test_what_is_no_table_is_refused(tmp_path, text):
    path = tmp_path / "x.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match="path must be a result that a sweep has saved"):
        load(path)
    with pytest.raises(FileNotFoundError, match="path must be a result"):
        load(tmp_path / "y.json")


@pytest.mark.parametrize(
    ("axes", "error", "words"),
    [
        ({}, ValueError, "axis at least"),
        ({"x": []}, ValueError, "x must have values"),
        ({"x": [1, 1]}, ValueError, "each of them once"),
        ({"x": object()}, TypeError, "x must be a number"),
        ({"x": [1j]}, TypeError, "x must be a number"),
    ],
)
def test_a_grid_refuses(axes, error, words):
    with pytest.raises(error, match=words):
        Grid(**axes)


def test_a_grid_has_every_combination_once():
    one, two = Grid(x=np.array([0.5, 2.0]), y="a", z=range(2)), Grid(x=2.0, y=["a", "b"], z=1)
    assert list(one) == [{"x": x, "y": "a", "z": z} for x in (0.5, 2.0) for z in (0, 1)]
    assert list(one + two) == [*one, {"x": 2.0, "y": "b", "z": 1}]
    assert list(Grid(sizes=[[64, 10], [3]], flag=True)) == [
        {"sizes": [64, 10], "flag": True},
        {"sizes": [3], "flag": True},
    ]
