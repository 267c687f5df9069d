"""The start of training in stable variables, and the numbers that training leaves alone.

With s = 2γηv (η² = η_u η_w) and K_min = γ²√(Δ² + 4η²D) the kernel is K = √(s² + K_min²). Its two
halves K + s and K − s multiply to K_min²; up to a factor they are the squared norms of the modes
p, q = (u/√η_u ± w/√η_w)/√2. Both are computed without cancellation, so whatever is made of them by
sums and products keeps its digits.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flbook._model.gram import Gram
from flbook._model.network import Network
from flbook._model.task import Task
from flbook._support.arrays import FloatArray
from flbook._support.compensated import difference_of_products
from flbook._support.numerics import choose, length, ratio

__all__ = ["HARMLESS", "Initial", "Vanishing", "displacement", "halves", "layer_norms", "loss"]

HARMLESS = 0.5
"""Up to this share of the whole, a difference keeps its digits."""


class Initial:
    """The numbers at t = 0 and the frozen ones, each of a shape that broadcasts to the whole.

    Parameters
    ----------
    network, task, gram
        Of shapes that broadcast.
    axes : int, default 0
        How many axes to append to every array, for times to broadcast against.
    """

    def __init__(self, network: Network, task: Task, gram: Gram, axes: int = 0) -> None:
        def spread(value: Any) -> FloatArray:
            array = np.asarray(value, dtype=np.float64)
            return (array.reshape(array.shape + (1,) * axes) if array.ndim else array)[()]

        self._spread, self._gram = spread, gram
        self.uu, self.uw, self.ww = spread(gram.uu), spread(gram.uw), spread(gram.ww)
        self.m, self.target = spread(task.second_moment), spread(task.target)
        self._task = task
        self.gamma = spread(network.gamma)
        self.eta_u, self.eta_w = spread(network.eta_u), spread(network.eta_w)
        self.eta = np.sqrt(self.eta_u) * np.sqrt(self.eta_w)
        self.signal = 2 * self.gamma * self.eta
        self.slope = self.gamma * self.uw
        self.residual = self.slope - self.target

    @cached_property
    def couple(self) -> FloatArray:
        """γηm: by this a slope is measured in units of one step, and a residual is its turn h."""
        return self.gamma * self.eta * self.m

    @cached_property
    def margin(self) -> FloatArray:
        """W = 4 − mK + (γηm)²v*(v − v*), whose sign a step keeps where |γηm v*| < 2."""
        couple = self.couple
        return 4 - self.m * self.kernel + couple * self.target * (couple * self.residual)

    @cached_property
    def loss_floor(self) -> FloatArray:
        """½(E[y²] − c²/m)."""
        return self._spread(self._task.loss_floor)

    @cached_property
    def kernel(self) -> FloatArray:
        """K(0) = γ²(η_w uu + η_u ww)."""
        return self.gamma * self.gamma * (self.eta_w * self.uu + self.eta_u * self.ww)

    @cached_property
    def imbalance(self) -> FloatArray:
        """Δ = η_w uu − η_u ww."""
        return difference_of_products(self.eta_w, self.uu, self.eta_u, self.ww)

    @cached_property
    def determinant(self) -> FloatArray:
        """D = uu·ww − uw²."""
        return self._spread(self._gram.determinant)

    @cached_property
    def root_determinant(self) -> FloatArray:
        """√D."""
        return self._spread(self._gram.root_determinant)

    @cached_property
    def floor(self) -> FloatArray:
        """K_min = √(K² − s²), or by Δ and D where that difference cancels."""
        part = ratio(np.abs(self.signal * self.slope), self.kernel, 0.0)
        close = part > HARMLESS
        floor = self.kernel * np.sqrt((1 - np.minimum(part, 1)) * (1 + part))
        if not close.any():
            return floor
        by_frozen = length(self.imbalance, 2 * self.eta * self.root_determinant)
        return choose(close, self.gamma * self.gamma * by_frozen, floor)

    @cached_property
    def halves(self) -> tuple[FloatArray, FloatArray]:
        """K + s and K − s."""
        return halves(self.signal * self.slope, self.kernel, self.floor)

    @cached_property
    def last_kernel(self) -> FloatArray:
        """√((2γηv*)² + K_min²), the kernel at the target."""
        return length(self.signal * self.target, self.floor)

    @cached_property
    def brackets(self) -> tuple[FloatArray, FloatArray]:
        """(K + s)(0) + (K − s)(∞) and (K − s)(0) + (K + s)(∞); 0 at an empty mode."""
        (a, b), s = self.halves, self.signal * self.target
        a_end, b_end = halves(s, self.last_kernel, self.floor)
        return a + b_end, b + a_end

    @cached_property
    def stuck(self) -> NDArray[np.bool_] | None:
        """Where a mode is empty for good, so that v ends at 0 or stays; None if nowhere."""
        ahead, behind = self.brackets
        stuck = (ahead == 0) | (behind == 0)
        return stuck if stuck.any() else None


class Vanishing(Initial):
    """The same slope without a floor, K_min = 0: layers that are balanced and aligned."""

    imbalance = determinant = root_determinant = floor = np.float64(0.0)  # type: ignore[assignment]

    @cached_property
    def kernel(self) -> FloatArray:
        """|s|."""
        return np.abs(self.signal * self.slope)


def halves(signal: Any, kernel: Any, floor: Any) -> tuple[FloatArray, FloatArray]:
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


def layer_norms(
    initial: Initial, kernel: Any, imbalance: Any, slope: Any, root_determinant: Any
) -> tuple[FloatArray, FloatArray]:
    """Return uu and ww: the larger from K and Δ, the other from uu·ww = (u·w)² + D."""
    total = kernel / initial.gamma**2
    product = length(slope / initial.gamma, root_determinant)
    by_u = ratio((total + imbalance) / 2, initial.eta_w, initial.uu)
    by_w = ratio((total - imbalance) / 2, initial.eta_u, initial.ww)
    larger_u = imbalance >= 0
    uu = choose(larger_u, by_u, product * ratio(product, by_w, 0.0))
    ww = choose(larger_u, product * ratio(product, by_u, 0.0), by_w)
    still = initial.kernel == 0
    return choose(still, initial.uu, uu), choose(still, initial.ww, ww)


def displacement(initial: Initial, both: Any, push: Any) -> tuple[Any, Any, Any]:
    """Return |δu|², δu·δw, |δw|² of δu = both·u + η_u push·w and δw = both·w + η_w push·u."""
    u, w = initial.eta_u * push, initial.eta_w * push
    uu = both * both * initial.uu + u * (2 * both * initial.uw + u * initial.ww)
    ww = both * both * initial.ww + w * (2 * both * initial.uw + w * initial.uu)
    uw = both * (both * initial.uw + w * initial.uu + u * initial.ww) + u * w * initial.uw
    return np.maximum(uu, 0.0), uw, np.maximum(ww, 0.0)


def loss(initial: Initial, residual: Any) -> FloatArray:
    """Return L = ½m(v − v*)² + ½(E[y²] − c²/m)."""
    return (initial.m * residual) * residual / 2 + initial.loss_floor
