"""Training by full-batch and stochastic gradient descent, and what is recorded on the way."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import ArrayLike

from flbook._support.arrays import FloatArray, Progress
from flbook._support.checks import one_real, one_whole, whole
from flbook.networks.descent import Problem
from flbook.networks.mlp import MLP, Params, precision

__all__ = ["Training", "train"]

# About how many steps are recorded if not said otherwise.
RECORDS = 60


@dataclass(frozen=True, eq=False)
class Training:
    """What a training run leaves behind.

    Attributes
    ----------
    network : MLP
        What was trained.
    steps : array of int, shape (n,)
        The step counts at which was recorded, 0 among them.
    losses : array, shape (n,)
        The loss over all examples at these steps.
    measured : pytree or None
        What `measure` returned, stacked along a first axis of length n.
    checkpoints : mapping of int to Params
        The weights at the checkpoints; at the first and the last recorded step always.
    ending : str
        "steps" where all steps were taken, "loss" where the loss fell to `stop_at_loss`, "diverged"
        where it left the range of numbers. Nothing is recorded of a divergence but this word.
    centred : bool
        Whether f − f₀ was trained in place of f.
    """

    network: MLP
    steps: np.ndarray
    losses: FloatArray
    measured: Any
    checkpoints: Mapping[int, Params]
    ending: str
    centred: bool = False

    @property
    def start(self) -> Params:
        """The weights before training."""
        return self.checkpoints[int(self.steps[0])]

    @property
    def params(self) -> Params:
        """The weights at the last recorded step."""
        return self.checkpoints[int(self.steps[-1])]

    @property
    def diverged(self) -> bool:
        """Whether the loss left the range of numbers."""
        return self.ending == "diverged"

    def predict(self, x: ArrayLike, step: int | None = None) -> jax.Array:
        """Return the outputs f (f − f₀ if centred) after training, or at the checkpoint `step`."""
        if step is not None and step not in self.checkpoints:
            raise ValueError(
                f"step must be one of {', '.join(map(str, self.checkpoints))}, got {step!r}"
            )
        outputs = self.network(self.params if step is None else self.checkpoints[step], x)
        if not self.centred:
            return outputs
        with precision(outputs.dtype):
            return outputs - self.network(self.start, x)

    def __repr__(self) -> str:
        last = f"loss {self.losses[0]:.4g} → {self.losses[-1]:.4g} in {self.steps[-1]} steps"
        ends = {"steps": "", "loss": ", where it was to stop", "diverged": ", then diverged"}
        return f"<Training of {'-'.join(map(str, self.network.sizes))}: {last}{ends[self.ending]}>"


def train(
    network: MLP,
    params: Params,
    x: ArrayLike,
    y: ArrayLike,
    *,
    loss: str = "mse",
    learning_rate: float,
    steps: int,
    batch_size: int | None = None,
    momentum: float = 0.0,
    seed: int = 0,
    record: ArrayLike | None = None,
    checkpoints: ArrayLike = (),
    measure: Callable[[Params], Any] | None = None,
    stop_at_loss: float | None = None,
    centred: bool = False,
    progress: Progress | None = None,
) -> Training:
    """Take gradient steps W_l ← W_l − learning_rate · η_l · V_l, V_l ← momentum · V_l + ∂L/∂W_l.

    Parameters
    ----------
    network : MLP
        Gives the function and the rates η_l of its layers.
    params : Params
        The start, as from `network.init`; all is computed in its dtype, float32 or float64.
    x : array_like, shape (n, inputs)
        Examples.
    y : array_like
        Labels, as `LOSSES` says; (n,) will do for one output.
    loss : str, default "mse"
        A name in `LOSSES`.
    learning_rate : float
        The common factor of all rates, at least 0.
    steps : int
        How many steps to take.
    batch_size : int, optional
        Examples in a step, drawn without replacement epoch by epoch; what is left over when n is
        no multiple sits out an epoch. All examples in every step if not given.
    momentum : float, default 0
        Share of the last V that stays, at least 0 and below 1 (heavy ball); the speed of a small
        rate is 1/(1 − momentum) times that without.
    seed : int, default 0
        Of the order of the examples.
    record : array_like of int, optional
        Increasing step counts at which to record; about sixty, evenly spread in log(step), if not
        given. 0 and the last step are always recorded.
    checkpoints : array_like of int, default none
        Increasing step counts at which to keep the weights; recorded as well.
    measure : callable, optional
        A function of the weights, made of JAX operations, to be recorded too: it returns an array
        or a dict of arrays.
    stop_at_loss : float, optional
        Stop at the first recorded step whose loss is no larger.
    centred : bool, default False
        Train f − f₀, which starts at 0 everywhere.
    progress : callable, optional
        Called as ``progress(steps_done, steps_wanted)`` a few times a second.

    Warns
    -----
    RuntimeWarning
        If the loss leaves the range of numbers. Training ends there, and the result holds what was
        recorded before.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of its kind or range, or shapes do not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from flbook.networks import MLP, train
    >>> x = np.linspace(-1, 1, 20)[:, None]
    >>> network = MLP.parametrised("ntk", (1, 64, 1), "linear")
    >>> run = train(network, network.init(seed=0), x, 2 * x, learning_rate=0.5, steps=200)
    >>> print(run.ending, run.losses[-1] < 1e-6)
    steps True
    """
    problem = Problem(network, params, x, y, loss, centred)
    rate = one_real("learning_rate", learning_rate, at_least=0)
    momentum = one_real("momentum", momentum, at_least=0)
    if momentum >= 1:
        raise ValueError(f"momentum must be below 1, got {momentum:g}")
    target = -np.inf if stop_at_loss is None else one_real("stop_at_loss", stop_at_loss)
    total = one_whole("steps", steps, at_least=0)
    if batch_size is not None:
        batch_size = one_whole("batch_size", batch_size)
        if batch_size > problem.count:
            raise ValueError(
                f"batch_size must be at most {problem.count}, the number of examples, got "
                f"{batch_size}"
            )
    kept = {0, *_step_counts("checkpoints", checkpoints, total)}
    if record is None:
        record = np.unique(np.geomspace(1, max(total, 1), RECORDS).round()).astype(int)
        record = record[record <= total]
    stops = sorted({0, total, *kept, *_step_counts("record", record, total)})
    seed = one_whole("seed", seed, at_least=0)

    rows: list[tuple[int, float, Any]] = []
    saved: dict[int, Params] = {}
    ending, sound = "steps", params
    with precision(problem.dtype):
        observe = None if measure is None else jax.jit(measure)
        states = problem.descend(
            params, stops, (rate, momentum), batch_size, jax.random.key(seed), progress
        )
        step = 0
        for step, params in zip(stops, states, strict=False):
            value = problem.loss(params)
            if not _finite(value, params):
                ending = "diverged"
                break
            now = None if observe is None else jax.tree.map(np.asarray, observe(params))
            rows.append((step, value, now))
            sound = params
            if step in kept:
                saved[step] = params
            if value <= target:
                ending = "loss"
                break
    if not rows:
        raise ValueError("params must give a finite loss at the start, got one that is not finite")
    if ending == "diverged":
        warnings.warn(
            f"the loss left the range of numbers between steps {rows[-1][0]} and {step}: a "
            f"learning_rate of {rate:g} is too large here; the record ends before",
            RuntimeWarning,
            stacklevel=2,
        )
    saved[rows[-1][0]] = sound
    taken, losses, measured = zip(*rows, strict=True)
    stacked = None if measure is None else jax.tree.map(lambda *a: np.stack(a), *measured)
    return Training(
        network, np.array(taken), np.array(losses), stacked, saved, ending, bool(centred)
    )


def _finite(value: float, params: Params) -> bool:
    return bool(np.isfinite(value)) and all(bool(jnp.isfinite(m).all()) for m in params)


def _step_counts(name: str, counts: ArrayLike, total: int) -> list[int]:
    given = np.asarray(counts)
    if given.size == 0:
        return []
    array = np.atleast_1d(whole(name, given, at_least=0))
    if array.ndim != 1 or (np.diff(array) <= 0).any() or array[-1] > total:
        raise ValueError(f"{name} must be increasing step counts up to {total}, got {counts!r}")
    return array.tolist()
