"""Models of PyTorch for tests: nudged, and measured by Jacobians written out in full."""

from __future__ import annotations

import copy

import numpy as np
import torch
from torch.func import functional_call


def nudged(model, size=0.05, seed=1):
    """Return a copy whose parameters, those that are not frozen, all moved a little."""
    generator = torch.Generator().manual_seed(seed)
    after = copy.deepcopy(model)
    with torch.no_grad():
        for p in after.parameters():
            if p.requires_grad:
                p += (size * torch.randn(p.shape, generator=generator)).to(p.dtype)
    return after


def jacobian(model, x):
    """Return the outputs (n, k) and their Jacobian (n, k, P) in the parameters not frozen."""
    model = copy.deepcopy(model).eval()
    for part in model.modules():
        if isinstance(part, torch.nn.Embedding):
            part.sparse = False  # how an embedding stores its gradient
    names = [name for name, p in model.named_parameters() if p.requires_grad]

    def function(*tensors):
        outputs = functional_call(model, dict(zip(names, tensors, strict=True)), (x,))
        parts = outputs if isinstance(outputs, tuple) else (outputs,)
        return torch.cat([part.reshape(len(x), -1) for part in parts], dim=1)

    tensors = tuple(dict(model.named_parameters())[name].detach() for name in names)
    blocks = torch.autograd.functional.jacobian(function, tensors)
    outputs = function(*tensors).detach()
    flat = torch.cat([block.reshape(*outputs.shape, -1) for block in blocks], dim=2)
    return outputs.double().numpy(), flat.double().numpy()


def by_jacobian(before, after, x):
    """Return (linearisation error, kernel change, kernel rotation) with every output's kernel."""
    (f0, j0), (f1, j1) = jacobian(before, x), jacobian(after, x)
    change = np.concatenate(
        [
            (b.detach() - a.detach()).double().flatten().numpy()
            for a, b in zip(before.parameters(), after.parameters(), strict=True)
            if a.requires_grad
        ]
    )
    k0, k1 = (np.einsum("ikp,jkp->kij", j, j) for j in (j0, j1))
    norm = np.linalg.norm
    return (
        norm(f1 - f0 - j0 @ change) / norm(f1 - f0),
        norm(k1 - k0) / norm(k0),
        1 - (k0 * k1).sum() / norm(k0) / norm(k1),
    )


def measured(result):
    """Return the same three numbers of a check-up."""
    return result.linearisation_error, result.kernel_change, result.kernel_rotation
