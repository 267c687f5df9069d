"""One version, and a changelog that has it."""

import json
import tomllib
from pathlib import Path

import pytest
import yaml

import flbook
from tools import release

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def house(tmp_path):
    """Make a small repository that is ready to be released."""
    (tmp_path / "flbook").mkdir()
    (tmp_path / "flbook" / "__init__.py").write_text('__version__ = "1.2.3"\n')
    (tmp_path / "CITATION.cff").write_text("title: x\nversion: 1.2.3\nlicense: y\n")
    changes = "# Changelog\n\n## [Unreleased]\n\n- soon\n\n## [1.2.3] - 2030-01-01\n\n- a word\n"
    (tmp_path / "CHANGELOG.md").write_text(changes + "\n## [1.2.2]\n\n## [1.2.1]\n\n- old\n")
    return tmp_path


def test_the_version_is_stated_once():
    assert release.version() == flbook.__version__
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == flbook.__version__
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert "version" not in project
    assert project["dynamic"] == ["version"]


@pytest.mark.parametrize("name", ["package.json", "package-lock.json"])
def test_the_front_end_has_the_version_of_the_package(name):
    file = json.loads((ROOT / "frontend" / name).read_text(encoding="utf-8"))
    assert file["version"] == flbook.__version__


def test_the_package_is_typed():
    assert (Path(flbook.__file__).parent / "py.typed").is_file()


def test_the_changelog_has_a_place_for_what_comes_next():
    assert release.changes("Unreleased")


def test_a_release_says_its_section_of_the_changelog(house):
    assert release.check("v1.2.3", house) == "- a word"


@pytest.mark.parametrize(
    ("tag", "file", "text", "message"),
    [
        ("v1.2.4", None, "", "the tag must be v1.2.3"),
        ("v1.2.3", "CITATION.cff", "\nversion: 1.2.2\n", "CITATION.cff must state version: 1.2.3"),
        ("v1.2.3", "CHANGELOG.md", "## [1.2.2]\n\n- x\n", r"no section \[1.2.3\]"),
        ("v1.2.3", "CHANGELOG.md", "## [1.2.3]\n\n## [1.2.2]\n\n- x\n", "says nothing about 1.2.3"),
    ],
)
def test_a_release_that_does_not_agree_is_refused(house, tag, file, text, message):
    if file:
        (house / file).write_text(text)
    with pytest.raises(ValueError, match=message):
        release.check(tag, house)
