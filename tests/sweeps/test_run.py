"""A sweep gives one table, whatever runs it and whatever dies on the way."""

from __future__ import annotations

import importlib
import json
import os
import sys
import threading

import joblib
import pytest
import toys

from flbook.sweeps import Grid, SweepError, run

GRID = Grid(scale=[0.1, 1.0], seed=range(6))
SQUARES = Grid(number=range(10), deadly=3, wrong=7)
posix = pytest.mark.skipif(os.name != "posix", reason="sends SIGKILL")


def dying(tmp_path, name):
    return Grid(scale=[0.1, 1.0], seed=range(6), marker=str(tmp_path / name))


def without_marker(result):
    return [{name: row[name] for name in row if name != "marker"} for row in result.rows]


def test_the_rows_are_what_the_function_returns():
    result = run(toys.draw, GRID, workers=1, digits=15)
    assert len(result) == 12
    for point, row in zip(GRID, result.rows, strict=True):
        assert {name: row[name] for name in point} == point
        found = toys.draw(**point)
        assert row["value"] == pytest.approx(found["value"], rel=1e-14)
        assert row["curve"] == pytest.approx(found["curve"].tolist(), rel=1e-14)


@posix
def test_processes_give_the_table_of_one_though_a_worker_is_killed(tmp_path):
    serial = run(toys.draw, GRID, workers=1)
    parallel = run(toys.draw_but_die_once, dying(tmp_path, "loky"), workers=2)
    assert (tmp_path / "loky").exists()
    assert without_marker(parallel) == serial.rows


def test_other_backends_of_joblib_give_the_table_too():
    serial = run(toys.draw, GRID, workers=1)
    with joblib.parallel_config("threading"):
        assert run(toys.draw, GRID, workers=2).rows == serial.rows


def check_failures(error: SweepError, *, deadly: int, wrong: int):
    points = {point["number"]: why for point, why in error.failures}
    assert set(points) == {deadly, wrong}
    assert "died" in points[deadly]
    assert f"no square for {wrong}" in points[wrong]
    for number in (deadly, wrong):
        assert f"'number': {number}" in str(error)
    kept = set(range(10)) - {deadly, wrong}
    assert {row["number"]: row["square"] for row in error.result.rows} == {n: n**2 for n in kept}


@posix
def test_a_point_that_kills_its_worker_is_named_and_the_others_kept(tmp_path):
    with pytest.raises(SweepError) as caught:
        run(toys.square, SQUARES, workers=2, folder=tmp_path)
    check_failures(caught.value, deadly=3, wrong=7)
    assert len(list(tmp_path.glob("*.json"))) == 8


def test_a_point_that_raises_in_this_process_stops_no_other():
    with pytest.raises(SweepError, match="no square for 7") as caught:
        run(toys.square, Grid(number=range(10), wrong=7), workers=1)
    assert caught.value.result.column("number").tolist() == [0, 1, 2, 3, 4, 5, 6, 8, 9]


def counted(calls):
    def point(number):
        calls.append(number)
        return {"double": 2 * number}

    return point


def test_what_is_done_is_not_done_again(tmp_path):
    calls: list[int] = []
    run(counted(calls), Grid(number=[1, 2]), workers=1, folder=tmp_path)
    result = run(counted(calls), Grid(number=[3, 2, 1]), workers=1, folder=tmp_path)
    assert calls == [1, 2, 3]
    assert result.column("double").tolist() == [6, 4, 2]


@pytest.mark.parametrize("change", ["value", "type", "axis", "digits", "name"])
def test_a_changed_experiment_is_run_again(tmp_path, change):
    calls: list[float] = []

    def point(number, other=0):
        calls.append(number)
        return {"third": number / 3}

    run(point, Grid(number=1), workers=1, folder=tmp_path)
    grid, function, digits = Grid(number=1), point, 6
    if change == "value":
        grid = Grid(number=2)
    elif change == "type":
        grid = Grid(number=1.0)
    elif change == "axis":
        grid = Grid(number=1, other=0)
    elif change == "digits":
        digits = 3
    else:
        function = counted(calls)
    run(function, grid, workers=1, folder=tmp_path, digits=digits)
    assert len(calls) == 2


def test_changed_code_is_run_again_and_a_comment_is_no_change(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "lengths").mkdir()
    helper, experiment = (tmp_path / "lengths" / f"{name}.py" for name in ("helper", "toy"))
    helper.write_text("FACTOR = 1\n", encoding="utf-8")
    experiment.write_text(
        "from lengths.helper import FACTOR\ndef point(x):\n    return {'y': FACTOR * x}\n",
        encoding="utf-8",
    )
    toy = importlib.import_module("lengths.toy")
    keep, grid = tmp_path / "kept", Grid(x=1)
    assert run(toy.point, grid, workers=1, folder=keep).column("y") == 1
    helper.write_text("FACTOR =  1  # as before\n", encoding="utf-8")
    run(toy.point, grid, workers=1, folder=keep)
    assert len(list(keep.iterdir())) == 1
    helper.write_text("FACTOR = 1 + 1\n", encoding="utf-8")
    importlib.reload(importlib.import_module("lengths.helper"))
    assert run(importlib.reload(toy).point, grid, workers=1, folder=keep).column("y") == 2
    assert len(list(keep.iterdir())) == 2


def test_a_spoilt_checkpoint_is_run_again(tmp_path):
    calls: list[int] = []
    run(counted(calls), Grid(number=1), workers=1, folder=tmp_path)
    (path,) = tmp_path.glob("*.json")
    path.write_text('{"rows": [', encoding="utf-8")
    assert run(counted(calls), Grid(number=1), workers=1, folder=tmp_path).column("double") == 2
    assert calls == [1, 1]
    assert json.loads(path.read_text(encoding="utf-8"))["point"] == {"number": 1}


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="counts threads in /proc")
def test_the_cores_are_shared_out_among_the_processes():
    cores = joblib.cpu_count()
    result = run(toys.threads, Grid(number=range(2 * cores)), workers=max(2, cores))
    assert str(os.getpid()) not in {str(pid) for pid in result.column("pid")}
    assert set(result.column("blas")) == {1}
    assert max(result.column("xla")) <= 1


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"function": 3}, TypeError, "function must be a function"),
        ({"grid": [{"number": 1}]}, TypeError, "grid must be a Grid"),
        ({"grid": Grid(numbr=1)}, TypeError, "grid must have the axes that square"),
        ({"workers": 0}, ValueError, "workers must be"),
        ({"digits": 0}, ValueError, "digits must be"),
    ],
)
def test_bad_arguments_are_named(change, error, words):
    arguments = {"function": toys.square, "grid": Grid(number=1), "workers": 1, **change}
    with pytest.raises(error, match=words):
        run(arguments.pop("function"), arguments.pop("grid"), **arguments)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (3, "must return a dict"),
        ({"number": 1}, "names of its own"),
        ({"thread": threading.Lock()}, "thread must be a number"),
        ({"word": "NaN"}, "word must be a number to mean NaN"),
    ],
)
def test_what_is_no_row_is_told(found, words):
    with pytest.raises(SweepError, match=words):
        run(lambda number: found, Grid(number=1), workers=1)
