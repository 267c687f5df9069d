"""Gradient flow, solved exactly."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from flbook._dynamics.initial import (
    Dynamics,
    cosine,
    halves,
    layer_norms,
    least_cancelled,
    loss,
    ratio,
)
from flbook._model.gram import Gram
from flbook._support.arrays import FloatArray, broadcast_shape
from flbook._support.checks import real, times

__all__ = ["GradientFlow"]

# From here on exp(−κ) is below every residual that a double can hold.
LONG_PAST = 1500.0
# The Gram matrix of given weights may miss the flow's own by this much.
ROUNDING = 1e-9


@dataclass(frozen=True, eq=False, init=False)
class GradientFlow(Dynamics):
    """Training in continuous time, exactly: dv/dt = −m K(v) (v − v*).

    The imbalance Δ = η_w uu − η_u ww and the determinant D = uu·ww − uw² never move, so with
    η² = η_u η_w the kernel is K = √((2γηv)² + K_min²), and one scalar equation is left. Its
    solution scales the modes p, q = (u/√η_u ± w/√η_w)/√2 by √ξ and 1/√ξ. With s = 2γηv,
    E = exp(−mK(∞)t) and φ = (1 − E)/K(∞)::

        ξ = (2E + [(K − s)(0) + (K + s)(∞)] φ) / (2E + [(K + s)(0) + (K − s)(∞)] φ)

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
    TypeError
        If a parameter is not of its class.
    ValueError
        If the shapes of network, task and gram do not broadcast, or (in the methods) a time is
        negative or not a number.

    Notes
    -----
    Every method takes times of any shape, infinity included, and answers with an array of shape
    `shape` + `t.shape`. The model is that of Xu & Ziyin, arXiv:2401.07085 (2024); the book derives
    this form of its solution.

    A start on the wrong side of the saddle (p(0) = 0 with v* > 0, or q(0) = 0 with v* < 0) never
    reaches the target: v(∞) = 0. A start of zero weights does not move.

    Examples
    --------
    >>> from flbook import GradientFlow, Gram, Network, Task
    >>> flow = GradientFlow(Network(2), Task(1.0, 2.0, 4.0), Gram(uu=1.0, uw=0.0, ww=1.0))
    >>> print(flow.slope([0.0, 0.5, float("inf")]).round(6))
    [0.       1.475699 2.      ]
    >>> print(flow.kernel([0.0, float("inf")]).round(6))
    [2.       4.472136]
    """

    @cached_property
    def kernel_floor(self) -> FloatArray:
        """K_min = γ²√(Δ² + 4η²D), the least kernel that the conserved numbers allow."""
        return self._origin(0).floor

    @cached_property
    def rate(self) -> FloatArray:
        """mK(∞) = m√((2γηv*)² + K_min²), the rate of the final approach."""
        origin = self._origin(0)
        return origin.m * np.hypot(2 * origin.gamma * origin.eta * origin.target, origin.floor)

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
        >>> from flbook import GradientFlow, Gram, Network, Task
        >>> flow = GradientFlow(Network(1), Task(1.0, 1.0, 1.0), Gram(1.0, 0.5, 1.0))
        >>> print(flow.slope([0.0, 1.0]).round(6))
        [0.5      0.953029]
        """
        return _Orbit(self, t).slope

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
        >>> from flbook import GradientFlow, Gram, Network, Task
        >>> flow = GradientFlow(Network(1), Task(1.0, 1.0, 1.0), Gram(1.0, 0.5, 1.0))
        >>> print(f"{flow.residual(100.0):.6e}")
        -8.493756e-116
        """
        return _Orbit(self, t).residual

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
        >>> from flbook import GradientFlow, Gram, Network, Task
        >>> flow = GradientFlow(Network(1), Task(1.0, 1.0, 2.0), Gram(1.0, 0.5, 1.0))
        >>> print(flow.loss([0.0, float("inf")]))
        [0.625 0.5  ]
        """
        orbit = _Orbit(self, t)
        return loss(orbit.origin, orbit.residual)

    def kernel(self, t: ArrayLike) -> FloatArray:
        """Return K(t) = γ²(η_w uu + η_u ww), the tangent kernel at unit inputs.

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
        >>> from flbook import GradientFlow, Gram, Network, Task
        >>> flow = GradientFlow(Network(1), Task(1.0, 1.0, 1.0), Gram(1.0, 0.0, 1.0))
        >>> print((flow.kernel(float("inf")) / flow.kernel(0.0)).round(6))
        1.414214
        """
        return _Orbit(self, t).kernel

    def gram(self, t: ArrayLike) -> Gram:
        """Return the Gram matrix of the layers at time t.

        Parameters
        ----------
        t : array_like
            Times from 0 to infinity.

        Returns
        -------
        Gram, shape `shape` + `t.shape`

        Raises
        ------
        TypeError, ValueError
            If a time is not a number of at least 0.

        Examples
        --------
        >>> from flbook import GradientFlow, Gram, Network, Task
        >>> flow = GradientFlow(Network(1), Task(1.0, 1.0, 1.0), Gram(1.0, 0.0, 1.0))
        >>> print(flow.gram(float("inf")).uw)
        1.0
        """
        orbit = _Orbit(self, t)
        origin, slope = orbit.origin, orbit.slope
        uu, ww = layer_norms(origin, orbit.kernel, origin.imbalance, slope, origin.root_determinant)
        return Gram._trusted(uu, slope / origin.gamma, ww)

    def alignment(self, t: ArrayLike) -> FloatArray:
        """Return ζ(t) = u·w/(|u||w|), the cosine between the layers.

        Where a layer is zero the cosine is the one just before (0 if it was zero from the start).

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
        >>> from flbook import GradientFlow, Gram, Network, Task
        >>> flow = GradientFlow(Network(2), Task(1.0, 1.0, 1.0), Gram(1.0, 0.0, 1.0))
        >>> print(flow.alignment([0.0, float("inf")]).round(6))
        [0.       0.707107]
        """
        orbit = _Orbit(self, t)
        origin = orbit.origin
        across = origin.gamma * origin.root_determinant
        return cosine(orbit.slope, across, np.sign(origin.slope))

    def kernel_alignment(self, t: ArrayLike) -> FloatArray:
        """Return ζ_K(t) = 2γηv/K, the alignment weighted by the learning rates.

        K = K_min/√(1 − ζ_K²), so this is the cosine that the kernel regime freezes.

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
        >>> from flbook import GradientFlow, Gram, Network, Task
        >>> flow = GradientFlow(Network(2), Task(1.0, 1.0, 1.0), Gram(4.0, 0.0, 1.0))
        >>> print(flow.kernel_alignment([0.0, float("inf")]).round(6))
        [0.       0.371391]
        """
        orbit = _Orbit(self, t)
        origin = orbit.origin
        signal = 2 * origin.gamma * origin.eta
        at_zero = np.sign(signal * origin.slope)
        return cosine(signal * orbit.slope, origin.floor, at_zero)

    def imbalance(self, t: ArrayLike) -> FloatArray:
        """Return Δ = η_w uu − η_u ww, which never moves.

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
        >>> from flbook import GradientFlow, Gram, Network, Task
        >>> flow = GradientFlow(Network(2), Task(1.0, 1.0, 1.0), Gram(4.0, 0.0, 1.0))
        >>> print(flow.imbalance([0.0, 1.0]))
        [3. 3.]
        """
        return self._frozen(t, self._origin(0).imbalance)

    def determinant(self, t: ArrayLike) -> FloatArray:
        """Return D = uu·ww − uw², which never moves.

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
        >>> from flbook import GradientFlow, Gram, Network, Task
        >>> flow = GradientFlow(Network(2), Task(1.0, 1.0, 1.0), Gram(4.0, 1.0, 1.0))
        >>> print(flow.determinant([0.0, 1.0]))
        [3. 3.]
        """
        return self._frozen(t, self._origin(0).determinant)

    def _frozen(self, t: ArrayLike, value: FloatArray) -> FloatArray:
        t = times(t)
        column = np.reshape(value, self.shape + (1,) * t.ndim)
        return np.array(np.broadcast_to(column, self.shape + t.shape))[()]

    def weights(self, t: ArrayLike, u0: ArrayLike, w0: ArrayLike) -> tuple[FloatArray, FloatArray]:
        """Return the weights that start at u0, w0, neuron by neuron.

        u(t) = ½[(u0 + r w0)√ξ + (u0 − r w0)/√ξ] with r = √(η_u/η_w), and the same for w with u and
        w, η_u and η_w exchanged, up to the sign of the second mode.

        Parameters
        ----------
        t : array_like
            Times from 0 to infinity.
        u0, w0 : array_like, shape (..., width)
            The weights at t = 0, whose Gram matrix is the start of this flow. The axes before the
            width broadcast to `shape`.

        Returns
        -------
        u, w : array, shape `shape` + `t.shape` + (width,)

        Raises
        ------
        TypeError, ValueError
            If a time is not a number of at least 0, the shapes do not fit, or the weights have
            another Gram matrix than the start.

        Examples
        --------
        >>> from flbook import GradientFlow, Gram, Network, Task
        >>> u0, w0 = [1.0, 0.5], [0.5, -1.0]
        >>> flow = GradientFlow(Network(2), Task(1.0, 1.0, 1.0), Gram.from_weights(u0, w0))
        >>> u, w = flow.weights(float("inf"), u0, w0)
        >>> print((u @ w).round(12))
        1.0
        """
        orbit = _Orbit(self, t)
        u, w = self._own("u0", u0), self._own("w0", w0)
        if u.shape[-1] != w.shape[-1]:
            raise ValueError(f"w0 must have width {u.shape[-1]} like u0, got {w.shape[-1]}")
        self._check_start(u, w)
        width = u.shape[-1:]
        axes = (1,) * orbit.t.ndim
        u = np.broadcast_to(u, self.shape + width).reshape(self.shape + axes + width)
        w = np.broadcast_to(w, self.shape + width).reshape(self.shape + axes + width)
        grow, shrink, push = (np.asarray(x)[..., None] for x in orbit.mode_factors)
        eta_u, eta_w = (np.asarray(x)[..., None] for x in (orbit.origin.eta_u, orbit.origin.eta_w))
        both = (eta_u > 0) & (eta_w > 0)
        root_u, root_w = np.sqrt(eta_u), np.sqrt(eta_w)
        to_u, to_w = ratio(root_u, root_w, 0.0), ratio(root_w, root_u, 0.0)
        new_u = ((u + to_u * w) * grow + (u - to_u * w) * shrink) / 2
        new_w = ((w + to_w * u) * grow + (w - to_w * u) * shrink) / 2
        return (
            np.where(both, new_u, u - eta_u * push * w),
            np.where(both, new_w, w - eta_w * push * u),
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


class _Orbit:
    """The flow at the times asked for, from which every quantity is made.

    With κ = mK(∞)t, E = exp(−κ) and φ = (1 − E)/K(∞), ξ = behind/ahead where
    ahead = 2E + [(K + s)(0) + (K − s)(∞)]φ and behind = 2E + [(K − s)(0) + (K + s)(∞)]φ.

    Where one of the brackets is 0 a mode is empty for good, and the flow ends at the saddle or
    never moves. These networks are stuck, and have formulas of their own.
    """

    def __init__(self, flow: GradientFlow, t: ArrayLike) -> None:
        self.t = t = times(t)
        self.origin = origin = flow._origin(t.ndim)
        self.signal = 2 * origin.gamma * origin.eta
        signal_end = self.signal * origin.target
        kernel_end = np.hypot(signal_end, origin.floor)
        a, b = origin.halves
        a_end, b_end = halves(signal_end, kernel_end, origin.floor)
        to_ahead, to_behind = a + b_end, b + a_end
        stuck = (to_ahead == 0) | (to_behind == 0)
        self.stuck = _Stuck(self, stuck, kernel_end, np.maximum(to_ahead, to_behind))
        if self.stuck.any:
            to_ahead, to_behind = np.where(stuck, 1.0, to_ahead), np.where(stuck, 1.0, to_behind)
            kernel_end = np.where(stuck, 1.0, kernel_end)
        self.to_ahead, self.to_behind = to_ahead, to_behind
        with np.errstate(over="ignore"):
            kappa = np.minimum(origin.m * kernel_end * t, LONG_PAST)
        self.root_decay = np.exp(-kappa / 2)
        self.phi = -np.expm1(-kappa) / kernel_end
        decay = self.root_decay * self.root_decay
        self.ahead = 2 * decay + to_ahead * self.phi
        self.behind = 2 * decay + to_behind * self.phi
        # Two factors of the fraction 4E/(ahead·behind) of the residual that is left.
        self.factors = 2 * self.root_decay / self.ahead, 2 * self.root_decay / self.behind

    @property
    def rising(self) -> FloatArray:
        """K + s."""
        now = self.origin.halves[0] * (self.behind / self.ahead)
        return self.stuck.replace(now, "rising")

    @property
    def falling(self) -> FloatArray:
        """K − s."""
        now = self.origin.halves[1] * (self.ahead / self.behind)
        return self.stuck.replace(now, "falling")

    @property
    def kernel(self) -> FloatArray:
        return (self.rising + self.falling) / 2

    @property
    def residual(self) -> FloatArray:
        """The residual at 0 times what is left of it, the smaller factor last."""
        first, second = self.factors
        start = self.origin.residual
        now = start * np.maximum(first, second) * np.minimum(first, second)
        return self.stuck.replace(now, "residual")

    @property
    def slope(self) -> FloatArray:
        """The mean of start and target, or half the difference of the halves of the kernel.

        The mean has weights 4E/(ahead·behind) and φ((K + s)(0)/ahead + (K − s)(0)/behind), which
        add up to 1.
        """
        origin = self.origin
        a, b = origin.halves
        first, second = self.factors
        left = self.stuck.replace(first * second, "left")
        gone = self.stuck.replace(self.phi * (a / self.ahead + b / self.behind), "gone")
        gone = np.where(left < 0.5, 1.0 - left, gone)
        from_start, to_target = origin.slope * left, origin.target * gone
        scale = 2 * self.signal
        rising, falling = self.rising, self.falling
        halved = ratio(rising - falling, scale, 0.0)
        return least_cancelled(
            (from_start + to_target, np.abs(from_start) + np.abs(to_target)),
            (halved, ratio(rising + falling, scale, np.inf)),
        )

    @property
    def mode_factors(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """√ξ, 1/√ξ, and the factor of a layer whose partner is frozen."""
        push = 2 * self.origin.gamma * self.origin.residual * (self.phi / self.ahead)
        return (
            self.stuck.replace(np.sqrt(self.behind / self.ahead), "growth"),
            self.stuck.replace(np.sqrt(self.ahead / self.behind), "decline"),
            self.stuck.replace(push, "push"),
        )


class _Stuck:
    """The networks with an empty mode: the other one decays for ever, or nothing moves."""

    def __init__(
        self, orbit: _Orbit, stuck: FloatArray, kernel_end: FloatArray, bracket: FloatArray
    ) -> None:
        self.where = stuck
        self.any = bool(stuck.any())
        self.orbit, self.kernel_end, self.bracket = orbit, kernel_end, bracket

    def replace(self, now: FloatArray, name: str) -> FloatArray:
        """Return `now`, with the quantity of that name where the network is stuck."""
        return np.where(self.where, getattr(self, name), now)[()] if self.any else now

    @cached_property
    def _path(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """√E, and 2E + wφ and w + 2E/φ of the bracket w; without a final kernel φ = mt."""
        origin, t = self.orbit.origin, self.orbit.t
        moving = self.kernel_end > 0
        rate = origin.m * self.kernel_end
        with np.errstate(over="ignore", divide="ignore"):
            kappa = np.where(moving, rate, 1.0) * np.where(moving, t, 0.0)
            phi = np.where(
                moving,
                -np.expm1(-kappa) / np.where(moving, self.kernel_end, 1.0),
                origin.m * np.where(moving, 0.0, t),
            )
            decay = np.exp(-kappa)
            weight = np.where(self.bracket > 0, self.bracket, 1.0)
            return np.exp(-kappa / 2), 2 * decay + weight * phi, weight + 2 * decay / phi

    @cached_property
    def share(self) -> FloatArray:
        """The factor √(now/start) of the mode that is not empty."""
        root_decay, path, _ = self._path
        return np.where(self.still, 1.0, np.sqrt(2 / path) * root_decay)

    @property
    def still(self) -> FloatArray:
        return self.orbit.origin.kernel == 0

    @property
    def rising(self) -> FloatArray:
        return self.orbit.origin.halves[0] * self.share * self.share

    @property
    def falling(self) -> FloatArray:
        return self.orbit.origin.halves[1] * self.share * self.share

    @property
    def residual(self) -> FloatArray:
        return self.orbit.origin.residual * self.left

    @property
    def left(self) -> FloatArray:
        return np.where(self.still, 1.0, 2 / self._path[1])

    @property
    def gone(self) -> FloatArray:
        return np.maximum(*self.orbit.origin.halves) / self._path[2]

    @property
    def growth(self) -> FloatArray:
        return np.where(self.orbit.origin.halves[0] > 0, self.share, 0.0)

    @property
    def decline(self) -> FloatArray:
        return np.where(self.orbit.origin.halves[1] > 0, self.share, 0.0)

    @property
    def push(self) -> FloatArray:
        return np.zeros_like(self.share)
