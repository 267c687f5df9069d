"""An explorer: standard controls joined in the browser to one figure."""

from __future__ import annotations

import ipywidgets

from flbook._model.scaling import Scaling
from flbook._model.task import Task
from flbook.explorers.catalogue import entry, parameters
from flbook.explorers.controls import control, setting
from flbook.explorers.figure import Figure
from flbook.explorers.starting_values import starting_values

__all__ = ["Explorer"]


class Explorer(ipywidgets.VBox):
    """A figure and the controls that move it, with no kernel between them.

    Parameters
    ----------
    name : str
        An explorer's name in ``shared/explorers.json``, such as ``"initial-scale"``.
    task : Task, optional
        Sets `target`, `second_moment` and `noise` to those of a data set.
    scaling : Scaling, optional
        Sets the five powers `c_gamma` (of γ), `c_u`, `c_w` (of σ_u², σ_w²), `e_u` and `e_w` (of
        η_u, η_w), their factors (`gamma_factor`, `sigma2_u_factor`, ...) and `fan_offset`, in an
        explorer that has these parameters.
    **start : float or str
        Where the parameters start, by the names of `parameters`; an option may be given by its
        name. Those not given start at their defaults.

    Attributes
    ----------
    figure : Figure
        The picture; its traits are the parameters.
    controls : dict of str to ipywidgets widget
        The sliders by parameter.

    Raises
    ------
    TypeError
        If a name is not a parameter's or set twice, a value is not a real number, `task` is not a
        Task, or `scaling` is not a Scaling.
    ValueError
        If there is no such explorer, a value is out of range, `task` holds several tasks, or
        `scaling` is in powers of something else than the width.
    FileNotFoundError
        If the front end has not been built.

    Examples
    --------
    >>> from flbook.explorers import Explorer
    >>> explorer = Explorer("initial-scale", sigma=0.1)
    >>> explorer.figure.sigma
    0.1
    """

    def __init__(
        self,
        name: str,
        *,
        task: Task | None = None,
        scaling: Scaling | None = None,
        **start: float | str,
    ) -> None:
        values = starting_values(name, start, task=task, scaling=scaling)
        known, said = parameters(name), entry(name)
        in_sight, more = (
            {parameter: control(known[parameter], values[parameter]) for parameter in said[group]}
            for group in ("controls", "more")
        )
        self.figure = Figure(name, values)
        self.controls = in_sight | more
        self.links = [
            ipywidgets.jslink((widget, setting(widget)), (self.figure, parameter))
            for parameter, widget in self.controls.items()
        ]
        children: list[ipywidgets.Widget] = [self.figure, _rows(in_sight)]
        if more:
            children.append(
                ipywidgets.Accordion([_rows(more)], titles=("More",), selected_index=None)
            )
        super().__init__(children)
        self.add_class("flbook-explorer")

    def __repr__(self) -> str:
        """Name the explorer and where its parameters are: the same in every session."""
        known = parameters(self.figure.explorer)
        values = (
            f"{name}={known[name].text(getattr(self.figure, name))}" for name in self.figure.start
        )
        return f"Explorer({self.figure.explorer!r}, {', '.join(values)})"


def _rows(controls: dict[str, ipywidgets.DOMWidget]) -> ipywidgets.VBox:
    rows = ipywidgets.VBox(list(controls.values()))
    rows.add_class("flbook-controls")
    return rows
