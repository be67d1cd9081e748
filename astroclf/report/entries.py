# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""What the headers of one file say, and the picture beside it; pixels are not read."""

import math
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from astropy.io import fits

from astroclf.exceptions import AstroclfError, TagError
from astroclf.frames.facts import header_facts
from astroclf.frames.files.avm import avm_header, avm_wcs, read_avm
from astroclf.frames.files.pictures import is_annotated, picture_kind
from astroclf.frames.files.quiet import quiet
from astroclf.frames.frame import Facts
from astroclf.frames.reading import image_wcs
from astroclf.frames.sky import pixel_to_sky
from astroclf.report.thumbnails import THUMBNAIL_SIZE, find_image, make_thumbnail
from astroclf.tags.container import open_fits
from astroclf.tags.fitsfile import walk
from astroclf.tags.labelled import find_files
from astroclf.tags.read import Tags, is_path, read_tags
from astroclf.tags.sidecar import is_sidecar, subject_of

__all__ = ["Entry", "collect_entries", "read_entry", "report_files"]

_POINTINGS = ("RA_TARG", "DEC_TARG"), ("TARG_RA", "TARG_DEC")
"""Keywords of Hubble and of JWST for the target, in degrees, ICRS."""

_TABLES = "CPDIS", "DP1", "DP2", "D2IM", "CQDIS", "DQ1", "DQ2"
"""Beginnings of keywords about distortions kept in tables, which move the middle of a frame by some pixels at most."""

_AXES = ("NAXIS1", "NAXIS2"), ("ZNAXIS1", "ZNAXIS2")


@dataclass(frozen=True)
class Entry:
    """
    A file of a report.

    Parameters
    ----------
    path : `~pathlib.Path`
        The file.
    tags : `~astroclf.tags.Tags` or None
        Its tags; None where it has none, or could not be read.
    facts : `~astroclf.frames.Facts`
        What its headers say of the observation.
    position : tuple of float or None
        Right ascension and declination in degrees, ICRS: of the middle of the image, else of the target.
    picture : `~pathlib.Path` or None
        The annotated picture beside it, if there is one; else that of another file with the same combined verdict.
    thumbnail : bytes
        A small JPEG of that picture; empty if there is none.
    crop : tuple of float
        Where the image is in that picture: left, upper, right and lower edge as fractions of its width and height, and
        its width over its height; empty if there is no picture.
    error : str
        Why the file could not be read; empty if it was.
    """

    path: Path
    tags: Tags | None = None
    facts: Facts = field(default_factory=Facts)
    position: tuple[float, float] | None = None
    picture: Path | None = None
    thumbnail: bytes = b""
    crop: tuple[float, ...] = ()
    error: str = ""


def collect_entries(paths, *, thumbnail_size=THUMBNAIL_SIZE):
    """
    Read the headers of files.

    Parameters
    ----------
    paths : path-like or iterable of path-like
        Files and folders, which are searched as by `~astroclf.tags.labelled_files`; of those found, annotated
        pictures are left out, and a file met twice comes once.
    thumbnail_size : int, optional
        As for `read_entry`.

    Returns
    -------
    entries : list of Entry
        One a file, in the order given and, in folders, of the names. A file that cannot be read has an ``error``.
    """
    return [_entry_or_error(path, thumbnail_size) for path in report_files(paths)]


def report_files(paths):
    """
    List the files of a report.

    Parameters
    ----------
    paths : path-like or iterable of path-like
        As for `collect_entries`.

    Returns
    -------
    files : list of `~pathlib.Path`
        A path that does not exist is one of them; a sidecar in another folder takes the place of its file.
    """
    files = {}
    for path in map(Path, [paths] if is_path(paths) else paths):
        for file in find_files(path, apart=True):
            if file == path or not _is_drawing(file):
                files.setdefault(file.resolve(), file)
    for sidecar in list(filter(is_sidecar, files.values())):
        with suppress(TagError):
            files.pop(subject_of(sidecar).resolve(), None)
    return list(files.values())


def read_entry(path, *, thumbnail_size=THUMBNAIL_SIZE):
    """
    Read the headers of a file, and the annotated picture beside it.

    Parameters
    ----------
    path : path-like
        A FITS file or a picture, or a sidecar: then the headers are those of its file, if that is there.
    thumbnail_size : int, optional
        Longer side of the thumbnail in pixels; 0 for none.

    Returns
    -------
    entry : Entry
        The ``error`` is empty.

    Raises
    ------
    TagError
        If the file cannot be read or is not FITS.
    """
    path = Path(path)
    tags = read_tags(path)
    facts, position = _read_observation(path)
    picture = _find_picture(path, tags)
    if picture is None:
        return Entry(path, tags, facts, position)
    thumbnail = make_thumbnail(picture, thumbnail_size) if thumbnail_size else b""
    return Entry(path, tags, facts, position, picture, thumbnail, find_image(picture))


def _find_picture(path, tags):
    """Return the annotated picture beside a file, else that beside a file its verdict is shared with; None without."""
    from astroclf.annotation.files import picture_path

    own = picture_path(path, ending="") if is_sidecar(path) else picture_path(path)
    if own != path and _is_drawing(own):
        return own
    others = [path.parent / name for name in tags.inputs if _is_name(name)] if tags else []
    shared = (other for other in others if _is_drawing(picture_path(other)) and _shares(other, path))
    return next(map(picture_path, shared), None)


def _is_name(value):
    """Tell whether the value of a card is the name of a file, without a folder."""
    return isinstance(value, str) and value.isprintable() and Path(value).name == value != ""


def _shares(other, path):
    """Tell whether the verdict in a file is on another file, too."""
    try:
        tags = read_tags(other)
    except (AstroclfError, OSError):
        return False
    return tags is not None and path.name in tags.inputs


def _entry_or_error(path, thumbnail_size):
    try:
        return read_entry(path, thumbnail_size=thumbnail_size)
    except (AstroclfError, OSError) as error:
        return Entry(path, error=str(error).removeprefix(f"{path}: "))


def _is_drawing(path):
    """Tell whether a file is a picture that astroclf drew; a tagged copy of a picture is none."""
    try:
        return is_annotated(path)
    except OSError:
        return False


def _read_observation(path):
    """Return facts and position by the headers of a file; nothing for a sidecar whose file is gone."""
    try:
        subject = subject_of(path)
    except TagError:
        return Facts(), None
    return _read_picture_facts(subject) if picture_kind(subject) else _read_facts(subject)


def _read_facts(path):
    """Return what the headers of a FITS file say: the primary and that of the first image."""
    with open_fits(path) as stream, quiet():
        hdus = walk(stream, path)
        primary = _header(next(hdus))
        image = primary if _shape(primary) else next(filter(_shape, map(_header, hdus)), None)
    merged = primary.copy()
    if image is not None and image is not primary:
        merged.extend(image, unique=True)
    with quiet():
        return header_facts(merged), _position(image, merged)


def _header(hdu):
    return fits.Header.fromstring(b"".join(hdu.cards))


def _shape(header):
    """Return the shape of the image of a header, compressed or not; None if there is none."""
    table = header.get("XTENSION") == "BINTABLE"
    if table and header.get("ZIMAGE") is not True:
        return None
    nx, ny = (header.get(keyword) for keyword in _AXES[table])
    return (ny, nx) if isinstance(nx, int) and isinstance(ny, int) and min(nx, ny) > 0 else None


def _position(image, header):
    """Return where the middle of the image is on the sky, or where the header says that the target is."""
    middle = None if image is None else _middle(image_wcs(_without_tables(image), None), _shape(image))
    return middle or next(filter(None, (_pointing(header, *keywords) for keywords in _POINTINGS)), None)


def _without_tables(header):
    return fits.Header([card for card in header.cards if not card.keyword.startswith(_TABLES)])


def _middle(wcs, shape):
    sky = pixel_to_sky(wcs, (shape[1] - 1) / 2, (shape[0] - 1) / 2)
    return None if sky is None else _on_sphere(float(sky.ra.deg), float(sky.dec.deg))


def _pointing(header, *keywords):
    try:
        return _on_sphere(*(float(header[keyword]) for keyword in keywords))
    except (KeyError, TypeError, ValueError, fits.VerifyError):
        return None


def _on_sphere(ra, dec):
    good = math.isfinite(ra) and abs(dec) <= 90
    return (ra % 360, dec) if good else None


def _read_picture_facts(path):
    """Return what the metadata of a picture say."""
    from PIL import Image

    try:
        with Image.open(path) as picture:
            avm = read_avm(picture.info.get("xmp") or picture.info.get("XML:com.adobe.xmp"))
            shape = picture.size[::-1]
    except Exception:  # Pillow raises a dozen kinds; the tags were read, and the rest is not known
        return Facts(), None
    return header_facts(avm_header(avm)), _middle(avm_wcs(avm, shape), shape)
