"""One neuron with many inputs at the times asked for."""

from __future__ import annotations

from functools import cached_property, reduce
from typing import Any

import numpy as np

from flbook._dynamics.dynamics import full
from flbook._dynamics.neuron_start import NeuronStart
from flbook._support.arrays import FloatArray
from flbook._support.numerics import choose, cosine, length, norm, ratio

__all__ = ["NeuronState"]

# Longer than anything that still moves, and its square root is no infinity times zero.
FOR_EVER = 1e300


def decay(rate: Any, t: Any) -> FloatArray:
    """Return e^{−rate·t}, which is 1 for a rate of 0 at infinity too."""
    with np.errstate(over="ignore", invalid="ignore"):
        return np.where(np.equal(rate, 0), 1.0, np.exp(-rate * t))[()]


def elapsed(rate: Any, t: Any) -> FloatArray:
    """Return ∫₀ᵗ e^{−rate·s} ds = (1 − e^{−rate·t})/rate."""
    t = np.minimum(t, FOR_EVER)
    with np.errstate(over="ignore"):
        return ratio(-np.expm1(-rate * t), rate, t)


class NeuronState:
    """One neuron at times t; every array has shape `shape` + `t.shape`, then the axes of its kind.

    Attributes
    ----------
    t : array
        The times.
    weights, slope, residual, loss, kernel, kernel_size, kernel_rotation, alignment
        As the methods of `NeuronFlow` of these names return them.

    Examples
    --------
    >>> from flbook import NeuronFlow
    >>> end = NeuronFlow(a=0.0, w=[0.6, 0.8], target=[0.0, 6.0]).at(float("inf"))
    >>> print(end.slope.round(3), end.kernel_size.round(3), end.kernel_rotation.round(3))
    [0. 6.] 12.042 0.268
    """

    def __init__(self, start: NeuronStart, t: FloatArray, shape: tuple[int, ...]) -> None:
        self.t, self._start, self._shape = t, start, shape + np.shape(t)
        (share_a, share_w), (leg_a, leg_w) = start.shares, start.legs
        rate, rising, falling = start.rate, start.rising, start.falling
        # Everything is divided by e^{κt}, where κ is the fastest growth that there is.
        away = np.any(start.across != 0, axis=-1)
        stuck = rising == 0
        kappa = choose(stuck, np.where(away, np.maximum(-start.imbalance, 0.0) / 2, 0.0), rate / 2)
        spent = choose(stuck, np.maximum(start.imbalance, 0.0) / 2, share_a)
        unit, left, phi = decay(kappa, t), decay(rate, t), elapsed(rate, t)
        across = np.sqrt(start.eta_a) * norm(start.across)
        outer = start.imbalance >= 0
        wait = np.sqrt(elapsed(np.abs(start.imbalance), t))
        side = across * wait * choose(outer, unit, decay(spent, t))
        rise = np.abs(rising) * np.sqrt(phi)
        fall = start.eta * np.abs(falling) * np.sqrt(phi) * unit
        whole = reduce(length, (unit, rise, fall, side))
        part_a, part_w = ratio(share_a, rate, 1.0), ratio(share_w, rate, 0.0)
        with np.errstate(over="ignore"):
            early = np.exp(np.minimum((rate / 2 - kappa) * np.minimum(t, FOR_EVER), 1.0))
        pull = start.distance * phi
        a = early * (start.a * (part_a + left * part_w) + start.eta_a * pull * start.along)
        w = early * (start.along * (part_w + left * part_a) + start.eta_w * pull * start.a)
        # both parts shrink by e^{−ρt} more
        last = decay(rate / 2 + kappa, t)
        late_a = leg_a * rising - last * start.eta_a * leg_w * falling
        late_w = leg_w * rising + last * start.eta_w * leg_a * falling
        gone = left < 0.5
        forgotten = np.isinf(t) & (rate == 0) & (whole > 1)
        scale = choose(forgotten, 0.0, 1.0 / whole)
        self._a = choose(gone, late_a, a) * scale
        self._along = choose(gone, late_w, w) * scale
        self._kept = decay(spent, t) * scale
        # the residual along the target is [r(0) − |β| η_a|w⊥|² ∫e^{−δs}ds]/N
        first = start.a * start.along - start.distance
        self._miss = first * (unit * scale) ** 2 - start.distance * (side * scale) ** 2

    def _vector(self, along: Any, across: Any) -> FloatArray:
        """Return along·β̂ + across·w⊥(0)."""
        start = self._start
        vector = along[..., None] * start.direction + across[..., None] * start.across
        return full(vector, (*self._shape, start.w.shape[-1]))

    @cached_property
    def weights(self) -> tuple[FloatArray, FloatArray]:
        """The layers a and w."""
        return full(self._a, self._shape), self._vector(self._along, self._kept)

    @cached_property
    def slope(self) -> FloatArray:
        """The slope a w."""
        return self._vector(self._a * self._along, self._a * self._kept)

    @cached_property
    def residual(self) -> FloatArray:
        """The residual a w − β, to full precision however small."""
        return self._vector(self._miss, self._a * self._kept)

    @cached_property
    def loss(self) -> FloatArray:
        """½|a w − β|²."""
        off = self._a * self._kept * norm(self._start.across)
        return full((self._miss**2 + off**2) / 2, self._shape)

    @cached_property
    def _parts(self) -> tuple[FloatArray, FloatArray]:
        """η_w a² and η_a|w|²."""
        start = self._start
        size = length(self._along, self._kept * norm(start.across))
        return start.eta_w * self._a**2, start.eta_a * size**2

    @cached_property
    def kernel(self) -> FloatArray:
        """η_w a² I + η_a w wᵀ."""
        a, w = self.weights
        start, axes = self._start, (Ellipsis, None, None)
        turning = np.asarray(start.eta_a)[axes] * w[..., :, None] * w[..., None, :]
        even = np.asarray(full(start.eta_w, self._shape) * a**2)[axes]
        return even * np.eye(w.shape[-1]) + turning

    @cached_property
    def kernel_size(self) -> FloatArray:
        """η_w a² + η_a|w|²."""
        even, turning = self._parts
        return full(even + turning, self._shape)

    @cached_property
    def kernel_rotation(self) -> FloatArray:
        """1 − cos between K(t) and K(0)."""
        start, (x, y) = self._start, self._parts
        x0, y0 = start.eta_w * start.a**2, start.eta_a * norm(start.w) ** 2
        size = start.w.shape[-1]
        side = norm(start.across)
        lengths = norm(start.w) * length(self._along, self._kept * side)
        turn = (self._along - self._kept * start.along) * side
        sine2 = np.minimum(ratio(turn, lengths, 0.0) ** 2, 1.0)
        level = size * x * x0 + x * y0 + x0 * y
        squares = (size * x**2 + 2 * x * y + y**2) * (size * x0**2 + 2 * x0 * y0 + y0**2)
        both = y * y0
        apart = (size - 1) * (start.imbalance * (x - x0)) ** 2
        apart = apart + both * sine2 * (2 * level + both * (2 - sine2))
        product = level + both * (1 - sine2)
        root = np.sqrt(squares)
        rotation = np.minimum(ratio(apart, root * (root + product), 0.0), 1.0)
        return full(rotation, self._shape)

    @cached_property
    def alignment(self) -> FloatArray:
        """The cosine between w and β."""
        side = self._kept * norm(self._start.across)
        return full(cosine(self._along, side, 0.0), self._shape)
