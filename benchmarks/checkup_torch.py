"""What a check-up of PyTorch models costs, beside an epoch of training.

Run ``.venv-torch/bin/python -m benchmarks.checkup_torch``. 64 probe inputs; the digits networks of
`experiments.knob_torch` with an epoch of their 1797 images in batches of 32, and a
784-1024-1024-10 ReLU network with an epoch of 60 000 made-up images in batches of 128 (one in
twenty batches timed). Seconds are the least of three runs, after one that loads what PyTorch needs;
each network has a process of its own, so that each peak of memory is its own.
"""

from __future__ import annotations

import copy
import resource
import subprocess
import sys
import time
from collections.abc import Callable

import torch
from torch import nn

import flbook as fl
from experiments.knob_torch import NETWORKS

LARGE = "784-1024-1024-10"
PROBES = 64


def main(name: str) -> None:
    """Time one network, and print a line of a table."""
    torch.manual_seed(0)
    if name == LARGE:
        parts = (nn.Linear(784, 1024), nn.ReLU(), nn.Linear(1024, 1024), nn.ReLU())
        before, images, batch, share = nn.Sequential(*parts, nn.Linear(1024, 10)), 60_000, 128, 20
    else:
        before, images, batch, share = NETWORKS[name](), 1797, 32, 1
    x = torch.randn(images // share, 784 if name == LARGE else 64)
    y = torch.randint(10, (len(x),))
    after = copy.deepcopy(before)
    optimizer = torch.optim.SGD(after.parameters(), lr=0.05)

    def epoch() -> None:
        for some, labels in zip(x.split(batch), y.split(batch), strict=True):
            optimizer.zero_grad()
            nn.functional.cross_entropy(after(some), labels).backward()
            optimizer.step()

    trained = [share * seconds for seconds in least(epoch)]
    start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    checked = least(lambda: fl.checkup(before, after, x[:PROBES], y[:PROBES]))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(
        f"{name:18} epoch {trained[0]:7.2f} s (CPU {trained[1]:.2f} s)   check-up "
        f"{checked[0]:6.2f} s (CPU {checked[1]:.2f} s)   peak {peak:.2f} GB, {start:.2f} GB before"
    )


def least(work: Callable[[], object]) -> list[float]:
    """Return the least times of three runs, after one that does not count."""
    work()
    found = []
    for _ in range(3):
        clock, processor = time.perf_counter(), time.process_time()
        work()
        found.append((time.perf_counter() - clock, time.process_time() - processor))
    return [min(values) for values in zip(*found, strict=True)]


if __name__ == "__main__":
    if sys.argv[1:]:
        main(*sys.argv[1:])
    else:
        for chosen in (*NETWORKS, LARGE):
            subprocess.run([sys.executable, "-m", "benchmarks.checkup_torch", chosen], check=True)
