"""From two models to a check-up: find the framework, ask its probe, put the answers together."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

from flbook._adapters.probe import Opened

ADAPTERS = {"torch": "flbook._adapters.torch_probe", "jax": "flbook._adapters.jax_open"}


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
    adapter = import_module(ADAPTERS[framework(before, after, f)])
    return adapter.open_probe(before, after, x, f=f, checkpoints=checkpoints, batch_size=batch_size)
