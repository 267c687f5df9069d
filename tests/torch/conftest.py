"""These tests need PyTorch: `make torch` runs them, where it is, and fails if it finds none."""

from importlib.util import find_spec

collect_ignore_glob = [] if find_spec("torch") else ["test_*.py"]
