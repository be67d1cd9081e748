# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of which frames are taken to show the same target."""

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from astropy.nddata import CCDData
from astropy.wcs import WCS

from astroclf import group_visits, read_frame
from astroclf.frames import Facts, Frame, Origin
from astroclf.frames.visits import Footprint, group_footprints


def make(name, *, at=(0.0, 0.0), shape=(100, 100), scale=0.05, roll=0.0, telescope="HST", target="", sky=True):
    """Return a frame called ``name`` whose middle is off a point of the sky by arcseconds (east, north)."""
    wcs = None
    if sky:
        wcs, turn = WCS(naxis=2), np.radians(roll)
        wcs.wcs.ctype = "RA---TAN", "DEC--TAN"
        wcs.wcs.crval = 40 + at[0] / 3600 / np.cos(np.radians(60)), 60 + at[1] / 3600
        wcs.wcs.crpix = (shape[1] + 1) / 2, (shape[0] + 1) / 2
        wcs.wcs.cd = scale / 3600 * np.array([[-np.cos(turn), np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        wcs.wcs.set()
    ccd = CCDData(np.ones(shape, np.float32), unit="adu", mask=np.zeros(shape, bool), wcs=wcs)
    facts = Facts(telescope, target=target, filter=name[-1])
    return Frame(ccd, facts=facts, origin=Origin(path=Path("night", name)))


def names(frames):
    """Return the groups as words."""
    return [" ".join(frame.origin.name for frame in group) for group in group_visits(frames)]


def test_filters_of_one_target():
    """Frames of one place are one group, in the order given; another place is another group."""
    frames = [make("a1"), make("b1", at=(300, 0)), make("a2", at=(1, 0.5), roll=40), make("b2", at=(300, 1)), make("c")]
    assert names(frames) == ["a1 a2 c", "b1 b2"]


@pytest.mark.parametrize(
    ("other", "together"),
    [
        ({"at": (0, 2.3)}, True),
        ({"at": (0, 2.7)}, False),
        ({"shape": (55, 55)}, True),
        ({"shape": (45, 45)}, False),
        ({"scale": 0.09, "roll": 45}, True),
        ({"telescope": "JWST"}, False),
        ({"target": "another name"}, True),
        ({"sky": False}, False),
    ],
)
def test_overlap(other, together):
    """More than half of the smaller is on the larger one and has a quarter of its area; the telescope is the same."""
    frames = [make("a"), make("b", **other)]
    assert (names(frames) == ["a b"]) is together
    assert (names(frames[::-1]) == ["b a"]) is together


def test_no_chains():
    """Each frame of a group overlaps every other: the tiles of a mosaic do not run together."""
    frames = [make(f"t{n}", at=(0, 2 * n)) for n in range(4)]
    assert names(frames) == ["t0 t1", "t2 t3"]


def test_exposed_part_counts():
    """What was never exposed is no overlap."""
    frames = [make("a"), make("b")]
    frames[0].ccd.mask[:, 45:] = True
    frames[1].ccd.mask[:, :55] = True
    assert names(frames) == ["a", "b"]


def test_other_side_of_the_sky():
    """A projection has two sides; only one of them is meant."""
    far = make("b")
    far.ccd.wcs.wcs.crval = 220, -60
    assert names([make("a"), far]) == ["a", "b"]


@pytest.mark.parametrize(
    ("other", "together"),
    [({}, True), ({"target": "M 2"}, False), ({"shape": (100, 99)}, False), ({"target": ""}, False)],
)
def test_without_world_coordinates(other, together):
    """Shape, folder and target stand in for the sky, if the target has a name."""
    first = make("a", sky=False, target="M 1" if other.get("target") != "" else "")
    second = make("b", sky=False, **{"target": "M 1"} | other)
    assert (names([first, second]) == ["a b"]) is together


def test_other_folder():
    """Without world coordinates, frames of other folders, or of none, are alone."""
    first, second = (make(name, sky=False, target="M 1") for name in "ab")
    assert names([first, replace(second, origin=Origin(path=Path("day/b")))]) == ["a", "b"]
    assert names([replace(frame, origin=Origin()) for frame in (first, second)]) == ["<array>"] * 2


def test_labels_do_not_matter():
    """Groups depend on pixels' places, not on names: with any target they are the same."""
    frames = [make("a1", target="M 1"), make("a2", target="M 2"), make("b1", at=(90, 0), target="M 1")]
    assert names(frames) == ["a1 a2", "b1"]


def test_footprints_travel():
    """Footprints can be sent to another process, and group as the frames do."""
    footprints = [Footprint.of(make("a")), Footprint.of(make("b", at=(1, 1))), Footprint.of(make("c", sky=False))]
    assert group_footprints(pickle.loads(pickle.dumps(footprints))) == [[0, 1], [2]]
    assert group_footprints([]) == []


def test_sdss(frames_dir):
    """Three real frames of one field are one group, and frames of other fields are not in it."""
    others = [frames_dir / name for name in ("HorseHead.fits", "M6707HH.fits", "a8280271.fits")]
    files = [others[0], *(frames_dir / f"reprojected_sdss_{name}.fits.bz2" for name in "gri"), *others[1:]]
    frames = [read_frame(file) for file in files]
    assert [len(group) for group in group_visits(frames)] == [1, 3, 1, 1]
