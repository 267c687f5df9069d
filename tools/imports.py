"""Who imports whom, read from the code without running it.

A *room* is a folder of ``flbook/`` or of ``frontend/src/``, or a file that stands there alone. The
face of the package, ``flbook/__init__.py``, is the room ``__init__``.
"""

import ast
import json
import re
import sys
from pathlib import Path

FACE = "__init__"
SHARED = "shared"
COMMENT = re.compile(r"/\*.*?\*/", re.S)
# `… from "./x.js"`, `import "./x.js"` and `import("./x.js")`, over several lines too
RELATIVE = re.compile(r"""(?:\bfrom|\bimport\(?)\s*["'](\.[^"']+)["']""")

Rooms = dict[str, set[str]]


def room_of(path: Path, folder: Path) -> str:
    """Name the room of `folder` that a file stands in."""
    return Path(path.relative_to(folder).parts[0]).stem


def imported(source: str, name: str = "source") -> set[str]:
    """Return every name that Python code imports, wherever in the code.

    Raises
    ------
    ValueError
        If an import is relative: it does not say where the module lives.

    """
    names = set()
    for node in ast.walk(ast.parse(source, name)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                raise ValueError(f"{name} imports relatively: say where the module lives")
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def imports(path: Path) -> set[str]:
    """Return every name that a Python file imports."""
    return imported(path.read_text(encoding="utf-8"), str(path))


def _rooms_among(names: set[str], rooms: set[str]) -> set[str]:
    """Return the rooms of the package that imported names lead to; what is no room is its face."""
    parts = [name.split(".") for name in names]
    inside = [rest for top, *rest in parts if top == "flbook"]
    return {rest[0] if rest and rest[0] in rooms else FACE for rest in inside}


def _opened(path: Path) -> set[str]:
    """Return the names of folders and files that a Python file opens by ``… / "name"``."""
    return {
        node.right.value
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.BinOp)
        and isinstance(node.op, ast.Div)
        and isinstance(node.right, ast.Constant)
    }


def rooms_that_open(package: Path, name: str) -> set[str]:
    """Return the rooms of ``flbook/`` whose code opens the folder `name`."""
    return {room_of(path, package) for path in package.rglob("*.py") if name in _opened(path)}


def python_rooms(package: Path) -> Rooms:
    """Return the rooms of ``flbook/`` and, for each, the other rooms that it imports or reads."""
    files = sorted(package.rglob("*.py"))
    rooms: Rooms = {room_of(path, package): set() for path in files}
    for path in files:
        room = room_of(path, package)
        rooms[room] |= _rooms_among(imports(path), set(rooms)) - {room}
    for room in rooms_that_open(package, SHARED):
        rooms[room].add(SHARED)
    return rooms


def foreign(package: Path) -> Rooms:
    """Return for each room of ``flbook/`` the packages of others that it imports."""
    found: Rooms = {}
    for path in sorted(package.rglob("*.py")):
        tops = {name.partition(".")[0] for name in imports(path)}
        found.setdefault(room_of(path, package), set()).update(
            tops - {"flbook"} - set(sys.stdlib_module_names)
        )
    return found


def javascript_rooms(source: Path) -> Rooms:
    """Return the rooms of ``frontend/src/`` and, for each, the other rooms that it imports."""
    rooms: Rooms = {}
    for path in sorted(source.rglob("*.js")):
        room = room_of(path, source)
        found = rooms.setdefault(room, set())
        code = COMMENT.sub("", path.read_text(encoding="utf-8"))
        for name in RELATIVE.findall(code):
            target = (path.parent / name).resolve()
            if target.parent.name == SHARED:
                found.add(SHARED)
            elif target.suffix == ".js":
                found.add(room_of(target, source.resolve()))
        found.discard(room)
    return rooms


def chapter_imports(chapters: Path, rooms: set[str]) -> set[str]:
    """Return the rooms of ``flbook/`` that the notebooks in `chapters` import."""
    found = set()
    for path in sorted(chapters.glob("*.ipynb")):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            if cell["cell_type"] == "code":
                code = re.sub(r"^(\s*)[%!].*$", r"\1pass", "".join(cell["source"]), flags=re.M)
                found |= _rooms_among(imported(code, path.name), rooms)
    return found
