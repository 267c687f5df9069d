"""What every way of training answers, and from where it starts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from flbook._dynamics.initial import Initial
from flbook._model.gram import Gram
from flbook._model.network import Network
from flbook._model.task import Task
from flbook._support.arrays import FloatArray, ValueObject, broadcast_shape
from flbook._support.checks import instance

__all__ = ["Dynamics", "LayerDynamics", "full"]


def full(value: Any, shape: tuple[int, ...]) -> FloatArray:
    """Return `value` spread over the whole shape."""
    return value if np.shape(value) == shape else np.array(np.broadcast_to(value, shape))[()]


@dataclass(frozen=True, eq=False, init=False)
class Dynamics(ValueObject):
    """A network, a task and a start, checked and broadcast.

    Attributes
    ----------
    network, task
        As given.
    start : Gram
        The Gram matrix at t = 0.
    """

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
        object.__setattr__(self, "_initials", {})
        _ = self.shape

    @cached_property
    def shape(self) -> tuple[int, ...]:
        """The shape that network, task and start broadcast to."""
        return broadcast_shape(
            network=self.network.shape, task=self.task.shape, gram=self.start.shape
        )

    def _initial(self, axes: int) -> Initial:
        """Return the start, with axes appended for times to broadcast against."""
        known: dict[int, Initial] = self._initials  # type: ignore[attr-defined]
        axes = axes if self.shape else 0
        if axes not in known:
            known[axes] = self._start_from(axes)
        return known[axes]

    def _start_from(self, axes: int) -> Initial:
        return Initial(self.network, self.task, self.start, axes)

    def at(self, t: ArrayLike) -> Any:
        """Return the state at t, computed once; its arrays have shape `shape` + `t.shape`."""
        raise NotImplementedError

    def slope(self, t: ArrayLike) -> FloatArray:
        """Return v(t)."""
        return self.at(t).slope

    def residual(self, t: ArrayLike) -> FloatArray:
        """Return v(t) − v*, to full relative precision however small."""
        return self.at(t).residual

    def loss(self, t: ArrayLike) -> FloatArray:
        """Return L(t) = ½E[(f − y)²]."""
        return self.at(t).loss

    def kernel(self, t: ArrayLike) -> FloatArray:
        """Return K(t) = γ²(η_w uu + η_u ww), the tangent kernel at unit inputs."""
        return self.at(t).kernel


class LayerDynamics(Dynamics):
    """Dynamics that know their layers, and not only what the network computes."""

    def gram(self, t: ArrayLike) -> Gram:
        """Return the Gram matrix of the layers at t."""
        return self.at(t).gram

    def alignment(self, t: ArrayLike) -> FloatArray:
        """Return ζ(t) = u·w/(|u||w|); where a layer is zero, the cosine just before."""
        return self.at(t).alignment

    def kernel_alignment(self, t: ArrayLike) -> FloatArray:
        """Return ζ_K(t) = 2γηv/K, the alignment weighted by the learning rates."""
        return self.at(t).kernel_alignment

    def imbalance(self, t: ArrayLike) -> FloatArray:
        """Return Δ(t) = η_w uu − η_u ww."""
        return self.at(t).imbalance

    def determinant(self, t: ArrayLike) -> FloatArray:
        """Return D(t) = uu·ww − uw²."""
        return self.at(t).determinant
