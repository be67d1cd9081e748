# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of WFPC2: four chips, found in every form of file, lie on the sky as they should."""

import warnings

import numpy as np
import pytest
from astropy import units as u
from astropy.io import fits
from astropy.wcs import WCS
from numpy.testing import assert_allclose

from astroclf import FrameError, read_frame
from astroclf.frames.wfpc2_geometry import CHIPS

REAL = "hubble_wfpc2_sample.fits"


def chip_wcs(table, row):
    """Return the linear world coordinates of one chip, from the table of a waivered file."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval = [table[f"CRVAL{i}"][row] for i in (1, 2)]
    wcs.wcs.crpix = [table[f"CRPIX{i}"][row] for i in (1, 2)]
    wcs.wcs.cd = [[table[f"CD{i}_{j}"][row] for j in (1, 2)] for i in (1, 2)]
    return wcs


@pytest.fixture
def real(frames_dir):
    """Return a waivered file of the archive, NGC 4151: the corner of 200 x 200 pixels of each chip at the apex."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", fits.verify.VerifyWarning)  # its TDISP11 is none for text tables
        hdul = fits.open(frames_dir / REAL, memmap=False)
        cube, table = fits.PrimaryHDU(hdul[0].data.copy(), hdul[0].header), fits.BinTableHDU(hdul[1].data)
    hdul.close()
    return fits.HDUList([cube, table])


# ------------------------------------------------------------------------------------- geometry


@pytest.mark.parametrize("chip", CHIPS.values(), ids=lambda chip: chip.name)
def test_from_plane_inverts_to_plane(chip):
    """Going to the plane and back ends within a thousandth of a pixel, corners included."""
    x, y = (grid.ravel() for grid in np.meshgrid(np.linspace(1, 800, 9), np.linspace(1, 800, 9)))
    assert_allclose(chip.from_plane(*chip.to_plane(x, y)), [x, y], atol=1e-3)


def test_edges_of_neighbours_meet():
    """The middles of the pyramid's edges, measured on each chip, lie on the same lines of the sky within 3 pixels."""
    along = np.array([100, 400, 700])
    columns = {chip.number: chip.to_plane(np.full(3, chip.edge[0] + 0.5), along) for chip in CHIPS.values()}
    rows = {chip.number: chip.to_plane(along, np.full(3, chip.edge[1] + 0.5)) for chip in CHIPS.values()}
    across = {1: (columns[1][0], rows[2][0]), 2: (columns[2][1], rows[3][1])}
    across |= {3: (columns[3][0], rows[4][0]), 4: (columns[4][1], rows[1][1])}
    for one, other in across.values():
        assert np.ptp(np.concatenate([one, other])) < 9  # the edges are no straight lines: half of it is that
        assert abs(one.mean() - other.mean()) < 3


def test_geometry_agrees_with_the_headers(real):
    """At its reference pixel each chip lies where its header puts it on the sky as WF3's sees it, within 0.5 pixel."""
    table = real[1].data
    wf3 = chip_wcs(table, 2)
    for row in range(4):
        wcs = chip_wcs(table, row)
        expected = wf3.all_world2pix([wcs.wcs.crval], 1)[0]
        x, y = CHIPS[row + 1].to_plane(*wcs.wcs.crpix)
        x3, y3 = CHIPS[3].to_plane(*wf3.wcs.crpix)
        assert_allclose([x - x3, y - y3], expected - wf3.wcs.crpix, atol=0.5)


def test_orientation_and_scale_agree_with_the_headers(real):
    """Rotation and scale of each chip are those of its header, to 0.1 degree and 0.5 %."""
    table = real[1].data
    wf3 = chip_wcs(table, 2)
    for row in range(4):
        wcs = chip_wcs(table, row)
        expected = np.linalg.inv(wf3.wcs.cd) @ wcs.wcs.cd
        assert_allclose(CHIPS[row + 1].jacobian(*wcs.wcs.crpix), expected, atol=0.005 * CHIPS[row + 1].scale)


# ------------------------------------------------------------------------------------- a real frame


def test_real_waivered_frame(real):
    """A cube of the archive becomes one frame in electrons, with what its header says."""
    frame = read_frame(real)
    assert frame.layout == "wfpc2"
    assert frame.shape == (308, 330)
    assert frame.ccd.unit == u.electron
    assert frame.facts.product == "c0f"
    assert frame.facts.filter == "FR533P15"
    assert frame.facts.gain == (7.12, 7.12, 6.9, 7.1)
    assert frame.cosmic_rays
    assert frame.origin.hdus == ("0",)
    assert frame.quality < 0.001
    assert any("no u5780205r_c1f.fits" in step for step in frame.steps)


def test_real_nucleus_is_where_its_coordinates_are(real):
    """The nucleus, on WF2, lies at the coordinates of NGC 4151 to the accuracy of the guide stars, 1.5 arcsec."""
    frame = read_frame(real)
    row, column = np.unravel_index(np.nanargmax(frame.ccd.data), frame.shape)
    sky = frame.ccd.wcs.pixel_to_world(column, row)
    assert sky.separation(type(sky)(182.635745 * u.deg, 39.405730 * u.deg)) < 1.5 * u.arcsec


def test_real_pixels_lie_where_their_chip_says(real):
    """Pixels of all chips near the apex have coordinates within 5 pixels, the distortion there, of their headers'."""
    frame = read_frame(real)
    for row in range(4):
        wcs = chip_wcs(real[1].data, row)
        sky = wcs.all_pix2world([[150, 150]], 1)
        x, y = frame.ccd.wcs.all_world2pix(sky, 0)[0]
        first = CHIPS[row + 1].to_plane(150, 150) - [x, y]
        corner = CHIPS[3].to_plane(436.0, 424.5) - (frame.ccd.wcs.wcs.crpix - 1)
        assert_allclose(first, corner, atol=5)
        assert not frame.ccd.mask[round(y), round(x)]


def test_wide_field_pixels_keep_their_values(real):
    """Every value on a wide-field chip's part of the frame is one of that chip's, times its gain."""
    real[0].data[0] = np.nan
    values = np.unique(
        np.concatenate([real[0].data[chip - 1] * np.float32(CHIPS[chip].gains[7]) for chip in (2, 3, 4)])
    )
    frame = read_frame(real)
    assert np.isin(frame.ccd.data[np.isfinite(frame.ccd.data)], values).all()


def test_broken_table_of_keywords(real):
    """A table with a row too few, or a chip twice, is refused by name, with the way out."""
    short = fits.HDUList([real[0], fits.BinTableHDU(real[1].data[:3])])
    with pytest.raises(FrameError, match=r"4 planes.*DETECTOR = \[1, 2, 3\].*plane="):
        read_frame(short)
    with pytest.raises(FrameError, match=r"4 planes.*DETECTOR = \[\].*plane="):
        read_frame(fits.HDUList([real[0]]))
    assert read_frame(short, plane=2).shape == (200, 200)
