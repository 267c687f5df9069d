"""One way only: a room imports what lies below it, and the core needs numpy and scipy."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import flbook
from tools.imports import imports, room_of

PACKAGE = Path(flbook.__file__).parent

# A room, what it may import of the house, and what of other people's.
CORE = {"numpy", "scipy"}
ROOMS = {
    "_support": (set(), CORE),
    "_model": ({"_support"}, CORE),
    "_dynamics": ({"_support", "_model"}, CORE),
    "_measures": ({"_support", "_model", "_dynamics"}, CORE),
    "_adapters": ({"_support", "_measures"}, CORE | {"jax", "equinox", "torch"}),
    "simulation": ({"_support", "_model"}, CORE),
    "networks": ({"_support"}, CORE | {"jax", "optax"}),
    "figures": ({"_support", "_model", "_dynamics", "_measures", "shared"}, CORE | {"matplotlib"}),
    "explorers": (
        {"_support", "_model", "_dynamics", "_measures", "shared"},
        CORE | {"anywidget", "ipywidgets", "traitlets"},
    ),
    "datasets": ({"_support"}, CORE | {"PIL", "sklearn"}),
    "sweeps": ({"_support"}, CORE | {"dask", "distributed", "joblib", "tqdm"}),
    "shared": (set(), set()),
    "__init__": ({"_support", "_model", "_dynamics", "_measures", "_adapters"}, set()),
}


FILES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_room_imports_only_what_it_may(path):
    room = room_of(path, PACKAGE)
    assert room in ROOMS, f"{room} has no rule: say in ROOMS what it may import"
    own, others = ROOMS[room]
    for name in imports(path):
        top, _, rest = name.partition(".")
        if top == "flbook":
            target = rest.split(".")[0]
            assert target in own | {room}, f"{path.name} in {room} must not import {name}"
        else:
            assert top in others | set(sys.stdlib_module_names), f"{path.name} imports {name}"


def test_no_two_files_import_each_other():
    """Follow the imports of every file; coming back to it would be a circle."""
    files = {
        ".".join(("flbook", *path.relative_to(PACKAGE).with_suffix("").parts)): path
        for path in FILES
    }

    def neighbours(name: str) -> set[str]:
        return {
            module
            for found in imports(files[name])
            for module in (found, found.rpartition(".")[0], f"{found}.__init__")
            if module in files
        }

    graph = {name: neighbours(name) for name in files}
    for start in graph:
        seen, todo = set(), list(graph[start])
        while todo:
            name = todo.pop()
            assert name != start, f"{start} imports itself by way of others"
            if name not in seen:
                seen.add(name)
                todo += graph[name]


def test_importing_the_package_stays_light():
    heavy = ["matplotlib", "ipywidgets", "anywidget", "IPython", "jax", "pandas", "mpmath"]
    heavy += ["joblib", "tqdm", "sklearn", "PIL"]
    code = (
        "import sys, flbook; assert flbook.GradientFlow;"
        f"print([x for x in {heavy} if x in sys.modules],"
        " 'flbook.simulation' in sys.modules)"
    )
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip() == "[] False"


@pytest.mark.parametrize(
    ("room", "extra", "missing"),
    [
        ("explorers", "explorers", "anywidget"),
        ("explorers", "explorers", "ipywidgets"),
        ("networks", "jax", "jax"),
        ("networks", "jax", "optax"),
        ("datasets", "data", "sklearn"),
        ("datasets", "data", "PIL"),
        ("sweeps", "sweeps", "joblib"),
        ("sweeps", "sweeps", "tqdm"),
    ],
)
def test_a_room_says_what_it_needs(room, extra, missing):
    code = f"import sys; sys.modules[{missing!r}] = None; import flbook.{room}"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.returncode == 1
    wanted = f"flbook.{room} needs {missing}: pip install 'flbook[{extra}]' brings it"
    assert wanted in run.stderr
