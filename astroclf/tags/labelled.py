# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Files that people have labelled, and lists of labels to write."""

import csv
import warnings
from dataclasses import dataclass
from pathlib import Path

from astroclf.exceptions import AstroclfWarning, TagError
from astroclf.tags.person import HumanLabel, checked_label
from astroclf.tags.read import is_path, read_tags
from astroclf.tags.sidecar import is_apart, is_sidecar

__all__ = ["Correction", "LabelledFile", "find_files", "labelled_files", "read_corrections"]

_NAMES = (".fits", ".fit", ".fts", ".fits.gz", ".fits.bz2", ".fits.fz", ".jpg", ".jpeg", ".png")


@dataclass(frozen=True)
class LabelledFile:
    """
    A file and the label a person gave it.

    Parameters
    ----------
    path : `~pathlib.Path`
        The file.
    human : HumanLabel
        Its label, with who gave it and when.
    """

    path: Path
    human: HumanLabel

    @property
    def label(self):
        """The class."""
        return self.human.label


@dataclass(frozen=True)
class Correction:
    """
    One row of a list of labels.

    Parameters
    ----------
    file : str
        The file to label.
    label : str
        A class of the taxonomy.
    by : str or None
        Who gives the label; None if the row does not say.
    """

    file: str
    label: str
    by: str | None = None


def labelled_files(paths, *, own_classes=False):
    """
    Find the files that carry a person's label.

    Parameters
    ----------
    paths : path-like or iterable of path-like
        Files and folders. Folders are searched with all folders in them, in the order of the names, for FITS files
        and pictures by their names: ``.fits``, ``.fit``, ``.fts``, ``.fits.gz``, ``.fits.bz2``, ``.fits.fz``,
        ``.jpg``, ``.jpeg`` and ``.png``.
    own_classes : bool, optional
        Take labels that are no class of the taxonomy too.

    Yields
    ------
    labelled : LabelledFile
        One for each labelled file; files without a label are passed over, and a file met twice, also by a link,
        comes once.

    Raises
    ------
    TagError
        If a path is not there, or a file that was named itself cannot be read.

    Warns
    -----
    AstroclfWarning
        If a file in a folder cannot be read, or a label is not taken; these are passed over.

    Examples
    --------
    >>> from astroclf.tags import labelled_files
    >>> for labelled in labelled_files("night1"):  # doctest: +SKIP
    ...     print(labelled.path, labelled.label, labelled.human.who)
    night1/m51.fits spiral_galaxy ed
    """
    seen = set()
    for path in map(Path, [paths] if is_path(paths) else paths):
        for file in find_files(path):
            if file.resolve() not in seen:
                seen.add(file.resolve())
                yield from _labelled(file, own_classes, strict=file == path)


def find_files(path, *, apart=False):
    """
    Find the files that can have tags.

    Parameters
    ----------
    path : `~pathlib.Path`
        A file or a folder.
    apart : bool, optional
        Whether sidecars that are not beside their files are among those found in a folder.

    Returns
    -------
    files : list of `~pathlib.Path`
        What is no folder, itself, even if it does not exist; else the files in the folder and in all folders in it
        whose names are those of FITS files and pictures, sorted; no other sidecars.
    """
    if not path.is_dir():
        return [path]
    return sorted(
        file
        for file in path.rglob("*")
        if file.name.lower().endswith(_NAMES) and file.is_file()
        if not is_sidecar(file) or (apart and is_apart(file))
    )


def read_corrections(path):
    """
    Read a list of labels.

    Parameters
    ----------
    path : path-like
        CSV file with the columns ``file`` (relative to it), ``label`` and, if wanted, ``by``; others are ignored.

    Returns
    -------
    corrections : list of Correction
        In the order of the rows.
    errors : list of str
        What is wrong with each row that is none: no file, no class of the taxonomy, or a file named before.

    Raises
    ------
    TagError
        If the list cannot be read or lacks a column.
    """
    path = Path(path)
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.DictReader(stream)
            columns = reader.fieldnames or []
            rows = [(reader.line_num, row) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        msg = f"{path}: the list of labels cannot be read: {getattr(error, 'strerror', None) or error}"
        raise TagError(msg) from error
    if not {"file", "label"} <= set(columns):
        msg = f"{path}: a list of labels needs the columns file and label; got {', '.join(columns) or 'nothing'}"
        raise TagError(msg)
    corrections, errors = {}, []
    for line, row in rows:
        try:
            correction = _correction(row, path.parent, corrections)
        except TagError as error:
            errors.append(f"{path}: line {line}: {error}")
        else:
            corrections[correction.file] = correction
    return list(corrections.values()), errors


def _labelled(file, own_classes, strict):
    """Yield a file if it has a label."""
    try:
        tags = read_tags(file)
        human = tags and tags.human
        if human and not own_classes:
            checked_label(human.label)
    except TagError as error:
        if strict:
            raise
        told = str(error).removeprefix(f"{file}: ")
        warnings.warn(f"{file}: {told}; passed over", AstroclfWarning, stacklevel=3)
    else:
        if human:
            yield LabelledFile(file, human)


def _correction(row, folder, corrections):
    name, label, by = ((row.get(column) or "").strip() for column in ("file", "label", "by"))
    if not name:
        msg = "names no file"
        raise TagError(msg)
    file = str(folder / name)
    if file in corrections:
        msg = f"{name} was named before, as {corrections[file].label}; leave one of the rows"
        raise TagError(msg)
    return Correction(file, checked_label(label), by or None)
