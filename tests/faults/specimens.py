# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Files to be tagged while something goes wrong, and what they may be afterwards: the old file or the new one."""

import bz2
import gzip
import io
import os
import re
import stat
from dataclasses import replace
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
EARLIER = replace(PREDICTION, labels=(*PREDICTION.labels[1:], PREDICTION.labels[0]))
_DATED = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
_SEALED = re.compile(rb"(CHECKSUM= ')[0-9A-Za-z]{16}")


def _growing(image):
    hdu = fits.PrimaryHDU(image)
    hdu.header.extend([(f"KEY{i}", i) for i in range(20)], end=True)
    return hdu


def _compressed(image):
    return fits.CompImageHDU(image, fits.PrimaryHDU(image).header, quantize_level=4.0)


FILES = {
    "plain": ("frame.fits", fits.PrimaryHDU, bytes, False),
    "growing": ("frame.fits", _growing, bytes, False),
    "checksums": ("frame.fits", fits.PrimaryHDU, bytes, True),
    "gz": ("frame.fits.gz", fits.PrimaryHDU, gzip.compress, False),
    "bz2": ("frame.fits.bz2", fits.PrimaryHDU, bz2.compress, False),
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
    side : int, optional
        Its image has that many pixels squared.
    options
        How: ``atomic``, ``keep_times``; with ``sidecar`` or ``output`` the file stays, and another is made or changed.
    """

    def __init__(self, name, folder, change="tag", side=300, **options):
        file, make, pack, checksum = FILES[name]
        self.path, self.change, self.options = Path(folder, file), change, options
        self.target = Path(options.get("output", self.path))
        hdu = make(np.random.default_rng(12345).normal(100, 9, (side, side)).astype("f4"))
        hdus = fits.HDUList([hdu] if isinstance(hdu, fits.PrimaryHDU) else [fits.PrimaryHDU(), hdu])
        stream = io.BytesIO()
        hdus.writeto(stream, checksum=checksum)
        self.path.write_bytes(pack(stream.getvalue()))
        if change != "tag":
            write_tags(self.path, EARLIER, **options)
        self.contents = self._visible()
        self.old = self.state()
        self.do()
        self.new = self.state()
        self._check_states()
        self.reset()

    def reset(self):
        """Make the folder anew, as it was before the change."""
        self.fill(self.contents)

    def fill(self, contents):
        """Make the folder hold these files (bytes and mode by path); what is there already keeps its inode."""
        for path in self.path.parent.rglob("*"):
            if path.is_file() and path not in contents:
                path.unlink()
        for path, (content, mode) in contents.items():
            path.write_bytes(content)
            path.chmod(mode)

    def do(self, **options):
        """Change the file."""
        if self.change == "untag":
            remove_tags(self.path, **{key: value for key, value in self.options.items() if key != "sidecar"}, **options)
        else:
            write_tags(self.path, PREDICTION, **self.options, **options)

    def read(self):
        """Return the tags; None if there are none, or no copy yet that could have some."""
        return read_tags(self.target) if self.target.exists() else None

    def state(self):
        """Return unpacked bytes, without dates and checksums of headers, and modes of all files by path."""
        return {path: (_undated(_unpacked(content)), mode) for path, (content, mode) in self._visible().items()}

    def leftovers(self):
        """Return what was left behind beside the files."""
        return [path for path in self.path.parent.rglob(".*") if path.is_file()]

    def told(self):
        """Open the file, and return ``old`` or ``new``; raise if it is neither."""
        tags, state = self.read(), self.state()
        if state not in (self.old, self.new):
            raise AssertionError("neither the old file nor the new one")
        told = "new" if state == self.new else "old"
        if (tags is None) != (self.change == "untag" if told == "new" else self.change == "tag"):
            raise AssertionError(f"the {told} file reads {tags}")
        return told

    def check(self):
        """Return what `told` does; raise also if the next run does not give the new file, or leaves something."""
        told = self.told()
        self.do()
        if self.state() != self.new:
            raise AssertionError("the next run does not give the new file")
        self.check_left("the next run")
        return told

    def check_left(self, by):
        """Raise if something is left beside the files, ``by`` whom."""
        left = [path.name for path in self.leftovers()]
        if left:
            raise AssertionError(f"{by} leaves {', '.join(left)}")

    def _visible(self):
        files = (path for path in self.path.parent.rglob("[!.]*") if path.is_file())
        return {path: (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) for path in files}

    def _check_states(self):
        """See with astropy that all files of both states are sound, and have the same data byte for byte, or none."""
        data = set()
        for content, _ in (*self.contents.values(), *self._visible().values()):
            raw = _unpacked(content)
            with fits.open(io.BytesIO(raw), disable_image_compression=True, checksum=True) as hdus:
                places = [hdu.fileinfo() for hdu in hdus]
                assert all(hdu.verify_checksum() != 0 for hdu in hdus)
            data.add(b"".join(raw[place["datLoc"] : place["datLoc"] + place["datSpan"]] for place in places))
        assert len(data - {b""}) == 1
        assert self.old != self.new


def _undated(raw):
    return _SEALED.sub(rb"\1", _DATED.sub(b"", raw))


def _unpacked(raw):
    if raw.startswith(b"\x1f\x8b"):
        return gzip.decompress(raw)
    return bz2.decompress(raw) if raw.startswith(b"BZh") else raw


def own(path, uid):
    """Give a folder and what is in it to a user."""
    for each in (path, *Path(path).rglob("*")):
        os.chown(each, uid, uid)
