"""Explorers: pictures of training that follow the reader's hand, with a kernel or without one.

Each is an ipywidgets box of standard controls, joined by ``jslink`` to one anywidget figure that
solves the dynamics in the browser. No kernel is asked for anything.
"""

from __future__ import annotations

try:
    import anywidget  # noqa: F401
    import ipywidgets  # noqa: F401
except ModuleNotFoundError as missing:
    raise ModuleNotFoundError(
        f"flbook.explorers needs {missing.name}: pip install 'flbook[explorers]' brings it",
        name=missing.name,
    ) from missing

from flbook._model.scaling import Scaling
from flbook._model.task import Task
from flbook.explorers._catalogue import Parameter, parameters
from flbook.explorers._draws import even_starts
from flbook.explorers._explorer import Explorer
from flbook.explorers._figure import Figure

__all__ = [
    "Explorer",
    "Figure",
    "Parameter",
    "ensemble",
    "even_starts",
    "every_knob",
    "half_plane",
    "initial_scale",
    "kernel_drift",
    "neuron_plane",
    "parameters",
    "phase_diagram",
    "plateau_and_jump",
    "test_error",
]


def initial_scale(*, task: Task | None = None, **start: float) -> Explorer:
    """Show two networks that reach the same loss: one keeps its kernel, the other rebuilds it.

    Both have γ = 1/√d and learning rates 1; they differ in the initial scale of their weights.

    Parameters
    ----------
    task : Task, optional
        Sets `target`, `second_moment` and `noise` to those of a data set.
    **start : float
        Where the parameters start: `sigma` (σ_u = σ_w of the network that is set),
        `sigma_reference` (of the one that it is compared with), `clock` (training time from 0, the
        start, to 1, infinity), `width`, `target`, `overlap`, `second_moment`, `noise`.

    Returns
    -------
    Explorer

    Raises
    ------
    TypeError, ValueError
        If a name is not a parameter's, or a value is not a number of its range.

    Examples
    --------
    >>> from flbook import explorers
    >>> explorers.initial_scale(sigma=0.1)  # doctest: +ELLIPSIS
    Explorer('initial-scale', sigma=0.1, clock=1, width=1000, ...)
    """
    return Explorer("initial-scale", task=task, scaling=None, **start)


def neuron_plane(*, task: Task | None = None, **start: float) -> Explorer:
    """Show every neuron (u_i, w_i) of a small network sliding on its hyperbola while it trains.

    Parameters
    ----------
    task : Task, optional
        Sets `target`, `second_moment` and `noise` to those of a data set.
    **start : float
        Where the parameters start: `clock` (training time from 0, the start, to 1, infinity),
        `target`, `sigma_u`, `sigma_w`, `width` (2 to 60), `gamma`, `eta_u`, `eta_w`,
        `second_moment`, `noise`.

    Returns
    -------
    Explorer

    Raises
    ------
    TypeError, ValueError
        If a name is not a parameter's, or a value is not a number of its range.

    Examples
    --------
    >>> from flbook import explorers
    >>> explorers.neuron_plane(width=12)  # doctest: +ELLIPSIS
    Explorer('neuron-plane', clock=1, target=2, ...)
    """
    return Explorer("neuron-plane", task=task, scaling=None, **start)


def every_knob(*, task: Task | None = None, **start: float) -> Explorer:
    """Show loss, slope, kernel and alignment over time: exact, with frozen kernel, and logistic.

    Parameters
    ----------
    task : Task, optional
        Sets `target`, `second_moment` and `noise` to those of a data set.
    **start : float
        Where the parameters start: `t`, `width` (1 to 10¹²), `gamma`, `sigma_u`, `sigma_w`,
        `eta_u`, `eta_w`, `target`, `second_moment`, `overlap`, `noise`.

    Returns
    -------
    Explorer

    Raises
    ------
    TypeError, ValueError
        If a name is not a parameter's, or a value is not a number of its range.

    Examples
    --------
    >>> from flbook import explorers
    >>> explorers.every_knob(width=10**12)  # doctest: +ELLIPSIS
    Explorer('every-knob', t=1, sigma_u=0.398107, target=1, width=1e+12, ...)
    """
    return Explorer("every-knob", task=task, scaling=None, **start)


def kernel_drift(*, task: Task | None = None, **start: float) -> Explorer:
    """Show how far training takes the kernel, over time and against the width.

    The network has γ = 1/√d and learning rates 1 (the NTK parametrisation). With a target of
    minus the slope at the start (σ² times `overlap`), the kernel comes back to where it started.

    Parameters
    ----------
    task : Task, optional
        Sets `target`, `second_moment` and `noise` to those of a data set.
    **start : float
        Where the parameters start: `width` (1 to 10¹²), `target`, `overlap`, `clock` (training time
        from 0, the start, to 1, infinity), `sigma` (σ_u = σ_w), `second_moment`, `noise`.

    Returns
    -------
    Explorer

    Raises
    ------
    TypeError, ValueError
        If a name is not a parameter's, or a value is not a number of its range.

    Examples
    --------
    >>> from flbook import explorers
    >>> explorers.kernel_drift(width=10**6)  # doctest: +ELLIPSIS
    Explorer('kernel-drift', width=1e+06, target=3, overlap=0.5, clock=1, ...)
    """
    return Explorer("kernel-drift", task=task, scaling=None, **start)


def half_plane(*, task: Task | None = None, **start: float) -> Explorer:
    """Show training as a horizontal move in the half plane of (u·w, √D); drag start and target.

    The output multiplier and both learning rates are 1.

    Parameters
    ----------
    task : Task, optional
        Sets `target`, `second_moment` and `noise` to those of a data set.
    **start : float
        Where the parameters start: `uw` (overlap u·w at the start), `root_determinant` (√D),
        `target`, `layer_ratio` (|u|/|w|), `clock` (training time from 0, the start, to 1,
        infinity), `second_moment`, `noise`.

    Returns
    -------
    Explorer

    Raises
    ------
    TypeError, ValueError
        If a name is not a parameter's, or a value is not a number of its range.

    Examples
    --------
    >>> from flbook import explorers
    >>> explorers.half_plane(uw=2.0, target=0.5)  # doctest: +ELLIPSIS
    Explorer('half-plane', uw=2, root_determinant=0.6, target=0.5, ...)
    """
    return Explorer("half-plane", task=task, scaling=None, **start)


def phase_diagram(
    *, task: Task | None = None, scaling: Scaling | None = None, **start: float
) -> Explorer:
    """Show where a parametrisation lies as the width grows, and its training at one width.

    The map's axes are the exponents k (of the initial kernel) and b (of the signal 2γη). A click on
    it adds one power of the width to both initial variances and another to both learning rates.

    Parameters
    ----------
    task : Task, optional
        Sets `target`, `second_moment` and `noise` to those of a data set.
    scaling : Scaling, optional
        Sets the five powers `c_gamma` (of γ), `c_u`, `c_w` (of σ_u², σ_w²), `e_u` and `e_w` (of
        η_u, η_w).
    **start : float
        Where the parameters start: the five powers, `width` (10 to 10¹²), `target`, `overlap`,
        `clock` (training time from 0, the start, to 1, infinity), `second_moment`, `noise`.

    Returns
    -------
    Explorer

    Raises
    ------
    TypeError, ValueError
        If a name is not a parameter's, or a value is not a number of its range.

    Examples
    --------
    >>> import flbook as fl
    >>> from flbook import explorers
    >>> explorers.phase_diagram(scaling=fl.SCALINGS["ntk"])  # doctest: +ELLIPSIS
    Explorer('phase-diagram', c_gamma=-0.5, c_u=0, c_w=0, width=1000, e_u=0, e_w=0, ...)
    """
    return Explorer("phase-diagram", task=task, scaling=scaling, **start)


def plateau_and_jump(*, task: Task | None = None, **start: float) -> Explorer:
    """Show training from a vanishing start: a plateau, then a jump; exact beside logistic.

    The output multiplier and both learning rates are 1. With a negative `overlap` the network
    starts on the wrong side of the saddle: its layers disalign before they realign.

    Parameters
    ----------
    task : Task, optional
        Sets `target`, `second_moment` and `noise` to those of a data set.
    **start : float
        Where the parameters start: `sigma` (σ_u = σ_w, 1e-8 to 1), `overlap`, `target` (0.2 to 3),
        `tau` (time in units of 1/(2mγηv*)), `width` (2 to 100), `second_moment`, `noise`.

    Returns
    -------
    Explorer

    Raises
    ------
    TypeError, ValueError
        If a name is not a parameter's, or a value is not a number of its range.

    Examples
    --------
    >>> from flbook import explorers
    >>> explorers.plateau_and_jump(sigma=1e-6)  # doctest: +ELLIPSIS
    Explorer('plateau-and-jump', sigma=1e-06, overlap=1, target=1, tau=50, ...)
    """
    return Explorer("plateau-and-jump", task=task, scaling=None, **start)


def ensemble(
    *, task: Task | None = None, scaling: Scaling | None = None, **start: float | str
) -> Explorer:
    """Show what many random networks of one width do, and how the spread depends on the width.

    The networks are those of `even_starts`.

    Parameters
    ----------
    task : Task, optional
        Sets `target`, `second_moment` and `noise` to those of a data set.
    scaling : Scaling, optional
        Sets the five powers `c_gamma` (of γ), `c_u`, `c_w` (of σ_u², σ_w²), `e_u` and `e_w` (of
        η_u, η_w); NTK if left out.
    **start : float or str
        Where the parameters start: `width` (1 to 10¹²), `quantity` ("kernel_ratio",
        "final_alignment" or "initial_slope"), `sigma` (a factor on both initial scales), `target`,
        `overlap` (of the one network with a dot), the five powers, `second_moment`, `noise`.

    Returns
    -------
    Explorer

    Raises
    ------
    TypeError, ValueError
        If a name is not a parameter's, or a value is not a number of its range.

    Examples
    --------
    >>> from flbook import explorers
    >>> explorers.ensemble(quantity="final_alignment")  # doctest: +ELLIPSIS
    Explorer('ensemble', width=10, quantity='final_alignment', sigma=1, ...)
    """
    return Explorer("ensemble", task=task, scaling=scaling, **start)


def test_error(*, task: Task | None = None, **start: float) -> Explorer:
    """Show the exact test error beside the training line against the initial scale.

    The network has γ = 1/√d and learning rates 1.

    Parameters
    ----------
    task : Task, optional
        Sets `target`, `second_moment` and `noise` to those of a data set.
    **start : float
        Where the parameters start: `sigma` (σ_u = σ_w), `t`, `off_line_moment` (E|x⊥|² of the test
        inputs), `width` (10 to 10⁶), `target`, `overlap`, `noise`, `second_moment`.

    Returns
    -------
    Explorer

    Raises
    ------
    TypeError, ValueError
        If a name is not a parameter's, or a value is not a number of its range.

    Examples
    --------
    >>> from flbook import explorers
    >>> explorers.test_error(sigma=0.1)  # doctest: +ELLIPSIS
    Explorer('test-error', sigma=0.1, t=100000, off_line_moment=1, width=1000, ...)
    """
    return Explorer("test-error", task=task, scaling=None, **start)
