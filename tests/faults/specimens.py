# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Files to be tagged while something goes wrong, and what they may be afterwards: the old file or the new one."""

import bz2
import gzip
import io
import os
import re
from pathlib import Path

import numpy as np
from astropy.io import fits

from astroclf import read_tags, remove_tags, write_tags
from astroclf.prediction import Prediction, Provenance, Status
from astroclf.taxonomy import groups, labels

PREDICTION = Prediction(
    labels=labels(),
    probs=(0.93,) + (0.07 / 13,) * 13,
    groups=groups(),
    group_probs=(0.97,) + (0.005,) * 6,
    status=Status.OK,
    quality=0.0,
    provenance=Provenance("model", "ab" * 32, "0123456789ab"),
)
_DATED = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d|(?<=CHECKSUM= ')[0-9A-Za-z]{16}")
SIDE = 300


def _image():
    return np.random.default_rng(12345).normal(100, 9, (SIDE, SIDE)).astype("f4")


def _growing():
    hdu = fits.PrimaryHDU(_image())
    hdu.header.extend([(f"KEY{i}", i) for i in range(20)], end=True)
    return hdu


def _compressed():
    return fits.CompImageHDU(_image(), fits.PrimaryHDU(_image()).header, quantize_level=4.0)


FILES = {
    "plain": ("frame.fits", lambda: fits.PrimaryHDU(_image()), bytes, False),
    "growing": ("frame.fits", _growing, bytes, False),
    "checksums": ("frame.fits", lambda: fits.PrimaryHDU(_image()), bytes, True),
    "gz": ("frame.fits.gz", lambda: fits.PrimaryHDU(_image()), gzip.compress, False),
    "bz2": ("frame.fits.bz2", lambda: fits.PrimaryHDU(_image()), bz2.compress, False),
    "fz": ("frame.fits.fz", _compressed, bytes, True),
}


class Specimen:
    """
    A file, and a change of it.

    Parameters
    ----------
    name : str
        One of `FILES`.
    folder : path
        Where it is.
    change : {'tag', 'tag again', 'untag'}
        What is done to it.
    """

    def __init__(self, name, folder, change="tag"):
        file, make, pack, checksum = FILES[name]
        self.path, self.change = Path(folder, file), change
        hdu = make()
        hdus = fits.HDUList([hdu] if isinstance(hdu, fits.PrimaryHDU) else [fits.PrimaryHDU(), hdu])
        stream = io.BytesIO()
        hdus.writeto(stream, checksum=checksum)
        self.path.write_bytes(pack(stream.getvalue()))
        if change != "tag":
            write_tags(self.path, PREDICTION)
        self._content = self.path.read_bytes()
        self.old = self.state()
        self.do()
        self.new = self.state()
        self._check_states()
        self.reset()

    def reset(self):
        """Make the file anew, as it was before the change."""
        for leftover in self.leftovers():
            leftover.unlink()
        self.path.write_bytes(self._content)

    def do(self, **options):
        """Change the file."""
        if self.change == "untag":
            remove_tags(self.path, **options)
        else:
            write_tags(self.path, PREDICTION, **options)

    def state(self):
        """Return the unpacked bytes, without dates and checksums of headers."""
        return _DATED.sub(b"?", _unpacked(self.path))

    def leftovers(self):
        """Return what was left behind beside the file."""
        return [path for path in self.path.parent.iterdir() if path != self.path]

    def check(self):
        """Open the file, and return ``old`` or ``new``; raise if it is neither, or if the next run leaves something."""
        tags = read_tags(self.path)
        state = self.state()
        if state not in (self.old, self.new):
            raise AssertionError("neither the old file nor the new one")
        told = "new" if state == self.new else "old"
        if (tags is None) != (self.change == "untag" if told == "new" else self.change == "tag"):
            raise AssertionError(f"the {told} file reads {tags}")
        self.do()
        if self.state() != self.new:
            raise AssertionError("the next run does not give the new file")
        left = [path.name for path in self.leftovers()]
        if left:
            raise AssertionError(f"the next run leaves {', '.join(left)}")
        return told

    def _check_states(self):
        """See with astropy that both states are sound, and have the same data byte for byte."""
        data = []
        for content in (self._content, self.path.read_bytes()):
            raw = _unpacked_bytes(content)
            with fits.open(io.BytesIO(raw), disable_image_compression=True, checksum=True) as hdus:
                places = [hdu.fileinfo() for hdu in hdus]
                assert all(hdu.verify_checksum() != 0 for hdu in hdus)
            data.append([raw[place["datLoc"] : place["datLoc"] + place["datSpan"]] for place in places])
        assert data[0] == data[1]
        assert self.change == "tag again" or self.old != self.new


def _unpacked(path):
    return _unpacked_bytes(path.read_bytes())


def _unpacked_bytes(raw):
    if raw.startswith(b"\x1f\x8b"):
        return gzip.decompress(raw)
    return bz2.decompress(raw) if raw.startswith(b"BZh") else raw


def own(path, uid):
    """Give a folder and what is in it to a user."""
    for each in (path, *Path(path).rglob("*")):
        os.chown(each, uid, uid)
