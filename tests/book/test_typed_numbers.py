"""No decimal is typed into the text: a cell computes it, or it is an input that a cell sets."""

import ast
import re
from collections.abc import Iterator

import pytest
from pages import NOTEBOOKS, cells, prose

DECIMAL = re.compile(r"(?<![\w.])\d+\.\d+(?![\w.]*\d)")
NOT_PROSE = re.compile(r"```.*?```|`[^`]*`|\]\([^)]*\)", re.DOTALL)
DRAWING = {"ax", "fig", "figures", "plt"}
"""What sets the places of labels and the sizes of marks, and no input of the mathematics."""


def called(node: ast.Call) -> str:
    """Return the name that a call begins with: `figures` for ``figures.curve(...)``."""
    function = node.func
    while isinstance(function, ast.Attribute):
        function = function.value
    return function.id if isinstance(function, ast.Name) else ""


def inputs(node: ast.AST) -> Iterator[float]:
    """Give the numbers that code sets, without those that only place what is drawn."""
    if isinstance(node, ast.Call) and called(node) in DRAWING:
        return
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        yield float(node.value)
    for child in ast.iter_child_nodes(node):
        yield from inputs(child)


def written(node: ast.AST) -> Iterator[str]:
    """Give the words that code puts into the text, without the numbers it computes for it."""
    for call in ast.walk(node):
        if isinstance(call, ast.Call) and called(call) == "Markdown":
            formats = [x.format_spec for x in ast.walk(call) if isinstance(x, ast.FormattedValue)]
            skip = {id(part) for spec in formats if spec for part in ast.walk(spec)}
            for part in ast.walk(call):
                words = isinstance(part, ast.Constant) and isinstance(part.value, str)
                if words and id(part) not in skip:
                    yield part.value


def typed(text: str, code: list[str]) -> list[str]:
    """Return the decimals of a text that no code sets, neither as they are nor as a change of 1."""
    trees = [ast.parse(re.sub(r"^(\s*)%.*$", r"\1pass", cell, flags=re.M)) for cell in code]
    known = {number for tree in trees for number in inputs(tree)}
    text = "\n".join([NOT_PROSE.sub(" ", text), *(s for tree in trees for s in written(tree))])
    return [
        number
        for number in DECIMAL.findall(text)
        if float(number) not in known and round(abs(float(number) - 1), 12) not in known
    ]


@pytest.mark.parametrize("page", NOTEBOOKS, ids=lambda page: page.stem)
def test_no_decimal_of_a_chapter_is_typed(page):
    assert typed(prose(page), cells(page, "code")) == []


@pytest.mark.parametrize(
    ("text", "code", "found"),
    [
        ("the factor is 2.24", "x = 1", ["2.24"]),
        (r"at $\sigma=0.045$", "sigmas = [0.2, 0.045]", []),
        ("by 1 %, to 1.01 of it", "tolerance = 0.01", []),
        ("it starts at 2.5", "figures.curve(ax, t, v, at=2.5)", ["2.5"]),
        ("10 000 of `x = 0.3`, [here](a_1.2)", "", []),
        ("", 'Markdown(f"it is {x:.2f}, not 0.99")', ["0.99"]),
    ],
)
def test_typed_numbers_are_found(text, code, found):
    assert typed(text, [code]) == found
