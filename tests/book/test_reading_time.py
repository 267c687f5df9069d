"""The reading times: one rule, which the pages describe, and what the welcome page says of them."""

import re
from statistics import median

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from pages import CHAPTERS, NOTEBOOKS, prose

from tools import reading_time

SOLVED = "**1. Why?** Because.\n\n:::{dropdown} Solution\nmany words\n$$\na\n$$\n:::\n"
TOLD = new_output("execute_result", {"text/markdown": "so it is", "text/plain": "nothing"})


@pytest.mark.parametrize(
    ("cell", "words", "rest"),
    [
        (new_markdown_cell("## One word more\n\n| a | $b + c$ |\n|---|---|"), 5, 0),
        (new_markdown_cell("so\n\n$$\na = b\n$$ (label)\n"), 2, 0.5),
        (new_markdown_cell(SOLVED), 3, 1),
        (new_code_cell("x = y + 1"), 3, 0),
        (new_code_cell("x = y", metadata={"tags": ["hide-input"]}), 0, 0),
        (new_code_cell("x", metadata={"tags": ["remove-input"]}, outputs=[TOLD]), 3, 0),
        (new_code_cell("x", metadata={"tags": ["hide-cell"]}, outputs=[TOLD]), 0, 0),
        (new_code_cell("explorers.some()", metadata={"tags": ["remove-input"]}), 0, 2),
    ],
)
def test_words_equations_exercises_and_explorers_are_counted(cell, words, rest):
    took = reading_time.minutes(new_notebook(cells=[cell]))
    assert took == pytest.approx(words / 200 + rest)


def test_the_welcome_page_says_how_long_most_chapters_take():
    times = [reading_time.stated(path) for path in NOTEBOOKS]
    assert re.search(r"most of them about half an\s+hour", prose(CHAPTERS / "welcome.md"))
    assert sum(25 <= time <= 35 for time in times) > len(times) / 2
    assert 25 <= median(times) <= 35
