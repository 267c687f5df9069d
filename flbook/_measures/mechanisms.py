"""Three mechanisms: what a network learned, split into alignment and rescaling."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from flbook._model.gram import Gram
from flbook._support.arrays import FloatArray, ValueObject, broadcast_shape
from flbook._support.checks import instance
from flbook._support.shared import shared

__all__ = ["LEAST_STRETCH", "LEAST_TURN", "Decomposition", "decompose"]

TERMS = shared("terms")
NAMES = TERMS["mechanisms"]
LEAST_STRETCH: float = np.log1p(TERMS["lazy"])
"""The least change of log(|u||w|) that counts: that of a kernel that is just not lazy any more.

The kernel of balanced layers is proportional to |u||w|, so a stretch below it is laziness itself.
"""
LEAST_TURN: float = np.arccos(1 / (1 + TERMS["lazy"]))
"""The least turn of the layers that counts, in radians: the one that comes with `LEAST_STRETCH`.

From orthogonal layers a turn by φ at a frozen determinant stretches |u||w| by 1/cos φ ≈ 1 + φ²/2:
a turn is of first order in ζ and the kernel of second, so 1 % of the kernel is 8° of turn.
"""


@dataclass(frozen=True, eq=False)
class Decomposition(ValueObject):
    """What happened between two Gram matrices, as made by `decompose`.

    Attributes
    ----------
    rescaling, alignment : float or array
        The changes of log(|u||w|) and of log|ζ|.
    turn : float or array
        The change of the angle φ between the layers, in [−π, π]; negative if they turned towards
        each other.
    crossed : bool or array of bool
        Whether u·w changed its sign, so that the layers passed through ζ = 0.
    mechanism : str or array of str
        "alignment", "disalignment", "rescaling" or "kernel".

    Examples
    --------
    >>> from flbook import Gram, decompose
    >>> learned = decompose(Gram(1.0, 0.5, 1.0), Gram(4.0, 2.0, 4.0))
    >>> print(learned.mechanism, learned.rescaling.round(6), learned.alignment.round(6))
    rescaling 1.386294 0.0
    """

    rescaling: FloatArray
    alignment: FloatArray
    turn: FloatArray
    crossed: NDArray[np.bool_]
    mechanism: str | NDArray[np.str_]

    @cached_property
    def total(self) -> FloatArray:
        """The change of log|u·w|, which is that of log|v|: rescaling + alignment."""
        return self.rescaling + self.alignment


def decompose(before: Gram, after: Gram) -> Decomposition:
    """Split what was learned into a rescaling share and an alignment share, and name it.

    Since v = γ|u||w|ζ, a change of log|v| is exactly the sum of a change of log(|u||w|), the
    stretch, and one of log|ζ|, made by the turn. In the half plane of the points (S, √D), with
    S = u·w and the Gram determinant D, these are the logarithm of the radius and of the cosine of
    the angle. The name is "kernel" where neither counts: the stretch is below `LEAST_STRETCH` and
    the turn below `LEAST_TURN` (also on the way through ζ = 0, where S changed its sign). Otherwise
    it goes by the larger share: "rescaling", or "alignment" where |ζ| grew and "disalignment"
    where it fell.

    Parameters
    ----------
    before, after : Gram
        Two states of a network, or of many; the shapes broadcast.

    Raises
    ------
    TypeError, ValueError
        If an argument is not a Gram, or the shapes do not broadcast.

    Notes
    -----
    The three mechanisms are those of Xu & Ziyin, arXiv:2401.07085. Under gradient flow D never
    moves and the point moves horizontally; `decompose` does not need that, and splits what discrete
    steps learned just as well.

    Limits stand where a logarithm has none. From ζ = 0 to anything else the alignment share is ∞,
    and −∞ back; from ζ = 0 to ζ = 0 it is 0. A layer of zeros has no angle, so nothing can have
    turned: the alignment share is 0, and the rescaling share is ∞ from zero, −∞ to zero and 0 from
    zero to zero.

    Examples
    --------
    >>> from flbook import GradientFlow, Gram, Network, Task, decompose
    >>> flow = GradientFlow(Network(2), Task(1.0, 3.0, 9.0), Gram(1.0, [0.1, -0.9, 0.9], 1.0))
    >>> learned = decompose(flow.gram(0.0), flow.gram(float("inf")))
    >>> print(learned.mechanism)
    ['alignment' 'rescaling' 'rescaling']
    >>> print(learned.crossed)
    [False  True False]
    >>> print((learned.total - learned.rescaling).round(3))
    [2.25  0.095 0.095]
    """
    instance("before", before, Gram)
    instance("after", after, Gram)
    shape = broadcast_shape(before=before.shape, after=after.shape)
    first, second = _Point(before, shape), _Point(after, shape)
    both_sized = (first.radius > 0) & (second.radius > 0)

    rescaling = _log_ratio(second.radius, first.radius)
    alignment = np.where(both_sized, _log_cosine_ratio(second, first), 0.0)
    turn = np.where(both_sized, second.angle - first.angle, 0.0)
    crossed = np.sign(first.along) * np.sign(second.along) < 0
    to_the_top = np.where(crossed, np.pi / 2 - first.folded, 0.0)
    turned = np.maximum(np.abs(second.folded - first.folded), to_the_top)
    counts = (np.abs(rescaling) > LEAST_STRETCH) | (both_sized & (turned > LEAST_TURN))
    name = np.select(
        [~counts, np.abs(rescaling) > np.abs(alignment), alignment >= 0],
        [NAMES[key] for key in ("kernel", "rescaling", "alignment")],
        NAMES["disalignment"],
    )
    if not shape:
        return Decomposition(rescaling[()], alignment[()], turn[()], crossed[()], str(name))
    for array in (rescaling, alignment, turn, crossed, name):
        array.flags.writeable = False
    return Decomposition(rescaling, alignment, turn, crossed, name)


class _Point:
    """A state as the point (S, √D) of the half plane."""

    def __init__(self, gram: Gram, shape: tuple[int, ...]) -> None:
        self.along = np.broadcast_to(gram.uw, shape)
        self.across = np.broadcast_to(gram.root_determinant, shape)
        self.radius = np.hypot(self.along, self.across)
        self.angle = np.arctan2(self.across, self.along)
        self.folded = np.arctan2(self.across, np.abs(self.along))
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            # √D/|S|, the tangent of the folded angle; of no meaning where the radius is 0
            self.tangent = np.abs(self.across / self.along)


def _log_ratio(new: FloatArray, old: FloatArray) -> FloatArray:
    """Return log(new/old) of numbers of at least 0, with log(0/0) = 0."""
    new_part, new_power = np.frexp(new)
    old_part, old_power = np.frexp(old)
    one = np.ones_like(new)
    parts = np.divide(new_part, old_part, out=one, where=(new > 0) & (old > 0))
    value = np.log(parts) + (new_power - old_power) * np.log(2.0)
    return np.where(new > 0, np.where(old > 0, value, np.inf), np.where(old > 0, -np.inf, 0.0))


def _log_cosine_ratio(new: _Point, old: _Point) -> FloatArray:
    """Return log|ζ_new/ζ_old|; by the tangents, 1/ζ² = 1 + tan², where both are steep."""
    narrow = (new.tangent < 1) & (old.tangent < 1)
    with np.errstate(invalid="ignore"):
        tangents = [np.where(narrow, point.tangent, 0.0) for point in (new, old)]
        near_one = (np.log1p(tangents[1] ** 2) - np.log1p(tangents[0] ** 2)) / 2
    cosines = [
        np.divide(
            np.abs(point.along), point.radius, out=np.zeros(narrow.shape), where=point.radius > 0
        )
        for point in (new, old)
    ]
    return np.where(narrow, near_one, _log_ratio(cosines[0], cosines[1]))
