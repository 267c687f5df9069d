"""Draw the picture of the house from its own imports: ``python -m tools.architecture``.

A box is a room: a package of ``flbook``, a folder of ``frontend/src``. It stands above all that it
imports. An arrow that follows from two others is left out.
"""

import ast
import json
import re
from pathlib import Path

import matplotlib.style
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from flbook import figures

ROOT = Path(__file__).resolve().parent.parent
PACKAGE, FRONT_END = ROOT / "flbook", ROOT / "frontend" / "src"
PICTURE = ROOT / "chapters" / "images" / "architecture.svg"
TITLE = "The rooms of flbook and of its front end, and what they import"

Graph = dict[str, set[str]]

WIDTH, HEIGHT, GAP, FLOOR, APART = 1.5, 0.62, 0.28, 1.2, 5.2
CENTRED = {"ha": "center", "va": "center", "color": figures.PALETTE["ink"], "zorder": 2}


def python_rooms() -> Graph:
    """Return, for every room of the package, the rooms that its files import."""
    graph: Graph = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        room = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        if room == "__init__":
            continue
        found = graph.setdefault(room, set())
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("flbook."):
                found.add(str(node.module).split(".")[1])
        if 'resources.files("flbook") / "shared"' in path.read_text(encoding="utf-8"):
            found.add("shared")
        found.discard(room)
    return {**graph, "shared": set()}


def script_rooms() -> Graph:
    """Return, for every room of the front end, the rooms that its modules import."""
    graph: Graph = {}
    for path in sorted(FRONT_END.rglob("*.js")):
        room = path.relative_to(FRONT_END).parts[0].removesuffix(".js")
        found = graph.setdefault(room, set())
        for target in re.findall(r'from "(\.[^"]+)"', path.read_text(encoding="utf-8")):
            place = (path.parent / target).resolve()
            if place.is_relative_to(FRONT_END):
                found.add(place.relative_to(FRONT_END).parts[0].removesuffix(".js"))
            elif place.is_relative_to(PACKAGE / "shared"):
                found.add("shared")
        found.discard(room)
    return {**graph, "shared": set()}


def floors(graph: Graph) -> dict[str, int]:
    """Return the floor of every room: one above the highest of those that it imports.

    Raises
    ------
    ValueError
        If rooms import each other in a circle.
    """
    found: dict[str, int] = {}
    while len(found) < len(graph):
        ready = [room for room in graph if room not in found and graph[room] <= set(found)]
        if not ready:
            raise ValueError(f"a circle of imports runs through {sorted(set(graph) - set(found))}")
        for room in ready:
            found[room] = 1 + max((found[other] for other in graph[room]), default=-1)
    return found


def direct(graph: Graph) -> Graph:
    """Return the graph without the arrows that follow from others."""

    def below(room: str) -> set[str]:
        return graph[room].union(*(below(other) for other in graph[room]))

    return {
        room: {
            other
            for other in others
            if not any(other in below(between) for between in others - {other})
        }
        for room, others in graph.items()
    }


def house() -> dict[str, dict[str, list[str]]]:
    """Return both graphs in an order that does not change from run to run."""
    towers = {"flbook": python_rooms(), "frontend/src": script_rooms()}
    return {
        tower: {room: sorted(others) for room, others in sorted(graph.items())}
        for tower, graph in towers.items()
    }


def _places(graph: Graph, left: float) -> dict[str, tuple[float, float]]:
    """Return the lower left corner of every box of one tower but the shared one."""
    level = floors(graph)
    places = {}
    for floor in sorted(set(level.values())):
        rooms = sorted(room for room in graph if level[room] == floor and room != "shared")
        for i, room in enumerate(rooms):
            offset = (i - (len(rooms) - 1) / 2) * (WIDTH + GAP)
            places[room] = (left + offset, floor * FLOOR)
    return places


def _box(ax, x: float, y: float, role: str, width: float = WIDTH) -> None:
    ax.add_patch(
        FancyBboxPatch(
            (x - width / 2, y),
            width,
            HEIGHT,
            boxstyle="round,pad=0,rounding_size=0.08",
            facecolor=figures.PALETTE["paper"],
            edgecolor=figures.PALETTE[role],
            linewidth=1.5,
        )
    )


def _arrow(ax, start: tuple[float, float], end: tuple[float, float]) -> None:
    arrow = {"arrowstyle": "-|>", "color": figures.PALETTE["guide"], "linewidth": 1, "shrinkB": 1}
    ax.annotate("", xy=end, xytext=start, arrowprops=arrow, zorder=0)


def draw() -> Figure:
    """Draw both towers on the ground that they share."""
    towers = ((python_rooms(), 0.0, "kernel"), (script_rooms(), APART, "feature"))
    with matplotlib.style.context(figures.STYLE):
        figure = Figure(figsize=(7.6, 6.6))
        ax = figure.subplots()
        ax.text(APART / 2, HEIGHT / 2, "flbook/shared: words, ranges, colours", **CENTRED)
        _box(ax, APART / 2, 0.0, "ink", APART + 2 * WIDTH + GAP)
        tops = []
        for graph, left, role in towers:
            places = _places(graph, left)
            for room, (x, y) in places.items():
                _box(ax, x, y, role)
                ax.text(x, y + HEIGHT / 2, room, **CENTRED)
                tops.append(y + HEIGHT)
            for room, others in direct(graph).items():
                for other in others:
                    x, y = places[room]
                    end = places.get(other, (x, 0.0))
                    _arrow(ax, (x, y), (end[0], end[1] + HEIGHT))
        for left, title in ((0.0, "flbook, in Python"), (APART, "frontend/src, in the browser")):
            ax.text(left, max(tops) + 0.35, title, ha="center", color=figures.PALETTE["muted"])
        reach = 1.5 * WIDTH + GAP + 0.1
        ax.set(xlim=(-reach, APART + reach - 0.6), ylim=(-0.1, max(tops) + 0.7))
        ax.axis("off")
        figure.canvas.draw()
    return figure


def save(path: Path = PICTURE) -> None:
    """Write the picture, with the graph that it shows in its description."""
    with matplotlib.style.context(figures.STYLE):
        description = json.dumps(house(), separators=(",", ":"))
        metadata = {"Date": None, "Creator": None, "Title": TITLE, "Description": description}
        draw().savefig(path, metadata=metadata)


if __name__ == "__main__":
    save()
