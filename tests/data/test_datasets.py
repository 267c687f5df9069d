"""Real data: what is always there, what a folder holds, and what is said where there is neither."""

from __future__ import annotations

import io
import urllib.error
from types import SimpleNamespace

import numpy as np
import pytest
import sklearn.datasets
from PIL import Image

from flbook import datasets
from flbook.datasets import images

SMALL = sorted(set(datasets.NAMES) - set(images.IMAGES))


@pytest.fixture(autouse=True)
def _folders(monkeypatch, tmp_path):
    monkeypatch.delenv("FLBOOK_DATA", raising=False)
    monkeypatch.setenv("FLBOOK_CACHE", str(tmp_path / "cache"))


def pixels(shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def labels(size):
    return (np.arange(size) % 10).astype(np.uint8)


def smooth(size):
    """Pictures that JPEG changes little."""
    ramp = np.linspace(0, 1, 32)
    corners = np.random.default_rng(1).uniform(0, 255, (size, 2, 2, 3))
    grid = np.einsum("ia,jb,nabc->nijc", *(np.stack([1 - ramp, ramp], 1),) * 2, corners)
    return grid.astype(np.uint8)


def write_mnist(folder, **changes):
    arrays = {
        "train_x": pixels((30, 28, 28)),
        "train_y": labels(30),
        "test_x": pixels((10, 28, 28), 1),
        "test_y": labels(10),
    } | changes
    np.savez(folder / "mnist.npz", **arrays)
    return arrays


def write_cifar(folder, train, test):
    arrays = {}
    for part, pictures in (("train", train), ("test", test)):
        files = []
        for picture in pictures:
            stream = io.BytesIO()
            Image.fromarray(picture).save(stream, "JPEG", quality=95)
            files.append(np.frombuffer(stream.getvalue(), np.uint8))
        arrays[f"{part}_jpeg"] = np.concatenate(files)
        arrays[f"{part}_end"] = np.cumsum([len(file) for file in files])
        arrays[f"{part}_label"] = labels(len(pictures))
    np.savez(folder / "cifar10_jpeg.npz", **arrays)


@pytest.fixture
def folder(monkeypatch, tmp_path):
    path = tmp_path / "data"
    path.mkdir()
    monkeypatch.setenv("FLBOOK_DATA", str(path))
    return path


@pytest.mark.parametrize("name", SMALL)
def test_small_sets_are_split_whole(name):
    data = datasets.load(name, prepare=None, dtype=np.float64)
    bunch = getattr(sklearn.datasets, f"load_{name}")()
    together = np.concatenate([data.x_train, data.x_test])
    assert len(together) == len(bunch.target)
    assert len(data.x_test) == len(bunch.target) // 5
    if name == "diabetes":
        bunch = sklearn.datasets.load_diabetes(scaled=False)
    targets = np.concatenate([data.y_train, data.y_test]).reshape(len(together), -1)
    found = np.hstack([together, targets])
    wanted = np.hstack([bunch.data, np.reshape(bunch.target, (len(together), -1))])
    order = [np.lexsort(table.T) for table in (found, wanted)]
    np.testing.assert_array_equal(found[order[0]], wanted[order[1]])
    assert data.name == name
    assert f"scikit-learn {sklearn.__version__}" in data.source


def test_the_seed_draws_and_fewer_are_the_first_of_more():
    whole, few = datasets.load("digits", seed=1), datasets.load("digits", seed=1, n_train=50)
    np.testing.assert_array_equal(few.y_train, whole.y_train[:50])
    np.testing.assert_array_equal(few.y_test, whole.y_test)
    assert not np.array_equal(datasets.load("digits", seed=2).y_train, whole.y_train)
    assert len(datasets.load("digits", n_test=7).x_test) == 7


@pytest.mark.parametrize("name", ["digits", "diabetes", "linnerud"])
def test_standardised_and_centred_by_the_training_examples(name):
    raw = datasets.load(name, prepare=None, dtype=float, n_train=12)
    for prepare in ("centre", "standardise"):
        data = datasets.load(name, prepare=prepare, dtype=float, n_train=12)
        axes = None if name == "digits" else 0
        shift, scale = raw.x_train.mean(axes), raw.x_train.std(axes)
        for part in ("x_train", "x_test"):
            wanted = getattr(raw, part) - shift
            if prepare == "standardise":
                wanted = wanted / np.where(scale > 0, scale, 1)
            np.testing.assert_allclose(getattr(data, part), wanted, atol=1e-12)
        if name != "digits":
            np.testing.assert_allclose(data.y_train.mean(0), 0, atol=1e-12)
        else:
            np.testing.assert_array_equal(data.y_train, raw.y_train)
        assert "mean" in data.source


def test_shapes_types_and_one_hot():
    flat, picture = (datasets.load("digits", flatten=flatten) for flatten in (True, False))
    assert picture.x_train.shape[1:] == (8, 8)
    np.testing.assert_array_equal(flat.x_train, picture.x_train.reshape(-1, 64))
    assert (flat.x_train.dtype, flat.y_train.dtype) == (np.float32, np.int64)
    hot = datasets.load("digits", one_hot=True, dtype=np.float64)
    assert hot.y_train.dtype == hot.x_train.dtype == np.float64
    np.testing.assert_array_equal(hot.y_train.argmax(1), flat.y_train)
    np.testing.assert_array_equal(hot.y_train.sum(1), 1)
    unit = datasets.load("digits", prepare="unit").x_train
    assert (unit.min(), unit.max()) == (0, 1)


def test_mnist_from_a_folder(folder):
    written = write_mnist(folder)
    data = datasets.load("mnist", prepare=None, flatten=False)
    order = (
        np.lexsort(data.x_train.reshape(30, -1).T),
        np.lexsort(written["train_x"].reshape(30, -1).T),
    )
    np.testing.assert_array_equal(data.x_train[order[0]], written["train_x"][order[1]])
    np.testing.assert_array_equal(data.y_train[order[0]], written["train_y"][order[1]])
    assert data.x_test.shape == (10, 28, 28)
    assert data.classes == tuple("0123456789")
    assert data.source == "mnist.npz of FLBOOK_DATA"


def test_cifar_from_a_folder_is_decoded_once_and_said_to_be_lossy(folder, monkeypatch):
    train, test = smooth(20), smooth(10)[::-1]
    write_cifar(folder, train, test)
    data = datasets.load("cifar10", prepare=None, flatten=False)
    assert "JPEG" in data.source
    assert "lossy" in data.source
    assert data.classes[0] == "airplane"
    assert data.classes[9] == "truck"
    distance = np.abs(data.x_train[:, None] - train[None].astype(float)).mean((2, 3, 4))
    assert sorted(distance.argmin(1)) == list(range(20))
    assert distance.min(1).max() < 5
    np.testing.assert_array_equal(data.y_train, distance.argmin(1) % 10)

    monkeypatch.setattr(Image, "open", lambda *_: pytest.fail("decoded again"))
    again = datasets.load("cifar10", prepare=None, flatten=False)
    np.testing.assert_array_equal(again.x_train, data.x_train)
    monkeypatch.undo()
    monkeypatch.setenv("FLBOOK_DATA", str(folder))


def test_other_files_are_not_taken_for_those_kept(folder, tmp_path):
    for pictures in (smooth(20), smooth(20)[::-1]):
        write_cifar(folder, pictures, smooth(10))
        data = datasets.load("cifar10", prepare=None, flatten=False, n_train=1)
        nearest = np.abs(data.x_train[0] - pictures.astype(float)).mean((1, 2, 3)).argmin()
        assert data.y_train[0] == nearest % 10
    (kept, other) = (tmp_path / "cache").glob("*.npz")
    for path in (kept, other):  # spoilt: decoded again
        path.write_bytes(path.read_bytes()[:-100])
    again = datasets.load("cifar10", prepare=None, flatten=False, n_train=1)
    np.testing.assert_array_equal(again.x_train, data.x_train)


def test_the_original_is_preferred_to_jpeg(folder):
    write_cifar(folder, smooth(20), smooth(10))
    original = smooth(20)
    np.savez(
        folder / "cifar10.npz",
        train_x=original,
        train_y=labels(20),
        test_x=original,
        test_y=labels(20),
    )
    assert datasets.load("cifar10").source.startswith("cifar10.npz of FLBOOK_DATA;")


def test_colours_are_standardised_one_by_one(folder):
    write_cifar(folder, smooth(20), smooth(10))
    data = datasets.load("cifar10", flatten=False, dtype=float)
    np.testing.assert_allclose(data.x_train.mean((0, 1, 2)), 0, atol=1e-12)
    np.testing.assert_allclose(data.x_train.std((0, 1, 2)), 1, atol=1e-12)


def test_a_folder_that_cannot_be_written_is_no_obstacle(folder, monkeypatch, tmp_path):
    write_cifar(folder, smooth(20), smooth(10))
    (tmp_path / "file").touch()
    monkeypatch.setenv("FLBOOK_CACHE", str(tmp_path / "file" / "below"))
    assert datasets.load("cifar10").x_train.shape == (20, 3072)


def fake(monkeypatch, answer):
    calls = []

    def fetch(name, **options):
        calls.append((name, options))
        return answer() if callable(answer) else answer

    monkeypatch.setattr(sklearn.datasets, "fetch_openml", fetch)
    return calls


@pytest.mark.parametrize(("name", "openml"), [("mnist", "mnist_784"), ("cifar10", "CIFAR_10")])
def test_without_a_network_both_ways_are_told(monkeypatch, name, openml):
    def refuse():
        raise urllib.error.URLError("no route to host")

    fake(monkeypatch, refuse)
    with pytest.raises(ConnectionError) as caught:
        datasets.load(name)
    words = str(caught.value)
    assert "\n" not in words
    for needed in ("network", "OpenML", openml, "FLBOOK_DATA", f"{name}.npz", "no route to host"):
        assert needed in words


def small(monkeypatch, name, parts):
    """Let a set be small, and return what OpenML would send of it."""
    about = images.IMAGES[name]._replace(
        train=len(parts[0]), test=len(parts[2]), sha256=images.digest(parts)
    )
    monkeypatch.setitem(images.IMAGES, name, about)
    together = np.concatenate([parts[0], parts[2]])
    if together.ndim == 4:
        together = together.transpose(0, 3, 1, 2)
    target = np.concatenate([parts[1], parts[3]]).astype(str).astype(object)
    return SimpleNamespace(data=together.reshape(len(together), -1).astype(float), target=target)


@pytest.mark.parametrize(("name", "shape"), [("mnist", (28, 28)), ("cifar10", (32, 32, 3))])
def test_openml_is_asked_once_and_kept(monkeypatch, name, shape):
    parts = pixels((30, *shape)), labels(30), pixels((10, *shape), 1), labels(10)
    calls = fake(monkeypatch, small(monkeypatch, name, parts))
    data = datasets.load(name, prepare=None, flatten=False)
    where = [np.flatnonzero((parts[0] == x).all((1, 2, 3)[: x.ndim])) for x in data.x_train]
    assert sorted(np.concatenate(where)) == list(range(30))
    np.testing.assert_array_equal(data.y_train, parts[1][np.concatenate(where)])
    assert data.y_test.shape == (10,)
    assert "OpenML" in data.source
    datasets.load(name)
    assert [(asked, options["version"]) for asked, options in calls] == [
        (images.IMAGES[name].openml, 1)
    ]


def test_another_checksum_is_refused_and_not_kept(monkeypatch, tmp_path):
    parts = pixels((30, 28, 28)), labels(30), pixels((10, 28, 28), 1), labels(10)
    sent = small(monkeypatch, "mnist", parts)
    sent.data[3, 100] = (sent.data[3, 100] + 1) % 256
    fake(monkeypatch, sent)
    with pytest.raises(ValueError, match="mnist_784 of OpenML must have the sum"):
        datasets.load("mnist")
    assert not list((tmp_path / "cache").glob("*"))


@pytest.mark.parametrize(
    "changes",
    [
        {"train_x": pixels((30, 28, 27))},
        {"train_x": pixels((30, 28, 28)).astype(float)},
        {"train_y": labels(29)},
        {"test_y": labels(10) + 5},
        {"test_y": labels(10).astype(float)},
    ],
)
def test_a_file_that_is_something_else_is_refused(folder, changes):
    write_mnist(folder, **changes)
    with pytest.raises(ValueError, match=r"mnist\.npz must have"):
        datasets.load("mnist")


def test_a_file_without_what_it_needs_is_refused(folder):
    with pytest.raises(FileNotFoundError, match=r"FLBOOK_DATA must name a folder that has mnist"):
        datasets.load("mnist")
    np.savez(folder / "mnist.npz", train_x=pixels((3, 28, 28)))
    with pytest.raises(ValueError, match="must have the arrays train_x, train_y"):
        datasets.load("mnist")
    (folder / "mnist.npz").write_bytes(b"no archive")
    with pytest.raises(ValueError, match="must have the arrays train_x, train_y"):
        datasets.load("mnist")


def test_a_picture_that_is_none_is_named(folder):
    write_cifar(folder, smooth(20), smooth(10))
    with np.load(folder / "cifar10_jpeg.npz") as file:
        arrays = dict(file)
    arrays["train_jpeg"][arrays["train_end"][1] :][:20] = 0
    np.savez(folder / "cifar10_jpeg.npz", **arrays)
    with pytest.raises(ValueError, match="image 2 of train"):
        datasets.load("cifar10")


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"name": "minst"}, ValueError, "name must be one of digits, .* got 'minst'"),
        ({"n_train": 0}, ValueError, "n_train must be"),
        ({"n_train": 1500}, ValueError, "n_train must be at most 1438 for digits, got 1500"),
        ({"n_test": 360}, ValueError, "n_test must be at most 359"),
        ({"seed": -1}, ValueError, "seed must be"),
        ({"prepare": "whiten"}, ValueError, "prepare must be one of"),
        ({"name": "wine", "prepare": "unit"}, ValueError, "prepare must be one of .* for wine"),
        ({"name": "diabetes", "one_hot": True}, ValueError, "one_hot must be False for diabetes"),
        ({"dtype": int}, ValueError, "dtype must be a floating one"),
    ],
)
def test_bad_arguments_are_named(arguments, error, words):
    with pytest.raises(error, match=words):
        datasets.load(**arguments)
