"""The share of linear layers and convolutions in a tangent kernel, without a gradient stored.

The gradient of a matrix at one input is a sum of products δ aᵀ of what comes back to the layer and
what went into it, over positions and calls. So its share of the kernel is (δδᵀ)∘(aaᵀ), or the
product of small sums, and one backward pass gives it for all inputs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch  # pyright: ignore[reportMissingImports]
from torch import nn  # pyright: ignore[reportMissingImports]

__all__ = ["layer_kernels"]

AGREEMENT = 1e-3
"""How closely δaᵀ must give the whole gradient of a matrix that is used nowhere else."""


def layer_kernels(
    module: nn.Module,
    call: Callable[[dict[str, Any]], Any],
    leaves: dict[str, Any],
    direction: Any,
    held: int,
) -> tuple[Any, set[str]]:
    """Return the sum (n, n) of the shares of some tensors in the kernel, and their names.

    `call(leaves)` returns the outputs (n, k) of `module`, whose rows must not depend on each other.
    Left out are tensors that something else uses too, layers in which the inputs are not the first
    axis, and those for which more than `held` bytes would be needed.
    """
    names = {id(leaf): name for name, leaf in leaves.items()}
    with _watch(module) as calls:
        outputs = call(leaves)
    n = len(outputs)
    values = outputs @ direction.to(outputs)
    by_layer: dict[str, list] = {}
    kernel, done = values.new_zeros(n, n, dtype=torch.float64), set()
    for layer, matrix, bias, entered, left in calls:
        if id(matrix) in names and len(left) == len(entered) == n:
            by_layer.setdefault(names[id(matrix)], []).append((layer, bias, entered, left))
    if not by_layer:
        return kernel, done
    back = [left for uses in by_layer.values() for *_, left in uses]
    alone = torch.autograd.grad(values[0], back, retain_graph=True, allow_unused=True)
    pure = {
        id(left): gradient is None or not gradient[1:].any()
        for left, gradient in zip(back, alone, strict=True)
    }
    found = torch.autograd.grad(
        values.sum(), [*back, *leaves.values()], allow_unused=True, materialize_grads=True
    )
    deltas = {id(left): gradient for left, gradient in zip(back, found, strict=False)}
    whole = dict(zip(leaves, found[len(back) :], strict=True))
    for name, uses in by_layer.items():
        if not all(pure[id(left)] for *_, left in uses):
            continue
        delta = torch.cat([_columns(deltas[id(left)], layer) for layer, *_, left in uses], dim=1)
        width = leaves[name][0].numel()
        positions = sum(left[0].numel() // len(leaves[name]) for *_, left in uses)
        if n * positions * width * delta.element_size() > held:
            continue
        entered = torch.cat([_unfolded(layer, a) for layer, _, a, _ in uses], dim=1)
        if _agree(torch.einsum("nto,nti->oi", delta, entered), whole[name]):
            kernel += _product(delta, entered, held)
            done.add(name)
        biases = {names.get(id(bias)) for _, bias, *_ in uses}
        bias = biases.pop()
        if bias is not None and not biases:
            summed = delta.sum(1)
            if _agree(summed.sum(0), whole[bias]):
                kernel += (summed @ summed.T).double()
                done.add(bias)
    return kernel, done


@contextmanager
def _watch(module: nn.Module) -> Iterator[list]:
    """Collect (layer, matrix, bias, input, output) for each call of a layer that is understood."""
    calls: list = []

    def note(layer: Any, inputs: tuple, output: Any) -> Any:
        # the tensors of a layer are those of the call while it lasts
        calls.append((layer, layer.weight, layer.bias, inputs[0].detach(), output))
        return output.clone()  # so that what follows may work in place

    handles = [part.register_forward_hook(note) for part in module.modules() if _understood(part)]
    try:
        yield calls
    finally:
        for handle in handles:
            handle.remove()


def _understood(part: nn.Module) -> bool:
    if type(part).forward is nn.Linear.forward:
        return True
    plain = type(part).forward is nn.Conv2d.forward
    return (
        plain
        and part.groups == 1
        and part.padding_mode == "zeros"
        and not isinstance(part.padding, str)
    )


def _columns(delta: Any, layer: Any) -> Any:
    """Return what comes back to a layer as (n, positions, out)."""
    if isinstance(layer, nn.Conv2d):
        return delta.flatten(2).transpose(1, 2)
    return delta.reshape(len(delta), -1, delta.shape[-1])


def _unfolded(layer: Any, entered: Any) -> Any:
    """Return what enters a layer as (n, positions, in)."""
    if isinstance(layer, nn.Conv2d):
        return nn.functional.unfold(
            entered, layer.kernel_size, layer.dilation, layer.padding, layer.stride
        ).transpose(1, 2)
    return entered.reshape(len(entered), -1, entered.shape[-1])


def _agree(one: Any, other: Any) -> bool:
    one = one.reshape(other.shape)
    return bool((one - other).abs().max() <= AGREEMENT * other.abs().max())


def _product(delta: Any, entered: Any, held: int) -> Any:
    """Return the products of Σ δ aᵀ at two inputs, the cheaper way."""
    n, positions, out = delta.shape
    width = entered.shape[2]
    cheaper = n * positions**2 <= out * width
    if cheaper and 16 * (n * positions) ** 2 <= held:
        d, a = delta.flatten(0, 1), entered.flatten(0, 1)
        both = (d @ d.T).mul_(a @ a.T).double()
        return both.reshape(n, positions, n, positions).sum((1, 3))
    some = max(1, held // (n * width * delta.element_size()))
    total = delta.new_zeros(n, n, dtype=torch.float64)
    for part in delta.split(some, dim=2):
        gradient = torch.einsum("nto,nti->noi", part, entered).flatten(1)
        total += (gradient @ gradient.T).double()
    return total
