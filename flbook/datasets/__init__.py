"""Real data: small sets that come with scikit-learn, and MNIST and CIFAR-10.

The small ones are always there. The large ones are fetched from OpenML by scikit-learn, which
checks and keeps what it downloads, or read from the folder that the environment variable
``FLBOOK_DATA`` names. What takes long to decode is kept in the folder ``FLBOOK_CACHE``, or in
``~/.cache/flbook`` where that is not set.
"""

from __future__ import annotations

try:
    import PIL  # noqa: F401
    import sklearn  # noqa: F401
except ModuleNotFoundError as missing:
    raise ModuleNotFoundError(
        f"flbook.datasets needs {missing.name}: pip install 'flbook[data]' brings it",
        name=missing.name,
    ) from missing

from flbook.datasets.loading import NAMES, Dataset, load

__all__ = ["NAMES", "Dataset", "load"]
