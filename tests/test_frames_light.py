# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""The light comes back: what was put on the sky is found there in every simulated product of ACS and WFC3/UVIS."""

from types import SimpleNamespace

import numpy as np
import pytest
from astropy import units as u
from astropy.io import fits
from numpy.testing import assert_allclose, assert_array_equal

from astroclf import read_frame
from astroclf.datasets import LAYOUTS, make_frame
from astroclf.datasets.headers import plane_wcs
from astroclf.frames import Exposure

SEED, FLUX, SIGMA, HALF = 11, 4e5, 3.0, 22
PLACES = ((0.2, 0.23), (0.83, 0.31), (0.31, 0.78), (0.6, 0.52))
"""Fractions of the plane across and up: no symmetry, off the gap and the rows of the SBC that count nothing."""

SMALL = {
    "acs_wfc_512a_raw": ("raw", Exposure.SINGLE, 1),
    "acs_wfc_512a_flc": ("flc", Exposure.SINGLE, 1),
    "acs_wfc_512a_crj": ("crj", Exposure.COMBINED, 1),
    "acs_wfc_512a_drz": ("drz", Exposure.COMBINED, 1),
    "acs_hrc_raw": ("raw", Exposure.SINGLE, 2 / 2.2),  # CCDGAIN is all a raw frame says of its gain
    "acs_hrc_flt": ("flt", Exposure.SINGLE, 1),
    "acs_hrc_crj": ("crj", Exposure.COMBINED, 1),
    "acs_hrc_drz": ("drz", Exposure.COMBINED, 1),
    "acs_sbc_raw": ("raw", Exposure.COUNTER, 1),
    "acs_sbc_flt": ("flt", Exposure.COUNTER, 1),
    "acs_sbc_drz": ("drz", Exposure.COUNTER, 1),
    "wfc3_uvis_c512b_raw": ("raw", Exposure.SINGLE, 1),
    "wfc3_uvis_c512b_flt": ("flt", Exposure.SINGLE, 1),
    "wfc3_uvis_c512c_raw": ("raw", Exposure.SINGLE, 1),
    "wfc3_uvis_c512c_flc": ("flc", Exposure.SINGLE, 1),
    "wfc3_uvis_c512c_crc": ("crc", Exposure.COMBINED, 1),
    "wfc3_uvis_c512c_drc": ("drc", Exposure.COMBINED, 1),
    "wfc3_ir_sub256_drz": ("drz", Exposure.RAMP, 1),
}
LARGE = {
    "acs_wfc_crj": ("crj", Exposure.COMBINED, 1),
    "acs_wfc_drc": ("drc", Exposure.COMBINED, 1),
    "wfc3_uvis_crc": ("crc", Exposure.COMBINED, 1),
    "wfc3_uvis_drz": ("drz", Exposure.COMBINED, 1),
}
EVERY = [*SMALL, *(pytest.param(name, marks=pytest.mark.slow) for name in LARGE)]


def positions(layout):
    """Return where the sources are on the plane of a layout, as columns and rows counted from 0."""
    ny, nx = LAYOUTS[layout].plane
    return [(across * nx, up * ny) for across, up in PLACES]


def sources(layout):
    """Return the scene: round sources of flux 1."""
    scene = np.zeros(LAYOUTS[layout].plane, np.float32)
    for x, y in positions(layout):
        rows, columns = np.mgrid[int(y) - HALF : int(y) + HALF, int(x) - HALF : int(x) + HALF]
        distance2 = (columns - x) ** 2 + (rows - y) ** 2
        scene[rows, columns] = np.exp(-distance2 / (2 * SIGMA**2)) / (2 * np.pi * SIGMA**2)
    return scene


def sky_of(layout, x, y):
    """Return where on the sky a pixel of the plane is."""
    pointing = make_frame("wfc3_uvis_c512c_flc", "no_source", seed=SEED)
    header = pointing[0].header
    shot = SimpleNamespace(
        camera=LAYOUTS[layout].camera,
        ra=header["RA_TARG"],
        dec=header["DEC_TARG"],
        angle=pointing["SCI"].header["PA_APER"],
    )
    return plane_wcs(shot).pixel_to_world(x, y)


def measured(frame, x, y):
    """Return flux and centroid of the source nearest to a pixel; bad pixels are filled from their neighbours."""
    rows, columns = np.mgrid[int(y) - HALF : int(y) + HALF, int(x) - HALF : int(x) + HALF]
    image, good = frame.ccd.data[rows, columns], frame.good[rows, columns]
    image = np.where(good, image, np.median(image[good]))
    for row, column in np.argwhere(~good):
        around = np.s_[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2]
        image[row, column] = np.median(image[around][good[around]]) if good[around].any() else 0
    distance = np.hypot(columns - x, rows - y)
    image = image - np.median(image[distance > 0.8 * HALF])
    light = np.where(distance < 0.7 * HALF, image, 0)
    return light.sum(), (columns * light).sum() / light.sum(), (rows * light).sum() / light.sum()


@pytest.mark.parametrize("name", EVERY)
def test_light(name):
    """Product, rays, unit, place and flux of the sources are right; calibrated pixels are where they were put."""
    product, exposure, scale = (SMALL | LARGE)[name]
    hdul = make_frame(name, sources(name), seed=SEED, signal=FLUX, cosmic_rays=False)
    hdul.verify("exception")
    frame = read_frame(hdul)
    assert (frame.facts.product, frame.exposure, frame.notes) == (product, exposure, ())
    drizzled = product.startswith("dr")
    raw_counts = name == "acs_sbc_raw"
    assert frame.ccd.unit == (u.electron / u.s if drizzled else u.adu if raw_counts else u.electron)
    seconds = frame.facts.exptime if drizzled else 1
    for x, y in positions(name):
        there = frame.ccd.wcs.world_to_pixel(sky_of(name, x, y))
        if not drizzled:
            assert_allclose(there, (x, y), atol=0.01)
        flux, *here = measured(frame, *there)
        assert_allclose(here, there, atol=0.2)
        assert_allclose(flux * seconds, scale * FLUX, rtol=0.03)


@pytest.mark.parametrize("name", ["acs_wfc_512a_flc", "acs_hrc_raw", "wfc3_uvis_c512c_crc"])
def test_other_extensions_are_no_matter(name):
    """Tables and images of distortion, wherever they stand, change nothing."""
    hdul = make_frame(name, sources(name), seed=SEED)
    frame = read_frame(hdul)
    extra = [fits.ImageHDU(np.zeros((32, 64), np.float32), name=key) for key in ("D2IMARR", "WCSDVARR")]
    extra.append(fits.BinTableHDU.from_columns([fits.Column("WCS_ID", "40A", array=["x"])], name="WCSCORR"))
    shuffled = fits.HDUList([hdul[0], *extra[:2], *hdul[:0:-1], extra[2]])
    again = read_frame(shuffled)
    assert_array_equal(again.ccd.data, frame.ccd.data)
    assert_array_equal(again.ccd.mask, frame.ccd.mask)
    assert again.origin.hdus == ("SCI,1",)


def struck(name, **arguments):
    """Return the fraction of the good pixels of an empty field that are far above the sky, and the frame."""
    frame = read_frame(make_frame(name, "no_source", seed=3, exptime=1000, **arguments))
    data = frame.ccd.data[frame.good] * (frame.facts.exptime if frame.facts.product[:2] == "dr" else 1)
    return np.mean(data > np.median(data) + 300)


@pytest.mark.parametrize("camera", ["wfc3_uvis_c512c", "acs_hrc"])
def test_rays_are_rejected_where_exposures_are_combined(camera):
    """A single exposure is full of cosmic rays; those combined of it have hardly any left."""
    single, *combined = (name for name in SMALL if name.startswith(camera) and not name.endswith("raw"))
    alone = struck(single)
    assert alone > 0.005
    for name in combined:
        assert struck(name) < 0.06 * alone + 2e-4


def test_photon_counter():
    """The SBC has no rays, and the rows of its broken anode are bad."""
    frame = read_frame(make_frame("acs_sbc_flt", "no_source", seed=3, exptime=1000))
    assert_array_equal(np.flatnonzero(frame.ccd.mask.all(axis=1)), np.arange(598, 605))
    assert not frame.cosmic_rays
    assert frame.quality == pytest.approx(7 / 1024)
