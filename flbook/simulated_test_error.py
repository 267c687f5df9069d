"""The slow way to the test error: train whole networks whose inputs have many dimensions.

The evidence for `flbook.generalisation`: every weight of both layers is trained by the gradient of
the training loss, the ones across the training line too, and the test error is an average over test
inputs. It shares the definition of the model with the solver and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.integrate import solve_ivp

from flbook._model.network import Network
from flbook._support.arrays import FloatArray, Progress, Seed
from flbook._support.checks import instance, real, refuse_where, step_counts, times

__all__ = ["TrainedNetwork", "sample_layers", "train_by_flow", "train_by_steps"]

Gradient = Callable[[FloatArray, FloatArray], tuple[FloatArray, FloatArray]]


@dataclass(frozen=True, eq=False)
class TrainedNetwork:
    """A network f(x) = γ u·(W x) along its training.

    Attributes
    ----------
    network : Network
        Its hyperparameters.
    t : array, shape (n,)
        Times, or step counts.
    u : array, shape (n, width)
        The outer layer at these times.
    W : array, shape (n, width, D)
        The inner layer at these times.

    Examples
    --------
    >>> from flbook import Network
    >>> from flbook.simulated_test_error import train_by_steps
    >>> trained = train_by_steps(
    ...     Network(1, eta_u=0.1, eta_w=0.1), [[1.0, 0.0]], [1.0], [1.0], [[0.5, 2.0]], [0, 100]
    ... )
    >>> print(trained.predict([[1.0, 0.0], [0.0, 1.0]]).round(3))
    [[0.5   2.   ]
     [1.    2.399]]
    """

    network: Network
    t: FloatArray
    u: FloatArray
    W: FloatArray

    def predict(self, x: ArrayLike) -> FloatArray:
        """Return f(x) at every time.

        Parameters
        ----------
        x : array_like, shape (examples, D)
            Inputs.

        Returns
        -------
        array, shape (n, examples)

        Raises
        ------
        TypeError, ValueError
            If `x` is not made of finite numbers or has another D.

        Examples
        --------
        >>> import numpy as np
        >>> from flbook import Network
        >>> from flbook.simulated_test_error import TrainedNetwork
        >>> trained = TrainedNetwork(Network(1), np.zeros(1), np.ones((1, 1)), np.ones((1, 1, 2)))
        >>> print(trained.predict([[1.0, 2.0]]))
        [[3.]]
        """
        inputs = _matrix("x", x, self.W.shape[-1])
        weights = np.einsum("ni,nij->nj", self.u, self.W)
        return np.asarray(self.network.gamma) * weights @ inputs.T

    def test_error(self, x: ArrayLike, y: ArrayLike) -> FloatArray:
        """Return ½ mean (f(x) − y)² over test inputs, at every time.

        Parameters
        ----------
        x : array_like, shape (examples, D)
            Test inputs.
        y : array_like, shape (examples,)
            Their labels.

        Returns
        -------
        array, shape (n,)

        Raises
        ------
        TypeError, ValueError
            If `x` and `y` are not made of finite numbers or their shapes do not fit.

        Examples
        --------
        >>> import numpy as np
        >>> from flbook import Network
        >>> from flbook.simulated_test_error import TrainedNetwork
        >>> trained = TrainedNetwork(Network(1), np.zeros(1), np.ones((1, 1)), np.ones((1, 1, 2)))
        >>> print(trained.test_error([[1.0, 2.0]], [2.0]))
        [0.5]
        """
        inputs = _matrix("x", x, self.W.shape[-1])
        return np.mean((self.predict(inputs) - _labels(inputs, y)) ** 2, axis=-1) / 2


def sample_layers(
    network: Network, dimensions: int, seed: Seed = None
) -> tuple[FloatArray, FloatArray]:
    """Draw the layers of a random start: uᵢ ~ N(0, σ_u²), wᵢ ~ N(0, σ_w² I).

    Parameters
    ----------
    network : Network
        One network.
    dimensions : int
        D, at least 1.
    seed : int, numpy.random.Generator or None
        As for `numpy.random.default_rng`.

    Returns
    -------
    u : array, shape (width,)
    W : array, shape (width, D)

    Raises
    ------
    TypeError, ValueError
        If `network` is not one network, or D not a whole number of at least 1.

    Examples
    --------
    >>> from flbook import Network
    >>> from flbook.simulated_test_error import sample_layers
    >>> u, W = sample_layers(Network(3), dimensions=2, seed=0)
    >>> u.shape, W.shape
    ((3,), (3, 2))
    """
    width = _one(network)
    if isinstance(dimensions, bool) or not isinstance(dimensions, (int, np.integer)):
        raise TypeError(f"dimensions must be an int, got {dimensions!r}")
    if dimensions < 1:
        raise ValueError(f"dimensions must be at least 1, got {dimensions!r}")
    random = np.random.default_rng(seed)
    u = np.asarray(network.sigma_u) * random.standard_normal(width)
    return u, np.asarray(network.sigma_w) * random.standard_normal((width, dimensions))


def train_by_flow(
    network: Network,
    x: ArrayLike,
    y: ArrayLike,
    u0: ArrayLike,
    W0: ArrayLike,
    t: ArrayLike,
    *,
    rtol: float = 1e-10,
    atol: float = 1e-12,
    progress: Progress | None = None,
) -> TrainedNetwork:
    """Train every weight in continuous time, by an explicit Runge-Kutta method of order 8.

    Parameters
    ----------
    network : Network
        One network.
    x : array_like, shape (examples, D)
        Training inputs, on a line or not.
    y : array_like, shape (examples,)
        Labels.
    u0 : array_like, shape (width,)
        The outer layer at t = 0.
    W0 : array_like, shape (width, D)
        The inner layer at t = 0.
    t : array_like, shape (n,)
        Finite, increasing times of at least 0.
    rtol, atol : float
        Tolerances of the integrator.
    progress : callable, optional
        Called as ``progress(time_done, time_wanted)`` about a hundred times in a run.

    Returns
    -------
    TrainedNetwork

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
    >>> from flbook import Network
    >>> from flbook.simulated_test_error import sample_layers, train_by_flow
    >>> network = Network(4)
    >>> layers = sample_layers(network, dimensions=2, seed=0)
    >>> trained = train_by_flow(network, [[1.0, 0.0]], [1.0], *layers, t=[0.0, 30.0])
    >>> print(trained.predict([[1.0, 0.0]])[-1].round(6))
    [1.]
    """
    u, W, gradient = _problem(network, x, y, u0, W0)
    now = _increasing("t", times(t))
    rtol, atol = float(real("rtol", rtol, above=0)), float(real("atol", atol, above=0))
    last, told = float(now[-1]), 0.0
    if last == 0:
        return TrainedNetwork(network, now, u[None], W[None])
    width = u.size

    def derivative(at: float, state: FloatArray) -> FloatArray:
        nonlocal told
        if progress is not None and at - told >= last / 100:
            told = at
            progress(at, last)
        by_u, by_w = gradient(state[:width], state[width:].reshape(W.shape))
        return np.concatenate([-network.eta_u * by_u, np.ravel(-network.eta_w * by_w)])

    start = np.concatenate([u, W.ravel()])
    result = solve_ivp(
        derivative, (0.0, last), start, method="DOP853", t_eval=now, rtol=rtol, atol=atol
    )
    if not result.success:
        raise RuntimeError(f"the integrator stopped at t = {result.t[-1]:g}: {result.message}")
    states = result.y.T
    return TrainedNetwork(
        network, now, states[:, :width], states[:, width:].reshape(now.size, *W.shape)
    )


def train_by_steps(
    network: Network,
    x: ArrayLike,
    y: ArrayLike,
    u0: ArrayLike,
    W0: ArrayLike,
    steps: ArrayLike,
    *,
    progress: Progress | None = None,
) -> TrainedNetwork:
    """Train every weight by full-batch gradient steps.

    Parameters
    ----------
    network : Network
        One network; its learning rates are those of one step.
    x, y, u0, W0
        As for `train_by_flow`.
    steps : array_like, shape (n,)
        Increasing whole numbers of steps at which to record.
    progress : callable, optional
        Called as ``progress(steps_done, steps_wanted)`` about a hundred times in a run.

    Returns
    -------
    TrainedNetwork

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
    >>> from flbook.simulated_test_error import train_by_steps
    >>> network = Network(1, eta_u=0.1, eta_w=0.1)
    >>> trained = train_by_steps(network, [[2.0]], [2.0], [0.5], [[0.5]], [0, 1, 200])
    >>> print(trained.predict([[1.0]])[:, 0].round(3))
    [0.25  0.423 1.   ]
    """
    u, W, gradient = _problem(network, x, y, u0, W0)
    counts = _increasing("steps", step_counts(steps))
    total = int(counts[-1])
    wanted = set(counts.astype(int).tolist())
    kept: list[tuple[FloatArray, FloatArray]] = []
    with np.errstate(over="ignore", invalid="ignore"):
        for step in range(total + 1):
            if step > 0:
                by_u, by_w = gradient(u, W)
                u, W = u - network.eta_u * by_u, W - network.eta_w * by_w
            if step in wanted:
                if not (np.isfinite(u).all() and np.isfinite(W).all()):
                    raise ValueError(
                        f"steps must end before the weights leave the range of doubles, got {step} "
                        f"where they have diverged"
                    )
                kept.append((u, W))
            if progress is not None and step % max(1, total // 100) == 0:
                progress(step, total)
    return TrainedNetwork(
        network, counts, np.array([u for u, _ in kept]), np.array([W for _, W in kept])
    )


def _problem(
    network: Network, x: ArrayLike, y: ArrayLike, u0: ArrayLike, W0: ArrayLike
) -> tuple[FloatArray, FloatArray, Gradient]:
    width = _one(network)
    inputs = _matrix("x", x)
    labels = _labels(inputs, y)
    u, W = np.array(real("u0", u0)), np.array(real("W0", W0))
    if u.shape != (width,):
        raise ValueError(f"u0 must have shape {(width,)}, got {u.shape}")
    if W.shape != (width, inputs.shape[1]):
        raise ValueError(f"W0 must have shape {(width, inputs.shape[1])}, got {W.shape}")
    gamma = np.asarray(network.gamma)

    def gradient(u: FloatArray, W: FloatArray) -> tuple[FloatArray, FloatArray]:
        hidden = inputs @ W.T
        error = gamma * (hidden @ u) - labels
        pull = gamma * error / labels.size
        return pull @ hidden, np.outer(u, pull @ inputs)

    return u, W, gradient


def _one(network: Network) -> int:
    instance("network", network, Network)
    if network.shape != ():
        raise ValueError(f"network must be a single one to train, got shape {network.shape}")
    return int(network.width)


def _matrix(name: str, value: ArrayLike, columns: int | None = None) -> FloatArray:
    array = np.asarray(real(name, value))
    if array.ndim != 2 or array.size == 0 or (columns is not None and array.shape[1] != columns):
        wanted = "D" if columns is None else columns
        raise ValueError(f"{name} must have shape (examples, {wanted}), got {array.shape}")
    return array


def _labels(inputs: FloatArray, y: ArrayLike) -> FloatArray:
    labels = np.asarray(real("y", y))
    if labels.shape != inputs.shape[:1]:
        raise ValueError(f"y must have shape {inputs.shape[:1]} like x, got {labels.shape}")
    return labels


def _increasing(name: str, values: FloatArray) -> FloatArray:
    if values.ndim != 1 or values.size == 0:
        raise ValueError(f"{name} must have shape (n,) with n of at least 1, got {values.shape}")
    refuse_where(np.isinf(values), name, values, "finite")
    refuse_where(np.diff(values, prepend=-1.0) <= 0, name, values, "increasing")
    return values
