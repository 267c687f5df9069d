"""Training by full-batch and stochastic gradient descent, and what is recorded on the way."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from numpy.typing import ArrayLike

from flbook._support.arrays import FloatArray, Progress
from flbook._support.checks import instance, one_of, one_real, one_whole, real, whole
from flbook.networks.losses import LOSSES, labels
from flbook.networks.mlp import MLP, Params, forward, precision

__all__ = ["Training", "train"]

# How many seconds compiled code may run before Python hears of an interrupt and reports progress.
PATIENCE = 0.2
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
        return outputs - self.network(self.start, x) if self.centred else outputs

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
    problem = _Problem(network, params, x, y, loss, centred)
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


class _Problem:
    """A network with data that were checked, in the dtype of the weights."""

    def __init__(
        self, network: MLP, params: Params, x: ArrayLike, y: ArrayLike, loss: str, centred: bool
    ) -> None:
        instance("network", network, MLP)
        network.check(params)
        one_of("loss", loss, LOSSES)
        inputs = np.asarray(real("x", x))
        if inputs.ndim != 2 or inputs.shape[1] != network.sizes[0] or inputs.size == 0:
            raise ValueError(f"x must have shape (n, {network.sizes[0]}), got {inputs.shape}")
        self.count, outputs = len(inputs), network.sizes[-1]
        wanted = labels(loss, y, self.count, outputs)
        self.dtype = params[0].dtype
        with precision(self.dtype):
            self.x = jnp.asarray(inputs, self.dtype)
            self.y = jnp.asarray(wanted, self.dtype if loss == "mse" else int)
            offset = network(params, self.x) if centred else jnp.zeros((self.count, outputs))
            self.offset = jnp.asarray(offset, self.dtype)
            self.gamma = jnp.asarray(network.gamma, self.dtype)
        self.network, self.names = network, (network.activation, loss)

    def loss(self, params: Params) -> float:
        """Return the loss over all examples."""
        return float(_loss(params, self.x, self.y, self.offset, self.gamma, self.names))

    def descend(
        self,
        params: Params,
        stops: list[int],
        pace: tuple[float, float],
        batch_size: int | None,
        key: jax.Array,
        progress: Progress | None,
    ) -> Iterator[Params]:
        """Yield the weights at every stop, the first of which is the start."""
        etas = self.network.etas
        rate, momentum = pace
        rates = tuple(jnp.asarray(rate * eta, self.dtype) for eta in etas)
        order = jnp.arange(self.count)
        memory = _optimiser(rates, momentum).init(params)
        chunk, done = 1.0, stops[0]
        yield params
        for start, end in pairwise(stops):
            done = start
            while done < end:
                now = min(end, done + int(chunk))
                began = time.perf_counter()
                params, order, memory = jax.block_until_ready(
                    _advance(
                        (params, order, memory),
                        (done, now),
                        (self.x, self.y, self.offset),
                        (self.gamma, rates, key),
                        names=self.names,
                        batch_size=batch_size,
                        momentum=momentum,
                    )
                )
                took = time.perf_counter() - began
                if now - done >= int(chunk):
                    chunk = max(1.0, chunk * min(16.0, PATIENCE / max(took, 1e-9)))
                done = now
                if progress is not None:
                    progress(done, stops[-1])
            yield params


@partial(jax.jit, static_argnums=5)
def _loss(
    params: Params,
    x: jax.Array,
    y: jax.Array,
    offset: jax.Array,
    gamma: jax.Array,
    names: tuple[str, str],
) -> jax.Array:
    activation, loss = names
    return LOSSES[loss](gamma * forward(activation, params, x)[1] - offset, y)


def _optimiser(
    rates: tuple[jax.Array, ...], momentum: float
) -> optax.GradientTransformationExtraArgs:
    """Return gradient descent with a rate for each layer."""
    layers = tuple(map(str, range(len(rates))))
    each = [optax.sgd(rate, momentum=momentum or None) for rate in rates]
    return optax.partition(dict(zip(layers, each, strict=True)), layers)


@partial(jax.jit, static_argnames=("names", "batch_size", "momentum"))
def _advance(
    state: tuple[Params, jax.Array, Any],
    between: tuple[int, int],
    data: tuple[jax.Array, jax.Array, jax.Array],
    settings: tuple[jax.Array, tuple[jax.Array, ...], jax.Array],
    *,
    names: tuple[str, str],
    batch_size: int | None,
    momentum: float,
) -> tuple[Params, jax.Array, Any]:
    """Take the steps from one count up to another; order and momentum go along.

    The counts are no constants of the compiled code, so one compilation serves every stretch, and
    the rates are none, so it serves every point of a grid.
    """
    gamma, rates, key = settings
    optimiser = _optimiser(rates, momentum)
    slope = jax.grad(_loss)
    count = len(data[0])

    def step(now: jax.Array, carried: tuple[Params, jax.Array, Any]) -> tuple[Any, jax.Array, Any]:
        params, order, memory = carried
        batch = data
        if batch_size is not None:
            epoch, place = jnp.divmod(now, count // batch_size)
            order = jax.lax.cond(
                place == 0,
                lambda: jax.random.permutation(jax.random.fold_in(key, epoch), count),
                lambda: order,
            )
            rows = jax.lax.dynamic_slice_in_dim(order, place * batch_size, batch_size)
            batch = tuple(part[rows] for part in data)
        updates, memory = optimiser.update(slope(params, *batch, gamma, names), memory)
        return optax.apply_updates(params, updates), order, memory

    return jax.lax.fori_loop(*between, step, state)


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
