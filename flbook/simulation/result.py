"""What a simulated training run leaves behind, and what is measured on it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from flbook._model.gram import Gram
from flbook._model.network import Network
from flbook._model.task import Task
from flbook._support.arrays import FloatArray
from flbook._support.numerics import ratio
from flbook.simulation.problem import as_inputs, as_labels

__all__ = ["Simulation"]


@dataclass(frozen=True, eq=False)
class Simulation:
    """The weights along a simulated training run, and what is measured on them.

    The network is f(x) = γ u·(W x), or γ u·w x for inputs that are single numbers. What is measured
    along the line of the inputs has shape (n,), and raises ValueError if w was trained on inputs
    that span more than a line.

    Attributes
    ----------
    network : Network
        What was trained.
    task : Task or None
        What it was trained on; None for inputs that span more than a line.
    t : array, shape (n,)
        Times, or step counts.
    u : array, shape (n, width)
        The outer layer at these times.
    w : array, shape (n, width) or (n, width, D)
        The inner layer at these times.
    direction : array, shape (D,), or None
        The unit vector along the line of the inputs, where w has D columns and there is a line.

    Examples
    --------
    >>> from flbook import Network
    >>> from flbook.simulation import gradient_descent
    >>> network, x, y = Network(1, eta_u=0.1, eta_w=0.1), [[1.0, 0.0]], [1.0]
    >>> run = gradient_descent(network, (x, y), [1.0], [[0.5, 2.0]], [0, 100])
    >>> print(run.slope.round(3), run.alignment)
    [0.5 1. ] [1. 1.]
    >>> print(run.predict([[1.0, 0.0], [0.0, 1.0]]).round(3))
    [[0.5   2.   ]
     [1.    2.399]]
    """

    network: Network
    task: Task | None
    t: FloatArray
    u: FloatArray
    w: FloatArray
    direction: FloatArray | None = None

    @cached_property
    def _line(self) -> tuple[Task, FloatArray]:
        """The task, and w along the line of the inputs."""
        if self.task is None or (self.w.ndim == 3 and self.direction is None):
            raise ValueError(
                "x must lie on one line through the origin for a measure along it, got inputs that "
                "span more; predict and test_error need no line"
            )
        return self.task, self.w if self.direction is None else self.w @ self.direction

    @cached_property
    def gram(self) -> Gram:
        """The Gram matrix of the layers along the line, by dot products."""
        return Gram.from_weights(self.u, self._line[1])

    @property
    def slope(self) -> FloatArray:
        """The slope v = γ u·w."""
        return np.sum(self.network.gamma * self.u * self._line[1], axis=-1)

    @property
    def residual(self) -> FloatArray:
        """The residual v − v*."""
        return self.slope - self._line[0].target

    @property
    def loss(self) -> FloatArray:
        """L = ½E[(v a − y)²], from the moments."""
        task, v = self._line[0], self.slope
        square = task.second_moment * v**2 - 2 * task.cross_moment * v + task.label_moment
        return square / 2

    @property
    def kernel(self) -> FloatArray:
        """K = γ²(η_w |u|² + η_u |w|²)."""
        net, gram = self.network, self.gram
        return np.asarray(net.gamma**2 * (net.eta_w * gram.uu + net.eta_u * gram.ww))

    @property
    def alignment(self) -> FloatArray:
        """ζ, the cosine between the layers; 0 where one of them is zero."""
        gram = self.gram
        return ratio(np.asarray(gram.uw), gram.norm_product, 0.0)

    @property
    def kernel_alignment(self) -> FloatArray:
        """ζ_K = 2γηv/K with η² = η_u η_w; 0 where the kernel is 0."""
        net = self.network
        signal = 2 * net.gamma * np.sqrt(net.eta_u * net.eta_w)
        return ratio(signal * self.slope, self.kernel, 0.0)

    @property
    def imbalance(self) -> FloatArray:
        """Δ = η_w |u|² − η_u |w|²."""
        net, gram = self.network, self.gram
        return np.asarray(net.eta_w * gram.uu - net.eta_u * gram.ww)

    @property
    def determinant(self) -> FloatArray:
        """D = |u|²|w|² − (u·w)²."""
        return self.gram.determinant

    def predict(self, x: ArrayLike) -> FloatArray:
        """Return f(x) at every time, (n, examples), for x of shape (examples,) or (examples, D)."""
        inputs = as_inputs(x, self.w.shape[2:])
        layer = self.w.reshape(*self.u.shape, -1)
        maps = np.einsum("ni,nij->nj", self.u, layer)
        return np.asarray(self.network.gamma) * maps @ inputs.T

    def test_error(self, x: ArrayLike, y: ArrayLike) -> FloatArray:
        """Return ½ mean (f(x) − y)² over test inputs x with labels y, at every time."""
        predictions = self.predict(x)
        return np.mean((predictions - as_labels(y, predictions.shape[1:])) ** 2, axis=-1) / 2
