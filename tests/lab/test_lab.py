"""What Binder does, without Docker: an environment from requirements.txt, JupyterLab, a chapter."""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from browser import launched

ROOT = Path(__file__).resolve().parents[2]
CHAPTER = "01_two_ways_to_learn.ipynb"
ERROR = "[data-mime-type*='error'], [data-mime-type*='stderr']"
IDLE = ".jp-Notebook-ExecutionIndicator[data-status='idle']"
# JupyterLab takes cells that are out of sight off the page
TALL = {"width": 1400, "height": 12_000}
READY = "[data-flbook-explorer][data-ready='true']"


def _clean_environment(binaries: Path) -> dict[str, str]:
    kept = {
        k: v
        for k, v in os.environ.items()
        if not k.startswith(("JUPYTER", "VIRTUAL_ENV", "PYTHON"))
    }
    return {**kept, "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}"}


@pytest.fixture(scope="session")
def environment(tmp_path_factory):
    """Make a fresh environment from requirements.txt in a copy of the repository."""
    home = tmp_path_factory.mktemp("binder")
    repository = home / "repository"
    tracked = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\0")
    for name in filter(None, tracked):
        if (ROOT / name).is_file():
            (repository / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, repository / name)
    subprocess.run([sys.executable, "-m", "venv", home / "venv"], check=True)
    binaries = home / "venv" / "bin"
    subprocess.run(
        [
            binaries / "python",
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "-r",
            "requirements.txt",
        ],
        cwd=repository,
        env=_clean_environment(binaries),
        check=True,
    )
    return repository, binaries


@pytest.fixture(scope="session")
def lab(environment):
    """Start JupyterLab in the fresh environment and give its address."""
    repository, binaries = environment
    options = [
        "--no-browser",
        "--allow-root",
        "--IdentityProvider.token=",
        "--ServerApp.port=0",
        "--ServerApp.ip=127.0.0.1",
    ]
    with (repository.parent / "lab.log").open("w+") as log:
        server = subprocess.Popen(
            [binaries / "jupyter", "lab", *options],
            cwd=repository,
            env=_clean_environment(binaries),
            stdout=log,
            stderr=log,
        )
        address = None
        for _ in range(120):
            time.sleep(0.5)
            found = re.search(r"http://127\.0\.0\.1:\d+/", Path(log.name).read_text())
            if found:
                address = found.group()
                break
        assert address, Path(log.name).read_text()
        yield address
        server.terminate()
        server.wait(20)


def test_a_chapter_runs_in_jupyterlab_and_its_explorer_follows_the_slider(lab):
    with launched() as browser:
        page = browser.new_page(viewport=TALL)
        page.goto(f"{lab}lab/tree/chapters/{CHAPTER}?reset")
        page.wait_for_selector(IDLE, timeout=120_000)
        page.wait_for_timeout(5_000)
        assert page.locator(".jp-Dialog").all_inner_texts() == []
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_text("Run All Cells", exact=True).click()
        page.wait_for_selector(f"{READY}, {ERROR}", timeout=240_000)
        assert page.locator(ERROR).all_inner_texts() == []
        explorer = page.locator(READY).first
        handle = page.locator(".flbook-explorer [role=slider]").first
        before = explorer.get_attribute("data-parameters")
        handle.focus()
        handle.press("ArrowRight")
        page.wait_for_function(
            "([e, old]) => e.dataset.parameters !== old", arg=[explorer.element_handle(), before]
        )
        page.wait_for_selector(IDLE, timeout=240_000)
        assert page.locator(ERROR).all_inner_texts() == []
