# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""The record that travels with a model file: what it is, what it wants, and how far to trust it."""

import json
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

from astroclf.exceptions import ModelError
from astroclf.model.files import read_checked
from astroclf.model.head import HeadFile
from astroclf.model.novelty import NoveltyFile
from astroclf.preprocess import Preprocessor

__all__ = ["BUNDLED", "Calibration", "ModelRecord", "load_record"]

BUNDLED = "resnet50-astro-4"
"""Name of the model that comes with astroclf."""

_SCHEMA = 1
_TEXTS = ("name", "file", "sha256", "taxonomy", "licence", "credits", "made_by")


@dataclass(frozen=True)
class Calibration:
    """
    How the network's outputs become probabilities, and when these are enough.

    Parameters
    ----------
    temperature : float
        Divisor of the logits (Guo et al. 2017), fitted on objects the network never saw.
    sure_class, sure_group : float
        Least probability for the statuses ``OK`` and ``GROUP``, in [0, 1].
    conformal : float
        Least probability of a label in the conformal set, in [0, 1].
    coverage : float
        Nominal coverage of that set, in (0, 1).
    worst_quality : float
        Fraction of unusable pixels above which the status is ``LOWQUAL``, in [0, 1].
    """

    temperature: float
    sure_class: float
    sure_group: float
    conformal: float
    coverage: float
    worst_quality: float


@dataclass(frozen=True)
class ModelRecord:
    """
    A model file and what belongs to it.

    Parameters
    ----------
    name : str
        Name and version, as written to ``CLFMODEL``.
    path : `~pathlib.Path`
        The ONNX file.
    sha256 : str
        SHA-256 of the file, 64 hexadecimal digits.
    labels : tuple of str
        Classes, in the order of the outputs.
    taxonomy : str
        Taxonomy and version.
    preprocessor : `~astroclf.Preprocessor`
        The settings it was trained with.
    views : int
        Rotations of a frame whose logits are averaged by default.
    calibration : Calibration
        Fitted with these settings and views.
    licence, credits, made_by : str
        Terms of use of the weights; whose data they were made of; the commands.
    novelty : NoveltyFile or None
        The file of its novelty score; None where it has none.
    colour : HeadFile or None
        The file of its last layer for pictures in colour; None where it sees them in grey only.
    """

    name: str
    path: Path
    sha256: str
    labels: tuple[str, ...]
    taxonomy: str
    preprocessor: Preprocessor
    views: int
    calibration: Calibration
    licence: str
    credits: str
    made_by: str
    novelty: NoveltyFile | None = field(default=None, kw_only=True)
    colour: HeadFile | None = field(default=None, kw_only=True)

    def read_bytes(self):
        """
        Return the content of the model file, once it has proved to be the file the record speaks of.

        Raises
        ------
        ModelError
            If it is missing or has another SHA-256.
        """
        return read_checked(self.path, self.sha256, "model")

    def check_files(self):
        """
        Check the model file and those that lie beside it, as `read_bytes` does.

        Raises
        ------
        ModelError
            If one is missing or has another SHA-256.
        """
        self.read_bytes()
        for what, file in (("novelty", self.novelty), ("last layer", self.colour)):
            if file is not None:
                read_checked(file.path, file.sha256, what)


@lru_cache(maxsize=4)
def load_record(path=None):
    """
    Read a model's record.

    Parameters
    ----------
    path : path-like, optional
        A ``.json`` record; its model file lies beside it. By default that of the bundled model.

    Returns
    -------
    record : ModelRecord
        The model file itself is not opened.

    Raises
    ------
    ModelError
        If the record is missing, no JSON, of another schema, or incomplete.
    """
    path = Path(path) if path else Path(str(files("astroclf.model") / "data" / f"{BUNDLED}.json"))
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
        return _parse(fields, path.parent)
    except OSError as error:
        msg = f"{path}: the model record cannot be read: {error.strerror}"
        raise ModelError(msg) from error
    except (ValueError, KeyError, TypeError) as error:
        msg = f"{path}: not a model record of schema {_SCHEMA}: {type(error).__name__} {error}"
        raise ModelError(msg) from error


def _parse(fields, folder):
    if fields["schema"] != _SCHEMA:
        msg = f"schema is {fields['schema']!r}"
        raise ValueError(msg)
    texts = {key: str(fields[key]) for key in _TEXTS}
    return ModelRecord(
        path=folder / Path(texts.pop("file")).name,
        labels=tuple(fields["labels"]),
        preprocessor=Preprocessor.from_dict(fields["preprocessing"]),
        views=int(fields["views"]),
        calibration=Calibration(**fields["calibration"]),
        novelty=NoveltyFile.from_dict(fields.get("novelty"), folder),
        colour=HeadFile.from_dict(fields.get("colour"), folder),
        **texts,
    )
