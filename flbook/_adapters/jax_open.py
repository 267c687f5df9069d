"""Open JAX models: which of their leaves are trained, and how a pytree becomes a function of x."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from flbook._adapters.jax_probe import JaxProbe, State, rows
from flbook._adapters.probe import Opened

__all__ = ["open_probe", "surroundings"]

STATISTICS = ("batch_stats", "running_mean", "running_var")
"""Parts of names of arrays that follow the data and that no gradient trains."""


def surroundings(before: Any) -> AbstractContextManager[Any]:
    """Return the context of double precision where parameters have it, whatever JAX is set to."""
    double = any(getattr(leaf, "dtype", None) == np.float64 for leaf in jax.tree.leaves(before))
    return jax.enable_x64(True) if double else nullcontext()


def open_probe(
    before: Any,
    after: Any,
    x: Any,
    *,
    f: Callable[..., Any] | None = None,
    checkpoints: Sequence[Any] = (),
    batch_size: int | None = None,
) -> Opened:
    """Open pytrees of parameters, with `f(params, x)`, or models that can be called themselves.

    Trained are the inexact arrays that differ anywhere between `before`, `checkpoints` and `after`;
    one that stays the same to the last bit counts as frozen. Half-precision parameters are
    evaluated in float32.
    """
    models = [before, *checkpoints, after]
    labels = ["before", *(f"checkpoints[{i}]" for i in range(len(checkpoints))), "after"]
    paths, tree = jax.tree_util.tree_flatten_with_path(before)
    names = [_name(path) for path, _ in paths]
    columns = [
        _leaves(model, label, names, before) for model, label in zip(models, labels, strict=True)
    ]
    numbers = [i for i in range(len(names)) if all(_is_number(leaves[i]) for leaves in columns)]
    moved = [i for i in numbers if any(_differ(columns[0][i], leaves[i]) for leaves in columns)]
    # a plain number that stays is a setting, as equinox keeps them, and no parameter
    arrays = [i for i in numbers if i in moved or _is_array(columns[0][i])]
    inexact = [i for i in arrays if _inexact(columns[-1][i]) and not _is_statistic(names[i])]
    trained = [i for i in inexact if i in moved] or inexact
    if not trained:
        raise ValueError("before must hold floating-point arrays to train, got none")
    fixed = [i for i in arrays if i not in trained]
    half = [i for i in inexact if np.asarray(columns[-1][i]).dtype.itemsize < 4]
    states = [
        State([_single(leaves[i]) for i in trained], [_single(leaves[i]) for i in fixed])
        for leaves in columns
    ]
    statics = columns[0]

    def model(trained_leaves: list, fixed_leaves: list) -> Any:
        leaves = list(statics)
        for i, leaf in zip(trained + fixed, [*trained_leaves, *fixed_leaves], strict=True):
            leaves[i] = leaf
        return jax.tree.unflatten(tree, leaves)

    call = f or _caller(before)
    inputs = jax.tree.map(lambda a: _single(jnp.asarray(a)), x)
    count = _count(inputs)

    def function(trained_leaves: list, fixed_leaves: list, some: Any) -> Any:
        return call(model(trained_leaves, fixed_leaves), some)

    out = jax.eval_shape(lambda s: rows(function(s.trained, s.fixed, inputs), count), states[0])
    precision = max(
        float(jnp.finfo(d).eps) for d in [out.dtype, *(a.dtype for a in states[0].trained)]
    )
    remarks = list(_remarks(names, inexact, trained, moved, half))
    probe = JaxProbe(
        function,
        [names[i] for i in trained],
        inputs,
        precision=precision,
        remarks=remarks,
        batch_size=batch_size,
    )
    return Opened(probe, states)


def _remarks(names: list[str], inexact: list, trained: list, moved: list, half: list) -> Any:
    statistics = [names[i] for i in moved if _is_statistic(names[i])]
    if statistics:
        yield (
            f"the batch-norm statistics moved ({statistics[0]}, …): that part of the change is no "
            "training of parameters, and counts as not linear"
        )
    others = [names[i] for i in moved if i not in trained and not _is_statistic(names[i])]
    if others:
        yield f"{others[0]} changed and cannot be differentiated: its share counts as not linear"
    frozen = [names[i] for i in inexact if i not in trained]
    if frozen:
        yield (
            f"{len(frozen)} of {len(inexact)} arrays did not change and count as frozen "
            f"({frozen[0]}, …)"
        )
    if half:
        yield "half-precision parameters were evaluated in float32"


def _leaves(model: Any, label: str, names: list[str], before: Any) -> list[Any]:
    """Return the leaves of a model, after checking that it is a twin of the first."""
    paths = jax.tree_util.tree_flatten_with_path(model)[0]
    found = [_name(path) for path, _ in paths]
    if found != names:
        odd = sorted(set(found) ^ set(names)) or found
        raise ValueError(
            f"{label} must have the same parameters as before, got {len(found)} leaves for "
            f"{len(names)}; the first that differs is {odd[0]!r}"
        )
    leaves = [leaf for _, leaf in paths]
    for name, leaf, other in zip(names, leaves, jax.tree.leaves(before), strict=True):
        if np.shape(leaf) != np.shape(other):
            raise ValueError(
                f"{label} must have the shapes of before, got {np.shape(leaf)} for {name!r}, where "
                f"before has {np.shape(other)}"
            )
        if _is_array(leaf) and jnp.issubdtype(leaf.dtype, jnp.complexfloating):
            raise TypeError(f"{label} must be real, got the complex {name!r}")
    return leaves


def _name(path: Any) -> str:
    return jax.tree_util.keystr(path, simple=True, separator=".").removesuffix(".value") or "params"


def _is_array(leaf: Any) -> bool:
    return isinstance(leaf, (jax.Array, np.ndarray, np.generic))


def _is_number(leaf: Any) -> bool:
    return _is_array(leaf) or (isinstance(leaf, (int, float)) and not isinstance(leaf, bool))


def _inexact(leaf: Any) -> bool:
    return isinstance(leaf, float) or (_is_array(leaf) and jnp.issubdtype(leaf.dtype, jnp.floating))


def _is_statistic(name: str) -> bool:
    return any(part in name for part in STATISTICS)


def _differ(one: Any, other: Any) -> bool:
    if jnp.issubdtype(getattr(one, "dtype", np.dtype(float)), jax.dtypes.prng_key):
        one, other = jax.random.key_data(one), jax.random.key_data(other)
    return not np.array_equal(np.asarray(one), np.asarray(other))


def _single(leaf: Any) -> Any:
    """Return a leaf as a JAX array, of at least float32 where it is floating."""
    array = jnp.asarray(leaf)
    half = jnp.issubdtype(array.dtype, jnp.floating) and array.dtype.itemsize < 4
    return array.astype(jnp.float32) if half else array


def _count(inputs: Any) -> int:
    leaves = jax.tree.leaves(inputs)
    if not leaves or any(a.ndim == 0 or len(a) != len(leaves[0]) for a in leaves):
        shapes = [a.shape for a in leaves]
        raise ValueError(f"x must have one row for each input, got the shapes {shapes}")
    return len(leaves[0])


def _caller(model: Any) -> Callable[..., Any]:
    """Return how a model that can be called is called on a batch."""
    if not callable(model):
        raise TypeError(
            "f must be given as f(params, x) where before cannot be called itself, got None with "
            f"before a {type(model).__name__}"
        )
    origins = {kind.__module__.partition(".")[0] for kind in inspect.getmro(type(model))}
    if "flax" in origins:
        return lambda called, x: called(x)
    if "equinox" in origins:
        import equinox

        return lambda called, x: jax.vmap(equinox.nn.inference_mode(called))(x)
    return lambda called, x: jax.vmap(called)(x)
