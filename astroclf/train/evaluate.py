# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Evaluation on labelled frames and pictures: the manifest, and the classifier's word on each of its files."""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from astroclf.exceptions import AstroclfError
from astroclf.frames import read_frame
from astroclf.tags import labelled_files
from astroclf.taxonomy import group_or_self, labels
from astroclf.train.examples import split_of
from astroclf.train.predictions import KINDS

__all__ = ["Case", "Outcome", "find_tagged", "read_cases", "read_examples", "run_cases"]

_PICTURES = (".jpg", ".jpeg", ".png", ".tif", ".tiff")


@dataclass(frozen=True)
class Case:
    """
    A file whose truth is known.

    Parameters
    ----------
    path : `~pathlib.Path`
        Where it is.
    label : str
        What it shows.
    accept : tuple of str
        The labels that count as right.
    object_key : str
        The object of the sky it shows.
    name : str
        Its name in the manifest.
    kind : str
        One of `astroclf.train.predictions.KINDS`.
    snr : float
        Signal to noise; NaN where that is not known.
    """

    path: Path
    label: str
    accept: tuple[str, ...]
    object_key: str
    name: str
    kind: str
    snr: float

    @classmethod
    def alone(cls, path, label, folder):
        """
        Make the case of a file that is an object of its own.

        Parameters
        ----------
        path : `~pathlib.Path`
            The file, somewhere in ``folder``.
        label : str
            What it shows.
        folder : `~pathlib.Path`
            The folder; the path from it is the file's name, and its object.

        Returns
        -------
        case : Case
            Its kind is that of the file type.
        """
        name = path.relative_to(folder).as_posix()
        return cls(path, label, (label,), name, name, _kind_of(name), np.nan)


@dataclass(frozen=True)
class Outcome:
    """A case and what the classifier said of it; ``prediction`` is None where the file could not be read."""

    case: Case
    prediction: object
    error: str = ""

    @property
    def right(self):
        """Whether the most probable class counts as right."""
        return self.prediction is not None and self.prediction.label in self.case.accept

    @property
    def right_group(self):
        """Whether the most probable group is that of a label that counts as right."""
        return self.prediction is not None and self.prediction.group in {group_or_self(x) for x in self.case.accept}


def read_cases(manifest, split=None, *, known=None):
    """
    Read the labelled files of a manifest.

    Parameters
    ----------
    manifest : path-like
        CSV file with the columns ``file`` or ``path`` (relative to it), ``label`` and ``object_key``;
        ``accept``, if there, lists the labels that count as right, and rows where it is empty are left out;
        ``kind``, if there, is one of `astroclf.train.predictions.KINDS` (by default that of the file type), and
        ``snr`` the signal to noise of a simulated frame.
    split : {'train', 'calibration', 'test'}, optional
        Only the objects of this split.
    known : sequence of str, optional
        Labels that may occur; by default those of the taxonomy.

    Returns
    -------
    cases : list of Case
        In the order of the file.

    Raises
    ------
    AstroclfError
        If the manifest cannot be read, lacks a column or has an unknown label, kind or signal to noise.
    """
    known = labels() if known is None else known
    cases = [_case(row, manifest) for row in _rows(manifest) if (row.get("accept", "-") or "").strip()]
    for case in cases:
        unknown = {case.label, *case.accept} - set(known)
        if unknown:
            named = ", ".join(sorted(unknown))
            msg = f"{manifest}: {case.path.name}: unknown label {named}; known are {', '.join(known)}"
            raise AstroclfError(msg)
    return [case for case in cases if split is None or split_of(case.object_key) == split]


def read_examples(manifest):
    """
    Read the labelled files of a manifest whose labels may be any.

    Parameters
    ----------
    manifest : path-like
        CSV file with the columns ``file`` or ``path`` (relative to it) and ``label``; a file without an
        ``object_key`` is an object of its own.

    Returns
    -------
    cases : list of Case
        In the order of the file.

    Raises
    ------
    AstroclfError
        If the manifest cannot be read or lacks a column.
    """
    return [_case(row, manifest, keyed=False) for row in _rows(manifest)]


def find_tagged(folder):
    """
    Find the files of a folder and of those in it that have a person's label, CLFHLAB.

    Parameters
    ----------
    folder : path-like
        The folder.

    Returns
    -------
    cases : list of Case
        In the order of the names, with any labels; each file is an object of its own.

    Raises
    ------
    AstroclfError
        If no file has such a label.

    Warns
    -----
    AstroclfWarning
        For each file that cannot be read; it is left out.
    """
    folder = Path(folder)
    cases = [Case.alone(file.path, file.label, folder) for file in labelled_files(folder, own_classes=True)]
    if not cases:
        msg = f"{folder}: no file in it has a person's label (CLFHLAB); label some first, with astroclf label"
        raise AstroclfError(msg)
    return cases


def _rows(manifest):
    try:
        with Path(manifest).open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        msg = f"{manifest}: the manifest cannot be read: {error}"
        raise AstroclfError(msg) from error


def _case(row, manifest, keyed=True):
    name = row.get("file") or row.get("path")
    key = row.get("object_key") or (None if keyed else name)
    if not name or not row.get("label") or not key:
        wanted = "file (or path), label and object_key" if keyed else "file (or path) and label"
        msg = f"{manifest}: a manifest needs the columns {wanted}; got {', '.join(map(str, row))}"
        raise AstroclfError(msg)
    accept = tuple((row.get("accept") or row["label"]).split())
    kind, snr = _kind(row.get("kind"), name, manifest), _snr(row.get("snr"), name, manifest)
    return Case(Path(manifest).parent / name, row["label"], accept, key, name, kind, snr)


def _kind(text, name, manifest):
    kind = text or _kind_of(name)
    if kind not in KINDS:
        msg = f"{manifest}: {name}: unknown kind {kind}; known are {', '.join(KINDS)}"
        raise AstroclfError(msg)
    return kind


def _kind_of(name):
    return "picture" if Path(name).suffix.lower() in _PICTURES else "frame"


def _snr(text, name, manifest):
    try:
        return float(text or "nan")
    except ValueError as error:
        msg = f"{manifest}: {name}: snr must be a number, or empty; got {text}"
        raise AstroclfError(msg) from error


def run_cases(cases, classifier):
    """
    Classify files whose truth is known, one by one.

    Parameters
    ----------
    cases : iterable of Case
        The files: FITS frames, or pictures.
    classifier : `~astroclf.Classifier`
        The classifier.

    Yields
    ------
    outcome : Outcome
        One a case, in their order.
    """
    for case in cases:
        try:
            yield Outcome(case, classifier(read_frame(case.path)))
        except AstroclfError as error:
            yield Outcome(case, None, str(error))
