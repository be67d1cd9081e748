# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Bytes of files through tag, tag again and untag: of every real frame there is, and of every layout."""

import bz2
import gzip
import io
import shutil
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from astroclf import AstroclfWarning, read_frame, remove_tags, write_tags
from astroclf.datasets import LAYOUTS, make_frame
from astroclf.exceptions import FrameError
from astroclf.frames.frame import Origin
from astroclf.prediction import Prediction, Provenance, Status
from astroclf.taxonomy import groups, labels

PREDICTION = Prediction(
    labels(), (0.9, 0.05, 0.02) + (0.03 / 11,) * 11, groups(), (0.98,) + (0.02 / 6,) * 6, Status.OK, 0.01,
    Provenance("model", "ab" * 32, "0123456789ab"), agreement=0.75, n_set=2, coverage=0.9,
)  # fmt: skip
CHANGING = (b"CLFDATE ", b"HISTORY astroclf ", b"CHECKSUM= ")


def unpacked(path):
    """Return the FITS bytes of a file."""
    raw = path.read_bytes()
    if raw.startswith(b"\x1f\x8b"):
        return gzip.decompress(raw)
    return bz2.decompress(raw) if raw.startswith(b"BZh") else raw


def parts(path):
    """Return the cards of every header and the bytes of all data, found with astropy rather than with our walker."""
    raw = unpacked(path)
    with fits.open(io.BytesIO(raw), disable_image_compression=True, lazy_load_hdus=False) as hdus:
        places = [hdu.fileinfo() for hdu in hdus]
    headers = [raw[place["hdrLoc"] : place["datLoc"]] for place in places]
    data = [raw[place["datLoc"] : place["datLoc"] + place["datSpan"]] for place in places]
    rest = raw[places[-1]["datLoc"] + places[-1]["datSpan"] :]
    return [[header[i : i + 80] for i in range(0, len(header), 80)] for header in headers], [*data, rest]


def origin_of(path):
    """Return where the frame of a file is from; of a file that holds none, nothing."""
    try:
        return read_frame(path).origin
    except FrameError:
        return Origin()


def check(path):
    """Tag a file, tag it again and remove the tags; compare all bytes at each step."""
    before, (headers, data) = unpacked(path), parts(path)
    packed = path.read_bytes()
    write_tags(path, replace(PREDICTION, origin=origin_of(path)), force=True)
    once, data_once = parts(path)
    write_tags(path, replace(PREDICTION, origin=origin_of(path)), force=True)
    twice, data_twice = parts(path)
    assert data_once == data
    assert data_twice == data
    assert [len(header) for header in twice] == [len(header) for header in once]
    changed = [(a, b) for old, new in zip(once, twice) for a, b in zip(old, new) if a != b]
    assert all(a.startswith(CHANGING) and b[:9] == a[:9] for a, b in changed)
    foreign = [[card for card in header if not ours(card)] for header in once]
    assert foreign == [[card for card in header if not ours(card)] for header in headers]
    remove_tags(path)
    assert unpacked(path) == before
    if path.suffix in (".fits", ".fit"):
        assert path.read_bytes() == packed


def ours(card):
    """Tell whether a card is ours, a CHECKSUM, the end of a header or what fills its last block."""
    return card.startswith((b"CLF", b"HISTORY astroclf ", b"CHECKSUM= ", b"END ")) or not card.strip()


def quietly(function, *args):
    """Call a function; what astropy and astroclf remark on wrong headers and checksums does not matter here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AstroclfWarning)
        warnings.simplefilter("ignore", fits.verify.VerifyWarning)
        return function(*args)


@pytest.mark.slow
def test_real_frames(frames_dir, tmp_path):
    """Every real frame keeps its bytes."""
    originals = sorted(path for path in frames_dir.iterdir() if path.suffix != ".csv")
    for original in originals:
        path = Path(shutil.copy(original, tmp_path))
        quietly(check, path)
        path.unlink()
    assert len(originals) >= 26


PACKERS = {"": bytes, ".gz": gzip.compress, ".bz2": bz2.compress}
SMALL = [("wfc3_ir_sub256_flt", packer) for packer in PACKERS] + [("wfpc2_area_c0m", ""), ("ground_ccd_reduced", "")]
CASES = [pytest.param(*case, id="".join(case)) for case in SMALL] + [
    pytest.param(name, "", marks=pytest.mark.slow) for name in LAYOUTS if (name, "") not in SMALL
]


@pytest.mark.parametrize(("layout", "packer"), CASES)
def test_simulated_frames(layout, packer, tmp_path):
    """A simulated frame of each layout keeps its bytes, with right checksums."""
    plain, path = tmp_path / "plain.fits", tmp_path / f"frame.fits{packer}"
    quietly(lambda: make_frame(layout, "globular_cluster", seed=1).writeto(plain, checksum=True))
    path.write_bytes(PACKERS[packer](plain.read_bytes()))
    quietly(check, path)
    shutil.rmtree(tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("layout", ["acs_wfc_512a_flc", "wfc3_ir_sub256_flt", "jwst_nircam_sub160_cal"])
def test_compressed_frames(layout, tmp_path):
    """Tile-compressed frames keep theirs: floats that were quantised, and integers."""
    path = tmp_path / "frame.fits.fz"
    with make_frame(layout, "globular_cluster", seed=1) as hdus:
        images = [fits.CompImageHDU(hdu.data, hdu.header, quantize_level=4.0) if good(hdu) else hdu for hdu in hdus]
        quietly(lambda: fits.HDUList(images).writeto(path, checksum=True))
    quietly(check, path)


def good(hdu):
    """Tell whether an HDU is an image extension that can be compressed."""
    return isinstance(hdu, fits.ImageHDU) and hdu.data is not None and hdu.data.ndim == 2


def test_header_that_is_not_standard(tmp_path):
    """Of a header filled up with zeros instead of blanks all cards and data are as before, but for what fills it up."""
    path = tmp_path / "frame.fits"
    fits.writeto(path, np.arange(2000, dtype="f4").reshape(40, 50))
    raw = path.read_bytes()
    end = raw.index(b"END" + b" " * 77) + 80
    path.write_bytes(raw[:end] + bytes(2880 - end) + raw[2880:])
    write_tags(path, PREDICTION)
    remove_tags(path)
    assert path.read_bytes() == raw[:end] + b" " * (2880 - end) + raw[2880:]
