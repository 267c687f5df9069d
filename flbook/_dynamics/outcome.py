"""Where training ends, and when it is part of the way, at the price of few operations."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flbook._dynamics.dynamics import full
from flbook._dynamics.initial import HARMLESS, Initial
from flbook._support.arrays import FloatArray
from flbook._support.numerics import cosine, ratio

__all__ = ["Outcome"]

# The residual has shrunk to this when the excess loss is halved.
HALF_LOSS = np.sqrt(0.5)
# Below this log1p(x) is x.
LINEAR = 1e-17


class Outcome:
    """What gradient flow comes to: numbers at t = ∞ and the times on the way, of one shape.

    K(∞)/K(0), its distance from 1 and the final alignment are written here and nowhere else; they
    follow from the start without solving anything. A kernel of 0 never moves (K(∞)/K(0) = 1), and a
    start on the wrong side of the saddle ends at v = 0 with K(∞) = 0.

    Examples
    --------
    >>> from flbook import GradientFlow, Gram, Network, Task
    >>> end = GradientFlow(Network(2), Task(1.0, 1.0, 1.0), Gram(1.0, 0.0, 1.0)).outcome
    >>> print(end.kernel_ratio.round(6), end.final_alignment.round(6), end.half_time.round(6))
    1.414214 0.707107 0.170692
    """

    def __init__(self, initial: Initial, shape: tuple[int, ...]) -> None:
        self._initial, self._shape = initial, shape
        self._signal = initial.signal * initial.slope
        self._last_signal = initial.signal * initial.target

    def _full(self, value: Any) -> FloatArray:
        return full(value, self._shape)[()]

    @property
    def initial_slope(self) -> FloatArray:
        """v(0)."""
        return self._full(self._initial.slope)

    @property
    def kernel_floor(self) -> FloatArray:
        """K_min."""
        return self._full(self._initial.floor)

    @property
    def rate(self) -> FloatArray:
        """m√((2γηv*)² + K_min²), the rate of the final approach."""
        return self._full(self._initial.m * self._initial.last_kernel)

    @cached_property
    def still(self) -> NDArray[np.bool_] | None:
        """Where the kernel is 0 and nothing ever moves; None if nowhere."""
        still = np.equal(self._initial.kernel, 0)
        return still if still.any() else None

    @cached_property
    def stuck(self) -> NDArray[np.bool_] | None:
        """Where training ends at v = 0, on the wrong side of the saddle; None if nowhere."""
        initial = self._initial
        wrong = self._signal * np.sign(initial.target) <= 0
        stuck = (initial.floor == 0) & wrong & (initial.kernel > 0)
        return stuck if stuck.any() else None

    @property
    def kernel_ratio(self) -> FloatArray:
        """K(∞)/K(0)."""
        ratio = self._initial.last_kernel / self._moving_kernel
        return self._unless_at_rest(ratio, still=1.0, stuck=0.0)

    @property
    def kernel_drift(self) -> FloatArray:
        """K(∞)/K(0) − 1 = (2γη)²(v*² − v(0)²)/(K(0)(K(∞) + K(0))), however small."""
        kernel = self._moving_kernel
        drift = ((self._last_signal - self._signal) / kernel) * (
            (self._last_signal + self._signal) / (kernel + self._initial.last_kernel)
        )
        return self._unless_at_rest(drift, still=0.0, stuck=-1.0)

    @property
    def kernel_excursion(self) -> FloatArray:
        """The largest |K/K(0) − 1| along the whole path: a network is lazy where it is small.

        K is least at v = 0, where a start and a target of opposite signs lead through.
        """
        end = np.abs(self.kernel_drift)
        crosses = self._signal * self._last_signal < 0
        if not np.any(crosses):
            return end
        # K(0) − K_min = s²/(K(0) + K_min)
        kernel = self._moving_kernel
        dip = (self._signal / kernel) * (self._signal / (kernel + self._initial.floor))
        return self._full(np.where(crosses, np.maximum(end, dip), end))

    @property
    def _moving_kernel(self) -> FloatArray:
        """K(0), with a 1 in the place of every 0."""
        kernel = self._initial.kernel
        return kernel if self.still is None else np.where(self.still, 1.0, kernel)

    def _unless_at_rest(self, moving: Any, *, still: float, stuck: float) -> FloatArray:
        if self.still is not None:
            moving = np.where(self.still, still, moving)
        if self.stuck is not None:
            moving = np.where(self.stuck, stuck, moving)
        return self._full(moving)

    @cached_property
    def last_slope(self) -> FloatArray:
        """v(∞)."""
        slope = self._initial.target
        if self.stuck is not None:
            slope = np.where(self.stuck, 0.0, slope)
        return slope if self.still is None else np.where(self.still, self._initial.slope, slope)

    @property
    def final_alignment(self) -> FloatArray:
        """ζ(∞); where a layer has become zero, the cosine just before."""
        initial = self._initial
        across = initial.gamma * initial.root_determinant
        return self._full(cosine(self.last_slope, across, np.sign(initial.slope)))

    @property
    def alignment_cotangent(self) -> FloatArray:
        """|S(∞)|/√D with S = u·w, the cotangent of the final angle; ∞ for parallel layers."""
        initial = self._initial
        across = initial.gamma * initial.root_determinant
        along = np.abs(self.last_slope)
        limit = np.where((along > 0) | (initial.slope != 0), np.inf, 0.0)
        return self._full(ratio(along, across, limit))

    @property
    def half_time(self) -> FloatArray:
        """The time at which the excess loss is halved; ∞ if it never is."""
        return self.time_to_shrink(HALF_LOSS)

    def time_to_shrink(self, fraction: Any) -> FloatArray:
        """Return the time at which the residual is `fraction` of its start; ∞ if it never is.

        With y = (exp(mK(∞)t) − 1)/K(∞) the residual is its start times
        4(1 + K(∞)y)/((2 + Ay)(2 + By)), where A and B are (K ± s)(0) + (K ∓ s)(∞) and
        A + B = 2(K(0) + K(∞)). That it is `fraction` is a quadratic equation for y with one root
        above 0, solved here for y·(K(0) + K(∞)).
        """
        initial = self._initial
        total = initial.kernel + initial.last_kernel
        unmoved = total == 0
        total = np.where(unmoved, 1.0, total) if unmoved.any() else total
        share = initial.last_kernel / total
        lead = fraction - share
        product = self._product(total)
        root = np.sqrt(lead * lead + 4 * fraction * (1 - fraction) * product)
        size = np.abs(lead) + root
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
            y = 2 * (1 - fraction) / size
            other = lead < 0
            if other.any():
                y = np.where(other, size / (2 * fraction * product), y)
            growth = share * y
            time = np.log1p(growth) / (initial.m * initial.last_kernel)
            linear = growth < LINEAR
            if linear.any():
                time = np.where(linear, y / (initial.m * total), time)
        return self._full(time if self.still is None else np.where(self.still, np.inf, time))

    def _product(self, total: FloatArray) -> FloatArray:
        """Return AB/(4(K(0) + K(∞))²), where AB = 2(K_min² + K(0)K(∞) + s(0)s(∞)).

        Where the last sum cancels, with L = K + |s| the larger half and K_min²/L the smaller one,
        AB = K_min²(L(0) + L(∞))²/(L(0)L(∞)).
        """
        initial = self._initial
        floor = initial.floor / total
        kernels = (initial.kernel / total) * (initial.last_kernel / total)
        signals = (self._signal / total) * (self._last_signal / total)
        product = (floor * floor + (kernels + signals)) / 2
        close = signals < -HARMLESS * kernels
        if not close.any():
            return product
        first = initial.kernel + np.abs(self._signal)
        last = initial.last_kernel + np.abs(self._last_signal)
        squeeze = initial.floor / np.where(close, first, 1.0)
        squeeze = squeeze * (initial.floor / np.where(close, last, 1.0))
        return np.where(close, squeeze * ((first + last) / total) ** 2 / 4, product)
