"""The back matter: what is cited is in the bibliography, and one symbol has one row."""

import json
import re
from pathlib import Path

import pytest

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


def symbols() -> list[str]:
    rows = re.findall(r"^\| (\$.+?) \|", prose(CHAPTERS / "notation.md"), re.MULTILINE)
    return [part.strip() for row in rows for part in re.split(r"[,;]", row.replace("$", " "))]


def test_one_symbol_has_one_row():
    found = symbols()
    assert len(found) > 40
    assert sorted(found) == sorted(set(found))


@pytest.mark.parametrize(
    "name", re.findall(r"`(?:fl\.)?(\w+)\.(\w+)", prose(CHAPTERS / "notation.md"))
)
def test_the_notation_names_what_the_package_has(name):
    import flbook as fl

    owner, attribute = name
    if hasattr(fl, owner):
        thing = getattr(fl, owner)
        fields = getattr(thing, "__dataclass_fields__", {})
        assert hasattr(thing, attribute) or attribute in fields, f"{owner}.{attribute}"
