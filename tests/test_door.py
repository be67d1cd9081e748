# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of what holds a frame: files packed and open, cut short and damaged, too large, and no FITS at all."""

import bz2
import gzip
import io
import os
import socket
import subprocess
import sys
import tempfile

import numpy as np
import pytest
from astropy.io import fits
from numpy.testing import assert_array_equal

from astroclf import FrameError, read_frame
from astroclf.datasets import make_frame
from astroclf.frames.files.containers import LARGEST_FILE, what_it_is
from astroclf.frames.files.hdus import LONGEST_HEADER
from astroclf.frames.files.limits import LARGEST_IMAGE

SHAPE = (24, 30)
NOBODY = 65534
PACK = {"plain": bytes, "gzip": gzip.compress, "bzip2": bz2.compress}


def picture(dtype=np.float32):
    """Return numbers between 20 and 120 that every type holds exactly."""
    return np.random.default_rng(5).integers(20, 120, SHAPE).astype(dtype)


def content(*hdus, **cards):
    """Return the bytes of a FITS file."""
    primary = fits.PrimaryHDU()
    primary.header.update(cards)
    file = io.BytesIO()
    fits.HDUList([primary, *hdus]).writeto(file)
    return file.getvalue()


def science():
    """Return the bytes of a file of SCI, ERR and DQ."""
    dq = np.zeros(SHAPE, np.int16)
    dq[3, 4] = 16
    return content(
        fits.ImageHDU(picture(), name="SCI"), fits.ImageHDU(picture(), name="ERR"), fits.ImageHDU(dq, name="DQ")
    )


def refusal(source, **options):
    """Return the one line with which a source is refused."""
    with pytest.raises(FrameError) as info:
        read_frame(source, **options)
    text = str(info.value)
    assert "\n" not in text
    return text


# ---------------------------------------------------------------------------------------- containers


@pytest.mark.parametrize("pack", PACK)
@pytest.mark.parametrize("name", ["a.fits", "a.fit", "a.fts", "a.gz", "a.jpg", "a"])
def test_names_do_not_matter(tmp_path, pack, name):
    """What a file is shows in its first bytes, whatever it is called."""
    path = tmp_path / name
    path.write_bytes(PACK[pack](science()))
    frame = read_frame(path)
    assert_array_equal(frame.ccd.data, picture())
    assert np.argwhere(frame.ccd.mask).tolist() == [[3, 4]]


def test_gzip_of_several_members(tmp_path):
    """A gzip file made of pieces, as parallel packers write it, is read whole."""
    path, whole = tmp_path / "a.fits.gz", science()
    path.write_bytes(b"".join(gzip.compress(whole[at : at + 2000]) for at in range(0, len(whole), 2000)))
    assert_array_equal(read_frame(path).ccd.data, picture())


@pytest.mark.parametrize("pack", ["gzip", "bzip2"])
def test_damaged_packing(tmp_path, pack):
    """A packed file that is cut short, or whose bytes do not add up, is refused."""
    path, packed = tmp_path / "a", PACK[pack](science())
    for at in (3, 30, len(packed) // 2, len(packed) - 1):
        path.write_bytes(packed[:at])
        assert "damaged or cut short" in refusal(path) or at == 3
    damaged = bytearray(packed)
    damaged[len(packed) // 2] ^= 0xFF
    path.write_bytes(damaged)
    assert refusal(path)


@pytest.mark.parametrize("kind", ["RICE_1", "GZIP_1", "GZIP_2", "HCOMPRESS_1"])
def test_quantized(tmp_path, kind):
    """Real numbers come back within the quantization from every tile compression."""
    image = picture() + np.random.default_rng(1).normal(0, 1, SHAPE).astype(np.float32)
    hdu = fits.CompImageHDU(image, compression_type=kind, tile_shape=(12, 30), quantize_level=16)
    path = tmp_path / "a.fits.fz"
    path.write_bytes(content(hdu))
    assert np.abs(read_frame(path).ccd.data - image).max() < 30 / 16


def test_packed_twice(tmp_path):
    """A packed file in a packed file is named as such."""
    path = tmp_path / "a.fits.gz.gz"
    path.write_bytes(gzip.compress(gzip.compress(science())))
    assert refusal(path).endswith("not a FITS file; it is packed twice; unpack it once with gunzip")


# ---------------------------------------------------------------------------------------- open files


class Slow(io.RawIOBase):
    """A stream that cannot seek, like a pipe or an answer from a server."""

    def __init__(self, content):
        self._file = io.BytesIO(content)

    def readable(self):
        """Return True."""
        return True

    def readinto(self, buffer):
        """Read at most 1000 bytes."""
        return self._file.readinto(memoryview(buffer)[:1000])


@pytest.mark.parametrize("pack", PACK)
def test_open_files(tmp_path, pack):
    """Files opened in any mode that reads, at any position, are read from their beginning and left open."""
    path, whole = tmp_path / "a", PACK[pack](science())
    path.write_bytes(whole)
    with (
        path.open("rb") as plain,
        path.open("r+b") as writable,
        path.open("rb", buffering=0) as raw,
        tempfile.TemporaryFile() as temporary,
        tempfile.SpooledTemporaryFile() as spooled,
        Slow(whole) as slow,
    ):
        temporary.write(whole)
        spooled.write(whole)
        plain.seek(77)
        for file in (plain, writable, raw, temporary, spooled, io.BytesIO(whole), slow):
            frame = read_frame(file)
            assert_array_equal(frame.ccd.data, picture())
            assert frame.ccd.mask.sum() == 1
            assert len(frame.origin.datasums) == 2
            assert (frame.origin.path, frame.origin.fingerprint) == (None, None)
            assert not file.closed
    assert path.read_bytes() == whole


def test_part_of_an_open_file():
    """Of an open file, too, an HDU can be named."""
    assert read_frame(io.BytesIO(science()), hdu="ERR").origin.hdus == ("ERR,1",)


def test_file_systems():
    """What fsspec opens is read."""
    fsspec = pytest.importorskip("fsspec")
    with fsspec.open("memory://a.fits", "wb") as file:
        file.write(science())
    with fsspec.open("memory://a.fits") as file:
        assert_array_equal(read_frame(file).ccd.data, picture())


def test_text(tmp_path):
    """A file opened as text is refused with what to do."""
    path = tmp_path / "a.fits"
    path.write_bytes(science())
    with path.open(encoding="latin-1") as file:
        assert refusal(file).endswith("opened as text (it gives str); open it with mode 'rb'")


def test_closed():
    """A closed file is refused."""
    file = io.BytesIO(science())
    file.close()
    assert "closed file" in refusal(file)


# ------------------------------------------------------------------------------------------- damage


@pytest.mark.parametrize("pack", PACK)
def test_cut_at_any_byte(tmp_path, pack):
    """A file cut at any byte of a header or image is refused with the place; only where an HDU ends it cannot show."""
    whole = science()
    ends = {2880, 8640, 14400}
    path = tmp_path / "a.fits"
    for at in sorted({*range(1, len(whole), 479), *range(14380, 14500, 7), *ends, len(whole) - 2881}):
        path.write_bytes(PACK[pack](whole[:at]))
        if at in ends - {2880}:
            assert_array_equal(read_frame(path).ccd.data, picture())
            continue
        try:
            frame = read_frame(path)
        except FrameError as error:
            assert str(error).startswith(f"{path}: ")  # noqa: PT017  either end is right
        else:
            assert len(whole) - at < 2880, at  # what fills up the last block alone is missing
            assert frame.ccd.mask.sum() == 1


def test_cut_short(tmp_path):
    """Where the rest is missing is said, and what is whole can still be had by its name."""
    path, whole = tmp_path / "a.fits", science()
    path.write_bytes(whole[: 5760 + 2880 + 2880 + 800])
    assert "cut short: of the 2880 bytes of HDU 2, 2080 are missing; get the file anew" in refusal(path)
    path.write_bytes(whole[:15000])
    assert "cut short in the header of HDU 3" in refusal(path)
    frame = read_frame(path, hdu="SCI")
    assert_array_equal(frame.ccd.data, picture())
    assert "cut short" in frame.notes[-1]
    assert "cut short" in refusal(path, hdu="DQ") or "is not in the file" in refusal(path, hdu="DQ")


def test_extensions_announced(tmp_path):
    """A file of a camera that ends where an HDU does, but before the header says, is read with a note."""
    path = tmp_path / "a.fits"
    make_frame("wfc3_uvis_c512c_flc", "no_source")[:2].writeto(path)
    (note,) = read_frame(path).notes
    assert note == "the header announces 3 extensions (NEXTEND), there are 1: the file may be cut short"
    path.write_bytes(content(fits.ImageHDU(picture(), name="SCI"), NEXTEND=3))
    assert read_frame(path).notes == ()


def test_unparsable_announcement(tmp_path):
    """NEXTEND that is no FITS announces nothing."""
    path = tmp_path / "a.fits"
    whole = content(fits.ImageHDU(picture(), name="SCI"), NEXTEND=3)
    path.write_bytes(whole.replace(b"NEXTEND =                    3", b"NEXTEND =                 (1,2"))
    assert read_frame(path).notes == ()


def test_damage_after_the_first_hdu(tmp_path):
    """Damage behind the first HDU is not looked at by what opens the first."""
    path = tmp_path / "a.fits"
    whole = content(fits.ImageHDU(picture(), name="SCI")).replace(b"EXTEND ", b"EXTENX ")
    path.write_bytes(whole.replace(b"NAXIS   =                    2", b"NAXIS   =  9223372036854775807"))
    assert "NAXIS = 9223372036854775807, which is not from 0 to 999" in refusal(path)
    path.write_bytes(path.read_bytes().replace(b"END ", b"FIN ", 1))
    assert "NAXIS = 9223372036854775807, which is not from 0 to 999" in refusal(path)


@pytest.mark.parametrize("kind", ["plain", "compressed"])
def test_wrong_datasum(tmp_path, kind):
    """Data that do not add up to DATASUM are read with a note; right sums earn none."""
    hdu = {"plain": fits.ImageHDU, "compressed": fits.CompImageHDU}[kind](picture(), name="IM")
    path = tmp_path / "a.fits"
    fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(path, checksum=True)
    frame = read_frame(path)
    assert frame.notes == ()
    with fits.open(path, disable_image_compression=True) as hdul:
        written = hdul[1].header["DATASUM"]
    path.write_bytes(path.read_bytes().replace(written.encode(), b"1".rjust(len(written), b"0")))
    (note,) = read_frame(path).notes
    assert note.startswith(f"DATASUM of HDU 1 is {'1'.rjust(len(written), '0')}, its data add up to {written}")


@pytest.mark.parametrize("rest", [b"\0" * 2880, b" " * 2880, b"junk", b" " * 80])
def test_bytes_after_the_end(tmp_path, rest):
    """What follows the last HDU and is none, such as what fills up a tape block, does no harm."""
    path = tmp_path / "a.fits"
    path.write_bytes(science() + rest)
    assert_array_equal(read_frame(path).ccd.data, picture())
    plain = io.BytesIO()
    fits.PrimaryHDU(picture()).writeto(plain)
    path.write_bytes(plain.getvalue().replace(b"EXTEND ", b"EXTENX ") + rest)
    assert_array_equal(read_frame(path).ccd.data, picture())


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (b"NAXIS1  =                   30", b"NAXIS1  =           9999999999", "cut short"),
        (b"NAXIS1  =                   30", b"NAXIS1  =                  -30", "negative size"),
        (b"NAXIS1  =                   30", b"NAXIS1  =                 'a' ", "cannot be read"),
        (b"NAXIS   =                    2", b"NAXIS   =            999999999", "cannot be read"),
        (b"GCOUNT  =                    1", b"TFIELDS =           2147483647", "not from 0 to 999"),
        (b"BITPIX  =                  -32", b"BITPIX  =                   17", "cannot be read"),
        (b"XTENSION= 'IMAGE   '", b"XTENSION= IMAGE     ", "no HDU holds an image"),
    ],
)
def test_headers_that_cannot_be(tmp_path, old, new, reason):
    """Sizes and types that cannot be are refused before anything is done about them."""
    path = tmp_path / "a.fits"
    path.write_bytes(content(fits.ImageHDU(picture(), name="SCI")).replace(old, new))
    assert reason in refusal(path)


def test_header_without_end(tmp_path):
    """A header that does not end is read up to a bound."""
    path = tmp_path / "a.fits"
    path.write_bytes(b"SIMPLE  =                    T".ljust(80) + b" " * (LONGEST_HEADER + 2880))
    assert "the header of HDU 0 is longer than 4 MiB" in refusal(path)


# ------------------------------------------------------------------------------------------- limits


def compressed(**cards):
    """Return the bytes of a file of one tile-compressed image, its table's header changed."""
    file = io.BytesIO(content(fits.CompImageHDU(picture(np.int16), name="IM")))
    with fits.open(file, disable_image_compression=True) as hdul:
        hdul[1].header.update(cards)
        out = io.BytesIO()
        hdul.writeto(out, output_verify="ignore")
    return out.getvalue()


def constant(width, height):
    """Return the bytes of a file of one image kept as one number."""
    hdu = fits.ImageHDU(name="SCI")
    hdu.header.update(NPIX1=width, NPIX2=height, PIXVALUE=1.0)
    return content(hdu)


def absurd():
    """Return the bytes of files that claim terabytes, by what claims them."""
    plain = content(fits.ImageHDU(picture(), name="SCI"))
    sizes = b"NAXIS1  =                   30", b"NAXIS1  =              1048576"
    return {
        "plain": plain.replace(*sizes).replace(b"NAXIS2  =                   24", b"NAXIS2  =              1048576"),
        "compressed": compressed(ZNAXIS1=2**20, ZNAXIS2=2**20),
        "tile": compressed(ZTILE1=2**20, ZTILE2=2**20),
        "constant": constant(2**20, 2**20),
    }


MEASURE = """
import resource, sys
from astroclf import AstroclfError, read_frame
limit = int(sys.argv[1]) * 2**20
base = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (base + limit, base + limit))
for path in sys.argv[2:]:
    try:
        print(read_frame(path))
    except AstroclfError as error:
        print(error)
"""


def with_memory(mebibytes, *paths):
    """Return the lines printed by a process that reads files with so much memory."""
    command = [sys.executable, "-c", MEASURE, str(mebibytes), *map(str, paths)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="needs Linux to know its memory")
def test_terabytes_cost_nothing(tmp_path):
    """Headers that claim terabytes are refused, by a process that could have had 100 MB more."""
    paths = []
    for name, whole in absurd().items():
        paths.append(tmp_path / f"{name}.fits")
        paths[-1].write_bytes(whole)
    lines = with_memory(100, *paths)
    assert [line.partition(": ")[0] for line in lines] == [str(path) for path in paths]
    assert not any("memory" in line for line in lines), lines


def test_largest_image(tmp_path):
    """The bound on an image is checked against what the header claims."""
    path = tmp_path / "a.fits"
    path.write_bytes(constant(LARGEST_IMAGE // 16 + 1, 16))
    assert "claims 33554433 x 16 pixels; at most 536870912 are read" in refusal(path)


@pytest.mark.parametrize("pack", ["gzip", "bzip2"])
def test_bombs(tmp_path, pack, monkeypatch):
    """What unpacks to more than the bound is given up there; what is no FITS file, at its first block."""
    assert LARGEST_FILE == 2**32
    monkeypatch.setattr("astroclf.frames.files.containers.LARGEST_FILE", 2**24)
    path = tmp_path / "a"
    path.write_bytes(PACK[pack](content() + bytes(2**25)))
    assert "holds more than" in refusal(path)
    path.write_bytes(PACK[pack](bytes(2**25)))
    assert "it is filled with zeros" in refusal(path)


# -------------------------------------------------------------------------------------- no FITS files

OTHERS = {
    b"<!DOCTYPE html><html>404": "a web page",
    b"\n\n<html><head>": "a web page",
    b"<?xml version='1.0'?><VOTABLE>": "an XML file",
    b"#ASDF 1.0.0\n": "an ASDF file",
    b"\x89HDF\r\n\x1a\n": "an HDF5 file",
    b"XISF0100": "a PixInsight XISF file",
    b"\0" * 128 + b"DICM": "a DICOM file",
    b"II*\0\x10\0\0\0CR\x02\0": "a Canon camera's raw picture",
    b"\0\0\0\x18ftypcrx ": "a Canon camera's raw picture",
    b"FUJIFILMCCD-RAW 0201": "a Fujifilm camera's raw picture",
    b"%PDF-1.7": "a PDF document",
    b"PK\x03\x04": "a zip archive",
    b"\x1f\x9d\x90": "packed by compress",
    b"\xfd7zXZ\0": "packed by xz",
    b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n": "a Git LFS pointer; run 'git lfs pull'",
    b"\x93NUMPY\x01\0": "a numpy array",
    b"x" * 257 + b"ustar\0": "a tar archive",
    b"XTENSION= 'IMAGE   '": "a FITS extension without the primary header",
    b"\0" * 3000: "filled with zeros",
    b"": "empty",
    b"object,ra,dec\n": "begins with b'object,ra,'",
}


@pytest.mark.parametrize("head", OTHERS, ids=OTHERS.values())
def test_other_files(tmp_path, head):
    """What is no FITS file is refused as what it is, with what to do."""
    path = tmp_path / "a.fits"
    path.write_bytes(head)
    text = refusal(path)
    assert text.startswith(f"{path}: not a FITS file; it ")
    assert OTHERS[head] in text
    assert what_it_is(head) in text
    if head:
        path.write_bytes(gzip.compress(head))
        assert OTHERS[head] in refusal(path)


def test_special_files(tmp_path):
    """Devices, sockets and links to nothing are refused at once."""
    link, there = tmp_path / "link.fits", tmp_path / "socket"
    link.symlink_to(tmp_path / "none")
    assert "is a link to a file that does not exist" in refusal(link)
    link.unlink()
    link.symlink_to(link)
    assert str(link) in refusal(link)
    if os.path.exists("/dev/zero"):
        assert "is no regular file" in refusal("/dev/zero")
    if hasattr(socket, "AF_UNIX") and len(str(there)) < 100:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(there))
            assert "is no regular file" in refusal(there)


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="this system has no such permissions")
def test_permissions(tmp_path):
    """A file that may not be read is refused with the system's reason."""
    path, user = tmp_path / "a.fits", os.geteuid()
    path.write_bytes(science())
    path.chmod(0)
    if user == 0:  # who may read everything
        os.seteuid(NOBODY)
    try:
        assert "Permission denied" in refusal(path)
    finally:
        os.seteuid(user)
