# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Write and remove tag blocks.

Of a file only the header bytes that change are made anew; all others are copied as they are, compared
with the original, and only then does the new file take the place of the old one.
"""

import os
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from astroclf.exceptions import AstroclfWarning, TagError
from astroclf.frames.files.pictures import picture_kind
from astroclf.frames.files.remote import is_url
from astroclf.frames.frame import fingerprint
from astroclf.tags import memory
from astroclf.tags.cards import join_cards, keyword_of
from astroclf.tags.container import Container, open_fits
from astroclf.tags.fitsfile import HDU, homes, read_hdus
from astroclf.tags.keywords import is_tag, to_cards
from astroclf.tags.picture import plan_picture, tag_picture, untag_picture
from astroclf.tags.read import file_name, is_path, read_tags
from astroclf.tags.replacing import check_replaceable, replacing
from astroclf.tags.sums import check_sums, chunks, seal

__all__ = ["Change", "plan_tags", "remove_tags", "write_tags"]


@dataclass(frozen=True)
class Change:
    """
    One card that tagging would change.

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
class _Source:
    """An open file and what lies where in it."""

    path: Path
    stat: os.stat_result
    stream: BinaryIO
    size: int
    hdus: list[HDU]


@dataclass(frozen=True)
class _Splice:
    """Bytes ``start`` to ``end`` of a file become ``new``."""

    start: int
    end: int
    new: bytes


def write_tags(target, prediction, *, output=None, force=False, detach=False):
    """
    Write a prediction into a header, in place of an earlier one.

    Pixels are never decoded, and no byte outside the header that holds the block changes. A file is replaced
    at once: whatever happens, there is the old one or the new one.

    Parameters
    ----------
    target : str, `~pathlib.Path`, `~astropy.io.fits.HDUList`, `~astropy.io.fits.Header` or object with a header
        A FITS file (plain, ``.gz``, ``.bz2``, tile-compressed), changed in place unless ``output`` is
        given; symbolic links are followed and stay. Or an open HDUList, an HDU, a
        `~astropy.nddata.CCDData`: then the header in memory is changed. Or a JPEG or PNG picture, of which
        a copy is tagged, in its XMP metadata; these need ``output``.
    prediction : `~astroclf.prediction.Prediction`
        The verdict. If it was made from ``target``, that must not have changed since.
    output : str or `~pathlib.Path`, optional
        Write a tagged copy, to this file or under the same name into this folder. A file that is there
        already is replaced only if it has a tag block. The copy is compressed as ``target`` is.
    force : bool, optional
        Tag a file that has a wrong CHECKSUM or DATASUM, with a warning; these stay as they are.
    detach : bool, optional
        Tag a file whose other hard links or whose owner or attributes cannot be kept; other links
        keep the old content.

    Returns
    -------
    tags : `~astroclf.tags.read.Tags`
        The block as it now is.

    Raises
    ------
    TagError
        If the file is neither FITS nor such a picture, damaged, changed since it was classified, or
        cannot be replaced. It is as it was.

    Warns
    -----
    AstroclfWarning
        If a wrong checksum was tagged by force.
    """
    if not is_path(target):
        _write_memory(target, prediction, output)
        return read_tags(target)
    path, destination = _paths(target, output)
    if picture_kind(path):
        _check_unchanged(path, path.stat(), prediction.origin)
        tag_picture(path, prediction, destination, detach)
        return read_tags(destination)
    with _opened(path) as source:
        edits = _tagging(source, prediction, destination, force)
        _save(source, edits, destination, detach)
    return read_tags(destination)


def plan_tags(path, prediction, *, output=None, force=False, detach=False):
    """
    Return what `write_tags` would change, and write nothing.

    Parameters
    ----------
    path, prediction, output, force, detach
        As for `write_tags`; ``path`` is a file.

    Returns
    -------
    changes : list of Change
        In the order of the header.

    Raises
    ------
    TagError
        Where `write_tags` would refuse.
    """
    path, destination = _paths(path, output)
    if picture_kind(path):
        values = plan_picture(path, prediction, destination, detach)
        return [Change(0, "", f"{keyword:8}= {value}") for keyword, value in values.items()]
    with _opened(path) as source:
        edits = _tagging(source, prediction, destination, force)
        check_replaceable(destination, detach)
        return list(chain.from_iterable(_changes(source.hdus[i], cards) for i, cards in edits.items()))


def remove_tags(target, *, all=False, output=None, detach=False):
    """
    Remove the tag block of a header.

    A plain, standard FITS file, and a picture, becomes byte for byte what it was before it was tagged.

    Parameters
    ----------
    target : str, `~pathlib.Path`, `~astropy.io.fits.HDUList`, `~astropy.io.fits.Header` or object with a header
        As for `write_tags`.
    all : bool, optional
        Remove a person's label, too.
    output : str or `~pathlib.Path`, optional
        Write a copy without the block, to this file or into this folder; it must not be there already.
    detach : bool, optional
        As for `write_tags`.

    Returns
    -------
    tags : `~astroclf.tags.read.Tags` or None
        The block as it was; None if there was none.

    Raises
    ------
    TagError
        If the file is not FITS, is damaged or cannot be replaced. It is as it was.

    Warns
    -----
    AstroclfWarning
        If a CHECKSUM or DATASUM is wrong; it stays as it is.
    """
    old = read_tags(target)
    if not is_path(target):
        _write_memory(target, None, output, human=all)
        return old
    path, destination = _paths(target, output)
    if picture_kind(path):
        untag_picture(path, destination, detach)
        return old
    with _opened(path) as source:
        edits = _edits(source, [], human=all)
        if edits:
            edits = _sealed(source, edits, force=True)
        if edits or destination != path:
            _save(source, edits, destination, detach)
    return old


def _paths(target, output):
    """Return the file itself, links resolved, and the file to write."""
    if is_url(target):
        msg = f"{target}: is a remote file; download it and tag the copy"
        raise TagError(msg)
    try:
        path = Path(target).resolve(strict=True)
        if output is None:
            return path, path
        output = Path(output)
        destination = (output / Path(target).name if output.is_dir() else output).resolve()
        taken = destination != path and destination.exists()
    except (OSError, RuntimeError) as error:
        msg = f"{getattr(error, 'filename', None) or target}: {getattr(error, 'strerror', None) or error}"
        raise TagError(msg) from error
    if taken and read_tags(destination) is None:
        msg = f"{destination}: exists and has no tag block; choose another name for the output, or remove it first"
        raise TagError(msg)
    return path, destination


@contextmanager
def _opened(path):
    stat = path.stat()
    with open_fits(path, spool=True) as stream:
        hdus = read_hdus(stream, path)
        yield _Source(path, stat, stream, stream.seek(0, os.SEEK_END), hdus)


def _tagging(source, prediction, destination, force):
    """Return the new cards of the headers that tagging changes, by index of the HDU."""
    _check_unchanged(source.path, source.stat, prediction.origin)
    cards = to_cards(prediction, file=file_name(homes(source.hdus), destination))
    return _sealed(source, _edits(source, [card.image.encode("ascii") for card in cards]), force)


def _check_unchanged(path, status, origin):
    if origin.fingerprint is None or origin.path is None or Path(origin.path).resolve() != path:
        return
    now = fingerprint(status)
    if tuple(origin.fingerprint) != now:
        msg = (
            f"{path}: has changed since it was classified (size, mtime, inode were "
            f"{tuple(origin.fingerprint)}, are {now}); classify it again"
        )
        raise TagError(msg)


def _edits(source, block, human=False):
    """Return the cards of the headers that change if ``block`` takes the place of the old one."""
    found = homes(source.hdus)
    cards = {hdu.index: [card for card in hdu.cards if not is_tag(card, human)] for hdu in found}
    cards[found[-1].index] += block
    return {hdu.index: cards[hdu.index] for hdu in found if tuple(cards[hdu.index]) != hdu.cards}


def _sealed(source, edits, force):
    """Keep right checksums right; refuse wrong ones, or warn about them."""
    sums = check_sums(source.stream, source.hdus)
    wrong = [f"{keyword} of HDU {i}" for i, checked in sums.items() for keyword in checked.wrong]
    if wrong:
        msg = f"{source.path}: wrong before any change: {', '.join(wrong)}; the file may be damaged"
        if not force:
            msg = f"{msg}: get it again, or tag it as it is with force=True (--force)"
            raise TagError(msg)
        warnings.warn(f"{msg}; left as it is", AstroclfWarning, stacklevel=4)
    return {i: seal(cards, sums[i].data) if i in sums and sums[i].sealed else cards for i, cards in edits.items()}


def _changes(hdu, cards):
    """Compare the cards of an HDU with new ones."""
    old = {keyword_of(card): card for card in hdu.cards if card not in set(cards)}
    new = {keyword_of(card): card for card in cards if card not in set(hdu.cards)}
    keywords = dict.fromkeys([*old, *new])
    return [Change(hdu.index, _text(old.get(keyword, b"")), _text(new.get(keyword, b""))) for keyword in keywords]


def _text(card):
    return card.decode("latin-1").rstrip()


def _save(source, edits, destination, detach):
    splices = [_Splice(hdu.start, hdu.data, join_cards(edits[hdu.index])) for hdu in source.hdus if hdu.index in edits]
    container = Container.of(source.path)
    with replacing(destination, detach) as stream:
        with container.writer(stream) as packed:
            for chunk in _spliced(source, splices):
                packed.write(chunk)
        stream.seek(0)
        with container.reader(stream) as unpacked:
            same = _reads_back(unpacked, _spliced(source, splices))
        _check_alone(source)
        if not same:
            msg = f"{destination}: what was written reads back differently; the old file stays. Check the disk"
            raise TagError(msg)


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


def _write_memory(target, prediction, output, human=False):
    if output is not None:
        msg = f"output={output} needs a path to copy, not an object in memory; save that yourself"
        raise TagError(msg)
    headers = memory.headers_of(target)
    memory.check_writable(target)
    block = to_cards(prediction, file=memory.name_of(target, headers)) if prediction else []
    for header in headers:
        memory.set_block(header, block if header is headers[-1] else [], human)
