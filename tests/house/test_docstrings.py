"""The docstrings: every example runs as written, and everything public has a contract."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil
from importlib.util import find_spec

import pytest

import flbook

# What needs a framework that is no requirement is imported where that is: `make torch` does it.
APART = {"flbook._adapters.torch_": "torch", "flbook._adapters.jax_": "jax"}
MISSING = tuple(start for start, name in APART.items() if find_spec(name) is None)
MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(flbook.__path__, prefix="flbook.")
    if not module.name.startswith(MISSING)
)

# What an adapter may need, and not everybody has.
FRAMEWORKS = {"jax", "torch"}


@pytest.mark.parametrize("name", ["flbook", *MODULES])
def test_examples(name):
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if not (name.startswith("flbook._adapters.") and error.name in FRAMEWORKS):
            raise
        pytest.skip(f"{error.name} is not installed")
    results = doctest.testmod(module, optionflags=doctest.FAIL_FAST)
    assert results.failed == 0


@pytest.mark.parametrize("name", flbook.__all__)
def test_everything_public_is_documented(name):
    thing = getattr(flbook, name)
    if not callable(thing):
        return
    assert inspect.getdoc(thing), name
    assert ">>>" in (inspect.getdoc(thing) or ""), f"{name} has no example"
    for member, value in vars(thing).items() if inspect.isclass(thing) else ():
        if not member.startswith("_") and (
            inspect.isfunction(value) or isinstance(value, property)
        ):
            assert inspect.getdoc(value), f"{name}.{member} does not say what it returns"
