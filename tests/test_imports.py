"""One way only: a module imports from its left, and the core drags in nothing of Jupyter."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import flbook

PACKAGE = Path(flbook.__file__).parent

# Left to right. Modules of one group do not import each other, but for the groups named below.
LEFT_TO_RIGHT = (
    ("_checks",),
    ("_exact",),
    ("task", "gram"),
    ("network",),
    ("_dynamics",),
    ("_descent_map", "scaling"),
    ("gradient_flow", "kernel_flow", "gradient_descent"),
    ("simulation",),
    ("_ends",),
    ("mechanisms", "diagram", "ensembles", "generalisation"),
    ("measured_phases", "simulated_test_error"),
    ("figures",),
    ("map_figures",),
    ("explorers",),
)
SIMULATIONS = {"simulation", "simulated_test_error"}
EXACT = [name for group in LEFT_TO_RIGHT[:11] for name in group if name not in SIMULATIONS]
# `import flbook` may need nothing beyond these.
ALLOWED = {"numpy", "scipy", "flbook"}


def _place(module: str) -> int:
    for place, group in enumerate(LEFT_TO_RIGHT):
        if module in group:
            return place
    raise AssertionError(f"flbook.{module} has no place in the order of modules: give it one")


def _files() -> list[tuple[str, Path]]:
    files = [(path.stem, path) for path in PACKAGE.glob("*.py") if path.stem != "__init__"]
    folders = [path for path in PACKAGE.iterdir() if (path / "__init__.py").exists()]
    return files + [(folder.name, path) for folder in folders for path in folder.rglob("*.py")]


def _imports(path: Path) -> set[str]:
    """Return every module that a file imports, wherever in the file."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name} imports relatively: say flbook.module"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def _own(path: Path) -> set[str]:
    """Return the flbook modules that a file imports."""
    own = set()
    for name in _imports(path):
        parts = name.split(".")
        if parts[0] == "flbook":
            assert len(parts) > 1, f"{path.name} imports the whole of flbook: say flbook.module"
            is_module = (PACKAGE / f"{parts[1]}.py").exists() or (PACKAGE / parts[1]).is_dir()
            assert is_module, (
                f"{path.name} imports {name} by way of the package: say where it lives"
            )
            own.add(parts[1])
    return own


@pytest.mark.parametrize(("module", "path"), _files(), ids=lambda x: getattr(x, "name", x))
def test_modules_import_from_their_left(module, path):
    for other in _own(path) - {module}:
        assert _place(other) < _place(module), f"{module} must not import {other}"


@pytest.mark.parametrize("module", EXACT)
def test_the_solver_knows_no_simulation(module):
    seen, todo = set(), [module]
    while todo:
        name = todo.pop()
        seen.add(name)
        todo += _own(PACKAGE / f"{name}.py") - seen
    assert not seen & SIMULATIONS


@pytest.mark.parametrize(
    ("module", "needs"),
    [
        ("simulation", {"_checks", "_exact", "gram", "network", "task"}),
        ("simulated_test_error", {"_checks", "_exact", "gram", "network"}),
    ],
)
def test_the_simulation_knows_no_solution(module, needs):
    seen, todo = set(), [module]
    while todo:
        name = todo.pop()
        seen.add(name)
        todo += _own(PACKAGE / f"{name}.py") - seen
    assert seen == needs | {module}


@pytest.mark.parametrize("module", EXACT)
def test_the_core_needs_numpy_and_scipy_only(module):
    for name in _imports(PACKAGE / f"{module}.py"):
        top = name.split(".")[0]
        assert top in ALLOWED | set(sys.stdlib_module_names), f"{module} imports {name}"


def test_importing_the_package_stays_light():
    heavy = ["matplotlib", "ipywidgets", "anywidget", "IPython", "jax", "pandas", "mpmath", "tqdm"]
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


@pytest.mark.parametrize("missing", ["anywidget", "ipywidgets"])
def test_explorers_say_what_they_need(missing):
    code = f"import sys; sys.modules[{missing!r}] = None; import flbook.explorers"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.returncode == 1
    wanted = f"flbook.explorers needs {missing}: pip install 'flbook[explorers]' brings it"
    assert wanted in run.stderr


def test_public_names():
    promised = {
        "Task",
        "Network",
        "Gram",
        "GradientFlow",
        "KernelFlow",
        "GradientDescent",
        "Scaling",
        "SCALINGS",
        "Phase",
    }
    assert promised <= set(flbook.__all__)
    for name in flbook.__all__:
        assert hasattr(flbook, name), name
