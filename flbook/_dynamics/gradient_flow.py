"""Gradient flow, solved exactly."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from flbook._dynamics.dynamics import LayerDynamics
from flbook._dynamics.flow_state import FlowState
from flbook._dynamics.outcome import Outcome
from flbook._model.gram import Gram
from flbook._support.arrays import FloatArray, broadcast_shape
from flbook._support.checks import real, refuse_where, times
from flbook._support.numerics import ratio

__all__ = ["GradientFlow"]

# The Gram matrix of given weights may miss the flow's own by this much.
ROUNDING = 1e-9


@dataclass(frozen=True, eq=False, init=False)
class GradientFlow(LayerDynamics):
    """Training in continuous time, exactly: dv/dt = −m K(v) (v − v*).

    The imbalance Δ = η_w uu − η_u ww and the determinant D = uu·ww − uw² never move, so with
    η² = η_u η_w the kernel is K = √((2γηv)² + K_min²), and one scalar equation is left. Its
    solution scales the modes p, q = (u/√η_u ± w/√η_w)/√2 by r and 1/r. With s = 2γηv,
    A = exp(−mK(∞)t) and B = 1 − A::

        r² = (2K(∞)A + [(K − s)(0) + (K + s)(∞)]B) / (2K(∞)A + [(K + s)(0) + (K − s)(∞)]B)

    where no term is negative, so that nothing cancels and nothing overflows.

    Parameters
    ----------
    network : Network
        Gives γ, η_u and η_w. (The random start enters through `gram`.)
    task : Task
        Gives m, v* and the least loss.
    gram : Gram
        The start; kept as `start`.

    Raises
    ------
    TypeError, ValueError
        If a parameter is not of its class, shapes do not broadcast, or (in the methods) a time is
        negative or not a number.

    Notes
    -----
    Every method takes times of any shape, infinity included, and answers with an array of shape
    `shape` + `t.shape`. To ask several quantities at the same times, ask for the state once:
    ``now = flow.at(t)`` and then ``now.slope``, ``now.kernel``, … The model is that of Xu & Ziyin,
    arXiv:2401.07085 (2024); the book derives this form of its solution.

    A start on the wrong side of the saddle (p(0) = 0 with v* > 0, or q(0) = 0 with v* < 0) never
    reaches the target: v(∞) = 0. A start of zero weights does not move. Where a layer is zero, the
    alignments are the ones just before (0 if it was zero from the start).

    Examples
    --------
    >>> from flbook import GradientFlow, Gram, Network, Task
    >>> flow = GradientFlow(Network(2), Task(1.0, 2.0, 4.0), Gram(uu=1.0, uw=0.0, ww=1.0))
    >>> now = flow.at([0.0, 0.5, float("inf")])
    >>> print(now.slope.round(6), now.kernel.round(6))
    [0.       1.475699 2.      ] [2.       3.565215 4.472136]
    """

    def at(self, t: ArrayLike) -> FlowState:
        """Return the state at t, computed once; its arrays have shape `shape` + `t.shape`."""
        t = times(t)[()]
        return FlowState(self._initial(np.ndim(t)), t, self.shape)

    @cached_property
    def outcome(self) -> Outcome:
        """Where training ends: K(∞)/K(0), ζ(∞), half times, …; each of shape `shape`."""
        return Outcome(self._initial(0), self.shape)

    @property
    def kernel_floor(self) -> FloatArray:
        """K_min = γ²√(Δ² + 4η²D), the least kernel that the conserved numbers allow."""
        return self.outcome.kernel_floor

    @property
    def rate(self) -> FloatArray:
        """mK(∞) = m√((2γηv*)² + K_min²), the rate of the final approach."""
        return self.outcome.rate

    def time_to_shrink(self, fraction: ArrayLike) -> FloatArray:
        """Return the time at which |v − v*| is `fraction` of its start; ∞ where it never is.

        Fractions lie between 0 and 1, both excluded; the answer has shape `shape` +
        `fraction.shape`. A start at the target has no error to shrink; its time is the limit of
        those near it.

        Examples
        --------
        >>> from flbook import GradientFlow, Gram, Network, Task
        >>> flow = GradientFlow(Network(2), Task(1.0, 2.0, 4.0), Gram(uu=1.0, uw=0.0, ww=1.0))
        >>> print(flow.residual(flow.time_to_shrink([0.5, 0.1])).round(12))
        [-1.  -0.2]
        """
        share = np.asarray(real("fraction", fraction, above=0))[()]
        refuse_where(share >= 1, "fraction", share, "less than 1")
        shape = self.shape + np.shape(share)
        return Outcome(self._initial(np.ndim(share)), shape).time_to_shrink(share)

    def weights(self, t: ArrayLike, u0: ArrayLike, w0: ArrayLike) -> tuple[FloatArray, FloatArray]:
        """Return the weights that start at u0, w0, neuron by neuron.

        u(t) = ½(r + 1/r) u0 + ½(r − 1/r)√(η_u/η_w) w0, and the same for w with u and w, η_u and
        η_w exchanged.

        `u0` and `w0` of shape (..., width) must have the Gram matrix of the start; the axes before
        the width broadcast to `shape`, and the answers are `shape` + `t.shape` + (width,).

        Examples
        --------
        >>> from flbook import GradientFlow, Gram, Network, Task
        >>> u0, w0 = [1.0, 0.5], [0.5, -1.0]
        >>> flow = GradientFlow(Network(2), Task(1.0, 1.0, 1.0), Gram.from_weights(u0, w0))
        >>> u, w = flow.weights(float("inf"), u0, w0)
        >>> print((u @ w).round(12))
        1.0
        """
        now = self.at(t)
        u, w = self._own("u0", u0), self._own("w0", w0)
        if u.shape[-1] != w.shape[-1]:
            raise ValueError(f"w0 must have width {u.shape[-1]} like u0, got {w.shape[-1]}")
        self._check_start(u, w)
        width, axes = u.shape[-1:], (1,) * np.ndim(now.t)
        u = np.broadcast_to(u, self.shape + width).reshape(self.shape + axes + width)
        w = np.broadcast_to(w, self.shape + width).reshape(self.shape + axes + width)
        grow, shrink, push = (np.asarray(x)[..., None] for x in now.mode_factors)
        initial = self._initial(np.ndim(now.t))
        eta_u, eta_w = (np.asarray(x)[..., None] for x in (initial.eta_u, initial.eta_w))
        both = (eta_u > 0) & (eta_w > 0)
        root_u, root_w = np.sqrt(eta_u), np.sqrt(eta_w)
        to_u, to_w = ratio(root_u, root_w, 0.0), ratio(root_w, root_u, 0.0)
        new_u = ((u + to_u * w) * grow + (u - to_u * w) * shrink) / 2
        new_w = ((w + to_w * u) * grow + (w - to_w * u) * shrink) / 2
        return (
            np.where(both, new_u, u + eta_u * push * w),
            np.where(both, new_w, w + eta_w * push * u),
        )

    def _own(self, name: str, value: ArrayLike) -> FloatArray:
        array = np.asarray(real(name, value))
        if array.ndim == 0:
            raise ValueError(f"{name} must have shape (..., width), got ()")
        if broadcast_shape(flow=self.shape, **{name: array.shape[:-1]}) != self.shape:
            raise ValueError(f"{name} must broadcast to {self.shape} + (width,), got {array.shape}")
        return array

    def _check_start(self, u: FloatArray, w: FloatArray) -> None:
        gram, start = Gram.from_weights(u, w), self.start
        scale = np.sqrt(start.uu) * np.sqrt(start.ww)
        for name, ours, theirs, size in (
            ("uu", start.uu, gram.uu, start.uu),
            ("uw", start.uw, gram.uw, scale),
            ("ww", start.ww, gram.ww, start.ww),
        ):
            if np.any(np.abs(np.subtract(theirs, ours)) > ROUNDING * np.asarray(size)):
                raise ValueError(
                    f"u0 and w0 must have the Gram matrix of the start, got {name} = {theirs!r} "
                    f"where the start has {ours!r}"
                )
