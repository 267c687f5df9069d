"""PyTorch models on probe inputs: outputs, tangent products and kernels of a module."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple

import numpy as np
import torch  # pyright: ignore[reportMissingImports]
from torch.func import functional_call, grad, jvp, vmap  # pyright: ignore[reportMissingImports]
from torch.nn.attention import (  # pyright: ignore[reportMissingImports]
    SDPBackend,
    sdpa_kernel,
)

from flbook._adapters.probe import Pair
from flbook._adapters.torch_layers import layer_kernels
from flbook._adapters.torch_tensors import array, leaves, rows
from flbook._adapters.torch_trace import forward_order, matrix_pairs, watch
from flbook._support.arrays import FloatArray

__all__ = ["State", "TorchProbe", "measuring"]

HELD_BYTES = 2**28
"""What the gradients held at one time may take, where no batch size is given."""

COUPLED = 1e-3
"""An output that moves by this share with the rest of the batch depends on it."""


class State(NamedTuple):
    """The tensors of a module by name: those that are trained, and the rest."""

    trained: dict[str, Any]
    fixed: dict[str, Any]


@contextmanager
def measuring(module: Any) -> Iterator[None]:
    """Let every derivative be taken, and leave PyTorch as it was found.

    Fused kernels that know no forward mode (attention, recurrent layers) are not used, random
    numbers that a model draws are put back, and an outer `no_grad` or autocast has no say.
    """
    tensors = [*module.parameters(), *module.buffers()]
    kinds = {tensor.device.type for tensor in tensors} | {"cpu"}
    devices = sorted({tensor.get_device() for tensor in tensors if tensor.is_cuda})
    recurrent = any(isinstance(part, torch.nn.RNNBase) for part in module.modules())
    mha = torch.backends.mha
    fast = mha.get_fastpath_enabled()
    with ExitStack() as stack:
        stack.enter_context(warnings.catch_warnings())
        for own in ("`torch.jit", "There is a performance drop", "TF32 acceleration"):
            warnings.filterwarnings("ignore", own)  # of PyTorch on what it does itself
        stack.callback(mha.set_fastpath_enabled, fast)
        mha.set_fastpath_enabled(False)
        stack.enter_context(sdpa_kernel(SDPBackend.MATH))
        stack.enter_context(torch.random.fork_rng(devices))
        stack.enter_context(torch.inference_mode(False))
        stack.enter_context(torch.enable_grad())
        for kind in kinds & {"cpu", "cuda"}:
            stack.enter_context(torch.autocast(kind, enabled=False))
        if recurrent:
            stack.enter_context(torch.backends.mkldnn.flags(enabled=False))
            stack.enter_context(torch.backends.cudnn.flags(enabled=False))
        yield


class TorchProbe:
    """A module in eval mode, on given inputs; see `Probe`.

    `module` is called with the tensors of a state in place of its own, and must belong to the
    probe alone.
    """

    def __init__(
        self, module: Any, x: Any, *, remarks: Callable[..., list[str]], batch_size: int | None
    ) -> None:
        self.module, self.x, self.count = module, x, len(x)
        self.batch_size, self.remarks = batch_size, remarks
        self.precision = 0.0
        self._coupled: bool | None = None

    def call(self, state: State, x: Any) -> Any:
        """Return the outputs (n, k) as a tensor, in the arithmetic of the module."""
        return rows(functional_call(self.module, {**state.fixed, **state.trained}, (x,)), len(x))

    def outputs(self, state: State) -> FloatArray:
        """Return the outputs (n, k)."""
        with measuring(self.module), torch.no_grad():
            found = self.call(state, self.x)
        self.precision = max(self.precision, torch.finfo(found.dtype).eps)
        return array(found)

    def linear_change(self, before: State, after: State) -> FloatArray:
        """Return J(before)·(after − before)."""

        def function(trained: dict) -> Any:
            return self.call(State(trained, before.fixed), self.x)

        with measuring(self.module):
            way = {
                name: (after.trained[name].double() - value.double()).to(value.dtype)
                for name, value in before.trained.items()
            }
            try:
                return array(jvp(function, (before.trained,), (way,))[1])
            except RuntimeError:  # an operation without forward mode
                pass
            try:
                return array(_jvp_by_reverse(function, before.trained, way))
            except RuntimeError as error:
                raise TypeError(
                    "before must be differentiable in forward mode, or twice in reverse, got: "
                    f"{error}"
                ) from error

    def kernel(self, state: State, directions: FloatArray) -> FloatArray:
        """Return the tangent kernels (r, n, n) of outputs @ direction."""
        kernels = np.zeros((len(directions), self.count, self.count))
        with measuring(self.module):
            if self._coupled is None:
                self._coupled = self._depends_on_batch(state)
            for kernel, direction in zip(kernels, directions, strict=True):
                rest = state
                if not self._coupled:
                    share, done = self._layers(state, direction)
                    kernel += array(share)
                    rest = State(
                        {name: t for name, t in state.trained.items() if name not in done},
                        {**state.fixed, **{name: state.trained[name] for name in done}},
                    )
                if rest.trained:
                    self._add_products(kernel, rest, direction)
        return kernels

    def _layers(self, state: State, direction: FloatArray) -> tuple[Any, set[str]]:
        """Return the share of layers that need no gradient stored, and the names of tensors."""
        return layer_kernels(
            self.module,
            lambda trained: self.call(State(trained, state.fixed), self.x),
            leaves(state.trained),
            torch.as_tensor(direction),
            HELD_BYTES,
        )

    def _add_products(self, kernel: FloatArray, state: State, direction: FloatArray) -> None:
        """Add the products of gradients, of which two blocks are held at a time."""
        starts = range(0, self.count, self._block(state))
        for i in starts:
            left = self._gradients(state, i, starts.step, direction)
            for j in starts[i // starts.step :]:
                right = left
                if j > i:
                    right = self._gradients(state, j, starts.step, direction)
                block = sum(array(a @ b.T) for a, b in zip(left, right, strict=True))
                lower, upper = slice(i, i + starts.step), slice(j, j + starts.step)
                kernel[lower, upper] += block
                if j > i:
                    kernel[upper, lower] += np.transpose(block)

    def weights(self, state: State) -> dict[str, FloatArray]:
        """Return the trained tensors by name, in the order of the forward pass."""
        order = self._order(state)
        return {name: array(state.trained[name]) for name in order if name in state.trained}

    def features(self, state: State) -> dict[str, FloatArray]:
        """Return what enters each layer with matrices but the first."""
        with measuring(self.module), torch.no_grad(), watch(self.module) as seen:
            self.call(state, self.x)
        found: dict[str, FloatArray] = {}
        for weight, entered in seen.hidden(self.x):
            again = sum(name == weight or name.startswith(f"{weight} (") for name in found)
            found[f"{weight} ({again + 1})" if again else weight] = array(entered).reshape(
                self.count, -1
            )
        return found

    def pairs(self, state: State) -> list[Pair]:
        """Return the pairs of matrices of which the lower one feeds the upper one."""
        with measuring(self.module):
            ends = leaves(state.trained)
            names = matrix_pairs(self.call(State(ends, state.fixed), self.x[:2]), ends)
        order = list(self._order(state))
        return [
            Pair(lower, upper, array(a), array(b))
            for lower, upper, a, b in sorted(names, key=lambda pair: order.index(pair[0]))
        ]

    def doubts(self, before: State, after: State) -> list[str]:
        """Return what was noticed when the models were opened, and what their statistics did."""
        return self.remarks(self, before, after)

    def _order(self, state: State) -> list[str]:
        with measuring(self.module), torch.no_grad(), watch(self.module) as seen:
            self.call(state, self.x[:2])
        return forward_order(self.module, seen)

    def _block(self, state: State) -> int:
        """Return how many inputs have their gradients held: all if they fit, or twice so many."""
        if self.batch_size is not None:
            return self.batch_size
        each = sum(value.numel() * value.element_size() for value in state.trained.values())
        if self.count * each <= HELD_BYTES:
            return self.count
        return max(1, HELD_BYTES // (2 * each))

    def _gradients(self, state: State, start: int, size: int, direction: FloatArray) -> list:
        """Return, for each trained tensor, the gradients (b, size) of f·direction."""
        some = self.x[start : start + size]
        if not self._coupled:

            def value(trained: dict, one: Any) -> Any:
                row = self.call(State(trained, state.fixed), one[None])[0]
                return row @ torch.as_tensor(direction).to(row)

            try:
                found = vmap(grad(value), (None, 0))(state.trained, some)
                return [gradient.flatten(1) for gradient in found.values()]
            except RuntimeError:  # an operation without a rule for vmap, or control by values
                pass
        return self._one_by_one(state, start, size, direction)

    def _one_by_one(self, state: State, start: int, size: int, direction: FloatArray) -> list:
        ends = leaves(state.trained)
        places = range(start, min(start + size, self.count))
        found = [value.new_empty(len(places), value.numel()) for value in ends.values()]
        together = self.call(State(ends, state.fixed), self.x) if self._coupled else None
        for i, place in enumerate(places):
            if together is None:
                row = self.call(State(ends, state.fixed), self.x[place : place + 1])[0]
            else:
                row = together[place]
            value = row @ torch.as_tensor(direction).to(row)
            gradients = torch.autograd.grad(
                value, list(ends.values()), retain_graph=True, materialize_grads=True,
                allow_unused=True,
            )  # fmt: skip
            for kept, gradient in zip(found, gradients, strict=True):
                kept[i] = gradient.flatten()
        return found

    def _depends_on_batch(self, state: State) -> bool:
        """Tell whether the output for one input depends on what else is in the batch."""
        with torch.no_grad():
            whole = self.call(state, self.x)
            try:
                alone = self.call(state, self.x[:1])[0]
            except (RuntimeError, ValueError, TypeError, IndexError):
                return True  # as of a squeeze, or a batch norm without statistics of its own
        return bool((alone - whole[0]).abs().max() > COUPLED * whole.abs().max())


def _jvp_by_reverse(function: Callable, at: dict[str, Any], way: dict[str, Any]) -> Any:
    """Return the tangent product as the derivative in u of J(at)ᵀu · way."""
    ends = leaves(at)
    outputs = function(ends)
    u = torch.zeros_like(outputs, requires_grad=True)
    pulled = torch.autograd.grad(
        outputs, list(ends.values()), u, create_graph=True, materialize_grads=True,
        allow_unused=True,
    )  # fmt: skip
    along = sum((a * b).sum() for a, b in zip(pulled, way.values(), strict=True))
    return torch.autograd.grad(along, u)[0]
