"""One version, a changelog that has it, and workflows that call what there is."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

import flbook
from tools import release

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


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


def commands(node) -> list[str]:
    """Find every command that a workflow runs."""
    if isinstance(node, dict):
        own = [node["run"]] if isinstance(node.get("run"), str) else []
        return own + [text for value in node.values() for text in commands(value)]
    return [text for value in node for text in commands(value)] if isinstance(node, list) else []


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_makes_what_the_makefile_has(path):
    workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    called = re.findall(r"make (\S+)", " ".join(commands(workflow)))
    parts = workflow["jobs"].get("parts", {}).get("strategy", {}).get("matrix", {})
    wanted = {target for target in called if not target.startswith("${{")}
    wanted |= {entry["part"] for entry in parts.get("include", [])} | set(parts.get("part", []))
    assert wanted <= targets


def test_the_one_check_waits_for_every_job():
    jobs = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))["jobs"]
    others = set(jobs) - {"all"}
    assert set(jobs["all"]["needs"]) == others
    wanted = " ".join(["success"] * len(others))
    assert f'= "{wanted}"' in jobs["all"]["steps"][0]["run"]
    parts = set(jobs["parts"]["strategy"]["matrix"]["part"])
    everything = re.search(r"^test: (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    # `site` builds the book where there is none
    assert parts == set(everything[1].split()) - {"book"}
