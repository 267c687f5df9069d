"""The recipe of the chapter on one's own network runs as it stands."""

from __future__ import annotations

import runpy
from pathlib import Path

import matplotlib
import torch
from torch import nn

import flbook as fl

RECIPE = Path(__file__).resolve().parents[2] / "chapters" / "recipes" / "checkup_torch.py"


def test_the_recipe_runs_with_what_the_reader_has(capsys):
    matplotlib.use("agg")
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 3))
    x, y = torch.randn(64, 8), torch.randint(3, (64,))

    def train(model):
        optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
        for _ in range(100):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(x), y).backward()
            optimizer.step()

    names = runpy.run_path(str(RECIPE), {"model": model, "train": train, "x": x, "y": y})
    result = names["result"]
    assert isinstance(result, fl.Checkup)
    assert result.verdict == "rich"
    assert f"Check-up on 64 inputs: {result.verdict}" in capsys.readouterr().out
    assert names["figure"].axes


def test_the_recipe_has_ten_lines():
    assert len(RECIPE.read_text(encoding="utf-8").splitlines()) <= 10
