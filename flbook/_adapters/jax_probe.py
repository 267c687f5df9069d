"""JAX models on probe inputs: parameters in any pytree, as plain ones, flax and equinox have."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from flbook._adapters.jax_trace import Layer, Trace, trace
from flbook._adapters.probe import Pair
from flbook._support.arrays import FloatArray

__all__ = ["JaxProbe", "State", "rows"]

BLOCK_BYTES = 2**27
"""What the gradients of one block of inputs may take, where no batch size is given."""


COUPLED = 1e-3
"""Where an input alone gives an output that differs by so much, inputs act on each other."""


class State(NamedTuple):
    """The arrays of a pytree: those that are trained, and the rest."""

    trained: list[Any]
    fixed: list[Any]


class JaxProbe:
    """A function of parameters and inputs, on given inputs; see `Probe`.

    `function(trained, fixed, x)` returns an array with one row for each input.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        names: Sequence[str],
        x: Any,
        *,
        precision: float,
        remarks: Sequence[str] = (),
        batch_size: int | None = None,
    ) -> None:
        self.function, self.names, self.x = function, list(names), x
        self.precision, self.remarks, self.batch_size = precision, list(remarks), batch_size
        self.count = len(jax.tree.leaves(x)[0])
        self._rows = jax.jit(lambda state: rows(self.function(*state, self.x), self.count))
        self._linear = jax.jit(self._along)
        self._alone = jax.jit(self._gradients_alone)
        self._together = jax.jit(self._gradients_together)
        self._product = jax.jit(_product)
        self._features = jax.jit(
            jax.vmap(lambda s, x: self._traced(s, x)[1].features, in_axes=(None, 0))
        )
        self._seen: Trace | None = None
        self._coupled: bool | None = None

    def outputs(self, state: State) -> FloatArray:
        """Return the outputs (n, k)."""
        return np.asarray(self._rows(state), np.float64)

    def linear_change(self, before: State, after: State) -> FloatArray:
        """Return J(before)·(after − before)."""
        way = [
            jnp.asarray(np.asarray(b, np.float64) - np.asarray(a, np.float64), a.dtype)
            for a, b in zip(before.trained, after.trained, strict=True)
        ]
        return np.asarray(self._linear(before, way), np.float64)

    def _along(self, before: State, way: list) -> Any:
        return jax.jvp(lambda w: self._rows(State(w, before.fixed)), [before.trained], [way])[1]

    def kernel(self, state: State, directions: FloatArray) -> FloatArray:
        """Return the tangent kernels (r, n, n) of outputs @ direction."""
        if self._coupled is None:
            self._coupled = self._acts_on_others(state, directions[0])
        size = self._block(state)
        starts = range(0, self.count, size)
        kernels = np.zeros((len(directions), self.count, self.count))
        for kernel, direction in zip(kernels, jnp.asarray(directions), strict=True):
            for i in starts:
                above = slice(i, min(i + size, self.count))
                left = self._gradients(state, above, direction)
                for j in starts[i // size :]:
                    columns = slice(j, min(j + size, self.count))
                    right = left if i == j else self._gradients(state, columns, direction)
                    block = sum(np.asarray(p, np.float64) for p in self._product(left, right))
                    kernel[above, columns] = block
                    kernel[columns, above] = np.transpose(block)
        return kernels

    def _acts_on_others(self, state: State, direction: FloatArray) -> bool:
        """Tell whether the first inputs give other outputs when they are alone."""
        first = jax.tree.map(lambda a: a[: self._block(state)], self.x)
        alone = np.asarray(self._alone(state, first, jnp.asarray(direction))[0], np.float64)
        wanted = self.outputs(state) @ direction
        off = np.max(np.abs(alone - wanted[: len(alone)]))
        return bool(off > COUPLED * np.max(np.abs(wanted)))

    def _block(self, state: State) -> int:
        """Return for how many inputs gradients are held at a time."""
        size = self.batch_size or max(1, BLOCK_BYTES // self._bytes(state))
        return min(size, self.count)

    def _bytes(self, state: State) -> int:
        """Return what the gradients of one input take."""
        factored = {} if self._coupled else self._factored(state)
        sizes = {i: leaf.size for i, leaf in enumerate(state.trained)}
        sizes.update({a.leaf: _factors_size(a, state) for a in factored.values()})
        return state.trained[0].dtype.itemsize * sum(sizes.values())

    def _factored(self, state: State) -> dict[int, Layer]:
        """Return, by number, the layers whose weights meet no other and whose gradients are small.

        The gradient of a matrix that is used once is the product of what enters the layer and of
        the derivative by what it puts out. Where these two take less room they stand for it.
        """
        seen = self._trace(state)
        return {
            number: layer
            for number, layer in enumerate(seen.layers)
            if layer.inner is not None
            and seen.uses[layer.leaf] == 1
            and _tokens(layer) * _factors_size(layer, state) < state.trained[layer.leaf].size
        }

    def _gradients(self, state: State, some: slice, direction: Any) -> list:
        """Return the gradients of some rows of f·direction, for `_product`."""
        if self._coupled:
            return self._together(state, jnp.arange(some.start, some.stop), direction)
        return self._alone(state, jax.tree.map(lambda a: a[some], self.x), direction)[1]

    def _gradients_alone(self, state: State, x: Any, direction: Any) -> tuple[Any, list]:
        """Return f·direction and its gradients, each input by itself."""
        layers = self._factored(state)
        rest = [i for i in range(len(state.trained)) if i not in {a.leaf for a in layers.values()}]
        shifts = {n: jnp.zeros(a.shape, state.trained[a.leaf].dtype) for n, a in layers.items()}

        def value(some: list, shifts: dict, one: Any) -> Any:
            trained = list(state.trained)
            for i, leaf in zip(rest, some, strict=True):
                trained[i] = leaf
            outputs, seen = self._traced(State(trained, state.fixed), one, shifts)
            row = rows(outputs[0], 1)[0]
            entering = {n: seen.entering[n] * seen.factors[n] for n in layers}
            return row @ direction.astype(row.dtype), entering

        differentiate = jax.value_and_grad(value, argnums=(0, 1), has_aux=True)
        some = [state.trained[i] for i in rest]
        (values, entering), (whole, back) = jax.vmap(differentiate, (None, None, 0))(
            some, shifts, x
        )
        parts: list = [(g.reshape(len(g), -1),) for g in whole]
        for number, layer in layers.items():
            pair = (entering[number], back[number])
            parts.append(
                tuple(
                    jnp.moveaxis(a, axis + 1, -1).reshape(len(a), _tokens(layer), a.shape[axis + 1])
                    for a, axis in zip(pair, layer.axes, strict=True)
                )
            )
        return values, parts

    def _gradients_together(self, state: State, some: Any, direction: Any) -> list:
        """Return the same where the inputs of a batch act on each other."""

        def values(trained: list) -> Any:
            outputs = self._rows(State(trained, state.fixed))
            return outputs @ direction.astype(outputs.dtype)

        ends, back = jax.vjp(values, state.trained)
        units = jax.nn.one_hot(some, self.count, dtype=ends.dtype)
        (gradients,) = jax.vmap(back)(units)
        return [(g.reshape(len(g), -1),) for g in gradients]

    def weights(self, state: State) -> dict[str, FloatArray]:
        """Return the trained arrays by name, in the order of the forward pass."""
        order = list(self._trace(state).uses)
        order = order + [i for i in range(len(self.names)) if i not in order]
        return {self.names[i]: np.asarray(state.trained[i], np.float64) for i in order}

    def features(self, state: State) -> dict[str, FloatArray]:
        """Return what enters each layer but the first."""
        layers = [layer for layer in self._trace(state).layers if layer.hidden]
        names: list[str] = []
        for layer in layers:
            name = self.names[layer.leaf]
            again = sum(n == name or n.startswith(f"{name} (") for n in names)
            names.append(f"{name} ({again + 1})" if again else name)
        found = [np.asarray(a, np.float64) for a in self._features(state, self.x)]
        return {n: a.reshape(self.count, -1) for n, a in zip(names, found, strict=True)}

    def pairs(self, state: State) -> list[Pair]:
        """Return the pairs of matrices of which the lower one feeds the upper one."""
        layers, found = self._trace(state).layers, {}
        for upper in layers:
            lower = None if upper.below is None else layers[upper.below]
            if lower is None or lower.inner is None or upper.inner is None:
                continue
            a, b = (
                np.moveaxis(np.asarray(state.trained[leaf], np.float64), inner, -1)
                for leaf, inner in ((lower.leaf, lower.inner), (upper.leaf, upper.inner))
            )
            if a.shape[0] == b.shape[1] and lower.leaf != upper.leaf:
                found[lower.leaf, upper.leaf] = Pair(
                    self.names[lower.leaf], self.names[upper.leaf], a, b
                )
        return list(found.values())

    def doubts(self, before: State, after: State) -> list[str]:
        """Return what was noticed when the models were opened."""
        return self.remarks

    def _traced(
        self, state: State, one: Any, shifts: dict[int, Any] | None = None
    ) -> tuple[list, Trace]:
        return trace(
            lambda trained, x: self.function(trained, state.fixed, x),
            state.trained,
            jax.tree.map(lambda a: a[None], one),
            shifts=shifts,
        )

    def _trace(self, state: State) -> Trace:
        if self._seen is None:

            def look(state: State, one: Any) -> list:
                outputs, seen = self._traced(state, one)
                self._seen = replace(seen, entering=[], factors=[])
                return outputs

            jax.eval_shape(look, state, jax.tree.map(lambda a: a[0], self.x))
        assert self._seen is not None
        return self._seen


def _tokens(layer: Layer) -> int:
    """Return how often a layer is applied to one input."""
    return math.prod(layer.shape) // layer.shape[layer.axes[1]]


def _factors_size(layer: Layer, state: State) -> int:
    return _tokens(layer) * sum(state.trained[layer.leaf].shape)


def _product(left: list, right: list) -> list:
    """Return the inner products (a, b) of two lists of gradients, part by part.

    A part is a matrix (a, size), or two factors (a, tokens, in) and (a, tokens, out) of gradients
    that are sums over tokens of their outer products.
    """
    products = []
    for one, other in zip(left, right, strict=True):
        if len(one) == 1:
            products.append(one[0] @ other[0].T)
        elif one[0].shape[1] == 1:
            a, b = (p[:, 0] @ q[:, 0].T for p, q in zip(one, other, strict=True))
            products.append(a * b)
        else:
            a, b = (jnp.einsum("ask,btk->abst", p, q) for p, q in zip(one, other, strict=True))
            products.append((a * b).sum(axis=(2, 3)))
    return products


def rows(outputs: Any, count: int) -> Any:
    """Return what a model put out as a matrix (count, k), or refuse it."""
    if not hasattr(outputs, "shape"):
        raise TypeError(
            "f must return one array with a row for each input, got "
            f"{type(outputs).__name__}; choose one of its arrays, or join them"
        )
    if outputs.ndim == 0 or outputs.shape[0] != count:
        raise ValueError(
            f"f must return a row for each of the {count} inputs, got shape {outputs.shape}"
        )
    return outputs.reshape(count, -1)
