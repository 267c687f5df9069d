"""Three ways to train every weight: in continuous time, by real steps, and on minibatches."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike
from scipy.integrate import solve_ivp

from flbook._model.network import Network
from flbook._support.arrays import FloatArray, Progress, Seed, broadcast_shape
from flbook._support.checks import one_real, one_whole, real, refuse_where, single, times, whole
from flbook.simulation.problem import TO_SIMULATE, Data, Derivative, Examples, problem
from flbook.simulation.result import Simulation

__all__ = ["gradient_descent", "gradient_flow", "sample_layers", "stochastic_descent"]


def sample_layers(
    network: Network, dimensions: int, seed: Seed = None
) -> tuple[FloatArray, FloatArray]:
    """Draw the layers of one random start, u of shape (width,) and w of shape (width, D).

    uᵢ ~ N(0, σ_u²) and wᵢ ~ N(0, σ_w² I) in D `dimensions`; `seed` as for `Network.sample_gram`.

    Examples
    --------
    >>> from flbook import Network
    >>> from flbook.simulation import sample_layers
    >>> u, w = sample_layers(Network(3), dimensions=2, seed=0)
    >>> u.shape, w.shape
    ((3,), (3, 2))
    """
    width = _width(network)
    dimensions = one_whole("dimensions", dimensions)
    random = np.random.default_rng(seed)
    u = np.asarray(network.sigma_u) * random.standard_normal(width)
    return u, np.asarray(network.sigma_w) * random.standard_normal((width, dimensions))


def gradient_flow(
    network: Network,
    data: Data,
    u0: ArrayLike,
    w0: ArrayLike,
    t: ArrayLike,
    *,
    derivative: Derivative | None = None,
    rtol: float = 1e-12,
    atol: float = 1e-14,
    progress: Progress | None = None,
) -> Simulation:
    """Integrate du/dt = −η_u ∂L/∂u, dw/dt = −η_w ∂L/∂w, weight by weight.

    Parameters
    ----------
    network : Network
        One network.
    data : Task, or (x, y) with x of shape (examples,) or (examples, D) and y of (examples,)
        Given examples, on a line or not, the gradient is averaged over them; given one task, it is
        made of its moments.
    u0 : array_like, shape (width,)
        The outer layer at t = 0.
    w0 : array_like, shape (width,), or (width, D) for inputs with D columns
        The inner layer at t = 0.
    t : array_like, shape (n,)
        Finite, increasing times of at least 0.
    derivative : callable, optional
        ``derivative(f, y)`` of another loss by f, for arrays; the data are examples then.
    rtol, atol : float
        Tolerances of the integrator, an explicit Runge-Kutta method of order 8 (DOP853 of
        `scipy.integrate.solve_ivp`).
    progress : callable, optional
        Called as ``progress(time_done, time_wanted)`` about a hundred times in a run.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of its kind, a shape does not fit, or the times do not increase.
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
    training = _Training(network, data, u0, w0, derivative)
    t = _increasing("t", times(t))
    refuse_where(np.isinf(t), "t", t, "finite to be integrated to")
    rtol, atol = one_real("rtol", rtol, above=0), one_real("atol", atol, above=0)
    last = float(t[-1])
    if last == 0:
        return training.result(t, training.start[None])
    report = _Report(progress, last)

    def velocity(now: float, weights: FloatArray) -> FloatArray:
        report(now)
        return training.velocity(weights)

    with np.errstate(over="ignore", invalid="ignore"):
        solution = solve_ivp(
            velocity, (0.0, last), training.start, "DOP853", t_eval=t, rtol=rtol, atol=atol
        )
    if not solution.success:
        reached = f"after {len(solution.t)} of {t.size} times"
        raise RuntimeError(f"the integrator stopped {reached}: {solution.message}")
    return training.result(t, solution.y.T)


def gradient_descent(
    network: Network,
    data: Data,
    u0: ArrayLike,
    w0: ArrayLike,
    steps: ArrayLike,
    *,
    derivative: Derivative | None = None,
    progress: Progress | None = None,
) -> Simulation:
    """Take real full-batch gradient steps, weight by weight.

    Parameters
    ----------
    network : Network
        One network; its learning rates are those of one step.
    data, u0, w0, derivative
        As for `gradient_flow`.
    steps : array_like, shape (n,)
        Increasing whole numbers of steps at which to record.
    progress : callable, optional
        Called as ``progress(steps_done, steps_wanted)`` about a hundred times in a run.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of its kind, a shape does not fit, the step counts do not increase,
        or the weights leave the range of doubles.

    Examples
    --------
    >>> from flbook import Network
    >>> from flbook.simulation import gradient_descent
    >>> network = Network(1, eta_u=0.1, eta_w=0.1)
    >>> run = gradient_descent(network, ([1.0, 2.0], [2.0, 4.0]), [1.0], [1.0], [0, 100])
    >>> print(run.slope.round(6))
    [1. 2.]
    """
    training = _Training(network, data, u0, w0, derivative)
    return training.descend(steps, progress, lambda weights, n: training.velocity(weights))


def stochastic_descent(
    network: Network,
    data: tuple[ArrayLike, ArrayLike],
    u0: ArrayLike,
    w0: ArrayLike,
    steps: ArrayLike,
    *,
    index: ArrayLike,
    noise: ArrayLike = 0.0,
    progress: Progress | None = None,
) -> Simulation:
    """Take real gradient steps on minibatches with noisy labels, weight by weight.

    Parameters
    ----------
    network : Network
        One network; its learning rates are those of one step.
    data, u0, w0
        As for `gradient_flow`, but not a task.
    steps : array_like, shape (n,)
        Increasing whole numbers of steps at which to record.
    index : array_like of int, shape (all steps, batch)
        The examples that every step sees, counted from 0.
    noise : array_like, default 0
        What is added to their labels in this step; broadcasts to the shape of `index`.
    progress : callable, optional
        Called as ``progress(steps_done, steps_wanted)`` about a hundred times in a run.

    Raises
    ------
    TypeError, ValueError
        As for `gradient_descent`, or if `index` does not fit the data or ends before the steps do.

    Examples
    --------
    >>> from flbook import Network
    >>> from flbook.simulation import stochastic_descent
    >>> network, data = Network(1, eta_u=0.1, eta_w=0.1), ([1.0, 2.0], [2.0, 4.0])
    >>> run = stochastic_descent(network, data, [1.0], [1.0], [0, 100], index=[[0], [1]] * 50)
    >>> print(run.slope.round(6))
    [1. 2.]
    """
    training = _Training(network, data, u0, w0, None)
    examples = training.problem
    if not isinstance(examples, Examples):
        raise TypeError(f"data must be a tuple (x, y) to draw batches from, got {data!r}")
    chosen = np.asarray(whole("index", index, at_least=0))
    if chosen.ndim != 2 or chosen.size == 0:
        raise ValueError(f"index must have shape (all steps, batch), got {chosen.shape}")
    count = examples.labels.size
    refuse_where(chosen >= count, "index", chosen, f"made of examples 0 to {count - 1}")
    added = np.asarray(real("noise", noise))
    if broadcast_shape(index=chosen.shape, noise=added.shape) != chosen.shape:
        raise ValueError(f"noise must broadcast to the shape {chosen.shape}, got {added.shape}")
    added = np.broadcast_to(added, chosen.shape)
    beyond = np.asarray(whole("steps", steps, at_least=0)) > len(chosen)
    refuse_where(beyond, "steps", steps, f"at most {len(chosen)}, the steps that index is for")

    def velocity(weights: FloatArray, n: int) -> FloatArray:
        return training.velocity(
            weights, lambda slopes: examples.batch_gradient(slopes, chosen[n - 1], added[n - 1])
        )

    return training.descend(steps, progress, velocity)


class _Training:
    """What is trained: all weights as one vector, and how the gradient moves them.

    With β = γ Wᵀu the network is f(x) = β·x and the loss L(β), so
    du/dt = −η_u γ W ∇L and dW/dt = −η_w γ u ∇Lᵀ. Along the line W is w, a single column.
    """

    def __init__(
        self,
        network: Network,
        data: Data,
        u0: ArrayLike,
        w0: ArrayLike,
        derivative: Derivative | None,
    ) -> None:
        self.network, self.width = network, _width(network)
        self.problem = problem(data, derivative)
        u, w = np.asarray(real("u0", u0)), np.asarray(real("w0", w0))
        self.layer_shape = (self.width, *self.problem.columns)
        for name, layer, shape in (("u0", u, (self.width,)), ("w0", w, self.layer_shape)):
            if layer.shape != shape:
                raise ValueError(f"{name} must have shape {shape}, got {layer.shape}")
        self.start = np.concatenate([u, w.ravel()])

    def velocity(
        self, weights: FloatArray, gradient: Callable[[FloatArray], FloatArray] | None = None
    ) -> FloatArray:
        net, u = self.network, weights[: self.width]
        w = weights[self.width :].reshape(self.width, -1)
        pull = net.gamma * (gradient or self.problem.gradient)(net.gamma * (u @ w))
        return np.concatenate([-net.eta_u * (w @ pull), -net.eta_w * np.outer(u, pull).ravel()])

    def descend(
        self,
        steps: ArrayLike,
        progress: Progress | None,
        velocity: Callable[[FloatArray, int], FloatArray],
    ) -> Simulation:
        """Add velocity(weights, n) in the n-th step, and record after these steps."""
        counts = _increasing("steps", np.asarray(whole("steps", steps, at_least=0)))
        record, total = set(counts.tolist()), int(counts[-1])
        report = _Report(progress, total)
        weights, states = self.start, []
        with np.errstate(over="ignore", invalid="ignore"):
            for n in range(total + 1):
                if n > 0:
                    weights = weights + velocity(weights, n)
                if n in record:
                    if not np.isfinite(weights).all():
                        raise ValueError(
                            f"steps must end before the weights leave the range of doubles, got "
                            f"{n} where they have diverged"
                        )
                    states.append(weights)
                report(n)
        return self.result(counts.astype(np.float64), np.array(states))

    def result(self, t: FloatArray, weights: FloatArray) -> Simulation:
        u, w = weights[:, : self.width], weights[:, self.width :]
        w = w.reshape(-1, *self.layer_shape)
        return Simulation(self.network, self.problem.task, t, u, w, self.problem.direction)


class _Report:
    """Calls `progress` about a hundred times on the way to what is wanted."""

    def __init__(self, progress: Progress | None, wanted: float) -> None:
        self.progress, self.wanted, self.due = progress, wanted, 0.0

    def __call__(self, done: float) -> None:
        if self.progress is not None and done >= self.due:
            self.due = done + self.wanted / 100
            self.progress(done, self.wanted)


def _width(network: Network) -> int:
    single("network", network, Network, TO_SIMULATE)
    return int(network.width)


def _increasing(name: str, values: FloatArray) -> FloatArray:
    if values.ndim != 1 or values.size == 0:
        raise ValueError(f"{name} must have shape (n,) with n of at least 1, got {values.shape}")
    refuse_where(np.diff(values, prepend=-1.0) <= 0, name, values, "increasing")
    return values
