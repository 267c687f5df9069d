"""Where training ends, and when it is half way, for many networks at the price of few operations.

The same solution as in `gradient_flow`, reduced to what t = ∞ and the half-way point need. Frozen
numbers are taken from sums where nothing cancels, and from exact differences of products where
something does.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from flbook._dynamics.initial import Origin, cosine
from flbook._model.gram import Gram
from flbook._model.network import Network
from flbook._model.task import Task
from flbook._support.arrays import FloatArray, broadcast_shape

__all__ = ["Ends"]

# The residual has shrunk to this when the excess loss is halved.
HALF_WAY = np.sqrt(0.5)
# Below this log1p(x) is x.
LINEAR = 1e-17
# Up to this share of the whole, the difference of the two keeps its digits.
HARMLESS = 0.5


class Ends:
    """Numbers at t = 0, at t = ∞ and at the half-way point, all of the shape of the starts."""

    def __init__(self, network: Network, task: Task, gram: Gram) -> None:
        self.gram = gram
        self.network, self.task = network, task
        self.shape = broadcast_shape(network=network.shape, task=task.shape, gram=gram.shape)
        self.target = np.asarray(task.target)
        self.m = np.asarray(task.second_moment)
        self.double = 2 * network.gamma * np.sqrt(network.eta_u) * np.sqrt(network.eta_w)
        self.initial_slope = network.gamma * gram.uw
        self.signal = self.double * self.initial_slope
        self.last_signal = self.double * self.target
        by_layer = network.eta_w * gram.uu + network.eta_u * gram.ww
        self.kernel = np.asarray(network.gamma**2 * by_layer)

    @cached_property
    def still(self) -> NDArray[np.bool_] | None:
        """Where the kernel is 0 and nothing ever moves; None if nowhere."""
        still = np.equal(self.kernel, 0)
        return still if still.any() else None

    @cached_property
    def stuck(self) -> NDArray[np.bool_] | None:
        """Where training ends at v = 0, on the wrong side of the saddle; None if nowhere."""
        stuck = (self.floor == 0) & (self.signal * np.sign(self.target) <= 0) & (self.kernel > 0)
        return stuck if stuck.any() else None

    @cached_property
    def root_determinant(self) -> FloatArray:
        """√D."""
        gram = self.gram
        whole, part = gram.norm_product, np.abs(gram.uw)
        with np.errstate(invalid="ignore"):
            root = np.sqrt(whole - part) * np.sqrt(whole + part)
        close = part > HARMLESS * whole
        return np.where(close, gram.root_determinant, root) if close.any() else root

    @cached_property
    def floor(self) -> FloatArray:
        """K_min."""
        part = np.abs(self.signal)
        with np.errstate(invalid="ignore"):
            floor = np.sqrt(self.kernel - part) * np.sqrt(self.kernel + part)
        close = part > HARMLESS * self.kernel
        if not close.any():
            return floor
        origin = Origin(self.network, self.task, self.gram, self.shape, 0)
        return np.where(close, origin.floor, floor)

    @cached_property
    def last_kernel(self) -> FloatArray:
        """√((2γηv*)² + K_min²), which is K(∞) unless stuck."""
        return _length(self.last_signal, self.floor)

    @property
    def rate(self) -> FloatArray:
        """The rate of the final approach."""
        return self.m * self.last_kernel

    @property
    def kernel_ratio(self) -> FloatArray:
        """K(∞)/K(0)."""
        return self._unless_at_rest(self.last_kernel / self._moving_kernel, 1.0, 0.0)

    @property
    def kernel_drift(self) -> FloatArray:
        """K(∞)/K(0) − 1 = (2γη)²(v*² − v(0)²)/(K(0)(K(∞) + K(0)))."""
        kernel = self._moving_kernel
        drift = ((self.last_signal - self.signal) / kernel) * (
            (self.last_signal + self.signal) / (kernel + self.last_kernel)
        )
        return self._unless_at_rest(drift, 0.0, -1.0)

    @property
    def _moving_kernel(self) -> FloatArray:
        """K(0), with a 1 in the place of every 0."""
        return self.kernel if self.still is None else np.where(self.still, 1.0, self.kernel)

    def _unless_at_rest(self, moving: FloatArray, still: float, stuck: float) -> FloatArray:
        if self.still is not None:
            moving = np.where(self.still, still, moving)
        return moving if self.stuck is None else np.where(self.stuck, stuck, moving)

    @cached_property
    def last_slope(self) -> FloatArray:
        """v(∞)."""
        slope = self.target
        if self.stuck is not None:
            slope = np.where(self.stuck, 0.0, slope)
        return slope if self.still is None else np.where(self.still, self.initial_slope, slope)

    @property
    def final_alignment(self) -> FloatArray:
        """ζ(∞); where a layer has become zero, the cosine just before."""
        across = self.network.gamma * self.root_determinant
        size = _length(self.last_slope, across)
        if (size > 0).all():
            return self.last_slope / size
        return cosine(self.last_slope, across, np.sign(self.initial_slope))

    @property
    def alignment_cotangent(self) -> FloatArray:
        """|S(∞)|/√D, the cotangent of the final angle; infinite for parallel layers."""
        across = self.network.gamma * self.root_determinant
        along = np.abs(self.last_slope)
        limit = np.where((along > 0) | (self.initial_slope != 0), np.inf, 0.0)
        limit = np.array(np.broadcast_to(limit, self.shape))
        return np.divide(along, across, out=limit, where=across > 0)[()]

    @property
    def half_time(self) -> FloatArray:
        """The time at which the excess loss is halved.

        With y = (exp(mK(∞)t) − 1)/K(∞) the residual is its start times
        4(1 + K(∞)y)/((2 + Ay)(2 + By)), where A and B are (K ± s)(0) + (K ∓ s)(∞) and
        A + B = 2(K(0) + K(∞)). That it is √½ is a quadratic equation for y with one root above 0,
        solved here for y·(K(0) + K(∞)).
        """
        total = self.kernel + self.last_kernel
        unmoved = total == 0
        total = np.where(unmoved, 1.0, total) if unmoved.any() else total
        share = self.last_kernel / total
        lead = HALF_WAY - share
        product = self._product(total)
        root = np.sqrt(lead * lead + 4 * HALF_WAY * (1 - HALF_WAY) * product)
        size = np.abs(lead) + root
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
            y = 2 * (1 - HALF_WAY) / size
            other = lead < 0
            if other.any():
                y = np.where(other, size / (2 * HALF_WAY * product), y)
            growth = share * y
            time = np.log1p(growth) / (self.m * self.last_kernel)
            linear = growth < LINEAR
            if linear.any():
                time = np.where(linear, y / (self.m * total), time)
        return time if self.still is None else np.where(self.still, np.inf, time)

    def _product(self, total: FloatArray) -> FloatArray:
        """Return AB/(4(K(0) + K(∞))²), where AB = 2(K_min² + K(0)K(∞) + s(0)s(∞)).

        Where the last sum cancels, with L = K + |s| the larger half and K_min²/L the smaller one,
        AB = K_min²(L(0) + L(∞))²/(L(0)L(∞)).
        """
        floor = self.floor / total
        kernels = (self.kernel / total) * (self.last_kernel / total)
        signals = (self.signal / total) * (self.last_signal / total)
        product = (floor * floor + (kernels + signals)) / 2
        close = signals < -HARMLESS * kernels
        if not close.any():
            return product
        first = self.kernel + np.abs(self.signal)
        last = self.last_kernel + np.abs(self.last_signal)
        squeeze = self.floor / np.where(close, first, 1.0)
        squeeze = squeeze * (self.floor / np.where(close, last, 1.0))
        return np.where(close, squeeze * ((first + last) / total) ** 2 / 4, product)


def _length(x: FloatArray, y: FloatArray) -> FloatArray:
    """Return √(x² + y²), good to two units in the last place and faster than `np.hypot`."""
    x, y = np.abs(x), np.abs(y)
    larger = np.maximum(x, y)
    part = np.minimum(x, y) / np.maximum(larger, np.finfo(np.float64).smallest_subnormal)
    return larger * np.sqrt(1 + part * part)
