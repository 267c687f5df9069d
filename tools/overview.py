"""Draw the picture on the welcome page and in the README: ``python -m tools.overview``."""

from pathlib import Path

import matplotlib.style
import numpy as np
from matplotlib.figure import Figure

import flbook as fl
from flbook import figures

PICTURE = Path(__file__).resolve().parent.parent / "chapters" / "images" / "overview.svg"
WIDTH = 1000
ABOVE, BELOW = (-8, 14), (4, -14)
NETWORKS = (
    ("lazy", 1.5, "kernel", ABOVE),
    ("in between", 0.8, "ink", ABOVE),
    ("rich", 0.2, "feature", BELOW),
)
TITLE = "The kernel of three networks while they learn one task"


def draw() -> Figure:
    """Draw kernel against slope for three networks that learn the slope 1, in the book's style."""
    task = fl.Task(second_moment=1, cross_moment=1, label_moment=1)
    t = np.append(np.linspace(0, 20, 400), np.inf)
    with matplotlib.style.context(figures.STYLE):
        figure = Figure(figsize=(6, 3.6))
        ax = figure.subplots()
        for label, sigma, role, offset in NETWORKS:
            network = fl.Network(
                WIDTH, gamma=1 / WIDTH, sigma_u=sigma, sigma_w=sigma, eta_u=WIDTH, eta_w=WIDTH
            )
            flow = fl.GradientFlow(network, task, network.typical_gram(overlap=0))
            figures.kernel_curve(ax, flow, t, role=role, label=label, offset=offset, reach=1.25)
        ax.set(xlim=(-1.25, 1.25), ylim=(0, 5.4))
        ax.set_xlabel("slope $v$: what the network computes")
        ax.set_ylabel("kernel $K$: how readily it learns")
        figure.canvas.draw()
    return figure


def save(path: Path = PICTURE):
    """Write the picture to `path` as SVG, the same bytes at every run."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with matplotlib.style.context(figures.STYLE):
        draw().savefig(path, metadata={"Date": None, "Creator": None, "Title": TITLE})


if __name__ == "__main__":
    save()
