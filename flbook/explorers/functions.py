"""One function for every explorer: what it shows; its parameters are those of the catalogue."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

from flbook._model.gram import Gram
from flbook._model.network import Network
from flbook._model.scaling import Scaling
from flbook._model.task import Task
from flbook.explorers.catalogue import parameters
from flbook.explorers.explorer import Explorer

__all__ = [
    "ensemble",
    "every_knob",
    "half_plane",
    "initial_scale",
    "kernel_drift",
    "neuron_plane",
    "phase_diagram",
    "plateau_and_jump",
    "test_error",
]

RESULTS = """results : str, path, Result or list of dict
    the table of the experiment"""

Opener = TypeVar("Opener", bound=Callable[..., Explorer])


def listing_parameters(opener: Opener) -> Opener:
    """Put the parameters of the explorer that is called as the function into its docstring."""
    about, _, example = (inspect.getdoc(opener) or "").partition("Examples\n")
    browses = "results" in inspect.signature(opener).parameters
    listed = f"{RESULTS}\n" * browses + "".join(
        f"{name} : {parameter.allowed}, default {parameter.text(parameter.default)}\n"
        f"    {parameter.label}{f', ``{parameter.symbol}``' if parameter.symbol else ''}\n"
        for name, parameter in parameters(opener.__name__.replace("_", "-")).items()
    )
    opener.__doc__ = f"{about}Parameters\n----------\n{listed}\nExamples\n{example}"
    return opener


@listing_parameters
def initial_scale(
    *,
    task: Task | None = None,
    network: Network | None = None,
    gram: Gram | None = None,
    **start: Any,
) -> Explorer:
    """Show two networks that reach the same loss: one keeps its kernel, the other rebuilds it.

    Both have γ = 1/√d and learning rates 1; they differ in the initial scale of their weights.

    Examples
    --------
    >>> from flbook import explorers
    >>> explorers.initial_scale(sigma=0.1)  # doctest: +ELLIPSIS
    Explorer('initial-scale', sigma=0.1, clock=1, width=1000, ...)
    """
    return Explorer("initial-scale", task=task, network=network, gram=gram, **start)


@listing_parameters
def neuron_plane(
    *,
    task: Task | None = None,
    network: Network | None = None,
    gram: Gram | None = None,
    **start: Any,
) -> Explorer:
    """Show every neuron (u_i, w_i) of a small network sliding on its hyperbola while it trains.

    Examples
    --------
    >>> from flbook import explorers
    >>> explorers.neuron_plane(width=12)  # doctest: +ELLIPSIS
    Explorer('neuron-plane', clock=1, target=2, ...)
    """
    return Explorer("neuron-plane", task=task, network=network, gram=gram, **start)


@listing_parameters
def every_knob(
    *,
    task: Task | None = None,
    network: Network | None = None,
    gram: Gram | None = None,
    **start: Any,
) -> Explorer:
    """Show loss, slope, kernel and alignment over time: exact, with frozen kernel, and logistic.

    Examples
    --------
    >>> from flbook import explorers
    >>> explorers.every_knob(width=10**12)  # doctest: +ELLIPSIS
    Explorer('every-knob', t=1, sigma_u=0.398107, target=1, width=1e+12, ...)
    """
    return Explorer("every-knob", task=task, network=network, gram=gram, **start)


@listing_parameters
def kernel_drift(
    *,
    task: Task | None = None,
    network: Network | None = None,
    gram: Gram | None = None,
    **start: Any,
) -> Explorer:
    """Show how far the kernel strays on the whole way of training, against the width.

    The network has γ = 1/√d, σ_u = σ_w and learning rates 1 (the NTK parametrisation); beside the
    largest |K/K(0) − 1| stands the one in the end. With a target of minus the slope at the start
    (σ² times `overlap`), the kernel comes back to where it started.

    Examples
    --------
    >>> from flbook import explorers
    >>> explorers.kernel_drift(width=10**6)  # doctest: +ELLIPSIS
    Explorer('kernel-drift', width=1e+06, target=3, overlap=0.5, clock=1, ...)
    """
    return Explorer("kernel-drift", task=task, network=network, gram=gram, **start)


@listing_parameters
def half_plane(
    *,
    task: Task | None = None,
    network: Network | None = None,
    gram: Gram | None = None,
    **start: Any,
) -> Explorer:
    """Show training as a horizontal move in the half plane of (u·w, √D); drag start and target.

    The output multiplier and both learning rates are 1.

    Examples
    --------
    >>> from flbook import explorers
    >>> explorers.half_plane(uw=2.0, target=0.5)  # doctest: +ELLIPSIS
    Explorer('half-plane', uw=2, root_determinant=0.8, target=0.5, ...)
    """
    return Explorer("half-plane", task=task, network=network, gram=gram, **start)


@listing_parameters
def phase_diagram(
    *,
    task: Task | None = None,
    scaling: Scaling | None = None,
    network: Network | None = None,
    gram: Gram | None = None,
    **start: Any,
) -> Explorer:
    """Show where a parametrisation lies as the width grows, and its training at one width.

    The map's axes are the exponents k (of the initial kernel) and b (of the signal 2γη). A click on
    it adds one power of the width to both initial variances and another to both learning rates.
    With a `kappa` above 1 the width stays and the powers are those of `kappa`, as in a scaling of
    width 0: below the diagonal a start whose layers weigh alike must then be unlearned.

    Examples
    --------
    >>> import flbook as fl
    >>> from flbook import explorers
    >>> explorers.phase_diagram(scaling=fl.SCALINGS["ntk"])  # doctest: +ELLIPSIS
    Explorer('phase-diagram', c_gamma=-0.5, c_u=0, c_w=0, width=1000, e_u=0, e_w=0, ...)
    """
    return Explorer(
        "phase-diagram", task=task, scaling=scaling, network=network, gram=gram, **start
    )


@listing_parameters
def plateau_and_jump(
    *,
    task: Task | None = None,
    network: Network | None = None,
    gram: Gram | None = None,
    **start: Any,
) -> Explorer:
    """Show training from a vanishing start: a plateau, then a jump; exact beside logistic.

    The output multiplier and both learning rates are 1, and σ_u = σ_w. With a negative `overlap`
    the network starts on the wrong side of the saddle: its layers disalign before they realign.

    Examples
    --------
    >>> from flbook import explorers
    >>> explorers.plateau_and_jump(sigma=1e-6)  # doctest: +ELLIPSIS
    Explorer('plateau-and-jump', sigma=1e-06, overlap=1, target=1, tau=50, ...)
    """
    return Explorer("plateau-and-jump", task=task, network=network, gram=gram, **start)


@listing_parameters
def ensemble(
    *,
    task: Task | None = None,
    scaling: Scaling | None = None,
    network: Network | None = None,
    gram: Gram | None = None,
    **start: Any,
) -> Explorer:
    """Show what many random networks of one width do, and how the spread depends on the width.

    The networks are those of `even_starts`; `sigma` is a factor on both initial scales.

    Examples
    --------
    >>> from flbook import explorers
    >>> explorers.ensemble(quantity="final_alignment")  # doctest: +ELLIPSIS
    Explorer('ensemble', width=10, quantity='final_alignment', sigma=1, ...)
    """
    return Explorer("ensemble", task=task, scaling=scaling, network=network, gram=gram, **start)


@listing_parameters
def test_error(
    *,
    task: Task | None = None,
    network: Network | None = None,
    gram: Gram | None = None,
    **start: Any,
) -> Explorer:
    """Show the exact test error beside the training line against the initial scale.

    The network has γ = 1/√d, σ_u = σ_w and learning rates 1.

    Examples
    --------
    >>> from flbook import explorers
    >>> explorers.test_error(sigma=0.1)  # doctest: +ELLIPSIS
    Explorer('test-error', sigma=0.1, t=100000, off_line_moment=1, width=1000, ...)
    """
    return Explorer("test-error", task=task, network=network, gram=gram, **start)
