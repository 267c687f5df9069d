"""``python -m experiments.NAME``: what it writes, and that a kill costs only what was under way."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

import flbook
from flbook.sweeps import Grid, load

POINT = '''"""A toy."""

import os
import time

import numpy as np

from flbook import sweeps


def point(scale, seed):
    with open(os.environ["RUN_LOG"], "a", encoding="utf-8") as log:
        log.write(f"{scale} {seed}\\n")
    time.sleep(float(os.environ.get("PAUSE", 0)))
    return {"value": scale * np.random.default_rng(seed).normal()}


GRID = sweeps.Grid(scale=[0.1, 1.0], seed=range(10))
QUICK = sweeps.Grid(scale=2.0, seed=range(2))

if __name__ == "__main__":
    sweeps.main(point, GRID, QUICK)
'''
HOUSE = Path(flbook.__file__).parent.parent


@pytest.fixture
def root(tmp_path):
    (tmp_path / "experiments").mkdir()
    (tmp_path / "experiments" / "__init__.py").touch()
    (tmp_path / "experiments" / "toy.py").write_text(POINT, encoding="utf-8")
    return tmp_path


def start(root, log, *arguments, pause=0.0):
    environment = {**os.environ, "RUN_LOG": str(root / log), "PAUSE": str(pause)}
    environment["PYTHONPATH"] = str(HOUSE)
    return subprocess.Popen(
        [sys.executable, "-m", "experiments.toy", *arguments],
        cwd=root,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def finish(process):
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    return out


def lines(path):
    return path.read_text(encoding="utf-8").splitlines()


@pytest.mark.skipif(os.name != "posix", reason="sends SIGKILL")
def test_after_a_kill_only_what_is_missing_is_run(root):
    kept = root / "_build" / "sweeps" / "toy"
    with start(root, "first.log", "--workers", "2", pause=0.2) as killed:
        while len(list(kept.glob("*.json"))) < 5:
            time.sleep(0.02)
            assert killed.poll() is None
        killed.kill()
        killed.wait(timeout=60)
        os.killpg(killed.pid, signal.SIGKILL)  # the workers would wait minutes for a next point
    done = len(list(kept.glob("*.json")))
    assert 5 <= done < 21
    assert not (root / "results").exists()

    finish(start(root, "second.log", "--workers", "2"))
    assert len(lines(root / "second.log")) == 21 - done  # 20 points and the sample
    result = load(root / "results" / "toy.json")
    assert [{"scale": row["scale"], "seed": row["seed"]} for row in result.rows] == list(
        Grid(scale=[0.1, 1.0], seed=range(10))
    )

    finish(start(root, "third.log"))
    assert not (root / "third.log").exists()
    assert load(root / "results" / "toy.json").rows == result.rows


def test_the_file_says_what_it_is_and_nothing_of_the_machine(root):
    printed = finish(start(root, "log", "--workers", "1"))
    assert "results/toy.json: 20 rows" in printed.replace(os.sep, "/")
    text = (root / "results" / "toy.json").read_text(encoding="utf-8")
    content = json.loads(text)
    assert content["function"] == "experiments.toy:point"
    assert content["configuration"] == [{"scale": [0.1, 1.0], "seed": list(range(10))}]
    assert content["seeds"] == list(range(10))
    assert {"python", "numpy", "flbook"} <= set(content["versions"])
    assert [row["seed"] for row in content["sample"]] == [0]
    for secret in (str(root), str(HOUSE), socket.gethostname(), str(Path.home()) + os.sep):
        assert secret not in text


def test_the_quick_version_leaves_the_results_alone(root):
    finish(start(root, "log", "--quick", "--workers", "1"))
    assert not (root / "results").exists()
    quick = load(root / "_build" / "results" / "toy.json")
    assert quick.column("scale").tolist() == [2.0, 2.0]
    assert len(lines(root / "log")) == 2  # the sample is one of them


def test_a_point_that_raises_is_told_and_nothing_is_saved(root):
    path = root / "experiments" / "toy.py"
    path.write_text(POINT.replace("    return", "    assert seed != 1, 'no luck'\n    return"))
    process = start(root, "log", "--workers", "1")
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "2 of 20 points failed" in err
    assert "{'scale': 0.1, 'seed': 1}: AssertionError: no luck" in err
    assert not (root / "results").exists()
