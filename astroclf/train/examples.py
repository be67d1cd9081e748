# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Labelled examples for training, calibration and testing: pictures apart by object, and frames made of them."""

import csv
import hashlib
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from astroclf.exceptions import AstroclfError
from astroclf.preprocess import Preprocessor
from astroclf.render import Stretch
from astroclf.taxonomy import labels
from astroclf.train.forward import frame_in_colour, frame_of_picture, simulate_frame, tint

__all__ = [
    "SPLITS",
    "Picture",
    "check_pictures",
    "choose_example",
    "group_by_object",
    "make_examples",
    "open_picture",
    "read_manifest",
    "render",
    "split_of",
]

SPLITS = {"test": 0.25, "calibration": 0.4, "train": 1.0}
"""Upper ends of the shares of objects: a quarter tests, 15 % calibrate, the rest train."""

_PICTURE_SHARE = 0.6
_AS_IS_SHARE = 0.3
_FEWEST_OBJECTS = 5
_CHUNK = 64


@dataclass(frozen=True)
class Picture:
    """A labelled picture: where it is, what it shows, and which object of the sky that is."""

    path: Path
    label: str
    object_key: str
    redistributable: bool


def read_manifest(path):
    """
    Read the manifest of a collection of pictures.

    Parameters
    ----------
    path : path-like
        CSV file with the columns path (relative to the file), label, object_key and redistributable.

    Returns
    -------
    pictures : list of Picture
        In the order of the file.

    Raises
    ------
    AstroclfError
        If the file lacks a column or names an unknown label.
    """
    path = Path(path)
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    missing = {"path", "label", "object_key", "redistributable"} - set(rows[0] if rows else ())
    if missing:
        msg = f"{path}: the manifest lacks the columns {', '.join(sorted(missing))}"
        raise AstroclfError(msg)
    unknown = {row["label"] for row in rows} - set(labels())
    if unknown:
        msg = f"{path}: unknown labels {', '.join(sorted(unknown))}; known are {', '.join(labels())}"
        raise AstroclfError(msg)
    return [
        Picture(path.parent / row["path"], row["label"], row["object_key"], row["redistributable"] == "yes")
        for row in rows
    ]


def check_pictures(checksums, folder):
    """
    Check that a collection of pictures is the one that a model was made from.

    Parameters
    ----------
    checksums : path-like
        CSV file with the columns path (relative to the folder) and sha256, as ``docs/development/pictures.csv``.
    folder : path-like
        Where the pictures are.

    Returns
    -------
    count : int
        Number of pictures, all as they were.

    Raises
    ------
    AstroclfError
        If some are missing or differ.
    """
    with Path(checksums).open(newline="", encoding="utf-8") as file:
        wanted = {row["path"]: row["sha256"] for row in csv.DictReader(file)}
    found = {name: _sha256(Path(folder, name)) for name in wanted}
    missing = [name for name in wanted if found[name] is None]
    differ = [name for name in wanted if found[name] not in (None, wanted[name])]
    if missing or differ:
        first = ", ".join([*missing, *differ][:3])
        msg = (
            f"{folder}: of {len(wanted)} pictures {len(missing)} are missing and {len(differ)} differ, as {first}; "
            "models made of others are others"
        )
        raise AstroclfError(msg)
    return len(wanted)


def _sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None


def split_of(object_key):
    """
    Return which split an object belongs to, for ever and whatever else is in the collection.

    Parameters
    ----------
    object_key : str
        Key of an object of the sky; all its pictures share it.

    Returns
    -------
    split : {'train', 'calibration', 'test'}
        Chosen by the SHA-256 of the key.
    """
    share = int(hashlib.sha256(object_key.encode()).hexdigest()[:8], 16) / 16**8
    return next(name for name, end in SPLITS.items() if share < end)


def open_picture(path):
    """Return a picture as uint8 array (ny, nx, 3), row 0 at the bottom."""
    from PIL import Image

    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))[::-1]


def make_examples(count, pictures, preprocessor, *, seed, path, in_colour=False, workers=1):
    """
    Make rendered training frames, as many of each class, and store them in a file.

    Of the classes with at least five objects among the pictures, three frames of five are made from
    one of these, each object equally often; all others are drawn. Three in ten of those made from a picture
    are the picture itself, as it is read from a picture file. Of examples in colour all are, and those drawn are given
    colours.

    Parameters
    ----------
    count : int
        Number of examples.
    pictures : sequence of Picture
        Pictures that may be used; those of another split must not be among them.
    preprocessor : `~astroclf.Preprocessor`
        Renders the frames.
    seed : int
        Example ``i`` depends on ``(seed, i)`` only.
    path : path-like
        Where the pictures go: a ``.npy`` file of uint8, shape (count, size, size, 3).
    in_colour : bool, optional
        Whether they are pictures in colour, as `~astroclf.Preprocessor.in_colour` shows them, and not frames.
    workers : int, optional
        Number of processes.

    Returns
    -------
    truth : `~numpy.ndarray` of int, shape (count,)
        Index of each example's class in the taxonomy.
    sources : list of Picture or None
        What each example was made from; None where it was drawn.
    """
    images = np.lib.format.open_memmap(path, "w+", np.uint8, (count, preprocessor.size, preprocessor.size, 3))
    starts = range(0, count, _CHUNK)
    make = partial(_coloured if in_colour else _exposed, preprocessor=preprocessor)
    work = partial(_chunk, count=count, by_object=group_by_object(pictures), make=make, seed=seed)
    truth, sources = [], []
    with ProcessPoolExecutor(workers) as pool:
        for start, (rendered, classes, pictures_used) in zip(starts, pool.map(work, starts)):
            images[start : start + len(rendered)] = rendered
            truth += classes
            sources += pictures_used
    return np.array(truth), sources


def group_by_object(pictures):
    """
    Sort pictures by class and object.

    Parameters
    ----------
    pictures : sequence of Picture
        Pictures of one split.

    Returns
    -------
    by_object : dict
        ``{label: {object_key: [pictures]}}``, of the classes with at least five objects.
    """
    table = defaultdict(lambda: defaultdict(list))
    for picture in pictures:
        table[picture.label][picture.object_key].append(picture)
    return {label: dict(objects) for label, objects in table.items() if len(objects) >= _FEWEST_OBJECTS}


def _chunk(start, *, count, by_object, make, seed):
    examples = [_example(i, by_object, make, seed) for i in range(start, min(start + _CHUNK, count))]
    rendered, classes, sources = zip(*examples)
    return np.stack(rendered), list(classes), list(sources)


def _example(index, by_object, make, seed):
    rng = np.random.default_rng((seed, index))
    truth = index % len(labels())
    source = choose_example(labels()[truth], by_object, rng)
    return make(labels()[truth], source and open_picture(source.path), rng), truth, source


def _exposed(label, picture, rng, *, preprocessor):
    as_is = picture is not None and rng.random() < _AS_IS_SHARE
    return render(frame_of_picture(picture, rng) if as_is else simulate_frame(label, rng, picture), preprocessor)


def _coloured(label, picture, rng, *, preprocessor):
    if picture is None:
        scene = Preprocessor(stretch=Stretch.grey()).render(simulate_frame(label, rng))[..., 0]
        picture = tint(scene, rng)
    return _to_bytes(preprocessor.in_colour(frame_in_colour(picture, rng)))


def render(frame, preprocessor):
    """Return the picture that a `~astroclf.Preprocessor` makes of a frame, as uint8, shape (size, size, 3)."""
    return _to_bytes(preprocessor(frame))


def _to_bytes(rgb):
    return np.round(255 * rgb).astype(np.uint8)


def choose_example(label, by_object, rng):
    """
    Choose the picture that an example is made from.

    Parameters
    ----------
    label : str
        Class of the example.
    by_object : dict
        What `group_by_object` returns.
    rng : `~numpy.random.Generator`
        Chooses: three examples of five are made from a picture, if there are pictures of enough objects of the class;
        each object equally often.

    Returns
    -------
    picture : Picture or None
        The picture; None if the example is to be drawn.
    """
    if label not in by_object or rng.random() >= _PICTURE_SHARE:
        return None
    pictures = by_object[label][rng.choice(sorted(by_object[label]))]
    return pictures[rng.integers(len(pictures))]
