"""MNIST and CIFAR-10: from OpenML, or from a folder, decoded once and then kept."""

from __future__ import annotations

import hashlib
import importlib.util
import io
import os
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import sklearn.datasets
from numpy.typing import NDArray
from PIL import Image

__all__ = ["IMAGES", "Parts", "images"]

Parts = tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]
"""Training images and labels, test images and labels."""

KEYS = ("train_x", "train_y", "test_x", "test_y")


class Published(NamedTuple):
    """A set as it was published: on OpenML, the first `train` rows are those to train on."""

    openml: str
    shape: tuple[int, ...]
    train: int
    test: int
    classes: tuple[str, ...]
    sha256: str | None  # of the four parts as bytes, where we know it


CIFAR = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
IMAGES = {
    "mnist": Published(
        "mnist_784",
        (28, 28),
        60_000,
        10_000,
        tuple(str(digit) for digit in range(10)),
        "06b0d1f124c4e5fa796686ade41a9b778edacc8622f2195a352ef479ad44fc16",
    ),
    "cifar10": Published(
        "CIFAR_10",
        (32, 32, 3),
        50_000,
        10_000,
        CIFAR,
        None,
    ),
}


def images(name: str) -> tuple[Parts, str]:
    """Return a set in bytes, and where it comes from."""
    folder = os.environ.get("FLBOOK_DATA")
    if not folder:
        parts = _kept(f"{name}-openml-1", lambda: _from_openml(name))
        return parts, f"{IMAGES[name].openml}, version 1, of OpenML"
    whole, jpeg = Path(folder) / f"{name}.npz", Path(folder) / f"{name}_jpeg.npz"
    if whole.is_file():
        return _read(name, whole), f"{whole.name} of FLBOOK_DATA"
    if jpeg.is_file():
        digest = hashlib.sha256(jpeg.read_bytes()).hexdigest()
        parts = _kept(f"{name}-{digest[:32]}", lambda: _decode(name, jpeg))
        return parts, f"{jpeg.name} of FLBOOK_DATA, re-encoded as JPEG, which is lossy"
    raise FileNotFoundError(
        f"FLBOOK_DATA must name a folder that has {whole.name} or {jpeg.name}, got {folder}"
    )


def _checked(name: str, parts: Parts, where: object) -> Parts:
    """Return the parts, or raise ValueError where they are not images and labels of this set."""
    shape, classes = IMAGES[name].shape, len(IMAGES[name].classes)
    for inputs, labels in (parts[:2], parts[2:]):
        if inputs.dtype != np.uint8 or inputs.shape != (len(labels), *shape) or not len(labels):
            raise ValueError(
                f"{where} must have images {('n', *shape)} of uint8 and n labels, "
                f"got {inputs.shape} of {inputs.dtype} and {len(labels)}"
            )
        if labels.ndim != 1 or labels.dtype.kind not in "iu" or not np.all(labels < classes):
            raise ValueError(f"{where} must have labels from 0 to {classes - 1}, got {labels!r}")
    return parts[0], parts[1].astype(np.int64), parts[2], parts[3].astype(np.int64)


def _entries(path: Path, *keys: str) -> tuple[NDArray[Any], ...]:
    try:
        with np.load(path, allow_pickle=False) as file:
            return tuple(file[key] for key in keys)
    except (KeyError, ValueError, EOFError, zipfile.BadZipFile) as wrong:
        raise ValueError(f"{path} must have the arrays {', '.join(keys)}: {wrong}") from None


def _read(name: str, path: Path) -> Parts:
    train_x, train_y, test_x, test_y = _entries(path, *KEYS)
    return _checked(name, (train_x, train_y, test_x, test_y), path)


def _decode(name: str, path: Path) -> Parts:
    parts = []
    for part in ("train", "test"):
        files, ends, labels = _entries(path, f"{part}_jpeg", f"{part}_end", f"{part}_label")
        pixels = np.empty((len(ends), *IMAGES[name].shape), np.uint8)
        start = 0
        for place, end in enumerate(ends.tolist()):
            try:
                with Image.open(io.BytesIO(files[start:end].tobytes())) as picture:
                    pixels[place] = np.asarray(picture)
            except (OSError, ValueError) as wrong:
                raise ValueError(f"{path}: image {place} of {part}: {wrong}") from None
            start = end
        parts += [pixels, labels]
    return _checked(name, (parts[0], parts[1], parts[2], parts[3]), path)


def _from_openml(name: str) -> Parts:
    """Have scikit-learn fetch a set, which compares the download with OpenML's checksum."""
    about = IMAGES[name]
    # pandas reads the file in a fraction of the time and memory, and is not required
    parser = "pandas" if importlib.util.find_spec("pandas") else "liac-arff"
    try:
        bunch: Any = sklearn.datasets.fetch_openml(
            about.openml, version=1, as_frame=False, parser=parser
        )
    except OSError as wrong:
        raise ConnectionError(
            f"{name} is not on this machine: connect it to the network once, for scikit-learn to "
            f"fetch {about.openml} from OpenML, or let the environment variable FLBOOK_DATA name a "
            f"folder that has {name}.npz or {name}_jpeg.npz (the network said: {wrong})"
        ) from wrong
    size = about.train + about.test
    pixels = np.asarray(bunch.data).astype(np.uint8)
    labels = np.asarray(bunch.target).astype(np.int64)
    if pixels.shape != (size, int(np.prod(about.shape))):
        raise ValueError(f"OpenML must send {size} images of {about.openml}, got {pixels.shape}")
    if len(about.shape) == 3:  # CIFAR-10 was published colour by colour
        pixels = pixels.reshape(size, about.shape[2], *about.shape[:2]).transpose(0, 2, 3, 1)
    pixels = np.ascontiguousarray(pixels).reshape(size, *about.shape)
    train = about.train
    parts = pixels[:train], labels[:train], pixels[train:], labels[train:]
    found = digest(parts)
    if about.sha256 is not None and found != about.sha256:
        raise ValueError(f"{about.openml} of OpenML must have the sum {about.sha256}, got {found}")
    return _checked(name, parts, about.openml)


def digest(parts: Parts) -> str:
    """Return the SHA-256 of images and labels as bytes, part after part."""
    found = hashlib.sha256()
    for part in parts:
        found.update(np.ascontiguousarray(part, dtype=np.uint8).data)
    return found.hexdigest()


def _folder() -> Path:
    """Return where decoded sets are kept."""
    named = os.environ.get("FLBOOK_CACHE")
    if named:
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "flbook"


def _kept(key: str, make: Callable[[], Parts]) -> Parts:
    """Return what is kept under a key; where there is nothing whole, make it, and try to keep it.

    The archive has a checksum of every part, which reading compares.
    """
    path = _folder() / f"{key}.npz"
    try:
        train_x, train_y, test_x, test_y = _entries(path, *KEYS)
        return train_x, train_y, test_x, test_y
    except (OSError, ValueError):
        parts = make()
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as file:
            temporary = Path(file.name)
            np.savez(file, **dict(zip(KEYS, parts, strict=True)))
        temporary.replace(path)
    except OSError:  # no room, or not ours to write: it is decoded again next time
        if temporary is not None:
            temporary.unlink(missing_ok=True)
    return parts
