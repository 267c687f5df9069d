"""The back matter: what is cited is in the bibliography, and names are those of the package."""

import json
import re
from pathlib import Path

import pytest

import flbook as fl

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = ROOT / "chapters"
PAGES = sorted([*CHAPTERS.glob("*.md"), *CHAPTERS.glob("*.ipynb")])


def prose(page: Path) -> str:
    """Return the text of a page without its code."""
    text = page.read_text(encoding="utf-8")
    if page.suffix == ".md":
        return text
    cells = json.loads(text)["cells"]
    return "\n\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")


def cited() -> set[str]:
    found = [re.findall(r"\{cite(?::\w+)?\}`([^`]+)`", prose(page)) for page in PAGES]
    return {key.strip() for keys in found for group in keys for key in group.split(",")}


def entries() -> list[str]:
    text = (CHAPTERS / "references.bib").read_text(encoding="utf-8")
    return re.findall(r"^@\w+\{([^,]+),", text, re.MULTILINE)


def test_the_bibliography_is_what_is_cited_and_nothing_else():
    known = entries()
    assert len(known) == len(set(known))
    assert set(known) == cited()


def test_links_between_pages_lead_somewhere():
    for page in PAGES:
        for target in re.findall(r"\]\(([\w./-]+)(?:#[\w-]+)?\)", prose(page)):
            path = CHAPTERS / target
            there = path.exists() or any(path.with_suffix(s).exists() for s in (".md", ".ipynb"))
            assert there, f"{page.name} links to {target}"


NAMED = re.findall(r"`(?:fl\.)?(\w+)\.(\w+)", prose(CHAPTERS / "notation.md"))


@pytest.mark.parametrize("name", NAMED, ids=".".join)
def test_the_notation_names_what_the_package_has(name):
    owner, attribute = name
    if hasattr(fl, owner):
        thing = getattr(fl, owner)
        fields = getattr(thing, "__dataclass_fields__", {})
        assert hasattr(thing, attribute) or attribute in fields, f"{owner}.{attribute}"
