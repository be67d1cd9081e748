# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The safe way of changing headers of a file.

Where the new headers need as many blocks as the old ones, they are written over them, with an undo journal beside the
file. Else a new file is made of them and of all other bytes, which are copied as they are and compared with the
original, and takes the place of the old one.
"""

import os
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from astroclf.exceptions import AstroclfWarning, TagError
from astroclf.frames.frame import fingerprint
from astroclf.storage.inplace import overwrite
from astroclf.storage.journal import Patch
from astroclf.storage.recovery import held, still
from astroclf.storage.replacing import check_changeable, replacing
from astroclf.storage.writing import copy_span, write_at
from astroclf.tags import memory
from astroclf.tags.cards import join_cards, keyword_of
from astroclf.tags.container import Container, open_fits
from astroclf.tags.fitsfile import HDU, homes, read_hdus
from astroclf.tags.keywords import is_label
from astroclf.tags.read import local_path, read_block
from astroclf.tags.sums import check_sums, chunks, seal

__all__ = ["Change", "Source", "find_paths", "make_edits", "opened", "planned", "save", "sealed", "set_block"]


@dataclass(frozen=True)
class Change:
    """
    One card that would change.

    Parameters
    ----------
    hdu : int
        Index of the HDU.
    old, new : str
        The card before and after, without trailing blanks; empty where there is none.
    """

    hdu: int
    old: str
    new: str

    def __str__(self):
        return "\n".join(f"{sign} {card}" for sign, card in (("-", self.old), ("+", self.new)) if card)


@dataclass(frozen=True)
class Source:
    """
    An open file and what lies where in it.

    Parameters
    ----------
    path : `~pathlib.Path`
        The file.
    stat : `os.stat_result`
        What the system said of it when it was opened.
    stream : binary file
        Its bytes, unpacked.
    size : int
        Their number.
    hdus : list of `~astroclf.tags.fitsfile.HDU`
        Its HDUs.
    held : binary file or None
        The file as it lies, locked against others and open for writing; None if it is only to be read, or lies where
        there are no locks.
    """

    path: Path
    stat: os.stat_result
    stream: BinaryIO
    size: int
    hdus: list[HDU]
    held: BinaryIO | None = None


@dataclass(frozen=True)
class _Splice:
    """Bytes ``start`` to ``end`` of a file become ``new``."""

    start: int
    end: int
    new: bytes


def find_paths(target, output):
    """
    Find the file to read and the file to write.

    Parameters
    ----------
    target : path-like
        The file; symbolic links are followed.
    output : path-like or None
        A file, or a folder for a copy of the same name; None for the file itself.

    Returns
    -------
    path, destination : `~pathlib.Path`
        Without links.

    Raises
    ------
    TagError
        If ``target`` is not there or is remote, or if astroclf did not make what is where the copy goes.
    """
    target = local_path(target)
    try:
        path = target.resolve(strict=True)
        if output is None:
            return path, path
        output = Path(output)
        destination = (output / target.name if output.is_dir() else output).resolve()
        taken = destination != path and destination.exists()
    except (OSError, RuntimeError) as error:
        msg = f"{getattr(error, 'filename', None) or target}: {getattr(error, 'strerror', None) or error}"
        raise TagError(msg) from error
    if taken and read_block(destination) is None:
        msg = f"{destination}: exists and has no tag block; choose another name for the output, or remove it first"
        raise TagError(msg)
    return path, destination


@contextmanager
def opened(path, destination=None):
    """
    Open a file and read all its headers.

    Parameters
    ----------
    path : `~pathlib.Path`
        A FITS file.
    destination : `~pathlib.Path`, optional
        The file that will be written; if it is the same, nobody else may write to it as long as it is open.

    Yields
    ------
    source : Source
        Open in the context.

    Raises
    ------
    TagError
        If the file cannot be read, is not FITS or is damaged, or another process is writing to it.
    """
    with (held if destination == path else still)(path) as lock:
        stat = path.stat()
        with open_fits(path, spool=True) as stream:
            hdus = read_hdus(stream, path)
            yield Source(path, stat, stream, stream.seek(0, os.SEEK_END), hdus, lock)


def make_edits(source, block, drop):
    """
    Put cards at the end of the header that is their home, in place of others.

    Parameters
    ----------
    source : Source
        The file.
    block : list of `~astropy.io.fits.Card`
        The new cards.
    drop : callable
        Whether a card (bytes) goes.

    Returns
    -------
    edits : dict of int to list of bytes
        All cards of the headers that change, by index of the HDU.
    """
    found = homes(source.hdus)
    cards = {hdu.index: [card for card in hdu.cards if not drop(card)] for hdu in found}
    cards[found[-1].index] += [card.image.encode("ascii") for card in block]
    return {hdu.index: cards[hdu.index] for hdu in found if tuple(cards[hdu.index]) != hdu.cards}


def set_block(target, block, drop, output):
    """
    Put cards at the end of a header in memory, in place of others.

    Parameters
    ----------
    target : object
        As for `astroclf.tags.memory.headers_of`.
    block : list of `~astropy.io.fits.Card`
        The new cards.
    drop : callable
        Whether a card (bytes) of ours goes.
    output : None
        Refused if it is anything else: an object in memory has no copy.

    Raises
    ------
    TagError
        If ``target`` has no header that can be written to.
    """
    if output is not None:
        msg = f"output={output} needs a path to copy, not an object in memory; save that yourself"
        raise TagError(msg)
    headers = memory.headers_of(target)
    memory.check_writable(target)
    for header in headers:
        memory.set_block(header, block if header is headers[-1] else [], drop)


def sealed(source, edits, force):
    """
    Keep right checksums right; refuse wrong ones, or warn about them.

    Parameters
    ----------
    source : Source
        The file.
    edits : dict
        As of `make_edits`.
    force : bool
        Whether a file with wrong checksums may be changed.

    Returns
    -------
    edits : dict
        The same, with CHECKSUM cards that are right again.

    Raises
    ------
    TagError
        If a checksum was wrong before, without ``force``.

    Warns
    -----
    AstroclfWarning
        If it was, with ``force``.
    """
    sums = check_sums(source.stream, source.hdus)
    wrong = [f"{keyword} of HDU {i}" for i, checked in sums.items() for keyword in checked.wrong]
    if wrong:
        msg = f"{source.path}: wrong before any change: {', '.join(wrong)}; the file may be damaged"
        if not force:
            msg = f"{msg}: get it again, or tag it as it is with force=True (--force)"
            raise TagError(msg)
        warnings.warn(f"{msg}; left as it is", AstroclfWarning, stacklevel=4)
    return {i: seal(cards, sums[i].data) if i in sums and sums[i].sealed else cards for i, cards in edits.items()}


def planned(source, edits):
    """
    Compare the cards of a file with new ones.

    Parameters
    ----------
    source : Source
        The file.
    edits : dict
        As of `make_edits`.

    Returns
    -------
    changes : list of Change
        In the order of the headers.
    """
    return [change for i, cards in edits.items() for change in _changes(source.hdus[i], cards)]


def _changes(hdu, cards):
    old = {_name(card): card for card in hdu.cards if card not in set(cards)}
    new = {_name(card): card for card in cards if card not in set(hdu.cards)}
    names = dict.fromkeys([*old, *new])
    return [Change(hdu.index, _text(old.get(name, b"")), _text(new.get(name, b""))) for name in names]


def _name(card):
    """Return what a card is compared by; of a person's labels there can be several lines."""
    keyword = keyword_of(card)
    return card if keyword == "HISTORY" and is_label(card) else keyword


def save(source, edits, destination, manner):
    """
    Write a file with new headers: in place if they fit, else as a new file that is put in its place at once.

    Parameters
    ----------
    source : Source
        The file as it is.
    edits : dict
        As of `make_edits`.
    destination : `~pathlib.Path`
        The file to write; ``source.path`` or another.
    manner : `~astroclf.storage.manner.Manner`
        How it may be changed.

    Raises
    ------
    TagError
        If it cannot be written, reads back differently, or the source changed meanwhile.
    """
    if destination == source.path and not edits:
        return
    splices = [_Splice(hdu.start, hdu.data, join_cards(edits[hdu.index])) for hdu in source.hdus if hdu.index in edits]
    container = Container.of(source.path)
    if destination == source.path and container.kind == "plain" and _fit(source, splices, manner):
        _overwrite(source, splices, manner)
    else:
        _make_new(source, splices, container, destination, manner)


def _fit(source, splices, manner):
    """Tell whether new headers can be written over the old ones."""
    same = all(splice.end - splice.start == len(splice.new) for splice in splices)
    return same and not manner.atomic and source.held is not None and source.stat.st_nlink == 1


def _overwrite(source, splices, manner):
    check_changeable(source.path, manner)
    old = [b"".join(chunks(source.stream, splice.start, splice.end)) for splice in splices]
    _check_alone(source)
    patches = [Patch(splice.start, was, splice.new) for splice, was in zip(splices, old)]
    overwrite(source.path, source.held.fileno(), patches, source.stat, manner)


def _make_new(source, splices, container, destination, manner):
    with replacing(destination, manner) as stream:
        if container.kind == "plain":
            _copy(source, splices, stream)
        else:
            _pack(source, splices, container, stream, destination)
        _check_alone(source)


def _copy(source, splices, stream):
    old, new, position, written = source.stream.fileno(), stream.fileno(), 0, 0
    for splice in [*splices, _Splice(source.size, source.size, b"")]:
        copy_span(old, position, splice.start, new, written)
        written += splice.start - position
        write_at(new, splice.new, written)
        position, written = splice.end, written + len(splice.new)


def _pack(source, splices, container, stream, destination):
    with container.writer(stream) as packed:
        for chunk in _spliced(source, splices):
            packed.write(chunk)
    stream.seek(0)
    with container.reader(stream) as unpacked:
        if not _reads_back(unpacked, _spliced(source, splices)):
            msg = f"{destination}: what was written reads back differently; the old file stays. Check the disk"
            raise TagError(msg)


def _text(card):
    return card.decode("latin-1").rstrip()


def _spliced(source, splices):
    """Yield the bytes of a file, piece by piece, with the splices made."""
    position = 0
    for splice in [*splices, _Splice(source.size, source.size, b"")]:
        yield from chunks(source.stream, position, splice.start)
        yield splice.new
        position = splice.end


def _reads_back(stream, expected):
    return all(stream.read(len(chunk)) == chunk for chunk in expected) and not stream.read(1)


def _check_alone(source):
    if fingerprint(source.path.stat()) != fingerprint(source.stat):
        msg = f"{source.path}: changed by another program while it was being tagged; it was left alone"
        raise TagError(msg)
