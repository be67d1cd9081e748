# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Tile-compressed images, whose decoders trust what they are given.

Those of astropy, which are cfitsio's, do not know where a tile ends. A damaged HCOMPRESS tile may claim up to
eight times the pixels of its tile, which are then written beyond it, or none, which divides by zero; it may also be
read far beyond its end, as may one of PLIO and a large one of RICE that ends in zeros. Each ends the interpreter.
So what can be checked is checked, and these are decoded by a process of their own.
"""

import gzip
import io
import math
import subprocess
import sys
import warnings
import zlib
from contextlib import suppress
from pathlib import Path
from weakref import WeakKeyDictionary, WeakSet

import numpy as np
from astropy.io import fits

from astroclf.exceptions import FrameError

__all__ = ["check_tiles", "decoded"]

_ALONE = {"HCOMPRESS_1", "PLIO_1"}
_GZIP = b"\x1f\x8b"
_WIDTHS = {"B": "u1", "I": "i2", "J": "i4", "D": "f8", "E": "f4"}
_LARGEST_BLOCK = 256
_LARGE = 2**16
"""Bytes of a tile from which memory beyond it may be out of reach, or from which gzip may unpack much."""

_ROWS = 64
"""Rows of tiles from which an image is decoded once and kept, rather than each time some rows are read."""

_PATIENCE = 600
_SEEDS = 10000
_kept, _sound = WeakKeyDictionary(), WeakSet()


def check_tiles(hdu, where):
    """
    Refuse a tile-compressed image whose table does not fit its header, or unpacks to more than the header says.

    Parameters
    ----------
    hdu : `~astropy.io.fits.CompImageHDU`
        The image, of a file.
    where : str
        What to call it in messages.

    Raises
    ------
    FrameError
        If it cannot be decoded.
    """
    if hdu in _sound:
        return
    problem = _header_problem(hdu) or _table_problem(hdu)
    if problem:
        msg = f"{where} cannot be read, it may be damaged: {problem}"
        raise FrameError(msg)
    _sound.add(hdu)


def _header_problem(hdu):
    """Return what is wrong with the parameters of the compression; None if nothing is."""
    header = _header(hdu)
    settings = {header.get(f"ZNAME{n}"): header.get(f"ZVAL{n}") for n in range(1, 10)}
    block, width, seed = settings.get("BLOCKSIZE", 32), settings.get("BYTEPIX", 4), header.get("ZDITHER0", 1)
    if len(hdu.tile_shape) != len(hdu.shape) or min(hdu.tile_shape) < 1:
        return f"tiles of {hdu.tile_shape} do not fit an array of {hdu.shape}"
    if not 1 <= block <= _LARGEST_BLOCK or width not in (1, 2, 4):
        return f"BLOCKSIZE = {block}, BYTEPIX = {width}"
    return None if 1 <= seed <= _SEEDS else f"ZDITHER0 = {seed}, which is not from 1 to {_SEEDS}"


def _table_problem(hdu):
    """Return what is wrong with the table of tiles; None if nothing is."""
    tiles, rows = math.prod(-(-n // t) for n, t in zip(hdu.shape, hdu.tile_shape)), len(hdu.compressed_data)
    if rows != tiles:
        return f"its table has {rows} rows for {tiles} tiles"
    header = _header(hdu)
    heap = header["NAXIS1"] * header["NAXIS2"] + header["PCOUNT"] - _heap_start(header)
    for name, (lengths, starts) in _tiles(hdu).items():
        if (lengths < 0).any() or (starts < 0).any() or (starts + lengths > heap).any():
            return f"{name} points beyond the end of the HDU"
    most = 8 * math.prod(map(min, hdu.tile_shape, hdu.shape)) + _LARGE
    if any(_unpacked_size(tile, most) > most for tile in _large_tiles(hdu) if tile.startswith(_GZIP)):
        return f"a tile unpacks to more than {most} bytes"
    return None


def decoded(hdu):
    """
    Return what to slice for the pixels of a tile-compressed image of a file.

    Parameters
    ----------
    hdu : `~astropy.io.fits.CompImageHDU`
        The image, which passed `check_tiles`.

    Returns
    -------
    array : `~numpy.ndarray` or section
        BSCALE, BZERO and BLANK applied.

    Raises
    ------
    ValueError
        If it cannot be decoded.
    """
    if hdu not in _kept:
        if hdu.compression_type in _ALONE or any(tile.endswith(b"\0\0") for tile in _large_tiles(hdu)):
            _kept[hdu] = _decoded_alone(hdu)
        elif max(hdu.tile_shape[:-1], default=1) < _ROWS:
            return hdu.section
        else:
            _kept[hdu] = hdu.section[...]
    return _kept[hdu]


def _decoded_alone(hdu):
    """Return an image decoded by another process, whose end is not ours."""
    place = hdu.fileinfo()
    content = _bytes(place, place["hdrLoc"], place["datLoc"] + place["datSpan"] - place["hdrLoc"])
    command = [sys.executable, "-P", str(Path(__file__))]
    done = subprocess.run(command, input=content, capture_output=True, timeout=_PATIENCE, check=False)
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        reason = said[-1] if said and done.returncode > 0 else "its decoder broke down"
        msg = f"the tiles cannot be decoded: {reason}"
        raise ValueError(msg)
    return np.load(io.BytesIO(done.stdout), allow_pickle=False)


def _decode(content):
    """Return the array of one HDU, given its bytes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        primary = fits.PrimaryHDU().header.tostring().encode()
        with fits.open(io.BytesIO(primary + content)) as hdul:
            return hdul[1].section[...]


def _bytes(place, start, size):
    place["file"].seek(start)
    return place["file"].read(size)


def _header(hdu):
    """Return the header of the table an image is kept in."""
    place = hdu.fileinfo()
    return fits.Header.fromstring(_bytes(place, place["hdrLoc"], place["datLoc"] - place["hdrLoc"]))


def _heap_start(header):
    return header.get("THEAP", header["NAXIS1"] * header["NAXIS2"])


def _tiles(hdu):
    """Return length and start of the tiles in the heap, in bytes, by the name of their column."""
    table, found = hdu.compressed_data, {}
    for column in table.columns:
        if column.name.endswith("COMPRESSED_DATA"):
            width = np.dtype(_WIDTHS[column.format.lstrip("01")[1:2]]).itemsize
            lengths, starts = np.asarray(table[column.name], np.int64).reshape(-1, 2).T
            found[column.name] = lengths * width, starts
    return found


def _large_tiles(hdu):
    """Yield the bytes of tiles that are large."""
    place = hdu.fileinfo()
    heap = place["datLoc"] + _heap_start(_header(hdu))
    for lengths, starts in _tiles(hdu).values():
        for tile in np.flatnonzero(lengths >= _LARGE):
            yield _bytes(place, heap + int(starts[tile]), int(lengths[tile]))


def _unpacked_size(tile, most):
    """Return the bytes a tile of gzip unpacks to, or some more than ``most``."""
    size = 0
    with suppress(OSError, EOFError, zlib.error), gzip.open(io.BytesIO(tile)) as file:
        while size <= most and (chunk := file.read(_LARGE)):
            size += len(chunk)
    return size


if __name__ == "__main__":
    try:
        np.save(sys.stdout.buffer, _decode(sys.stdin.buffer.read()), allow_pickle=False)
    except Exception as error:
        sys.exit(" ".join(str(error).split()) or type(error).__name__)
