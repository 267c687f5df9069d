"""How long a chapter takes to read, by one rule for all.

``python -m tools.reading_time`` prints the minutes of every chapter.
"""

import re
from pathlib import Path

import nbformat

from tools.notebooks import CHAPTERS

WORDS_A_MINUTE = 200
EQUATION, EXERCISE, EXPLORER = 0.5, 1, 2
"""Minutes for a displayed equation, for an exercise (to read, not to solve) and for an explorer."""

FOLDED = {"hide-cell", "hide-input", "remove-input"}
SOLUTION = re.compile(r"^:::\{dropdown\} Solution.*?^:::$", re.DOTALL | re.MULTILINE)
DISPLAY = re.compile(r"\$\$.+?\$\$", re.DOTALL)
INLINE = re.compile(r"\$[^$]+\$")
NUMBERED = re.compile(r"^\*\*\d+\. ", re.MULTILINE)
WORD = re.compile(r"\S*\w\S*")


def minutes(notebook) -> float:
    """Return the minutes for the words, equations, exercises and explorers of a chapter.

    A formula within a line is one word. What cells put into the text is text, and so is code that
    is not folded; a solution is neither.
    """
    pieces, explorers = [], 0
    for cell in notebook.cells:
        tags = set(cell.metadata.get("tags", ()))
        if cell.cell_type == "markdown" or not tags & FOLDED:
            pieces.append(SOLUTION.sub("", cell.source))
        if "hide-cell" not in tags:
            pieces += [
                output.data["text/markdown"]
                for output in cell.get("outputs", ())
                if "text/markdown" in output.get("data", {})
            ]
        explorers += cell.cell_type == "code" and cell.source.startswith("explorers.")
    text = "\n\n".join(pieces)
    words = len(WORD.findall(INLINE.sub(" formula ", DISPLAY.sub(" ", text))))
    return (
        words / WORDS_A_MINUTE
        + EQUATION * len(DISPLAY.findall(text))
        + EXERCISE * len(NUMBERED.findall(text))
        + EXPLORER * explorers
    )


def stated(path: Path) -> int:
    """Return the reading time that the chapter at `path` states: to the next 5 minutes."""
    return 5 * round(minutes(nbformat.read(path, as_version=4)) / 5)


def main() -> None:
    """Print the minutes of all chapters, and what each states."""
    for path in sorted(CHAPTERS.glob("[0-9]*.ipynb")):
        exact = minutes(nbformat.read(path, as_version=4))
        print(f"{path.stem:28} {exact:5.1f} {stated(path):4}")


if __name__ == "__main__":
    main()
