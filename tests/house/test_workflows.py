"""What runs elsewhere: workflows, Dependabot, forms, and the commands that the guides promise."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
GITHUB = ROOT / ".github"
RULE = re.compile(r"^([\w -]+):(?!=)(.*)$", re.M)
RULES = {
    target: needs.split()
    for targets, needs in RULE.findall((ROOT / "Makefile").read_text(encoding="utf-8"))
    for target in targets.split()
}
COMMAND = re.compile(r"^make ((?:[a-z][\w-]*(?: |$))+)", re.M)


def load(path: Path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))


WORKFLOWS = {path.stem: load(path) for path in sorted(GITHUB.glob("workflows/*.yml"))}
FORMS = {
    path.stem: load(path)
    for path in sorted(GITHUB.glob("ISSUE_TEMPLATE/*.yml"))
    if path.stem != "config"
}


def targets(text: str) -> set[str]:
    """Return the targets of every ``make`` in a text."""
    return {word for words in COMMAND.findall(text) for word in words.split()}


def commands(job: dict) -> list[str]:
    """Return what a job runs, once for every value that its matrix gives a name."""
    matrix = job.get("strategy", {}).get("matrix", {})
    runs = [step["run"] for step in job["steps"] if "run" in step]
    for name in {key for row in [matrix, *matrix.get("include", [])] for key in row} - {"include"}:
        values = [
            *matrix.get(name, []),
            *(row[name] for row in matrix.get("include", []) if name in row),
        ]
        pattern = re.compile(r"\$\{\{ *matrix\." + name + r" *\}\}")
        runs = sorted(
            {pattern.sub(str(value), run) for run, value in itertools.product(runs, values)}
        )
    return runs


def made(workflow: dict) -> set[str]:
    """Return the targets that a workflow makes."""
    runs = [run for job in workflow["jobs"].values() for run in commands(job)]
    return targets("\n".join(runs))


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_workflow_makes_only_what_the_makefile_knows(name):
    assert made(WORKFLOWS[name]) <= set(RULES)


def test_every_part_of_make_test_is_a_part_of_ci():
    assert set(RULES["test"]) | {"core", "torch"} <= made(WORKFLOWS["ci"])


def test_the_script_of_ci_makes_what_needs_pytorch_too():
    assert {"test", "torch"} <= targets((ROOT / ".ci" / "run").read_text(encoding="utf-8"))


def test_the_environment_of_pytorch_has_the_versions_of_the_others():
    pins = {
        name: (ROOT / f"requirements-{name}.txt").read_text(encoding="utf-8").splitlines()
        for name in ("torch", "dev")
    }
    common = {line.split(" ;")[0] for line in pins["dev"]}
    assert [line for line in pins["torch"] if line not in common] == ["torch==2.13.0"]


def test_one_check_waits_for_all_jobs_and_fails_with_any():
    jobs = WORKFLOWS["ci"]["jobs"]
    (verdict,) = (name for name, job in jobs.items() if "needs" in job)
    assert set(jobs[verdict]["needs"]) == set(jobs) - {verdict}
    assert jobs[verdict]["if"] == "always()"
    (step,) = jobs[verdict]["steps"]
    assert set(re.findall(r"'(\w+)'", step["if"])) == {"failure", "cancelled"}
    assert step["run"] == "exit 1"


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_workflow_may_write_only_where_a_job_says_so(name):
    workflow = WORKFLOWS[name]
    assert workflow["permissions"]["contents"] == "read"
    for job in workflow["jobs"].values():
        assert job["runs-on"]
        for step in job["steps"]:
            assert re.search(r"@(release/)?v\d+$", step.get("uses", "@v1")), step


def test_dependabot_looks_where_the_requirements_are():
    files = {"pip": "requirements.txt", "npm": "package-lock.json", "github-actions": ".github"}
    updates = load(GITHUB / "dependabot.yml")["updates"]
    assert {update["package-ecosystem"] for update in updates} == set(files)
    for update in updates:
        folder = ROOT / update["directory"].strip("/")
        assert (folder / files[update["package-ecosystem"]]).exists()


@pytest.mark.parametrize("name", FORMS)
def test_a_form_asks_for_something_and_names_every_field(name):
    form = FORMS[name]
    assert form["name"]
    assert form["description"]
    identifiers = [field["id"] for field in form["body"]]
    assert len(set(identifiers)) == len(identifiers)
    assert all(field["attributes"]["label"] for field in form["body"])
    assert any(field.get("validations", {}).get("required") for field in form["body"])


@pytest.mark.parametrize(
    "path",
    [*ROOT.glob("*.md"), *ROOT.glob("chapters/*.md"), *GITHUB.rglob("*.md")],
    ids=lambda path: path.name,
)
def test_a_guide_names_only_commands_and_files_that_exist(path):
    text = path.read_text(encoding="utf-8")
    code = "\n".join(itertools.chain(*re.findall(r"`([^`\n]+)`|```\n(.*?)```", text, re.S)))
    assert targets(code) <= set(RULES)
    if path.parent == ROOT:
        links = re.findall(r"\]\((?!https?:)([^)#]+)", text)
        assert [link for link in links if not (ROOT / link).exists()] == []
