"""Check-ups of PyTorch modules against what is known exactly, or written out in numpy."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import nn
from torch_models import measured

import flbook as fl


class Line(nn.Module):
    """f = γ u·w x, the book's network."""

    def __init__(self, u, w, gamma):
        super().__init__()
        self.w, self.u = nn.Linear(1, len(w), bias=False), nn.Linear(len(u), 1, bias=False)
        self.gamma = gamma
        self.double()
        with torch.no_grad():
            self.w.weight.copy_(torch.as_tensor(w)[:, None])
            self.u.weight.copy_(torch.as_tensor(u)[None])

    def forward(self, x):
        return self.gamma * self.u(self.w(x))


def start(seed, width=50):
    """Return layers that are balanced and orthogonal: v₀ = 0."""
    u, w = np.random.default_rng(seed).normal(size=(2, width))
    w -= u * (u @ w) / (u @ u)
    return u, w * np.linalg.norm(u) / np.linalg.norm(w)


@pytest.mark.parametrize("target", [-3.0, 0.2, 40.0])
def test_the_books_network_has_the_books_kernel_and_the_closed_error(target):
    u, w = start(0)
    network, task = fl.Network(50, gamma=0.3), fl.Task(1.0, target, target**2)
    flow = fl.GradientFlow(network, task, fl.Gram.from_weights(u, w))
    x = torch.linspace(-1, 1, 20, dtype=torch.float64)[:, None]
    models = [Line(*flow.weights(t, u, w), 0.3) for t in (0.0, 0.1, np.inf)]
    result = fl.checkup(models[0], models[2], x, checkpoints=[models[1]])
    growth = flow.kernel(np.inf) / flow.kernel(0)
    assert result.kernel_growth == pytest.approx(growth, rel=1e-9)
    assert result.kernel_change == pytest.approx(growth - 1, rel=1e-7)
    assert result.kernel_rotation == pytest.approx(0, abs=1e-12)
    assert result.linearisation_error == pytest.approx(1 - np.sqrt(2 / (1 + growth)), rel=1e-7)
    assert result.equivalent_kernel_growth == pytest.approx(growth, rel=1e-7)
    early = flow.kernel(0.1) / flow.kernel(0)
    assert result.path[0].kernel_change == pytest.approx(early - 1, rel=1e-7)
    (pair,) = result.alignment
    assert pair.before == pytest.approx(0, abs=1e-12)
    assert pair.after == pytest.approx(abs(flow.alignment(np.inf)), rel=1e-9)


def numpy_mlp(weights, x):
    """Return outputs (n, k) and tangent kernels (k, n, n) of a two-layer tanh network."""
    a, b, c, d = weights
    h = np.tanh(x @ a.T + b)
    kernels = []
    for row in c:
        back = (1 - h**2) * row
        kernels.append((back @ back.T) * (x @ x.T + 1) + h @ h.T + 1)
    return h @ c.T + d, np.array(kernels)


def numpy_tangent(weights, change, x):
    a, b, c, _ = weights
    da, db, dc, dd = change
    h = np.tanh(x @ a.T + b)
    return ((1 - h**2) * (x @ da.T + db)) @ c.T + h @ dc.T + dd


def test_an_mlp_has_the_kernel_written_out_in_numpy():
    rng = np.random.default_rng(0)
    shapes = [(30, 7), (30,), (3, 30), (3,)]
    before = [rng.normal(size=shape) for shape in shapes]
    after = [w + 0.1 * rng.normal(size=w.shape) for w in before]
    x = rng.normal(size=(16, 7))

    def module(weights):
        model = nn.Sequential(nn.Linear(7, 30), nn.Tanh(), nn.Linear(30, 3)).double()
        with torch.no_grad():
            for p, w in zip(model.parameters(), weights, strict=True):
                p.copy_(torch.as_tensor(w))
        return model

    result = fl.checkup(module(before), module(after), x, outputs="all")
    (f0, k0), (f1, k1) = numpy_mlp(before, x), numpy_mlp(after, x)
    change = [b - a for a, b in zip(before, after, strict=True)]
    by_hand = fl.Checkup.from_arrays(
        outputs_before=f0,
        outputs_after=f1,
        linear_change=numpy_tangent(before, change, x),
        kernel_before=k0,
        kernel_after=k1,
    )
    assert measured(result) == pytest.approx(measured(by_hand), rel=1e-10)
    hidden = [np.tanh(x @ w[0].T + w[1]) for w in (before, after)]
    moved = np.linalg.norm(hidden[1] - hidden[0]) / np.linalg.norm(hidden[0])
    assert result.feature_change == pytest.approx({"2.weight": moved})
    assert list(result.weight_change) == ["0.weight", "0.bias", "2.weight", "2.bias"]
    aligned = np.linalg.norm(before[2] @ before[0])
    aligned /= np.linalg.norm(before[2]) * np.linalg.norm(before[0])
    assert result.alignment[0].before == pytest.approx(aligned)


def test_layers_come_in_the_order_of_the_forward_pass_and_pairs_follow_what_feeds_what():
    class Backwards(nn.Module):
        def __init__(self):
            super().__init__()
            self.readout, self.second = nn.Linear(6, 2), nn.Linear(6, 6)
            self.aside, self.first = nn.Linear(5, 6), nn.Linear(5, 6)

        def forward(self, x):
            hidden = self.second(torch.relu(self.first(x)) / 2)
            return self.readout(hidden + self.aside(x))

    torch.manual_seed(0)
    before = Backwards()
    after = copy.deepcopy(before)
    with torch.no_grad():
        for p in after.parameters():
            p += 0.1
    result = fl.checkup(before, after, torch.randn(16, 5))
    matrices = [name for name in result.weight_change if name.endswith("weight")]
    assert matrices == ["first.weight", "second.weight", "aside.weight", "readout.weight"]
    assert [pair[:2] for pair in result.alignment] == [("first.weight", "second.weight")]
    assert list(result.feature_change) == ["second.weight", "readout.weight"]
