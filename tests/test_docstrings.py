"""The examples in the docstrings, run as written."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil

import pytest

import flbook

CORE = [
    "_checks",
    "_descent_map",
    "_dynamics",
    "_ends",
    "_exact",
    "diagram",
    "ensembles",
    "generalisation",
    "gradient_descent",
    "gradient_flow",
    "gram",
    "kernel_flow",
    "measured_phases",
    "mechanisms",
    "network",
    "scaling",
    "simulated_test_error",
    "simulation",
    "task",
]


def test_the_list_is_of_modules_that_exist():
    found = {module.name for module in pkgutil.iter_modules(flbook.__path__)}
    assert set(CORE) <= found


@pytest.mark.parametrize("name", CORE)
def test_examples(name):
    module = importlib.import_module(f"flbook.{name}")
    results = doctest.testmod(module, optionflags=doctest.FAIL_FAST)
    assert results.failed == 0
    public = not name.startswith("_")
    assert results.attempted > 0 or not public


@pytest.mark.parametrize("name", flbook.__all__)
def test_everything_public_is_documented(name):
    thing = getattr(flbook, name)
    if not callable(thing):
        return
    assert inspect.getdoc(thing), name
    assert ">>>" in (inspect.getdoc(thing) or ""), f"{name} has no example"
    for member, value in vars(thing).items() if inspect.isclass(thing) else ():
        is_public = not member.startswith("_") and callable(getattr(thing, member))
        if is_public and inspect.isfunction(value):
            doc = inspect.getdoc(value) or ""
            assert ">>>" in doc, f"{name}.{member} has no example"
            assert "Returns" in doc, f"{name}.{member} does not say what it returns"
