"""The explorers that browse the results of experiments; nothing is computed again in them.

What they take as `results` and how it is aggregated, `Explorer` says.
"""

from __future__ import annotations

from typing import Any

from flbook.explorers.explorer import Explorer
from flbook.explorers.functions import listing_parameters

__all__ = ["knob", "nonlinear_networks", "real_tasks"]


@listing_parameters
def nonlinear_networks(results: Any = None, **start: Any) -> Explorer:
    """Show two layers with an activation between them train, beside the exact linear network.

    Examples
    --------
    >>> from flbook import explorers
    >>> columns = ["zeta", "slope", "loss", "kernel"]
    >>> curves = dict.fromkeys(columns, [[0.1, 0.8], [0.2, 0.9], [0.3, 1.0]])
    >>> rows = [
    ...     {"task": "regression", "features": 1, "activation": "relu", "start": "align",
    ...      "scale": scale, "seeds": 5, "steps_recorded": [0, 100]} | curves
    ...     for scale in (0.1, 10.0)
    ... ]
    >>> explorers.nonlinear_networks(rows, scale=10)  # doctest: +NORMALIZE_WHITESPACE
    Explorer('nonlinear-networks', activation='relu', start='align', scale=10, progress=0,
        task='regression', features='1')
    """
    return Explorer("nonlinear-networks", results=results, **start)


@listing_parameters
def real_tasks(results: Any = None, **start: Any) -> Explorer:
    """Show what deep networks learn of images from many initial scales, and how far they move.

    Examples
    --------
    >>> from flbook import explorers
    >>> columns = ["test_accuracy", "train_loss", "linearisation_error", "kernel_change"]
    >>> rows = [
    ...     {"task": "mnist", "start": start, "scale": scale, "seed": 0, "kernel_rotation": 0.1}
    ...     | dict.fromkeys(columns, 0.5)
    ...     for start in ("plain", "centred") for scale in (0.3, 1.0, 3.0)
    ... ]
    >>> explorers.real_tasks(rows, scale=0.3)  # doctest: +NORMALIZE_WHITESPACE
    Explorer('real-tasks', task='mnist', measure='linearisation_error', start='plain', scale=0.3)
    """
    return Explorer("real-tasks", results=results, **start)


@listing_parameters
def knob(results: Any = None, **start: Any) -> Explorer:
    """Show which output scale one run takes for the boundary of laziness, and where that is.

    Several frameworks are given as a dict of results by their names. Networks that keep their
    random start are left out where the table says which these are.

    Examples
    --------
    >>> from flbook import explorers
    >>> rows = [
    ...     {"network": "MLP", "scale": scale, "seed": 0, "predicted": 1.0,
    ...      "linearisation_error": 0.1 / scale}
    ...     for scale in (0.1, 1.0, 10.0)
    ... ]
    >>> explorers.knob({"jax": rows, "pytorch": rows}, framework="pytorch")
    Explorer('knob', framework='pytorch', network='MLP', scale=1)
    """
    return Explorer("knob", results=results, **start)
