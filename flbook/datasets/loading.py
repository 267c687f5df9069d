"""One way to ask for any of the sets, and to have it prepared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import sklearn.datasets
from numpy.typing import DTypeLike, NDArray

from flbook._support import checks
from flbook.datasets.images import IMAGES, Parts, images

__all__ = ["NAMES", "Dataset", "load"]

SMALL: dict[str, Callable[..., Any]] = {
    "digits": sklearn.datasets.load_digits,
    "wine": sklearn.datasets.load_wine,
    "breast_cancer": sklearn.datasets.load_breast_cancer,
    "diabetes": sklearn.datasets.load_diabetes,
    "linnerud": sklearn.datasets.load_linnerud,
}
REGRESSION = ("diabetes", "linnerud")
LARGEST_PIXEL = {"digits": 16, "mnist": 255, "cifar10": 255}
NAMES = (*SMALL, *IMAGES)
PREPARATIONS = (None, "unit", "centre", "standardise")


@dataclass(frozen=True, eq=False)
class Dataset:
    """Examples to train on and to test with.

    Attributes
    ----------
    x_train, x_test : array, shape (n, features), or (n, height, width[, 3])
        The inputs.
    y_train, y_test : array, shape (n,), or (n, outputs)
        Classes as whole numbers; or one-hot, or what is to be predicted.
    classes : tuple of str
        Their names; empty for regression.
    name : str
        One of `NAMES`.
    source : str
        Where the data come from, and what has been done to them.
    """

    x_train: NDArray[Any]
    y_train: NDArray[Any]
    x_test: NDArray[Any]
    y_test: NDArray[Any]
    classes: tuple[str, ...]
    name: str
    source: str

    def __repr__(self) -> str:
        return (
            f"<Dataset {self.name}: {len(self.x_train)} to train on, {len(self.x_test)} to test "
            f"with, each {self.x_train.shape[1:]}; {self.source}>"
        )


def load(
    name: str = "digits",
    *,
    n_train: int | None = None,
    n_test: int | None = None,
    seed: int = 0,
    flatten: bool = True,
    prepare: str | None = "standardise",
    one_hot: bool = False,
    dtype: DTypeLike = np.float32,
) -> Dataset:
    """Return a set of real data, ready to train on.

    Parameters
    ----------
    name : str, default "digits"
        "digits", "wine", "breast_cancer" (classes), "diabetes", "linnerud" (regression), all of
        which come with scikit-learn; "mnist" or "cifar10".
    n_train, n_test : int, optional
        How many examples, drawn by `seed`; all where it is not given. Fewer are the first of more.
    seed : int, default 0
        Of the order of the examples. MNIST and CIFAR-10 have test examples of their own; of the
        small sets, `seed` puts a fifth aside for the test.
    flatten : bool, default True
        Make every image a vector.
    prepare : {"standardise", "centre", "unit", None}
        "centre" subtracts the mean, "standardise" also divides by the standard deviation, both of
        the training examples returned: of every feature of a table, and of all pixels of a colour
        of images; what does not vary is divided by 1. The targets of a regression are treated as
        the features are. "unit" brings pixels to 0 … 1. With None, numbers are as published.
    one_hot : bool, default False
        Give a class as a vector of zeros and a one.
    dtype : data type, default float32
        Of the inputs, and of the targets where they are not whole numbers.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described, or a file is not what it should be.
    ConnectionError
        If MNIST or CIFAR-10 is neither in a folder nor to be had from the network.
    FileNotFoundError
        If the folder that ``FLBOOK_DATA`` names does not have it.

    Examples
    --------
    >>> digits = load("digits", n_train=1000)
    >>> digits.x_train.shape, digits.x_test.shape, digits.classes[:3]
    ((1000, 64), (359, 64), ('0', '1', '2'))
    >>> load("diabetes", n_train=100, n_test=10).y_train.shape
    (100, 1)
    """
    if name not in NAMES:
        raise ValueError(f"name must be one of {', '.join(NAMES)}, got {name!r}")
    if prepare not in PREPARATIONS or (prepare == "unit" and name not in LARGEST_PIXEL):
        legal = [p for p in PREPARATIONS if p != "unit" or name in LARGEST_PIXEL]
        raise ValueError(f"prepare must be one of {legal} for {name}, got {prepare!r}")
    if one_hot and name in REGRESSION:
        raise ValueError(f"one_hot must be False for {name}, which has no classes, got {one_hot!r}")
    kind = np.dtype(dtype)
    if kind.kind != "f":
        raise ValueError(f"dtype must be a floating one, got {dtype!r}")
    checks.one_whole("seed", seed, at_least=0)

    if name in SMALL:
        parts, classes, source = _small(name, seed)
    else:
        parts, source = images(name)
        classes = IMAGES[name].classes
    x, y = [], []
    for place, (part, wanted) in enumerate((("n_train", n_train), ("n_test", n_test))):
        inputs, targets = parts[2 * place : 2 * place + 2]
        chosen = _order(len(inputs), (seed, place))
        if wanted is not None:
            if checks.one_whole(part, wanted) > len(inputs):
                raise ValueError(f"{part} must be at most {len(inputs)} for {name}, got {wanted}")
            chosen = chosen[: int(wanted)]
        x.append(inputs[chosen])
        y.append(targets[chosen])
    x, said = _prepared(x, prepare, LARGEST_PIXEL.get(name), kind)
    if name in REGRESSION:
        y, _ = _prepared(y, prepare, None, kind)
    elif one_hot:
        y = [np.eye(len(classes), dtype=kind)[labels] for labels in y]
    if flatten:
        x = [inputs.reshape(len(inputs), -1) for inputs in x]
    return Dataset(x[0], y[0], x[1], y[1], classes, name, source + said)


def _order(size: int, seed: tuple[int, int]) -> NDArray[np.int64]:
    return np.random.default_rng(seed).permutation(size)


def _prepared(
    parts: list[NDArray[Any]], prepare: str | None, largest: int | None, dtype: np.dtype
) -> tuple[list[NDArray[Any]], str]:
    """Return the parts as floats, prepared as `load` says, and words for what was done."""
    shift, scale, said = np.zeros(()), np.ones(()), ""
    if prepare == "unit":
        scale, said = np.asarray(largest), "; pixels from 0 to 1"
    elif prepare is not None:
        train = parts[0]
        axes = (0,) if largest is None else tuple(range(min(train.ndim, 3)))
        shift = np.asarray(train.mean(axis=axes, dtype=np.float64))
        of = (
            "each column" if largest is None else "each colour" if train.ndim == 4 else "all pixels"
        )
        said = f"; the training mean of {of} is 0"
        if prepare == "standardise":
            spread = train.std(axis=axes, dtype=np.float64)
            scale = np.where(spread > 0, spread, 1.0)
            said += ", the variance 1"
    prepared = []
    for part in parts:
        floats = part.astype(np.promote_types(dtype, np.float32))
        floats -= shift.astype(floats.dtype)
        floats /= scale.astype(floats.dtype)
        prepared.append(floats.astype(dtype, copy=False))
    return prepared, said


def _small(name: str, seed: int) -> tuple[Parts, tuple[str, ...], str]:
    bunch = SMALL[name](**({"scaled": False} if name == "diabetes" else {}))
    inputs = bunch.images if name == "digits" else bunch.data
    targets = np.asarray(bunch.target)
    classes: tuple[str, ...] = ()
    if name in REGRESSION:
        targets = targets.reshape(len(targets), -1)
    else:
        targets = targets.astype(np.int64)
        classes = tuple(str(label) for label in bunch.target_names)
    order = _order(len(inputs), (seed, 2))
    test, train = np.split(order, [len(order) // 5])
    parts = inputs[train], targets[train], inputs[test], targets[test]
    return parts, classes, f"{name} of scikit-learn {sklearn.__version__}"
