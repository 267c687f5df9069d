"""What becomes of gradient descent: it converges, is thrown, never settles, or diverges."""

from __future__ import annotations

import enum
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flbook._dynamics.dynamics import full
from flbook._dynamics.gradient_descent import GradientDescent
from flbook._dynamics.initial import Initial
from flbook._support.arrays import FloatArray, ValueObject
from flbook._support.checks import instance, one_whole
from flbook._support.numerics import ratio
from flbook._support.shared import shared

__all__ = ["DescentFate", "Fate", "descent_fate"]

NAMES = shared("terms")["fates"]
# A turn h this small against mK and 2 − mK dies out before it moves the kernel.
SETTLED = 1e-6
# No descent comes back from a turn of this size: each further step squares it or more.
GONE = 1e50
# Steps between two looks at who is still on the way.
BURST = 32


class Fate(enum.Enum):
    """What becomes of a descent.

    Examples
    --------
    >>> from flbook import Fate
    >>> Fate("catapult") is Fate.CATAPULT
    True
    """

    CONVERGES = NAMES["converges"]
    """Settles, and mK never exceeds 2 on the way."""

    EDGE = NAMES["edge"]
    """Starts at mK < 2, sharpens beyond 2, and settles below it: the edge of stability."""

    CATAPULT = NAMES["catapult"]
    """Starts at mK ≥ 2, and settles below it all the same."""

    UNSETTLED = NAMES["unsettled"]
    """Neither settled nor gone after all the steps allowed: a cycle, chaos, or very slow."""

    DIVERGES = NAMES["diverges"]
    """Leaves for infinity."""


@dataclass(frozen=True, eq=False)
class DescentFate(ValueObject):
    """The fates of an array of descents, as found by `descent_fate`.

    Attributes
    ----------
    fate : Fate or array of Fate
    steps : int array
        After how many steps it was known (asked every 32 steps).
    kernel_ratio : float or array
        The kernel then, over the first one; 0 at the saddle, ∞ where the descent diverges.
    margin : float or array
        W = 4 − mK(0) + (γηm)²v*(v(0) − v*). Each step multiplies it by 1 + (γηm)²(v − v*)v, so
        for |γηm v*| < 2 it keeps its sign: a descent with W > 0 stays bounded for ever.

    Examples
    --------
    >>> from flbook import GradientDescent, Gram, Network, Task, descent_fate
    >>> start = Gram([1.0, 2.9, 3.1], 0.0, [1.0, 2.9, 3.1])
    >>> network = Network(2, gamma=0.8**0.5, eta_u=0.8, eta_w=0.8)
    >>> found = descent_fate(GradientDescent(network, Task(1.0, 0.1, 0.1), start))
    >>> print([fate.value for fate in found.fate], found.margin.round(3))
    ['converges', 'catapult', 'catapult'] [2.715 0.283 0.027]
    """

    fate: Fate | NDArray[np.object_]
    steps: NDArray[np.int64]
    kernel_ratio: FloatArray
    margin: FloatArray

    @property
    def settled(self) -> NDArray[np.bool_]:
        """Where the descent came to rest: it converged, at once, by the edge or by a catapult."""
        rest = (Fate.CONVERGES, Fate.EDGE, Fate.CATAPULT)
        fates = np.asarray(self.fate, dtype=object)
        return np.array([fate in rest for fate in fates.flat]).reshape(fates.shape)


def descent_fate(descent: GradientDescent, *, steps: int = 10_000) -> DescentFate:
    """Follow descents until it is known what becomes of each, for at most so many steps.

    Where a descent settles at the saddle (a start on the wrong side with an empty mode), or does
    not move at all, that counts as settled. A start at the target converges, whatever its kernel.

    Parameters
    ----------
    descent : GradientDescent
        Of any shape; ten thousand networks take a second or so.
    steps : int, default 10_000
        What has not been decided by then is `Fate.UNSETTLED`.

    Raises
    ------
    TypeError, ValueError
        If `descent` is not one, or `steps` not a whole number of at least 1.

    Notes
    -----
    The catapult is that of Lewkowycz et al., arXiv:2003.02218 (2020).

    Examples
    --------
    >>> from flbook import GradientDescent, Gram, Network, Task, descent_fate
    >>> ntk = Network(10**6, gamma=1e-3, eta_u=[0.5, 1.25, 2.5], eta_w=[0.5, 1.25, 2.5])
    >>> found = descent_fate(GradientDescent(ntk, Task(1.0, 1.0, 1.0), ntk.typical_gram(0.0)))
    >>> print([fate.value for fate in found.fate], found.kernel_ratio.round(2))
    ['converges', 'catapult', 'diverges'] [1.   0.51  inf]
    """
    instance("descent", descent, GradientDescent)
    steps = one_whole("steps", steps)
    initial, shape = descent._initial(0), descent.shape
    walk = _Walk(initial, shape)
    with np.errstate(over="ignore", invalid="ignore"):
        walk.run(steps)
    kinds = np.empty(len(Fate), dtype=object)
    kinds[:] = list(Fate)
    return DescentFate(
        fate=kinds[walk.fate].reshape(shape)[()],
        steps=walk.steps.reshape(shape)[()],
        kernel_ratio=walk.kernel_ratio.reshape(shape)[()],
        margin=full(initial.margin, shape),
    )


CONVERGES, EDGE, CATAPULT, UNSETTLED, DIVERGES = range(5)


class _Walk:
    """All descents at once, in the units of one step: P = m(K + s), Q = m(K − s), h."""

    def __init__(self, initial: Initial, shape: tuple[int, ...]) -> None:
        def flat(value: FloatArray) -> FloatArray:
            return np.array(np.broadcast_to(value, shape), dtype=np.float64).ravel()

        couple = initial.couple
        ahead, behind = initial.halves
        self.first = flat(initial.m * initial.kernel)
        self.off_target = flat(initial.residual) != 0
        self.frozen = flat(couple) == 0
        self.fate = np.full(self.first.size, UNSETTLED)
        self.steps = np.zeros(self.first.size, dtype=np.int64)
        self.kernel_ratio = np.ones(self.first.size)
        self.going = np.arange(self.first.size)
        self.ahead, self.behind = flat(initial.m * ahead), flat(initial.m * behind)
        self.turn = flat(couple * initial.residual)
        self.target = flat(couple * initial.target)
        self.highest = self.first.copy()

    def run(self, steps: int) -> None:
        """Walk until all is decided, or for so many steps."""
        for done in range(steps + 1):
            kernel = (self.ahead + self.behind) / 2
            self.highest = np.fmax(self.highest, kernel)
            if done % BURST == 0 or done == steps:
                self._decide(kernel, done)
                if not self.going.size or done == steps:
                    return
                kernel = (self.ahead + self.behind) / 2
            signal, turn = (self.ahead - self.behind) / 4, self.turn
            self.turn = turn * (1 - kernel + turn * signal)
            self.ahead = self.ahead * (1 - turn) ** 2
            self.behind = self.behind * (1 + turn) ** 2

    def _decide(self, kernel: FloatArray, done: int) -> None:
        """Write down what has been decided, and go on with the rest."""
        turn, target, going = self.turn, self.target, self.going
        lost = ~(np.abs(turn) < GONE)
        home = (kernel < 2) & (np.abs(turn) <= SETTLED * np.minimum(kernel, 2 - kernel))
        home |= (turn == 0) & ~(self.frozen[going] & self.off_target[going])
        saddle = (self.ahead == 0) & (target >= 0) & (turn > -2)
        saddle |= (self.behind == 0) & (target <= 0) & (turn < 2)
        saddle &= ~home & ~lost & ~self.frozen[going]
        # A frozen layer leaves a linear model, whose error is multiplied by 1 − mK.
        lost |= self.frozen[going] & (kernel > 2) & ~home
        first, settled = self.first[going], home | saddle
        moved = self.off_target[going]
        fate = np.where(self.highest > 2, EDGE, CONVERGES)
        fate = np.where((first >= 2) & moved, CATAPULT, np.where(moved, fate, CONVERGES))
        fate = np.where(lost, DIVERGES, np.where(settled, fate, UNSETTLED))
        self.fate[going], self.steps[going] = fate, done
        last = np.where(lost & ~self.frozen[going], np.inf, np.where(saddle, 0.0, kernel))
        self.kernel_ratio[going] = ratio(last, first, 1.0)
        left = ~(lost | settled)
        self.going = going[left]
        for name in ("ahead", "behind", "turn", "target", "highest"):
            setattr(self, name, getattr(self, name)[left])
