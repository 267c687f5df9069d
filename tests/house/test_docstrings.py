"""The docstrings: every example runs as written, and everything public has a contract."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil

import pytest

import flbook

MODULES = sorted(module.name for module in pkgutil.walk_packages(flbook.__path__, prefix="flbook."))

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
