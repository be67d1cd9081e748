# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of tile-compressed images whose tiles or tables are damaged: none ends the interpreter, or takes its memory."""

import gzip
import io
import struct

import numpy as np
import pytest
from astropy.io import fits
from numpy.testing import assert_array_equal

from astroclf import FrameError, read_frame

SIDE = 64


def picture():
    """Return numbers that every compression keeps."""
    return np.random.default_rng(5).integers(20, 120, (SIDE, SIDE)).astype(np.int16)


def compressed(kind, rows=16):
    """Return the bytes of a file of one image in tiles of so many rows, and where its heap begins."""
    file = io.BytesIO()
    hdu = fits.CompImageHDU(picture(), compression_type=kind, name="IM", tile_shape=(rows, SIDE))
    fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(file)
    with fits.open(io.BytesIO(file.getvalue()), disable_image_compression=True) as hdul:
        table = hdul[1]
        heap = table.fileinfo()["datLoc"] + table.header["NAXIS1"] * table.header["NAXIS2"]
    return bytearray(file.getvalue()), heap


def refusal(content):
    """Return why a file is refused."""
    with pytest.raises(FrameError, match="HDU IM,1 cannot be read") as info:
        read_frame(io.BytesIO(bytes(content)))
    return str(info.value)


# the size of the tile is at bytes 2 and 6 of its stream, the bit planes of its quadrants at 22 to 24
HCOMPRESS = {
    "larger": (2, struct.pack(">2i", 128, 128)),
    "empty": (2, struct.pack(">2i", 16, 0)),
    "negative": (2, struct.pack(">2i", -16, 64)),
    "transposed": (2, struct.pack(">2i", 16, 16)),
    "bit planes": (22, b"\xff\xff\xff"),
    "magic": (0, b"\0\0"),
}


@pytest.mark.parametrize("damage", HCOMPRESS)
def test_hcompress(damage):
    """A tile of HCOMPRESS that claims another size, or more bits than there are, is refused: no crash."""
    content, heap = compressed("HCOMPRESS_1")
    at, replacement = HCOMPRESS[damage]
    content[heap + at : heap + at + len(replacement)] = replacement
    assert "the tiles cannot be decoded" in refusal(content)


@pytest.mark.parametrize("kind", ["HCOMPRESS_1", "PLIO_1", "RICE_1", "GZIP_1", "GZIP_2"])
@pytest.mark.parametrize("fill", [0, 255])
def test_lost_tiles(kind, fill):
    """Tiles that were overwritten give other pixels or a refusal, nothing else."""
    content, heap = compressed(kind)
    content[heap + 30 :] = bytes([fill]) * (len(content) - heap - 30)
    try:
        assert read_frame(io.BytesIO(bytes(content))).shape == (SIDE, SIDE)
    except FrameError as error:
        assert "HDU IM,1 cannot be read" in str(error)  # noqa: PT017  either end is right


def test_large_tile_of_zeros():
    """A large tile of RICE that ends in zeros, beyond which its decoder would read on, is decoded apart."""
    image = np.random.default_rng(1).integers(-(2**30), 2**30, (256, 256)).astype(np.int32)
    hdu = fits.CompImageHDU(image, compression_type="RICE_1", tile_shape=(256, 256), name="IM")
    file = io.BytesIO()
    fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(file)
    content = bytearray(file.getvalue())
    content[-200_000:] = bytes(200_000)
    assert "cannot be decoded" in refusal(content)
    assert_array_equal(read_frame(file).ccd.data, image.astype(np.float32))


def test_tiles_of_many_rows():
    """An image in one tile is decoded once, however it is read."""
    content, _ = compressed("RICE_1", rows=SIDE)
    assert_array_equal(read_frame(io.BytesIO(bytes(content))).ccd.data, picture())


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("ZNAXIS1 =                   64", "ZNAXIS1 =                  640", "its table has 4 rows for 40 tiles"),
        ("ZNAXIS2 =                   64", "ZNAXIS2 =                 6400", "its table has 4 rows for 400 tiles"),
        ("ZTILE1  =                   64", "ZTILE1  =                   -4", "do not fit"),
        ("ZVAL1   =                   32", "ZVAL1   =                    0", "BLOCKSIZE = 0"),
        ("ZVAL2   =                    2", "ZVAL2   =                    8", "BYTEPIX = 8"),
        ("PCOUNT  =", "PCOUNT  =                    9 /", "points beyond the end"),
    ],
)
def test_tables_that_do_not_fit(old, new, reason):
    """Parameters and tables of tiles that cannot be are refused before anything is decoded."""
    content, _ = compressed("RICE_1")
    at = content.index(old.encode())
    content[at : at + len(new)] = new.encode()
    assert reason in refusal(content)


def test_tiles_that_blow_up():
    """A tile of gzip that unpacks to more than the image is refused."""
    content, _ = compressed("GZIP_1")
    bomb = gzip.compress(bytes(2**27))
    with fits.open(io.BytesIO(bytes(content)), disable_image_compression=True) as hdul:
        hdul[1].header["PCOUNT"] = len(bomb)
        content = bytearray(b"".join(hdu.header.tostring().encode() for hdu in hdul))
    data = struct.pack(">8i", *([len(bomb), 0] * 4)) + bomb
    content += data + bytes(-len(data) % 2880)
    assert "a tile unpacks to more than" in refusal(content)
