"""An explorer: standard controls joined in the browser to one figure."""

from __future__ import annotations

from typing import Any

import ipywidgets

from flbook._model.gram import Gram
from flbook._model.network import Network
from flbook._model.scaling import Scaling
from flbook._model.task import Task
from flbook.explorers.catalogue import entry, parameters
from flbook.explorers.controls import control, setting
from flbook.explorers.figure import Figure
from flbook.explorers.recipe import recipe
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
    network : Network, optional
        The network that is shown; beyond the range of a slider, that becomes wider.
    gram : Gram, optional
        Its start, or that of the network which the other parameters describe; not where neurons are
        drawn one by one, from weights of their own.
    scaling : Scaling, optional
        Sets the five powers `c_gamma` (of γ), `c_u`, `c_w` (of σ_u², σ_w²), `e_u` and `e_w` (of
        η_u, η_w), their factors (`gamma_factor`, `sigma2_u_factor`, ...) and `fan_offset`, in an
        explorer that has these parameters. Beside `network` it sets no factors: they become those
        that give this network at its width.
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
        If a name is not a parameter's or set twice, a value is not a real number, or an object not
        of its class.
    ValueError
        If there is no such explorer, a value is out of range, an object holds several, `scaling` is
        in powers of something else than the width, or `gram` is no start of this explorer.
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
        network: Network | None = None,
        gram: Gram | None = None,
        **start: float | str,
    ) -> None:
        values, known = starting_values(
            name, start, task=task, scaling=scaling, network=network, gram=gram
        )
        said = entry(name)
        in_sight, more = (
            {parameter: control(known[parameter], values[parameter]) for parameter in said[group]}
            for group in ("controls", "more")
        )
        self.figure = Figure(name, values, known)
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

    def parameters(self) -> dict[str, Any]:
        """Return what the picture shows now: all that computes it again, by the API's names.

        Examples
        --------
        >>> import flbook as fl
        >>> from flbook import explorers
        >>> network, gram = fl.Network(100, gamma=0.1, eta_u=0.5), fl.Gram(99.0, 7.0, 101.0)
        >>> shown = explorers.every_knob(network=network, gram=gram).parameters()
        >>> shown["gamma"], round(shown["uu"], 9), round(shown["uw"], 9)
        (0.1, 99.0, 7.0)
        """
        values = {name: getattr(self.figure, name) for name in self.figure.start}
        return recipe(self.figure.explorer, values)

    def __repr__(self) -> str:
        """Name the explorer and where its parameters are: the same in every session.

        Those that no control moves are named where they are not at their defaults.
        """
        known = parameters(self.figure.explorer)
        values = (
            f"{name}={p.text(getattr(self.figure, name))}"
            for name, p in known.items()
            if name in self.controls or getattr(self.figure, name) != p.default
        )
        return f"Explorer({self.figure.explorer!r}, {', '.join(values)})"


def _rows(controls: dict[str, ipywidgets.DOMWidget]) -> ipywidgets.VBox:
    rows = ipywidgets.VBox(list(controls.values()))
    rows.add_class("flbook-controls")
    return rows
