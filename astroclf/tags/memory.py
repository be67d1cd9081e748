# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tag blocks of headers in memory; the files they came from stay as they are."""

from pathlib import Path

from astropy.io import fits

from astroclf.exceptions import TagError
from astroclf.tags.cards import printable
from astroclf.tags.keywords import is_tag

__all__ = ["cards_of", "check_writable", "headers_of", "name_of", "set_block"]


def headers_of(source):
    """
    Find the headers a tag block can be in.

    Parameters
    ----------
    source : `~astropy.io.fits.HDUList`, `~astropy.io.fits.Header` or object with a header
        The latter is an HDU, a `~astropy.nddata.CCDData` or the like; a header that is a plain
        mapping, as of a CCDData made from an array, is first turned into a FITS header.

    Returns
    -------
    headers : list of `~astropy.io.fits.Header`
        The last is where a new block goes.

    Raises
    ------
    TagError
        If ``source`` has no header.
    """
    if isinstance(source, fits.Header):
        return [source]
    if isinstance(source, fits.HDUList) and source:
        return [hdu.header for hdu in source[:1] + [hdu for hdu in source[1:2] if _was_primary(hdu)]]
    header = getattr(source, "header", None)
    if isinstance(header, fits.Header):
        return [header]
    if isinstance(header, dict):
        source.header = _to_header(header)
        return [source.header]
    msg = f"{type(source).__name__} has no FITS header; give a path, an HDUList, an HDU, a Header or a CCDData"
    raise TagError(msg)


def check_writable(source):
    """
    Check that new cards will not make astropy compress pixels again.

    Parameters
    ----------
    source : object
        As for `headers_of`.

    Raises
    ------
    TagError
        If ``source`` is an HDUList in update mode whose block belongs into a compressed image:
        astropy would compress the pixels again, with loss.
    """
    if not isinstance(source, fits.HDUList) or not any(map(_was_primary, source[1:2])):
        return
    info = source.fileinfo(0)
    if info and info["filemode"] == "update" and isinstance(source[1], fits.CompImageHDU):
        msg = (
            f"{source.filename()}: closing this HDUList would compress its pixels again, with loss; "
            "close it and give the path instead"
        )
        raise TagError(msg)


def name_of(source, headers):
    """
    Return the name the file of some headers goes by.

    Parameters
    ----------
    source : object
        As for `headers_of`.
    headers : list of `~astropy.io.fits.Header`
        Its headers.

    Returns
    -------
    name : str
        FILENAME, else the base name of the file, else empty.
    """
    names = [header.get("FILENAME") for header in reversed(headers)]
    if isinstance(source, fits.HDUList) and source.filename():
        names.append(Path(source.filename()).name)
    return printable(next((name.rstrip() for name in names if isinstance(name, str) and name.strip()), ""))


def cards_of(header):
    """
    Return the cards of a tag block.

    Parameters
    ----------
    header : `~astropy.io.fits.Header`
        Any header.

    Returns
    -------
    cards : dict of int to bytes
        Card images by their place in the header, a person's label among them.
    """
    candidates = [i for i, key in enumerate(header) if key == "HISTORY" or key.startswith("CLF")]
    images = {i: header.cards[i].image.encode("latin-1", "replace") for i in candidates}
    return {i: image for i, image in images.items() if is_tag(image, human=True)}


def set_block(header, cards, drop):
    """
    Put cards at the end of a header, in place of those of a tag block.

    Parameters
    ----------
    header : `~astropy.io.fits.Header`
        Changed in place.
    cards : list of `~astropy.io.fits.Card`
        The new cards; empty to remove the old ones only.
    drop : callable
        Whether a card of the block (bytes) goes.
    """
    old = [i for i, image in cards_of(header).items() if drop(image)]
    for i in reversed(old):
        del header[i]
    for card in cards:
        header.append(card, end=True)


def _was_primary(hdu):
    """Tell whether a compressed image was the primary before, opened as an image or as a table."""
    if isinstance(hdu, fits.CompImageHDU):
        return "SIMPLE" in hdu.header
    return hdu.header.get("ZIMAGE") is True and hdu.header.get("ZSIMPLE") is True


def _to_header(mapping):
    try:
        return fits.Header(mapping)
    except ValueError as error:
        msg = f"the metadata cannot become a FITS header ({error}); set .header to a fits.Header"
        raise TagError(msg) from error
