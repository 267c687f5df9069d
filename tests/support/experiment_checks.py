"""What must hold between an experiment, a module, and the table that it left in ``results/``."""

from __future__ import annotations

import importlib
import math
import re
from pathlib import Path
from typing import Any

from flbook.sweeps import Grid, Result, load, run

TOLERANCE = 1e-4
COMMAND = re.compile(
    r'if __name__ == "__main__":\n    sweeps\.main\(point, GRID, QUICK.*\)\n\Z', re.S
)


def names(folder: Path) -> list[str]:
    """Return the experiments in a folder."""
    return sorted(path.stem for path in folder.glob("*.py") if not path.stem.startswith("_"))


def on_torch(name: str) -> bool:
    """Whether an experiment runs where PyTorch is; its name says so."""
    return name.endswith("_torch")


def wrong(name: str, results: Path) -> list[str]:
    """Say in what an experiment is no command, or its table not that of today."""
    module = load_module(name)
    code = Path(module.__file__).read_text(encoding="utf-8")
    told = (
        [] if module.__doc__ and COMMAND.search(code) else ["it is no command that says what it is"]
    )
    return told + stale(module, load(results / f"{name}.json"))


def otherwise(name: str, results: Path) -> list[str]:
    """Run the sample of a table again, and say where it comes out otherwise."""
    module, result = load_module(name), load(results / f"{name}.json")
    tolerance = getattr(module, "TOLERANCE", TOLERANCE)
    return differences(sample_again(module, result).rows, result.sample, tolerance)


def stale(module: Any, result: Result) -> list[str]:
    """Say in what a table is not that of the module as it stands."""
    name = module.__name__.rpartition(".")[2]
    wanted = {
        "name": (result.name, name),
        "function": (result.function, f"{module.__name__}:point"),
        "configuration": (Grid.from_configuration(result.configuration), module.GRID),
    }
    found = [f"{what} is {has}, not {is_}" for what, (has, is_) in wanted.items() if has != is_]
    points = [{axis: row.get(axis) for axis in point} for point, row in _first_rows(module, result)]
    if points != list(module.GRID):
        found.append("rows are not those of the points of GRID, in order")
    if not {"python", "flbook", "numpy"} <= set(result.versions):
        found.append("versions are missing")
    if not result.sample:
        found.append("sample is missing")
    return found


def _first_rows(module: Any, result: Result) -> list[tuple[dict, dict]]:
    """Return each point of the grid with the first row that has its values."""
    rows, pairs = iter(result.rows), []
    row = next(rows, None)
    for point in module.GRID:
        if row is None:
            break
        pairs.append((point, row))
        while row is not None and all(row.get(axis) == value for axis, value in point.items()):
            row = next(rows, None)
    return pairs if row is None else []


def sample_again(module: Any, result: Result) -> Result:
    """Run the sample of a table again."""
    first = next(iter(module.QUICK))
    axes = {name: [value] if isinstance(value, list) else value for name, value in first.items()}
    return run(module.point, Grid(**axes), digits=result.digits, workers=1)


def differences(found: Any, wanted: Any, tolerance: float, where: str = "row") -> list[str]:
    """Say where two values differ; numbers may do so by `tolerance`, relatively or absolutely."""
    if isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        pairs = [(f"{where}[{i}]", *pair) for i, pair in enumerate(zip(found, wanted, strict=True))]
    elif isinstance(wanted, dict) and isinstance(found, dict) and set(wanted) == set(found):
        pairs = [(f"{where}.{key}", found[key], wanted[key]) for key in wanted]
    else:
        numbers = isinstance(found, (int, float)) and isinstance(wanted, (int, float))
        same = found == wanted or (
            numbers
            and (
                (math.isnan(found) and math.isnan(wanted))
                or math.isclose(found, wanted, rel_tol=tolerance, abs_tol=tolerance)
            )
        )
        return [] if same else [f"{where} is {found!r}, was {wanted!r}"]
    return [told for name, new, old in pairs for told in differences(new, old, tolerance, name)]


def load_module(name: str) -> Any:
    return importlib.import_module(f"experiments.{name}")
