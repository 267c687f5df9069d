"""An explorer: standard controls joined in the browser to one figure."""

from __future__ import annotations

from typing import Any

import ipywidgets
import numpy as np

from flbook._model.scaling import Scaling
from flbook._model.task import Task
from flbook.explorers._catalogue import Parameter, catalogue, parameters, starting_values
from flbook.explorers._figure import Figure

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
        Sets `c_gamma`, `c_u`, `c_w`, `e_u` and `e_w`, in an explorer that has these parameters.
    **start : float or str
        Where the parameters start; those not given start at their defaults.

    Attributes
    ----------
    figure : Figure
        The picture; its traits are the parameters.
    controls : dict of str to ipywidgets widget
        The sliders by parameter.

    Raises
    ------
    TypeError
        If a name is not a parameter's, a value is not a real number, `task` is not one Task, or
        `scaling` is not a Scaling.
    ValueError
        If there is no such explorer, or a value is out of range.
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
        if name not in catalogue():
            raise ValueError(f"name must be one of {', '.join(catalogue())}, got {name!r}")
        if task is not None:
            start = _with_task(task, start)
        if scaling is not None:
            start = _with_scaling(scaling, start)
        values = starting_values(name, start)
        self.figure = Figure(name, values)
        entry, known = catalogue()[name], parameters(name)
        self.controls = {
            parameter: _control(known[parameter], values[parameter])
            for parameter in (*entry["controls"], *entry["more"])
        }
        self.links = [
            ipywidgets.jslink((control, _setting(control)), (self.figure, parameter))
            for parameter, control in self.controls.items()
        ]
        children: list[ipywidgets.Widget] = [
            self.figure,
            _rows([self.controls[parameter] for parameter in entry["controls"]]),
        ]
        if entry["more"]:
            more = _rows([self.controls[parameter] for parameter in entry["more"]])
            children.append(ipywidgets.Accordion([more], titles=("More",), selected_index=None))
        super().__init__(children)
        self.add_class("flbook-explorer")

    def __repr__(self) -> str:
        """Name the explorer and where its parameters are: the same in every session."""
        known = parameters(self.figure.explorer)
        values = (
            f"{name}={known[name].text(getattr(self.figure, name))}" for name in self.figure.start
        )
        return f"Explorer({self.figure.explorer!r}, {', '.join(values)})"


def _with_task(task: Any, start: dict[str, Any]) -> dict[str, Any]:
    """Return `start` with the moments of `task` in the explorers' terms."""
    if not isinstance(task, Task):
        raise TypeError(f"task must be a flbook.Task, got {task!r}")
    if task.shape != ():
        raise ValueError(f"task must be one task, got tasks of shape {task.shape}")
    given = {
        "target": float(task.target),
        "second_moment": float(task.second_moment),
        "noise": 2 * float(task.loss_floor),
    }
    return _joined("task", given, start)


def _with_scaling(scaling: Any, start: dict[str, Any]) -> dict[str, Any]:
    """Return `start` with the powers of `scaling` in the explorers' terms."""
    if not isinstance(scaling, Scaling):
        raise TypeError(f"scaling must be a flbook.Scaling, got {scaling!r}")
    given = {
        "c_gamma": scaling.gamma,
        "c_u": scaling.sigma2_u,
        "c_w": scaling.sigma2_w,
        "e_u": scaling.eta_u,
        "e_w": scaling.eta_w,
    }
    return _joined("scaling", given, start)


def _joined(source: str, given: dict[str, float], start: dict[str, Any]) -> dict[str, Any]:
    for name in given:
        if name in start:
            raise TypeError(
                f"{name} is set by {source} already, got {name}={start[name]!r} as well"
            )
    return {**start, **given}


def _setting(control: ipywidgets.Widget) -> str:
    """Name the trait of `control` that the browser knows as a number."""
    return "index" if isinstance(control, ipywidgets.Dropdown) else "value"


def _control(parameter: Parameter, value: float) -> ipywidgets.Widget:
    """Return the slider of `parameter`, or the menu of its options.

    A slider has no step, so that it keeps any value it is given.
    """
    if parameter.options:
        menu = ipywidgets.Dropdown(
            options=list(parameter.options.values()),
            index=int(value),
            description=parameter.description,
            layout={"width": "auto"},
        )
        menu.add_class(f"flbook-parameter-{parameter.name}")
        return menu
    common: dict[str, Any] = {
        "description": parameter.description,
        "readout_format": parameter.format,
        "layout": {"width": "auto"},
    }
    if parameter.scale == "log":
        low, high = _exponent(parameter.min), _exponent(parameter.max)
        slider = ipywidgets.FloatLogSlider(value=value, min=low, max=high, step=None, **common)
    elif parameter.integer:
        low, high = int(parameter.min), int(parameter.max)
        slider = ipywidgets.IntSlider(value=int(value), min=low, max=high, **common)
    else:
        low, high = parameter.min, parameter.max
        slider = ipywidgets.FloatSlider(value=value, min=low, max=high, step=None, **common)
    slider.add_class(f"flbook-parameter-{parameter.name}")
    return slider


def _exponent(value: float) -> int:
    exponent = round(np.log10(value))
    if not np.isclose(10.0**exponent, value, rtol=1e-12):
        raise ValueError(f"a logarithmic slider must run between powers of 10, got {value:g}")
    return exponent


def _rows(controls: list[ipywidgets.Widget]) -> ipywidgets.VBox:
    rows = ipywidgets.VBox(controls)
    rows.add_class("flbook-controls")
    return rows
