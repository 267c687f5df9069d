"""The slow way: train the weights themselves, knowing nothing of the solution.

This is the evidence for the exact solver. The two share the definition of the model and nothing
else; neither imports the other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.integrate import solve_ivp

from flbook._model.gram import Gram
from flbook._model.network import Network
from flbook._model.task import Task
from flbook._support.arrays import FloatArray, Progress
from flbook._support.checks import instance, real, refuse_where, step_counts, times

__all__ = ["Simulation", "gradient_descent", "gradient_flow"]


@dataclass(frozen=True, eq=False)
class Simulation:
    """The weights along a simulated training run, and what is measured on them.

    Attributes
    ----------
    network : Network
        What was trained.
    task : Task
        What it was trained on.
    t : array, shape (n,)
        Times, or step counts.
    u, w : array, shape (n, width)
        The layers at these times.

    Examples
    --------
    >>> from flbook import Network, Task
    >>> from flbook.simulation import gradient_descent
    >>> network = Network(2, eta_u=0.1, eta_w=0.1)
    >>> run = gradient_descent(network, Task(1.0, 1.0, 1.0), [1.0, 0.0], [0.0, 1.0], [0, 1])
    >>> print(run.slope.round(6), run.alignment.round(6))
    [0.  0.2] [0.      0.19802]
    """

    network: Network
    task: Task
    t: FloatArray
    u: FloatArray
    w: FloatArray

    @property
    def gram(self) -> Gram:
        """The Gram matrix of the layers, by dot products; shape (n,)."""
        return Gram.from_weights(self.u, self.w)

    @property
    def slope(self) -> FloatArray:
        """The slope v = γ u·w; shape (n,)."""
        return np.sum(self.network.gamma * self.u * self.w, axis=-1)

    @property
    def loss(self) -> FloatArray:
        """L = ½E[(v a − y)²], from the moments; shape (n,)."""
        task, v = self.task, self.slope
        square = task.second_moment * v**2 - 2 * task.cross_moment * v + task.label_moment
        return square / 2

    @property
    def kernel(self) -> FloatArray:
        """K = γ²(η_w |u|² + η_u |w|²); shape (n,)."""
        net, gram = self.network, self.gram
        return np.asarray(net.gamma**2 * (net.eta_w * gram.uu + net.eta_u * gram.ww))

    @property
    def alignment(self) -> FloatArray:
        """ζ, the cosine between the layers; 0 where one of them is zero; shape (n,)."""
        gram = self.gram
        size = np.sqrt(gram.uu) * np.sqrt(gram.ww)
        return np.divide(gram.uw, size, out=np.zeros_like(size), where=size > 0)


def gradient_flow(
    network: Network,
    task: Task,
    u0: ArrayLike,
    w0: ArrayLike,
    t: ArrayLike,
    *,
    rtol: float = 1e-12,
    atol: float = 1e-14,
    progress: Progress | None = None,
) -> Simulation:
    """Integrate du/dt = −η_u ∂L/∂u, dw/dt = −η_w ∂L/∂w, weight by weight.

    Parameters
    ----------
    network : Network
        One network.
    task : Task
        One task.
    u0, w0 : array_like, shape (width,)
        The weights at t = 0.
    t : array_like, shape (n,)
        Finite, increasing times of at least 0.
    rtol, atol : float
        Tolerances of the integrator, an explicit Runge-Kutta method of order 8 (DOP853 of
        `scipy.integrate.solve_ivp`).
    progress : callable, optional
        Called as ``progress(time_done, time_wanted)`` about a hundred times in a run.

    Returns
    -------
    Simulation

    Raises
    ------
    TypeError
        If an argument is not of its kind.
    ValueError
        If a shape does not fit, or the times are not finite and increasing.
    RuntimeError
        If the integrator gives up.

    Examples
    --------
    >>> from flbook import Network, Task
    >>> from flbook.simulation import gradient_flow
    >>> run = gradient_flow(Network(1), Task(1.0, 1.0, 1.0), [1.0], [1.0], [0.0, 5.0])
    >>> print(run.slope.round(6))
    [1. 1.]
    """
    u, w = _weights(network, task, u0, w0)
    t = times(t)
    if t.ndim != 1 or t.size == 0:
        raise ValueError(f"t must have shape (n,) with n of at least 1, got {t.shape}")
    refuse_where(np.isinf(t), "t", t, "finite to be integrated to")
    refuse_where(np.diff(t, prepend=-1.0) <= 0, "t", t, "increasing")
    rtol, atol = float(real("rtol", rtol, above=0)), float(real("atol", atol, above=0))
    gamma, m, c = network.gamma, task.second_moment, task.cross_moment
    width = u.size
    last, told = float(t[-1]), 0.0

    def derivative(now: float, weights: FloatArray) -> FloatArray:
        nonlocal told
        if progress is not None and now - told >= last / 100:
            told = now
            progress(now, last)
        u, w = weights[:width], weights[width:]
        pull = gamma * (m * (gamma * (u @ w)) - c)
        return np.concatenate([-network.eta_u * pull * w, -network.eta_w * pull * u])

    start = np.concatenate([u, w])
    if last == 0:
        return Simulation(network, task, t, u[None], w[None])
    with np.errstate(over="ignore", invalid="ignore"):
        result = solve_ivp(
            derivative, (0.0, last), start, method="DOP853", t_eval=t, rtol=rtol, atol=atol
        )
    if not result.success:
        reached = f"after {len(result.t)} of {t.size} times"
        raise RuntimeError(f"the integrator stopped {reached}: {result.message}")
    return Simulation(network, task, t, result.y[:width].T, result.y[width:].T)


def gradient_descent(
    network: Network,
    data: Task | tuple[ArrayLike, ArrayLike],
    u0: ArrayLike,
    w0: ArrayLike,
    steps: ArrayLike,
    *,
    progress: Progress | None = None,
) -> Simulation:
    """Take real gradient steps, weight by weight.

    Parameters
    ----------
    network : Network
        One network; its learning rates are those of one step.
    data : Task, or (x, y) with x and y of shape (examples,)
        Given examples, every step averages the gradient over them; given a task, the gradient is
        made of its moments.
    u0, w0 : array_like, shape (width,)
        The weights before the first step.
    steps : array_like, shape (n,)
        Increasing whole numbers of steps at which to record.
    progress : callable, optional
        Called as ``progress(steps_done, steps_wanted)`` about a hundred times in a run.

    Returns
    -------
    Simulation

    Raises
    ------
    TypeError
        If an argument is not of its kind.
    ValueError
        If a shape does not fit, the step counts are not finite and increasing, or the weights
        leave the range of doubles.

    Examples
    --------
    >>> from flbook import Network
    >>> from flbook.simulation import gradient_descent
    >>> network = Network(1, eta_u=0.1, eta_w=0.1)
    >>> run = gradient_descent(network, ([1.0, 2.0], [2.0, 4.0]), [1.0], [1.0], [0, 100])
    >>> print(run.slope.round(6))
    [1. 2.]
    """
    if isinstance(data, Task):
        task = data
        gradient = _gradient_of_moments(network, task)
    else:
        task, gradient = _gradient_of_examples(network, data)
    u, w = _weights(network, task, u0, w0)
    steps = step_counts(steps)
    if steps.ndim != 1 or steps.size == 0:
        raise ValueError(f"steps must have shape (n,) with n of at least 1, got {steps.shape}")
    refuse_where(np.isinf(steps), "steps", steps, "finite to be taken")
    refuse_where(np.diff(steps, prepend=-1.0) <= 0, "steps", steps, "increasing")
    total = int(steps[-1])
    record = set(steps.astype(int).tolist())
    kept_u, kept_w = [], []
    with np.errstate(over="ignore", invalid="ignore"):
        for n in range(total + 1):
            if n > 0:
                pull_u, pull_w = gradient(u, w)
                u, w = u - network.eta_u * pull_u, w - network.eta_w * pull_w
            if n in record:
                kept_u.append(u)
                kept_w.append(w)
                if not (np.isfinite(u).all() and np.isfinite(w).all()):
                    raise ValueError(
                        f"steps must end before the weights leave the range of doubles, got {n} "
                        f"where they have diverged"
                    )
            if progress is not None and n % max(1, total // 100) == 0:
                progress(n, total)
    return Simulation(network, task, steps, np.array(kept_u), np.array(kept_w))


def _gradient_of_moments(
    network: Network, task: Task
) -> Callable[[FloatArray, FloatArray], tuple[FloatArray, FloatArray]]:
    def gradient(u: FloatArray, w: FloatArray) -> tuple[FloatArray, FloatArray]:
        slope = network.gamma * np.dot(u, w)
        pull = task.second_moment * slope - task.cross_moment
        return network.gamma * pull * w, network.gamma * pull * u

    return gradient


def _gradient_of_examples(
    network: Network, data: Any
) -> tuple[Task, Callable[[FloatArray, FloatArray], tuple[FloatArray, FloatArray]]]:
    if not isinstance(data, tuple) or len(data) != 2:
        raise TypeError(f"data must be a Task or a tuple (x, y), got {data!r}")
    x, y = np.asarray(real("x", data[0])), np.asarray(real("y", data[1]))
    if x.ndim != 1:
        raise ValueError(f"x must have shape (examples,), got {x.shape}")

    def gradient(u: FloatArray, w: FloatArray) -> tuple[FloatArray, FloatArray]:
        hidden = np.outer(x, w)
        error = network.gamma * (hidden @ u) - y
        pull_u = network.gamma * (error @ hidden) / x.size
        pull_w = network.gamma * (error @ x) * u / x.size
        return pull_u, pull_w

    return Task.from_data(x, y), gradient


def _weights(
    network: Network, task: Task, u0: ArrayLike, w0: ArrayLike
) -> tuple[FloatArray, FloatArray]:
    instance("network", network, Network)
    instance("task", task, Task)
    for name, value in (("network", network), ("task", task)):
        if value.shape != ():
            raise ValueError(f"{name} must be a single one to simulate, got shape {value.shape}")
    wanted = (network.width,)
    layers = []
    for name, value in (("u0", u0), ("w0", w0)):
        layer = np.array(real(name, value))
        if layer.shape != wanted:
            raise ValueError(f"{name} must have shape {wanted}, got {layer.shape}")
        layers.append(layer)
    return layers[0], layers[1]
