"""Tables for the explorers that browse one: the repository's, or made up by the catalogue."""

import itertools
import json
import math
from functools import cache
from pathlib import Path

import numpy as np

from flbook._support.shared import shared
from flbook.explorers import Explorer, parameters

ROOT = Path(__file__).resolve().parents[2]
CATALOGUE = shared("explorers")
BROWSING = [name for name, said in CATALOGUE.items() if "table" in said]
COMPUTING = [name for name in CATALOGUE if name not in BROWSING]
# Those of a network on a line, and of them those that take its task from the reader.
ON_A_LINE = [name for name in COMPUTING if "width" in parameters(name)]
WITH_A_TASK = [name for name in ON_A_LINE if "second_moment" in parameters(name)]

# Columns that hold one number for each of some layers, where others hold one.
LAYERS = {"weight_change": 4, "feature_change": 3, "alignment_before": 3, "alignment_after": 3}
SINGLE = {"zeta_solution"}
SCALES = (0.1, 1.0, 10.0)
MOMENTS = [0, 1, 3, 10, 30, 100, 300, 1000]
SEEDS = 5


def made_up(explorer: str, seed: int = 0) -> list[dict]:
    """Return rows of every combination that the catalogue knows, with random numbers in them."""
    said, known = CATALOGUE[explorer]["table"], parameters(explorer)
    random = np.random.default_rng(seed)
    choices = [list(known[name].options) for name in said["by"][:-1]]
    by_seed = "seeds" not in said

    def value(column: str):
        length = len(MOMENTS) if "time" in said else LAYERS.get(column)
        size = () if length is None or column in SINGLE else (length,)
        if by_seed:
            return random.uniform(0.01, 1, size).round(4).tolist()
        if column in SINGLE:
            return random.uniform()
        return np.sort(random.random((3, *size)), axis=0).round(4).tolist()

    rows = []
    for at in itertools.product(*choices, SCALES, range(SEEDS if by_seed else 1)):
        row = dict(zip((*said["by"], "seed" if by_seed else "part"), at, strict=True))
        row |= {} if by_seed else {said["seeds"]: SEEDS}
        row |= dict.fromkeys(said.get("time", ()), MOMENTS)
        row |= {column: value(column) for column in (*said["columns"], *said["optional"])}
        rows.append(row)
    return rows


@cache
def results_of(explorer: str):
    """Return the files that the explorer is for by what is in their first column, or rows."""
    said = CATALOGUE[explorer]["table"]
    if "files" in said:
        paths = {name: ROOT / "results" / f"{file}.json" for name, file in said["files"].items()}
        if there := {name: path for name, path in paths.items() if path.is_file()}:
            return there
    path = ROOT / "results" / f"{said['file']}.json"
    return path if path.is_file() else made_up(explorer)


def given_to(explorer: str) -> dict:
    """Return what an explorer cannot do without."""
    return {"results": results_of(explorer)} if explorer in BROWSING else {}


def opened(explorer: str, **start) -> Explorer:
    """Open an explorer, with results where it needs some."""
    return Explorer(explorer, **given_to(explorer), **start)


def rows_in(path: Path) -> list[dict]:
    """Return the rows of a file."""
    content = json.loads(path.read_text(encoding="utf-8"))
    rows, columns = content["rows"], content.get("columns")
    return [dict(zip(columns, row, strict=True)) for row in rows] if columns else rows


@cache
def rows_of(explorer: str) -> list[dict]:
    """Return the rows of an explorer's results, whichever they are."""
    results, (first, *_) = results_of(explorer), CATALOGUE[explorer]["table"]["by"]
    if isinstance(results, dict):
        results = [row | {first: name} for name, path in results.items() for row in rows_in(path)]
    elif isinstance(results, Path):
        results = rows_in(results)
    said = CATALOGUE[explorer]["table"]
    where = said.get("where", {})
    return [
        said.get("absent", {}) | row
        for row in results
        if all(row.get(name, wanted) == wanted for name, wanted in where.items())
    ]


def same(one, other) -> bool:
    """Tell whether two places in a table are one, but for rounding."""
    return one == other or (isinstance(one, float) and math.isclose(one, other, rel_tol=1e-9))


def crossing(explorer: str, shown: dict) -> float:
    """Return the largest scale at which the median errors cross the boundary, by logarithms."""
    *choices, level = CATALOGUE[explorer]["table"]["by"]
    mine = [row for row in rows_of(explorer) if all(row[key] == shown[key] for key in choices)]
    scales = sorted({row[level] for row in mine})
    errors = [
        quantity(explorer, "linearisation_error", {**shown, level: scale}) for scale in scales
    ]
    boundary = math.log(shown["boundary_error"])
    found = math.nan
    for (a, rich), (b, lazy) in itertools.pairwise(zip(scales, np.log(errors), strict=True)):
        if rich > boundary >= lazy:
            found = math.exp(np.interp(-boundary, [-rich, -lazy], np.log([a, b])))
    return found


def quantity(explorer: str, name: str, shown: dict) -> float:
    """Return what the rows say of a quantity at the setting that is shown; NaN where nothing."""
    by = CATALOGUE[explorer]["table"]["by"]
    rows = [row for row in rows_of(explorer) if all(same(row[key], shown[key]) for key in by)]
    assert rows, shown
    if "steps_recorded" in shown:
        (row,) = rows
        moment = row["steps_recorded"].index(shown["steps_recorded"])
        prefix, _, base = name.rpartition(".")
        curve = row[{"alignment": "zeta", "kernel_ratio": "kernel"}.get(base, base)]
        size = curve[1][0] if base == "kernel_ratio" else 1.0
        return curve[{"low": 0, "": 1, "high": 2}[prefix]][moment] / size
    if name == "miss":
        return quantity(explorer, "q50.predicted", shown) / quantity(explorer, "found", shown)
    if name == "found" and all(row.get("found") is None for row in rows):
        return crossing(explorer, shown)
    prefix, _, column = name.rpartition(".")
    values = sorted(float(row[column]) for row in rows if row.get(column) is not None)
    place = {"q10": 0.1, "q90": 0.9}.get(prefix, 0.5) * (len(values) - 1)
    if not values:
        return math.nan
    below, above = values[math.floor(place)], values[math.ceil(place)]
    return below + (place - math.floor(place)) * (above - below)
