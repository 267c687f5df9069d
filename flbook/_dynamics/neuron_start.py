"""One neuron at the start of training, in the frame of its target, and the numbers that rule it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from flbook._support.arrays import FloatArray
from flbook._support.numerics import choose, length, norm, ratio

__all__ = ["NeuronStart"]


@dataclass(frozen=True, eq=False)
class NeuronStart:
    """The start, every number broadcasting to the whole, vectors with one more axis.

    With δ = η_w a² − η_a|w|² and g = η_a η_w|β|² the end of training has

        2ρ = √(δ² + 4g),   η_w a² = ρ + δ/2,   η_a|w|² = ρ − δ/2,

    the smaller of the last two as g/larger, so that no digit is lost however unbalanced the layers.
    """

    a: FloatArray
    w: FloatArray
    target: FloatArray
    eta_a: FloatArray
    eta_w: FloatArray

    @cached_property
    def eta(self) -> FloatArray:
        """√(η_a η_w)."""
        return np.sqrt(self.eta_a) * np.sqrt(self.eta_w)

    @cached_property
    def distance(self) -> FloatArray:
        """|β|."""
        return norm(self.target)

    @cached_property
    def direction(self) -> FloatArray:
        """The unit vector along β; 0 where there is no β."""
        return ratio(self.target, self.distance[..., None], 0.0)

    @cached_property
    def along(self) -> FloatArray:
        """The part of w along β, a number."""
        return np.sum(self.w * self.direction, axis=-1)

    @cached_property
    def across(self) -> FloatArray:
        """The part of w across β, a vector."""
        rest = self.w
        for _ in range(2):  # what rounding leaves along β is gone after the second time
            part = np.sum(rest * self.direction, axis=-1, keepdims=True)
            rest = rest - part * self.direction
        line = (self.w.shape[-1] == 1) & (self.distance > 0)
        return np.where(line[..., None], 0.0, rest)

    @cached_property
    def imbalance(self) -> FloatArray:
        """δ = η_w a² − η_a|w|²."""
        return self.eta_w * self.a**2 - self.eta_a * np.sum(self.w**2, axis=-1)

    @cached_property
    def rate(self) -> FloatArray:
        """2ρ, the kernel along the target at the end."""
        return length(self.imbalance, 2 * self.eta * self.distance)

    @cached_property
    def shares(self) -> tuple[FloatArray, FloatArray]:
        """η_w a² and η_a|w|² at the end."""
        larger = (self.rate + np.abs(self.imbalance)) / 2
        pull = self.eta * self.distance
        smaller = pull * ratio(pull, larger, 0.0)
        outer = self.imbalance >= 0
        return choose(outer, larger, smaller), choose(outer, smaller, larger)

    @cached_property
    def legs(self) -> tuple[FloatArray, FloatArray]:
        """|a| and |w| at the end, both over √(2ρ)."""
        (share_a, share_w), rate = self.shares, self.rate
        part_a, part_w = np.sqrt(ratio(share_a, rate, 1.0)), np.sqrt(ratio(share_w, rate, 0.0))
        root_a, root_w = np.sqrt(self.eta_a), np.sqrt(self.eta_w)
        # a layer with no rate of its own still has a size at the target: |β| over the other one
        pull = self.distance * ratio(1.0, np.maximum(part_a, part_w) * rate, 0.0)
        return ratio(part_a, root_w, root_a * pull), ratio(part_w, root_a, root_w * pull)

    @cached_property
    def rising(self) -> FloatArray:
        """What of the start grows like e^{ρt}; exactly 0 where the neuron is stuck."""
        by_a, by_w = self.legs
        return self.eta_a * by_w * self.along + self.eta_w * by_a * self.a

    @cached_property
    def falling(self) -> FloatArray:
        """What of the start decays like e^{−ρt}."""
        by_a, by_w = self.legs
        return by_a * self.along - by_w * self.a
