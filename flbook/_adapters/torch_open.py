"""Open PyTorch models: two modules, or a module and two of its state dicts, as states of one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from copy import deepcopy
from typing import Any

import numpy as np
import torch  # pyright: ignore[reportMissingImports]
from torch import nn  # pyright: ignore[reportMissingImports]

from flbook._adapters.probe import Opened
from flbook._adapters.torch_probe import State, TorchProbe, measuring

__all__ = ["open_probe", "surroundings"]

NORMS = nn.modules.batchnorm._NormBase
DROPOUTS = (nn.modules.dropout._DropoutNd, nn.MultiheadAttention, nn.RNNBase)
NOISE = 1e-3
"""Outputs of the same model that differ by more than this share are not the same."""


def surroundings(before: Any) -> AbstractContextManager[Any]:
    """Return a context that changes nothing: a PyTorch module carries its precision with it."""
    return nullcontext(before)


@torch.inference_mode(False)
def open_probe(
    before: Any,
    after: Any,
    x: Any,
    *,
    f: Any = None,
    checkpoints: Sequence[Any] = (),
    batch_size: int | None = None,
) -> Opened:
    """Open modules, or state dicts of the module `f`, and leave them as they are.

    Trained are the parameters that differ anywhere between `before`, `checkpoints` and `after`; one
    that stays the same to the last bit counts as frozen. Half-precision tensors are evaluated in
    float32, and `x` takes the precision of the parameters.
    """
    models = [before, *checkpoints, after]
    labels = ["before", *(f"checkpoints[{i}]" for i in range(len(checkpoints))), "after"]
    given = f is not None
    wanted = "state dicts of the module f" if given else "modules, or state dicts with f="
    for label, model in zip(labels, models, strict=True):
        if not isinstance(model, dict if given else nn.Module):
            raise TypeError(f"before and after must be {wanted}, got {label} a {_kind(model)}")
    if given and not isinstance(f, nn.Module):
        raise TypeError(f"f must be a module where before is a state dict, got {_kind(f)}")
    module = _own_copy(f if given else before)
    tables = [_tensors(label, model, module) for label, model in zip(labels, models, strict=True)]
    names = [name for name, _ in module.named_parameters()]
    _refuse_shared(tables[0], tables[-1], names)
    moved = {
        name for name in tables[0] if any(not _equal(tables[0][name], t[name]) for t in tables[1:])
    }
    trained = [name for name in names if name in moved] or names
    half = [n for n, t in tables[-1].items() if t.is_floating_point() and t.element_size() < 4]
    states = [
        State(
            {name: _single(table[name]) for name in trained},
            {name: _single(t).clone() for name, t in table.items() if name not in trained},
        )
        for table in tables
    ]
    inputs = _inputs(x, states[0])

    def remarks(probe: TorchProbe, first: State, last: State) -> list[str]:
        found = [*_statistics(probe, first, last), *_dropout(module)]
        frozen = [name for name in names if name not in trained]
        if frozen:
            found.append(
                f"{len(frozen)} of {len(names)} parameters did not change and count as frozen "
                f"({frozen[0]}, …)"
            )
        if half:
            found.append("half-precision parameters were evaluated in float32")
        return found

    probe = TorchProbe(module, inputs, remarks=remarks, batch_size=batch_size)
    _refuse_unsteady(probe, states, None if given else after)
    return Opened(probe, states)


def _own_copy(module: nn.Module) -> nn.Module:
    """Return a module for the probe alone, in eval mode, that shares all tensors."""
    module = _bare(module)
    if isinstance(module, torch.jit.ScriptModule):
        raise TypeError(f"before must be a module of Python code, got a {_kind(module)}")
    tensors = [*module.parameters(), *module.buffers()]
    for tensor in tensors:
        if isinstance(tensor, nn.parameter.UninitializedTensorMixin):
            raise ValueError("before must have all parameters, got a lazy module never called")
        if tensor.is_complex():
            raise TypeError("before must have real parameters, got complex ones")
    shared = {id(tensor): tensor for tensor in tensors}
    for part in module.modules():
        for value in vars(part).values():  # activations that a module keeps cannot be copied
            if isinstance(value, torch.Tensor) and not value.is_leaf:
                shared[id(value)] = value.detach()
    copy = deepcopy(module, shared).eval()
    for part in copy.modules():
        if isinstance(part, (nn.Embedding, nn.EmbeddingBag)):
            part.sparse = False
    return copy


def _tensors(label: str, model: Any, module: nn.Module) -> dict[str, Any]:
    """Return the parameters and buffers of a model by the names of `module`, each of them once."""
    if isinstance(model, nn.Module):
        found = dict(_named(_bare(model)))
    else:
        known = dict(_named(module))
        wrapped = "" if any(name in known for name in model) else "module."
        found = {
            name.removeprefix("_orig_mod.").removeprefix(wrapped): value
            for name, value in model.items()
            if isinstance(value, torch.Tensor)
        }
        kept = module.state_dict().keys()
        # buffers that a state dict leaves out are those of f
        found = {**{n: t for n, t in module.named_buffers() if n not in kept}, **found}
    wanted = dict(_named(module))
    if found.keys() != wanted.keys():
        odd = min(found.keys() ^ wanted.keys())
        whose = "unknown" if odd in found else "missing"
        raise ValueError(f"{label} must have the same parameters as before, got {odd!r} {whose}")
    for name, value in wanted.items():
        if found[name].shape != value.shape:
            raise ValueError(
                f"{label} must have the shapes of before, got {tuple(found[name].shape)} for "
                f"{name!r}, where before has {tuple(value.shape)}"
            )
    first: dict[int, str] = {}
    for name, value in wanted.items():
        twin = first.setdefault(id(value), name)
        if not _equal(found[twin], found[name]):
            raise ValueError(
                f"{label} must tie {name!r} to {twin!r} as before does, got different values"
            )
    return {name: _outside(found[name]) for name in first.values()}


def _bare(module: nn.Module) -> nn.Module:
    """Return what torch.compile or a data-parallel module wraps."""
    while True:
        if isinstance(module, (nn.DataParallel, nn.parallel.DistributedDataParallel)):
            module = module.module
        elif hasattr(module, "_orig_mod"):
            module = module._orig_mod
        else:
            return module


def _named(module: nn.Module) -> Iterator[tuple[str, Any]]:
    yield from module.named_parameters(remove_duplicate=False)
    yield from module.named_buffers(remove_duplicate=False)


def _outside(tensor: Any) -> Any:
    """Return a tensor without history, out of inference mode too."""
    return tensor.clone() if tensor.is_inference() else tensor.detach()


def _equal(one: Any, other: Any) -> bool:
    return one is other or torch.equal(one, other.to(one.device))


def _single(tensor: Any) -> Any:
    half = tensor.is_floating_point() and tensor.element_size() < 4
    return tensor.float() if half else tensor


def _inputs(x: Any, state: State) -> Any:
    """Return the probe inputs as a tensor, in the precision and on the device of the parameters."""
    try:
        tensor = _outside(torch.as_tensor(np.asarray(x) if not torch.is_tensor(x) else x))
    except (TypeError, ValueError, RuntimeError):
        raise TypeError(
            f"x must be a tensor or an array, got a {_kind(x)}; a model of several inputs needs a "
            "module around it that takes one"
        ) from None
    if tensor.ndim == 0:
        raise ValueError("x must have one row for each input, got a number")
    like = next(iter(state.trained.values()))
    return tensor.to(like.device, like.dtype if tensor.is_floating_point() else tensor.dtype)


def _refuse_shared(before: dict[str, Any], after: dict[str, Any], names: list[str]) -> None:
    if not names:
        raise ValueError("before must have parameters, got a module without any")
    if all(before[name].data_ptr() == after[name].data_ptr() for name in names):
        raise ValueError(
            "after must not be before itself, got the same tensors; keep copy.deepcopy(model), or "
            "copy.deepcopy(model.state_dict()), before training"
        )


def _refuse_unsteady(probe: TorchProbe, states: list[State], after: Any) -> None:
    """Refuse outputs that vary from call to call, and two modules that are no twins."""
    with measuring(probe.module), torch.no_grad():
        found = [probe.call(states[-1], probe.x) for _ in range(2)]
    if not _close(*found):
        raise ValueError(
            "before must give the same outputs when called again in eval mode, got others; a "
            "check-up needs a model without noise"
        )
    if after is not None:
        twin = TorchProbe(_own_copy(after), probe.x, remarks=probe.remarks, batch_size=None)
        with measuring(twin.module), torch.no_grad():
            own = twin.call(states[-1], probe.x)
        if own.shape != found[0].shape or not _close(own, found[0]):
            raise ValueError(
                "after must compute what before does with the same parameters, got other outputs; "
                "do their settings differ?"
            )


def _close(one: Any, other: Any) -> bool:
    scale = one.abs().max()
    return not scale.isfinite() or bool((one - other).abs().max() <= NOISE * scale)


def _statistics(probe: TorchProbe, first: State, last: State) -> Iterator[str]:
    """Say what part of the change of the outputs is that of buffers."""
    moved = [
        name
        for name, value in first.fixed.items()
        if value.is_floating_point() and not _equal(value, last.fixed[name])
    ]
    if not moved:
        return
    total = np.linalg.norm(probe.outputs(last) - probe.outputs(first))
    share = np.linalg.norm(probe.outputs(last) - probe.outputs(State(last.trained, first.fixed)))
    norms = any(isinstance(part, NORMS) for part in probe.module.modules())
    yield (
        f"the {'batch-norm statistics' if norms else 'buffers'} moved ({moved[0]}, …): this alone "
        f"moves the outputs by {share / total if total else 0.0:.0%} of their whole change, is no "
        "training of parameters, and counts as not linear"
    )


def _dropout(module: nn.Module) -> Iterator[str]:
    rates = [
        getattr(part, "p", 0.0) or getattr(part, "dropout", 0.0)
        for part in module.modules()
        if isinstance(part, DROPOUTS)
    ]
    if any(rates):
        yield f"dropout (up to {max(rates):g}) is off here; training may have had it on"


def _kind(value: Any) -> str:
    return type(value).__name__
