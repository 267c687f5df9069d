"""Make an experiment a command: ``python -m experiments.NAME [--quick] [--workers N]``."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from flbook.sweeps.checkpoints import full_name
from flbook.sweeps.grid import Grid
from flbook.sweeps.result import Result
from flbook.sweeps.runner import SweepError, run

__all__ = ["main"]


def _by_reference(function: Callable[..., Any]) -> tuple[Callable[..., Any], str, Path]:
    """Return the function as other processes import it, its module's name and the module's path."""
    module = importlib.import_module(full_name(function).partition(":")[0])
    if module.__file__ is None:
        raise ValueError(f"function must stand in a module that is a file, got {function!r}")
    return getattr(module, function.__name__), module.__name__, Path(module.__file__)


def main(
    function: Callable[..., Any],
    grid: Grid,
    quick: Grid,
    *,
    digits: int = 6,
    arguments: Sequence[str] | None = None,
) -> Result:
    """Run the experiment of a module ``experiments/NAME.py``, and save ``results/NAME.json``.

    With ``--quick`` the small grid runs instead, and its table goes to ``_build/results``. Points
    that are done are kept in ``_build/sweeps/NAME``, so that a run that was killed goes on, and
    one with more points adds them; `run` says when a point counts as done. The table holds as its
    `sample` the first point of the small grid, for a test to run again.

    Parameters
    ----------
    function : callable
        As `run` takes it, at the top of the module.
    grid, quick : Grid
        The experiment, and a small one that takes seconds.
    digits : int, default 6
        To how many significant digits the numbers are rounded.
    arguments : list of str, optional
        Of the command; by default those of this process.

    Raises
    ------
    SystemExit
        If the arguments are not as described, or points failed.

    Examples
    --------
    The end of ``experiments/NAME.py``::

        if __name__ == "__main__":
            sweeps.main(point, GRID, QUICK)
    """
    function, module, file = _by_reference(function)
    name = module.rpartition(".")[2]
    parser = argparse.ArgumentParser(
        prog=f"python -m {module}", description=sys.modules[module].__doc__
    )
    parser.add_argument("--quick", action="store_true", help="the small grid, to _build/results")
    parser.add_argument("--workers", type=int, help="how many processes (default: one a core)")
    options = parser.parse_args(arguments)

    root = file.resolve().parent.parent
    folder = root / "_build" / "sweeps" / name
    settings: dict[str, Any] = {"name": name, "digits": digits, "folder": folder, "progress": True}
    try:
        first = next(iter(quick))
        sample = run(function, Grid(**_single(first)), workers=1, **{**settings, "progress": False})
        chosen = quick if options.quick else grid
        result = run(function, chosen, workers=options.workers, **settings)
    except SweepError as error:
        sys.exit(str(error))
    result = replace(result, sample=sample.rows)
    path = result.save(root / "_build" / "results" if options.quick else root / "results")
    print(f"{path.relative_to(root)}: {len(result)} rows, {result.seconds:.3g} s of computing")
    return result


def _single(point: dict[str, Any]) -> dict[str, Any]:
    return {key: [value] if isinstance(value, list) else value for key, value in point.items()}
