"""The parts of a check-up, and the arrays that they are made from."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from flbook._measures import kernel_change as measure
from flbook._support.arrays import FloatArray
from flbook._support.checks import refuse_where

__all__ = ["LabelAlignment", "LayerAlignment", "MatrixPair", "Moment", "aligned", "finite"]

MatrixPair = tuple[str, str, ArrayLike, ArrayLike]
"""The names of two weights, and their matrices."""


class Moment(NamedTuple):
    """How far a network has come at one moment of training, against its start.

    Attributes
    ----------
    linearisation_error, kernel_change, kernel_rotation : float
        As in `Checkup`.

    Examples
    --------
    >>> from flbook import Moment
    >>> Moment(0.25, 1.0, 0.0).kernel_change
    1.0
    """

    linearisation_error: float
    kernel_change: float
    kernel_rotation: float


class LayerAlignment(NamedTuple):
    """ζ = ‖BA‖/(‖A‖‖B‖) of two layers that follow each other, A below B.

    Attributes
    ----------
    lower, upper : str
        The names of the two weights.
    before, after : float
        ζ before and after training.
    chance : float
        1/√d with d neurons between them, the size of ζ for layers that know nothing of each other.
    growth : float
        ‖A‖‖B‖ after training over before, what they grew by.

    Examples
    --------
    >>> import numpy as np
    >>> from flbook import Checkup
    >>> result = Checkup.from_arrays(
    ...     outputs_before=np.zeros(32), outputs_after=np.ones(32), linear_change=np.ones(32),
    ...     kernel_before=np.eye(32), kernel_after=np.eye(32),
    ...     pairs_before=[("w", "u", [[1.0], [0.0]], [[0.0, 1.0]])],
    ...     pairs_after=[("w", "u", [[3.0], [4.0]], [[3.0, 4.0]])],
    ... )
    >>> layers = result.alignment[0]
    >>> layers.before, layers.after, round(layers.chance, 4), layers.growth
    (0.0, 1.0, 0.7071, 25.0)
    """

    lower: str
    upper: str
    before: float
    after: float
    chance: float
    growth: float


class LabelAlignment(NamedTuple):
    """The cosine between the centred kernel and the centred kernel of the labels.

    Attributes
    ----------
    before, after : float
        Before and after training.
    chance : float
        The mean, after training, over all orders in which the labels could stand.

    Examples
    --------
    >>> from flbook import LabelAlignment
    >>> LabelAlignment(before=0.1, after=0.7, chance=0.1).after
    0.7
    """

    before: float
    after: float
    chance: float


def finite(name: str, value: ArrayLike, shape: tuple[int, ...] | None = None) -> FloatArray:
    """Return a finite float64 array of that shape, or with these last axes if it is a kernel's."""
    array = np.asarray(value, np.float64)
    if shape is not None and array.shape != shape:
        stack = name.startswith("kernel_before") and array.shape[1:] == shape and array.ndim == 3
        if not stack:
            raise ValueError(f"{name} must have the shape {shape}, got {array.shape}")
    refuse_where(~np.isfinite(array), name, array, "finite")
    return array


def aligned(before: MatrixPair, after: MatrixPair) -> LayerAlignment:
    """Return the alignment of two layers, before and after."""
    lower, upper = before[:2]
    (a0, b0), (a1, b1) = (
        (finite(lower, pair[2]), finite(upper, pair[3])) for pair in (before, after)
    )
    if a0.ndim != 2 or b0.ndim != 2 or len(a0) != b0.shape[1]:
        raise ValueError(
            "pairs_before must hold matrices (out, in) that fit, lower first, got the shapes "
            f"{a0.shape} of {lower!r} and {b0.shape} of {upper!r}"
        )
    sizes = [float(np.linalg.norm(a) * np.linalg.norm(b)) for a, b in ((a0, b0), (a1, b1))]
    return LayerAlignment(
        lower,
        upper,
        measure.layer_alignment(a0, b0),
        measure.layer_alignment(a1, b1),
        measure.chance_alignment(len(a0)),
        sizes[1] / sizes[0] if sizes[0] else math.inf,
    )
