# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Seeded damage to files: what disks, networks, people and their programs do to FITS files, and worse."""

import bz2
import gzip
import random
import tempfile
from pathlib import Path

import numpy as np
from astropy.io import fits

__all__ = ["damaged", "seeds", "simulated"]

BLOCK, CARD = 2880, 80
KEYWORDS = (
    "SIMPLE BITPIX NAXIS NAXIS1 NAXIS2 NAXIS3 PCOUNT GCOUNT EXTEND GROUPS XTENSION EXTNAME EXTVER TFIELDS TFORM1 TTYPE1"
    " THEAP ZIMAGE ZCMPTYPE ZBITPIX ZNAXIS ZNAXIS1 ZNAXIS2 ZTILE1 ZTILE2 ZNAME1 ZVAL1 ZVAL2 ZQUANTIZ ZDITHER0 ZBLANK"
    " BSCALE BZERO BLANK BUNIT NPIX1 NPIX2 PIXVALUE INSTRUME DETECTOR TELESCOP CCDCHIP CCDAMP LTV1 LTV2 BIASSEC TRIMSEC"
    " DETSEC DATASEC CCDSUM ATODGNA CCDGAIN NSAMP NEXTEND CTYPE1 CRPIX1 CD1_1 CHECKSUM DATASUM EXPTIME"
).split()
VALUES = (
    "0", "1", "-1", "2", "3", "8", "16", "-32", "-64", "7", "999", "1048576", "2147483647", "2147483648", "-2147483648",
    "9223372036854775807", "99999999999999999999", "1.5", "-0.0", "1E400", "NAN", "T", "F", "", "'", "''", "'SCI'",
    "'DQ'", "'IMAGE   '", "'BINTABLE'", "'RICE_1'", "'HCOMPRESS_1'", "'1PB(9)'", "'1QD(2)'", "'[1:10,1:10]'",
    "'[0:-1,5:2]'", "'1 1'", "'ABCD'", "(1, 2)", "\xff\xfe",
)  # fmt: skip
SIDE = 48


def seeds():
    """
    Make small files of every make.

    Returns
    -------
    files : dict of str to bytes
        Sound FITS files by what they are.
    """
    rng = np.random.default_rng(7)
    image, dq = rng.normal(100, 9, (SIDE, SIDE)).astype(np.float32), np.eye(SIDE, dtype=np.int16)
    counts = rng.integers(0, 60000, (SIDE, SIDE)).astype(np.uint16)
    table = fits.BinTableHDU.from_columns(
        [fits.Column("a", "E", array=[1.0]), fits.Column("b", "PJ()", array=[[1, 2]])]
    )
    null = fits.ImageHDU(name="DQ")
    null.header.update(NPIX1=SIDE, NPIX2=SIDE, PIXVALUE=0)
    made = {
        "plain": [fits.PrimaryHDU(image)],
        "unsigned": [fits.PrimaryHDU(counts)],
        "double": [fits.PrimaryHDU(), fits.ImageHDU(image.astype(float))],
        "cube": [fits.PrimaryHDU(np.stack([image] * 3))],
        "table": [fits.PrimaryHDU(), table],
        "groups": [fits.GroupsHDU(fits.GroupData(np.zeros((5, 1, 1, 3, 4), "f4"), parnames=["a"], pardata=[range(5)]))],
        "science": [_primary(), fits.ImageHDU(image, name="SCI"), fits.ImageHDU(image, name="ERR"),
                    fits.ImageHDU(dq, name="DQ")],
        "null": [_primary(INSTRUME="WFC3", DETECTOR="UVIS"), fits.ImageHDU(image, name="SCI"), null],
        "drizzled": [_primary(DRIZCORR="COMPLETE"), fits.ImageHDU(image, name="SCI"), fits.ImageHDU(image, name="WHT")],
    }  # fmt: skip
    for kind in ("RICE_1", "GZIP_1", "GZIP_2", "HCOMPRESS_1", "PLIO_1"):
        tiled = fits.CompImageHDU((counts % 100).astype(np.int16), compression_type=kind, tile_shape=(16, SIDE))
        made[kind] = [fits.PrimaryHDU(), tiled]
    made["quantized"] = [fits.PrimaryHDU(), fits.CompImageHDU(image, quantize_method=2)]
    files = {name: content(hdus) for name, hdus in made.items()}
    files |= {f"{name}.gz": gzip.compress(files[name]) for name in ("plain", "science", "quantized")}
    return files | {f"{name}.bz2": bz2.compress(files[name]) for name in ("plain", "science")}


def simulated(largest=1_100_000):
    """
    Make corners of the simulated frames of every camera.

    Parameters
    ----------
    largest : int, optional
        Pixels of the largest frames that are made.

    Returns
    -------
    files : dict of str to bytes
        By layout: the headers are whole, of the arrays there are 48 x 48 pixels at most.
    """
    from astroclf.datasets import LAYOUTS, make_frame

    files = {}
    for name, layout in LAYOUTS.items():
        if np.prod(layout.plane) <= largest:
            hdul = make_frame(name, "star_field", seed=1)
            for hdu in hdul:
                if isinstance(hdu, fits.PrimaryHDU | fits.ImageHDU) and hdu.data is not None:
                    hdu.data = hdu.data[..., :SIDE, :SIDE].copy()
            files[name] = content(hdul)
    return files


def content(hdus):
    """Return the bytes of a file of these HDUs."""
    with tempfile.TemporaryDirectory() as folder:  # astropy writes random groups to real files only
        path = Path(folder, "whole.fits")
        fits.HDUList(hdus).writeto(path, checksum=True, output_verify="silentfix")
        return path.read_bytes()


def _primary(**cards):
    hdu = fits.PrimaryHDU()
    hdu.header.update({"TELESCOP": "HST", "INSTRUME": "ACS", "DETECTOR": "WFC", "CCDGAIN": 1.0} | cards)
    return hdu


def damaged(whole, number):
    """
    Damage a file.

    Parameters
    ----------
    whole : bytes
        A FITS file, packed or not.
    number : int or str
        Which damage.

    Returns
    -------
    content : bytes
        The same for the same arguments, always.
    """
    rng, broken = random.Random(str(number)), bytearray(whole)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        broken = rng.choice(DAMAGES)(broken, rng)
    return bytes(broken)


def _cut(broken, rng):
    return broken[: rng.randrange(len(broken) + 1)]


def _flip_bits(broken, rng):
    for _ in range(rng.choice((1, 4, 32))):
        if broken:
            broken[rng.randrange(len(broken))] ^= 1 << rng.randrange(8)
    return broken


def _edit_cards(broken, rng):
    """Give keywords of the headers other values."""
    for _ in range(rng.randrange(1, 4)):
        keyword, value = rng.choice(KEYWORDS), rng.choice(VALUES)
        card = f"{keyword:8}= {value:>20}".encode("latin-1").ljust(CARD)[:CARD]
        places = [at for at in range(0, len(broken) - CARD, CARD) if broken[at : at + 8] == card[:8]]
        spare = [at for at in range(0, min(len(broken), 10 * BLOCK), CARD) if broken[at : at + 3] == b"END"]
        for at in rng.sample(places, 1) if places else spare[:1]:
            broken[at : at + CARD] = card + (b"" if places else b"END".ljust(CARD))
    return broken


def _write_over_headers(broken, rng):
    for _ in range(rng.choice((1, 3))):
        if len(broken) > CARD:
            at = rng.randrange(0, min(len(broken), 6 * BLOCK))
            broken[at : at + 1] = rng.choice((b"0", b"9", b"-", b"'", b" ", b"\0", b"\xff", b"E", b"T"))
    return broken


def _move_blocks(broken, rng):
    """Swap, repeat, drop or blank blocks, as tapes and disks do."""
    count = max(len(broken) // BLOCK, 1)
    first, second = (BLOCK * rng.randrange(count) for _ in range(2))
    block = broken[first : first + BLOCK]
    how = rng.randrange(4)
    if how == 0:
        broken[first : first + BLOCK], broken[second : second + BLOCK] = broken[second : second + BLOCK], block
    elif how == 1:
        broken[second:second] = block
    elif how == 2:
        del broken[first : first + BLOCK]
    else:
        broken[first : first + BLOCK] = bytes([rng.choice((0, 32, 255))]) * len(block)
    return broken


def _lose_end(broken, rng):
    """Fill the file with one byte from somewhere on, as a download does that was given its room beforehand."""
    at = rng.randrange(len(broken) + 1)
    return broken[:at] + bytes([rng.choice((0, 255))]) * (len(broken) - at)


def _damage_tail(broken, rng):
    """Write over bytes of the last third, where compressed tiles are."""
    for _ in range(rng.choice((1, 8, 64))):
        if broken:
            broken[rng.randrange(2 * len(broken) // 3, len(broken))] = rng.randrange(256)
    return broken


def _pack(broken, rng):
    return bytearray(rng.choice((gzip.compress, bz2.compress))(bytes(broken)))


DAMAGES = (
    _cut, _flip_bits, _edit_cards, _edit_cards, _edit_cards, _write_over_headers, _move_blocks, _lose_end, _damage_tail,
    _pack,
)  # fmt: skip
