"""The one anywidget figure, which computes and draws in the browser."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from functools import cache
from importlib import resources
from typing import Any

import anywidget
import traitlets

from flbook._model.parametrisations import SCALINGS
from flbook._model.scaling import Scaling
from flbook.explorers.catalogue import Parameter, entry, parameters
from flbook.explorers.draws import neuron_draws

__all__ = ["Figure"]


@cache
def _bundled(name: str) -> str:
    file = resources.files("flbook") / "explorers" / "bundle" / name
    if not file.is_file():
        raise FileNotFoundError(
            f"the explorers' front end is not built: {file} is missing. "
            "In a checkout of the repository run `python frontend/bundle.py`; "
            "an installed flbook brings it along."
        )
    return file.read_text(encoding="utf-8")


class Figure(anywidget.AnyWidget):
    """The picture of one explorer; its traits are the parameters, and nothing else ever changes.

    Parameters
    ----------
    explorer : str
        Which picture, as in ``shared/explorers.json``.
    opening : dict of str to float
        The value of every parameter, which "Reset" goes back to.
    known : dict of str to Parameter, optional
        The parameters, if their ranges are not those of the catalogue.
    table : dict, optional
        What `table_of` made of the results of an experiment, where the explorer browses one.

    Raises
    ------
    FileNotFoundError
        If the front end has not been built.
    traitlets.TraitError
        If a parameter is set to something that is not a number of its range.

    Examples
    --------
    >>> from flbook import explorers
    >>> explorers.half_plane(uw=2).figure.uw
    2.0
    """

    explorer = traitlets.Unicode(read_only=True).tag(sync=True)
    opening = traitlets.Dict(read_only=True).tag(sync=True)
    scalings = traitlets.Dict(read_only=True).tag(sync=True)
    draws_u = traitlets.List(read_only=True).tag(sync=True)
    draws_w = traitlets.List(read_only=True).tag(sync=True)
    table = traitlets.Dict(read_only=True).tag(sync=True)

    def __init__(
        self,
        explorer: str,
        opening: dict[str, float],
        known: Mapping[str, Parameter] | None = None,
        table: Mapping[str, Any] | None = None,
    ) -> None:
        self._esm = _bundled("explorers.js")
        self._css = _bundled("explorers.css")
        super().__init__()
        known = parameters(explorer) if known is None else known
        self.add_traits(**{name: _number(p, opening[name]) for name, p in known.items()})
        u, w = neuron_draws(entry(explorer)["neurons"])
        fixed: dict[str, Any] = {
            "explorer": explorer,
            "opening": opening,
            "scalings": {name: _plain(scaling) for name, scaling in SCALINGS.items()},
            "draws_u": u,
            "draws_w": w,
            "table": dict(table or {}),
        }
        for name, value in fixed.items():
            self.set_trait(name, value)

    def __repr__(self) -> str:
        """Name the explorer; no memory address."""
        return f"Figure({self.explorer!r})"


def _plain(scaling: Scaling) -> dict[str, Any]:
    """Return the fields of `scaling` as JSON knows them."""
    return {**asdict(scaling), "factors": scaling.factors._asdict()}


def _number(parameter: Parameter, value: float) -> traitlets.TraitType:
    """Return the trait of `parameter`; the browser may miss an end by its rounding."""
    low, high = (
        end + side * abs(end) * 1e-9 for end, side in ((parameter.min, -1), (parameter.max, 1))
    )
    return _Finite(value, min=low, max=high).tag(sync=True)


class _Finite(traitlets.Float):
    def validate(self, obj: Any, value: Any) -> Any:
        number = super().validate(obj, value)
        if math.isnan(number):
            self.error(obj, value)
        return number
