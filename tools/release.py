"""Check that a release may be made, and print what it says: ``python -m tools.release v1.2.3``.

The tag must name the version of the package and of the citation file, and the changelog must have a
section for it, which is printed.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SECTION = re.compile(r"^## \[(?P<name>[^\]]+)\].*$", re.MULTILINE)


def version(root: Path = ROOT) -> str:
    """Return the version that the package states."""
    face = (root / "flbook" / "__init__.py").read_text(encoding="utf-8")
    found = re.search(r'^__version__ = "(.+)"$', face, re.MULTILINE)
    assert found, "flbook/__init__.py states no __version__"
    return found[1]


def changes(name: str, root: Path = ROOT) -> str:
    """Return the section of the changelog with that name, without its heading.

    Raises
    ------
    ValueError
        If there is none, or it is empty.
    """
    text = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    headings = list(SECTION.finditer(text))
    for heading, following in zip(headings, [*headings[1:], None], strict=True):
        if heading["name"] == name:
            section = text[heading.end() : following.start() if following else len(text)].strip()
            if section:
                return section
            raise ValueError(f"CHANGELOG.md says nothing about {name}")
    raise ValueError(f"CHANGELOG.md has no section [{name}]")


def check(tag: str, root: Path = ROOT) -> str:
    """Return the changelog's section for the release `tag`.

    Raises
    ------
    ValueError
        If tag, package, citation file and changelog do not agree.
    """
    stated = version(root)
    if tag != f"v{stated}":
        raise ValueError(f"the tag must be v{stated}, the version of the package, got {tag}")
    citation = (root / "CITATION.cff").read_text(encoding="utf-8")
    if f"\nversion: {stated}\n" not in citation:
        raise ValueError(f"CITATION.cff must state version: {stated}")
    return changes(stated, root)


if __name__ == "__main__":
    try:
        print(check(*sys.argv[1:]))
    except ValueError as problem:
        raise SystemExit(str(problem)) from None
