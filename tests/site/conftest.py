"""The fixtures with which the tests of the site open its pages."""

import pytest
from site_visit import address, browser, visit

__all__ = ["address", "browser", "visit"]


def pytest_collection_modifyitems(items):
    """Mark the tests of this folder: they need the built site and a browser."""
    for item in items:
        if item.path.parent.name == "site":
            item.add_marker(pytest.mark.site)
