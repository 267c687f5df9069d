"""The explorers that browse results show numbers of the table, and say which."""

import itertools
import json
import math
import re
from types import SimpleNamespace

import pytest
from javascript import ask_node
from tables import BROWSING, CATALOGUE, COMPUTING, made_up, opened, quantity, rows_of

from flbook._measures import knob
from flbook.explorers import Explorer, parameters
from flbook.explorers.tables import LARGEST, table_of

every_table = pytest.mark.parametrize("explorer", BROWSING)


def settings(explorer: Explorer) -> list[dict[str, float]]:
    """Return every choice with every level, at three moments where there is a time."""
    places = {
        name: range(int(p.max) + 1) if name in explorer.figure.table["levels"] else (p.default,)
        for name, p in explorer.known.items()
    }
    if "progress" in places:
        places["progress"] = (0.0, 0.43, 1.0)
    return [
        dict(zip(places, map(float, values), strict=True))
        for values in itertools.product(*places.values())
    ]


@every_table
def test_every_number_is_one_of_the_table(explorer):
    python = opened(explorer)
    every = settings(python)
    asked = [
        {"what": "browse", "explorer": explorer, "values": every, "table": python.figure.table}
    ]
    (answers,) = ask_node(asked)
    for values, answer in zip(every, answers, strict=True):
        for name, value in values.items():
            setattr(python.figure, name, value)
        shown = python.parameters()
        assert answer["parameters"] == shown
        for name, number in answer["quantities"].items():
            wanted = quantity(explorer, name, shown)
            assert float(number) == pytest.approx(wanted, rel=1e-9, nan_ok=True), (name, shown)


@every_table
def test_the_setting_opens_the_same_picture_again(explorer):
    python = opened(explorer)
    for values in settings(python)[::7]:
        for name, value in values.items():
            setattr(python.figure, name, value)
        shown = python.parameters()
        start = {name: value for name, value in shown.items() if name in python.known}
        assert opened(explorer, **start).parameters() == shown


@every_table
def test_a_table_is_light_and_all_of_it_is_legal_json(explorer):
    table = opened(explorer).figure.table
    text = json.dumps(table, allow_nan=False)
    assert len(text) <= 1.05 * LARGEST
    *choices, level = CATALOGUE[explorer]["table"]["by"]
    points = {(*(row[key] for key in choices), f"{row[level]:.9g}") for row in rows_of(explorer)}
    assert len(table["groups"]) == len(points)


@every_table
def test_a_path_and_a_result_and_rows_are_one(explorer, tmp_path):
    rows = made_up(explorer)
    columns = list(rows[0])
    path = tmp_path / "some.json"
    content = {"columns": columns, "rows": [[row[column] for column in columns] for row in rows]}
    path.write_text(json.dumps(content))
    wanted = table_of(explorer, rows)
    for results in (path, str(path), SimpleNamespace(rows=rows)):
        assert table_of(explorer, results) == wanted


@every_table
def test_no_table_no_explorer(explorer, tmp_path):
    file = CATALOGUE[explorer]["table"]["file"]
    with pytest.raises(ValueError, match=f"results must be given .*results/{file}.json"):
        Explorer(explorer)
    with pytest.raises(FileNotFoundError, match=r"results must be a file .*none\.json"):
        Explorer(explorer, results=tmp_path / "none.json")
    other = tmp_path / "other.json"
    other.write_text("[1, 2]")
    with pytest.raises(ValueError, match="results must be a table with columns and rows"):
        Explorer(explorer, results=other)
    for wrong in (3, [1, 2], {"jax": 3}):
        with pytest.raises(TypeError, match="results must be a path, a Result or a list of dict"):
            Explorer(explorer, results=wrong)
    with pytest.raises(ValueError, match="results must have rows"):
        Explorer(explorer, results=[])


@every_table
def test_a_table_that_lacks_something_is_refused(explorer):
    rows, said = made_up(explorer), CATALOGUE[explorer]["table"]
    for column in (*said["by"], *said["columns"]):
        if column in said.get("absent", {}):
            continue
        without = [{key: v for key, v in row.items() if key != column} for row in rows]
        with pytest.raises(ValueError, match=f"got none called {column}"):
            table_of(explorer, without)
    level = said["by"][-1]
    with pytest.raises(ValueError, match=f"two or more values of {level}"):
        table_of(explorer, [row for row in rows if row[level] == rows[0][level]])
    with pytest.raises(ValueError, match=f"numbers above 0 as {level}"):
        table_of(explorer, [{**row, level: 0.0} for row in rows])
    choice = [row[said["by"][0]] for row in rows]
    one_less = [
        row
        for row in rows
        if row[said["by"][0]] != choice[0] or row[said["by"][1]] != rows[0][said["by"][1]]
    ]
    with pytest.raises(ValueError, match=r"results must have rows for all .* combinations"):
        table_of(explorer, one_less)
    with pytest.raises(ValueError, match=r"one row for each seed at .*select those"):
        table_of(explorer, rows + rows[:1])


@every_table
def test_what_is_chosen_must_be_in_the_table(explorer):
    level = CATALOGUE[explorer]["table"]["by"][-1]
    known = opened(explorer).known[level]
    with pytest.raises(ValueError, match=re.escape(f"{level} must be {known.allowed}, got '77")):
        opened(explorer, **{level: 77.25})
    with pytest.raises(TypeError, match=f"gram is not a parameter of the explorer '{explorer}'"):
        opened(explorer, gram=3.0)


def test_a_gap_is_no_number_and_no_level_is_made_up():
    rows = made_up("knob")
    for row in rows:
        if row["scale"] == 1.0 and row["network"] == "MLP":
            row["predicted"] = math.inf if row["seed"] else None
    rows = [row for row in rows if (row["network"], row["scale"]) != ("CNN", 10.0)]
    table = table_of("knob", rows)
    explorer = Explorer("knob", results=rows, network="CNN", scale=10.0)
    assert explorer.figure.scale == 2.0
    assert explorer.parameters()["scale"] == 1.0
    places = {name: levels.index for name, levels in table["levels"].items()}
    at = [places["framework"]("jax"), places["network"]("MLP"), places["scale"](1.0)]
    (group,) = (group for group in table["groups"] if group["at"] == at)
    assert group["predicted"] == ",,"
    json.dumps(table, allow_nan=False)


def test_frameworks_come_from_a_file_each_and_random_starts_are_left_out(tmp_path):
    rows = [
        {key: v for key, v in row.items() if key not in ("framework", "found")} | {"centred": kept}
        for row in made_up("knob")
        for kept in (True, False)
        if row["framework"] == "jax"
    ]
    path = tmp_path / "one.json"
    path.write_text(json.dumps({"rows": rows}))
    table = table_of("knob", {"pytorch": path, "jax": rows})
    assert table["levels"]["framework"] == ["jax", "pytorch"]
    assert table["seeds"] == 5
    assert table_of("knob", path)["levels"]["framework"] == ["jax"]
    with pytest.raises(ValueError, match="results must have rows for the explorer 'knob'"):
        table_of("knob", [row for row in rows if not row["centred"]])


def test_levels_that_only_rounding_tells_apart_are_one():
    rows = made_up("knob")
    for row in rows:
        row["scale"] *= 1 + 1e-15 * (row["framework"] == "jax")
    assert table_of("knob", rows)["levels"]["scale"] == [0.1, 1.0, 10.0]


def test_where_no_boundary_is_given_it_is_where_the_errors_cross_it():
    scales = (0.01, 0.1, 1.0, 10.0, 100.0)
    rows = [
        {"network": "MLP", "scale": a, "seed": 0, "predicted": 1.0, "linearisation_error": error}
        for a, error in zip(scales, (0.01, 0.9, 0.5, 0.05, 0.001), strict=True)
    ]
    explorer = Explorer("knob", results=rows)
    asked = {"explorer": "knob", "table": explorer.figure.table}
    values = [{name: getattr(explorer.figure, name) for name in explorer.known}]
    ((answer,),) = ask_node([{"what": "browse", "values": values, **asked}])
    boundary = explorer.figure.boundary_error
    power = math.log(0.5 / 0.05, 10)
    wanted = (0.5 / boundary) ** (1 / power)
    assert answer["quantities"]["found"] == pytest.approx(wanted, rel=1e-9)


def test_a_measure_that_the_table_has_not_is_not_offered():
    rows = [
        {key: v for key, v in row.items() if not key.startswith("alignment")}
        for row in made_up("real-tasks")
    ]
    explorer = Explorer("real-tasks", results=rows)
    assert "alignment" not in explorer.known["measure"].options
    with pytest.raises(ValueError, match=r"measure must be one of linearisation_error, .*"):
        Explorer("real-tasks", results=rows, measure="alignment")


def test_long_curves_are_thinned_until_they_are_light():
    rows = made_up("nonlinear-networks")
    long = [step * 10 for step in range(400)]
    for row in rows:
        row["steps_recorded"] = long
        for column in ("zeta", "slope", "loss", "kernel"):
            low, middle, high = row[column]
            row[column] = [[part[i % 8] for i in range(400)] for part in (low, middle, high)]
    table = table_of("nonlinear-networks", rows)
    assert len(json.dumps(table)) <= 1.05 * LARGEST
    (moments,) = table["moments"]
    assert table["recorded"] == 400 and 6 <= len(moments) < 30
    assert moments[0] == 0 and moments[-1] == long[-1]
    assert set(moments) <= set(long)


@pytest.mark.parametrize("explorer", COMPUTING)
def test_an_explorer_that_computes_takes_no_table(explorer):
    with pytest.raises(TypeError, match="results is not for the explorer"):
        Explorer(explorer, results=made_up("knob"))


def test_the_knob_claims_what_the_check_up_claims():
    """The sentence of every run names the factor that the report of its check-up would name."""
    explorer = opened("knob")
    every = settings(explorer)
    asked = {"what": "browse", "explorer": "knob", "values": every, "table": explorer.figure.table}
    (answers,) = ask_node([asked])
    seen = set()
    for answer in answers:
        said = re.search(r"the factor of (\S+) that it claims", answer["summary"])
        if said:
            error = answer["quantities"]["linearisation_error"]
            assert float(said[1]) == knob.uncertainty(error)
            seen.add(said[1])
    assert len(seen) == 2
    assert parameters("knob")["boundary_error"].default == pytest.approx(knob.RICH_ERROR)
