"""Draw the house from its code, for the page on it: ``python -m tools.architecture``.

Two towers of rooms, each above all that it imports: a line leaves a room sideways, and from a dot
on it an arrow goes down to a room that it imports. A test holds the stored picture to the code.
"""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from graphlib import TopologicalSorter
from html import escape
from itertools import accumulate
from pathlib import Path

from flbook.figures import PALETTE
from tools import imports
from tools.imports import FACE, SHARED, Rooms

ROOT = Path(__file__).resolve().parent.parent
PICTURE = ROOT / "chapters" / "images" / "architecture.svg"
TITLE = "The rooms of flbook and of its front end, and which imports which"

MARGIN, MIDDLE, PAD = 6, 18, 8
ROOF, HEADER, FOUNDATION = 46, 26, 30
ROW, GAP, STEP = 31, 4, 13
CHARACTER, FONT = 7.4, "12px ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace"
ENLARGED = 1.5


@dataclass(frozen=True)
class House:
    """What the picture shows: the imports within both towers, and what joins them.

    `chapters` are the rooms of `python` that the notebooks import, `core` those that need the
    required packages alone, and `carriers` those that ship the bundled `javascript`.
    """

    python: Rooms
    javascript: Rooms
    chapters: set[str]
    core: set[str]
    carriers: set[str]


def read(root: Path = ROOT) -> House:
    """Read the house that stands at `root`."""
    package = root / "flbook"
    python = imports.python_rooms(package)
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    required = {re.split(r"\W", requirement)[0] for requirement in project["dependencies"]}
    return House(
        python=python,
        javascript=imports.javascript_rooms(root / "frontend" / "src"),
        chapters=imports.chapter_imports(root / "chapters", set(python)),
        core={room for room, names in imports.foreign(package).items() if names <= required},
        carriers=imports.rooms_that_open(package, "bundle"),
    )


def floors(rooms: Rooms) -> list[list[str]]:
    """Return the rooms floor by floor, from the top; a room lies just below its importers.

    Raises
    ------
    ValueError
        If rooms import each other in a circle.

    """
    upwards = [room for room in TopologicalSorter(rooms).static_order() if room != SHARED]
    depth = dict.fromkeys(upwards, 0)
    for room in reversed(upwards):
        for lower in rooms[room] - {SHARED}:
            depth[lower] = max(depth[lower], depth[room] + 1)
    house: list[list[str]] = [[] for _ in range(max(depth.values()) + 1)]
    for room in sorted(upwards, key=label):
        house[depth[room]].append(room)
    return house


def label(room: str) -> str:
    """Return the name of a room as the picture writes it."""
    return "flbook" if room == FACE else room


class Tower:
    """The stack of rooms of one language: `side` is 1 with its wall on the left, −1 on the right.

    Every room that is imported sticks out by one step from those above it, and arrows land there.
    """

    def __init__(self, rooms: Rooms, entered: set[str], side: int, height: float):
        self.rooms, self.entered, self.side = rooms, entered, side
        self.order = [room for floor in floors(rooms) for room in floor]
        self.pitch = height / len(self.order)
        imported = set().union(entered, *rooms.values())
        steps = list(accumulate(STEP * (room in imported) for room in self.order))
        names = [len(label(room)) * CHARACTER + 2 * PAD for room in self.order]
        base = max(name - step for name, step in zip(names, steps, strict=True))
        self.widths = {r: base + step for r, step in zip(self.order, steps, strict=True)}
        self.width = max(self.widths.values()) + STEP
        self.wall = self.top = 0.0

    def place(self, wall: float, top: float):
        """Say where the tower stands: the `x` of its wall and the `y` of its top."""
        self.wall, self.top = wall, top

    def x(self, distance: float) -> float:
        """Return the coordinate at a distance from the wall."""
        return self.wall + self.side * distance

    def landing(self, room: str) -> float:
        """Return the `x` at which arrows land on a room."""
        inner = self.width if room == SHARED else self.widths[room]
        return self.x(inner - STEP / 2)

    def y(self, room: str) -> float:
        """Return the `y` of the upper edge of a room; the shared one lies below all."""
        rows = len(self.order) if room == SHARED else self.order.index(room)
        return self.top + rows * self.pitch

    def centre(self, room: str) -> float:
        """Return the `y` at which a room's line leaves it."""
        return self.y(room) + (self.pitch - GAP) / 2

    def draw(self, core: set[str]) -> Iterator[str]:
        """Yield the rooms, the lines between them and their names."""
        for room in self.order:
            importers = [r for r in self.order if room in self.rooms[r]]
            if room in self.entered:
                yield arrow(self.landing(room), self.top - HEADER, self.y(room))
            elif importers:
                yield arrow(self.landing(room), self.centre(importers[0]), self.y(room))
        readers = [r for r in self.order if SHARED in self.rooms[r]]
        yield arrow(self.landing(SHARED), self.centre(readers[0]), self.y(SHARED))
        for room in self.order:
            y, width = self.y(room), self.widths[room]
            ends = [self.landing(target) for target in sorted(self.rooms[room])]
            if ends:
                furthest = max(ends, key=lambda x: self.side * x)
                yield element("path", d=f"M{self.x(width):g} {self.centre(room):g}H{furthest:g}")
            for x in ends:
                yield element("circle", cx=x, cy=self.centre(room), r=2.6, fill=PALETTE["ink"])
            yield element(
                "rect",
                x=min(self.x(0), self.x(width)),
                y=y,
                width=width,
                height=self.pitch - GAP,
                fill=PALETTE["grid" if room in core else "paper"],
            )
            anchor = "start" if self.side > 0 else "end"
            yield text(label(room), self.x(PAD), self.centre(room), PALETTE["ink"], anchor)


def element(tag: str, content: str = "", **attributes: object) -> str:
    """Return one element of SVG; an underscore in an attribute's name is a hyphen."""
    written = "".join(
        f' {name.replace("_", "-")}="{escape(f"{v:g}" if isinstance(v, float) else str(v))}"'
        for name, v in attributes.items()
    )
    return f"<{tag}{written}>{content}</{tag}>" if content else f"<{tag}{written}/>"


def text(words: str, x: float, y: float, fill: str, anchor: str = "middle") -> str:
    """Return words centred on the height `y`."""
    return element(
        "text", escape(words), x=x, y=y + 4.2, fill=fill, stroke="none", text_anchor=anchor
    )


def arrow(x: float, start: float, end: float) -> str:
    """Return a line straight down from `start` to `end`, with its head."""
    return element("path", d=f"M{x:g} {start:g}V{end:g}m-3 -5l3 5l3 -5")


def draw(house: House) -> str:
    """Return the picture of a house as SVG."""
    height = ROW * max(len(house.python), len(house.javascript))
    left = Tower(house.python, house.chapters, 1, height)
    right = Tower(house.javascript, set(), -1, height)
    width = 2 * MARGIN + left.width + MIDDLE + right.width
    top = ROOF + HEADER
    left.place(MARGIN, top)
    right.place(width - MARGIN, top)
    ground = top + height
    total = ground + FOUNDATION + MARGIN

    solid = {"fill": PALETTE["muted"], "stroke": "none"}
    card = element("rect", width=width, height=total, fill=PALETTE["paper"], stroke="none")
    parts = [element("title", TITLE), card]
    gable = f"M{MARGIN} {ROOF}L{width / 2:g} {MARGIN}L{width - MARGIN:g} {ROOF}Z"
    parts.append(element("path", d=gable, **solid))
    parts.append(text("chapters", width / 2, ROOF - 12, PALETTE["paper"]))
    for words, tower, anchor in (("flbook/", left, "start"), ("frontend/src/", right, "end")):
        parts.append(text(words, tower.x(0), ROOF + HEADER / 2, PALETTE["muted"], anchor))
    parts += left.draw(house.core)
    parts += right.draw(set())
    parts += _bundle(house.carriers, left, right)
    base = {"x": MARGIN, "y": ground, "width": width - 2 * MARGIN, "height": FOUNDATION}
    parts.append(element("rect", **base, **solid))
    parts.append(text("flbook/shared", width / 2, ground + FOUNDATION / 2, PALETTE["paper"]))
    return (
        element(
            "svg",
            "\n" + "\n".join(parts) + "\n",
            xmlns="http://www.w3.org/2000/svg",
            width=ENLARGED * width,
            height=ENLARGED * total,
            viewBox=f"0 0 {width:g} {total:g}",
            fill="none",
            stroke=PALETTE["guide"],
            style=f"font:{FONT}",
        )
        + "\n"
    )


def _bundle(carriers: set[str], left: Tower, right: Tower) -> Iterator[str]:
    """Yield the dashed arrows from the top of the front end to the rooms that ship its bundle."""
    start = right.x(right.widths[right.order[0]])
    between = (left.x(left.width) + right.x(right.width)) / 2
    for room in sorted(carriers):
        y, end = left.y(room) + 6, left.x(left.widths[room])
        yield element("path", d=f"M{start:g} {y:g}H{end:g}", stroke_dasharray="3 3")
        yield element("path", d=f"M{end + 5:g} {y - 3:g}l-5 3l5 3")
        yield text("bundle", between, y - 9, PALETTE["muted"])


def main() -> None:
    """Store the picture of today's house, and count."""
    house = read()
    PICTURE.write_text(draw(house), encoding="utf-8")
    for name, rooms in (("flbook", house.python), ("frontend/src", house.javascript)):
        arrows = sum(len(targets - {SHARED}) for targets in rooms.values())
        print(f"{name}: {len(rooms)} rooms on {len(floors(rooms))} floors, {arrows} arrows")


if __name__ == "__main__":
    main()
