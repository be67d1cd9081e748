# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Sidecars: tags of files that must not be touched, each in a FITS file of its own that is but a header."""

import os
import re
from contextlib import suppress
from pathlib import Path

from astropy.io import fits

from astroclf.exceptions import TagError
from astroclf.frames.files.containers import bare_name
from astroclf.frames.files.pictures import picture_kind
from astroclf.storage.folders import sync_folder
from astroclf.storage.manner import Manner
from astroclf.storage.replacing import replacing
from astroclf.tags.cards import join_cards, keyword_of, printable, split_cards
from astroclf.tags.container import open_fits
from astroclf.tags.fitsfile import HDU, homes, walk
from astroclf.tags.keywords import is_tag, make_card, to_cards

__all__ = [
    "find_sidecar",
    "is_apart",
    "is_sidecar",
    "new_sidecar",
    "place_sidecar",
    "read_sidecar",
    "remove_sidecar",
    "save_sidecar",
    "sidecar_path",
    "subject_of",
]

_ENDING = "_astroclf.fits"
_ESCAPE = re.compile(r"\\(x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8})")
_BARE = tuple(split_cards(fits.PrimaryHDU().header.tostring(endcard=False, padding=False).encode("ascii")))
"""Cards of a FITS file without data."""


def sidecar_path(path, folder=None):
    """
    Return where the sidecar of a file is.

    Parameters
    ----------
    path : path-like
        The file; it need not exist.
    folder : path-like, optional
        Folder of the sidecar; by default that of the file.

    Returns
    -------
    sidecar : `~pathlib.Path`
        ``<name>_astroclf.fits``, where ``<name>`` is the file's without ``.fits``, ``.fits.gz`` and the like.
    """
    path = Path(path)
    return (path.parent if folder is None else Path(folder)) / f"{bare_name(path)}{_ENDING}"


def read_sidecar(path):
    """
    Read a sidecar.

    Parameters
    ----------
    path : path-like
        A file; it need not exist.

    Returns
    -------
    hdu : `~astroclf.tags.fitsfile.HDU` or None
        Its header; None if it is no sidecar.
    """
    path = Path(path)
    if not path.name.endswith(_ENDING) or not path.is_file():
        return None
    with suppress(TagError), open_fits(path) as stream:
        hdus = list(walk(stream, path))
        if len(hdus) == 1 and hdus[0].get("NAXIS") == 0 and hdus[0].get("CLFSIDE"):
            return hdus[0]
    return None


def is_sidecar(path):
    """Tell whether a file is a sidecar."""
    return read_sidecar(path) is not None


def is_apart(path):
    """Tell whether a file is a sidecar in another folder than the file that it is of, or of one that is gone."""
    hdu = read_sidecar(path)
    if hdu is None:
        return False
    owner = _owner(hdu, Path(path))
    return owner is None or owner.parent != _without_links(path).parent


def find_sidecar(path):
    """
    Find the sidecar beside a file.

    Parameters
    ----------
    path : path-like
        The file.

    Returns
    -------
    sidecar : `~pathlib.Path` or None
        None if there is none, or that of another file that is there, too, as ``m51.fits`` beside ``m51.fits.gz``.
    """
    beside = sidecar_path(path)
    hdu = read_sidecar(beside)
    if hdu is None or _owner(hdu, beside) not in (None, _without_links(path)):
        return None
    return beside


def subject_of(path):
    """
    Return the file that holds the pixels tags are of.

    Parameters
    ----------
    path : path-like
        A file, or a sidecar.

    Returns
    -------
    path : `~pathlib.Path`
        The file itself, or that of the sidecar.

    Raises
    ------
    TagError
        If the file that a sidecar is of is not there.
    """
    path = Path(path)
    hdu = read_sidecar(path)
    if hdu is None:
        return path
    owner = _owner(hdu, path)
    if owner is None:
        msg = f"{path}: the file that this sidecar is of, {hdu.get('CLFSIDE')}, is not there; put it back"
        raise TagError(msg)
    return owner


def _owner(hdu, path):
    """Return the file that a sidecar is of; None if it is not there. Names can have been escaped for the header."""
    text = str(hdu.get("CLFSIDE"))
    with suppress(OSError, ValueError):
        plain = _ESCAPE.sub(lambda found: chr(int(found[1][1:], 16)), text)
        files = (path.parent / name for name in (text, plain))
        return next((_without_links(file) for file in files if file.is_file()), None)
    return None


def _without_links(path):
    """Return a file by the folder it really is in; a link to a file remains one."""
    path = Path(path)
    return path.parent.resolve() / path.name


def place_sidecar(path, output):
    """
    Return where a sidecar is to be written, once it is sure that nothing of others is there.

    Parameters
    ----------
    path : path-like
        The file that it is of.
    output : path-like or None
        A folder, or the sidecar itself; None for beside the file.

    Returns
    -------
    sidecar : `~pathlib.Path`
        Where it goes.

    Raises
    ------
    TagError
        If something else is there, or the name is not that of a sidecar.
    """
    output = None if output is None else Path(output)
    sidecar = sidecar_path(path, output) if output is None or output.is_dir() else output
    if not sidecar.name.endswith(_ENDING):
        msg = f"{sidecar}: the name of a sidecar ends in {_ENDING}; choose another, or name a folder"
        raise TagError(msg)
    if not sidecar.exists():
        return sidecar
    hdu = read_sidecar(sidecar)
    if hdu is None:
        msg = f"{sidecar}: exists and is no sidecar that astroclf made; move it away, or name another folder"
        raise TagError(msg)
    if _owner(hdu, sidecar) not in (None, _without_links(path)):
        msg = f"{sidecar}: is the sidecar of {hdu.get('CLFSIDE')}; move it away, or name another folder"
        raise TagError(msg)
    return sidecar


def new_sidecar(path, prediction, sidecar):
    """
    Return the cards of a sidecar; what others and people wrote into an earlier one stays.

    Parameters
    ----------
    path : path-like
        The file that it is of.
    prediction : `~astroclf.prediction.Prediction`
        The verdict.
    sidecar : `~pathlib.Path`
        Where it goes.

    Returns
    -------
    hdu : `~astroclf.tags.fitsfile.HDU`
        The sidecar as it is, without cards if there is none.
    cards : list of bytes
        As it is to be.
    """
    old = read_sidecar(sidecar) or HDU(0, (), 0, 0, 0)
    kept = [card for card in old.cards or _BARE if not is_tag(card)]
    *block, history = to_cards(prediction, file=_file_name(Path(path)))
    side = make_card("CLFSIDE", printable(_relative(_without_links(path), sidecar.parent.resolve())))
    return old, kept + [card.image.encode("ascii") for card in (*block, side, history)]


def _file_name(path):
    from astroclf.tags.read import file_name

    if picture_kind(path):
        return printable(path.name)
    with open_fits(path) as stream:
        return file_name(homes(walk(stream, path)), path)


def _relative(path, folder):
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:  # on another drive of Windows
        return path.as_posix()


def save_sidecar(cards, sidecar):
    """
    Write a sidecar, in place of the one that is there.

    Parameters
    ----------
    cards : list of bytes
        As of `new_sidecar`.
    sidecar : `~pathlib.Path`
        Where it goes.

    Raises
    ------
    TagError
        If it cannot be written; the old one stays.
    """
    with replacing(sidecar.resolve(), Manner()) as stream:
        stream.write(join_cards(cards))


def remove_sidecar(sidecar, human=False):
    """
    Remove a sidecar; where there are labels of people in it, all but these.

    Parameters
    ----------
    sidecar : `~pathlib.Path`
        The sidecar.
    human : bool, optional
        Whether people's labels go too.

    Raises
    ------
    TagError
        If it has cards that astroclf did not write, or cannot be removed; it is as it was.
    """
    cards = read_sidecar(sidecar).cards
    foreign = [keyword_of(card) for card in cards if card not in _BARE and not is_tag(card, human=True)]
    if foreign:
        msg = f"{sidecar}: has cards that are not of astroclf: {', '.join(foreign)}; remove the file yourself"
        raise TagError(msg)
    kept = [card for card in cards if not is_tag(card, human=human) or keyword_of(card) == "CLFSIDE"]
    labels = [card for card in kept if is_tag(card, human=True) and keyword_of(card) != "CLFSIDE"]
    if labels:
        save_sidecar(kept, sidecar)
        return
    try:
        sidecar.unlink()
    except OSError as error:
        msg = f"{sidecar}: cannot be removed: {error.strerror or error}"
        raise TagError(msg) from error
    with suppress(OSError):  # it is gone; only the power cut that brings it back is not excluded
        sync_folder(sidecar.parent)
