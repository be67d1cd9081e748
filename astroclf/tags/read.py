# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Read the tag block of a file or of headers in memory."""

import os
from collections.abc import Mapping
from contextlib import suppress
from itertools import chain
from pathlib import Path

from astroclf.exceptions import TagError
from astroclf.frames.files.pictures import picture_kind
from astroclf.frames.files.remote import is_url
from astroclf.storage.recovery import still
from astroclf.tags import memory
from astroclf.tags.cards import card_value, keyword_of, printable
from astroclf.tags.container import open_fits
from astroclf.tags.fitsfile import homes, walk
from astroclf.tags.keywords import is_tag
from astroclf.tags.person import Labels
from astroclf.tags.picture import read_picture_tags
from astroclf.tags.sidecar import find_sidecar, is_sidecar, read_sidecar, subject_of

__all__ = ["Tags", "file_name", "is_path", "local_path", "read_block", "read_tags"]


class Tags(Mapping):
    """
    A tag block: an unchanging mapping from keyword to value, with names for what is asked most.

    Parameters
    ----------
    values : mapping of str to str, int, float or None
        Values by keyword, in the order of the header, a person's label last; None where a card has no value.
    file : str, optional
        FILENAME of the file the block was found in, else its base name; empty if unknown.
    earlier : sequence of `~astroclf.tags.HumanLabel`, optional
        Earlier labels of people.

    Notes
    -----
    Looking up a keyword takes any case; one that is not there raises KeyError. The named attributes are
    None, or empty, where the block lacks them, as one that holds but a person's label does.
    """

    def __init__(self, values, file="", earlier=()):
        self._values = dict(values)
        self._file = file
        self._earlier = tuple(earlier)

    def __getitem__(self, keyword):
        return self._values[keyword.upper()]

    def __iter__(self):
        return iter(self._values)

    def __len__(self):
        return len(self._values)

    @property
    def file(self):
        """Name of the file the block was found in; empty if unknown."""
        return self._file

    @property
    def verdict(self):
        """The class if sure of it, the group if sure of that, else ``unknown``."""
        return self.get("CLFCLASS")

    @property
    def status(self):
        """Status of the verdict, as in `~astroclf.prediction.Status`."""
        return self.get("CLFSTAT")

    @property
    def prob(self):
        """Probability of the verdict; None where that is ``unknown``."""
        return self.get("CLFPROB")

    @property
    def labels(self):
        """Ranked classes, whatever the status."""
        return self._numbered("CLFLAB")

    @property
    def probs(self):
        """Probabilities of `labels`."""
        return self._numbered("CLFPRB")

    @property
    def label(self):
        """The most probable class, whatever the status."""
        return self.get("CLFLAB1")

    @property
    def label_set(self):
        """Conformal label set; None if there is none."""
        size = self.get("CLFNSET")
        return None if size is None else self.labels[:size]

    @property
    def group(self):
        """The most probable group, whatever the status."""
        return self.get("CLFGROUP")

    @property
    def group_prob(self):
        """Probability of `group`."""
        return self.get("CLFGPROB")

    @property
    def inputs(self):
        """Names of the other frames behind a verdict on several; empty for one on this frame alone."""
        return self._numbered("CLFIN")

    @property
    def human_label(self):
        """Label given by a person."""
        return self.get("CLFHLAB")

    @property
    def human(self):
        """Label given by a person, with who and when, as a `~astroclf.tags.HumanLabel`; None if there is none."""
        return Labels.from_values(self).current

    @property
    def earlier_labels(self):
        """Labels of people that were replaced or taken back, as `~astroclf.tags.HumanLabel`, oldest first."""
        return self._earlier

    @property
    def stale(self):
        """
        Whether the block was written for another file than the one it was found in.

        Pipelines copy primary cards to their products. False where either name is unknown.
        """
        tagged = self.get("CLFFILE")
        return bool(tagged and self._file and tagged != self._file)

    def to_row(self):
        """
        Return the block as one row of a table.

        Returns
        -------
        row : dict
            ``status, verdict, label, prob, group, gprob`` as of a prediction, and ``stale``.
        """
        return {
            "status": self.status,
            "verdict": self.verdict,
            "label": self.label,
            "prob": self.get("CLFPRB1"),
            "group": self.group,
            "gprob": self.group_prob,
            "stale": self.stale,
        }

    def __str__(self):
        if self.verdict is None and self.human_label is None:
            return "no verdict; the label was taken back"
        if self.verdict is None:
            return f"no verdict; {self.human_label} according to {self.get('CLFHWHO') or 'a person'}"
        ranked = ", ".join(f"{label} {prob}" for label, prob in zip(self.labels, self.probs))
        stale = f" STALE: written for {self['CLFFILE']}" if self.stale else ""
        return f"{self.verdict} [{self.status}] ({ranked}; group {self.group} {self.group_prob}){stale}"

    def __repr__(self):
        return f"<Tags {self.file} {self}>"

    def _numbered(self, stem):
        values = []
        while f"{stem}{len(values) + 1}" in self:
            values.append(self[f"{stem}{len(values) + 1}"])
        return tuple(values)


def read_tags(source):
    """
    Read the tag block of a file, reading no further than its first headers.

    Parameters
    ----------
    source : str, `~pathlib.Path`, `~astropy.io.fits.HDUList`, `~astropy.io.fits.Header` or object with a header
        A FITS file (plain, ``.gz``, ``.bz2``, tile-compressed), or an open one, or what has a
        ``header``: an HDU, a `~astropy.nddata.CCDData`. Or a picture, whose tags are in its XMP metadata.

    Returns
    -------
    tags : Tags or None
        None if there is no block, neither in the primary header nor in that of a compressed image
        that was the primary, nor in a sidecar beside the file. A verdict in the file itself goes before that of a
        sidecar; so do labels of people.

    Raises
    ------
    TagError
        If the file cannot be read, is half written and cannot be put back, or is not FITS, if it is remote, or the
        object has no header.
    """
    if not is_path(source):
        headers = memory.headers_of(source)
        return _tags([memory.cards_of(header).values() for header in headers], memory.name_of(source, headers))
    path = local_path(source)
    values, labels, file = _in_file(path)
    sidecar = None if values else find_sidecar(path)
    if sidecar is not None:
        values, others = _in_headers([read_sidecar(sidecar).cards])
        labels = labels or others
    return _record(values, labels, file)


def read_block(path):
    """
    Read the tag block of a file, as `read_tags` does, but look for no sidecar.

    Parameters
    ----------
    path : path-like
        The file.

    Returns
    -------
    tags : Tags or None
        None if there is no block in the file itself.

    Raises
    ------
    TagError
        If the file cannot be read or is not FITS.
    """
    return _record(*_in_file(Path(path)))


def is_path(source):
    """Tell whether ``source`` (any object) names a file."""
    return isinstance(source, str | os.PathLike)


def local_path(target):
    """Return the path of a file, given as path-like; TagError for the address of a remote one."""
    if is_url(target):
        msg = f"{target}: is a remote file; download it and use the copy"
        raise TagError(msg)
    return Path(target)


def file_name(hdus, path):
    """
    Return the name a file goes by: its FILENAME, else its base name.

    Parameters
    ----------
    hdus : list of HDU
        The HDUs a block can be in.
    path : `~pathlib.Path`
        The file.

    Returns
    -------
    name : str
        Printable ASCII.
    """
    names = (hdu.get("FILENAME") for hdu in reversed(hdus))
    return printable(next((name for name in names if isinstance(name, str) and name), path.name))


def _in_file(path):
    """Return the values and labels that a file has, and the name it goes by; a sidecar goes by that of its file."""
    if picture_kind(path):
        return *read_picture_tags(path), printable(path.name)
    with still(path), open_fits(path) as stream:
        found = homes(walk(stream, path))
    values, labels = _in_headers([hdu.cards for hdu in found])
    return values, labels, _name_of_subject(path) if is_sidecar(path) else file_name(found, path)


def _name_of_subject(sidecar):
    """Return the name of the file that a sidecar is of; empty if that is not there or cannot be read."""
    with suppress(TagError):
        _, _, file = _in_file(subject_of(sidecar))
        return file
    return ""


def _tags(headers, file):
    return _record(*_in_headers(headers), file)


def _in_headers(headers):
    """Return the block of the last of the headers that has one, and the labels of all of them."""
    headers = [list(cards) for cards in headers]
    blocks = [[card for card in cards if is_tag(card) and keyword_of(card) != "HISTORY"] for cards in headers]
    values = {}
    for card in next(filter(None, reversed(blocks)), []):
        values.setdefault(keyword_of(card), card_value(card))
    return values, Labels.from_cards(chain.from_iterable(headers))


def _record(values, labels, file):
    values = values | labels.to_values()
    return Tags(values, file, labels.earlier) if values or labels.earlier else None
