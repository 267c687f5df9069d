"""Off the training line: the exact test error of the random function that training never visits."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import ArrayLike

from flbook._model.gram import Gram
from flbook._model.network import Network
from flbook._model.task import Task
from flbook._support.arrays import FloatArray, broadcast_shape
from flbook._support.checks import instance, real

__all__ = ["ErrorParts", "Trained", "error_parts", "generalisation_error", "off_line_variance"]


class Trained(Protocol):
    """What a training run must tell: its network, its task, its start, and its state at t."""

    @property
    def network(self) -> Network:
        """Gives γ and σ_w."""
        ...

    @property
    def task(self) -> Task:
        """Gives v*."""
        ...

    @property
    def start(self) -> Gram:
        """The Gram matrix at t = 0."""
        ...

    def at(self, t: ArrayLike, /) -> Any:
        """Return a state that knows its `gram`, `displacement` and `residual`."""
        ...


def off_line_variance(dynamics: Trained, t: ArrayLike) -> FloatArray:
    """Return the variance of the prediction per squared distance from the training line.

    Training inputs a n lie on a line, so gradients never reach the weights across it: for an input
    a n + x⊥ the network says f = v(t) a + γ u(t)·W⊥x⊥, and W⊥ stays as it was drawn. Given u, the
    second term is Gaussian with mean 0 and variance γ² uu(t) σ_w² |x⊥|². The model is that of
    Xu & Ziyin, arXiv:2401.07085 (2024).

    Parameters
    ----------
    dynamics : GradientFlow, GradientDescent or the like
        A training run that knows its `network`, `task` and `start`, and its state `at(t)`.
    t : array_like
        Times, or step counts.

    Returns
    -------
    array, shape `dynamics.shape` + `t.shape`
        γ² uu(t) σ_w².

    Raises
    ------
    TypeError, ValueError
        If `dynamics` has no Gram matrix, as a `KernelFlow` has none, or a time is not legal for it.

    Examples
    --------
    >>> from flbook import GradientFlow, Gram, Network, Task, off_line_variance
    >>> flow = GradientFlow(Network(2, sigma_w=0.5), Task(1.0, 1.0, 1.0), Gram(1.0, 0.0, 1.0))
    >>> print(off_line_variance(flow, [0.0, float("inf")]).round(6))
    [0.25     0.353553]
    """
    _check(dynamics)
    gram, network = dynamics.at(t).gram, dynamics.network
    uu = np.broadcast_to(gram.uu, gram.shape)
    shape = uu.shape[: uu.ndim - np.ndim(t)]
    scale = np.broadcast_to(network.gamma * np.asarray(network.sigma_w), shape)
    scale = scale.reshape(shape + (1,) * np.ndim(t))
    return _times(_times(uu, scale), scale)[()]


def generalisation_error(
    dynamics: Trained,
    t: ArrayLike,
    off_line_moment: ArrayLike,
    test: Task | None = None,
) -> FloatArray:
    """Return the exact test error on inputs with a component off the training line.

    On test inputs a n + x⊥ with labels y, the mean of ½E[(f − y)²] over the random draw of W⊥ is

        ½E[(v(t) a − y)²] + ½ γ² uu(t) σ_w² E|x⊥|².

    The first term is the loss on the line; nothing else of the joint law of a, x⊥ and y enters,
    since the off-line part of f has mean 0. The second is made off the line, by the start and by
    training. For one network it differs from its mean: by χ²_n/n, if x⊥ is isotropic in n
    dimensions.

    Parameters
    ----------
    dynamics, t
        As for `off_line_variance`.
    off_line_moment : float or array
        E|x⊥|² of the test inputs, at least 0; broadcasts with `dynamics.shape`.
    test : Task, optional
        The moments of a and y among the test inputs, if they differ from the training task's.
        The answer has the shape that all broadcast to + `t.shape`.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of its class, shapes do not broadcast, a moment is negative, or as
        `off_line_variance` does.

    Examples
    --------
    >>> import flbook as fl
    >>> task, width = fl.Task(1.0, 1.0, 1.0), 10**4
    >>> for sigma in (1.0, 0.1, 0.01):
    ...     network = fl.Network(width, sigma_u=sigma, sigma_w=sigma)
    ...     flow = fl.GradientFlow(network, task, network.typical_gram())
    ...     print(f"{fl.generalisation_error(flow, float('inf'), off_line_moment=1.0):.6f}")
    4999.750019
    0.500000
    0.000071
    """
    return error_parts(dynamics, t, off_line_moment, test).total


class ErrorParts(NamedTuple):
    """The test error by where it comes from, as made by `error_parts`.

    Attributes
    ----------
    on_line : float or array
        ½E[(v a − y)²], the loss on the line.
    off_line : float or array
        ½γ²σ_w²|u|²E|x⊥|², everything off the line: the next two and their `interference`.
    random_function : float or array
        ½γ²σ_w²|u(0)|²E|x⊥|²: off the line the network starts as a random function, and training
        never visits it. A network that is centred, f − f₀, goes without.
    laziness : float or array
        ½γ²σ_w²|u − u(0)|²E|x⊥|²: what training does to that function, by moving u in front of
        features W⊥ that do not move. For balanced lazy layers from v(0) = 0: E|x⊥|²v*²/(8d).

    Examples
    --------
    >>> from flbook import ErrorParts
    >>> parts = ErrorParts(on_line=0.25, off_line=0.5625, random_function=0.5, laziness=0.125)
    >>> print(parts.total, parts.interference)
    0.8125 -0.0625
    """

    on_line: FloatArray
    off_line: FloatArray
    random_function: FloatArray
    laziness: FloatArray

    @property
    def total(self) -> FloatArray:
        """The whole test error."""
        return self.on_line + self.off_line

    @property
    def interference(self) -> FloatArray:
        """γ²σ_w² u(0)·(u − u(0)) E|x⊥|²: what the two parts have in common; of either sign."""
        with np.errstate(invalid="ignore"):
            rest = self.off_line - self.random_function - self.laziness
        return np.where(np.isfinite(self.off_line), rest, 0.0)[()]


def error_parts(
    dynamics: Trained, t: ArrayLike, off_line_moment: ArrayLike, test: Task | None = None
) -> ErrorParts:
    """Split the test error of `generalisation_error` by where it comes from.

    Off the line f = γ u·W⊥x⊥ with frozen random features W⊥, and u = u(0) + (u − u(0)). So its mean
    square is that of the random function at the start, plus that of the change, plus twice what
    they have in common. Parameters, shapes and errors are those of `generalisation_error`.

    Examples
    --------
    >>> import flbook as fl
    >>> lazy = fl.SCALINGS["ntk"].at_width(200)
    >>> flow = fl.GradientFlow(lazy, fl.Task(1.0, 1.0, 1.0), lazy.typical_gram(overlap=0.0))
    >>> parts = fl.error_parts(flow, float("inf"), off_line_moment=784.0)
    >>> print(parts.random_function.round(1), parts.laziness.round(2), 784 / (8 * 200))
    392.0 0.49 0.49
    """
    _check(dynamics)
    test = dynamics.task if test is None else test
    instance("test", test, Task)
    moment = np.asarray(real("off_line_moment", off_line_moment, at_least=0))
    now = dynamics.at(t)
    own = np.shape(now.residual)[: np.ndim(now.residual) - np.ndim(t)]
    shape = broadcast_shape(dynamics=own, off_line_moment=moment.shape, test=test.shape)
    time_axes, more_axes = (1,) * np.ndim(t), (1,) * (len(shape) - len(own))

    def constant(value: ArrayLike) -> FloatArray:
        return np.broadcast_to(value, shape).reshape(shape + time_axes)

    def moving(values: ArrayLike) -> FloatArray:
        return np.reshape(values, more_axes + np.shape(values))

    gap = moving(now.residual) + constant(np.subtract(dynamics.task.target, test.target))
    on_line = constant(test.second_moment) * gap * gap / 2 + constant(test.loss_floor)
    network = dynamics.network
    scale = constant(np.broadcast_to(network.gamma * np.asarray(network.sigma_w), own))
    half = constant(moment) / 2

    def off_line(square: FloatArray) -> FloatArray:
        return _times(_times(_times(square, scale), scale), half)

    start, moved = constant(np.broadcast_to(dynamics.start.uu, own)), moving(now.displacement.uu)
    parts = (on_line, off_line(moving(now.gram.uu)), off_line(start), off_line(moved))
    whole_shape = shape + np.shape(t)
    return ErrorParts(*(np.array(np.broadcast_to(part, whole_shape))[()] for part in parts))


def _check(dynamics: Trained) -> None:
    knows = isinstance(getattr(dynamics, "network", None), Network)
    knows = knows and isinstance(getattr(dynamics, "task", None), Task)
    if not (knows and all(hasattr(dynamics, name) for name in ("at", "gram"))):
        raise TypeError(
            "dynamics must know the Gram matrix of its layers at every time, like a GradientFlow "
            f"or a GradientDescent, got {dynamics!r}"
        )


def _times(values: FloatArray, factor: FloatArray) -> FloatArray:
    """Multiply, with ∞·0 = 0: the infinities are those of a descent that diverged."""
    shape = np.broadcast_shapes(np.shape(values), np.shape(factor))
    return np.multiply(values, factor, out=np.zeros(shape), where=np.asarray(factor) > 0)
