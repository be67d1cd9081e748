# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Write and remove tag blocks."""

from functools import partial
from pathlib import Path

from astroclf.exceptions import TagError
from astroclf.frames.files.pictures import picture_kind
from astroclf.frames.frame import fingerprint
from astroclf.storage.attributes import atime_kept
from astroclf.storage.manner import Manner
from astroclf.storage.replacing import check_changeable
from astroclf.tags import memory
from astroclf.tags.fitsfile import homes
from astroclf.tags.keywords import is_tag, to_cards
from astroclf.tags.picture import plan_picture, tag_picture, untag_picture
from astroclf.tags.read import file_name, is_path, read_block, read_tags
from astroclf.tags.rewrite import Change, Source, find_paths, make_edits, opened, planned, save, sealed, set_block
from astroclf.tags.sidecar import find_sidecar, is_sidecar, new_sidecar, place_sidecar, remove_sidecar, save_sidecar

__all__ = ["plan_tags", "remove_tags", "write_tags"]


def write_tags(
    target, prediction, *, output=None, sidecar=False, force=False, detach=False, atomic=False, keep_times=False
):
    """
    Write a prediction into a header, in place of an earlier one.

    Pixels are never decoded, and no byte outside the header that holds the block changes. Whatever happens, there
    is the old file or the new one: where the block has room the header is written in place, with an undo journal
    beside the file, which the next function of astroclf that opens the file obeys; else the file is replaced at once.

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
    sidecar : bool, optional
        Leave the file alone, whatever its kind, and write the block to a FITS file of its own that is but a header:
        ``<name>_astroclf.fits``, beside the file or into the folder ``output``.
    force : bool, optional
        Tag a file that has a wrong CHECKSUM or DATASUM, with a warning; these stay as they are.
    detach : bool, optional
        Tag a file whose other hard links or whose owner or attributes cannot be kept; other links
        keep the old content.
    atomic : bool, optional
        Never write in place, always replace the file.
    keep_times : bool, optional
        Keep the times of the last reading and of the last change of a file that is there already.

    Returns
    -------
    tags : `~astroclf.tags.read.Tags`
        The block as it now is.

    Raises
    ------
    TagError
        If the file is neither FITS nor such a picture, damaged, changed since it was classified, being written
        by another process, or cannot be written. It is as it was. Or if a sidecar is asked for where the file has a
        block of its own, or another file is where it goes.

    Warns
    -----
    AstroclfWarning
        If a wrong checksum was tagged by force.
    """
    if sidecar:
        place, _, cards = _beside(target, prediction, output)
        save_sidecar(cards, place)
        return read_tags(place)
    if not is_path(target):
        cards = to_cards(prediction, file=memory.name_of(target, memory.headers_of(target)))
        set_block(target, cards, is_tag, output)
        return read_tags(target)
    path, destination = find_paths(target, output)
    manner = Manner(detach, atomic, keep_times)
    with atime_kept(destination, keep_times):
        if picture_kind(path):
            _check_unchanged(path, path.stat(), prediction.origin)
            tag_picture(path, prediction, destination, manner)
            return read_tags(destination)
        with opened(path, destination) as source:
            edits = _tagging(source, prediction, destination, force)
            save(source, edits, destination, manner)
        return read_tags(destination)


def plan_tags(
    path, prediction, *, output=None, sidecar=False, force=False, detach=False, atomic=False, keep_times=False
):
    """
    Return what `write_tags` would change, and write nothing.

    Parameters
    ----------
    path, prediction, output, sidecar, force, detach, atomic, keep_times
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
    if sidecar:
        place, old, cards = _beside(path, prediction, output)
        check_changeable(place, Manner())
        return planned(Source(place, None, None, 0, [old]), {0: cards})
    path, destination = find_paths(path, output)
    if picture_kind(path):
        values = plan_picture(path, prediction, destination, Manner(detach, atomic, keep_times))
        return [Change(0, "", f"{keyword:8}= {value}") for keyword, value in values.items()]
    with opened(path) as source:
        edits = _tagging(source, prediction, destination, force)
        check_changeable(destination, Manner(detach, atomic, keep_times))
        return planned(source, edits)


def remove_tags(target, *, all=False, output=None, detach=False, atomic=False, keep_times=False):
    """
    Remove the tag block of a header.

    A plain, standard FITS file, and a picture, becomes byte for byte what it was before it was tagged. A sidecar that
    astroclf made is removed, be it named itself or beside the file.

    Parameters
    ----------
    target : str, `~pathlib.Path`, `~astropy.io.fits.HDUList`, `~astropy.io.fits.Header` or object with a header
        As for `write_tags`.
    all : bool, optional
        Remove people's labels, too, the earlier ones in HISTORY among them.
    output : str or `~pathlib.Path`, optional
        Write a copy without the block, to this file or into this folder; it must not be there already.
    detach, atomic, keep_times : bool, optional
        As for `write_tags`.

    Returns
    -------
    tags : `~astroclf.tags.read.Tags` or None
        The block as it was; None if there was none.

    Raises
    ------
    TagError
        If the file is not FITS, is damaged, being written by another process, or cannot be written. It is as it was.

    Warns
    -----
    AstroclfWarning
        If a CHECKSUM or DATASUM is wrong; it stays as it is.
    """
    if not is_path(target):
        old = read_tags(target)
        set_block(target, [], partial(is_tag, human=all), output)
        return old
    if output is None and is_sidecar(target):
        old = read_tags(target)
        remove_sidecar(Path(target), human=all)
        return old
    path, destination = find_paths(target, output)
    with atime_kept(destination, keep_times):
        old = read_tags(target)
        _remove_from_file(path, destination, all, Manner(detach, atomic, keep_times))
    sidecar = find_sidecar(target) if output is None else None
    if sidecar is not None:
        remove_sidecar(sidecar, human=all)
    return old


def _remove_from_file(path, destination, human, manner):
    if picture_kind(path):
        untag_picture(path, destination, manner, human=human)
        return
    with opened(path, destination) as source:
        edits = make_edits(source, [], partial(is_tag, human=human))
        if edits:
            edits = sealed(source, edits, force=True)
        save(source, edits, destination, manner)


def _beside(target, prediction, output):
    """Return where the sidecar of a file goes, its header as it is, and its cards as they are to be."""
    if not is_path(target):
        msg = f"sidecar=True needs a path, not an object in memory ({type(target).__name__}); name the file"
        raise TagError(msg)
    path, _ = find_paths(target, None)
    own = read_block(path)
    if own is not None and own.verdict is not None:
        msg = f"{target}: has tags of its own, which go before those of a sidecar; untag it first"
        raise TagError(msg)
    _check_unchanged(path, path.stat(), prediction.origin)
    place = place_sidecar(target, output)
    return place, *new_sidecar(target, prediction, place)


def _tagging(source, prediction, destination, force):
    """Return the new cards of the headers that tagging changes, by index of the HDU."""
    _check_unchanged(source.path, source.stat, prediction.origin)
    cards = to_cards(prediction, file=file_name(homes(source.hdus), destination))
    return sealed(source, make_edits(source, cards, is_tag), force)


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
