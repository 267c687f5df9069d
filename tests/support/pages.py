"""The pages of the book as a reader meets them: text, and what cells put into the text."""

import json
from pathlib import Path

CHAPTERS = Path(__file__).resolve().parents[2] / "chapters"
NOTEBOOKS = sorted(CHAPTERS.glob("[0-9][0-9]*_*.ipynb"))
PAGES = sorted([*CHAPTERS.glob("*.md"), *CHAPTERS.glob("*.ipynb")])


def cells(page: Path, kind: str) -> list[str]:
    """Return the sources of the cells of a kind."""
    found = json.loads(page.read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in found if cell["cell_type"] == kind]


def prose(page: Path) -> str:
    """Return the text of a page without its code."""
    if page.suffix == ".md":
        return page.read_text(encoding="utf-8")
    return "\n\n".join(cells(page, "markdown"))


def computed(page: Path) -> str:
    """Return what the cells of a chapter put into its text."""
    outputs = [
        output["data"].get("text/markdown", "")
        for cell in json.loads(page.read_text(encoding="utf-8"))["cells"]
        for output in cell.get("outputs", ())
        if "data" in output
    ]
    return "\n\n".join("".join(lines) for lines in outputs)
