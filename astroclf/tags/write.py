# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Write and remove tag blocks."""

from functools import partial
from pathlib import Path

from astroclf.exceptions import TagError
from astroclf.frames.files.pictures import picture_kind
from astroclf.frames.frame import fingerprint
from astroclf.tags import memory
from astroclf.tags.fitsfile import homes
from astroclf.tags.keywords import is_tag, to_cards
from astroclf.tags.picture import plan_picture, tag_picture, untag_picture
from astroclf.tags.read import file_name, is_path, read_block, read_tags
from astroclf.tags.replacing import check_replaceable
from astroclf.tags.rewrite import Change, Source, find_paths, make_edits, opened, planned, save, sealed, set_block
from astroclf.tags.sidecar import find_sidecar, is_sidecar, new_sidecar, place_sidecar, remove_sidecar, save_sidecar

__all__ = ["plan_tags", "remove_tags", "write_tags"]


def write_tags(target, prediction, *, output=None, sidecar=False, force=False, detach=False):
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
    sidecar : bool, optional
        Leave the file alone, whatever its kind, and write the block to a FITS file of its own that is but a header:
        ``<name>_astroclf.fits``, beside the file or into the folder ``output``.
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
        cannot be replaced. It is as it was. Or if a sidecar is asked for where the file has a block of its own, or
        another file is where it goes.

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
    if picture_kind(path):
        _check_unchanged(path, path.stat(), prediction.origin)
        tag_picture(path, prediction, destination, detach)
        return read_tags(destination)
    with opened(path) as source:
        edits = _tagging(source, prediction, destination, force)
        save(source, edits, destination, detach)
    return read_tags(destination)


def plan_tags(path, prediction, *, output=None, sidecar=False, force=False, detach=False):
    """
    Return what `write_tags` would change, and write nothing.

    Parameters
    ----------
    path, prediction, output, sidecar, force, detach
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
        check_replaceable(place)
        return planned(Source(place, None, None, 0, [old]), {0: cards})
    path, destination = find_paths(path, output)
    if picture_kind(path):
        values = plan_picture(path, prediction, destination, detach)
        return [Change(0, "", f"{keyword:8}= {value}") for keyword, value in values.items()]
    with opened(path) as source:
        edits = _tagging(source, prediction, destination, force)
        check_replaceable(destination, detach)
        return planned(source, edits)


def remove_tags(target, *, all=False, output=None, detach=False):
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
        set_block(target, [], partial(is_tag, human=all), output)
        return old
    if output is None and is_sidecar(target):
        remove_sidecar(Path(target), human=all)
        return old
    _remove_from_file(*find_paths(target, output), all, detach)
    sidecar = find_sidecar(target) if output is None else None
    if sidecar is not None:
        remove_sidecar(sidecar, human=all)
    return old


def _remove_from_file(path, destination, human, detach):
    if picture_kind(path):
        untag_picture(path, destination, detach, human)
        return
    with opened(path) as source:
        edits = make_edits(source, [], partial(is_tag, human=human))
        if edits:
            edits = sealed(source, edits, force=True)
        if edits or destination != path:
            save(source, edits, destination, detach)


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
