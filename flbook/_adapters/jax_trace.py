"""What happens to the parameters of a JAX function: who meets which layer, in which order.

A function is traced to its list of primitive operations, and these are run one by one. Where an
array meets a parameter in a matrix product or a convolution, that is a *layer*, and the array is
the feature that enters it. Loops (``scan``, ``while``, ``cond``) are run as one operation, so
layers inside them are not seen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import jax
import numpy as np
from jax.extend.core import ClosedJaxpr, Literal

__all__ = ["Layer", "Trace", "trace"]

INLINED = {
    "checkpoint",
    "closed_call",
    "core_call",
    "custom_jvp_call",
    "custom_vjp_call",
    "custom_vjp_call_jaxpr",
    "jit",
    "pjit",
    "remat2",
}
KEEPS_PARAMETER = {"convert_element_type", "copy", "copy_p", "optimization_barrier"}
MIXES = {"dot_general", "conv_general_dilated", "gather", "concatenate", "sort"}


@dataclass(frozen=True)
class Layer:
    """One meeting of an array with a parameter.

    Attributes
    ----------
    leaf : int
        Which parameter.
    inner : int or None
        The axis of the parameter that is summed over, if it is a matrix and there is one such.
    below : int or None
        The number, in `Trace.layers`, of the layer whose output enters it.
    hidden : bool
        Whether what enters depends on parameters, and enters no earlier layer.
    """

    leaf: int
    inner: int | None
    below: int | None
    hidden: bool


@dataclass
class Trace:
    """What was seen: the layers, in order, and the order in which parameters were first used."""

    layers: list[Layer] = field(default_factory=list)
    order: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class _Mark:
    """What is known of a value: the parameter that it is, what it depends on, where it is from."""

    leaf: int | None = None
    axes: tuple[int, ...] | None = None
    learned: bool = False
    layer: int | None = None


class _Run:
    def __init__(self) -> None:
        self.trace = Trace()
        self.features: list[Any] = []
        self.entered: list[Any] = []

    def run(self, closed: Any, values: Sequence[Any], marks: Sequence[_Mark]) -> tuple[list, list]:
        """Run a traced function, and return the values and the marks of what it returns."""
        jaxpr = closed.jaxpr if isinstance(closed, ClosedJaxpr) else closed
        constants = closed.consts if isinstance(closed, ClosedJaxpr) else []
        known = dict(zip(jaxpr.constvars, [(c, _Mark()) for c in constants], strict=True))
        known.update(zip(jaxpr.invars, zip(values, marks, strict=True), strict=True))

        def read(atom: Any) -> tuple[Any, _Mark]:
            return (atom.val, _Mark()) if isinstance(atom, Literal) else known[atom]

        for equation in jaxpr.eqns:
            pairs = [read(atom) for atom in equation.invars]
            given, marked = [value for value, _ in pairs], [mark for _, mark in pairs]
            inner = _body(equation)
            if inner is not None:
                results, out = self.run(inner, given, marked)
            else:
                out = [self.mark(equation, given, marked)] * len(equation.outvars)
                bound = equation.primitive.get_bind_params(equation.params)
                # before JAX 0.10 a pair, with the functions that some operations take
                functions, parameters = bound if isinstance(bound, tuple) else ((), bound)
                results = equation.primitive.bind(*functions, *given, **parameters)
                if not equation.primitive.multiple_results:
                    results = [results]
            known.update(zip(equation.outvars, zip(results, out, strict=True), strict=True))
        ends = [read(atom) for atom in jaxpr.outvars]
        return [value for value, _ in ends], [mark for _, mark in ends]

    def mark(self, equation: Any, values: list[Any], marks: list[_Mark]) -> _Mark:
        """Say what is known of the result of one operation, and note the layer if it is one."""
        name = equation.primitive.name
        for mark in marks:
            if mark.leaf is not None and mark.leaf not in self.trace.order:
                self.trace.order.append(mark.leaf)
        if name in ("dot_general", "conv_general_dilated"):
            sides = [side for side in (0, 1) if marks[side].leaf is not None]
            if len(sides) == 1:
                return self.meet(equation, sides[0], values, marks)
        held = [mark for mark in marks if mark.leaf is not None]
        if len(held) == 1:
            scalar = name in ("mul", "div") and all(
                mark.leaf is not None or np.ndim(value) == 0
                for value, mark in zip(values, marks, strict=True)
            )
            if scalar or name in KEEPS_PARAMETER:
                return held[0]
            if name == "transpose" and held[0].axes is not None:
                axes = tuple(held[0].axes[axis] for axis in equation.params["permutation"])
                return _Mark(held[0].leaf, axes, True)
        layers = [mark.layer for mark in marks if mark.layer is not None]
        mixed = name in MIXES or (name == "reshape" and _sizes(values[0]) != _sizes_of(equation))
        below = max(layers) if layers and not mixed else None
        return _Mark(learned=any(mark.learned for mark in marks), layer=below)

    def meet(self, equation: Any, side: int, values: list[Any], marks: list[_Mark]) -> _Mark:
        parameter, other = marks[side], marks[1 - side]
        inner = None
        if equation.primitive.name == "dot_general" and parameter.axes is not None:
            contracted = equation.params["dimension_numbers"][0][side]
            if len(contracted) == 1 and len(parameter.axes) == 2:
                inner = parameter.axes[contracted[0]]
        entering = values[1 - side]
        hidden = other.learned and not any(entering is value for value in self.entered)
        self.entered.append(entering)
        if hidden:
            self.features.append(entering)
        assert parameter.leaf is not None
        self.trace.layers.append(Layer(parameter.leaf, inner, other.layer, hidden))
        return _Mark(learned=True, layer=len(self.trace.layers) - 1)


def trace(function: Callable[..., Any], leaves: Sequence[Any], *rest: Any) -> tuple[Trace, list]:
    """Run ``function(leaves, *rest)``, and return what was seen and the hidden features.

    Works under ``jax.vmap`` and ``jax.jit``; the features are those of the layers with `hidden`.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> weights = [jnp.ones((3, 4)), jnp.ones((4, 2))]
    >>> seen, features = trace(lambda w, x: jnp.tanh(x @ w[0]) @ w[1], weights, jnp.ones((5, 3)))
    >>> [(layer.leaf, layer.inner, layer.below) for layer in seen.layers], features[0].shape
    ([(0, 0, None), (1, 0, 0)], (5, 4))
    """
    closed = jax.make_jaxpr(function)(list(leaves), *rest)
    marks = [_Mark(i, tuple(range(np.ndim(leaf))), True) for i, leaf in enumerate(leaves)]
    others = jax.tree.leaves(rest)
    run = _Run()
    run.run(closed, [*leaves, *others], marks + [_Mark()] * len(others))
    return run.trace, run.features


def _body(equation: Any) -> Any:
    """Return the traced function that an operation merely calls, if it does."""
    if equation.primitive.name not in INLINED:
        return None
    parameters = equation.params
    return next(parameters[n] for n in ("jaxpr", "call_jaxpr", "fun_jaxpr") if n in parameters)


def _sizes(value: Any) -> list[int]:
    return [size for size in np.shape(value) if size != 1]


def _sizes_of(equation: Any) -> list[int]:
    return [size for size in equation.params["new_sizes"] if size != 1]
