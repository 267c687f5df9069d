"""These tests need PyTorch: `make torch` runs them, where it is, and fails if it finds none."""

from importlib.util import find_spec

if find_spec("torch"):
    import torch

    torch.set_num_threads(1)  # the models are small
else:
    collect_ignore_glob = ["test_*.py"]
