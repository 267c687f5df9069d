"""From two models to a check-up: find the framework, ask its probe, put the answers together."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from flbook._adapters.probe import Opened, Probe
from flbook._measures.checkup import Checkup
from flbook._support.arrays import FloatArray
from flbook._support.checks import one_whole

__all__ = ["checkup", "framework", "open_probe"]

ADAPTERS = {"torch": "flbook._adapters.torch_open", "jax": "flbook._adapters.jax_open"}


def checkup(
    before: Any,
    after: Any,
    x: Any,
    y: ArrayLike | None = None,
    *,
    f: Callable[..., Any] | Any = None,
    checkpoints: Sequence[Any] = (),
    outputs: int | str | None = 4,
    batch_size: int | None = None,
    seed: int = 0,
) -> Checkup:
    """Tell whether training was lazy or rich, for a network of yours.

    The framework is that of the models, and no other is imported.

    Parameters
    ----------
    before, after : model or parameters
        Before and after training. In JAX: two pytrees of parameters, or two models that can be
        called (equinox, for one input; flax.nnx, for a batch). In PyTorch: two modules, or two
        state dicts of the module `f`.
    x : array, or pytree of arrays in JAX
        n probe inputs along the first axis, best of those trained on; 32 to 256 are enough.
    y : array, (n,) or (n, c), optional
        Their labels; integers (n,) are classes.
    f : callable, optional
        In JAX ``f(params, x)`` for a batch, with one array of n rows as its result; a dropout, say,
        is to be switched off in it. In PyTorch the module of two state dicts.
    checkpoints : sequence
        Models or parameters between `before` and `after`, in their order.
    outputs : int, "all" or None, default 4
        The kernel is that of so many random directions of the outputs, and that of every output by
        itself if "all" or None, or if there are no more than so many.
    batch_size : int, optional
        For how many inputs gradients are held at a time, twice; so many as take 128 MB by default.
    seed : int, default 0
        Of the random directions.

    Returns
    -------
    Checkup
        Prints as a short report.

    Raises
    ------
    TypeError, ValueError
        If the models are of no known framework or differ in names or shapes, nothing changed
        between them, a number is not finite, or the inputs are all the same.

    Notes
    -----
    What may mislead, like batch-norm statistics that moved, is said in `Checkup.doubts` and in the
    report.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from flbook import checkup
    >>> def model(params, x):
    ...     return jnp.tanh(params["w"] * x)
    >>> before, after = {"w": jnp.array(0.1)}, {"w": jnp.array(2.0)}
    >>> checkup(before, after, jnp.linspace(-1, 1, 32), f=model).verdict
    'rich'
    """
    if outputs not in ("all", None):
        outputs = one_whole("outputs", outputs)
    if batch_size is not None:
        batch_size = one_whole("batch_size", batch_size)
    with _adapter(before, after, f).surroundings(before):
        probe, states = open_probe(
            before, after, x, f=f, checkpoints=checkpoints, batch_size=batch_size
        )
        return _asked(probe, states, x, y, outputs, seed)


def _asked(
    probe: Probe,
    states: Sequence[Any],
    x: Any,
    y: ArrayLike | None,
    outputs: int | str | None,
    seed: int,
) -> Checkup:
    """Ask a probe all that a check-up is made of."""
    first, last = states[0], states[-1]
    labels = ["before", *(f"checkpoints[{i}]" for i in range(len(states) - 2)), "after"]
    weights = [probe.weights(state) for state in states]
    for label, found in zip(labels, weights, strict=True):
        _refuse_infinite(label, found)
    if all(np.array_equal(a, weights[-1][name]) for name, a in weights[0].items()):
        raise ValueError("after must differ from before, got the same parameters: no training")
    made = [probe.outputs(state) for state in states]
    for label, found in zip(labels, made, strict=True):
        _refuse_infinite(f"f of {label}", {"x": found})
    _refuse_same(x, made[0])

    directions = _directions(made[0].shape[1], outputs, seed)
    linear = [probe.linear_change(first, state) for state in states[1:]]
    kernels = [probe.kernel(state, directions) for state in states]
    hidden = probe.features(first), probe.features(last)
    return Checkup.from_arrays(
        outputs_before=made[0],
        outputs_after=made[-1],
        linear_change=linear[-1],
        kernel_before=kernels[0],
        kernel_after=kernels[-1],
        weights={name: (a, weights[-1][name]) for name, a in weights[0].items()},
        features={name: (a, hidden[1][name]) for name, a in hidden[0].items()},
        pairs_before=probe.pairs(first),
        pairs_after=probe.pairs(last),
        y=None if y is None else np.asarray(y),
        checkpoints=list(zip(made[1:-1], linear[:-1], kernels[1:-1], strict=True)),
        precision=probe.precision,
        doubts=probe.doubts(first, last),
    )


def framework(*models: Any) -> str:
    """Return "torch" or "jax": the framework, already imported, that the models belong to."""
    torch = sys.modules.get("torch")
    if torch is not None:
        kinds = (torch.nn.Module, torch.Tensor)
        for model in models:
            values = model.values() if isinstance(model, dict) else (model,)
            if any(isinstance(value, kinds) for value in values):
                return "torch"
    if "jax" in sys.modules:
        return "jax"
    raise TypeError(
        "before must be a PyTorch module or state dict, or a JAX pytree, got "
        f"{type(models[0]).__name__}; plain arrays go to fl.Checkup.from_arrays"
    )


def open_probe(
    before: Any, after: Any, x: Any, *, f: Any, checkpoints: Any, batch_size: int | None
) -> Opened:
    """Open the models with the adapter of their framework, and import no other."""
    adapter = _adapter(before, after, f)
    return adapter.open_probe(before, after, x, f=f, checkpoints=checkpoints, batch_size=batch_size)


def _adapter(*models: Any) -> ModuleType:
    return import_module(ADAPTERS[framework(*models)])


def _directions(count: int, outputs: int | str | None, seed: int) -> FloatArray:
    """Return unit directions (r, count) of the outputs: random ones, or each output by itself."""
    if not isinstance(outputs, int) or outputs >= count:
        return np.eye(count)
    drawn = np.random.default_rng(seed).normal(size=(outputs, count))
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


def _refuse_infinite(label: str, arrays: dict[str, FloatArray]) -> None:
    for name, array in arrays.items():
        bad = np.argwhere(~np.isfinite(array))
        if len(bad):
            index = tuple(int(i) for i in bad[0])
            raise ValueError(
                f"{label} must be finite, got {array[index]} in {name!r} at {index}, and "
                f"{len(bad)} such entries in all"
            )


def _refuse_same(x: Any, outputs: FloatArray) -> None:
    count = len(outputs)
    if count < 2:
        raise ValueError(f"x must hold two or more inputs, got {count}")
    if hasattr(x, "shape") and (outputs == outputs[0]).all():
        values = np.asarray(x).reshape(count, -1)
        if (values == values[0]).all():
            raise ValueError(f"x must hold different inputs, got {count} times the same one")
