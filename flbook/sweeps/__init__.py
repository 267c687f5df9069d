"""Experiments over grids: in parallel, resumable after a kill, with a result that says what it is.

An experiment is a function of one point of a grid. `run` maps it over the grid with joblib, in
processes of this machine or on a Dask or Ray cluster; `Result` is the table that comes out, and
`load` reads one that was saved; `main` makes a module of it a command.
"""

from __future__ import annotations

try:
    import joblib  # noqa: F401
    import tqdm  # noqa: F401
except ModuleNotFoundError as missing:
    raise ModuleNotFoundError(
        f"flbook.sweeps needs {missing.name}: pip install 'flbook[sweeps]' brings it",
        name=missing.name,
    ) from missing

from flbook.sweeps.command import main
from flbook.sweeps.grid import Grid
from flbook.sweeps.result import Result, load
from flbook.sweeps.runner import SweepError, run

__all__ = ["Grid", "Result", "SweepError", "load", "main", "run"]
