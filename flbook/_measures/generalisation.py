"""Off the training line: the exact test error of the random function that training never visits."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from flbook._dynamics.gradient_descent import GradientDescent
from flbook._dynamics.gradient_flow import GradientFlow
from flbook._model.task import Task
from flbook._support.arrays import FloatArray, broadcast_shape
from flbook._support.checks import instance, real

__all__ = ["generalisation_error", "off_line_variance"]


def off_line_variance(dynamics: GradientFlow | GradientDescent, t: ArrayLike) -> FloatArray:
    """Return the variance of the prediction per squared distance from the training line.

    Training inputs a n lie on a line, so gradients never reach the weights across it: for an input
    a n + x⊥ the network says f = v(t) a + γ u(t)·W⊥x⊥, and W⊥ stays as it was drawn. Given u, the
    second term is Gaussian with mean 0 and variance

        γ² uu(t) σ_w² |x⊥|².

    Parameters
    ----------
    dynamics : GradientFlow or GradientDescent
        Gives uu(t), γ and σ_w.
    t : array_like
        Times, or step counts.

    Returns
    -------
    array, shape `dynamics.shape` + `t.shape`
        γ² uu(t) σ_w², over the random draw of W⊥.

    Raises
    ------
    TypeError
        If `dynamics` is not one of the two.
    ValueError
        If a time is not legal for it.

    Notes
    -----
    The model is that of Xu & Ziyin, arXiv:2401.07085 (2024).

    Examples
    --------
    >>> from flbook import GradientFlow, Gram, Network, Task, off_line_variance
    >>> flow = GradientFlow(Network(2, sigma_w=0.5), Task(1.0, 1.0, 1.0), Gram(1.0, 0.0, 1.0))
    >>> print(off_line_variance(flow, [0.0, float("inf")]).round(6))
    [0.25     0.353553]
    """
    if not isinstance(dynamics, (GradientFlow, GradientDescent)):
        raise TypeError(f"dynamics must be a GradientFlow or a GradientDescent, got {dynamics!r}")
    uu = np.asarray(dynamics.gram(t).uu)
    network = dynamics.network
    shape = dynamics.shape + (1,) * (uu.ndim - len(dynamics.shape))
    scale = np.broadcast_to(network.gamma * np.asarray(network.sigma_w), dynamics.shape)
    scale = scale.reshape(shape)
    return _times(_times(uu, scale), scale)[()]


def generalisation_error(
    dynamics: GradientFlow | GradientDescent,
    t: ArrayLike,
    off_line_moment: ArrayLike,
    test: Task | None = None,
) -> FloatArray:
    """Return the exact test error on inputs with a component off the training line.

    On test inputs a n + x⊥ with labels y, the mean of ½E[(f − y)²] over the random draw of W⊥ is

        ½E[(v(t) a − y)²] + ½ γ² uu(t) σ_w² E|x⊥|².

    The first term is the loss on the line; nothing else of the joint law of a, x⊥ and y enters,
    since the off-line part of f has mean 0. The second is what a large initialisation costs.

    Parameters
    ----------
    dynamics : GradientFlow or GradientDescent
        The training run.
    t : array_like
        Times, or step counts.
    off_line_moment : float or array
        E|x⊥|² of the test inputs, at least 0; broadcasts with `dynamics.shape`.
    test : Task, optional
        The moments of a and y among the test inputs, if they differ from the training task's;
        broadcasts with `dynamics.shape`.

    Returns
    -------
    array, shape (the shape that dynamics, off_line_moment and test broadcast to) + `t.shape`

    Raises
    ------
    TypeError
        If an argument is not of its class.
    ValueError
        If shapes do not broadcast, a moment is negative or a time is not legal.

    Notes
    -----
    One network differs from the mean over W⊥. If x⊥ is isotropic in n dimensions, its second term
    is the mean one times χ²_n/n. The model is that of Xu & Ziyin, arXiv:2401.07085 (2024).

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
    variance = off_line_variance(dynamics, t)
    test = dynamics.task if test is None else test
    instance("test", test, Task)
    moment = np.asarray(real("off_line_moment", off_line_moment, at_least=0))
    shape = broadcast_shape(dynamics=dynamics.shape, off_line_moment=moment.shape, test=test.shape)
    time_axes = (1,) * (np.ndim(variance) - len(dynamics.shape))
    more_axes = (1,) * (len(shape) - len(dynamics.shape))

    def constant(value: ArrayLike) -> FloatArray:
        return np.broadcast_to(value, shape).reshape(shape + time_axes)

    def moving(values: FloatArray) -> FloatArray:
        return np.reshape(values, more_axes + np.shape(values))

    gap = moving(dynamics.residual(t)) + constant(
        np.subtract(np.broadcast_to(dynamics.task.target, shape), test.target)
    )
    on_line = constant(test.second_moment) * gap * gap / 2 + constant(test.loss_floor)
    moment = constant(moment)
    off_line = _times(moving(variance), moment)
    return (on_line + off_line / 2)[()]


def _times(values: FloatArray, factor: FloatArray) -> FloatArray:
    """Multiply, with ∞·0 = 0: the infinities are those of a descent that diverged."""
    shape = np.broadcast_shapes(np.shape(values), np.shape(factor))
    return np.multiply(values, factor, out=np.zeros(shape), where=np.asarray(factor) > 0)
