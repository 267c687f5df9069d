"""The back matter: what is cited is in the bibliography, and names are those of the package."""

import re

import pytest
from pages import CHAPTERS, PAGES, prose

import flbook as fl


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
