"""What happens to the parameters of a JAX function: who meets which layer, in which order.

A function is traced to its list of primitive operations, and these are run one by one. Where an
array meets a parameter in a matrix product or a convolution, that is a *layer*, and the array is
the feature that enters it. Loops (``scan``, ``while``, ``cond``) are run as one operation, so
layers inside them are not seen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

import jax
import numpy as np
from jax.extend.core import ClosedJaxpr, Literal

__all__ = ["Layer", "Trace", "trace"]

INLINED = {
    "checkpoint",
    "closed_call",
    "core_call",
    "jit",
    "pjit",
    "remat2",
}
BODIES = ("jaxpr", "call_jaxpr")
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
    shape : tuple of int
        Of what the layer puts out.
    axes : tuple of int
        Where `inner` is known: the axis of what enters that is summed over, and the axis of
        `shape` that the parameter brings.
    """

    leaf: int
    inner: int | None
    below: int | None
    hidden: bool
    shape: tuple[int, ...]
    axes: tuple[int, int] = (0, 0)


@dataclass
class Trace:
    """What was seen: the layers, in order, and how often each parameter was used, in order.

    Beside it, one for each layer: what enters, and by what scalar its parameter was multiplied.
    """

    layers: list[Layer] = field(default_factory=list)
    uses: dict[int, int] = field(default_factory=dict)
    entering: list[Any] = field(default_factory=list)
    factors: list[Any] = field(default_factory=list)

    @property
    def features(self) -> list[Any]:
        """What enters the hidden layers."""
        return [a for a, layer in zip(self.entering, self.layers, strict=True) if layer.hidden]


@dataclass(frozen=True)
class _Mark:
    """What is known of a value: the parameter that it is, what it depends on, where it is from."""

    leaf: int | None = None
    axes: tuple[int, ...] = ()
    factor: Any = 1.0
    learned: bool = False
    layer: int | None = None


class _Run:
    def __init__(self, shifts: dict[int, Any]) -> None:
        self.trace, self.shifts = Trace(), shifts

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
                before = len(self.trace.layers)
                out = [self.mark(equation, given, marked)] * len(equation.outvars)
                bound = equation.primitive.get_bind_params(equation.params)
                # before JAX 0.10 a pair, with the functions that some operations take
                functions, parameters = bound if isinstance(bound, tuple) else ((), bound)
                results = equation.primitive.bind(*functions, *given, **parameters)
                if not equation.primitive.multiple_results:
                    results = [results]
                if len(self.trace.layers) > before and before in self.shifts:
                    results = [results[0] + self.shifts[before]]
            known.update(zip(equation.outvars, zip(results, out, strict=True), strict=True))
        ends = [read(atom) for atom in jaxpr.outvars]
        return [value for value, _ in ends], [mark for _, mark in ends]

    def mark(self, equation: Any, values: list[Any], marks: list[_Mark]) -> _Mark:
        """Say what is known of the result of one operation, and note the layer if it is one."""
        name = equation.primitive.name
        held = [mark for mark in marks if mark.leaf is not None]
        for mark in held:
            self.trace.uses.setdefault(cast(int, mark.leaf), 0)
        if len(held) == 1:
            same = self.passed(equation, held[0], values, marks)
            if same is not None:
                return same
        for mark in held:
            self.trace.uses[cast(int, mark.leaf)] += 1
        if name in ("dot_general", "conv_general_dilated") and len(held) == 1:
            return self.meet(equation, marks.index(held[0]), values, marks)
        layers = [mark.layer for mark in marks if mark.layer is not None]
        mixed = name in MIXES or (name == "reshape" and _sizes(values[0]) != _sizes_of(equation))
        below = max(layers) if layers and not mixed else None
        return _Mark(learned=any(mark.learned for mark in marks), layer=below)

    def passed(
        self, equation: Any, held: _Mark, values: list[Any], marks: list[_Mark]
    ) -> _Mark | None:
        """Return the mark of a parameter after an operation that leaves it one, or None."""
        name = equation.primitive.name
        if name in KEEPS_PARAMETER:
            return held
        if name == "transpose":
            return replace(held, axes=tuple(held.axes[a] for a in equation.params["permutation"]))
        if name == "mul" or (name == "div" and marks[0] is held):
            other = values[1] if marks[0] is held else values[0]
            if np.ndim(other) == 0 and np.ndim(values[0 if marks[0] is held else 1]) > 0:
                factor = held.factor * other if name == "mul" else held.factor / other
                return replace(held, factor=factor)
        return None

    def meet(self, equation: Any, side: int, values: list[Any], marks: list[_Mark]) -> _Mark:
        parameter, other = marks[side], marks[1 - side]
        inner, axes = None, (0, 0)
        shape = tuple(equation.outvars[0].aval.shape)
        if equation.primitive.name == "dot_general" and len(parameter.axes) == 2:
            contracted = equation.params["dimension_numbers"][0]
            if len(contracted[side]) == 1:
                inner = parameter.axes[contracted[side][0]]
                axes = (contracted[1 - side][0], len(shape) - 1 if side else 0)
        entering = values[1 - side]
        hidden = other.learned and not any(entering is a for a in self.trace.entering)
        self.trace.entering.append(entering)
        self.trace.factors.append(parameter.factor)
        leaf = cast(int, parameter.leaf)
        self.trace.layers.append(Layer(leaf, inner, other.layer, hidden, shape, axes))
        return _Mark(learned=True, layer=len(self.trace.layers) - 1)


def trace(
    function: Callable[..., Any],
    leaves: Sequence[Any],
    *rest: Any,
    shifts: dict[int, Any] | None = None,
) -> tuple[list[Any], Trace]:
    """Run ``function(leaves, *rest)``, and return the arrays it returns and what was seen.

    Works under ``jax.vmap``, ``jax.grad`` and ``jax.jit``. `shifts` are added to what the layers of
    these numbers put out.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> weights = [jnp.ones((3, 4)), jnp.ones((4, 2))]
    >>> _, seen = trace(lambda w, x: jnp.tanh(x @ w[0]) @ w[1], weights, jnp.ones((5, 3)))
    >>> [(layer.leaf, layer.inner, layer.below) for layer in seen.layers]
    [(0, 0, None), (1, 0, 0)]
    >>> seen.features[0].shape
    (5, 4)
    """
    closed = jax.make_jaxpr(function)(list(leaves), *rest)
    marks = [_Mark(i, tuple(range(np.ndim(leaf))), learned=True) for i, leaf in enumerate(leaves)]
    others = jax.tree.leaves(rest)
    run = _Run(shifts or {})
    values, ends = run.run(closed, [*leaves, *others], marks + [_Mark()] * len(others))
    for mark in ends:
        if mark.leaf is not None:
            run.trace.uses[mark.leaf] = run.trace.uses.get(mark.leaf, 0) + 1
    return values, run.trace


def _body(equation: Any) -> Any:
    """Return the traced function that an operation merely calls, if it does."""
    if equation.primitive.name not in INLINED:
        return None
    return next(equation.params[name] for name in BODIES if name in equation.params)


def _sizes(value: Any) -> list[int]:
    return [size for size in np.shape(value) if size != 1]


def _sizes_of(equation: Any) -> list[int]:
    return [size for size in equation.params["new_sizes"] if size != 1]
