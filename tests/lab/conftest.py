import pytest


def pytest_collection_modifyitems(items):
    """Mark the tests of this folder: they install a fresh environment and start JupyterLab."""
    for item in items:
        if item.path.parent.name == "lab":
            item.add_marker(pytest.mark.lab)
