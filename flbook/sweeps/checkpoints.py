"""What a sweep has done already: a file for each point, found by all that went into it."""

from __future__ import annotations

import ast
import hashlib
import importlib.metadata
import importlib.util
import inspect
import json
import platform
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flbook.sweeps.grid import Point
from flbook.sweeps.result import decode, encode, write_json

__all__ = ["Checkpoints", "code_hash", "full_name", "versions"]

COMPUTING = ("numpy", "scipy", "jax", "jaxlib", "optax", "equinox", "torch", "scikit-learn")


def versions() -> dict[str, str]:
    """Return the versions of Python, flbook and the installed packages that compute."""
    # flbook may be used from its checkout, where nothing is installed
    found = {"python": platform.python_version(), "flbook": sys.modules["flbook"].__version__}
    for package in COMPUTING:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def full_name(function: Callable[..., Any]) -> str:
    """Return ``module:name`` of a function, by the module's real name where it runs as a script."""
    module = function.__module__
    if module == "__main__":
        spec = getattr(sys.modules["__main__"], "__spec__", None)
        module = spec.name if spec else module
    return f"{module}:{function.__qualname__}"


def _imported(source: str) -> set[str]:
    """Return the names of all modules that Python code may import, anywhere in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def _source(module: str) -> str | None:
    """Return the code of a module that is a Python file, or None."""
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, ValueError):
        return None
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        return None
    return Path(spec.origin).read_text(encoding="utf-8")


def code_hash(function: Callable[..., Any]) -> str:
    """Return a hash of the code behind a function; comments and layout do not count.

    The code is that of the function's module, and of all that it imports, directly or not, of
    flbook and of its own package.
    """
    first = full_name(function).partition(":")[0]
    if _source(first) is None:  # typed into a notebook or a console
        try:
            code = inspect.getsource(function)
        except (OSError, TypeError):
            inner = getattr(function, "__code__", None)
            code = repr((inner.co_code, inner.co_consts) if inner else function)
        return hashlib.sha256(code.encode()).hexdigest()[:12]
    tops = {"flbook", first.partition(".")[0]}
    todo, seen = {first}, {}
    while todo:
        module = todo.pop()
        source = _source(module)
        seen[module] = "" if source is None else ast.dump(ast.parse(source))
        for name in _imported(source or ""):
            if name.partition(".")[0] in tops and name not in seen:
                todo.add(name)
    return hashlib.sha256(repr(sorted(seen.items())).encode()).hexdigest()[:12]


class Checkpoints:
    """A folder with a file for each point that is done; without a folder, nothing is kept."""

    def __init__(self, folder: Path | None, **behind: Any):
        self.folder = folder
        self.behind = behind

    def path(self, point: Point) -> Path | None:
        """Return where a point is kept, by a hash of the point and of all that is behind it."""
        if self.folder is None:
            return None
        text = json.dumps(encode({**self.behind, "point": point}), sort_keys=True)
        return self.folder / f"{hashlib.sha256(text.encode()).hexdigest()[:32]}.json"

    def get(self, point: Point) -> dict[str, Any] | None:
        """Return what was kept of a point, or None."""
        path = self.path(point)
        if path is None or not path.is_file():
            return None
        try:
            return decode(json.loads(path.read_text(encoding="utf-8")))
        except ValueError:  # spoilt from outside: the point is run again
            return None

    def put(self, point: Point, rows: list[Point], seconds: float) -> None:
        """Keep the rows of a point, at one stroke."""
        path = self.path(point)
        if path is not None:
            write_json(path, {"point": point, "seconds": seconds, "rows": rows})
