"""The knob in PyTorch: predicted and found boundaries of three networks.

The MLP, CNN and transformer of `experiments.knob`, written in PyTorch, learn handwritten digits at
seven output scales α, f = α·(g − g₀), with learning rates divided by α². The check-up of each run
predicts, from that run alone, the α at which its network stops being rich; the seven runs together
say where that is. ``make torch-experiments`` runs it. A run ends early, and says so in `loss_left`,
after `MOST_STEPS` steps.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

import flbook as fl
from experiments._knob import LEARNED, SCALES, SEEDS, digits, told
from flbook import sweeps

GRID = sweeps.Grid(network=["MLP", "CNN", "transformer"], scale=SCALES, seed=SEEDS)
QUICK = sweeps.Grid(network="MLP", scale=SCALES[::-2], seed=0)
TOLERANCE = 0.05  # single precision, and a step counts or not by a rounding

TRAINED = 128
MOST_STEPS = 6_000


class Cnn(nn.Module):
    """Two convolutions and a linear readout."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, 12, 3, padding=1)
        self.second = nn.Conv2d(12, 24, 3, stride=2, padding=1)
        self.readout = nn.Linear(24 * 16, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return ten outputs for each image of 64 pixels."""
        hidden = self.first(x.reshape(-1, 1, 8, 8)).relu()
        return self.readout(self.second(hidden).relu().flatten(1))


class Transformer(nn.Module):
    """One block of attention over the eight rows of an image."""

    def __init__(self, size: int = 32) -> None:
        super().__init__()
        self.embedding = nn.Linear(8, size)
        self.position = nn.Parameter(0.5 * torch.randn(8, size))
        self.block = nn.TransformerEncoderLayer(
            size, 4, 2 * size, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
        )
        self.norm = nn.LayerNorm(size)
        self.readout = nn.Linear(size, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return ten outputs for each image of 64 pixels."""
        stream = self.block(self.embedding(x.reshape(-1, 8, 8)) + self.position)
        return self.readout(self.norm(stream).mean(dim=1))


class Scaled(nn.Module):
    """α·(g − g₀), with g₀ the network at the start."""

    def __init__(self, network: nn.Module, scale: float) -> None:
        super().__init__()
        self.network, self.scale = network, scale
        self.start = copy.deepcopy(network).requires_grad_(False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the outputs, all 0 at the start."""
        return self.scale * (self.network(x) - self.start(x))


NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "MLP": lambda: nn.Sequential(
        nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10)
    ),
    "CNN": Cnn,
    "transformer": Transformer,
}


def data() -> tuple[torch.Tensor, torch.Tensor]:
    """Return the images and labels that are learned, in single precision."""
    x, y = digits(TRAINED)
    return torch.tensor(x, dtype=torch.float32), torch.tensor(y, dtype=torch.float32)


def train(model: nn.Module, x: torch.Tensor, y: torch.Tensor, most: int) -> tuple[float, int]:
    """Follow gradient flow until the loss is small enough, in steps as long as they may be.

    A step counts only if the loss falls by no less than half of what a straight line would say.
    Returns the share of the loss that is left, and the number of steps.
    """
    weights = [p for p in model.parameters() if p.requires_grad]

    def slope() -> tuple[float, list[torch.Tensor]]:
        loss = ((model(x) - y) ** 2).sum(dim=1).mean() / 2
        return loss.item(), list(torch.autograd.grad(loss, weights))

    def move(eta: float, gradient: list[torch.Tensor]) -> None:
        with torch.no_grad():
            torch._foreach_add_(weights, gradient, alpha=-eta)

    start, gradient = value, _ = slope()
    squared = sum(float((g**2).sum()) for g in gradient)
    eta, count = 0.01 * start / squared, 0
    while value > LEARNED * start and count < most:
        kept = [p.detach().clone() for p in weights]
        move(eta, gradient)
        new_value, new_gradient = slope()
        if new_value <= value - 0.5 * eta * squared:
            value, gradient, eta = new_value, new_gradient, 1.2 * eta
            squared = sum(float((g**2).sum()) for g in gradient)
        else:
            with torch.no_grad():
                torch._foreach_copy_(weights, kept)
            eta *= 0.5
        count += 1
    return value / start, count


def point(network: str, scale: float, seed: int) -> dict[str, Any]:
    """Train one network at one output scale, and check it up."""
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    before = Scaled(NETWORKS[network](), scale)
    after = copy.deepcopy(before)
    x, y = data()
    left, steps = train(after, x, y, MOST_STEPS)
    result = fl.checkup(before, after, x, y, outputs=1)
    return told(scale, steps, left, result)


if __name__ == "__main__":
    sweeps.main(point, GRID, QUICK)
