"""What happens in one forward pass of a PyTorch module: the order of layers, what feeds what."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch  # pyright: ignore[reportMissingImports]

__all__ = ["Watch", "forward_order", "matrix_pairs", "watch"]

PASSES = re.compile(
    "(Leaky)?Relu|PreluKernel|[CS]?elu|Elu|Gelu|Silu|Mish|Softplus|Threshold|(Log)?Sigmoid|Tanh|"
    "Hard(tanh|swish|sigmoid)|Clamp(Min|Max)?|Abs|Neg|Exp|Log|Erf|Sin|Cos|R?sqrt|Reciprocal|Pow|"
    "Mul|Add|R?sub|Div|Where|Maximum|Minimum|Native(Layer|Batch|Group)Norm|(Cudnn|Miopen)BatchNorm|"
    "FusedRmsNorm|(Native|Fused)Dropout|(Unsafe)?View|ReshapeAlias|Squeeze|Unsqueeze|Expand|Alias|"
    "Clone|ToCopy|Mean|Sum|(Adaptive)?(Max|Avg)Pool[123]D(WithIndices)?|MkldnnMaxPool[23]D",
    re.IGNORECASE,
)
"""Operations that act entry by entry, up to a normalisation, a bias or a mean over positions."""

TURNS = {"T", "Transpose", "Permute"}
PRODUCTS = {"Mm": (0, 1), "Addmm": (1, 2)}
"""Matrix products, and where among their arguments the features and the matrix stand."""


class Watch:
    """The modules in the order in which they were called, with what entered them first."""

    def __init__(self, names: dict[int, str]) -> None:
        self.names = names
        self.calls: list[tuple[str, Any, Any]] = []

    def hidden(self, x: Any) -> Iterator[tuple[str, Any]]:
        """Yield, for each call of a layer with matrices but the first, its matrix and its input."""
        first = True
        for _, module, entered in self.calls:
            own = [p for p in module.parameters(recurse=False) if p.ndim > 1]
            if not own:
                continue
            data, first = first, False
            if data or not isinstance(entered, torch.Tensor) or not entered.is_floating_point():
                continue
            if getattr(module, "batch_first", True) is False and entered.ndim == 3:
                entered = entered.transpose(0, 1)
            if entered.ndim and len(entered) == len(x) and not _same(entered, x):
                yield self.names[id(own[0])], entered


def _same(a: Any, b: Any) -> bool:
    return a.numel() == b.numel() and torch.equal(a.flatten(), b.flatten().to(a.dtype))


@contextmanager
def watch(module: Any) -> Iterator[Watch]:
    """Watch which parts of a module are called, and with what."""
    seen = Watch({id(parameter): name for name, parameter in module.named_parameters()})
    handles = []
    for name, part in module.named_modules():

        def note(part: Any, inputs: tuple, named: dict, name: str = name) -> None:
            entered = [*inputs, *named.values()]
            seen.calls.append((name, part, entered[0] if entered else None))

        handles.append(part.register_forward_pre_hook(note, with_kwargs=True))
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()


def forward_order(module: Any, seen: Watch) -> list[str]:
    """Return the names of parameters in the order in which the forward pass came to them.

    A part that is never called itself, because what holds it uses its tensors directly, comes with
    what holds it.
    """
    rank: dict[str, int] = {}
    for i, (name, *_) in enumerate(seen.calls):
        rank.setdefault(name, i)

    def place(name: str) -> int:
        holder = name.rpartition(".")[0]
        while holder and holder not in rank:
            holder = holder.rpartition(".")[0]
        return rank.get(holder, 0)

    return sorted((name for name, _ in module.named_parameters()), key=place)


class Product(NamedTuple):
    """A node of the graph that multiplies features by a trained matrix."""

    name: str
    features: Any
    lower: Any
    upper: Any


def matrix_pairs(outputs: Any, leaves: dict[str, Any]) -> list[tuple[str, str, Any, Any]]:
    """Return (lower name, upper name, lower matrix, upper matrix), each matrix (out, in).

    The graph behind `outputs` is walked from the features of each matrix product down to the
    product that they come from, if there is one and all operations between act entry by entry. A
    convolution counts as a matrix between channels, with its taps beside them.
    """
    names = {id(leaf): name for name, leaf in leaves.items()}
    products = {
        node: product
        for node in _nodes(outputs.grad_fn)
        if (product := _product(node, names, leaves)) is not None
    }
    found = {}
    for upper in products.values():
        sources = _sources(upper.features, products)
        if len(sources) == 1 and (lower := products.get(sources.pop())) is not None:
            fits = lower.lower.shape[0] == upper.upper.shape[1]
            if fits and lower.name != upper.name:
                found[lower.name, upper.name] = (lower.lower, upper.upper)
    return [(*key, *matrices) for key, matrices in found.items()]


def _kind(node: Any) -> str:
    return node.name().rpartition("::")[2].rstrip("0123456789").removesuffix("Backward")


def _nodes(root: Any) -> list[Any]:
    seen, todo = [], [root]
    known = set()
    while todo:
        node = todo.pop()
        if node is not None and node not in known:
            known.add(node)
            seen.append(node)
            todo += [below for below, _ in node.next_functions]
    return seen


def _product(node: Any, names: dict[int, str], leaves: dict[str, Any]) -> Product | None:
    kind = _kind(node)
    below = [operand for operand, _ in node.next_functions]
    if kind in PRODUCTS:
        features, matrix = (below[place] for place in PRODUCTS[kind])
        name, turned = _leaf(matrix, names)
        if name is None:
            return None
        # the product is features @ matrix, and a layer stores the transpose of that
        weight = leaves[name] if turned else leaves[name].T
        return Product(name, features, weight, weight)
    if "Convolution" in kind and "Transpose" not in kind:
        name, turned = _leaf(below[1], names)
        if name is None or turned:
            return None
        weight = leaves[name]
        upper = weight.movedim(1, -1).reshape(-1, weight.shape[1])
        return Product(name, below[0], weight.flatten(1), upper)
    return None


def _leaf(node: Any, names: dict[int, str]) -> tuple[str | None, bool]:
    """Return the name of the trained matrix behind a node, and whether it enters transposed."""
    turned = False
    while node is not None and not hasattr(node, "variable"):
        kind = _kind(node)
        turned ^= kind in TURNS
        operands = [below for below, _ in node.next_functions if below is not None]
        if len(operands) != 1 or kind not in TURNS | {"Mul", "Div", "View", "Alias", "ToCopy"}:
            return None, False
        node = operands[0]
    return (None, False) if node is None else (names.get(id(node.variable)), turned)


def _sources(node: Any, products: dict[Any, Product]) -> set[Any]:
    """Return the nodes that features come from; a node of another kind stands for itself."""
    found, todo, known = set(), [node], set()
    while todo:
        node = todo.pop()
        if node is None or node in known or hasattr(node, "variable"):
            continue
        known.add(node)
        if node in products or not PASSES.fullmatch(_kind(node)):
            found.add(node)
        else:
            todo += [below for below, _ in node.next_functions]
    return found
