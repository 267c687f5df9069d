"""What the dynamics share: their start in stable variables, and measures of a state.

With s = 2γηv (η² = η_u η_w) and K_min = γ²√(Δ² + 4η²D) the kernel is K = √(s² + K_min²). Its two
halves K + s and K − s multiply to K_min²; up to a factor they are the squared norms of the modes
p, q = (u/√η_u ± w/√η_w)/√2. Both are computed without cancellation, so whatever is made of them by
sums and products keeps its digits.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from flbook._model.gram import Gram
from flbook._model.network import Network
from flbook._model.task import Task
from flbook._support.arrays import FloatArray, ValueObject, broadcast_shape
from flbook._support.checks import instance
from flbook._support.compensated import difference_of_products

__all__ = [
    "Dynamics",
    "Origin",
    "choose",
    "cosine",
    "halves",
    "layer_norms",
    "least_cancelled",
    "loss",
    "ratio",
]


@dataclass(frozen=True, eq=False, init=False)
class Dynamics(ValueObject):
    """A network, a task and a start, checked and broadcast."""

    network: Network
    task: Task
    start: Gram

    def __init__(self, network: Network, task: Task, gram: Gram) -> None:
        instance("network", network, Network)
        instance("task", task, Task)
        instance("gram", gram, Gram)
        object.__setattr__(self, "network", network)
        object.__setattr__(self, "task", task)
        object.__setattr__(self, "start", gram)
        _ = self.shape

    @cached_property
    def shape(self) -> tuple[int, ...]:
        """The shape that network, task and start broadcast to."""
        return broadcast_shape(
            network=self.network.shape, task=self.task.shape, gram=self.start.shape
        )

    def _origin(self, time_axes: int) -> Origin:
        """Return the start, with axes appended for times to broadcast against."""
        return Origin(self.network, self.task, self.start, self.shape, time_axes)


class Origin:
    """The numbers at t = 0 and the frozen ones, all of one shape."""

    def __init__(
        self, network: Network, task: Task, gram: Gram, shape: tuple[int, ...], time_axes: int
    ) -> None:
        wide = shape + (1,) * time_axes

        def spread(value: Any) -> FloatArray:
            if not shape:
                return np.float64(value)  # type: ignore[return-value]
            return np.broadcast_to(value, shape).reshape(wide)[()]

        self.uu, self.uw, self.ww = spread(gram.uu), spread(gram.uw), spread(gram.ww)
        self.root_determinant = spread(gram.root_determinant)
        self.determinant = spread(gram.determinant)
        self.m = spread(task.second_moment)
        self.target = spread(task.target)
        self.loss_floor = spread(task.loss_floor)
        self.gamma = spread(network.gamma)
        self.eta_u, self.eta_w = spread(network.eta_u), spread(network.eta_w)
        self.eta = np.sqrt(self.eta_u) * np.sqrt(self.eta_w)
        self.slope = self.gamma * self.uw
        self.residual = self.slope - self.target
        # Δ = η_w uu − η_u ww, K = γ²(η_w uu + η_u ww), K_min = γ²√(Δ² + 4η²D), and K ± s.
        square = self.gamma**2
        self.imbalance = difference_of_products(self.eta_w, self.uu, self.eta_u, self.ww)
        self.kernel = square * (self.eta_w * self.uu + self.eta_u * self.ww)
        self.floor = square * np.hypot(self.imbalance, 2 * self.eta * self.root_determinant)
        self.halves = halves(2 * self.gamma * self.eta * self.slope, self.kernel, self.floor)


def halves(
    signal: FloatArray, kernel: FloatArray, floor: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return K + s and K − s, the smaller one as K_min²/larger.

    Examples
    --------
    >>> rising, falling = halves(np.float64(1.0), np.hypot(1.0, 1e-12), np.float64(1e-12))
    >>> print(float(rising), float(falling))
    2.0 5e-25
    """
    larger = kernel + np.abs(signal)
    smaller = floor * ratio(floor, larger, 0.0)
    forward = signal >= 0
    return choose(forward, larger, smaller), choose(forward, smaller, larger)


def choose(condition: Any, yes: Any, no: Any) -> Any:
    """Return `yes` where the condition holds, else `no`.

    Like `numpy.where`, but without its overhead for a single condition. `yes` and `no` then need
    the shape of the answer already.
    """
    if condition.ndim:
        return np.where(condition, yes, no)
    return yes if condition else no


def ratio(numerator: Any, denominator: Any, otherwise: Any) -> FloatArray:
    """Return numerator/denominator, and `otherwise` where the denominator is not above 0."""
    sound = np.greater(denominator, 0)
    if sound.all():
        return numerator / denominator
    return np.where(sound, numerator / np.where(sound, denominator, 1.0), otherwise)[()]


def cosine(along: FloatArray, across: FloatArray, at_zero: FloatArray) -> FloatArray:
    """Return along/√(along² + across²), and `at_zero` where both are 0."""
    return ratio(along, np.hypot(along, across), at_zero)


def least_cancelled(*ways: tuple[FloatArray, FloatArray]) -> FloatArray:
    """Return the number that was made of the smallest terms.

    Parameters
    ----------
    *ways : tuple of value, size
        Several ways to make one number as a sum, with the size of the terms. An earlier way is left
        for a later one only if that has terms of less than half the size.

    Examples
    --------
    >>> cancelled, good = (np.float64(0.0), np.float64(2.0)), (np.float64(1e-20), np.float64(1e-20))
    >>> print(least_cancelled(cancelled, good))
    1e-20
    """
    best, least = ways[0]
    for value, size in ways[1:]:
        better = size < least / 2
        best, least = np.where(better, value, best), np.where(better, size, least)
    return best[()]


def layer_norms(
    origin: Origin,
    kernel: FloatArray,
    imbalance: FloatArray,
    slope: FloatArray,
    root_determinant: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """Return uu and ww: the larger from K and Δ, the other from uu·ww = (u·w)² + D."""
    total = kernel / origin.gamma**2
    product = np.hypot(slope / origin.gamma, root_determinant)
    by_u = ratio((total + imbalance) / 2, origin.eta_w, origin.uu)
    by_w = ratio((total - imbalance) / 2, origin.eta_u, origin.ww)
    larger_u = imbalance >= 0
    uu = np.where(larger_u, by_u, product * ratio(product, by_w, 0.0))
    ww = np.where(larger_u, product * ratio(product, by_u, 0.0), by_w)
    still = origin.kernel == 0
    return np.where(still, origin.uu, uu)[()], np.where(still, origin.ww, ww)[()]


def loss(origin: Origin, residual: FloatArray) -> FloatArray:
    """Return L = ½m(v − v*)² + ½(E[y²] − c²/m)."""
    return (origin.m * residual) * residual / 2 + origin.loss_floor
