"""An explorer: standard controls joined in the browser to one figure."""

from __future__ import annotations

from typing import Any

import ipywidgets

from flbook._dynamics.neuron_flow import NeuronFlow
from flbook._model.gram import Gram
from flbook._model.network import Network
from flbook._model.scaling import Scaling
from flbook._model.task import Task
from flbook.explorers.catalogue import entry
from flbook.explorers.controls import control, setting
from flbook.explorers.figure import Figure
from flbook.explorers.recipe import recipe
from flbook.explorers.starting_values import starting_values
from flbook.explorers.table_setting import setting_in, shown_in
from flbook.explorers.tables import table_of

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
    neuron : NeuronFlow, optional
        The single neuron that is shown, in the explorer that shows one.
    results : str, path, Result or list of dict, optional
        The table of an experiment, for the explorers that browse one: its file, what
        `flbook.sweeps.load` reads from it, its rows, or a dict of such by what their first column
        is. What they show is the median over the seeds and the quantiles at 10 % and 90 %, or those
        that the table holds already; no other explorer takes it.
    **start : float or str
        Where the parameters start, by the names of `parameters`; an option may be given by its
        name. Those not given start at their defaults.

    Attributes
    ----------
    figure : Figure
        The picture; its traits are the parameters.
    controls : dict of str to ipywidgets widget
        The sliders by parameter.
    known : dict of str to Parameter
        The parameters with the ranges and the options that they have here.

    Raises
    ------
    TypeError
        If a name is not a parameter's or set twice, a value is not a real number, or an object not
        of its class.
    ValueError
        If there is no such explorer, a value is out of range, an object holds several, `scaling` is
        in powers of something else than the width, `gram` is no start of this explorer, or
        `results` are missing or not its table.
    FileNotFoundError
        If the front end has not been built, or there are no such results.

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
        neuron: NeuronFlow | None = None,
        results: Any = None,
        **start: float | str,
    ) -> None:
        said = entry(name)
        sources = {"task": task, "scaling": scaling, "network": network, "gram": gram}
        sources |= {"neuron": neuron}
        if "table" in said:
            # there these are names of columns, if anything
            given = {source: value for source, value in sources.items() if value is not None}
            table = table_of(name, results)
            values, known = setting_in(name, table, {**start, **given})
        else:
            if results is not None:
                raise TypeError(f"results is not for the explorer {name!r}, which browses no table")
            table = {}
            values, known = starting_values(name, start, **sources)
        in_sight, more = (
            {parameter: control(known[parameter], values[parameter]) for parameter in said[group]}
            for group in ("controls", "more")
        )
        self.known = known
        self.figure = Figure(name, values, known, table)
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
        values = {name: getattr(self.figure, name) for name in self.figure.opening}
        if self.figure.table:
            return shown_in(self.figure.explorer, self.figure.table, values)
        return recipe(self.figure.explorer, values)

    def __repr__(self) -> str:
        """Name the explorer and where its parameters are: the same in every session.

        Those that no control moves are named where they are not at their defaults.
        """
        values = (
            f"{name}={p.text(getattr(self.figure, name))}"
            for name, p in self.known.items()
            if name in self.controls or getattr(self.figure, name) != p.default
        )
        return f"Explorer({self.figure.explorer!r}, {', '.join(values)})"


def _rows(controls: dict[str, ipywidgets.DOMWidget]) -> ipywidgets.VBox:
    rows = ipywidgets.VBox(list(controls.values()))
    rows.add_class("flbook-controls")
    return rows
