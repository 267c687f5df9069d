"""Gradient flow with the kernel frozen at its initial value: the lazy prediction."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from flbook._dynamics.dynamics import Dynamics, full
from flbook._dynamics.initial import Initial, loss
from flbook._support.arrays import FloatArray
from flbook._support.checks import times
from flbook._support.numerics import choose

__all__ = ["KernelFlow", "KernelState"]


@dataclass(frozen=True, eq=False, init=False)
class KernelFlow(Dynamics):
    """Training of the linearised network: v(t) = v* + (v(0) − v*) exp(−mK(0)t).

    Parameters, errors and shapes are those of `GradientFlow`; of the layers it knows nothing.

    Notes
    -----
    This is what the tangent kernel of A. Jacot, F. Gabriel & C. Hongler (arXiv:1806.07572) predicts
    for the model of Xu & Ziyin (arXiv:2401.07085). It is exact where K_min ≫ 2γη|v|.

    Examples
    --------
    >>> from flbook import Gram, KernelFlow, Network, Task
    >>> lazy = KernelFlow(Network(2), Task(1.0, 2.0, 4.0), Gram(uu=1.0, uw=0.0, ww=1.0))
    >>> print(lazy.slope([0.0, 0.5, float("inf")]).round(6))
    [0.       1.264241 2.      ]
    """

    def at(self, t: ArrayLike) -> KernelState:
        """Return the state at t, computed once; its arrays have shape `shape` + `t.shape`."""
        t = times(t)[()]
        return KernelState(self._initial(np.ndim(t)), t, self.shape)


class KernelState:
    """Kernel flow at times t; every array has shape `shape` + `t.shape`.

    Attributes
    ----------
    t : array
        The times.
    slope, residual, loss, kernel
        As the methods of `KernelFlow` of these names return them.
    """

    def __init__(self, initial: Initial, t: FloatArray, shape: tuple[int, ...]) -> None:
        self.t, self._initial, self._shape = t, initial, shape + np.shape(t)
        rate = initial.m * initial.kernel
        moving = rate > 0
        with np.errstate(over="ignore"):
            self._kappa = choose(moving, rate, 1.0) * np.where(moving, t, 0.0)

    @cached_property
    def slope(self) -> FloatArray:
        """v, the mean of start and target with weights exp(−mK(0)t) and 1 − exp(−mK(0)t)."""
        left, gone = np.exp(-self._kappa), -np.expm1(-self._kappa)
        return full(self._initial.slope * left + self._initial.target * gone, self._shape)

    @cached_property
    def residual(self) -> FloatArray:
        """V − v*."""
        root_decay = np.exp(-self._kappa / 2)
        return full(self._initial.residual * root_decay * root_decay, self._shape)

    @cached_property
    def loss(self) -> FloatArray:
        """½E[(f − y)²]."""
        return loss(self._initial, self.residual)

    @cached_property
    def kernel(self) -> FloatArray:
        """K, which stays at K(0)."""
        return full(self._initial.kernel, self._shape)
