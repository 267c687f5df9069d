"""The files of ``flbook/shared``, which the browser reads too: one source for words and numbers."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import Any

__all__ = ["shared"]


@cache
def shared(name: str) -> dict[str, Any]:
    """Return the content of ``flbook/shared/NAME.json``.

    Examples
    --------
    >>> shared("terms")["speeds"]["at"]
    'learning'
    """
    file = resources.files("flbook") / "shared" / f"{name}.json"
    return json.loads(file.read_text(encoding="utf-8"))
