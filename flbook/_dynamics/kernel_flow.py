"""Gradient flow with the kernel frozen at its initial value: the lazy prediction."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from flbook._dynamics.initial import Dynamics, Origin, loss
from flbook._support.arrays import FloatArray
from flbook._support.checks import times

__all__ = ["KernelFlow"]


@dataclass(frozen=True, eq=False, init=False)
class KernelFlow(Dynamics):
    """Training of the linearised network: v(t) = v* + (v(0) − v*) exp(−mK(0)t).

    Parameters
    ----------
    network : Network
        Gives γ, η_u and η_w.
    task : Task
        Gives m, v* and the least loss.
    gram : Gram
        The start; kept as `start`.

    Raises
    ------
    TypeError
        If a parameter is not of its class.
    ValueError
        If the shapes of network, task and gram do not broadcast, or (in the methods) a time is
        negative or not a number.

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

    def slope(self, t: ArrayLike) -> FloatArray:
        """Return v(t).

        Parameters
        ----------
        t : array_like
            Times from 0 to infinity.

        Returns
        -------
        array, shape `shape` + `t.shape`

        Raises
        ------
        TypeError, ValueError
            If a time is not a number of at least 0.

        Examples
        --------
        >>> from flbook import Gram, KernelFlow, Network, Task
        >>> lazy = KernelFlow(Network(1), Task(1.0, 1.0, 1.0), Gram(1.0, 0.5, 1.0))
        >>> print(lazy.slope(1.0).round(6))
        0.932332
        """
        origin, kappa = self._progress(t)
        return origin.slope * np.exp(-kappa) - origin.target * np.expm1(-kappa)

    def residual(self, t: ArrayLike) -> FloatArray:
        """Return v(t) − v*, to full relative precision however small.

        Parameters
        ----------
        t : array_like
            Times from 0 to infinity.

        Returns
        -------
        array, shape `shape` + `t.shape`

        Raises
        ------
        TypeError, ValueError
            If a time is not a number of at least 0.

        Examples
        --------
        >>> from flbook import Gram, KernelFlow, Network, Task
        >>> lazy = KernelFlow(Network(1), Task(1.0, 1.0, 1.0), Gram(1.0, 0.5, 1.0))
        >>> print(f"{lazy.residual(100.0):.6e}")
        -6.919483e-88
        """
        origin, kappa = self._progress(t)
        root_decay = np.exp(-kappa / 2)
        return origin.residual * root_decay * root_decay

    def loss(self, t: ArrayLike) -> FloatArray:
        """Return L(t) = ½E[(f − y)²].

        Parameters
        ----------
        t : array_like
            Times from 0 to infinity.

        Returns
        -------
        array, shape `shape` + `t.shape`

        Raises
        ------
        TypeError, ValueError
            If a time is not a number of at least 0.

        Examples
        --------
        >>> from flbook import Gram, KernelFlow, Network, Task
        >>> lazy = KernelFlow(Network(1), Task(1.0, 1.0, 2.0), Gram(1.0, 0.5, 1.0))
        >>> print(lazy.loss([0.0, float("inf")]))
        [0.625 0.5  ]
        """
        return loss(self._origin(times(t).ndim), self.residual(t))

    def kernel(self, t: ArrayLike) -> FloatArray:
        """Return K(0), whatever the time.

        Parameters
        ----------
        t : array_like
            Times from 0 to infinity.

        Returns
        -------
        array, shape `shape` + `t.shape`

        Raises
        ------
        TypeError, ValueError
            If a time is not a number of at least 0.

        Examples
        --------
        >>> from flbook import Gram, KernelFlow, Network, Task
        >>> lazy = KernelFlow(Network(1), Task(1.0, 1.0, 1.0), Gram(1.0, 0.0, 1.0))
        >>> print(lazy.kernel([0.0, 1.0]))
        [2. 2.]
        """
        t = times(t)
        return np.array(np.broadcast_to(self._origin(t.ndim).kernel, self.shape + t.shape))[()]

    def _progress(self, t: ArrayLike) -> tuple[Origin, FloatArray]:
        """Return the start and mK(0)t, which is 0 where nothing moves."""
        t = times(t)
        origin = self._origin(t.ndim)
        rate = origin.m * origin.kernel
        moving = rate > 0
        with np.errstate(over="ignore"):
            return origin, np.where(moving, rate, 1.0) * np.where(moving, t, 0.0)
