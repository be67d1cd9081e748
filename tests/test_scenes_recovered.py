# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Tests that every simulated file is read as what it shows: three spots, of which no turn or mirror looks alike.

Their places are known on the detector plane, which most layouts are read as, pixel for pixel; drizzled images are
compared by sky positions with the exposure they were made of. WFPC2, on whose plane the four chips are spread, has
tests of its own.
"""

import numpy as np
import pytest
from astropy import units as u
from numpy.testing import assert_allclose

from astroclf import read_frame
from astroclf.datasets import LAYOUTS, make_frame

SPOTS = ((0.45, 0.72, 1.0), (0.75, 0.78, 2.0), (0.70, 0.28, 4.0))
"""Column and row as fractions of the plane, and brightness."""

SIGNAL, SEED = 2000.0, 7
PIXELS, SHARE = 0.3, 0.04
RAW_PIXELS, RAW_SHARE = 0.6, 0.08
"""How far a spot may be from its place, and its light off; in raw files nothing flags hot pixels and bad columns."""

PARENTS = {
    "acs_wfc": "flt", "acs_wfc_512a": "flc", "acs_hrc": "flt", "acs_sbc": "flt", "wfc3_uvis": "flt",
    "wfc3_uvis_c512c": "flc", "wfc3_ir": "flt", "wfc3_ir_sub256": "flt",
}  # fmt: skip
"""Product of a camera or subarray in which drizzled images have their places checked."""

NOMINAL_GAIN = {"acs_hrc_raw"}
"""Raw files whose true gain no table has: they are converted with the commanded one."""

SPLIT = {"stis_ccd_raw": 2, "stis_ccd_flt": 2}
"""Files of several exposures, of which the first is read: it has its part of the light."""

LARGE = 3e6
NAMES = [
    pytest.param(name, marks=pytest.mark.slow if np.prod(layout.plane) > LARGE else ())
    for name, layout in LAYOUTS.items() if not name.startswith("wfpc2")
]  # fmt: skip


def spread(shape):
    """Return the standard deviation of the spots in pixels."""
    return max(2.0, min(shape) / 150)


def places(shape):
    """Return the columns and rows of the spots."""
    return np.array([(column * (shape[1] - 1), row * (shape[0] - 1)) for column, row, _ in SPOTS])


def scene(shape):
    """Return the spots on the plane."""
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    light = np.zeros(shape, np.float32)
    for (column, row), (*_, brightness) in zip(places(shape), SPOTS):
        distance = (rows - row) ** 2 + (columns - column) ** 2
        light += np.float32(brightness) * np.exp(-distance / (2 * spread(shape) ** 2), dtype=np.float32)
    return light


def expected(name, frame):
    """Return the columns and rows where the spots should be, and the side of a pixel of the plane in pixels."""
    layout = LAYOUTS[name]
    at = places(layout.plane)
    if frame.layout == "hst_drizzled":
        parent = name.rpartition("_")[0]
        exposure = read_frame(make_frame(f"{parent}_{PARENTS[parent]}", "no_source", seed=SEED))
        sky = exposure.ccd.wcs.pixel_to_world(*at.T)
        return np.transpose(frame.ccd.wcs.world_to_pixel(sky)), scale(exposure) / scale(frame)
    binning = layout.plane[0] // frame.shape[0]
    assert frame.shape == tuple(n // binning for n in layout.plane)
    return (at + 0.5) / binning - 0.5, 1 / binning


def scale(frame):
    """Return the side of a pixel on the sky."""
    return np.sqrt(frame.ccd.wcs.proj_plane_pixel_area().to_value(u.arcsec**2))


def measured(frame, column, row, radius):
    """Return the centre of a spot and its light, above the sky around it; bad pixels have that of their neighbours."""
    left, bottom = round(column - 2 * radius), round(row - 2 * radius)
    size = round(4 * radius) + 1
    window = np.s_[bottom : bottom + size, left : left + size]
    data, good = frame.ccd.data[window].astype(float), frame.good[window]
    y, x = np.indices(data.shape)
    distance = np.hypot(x + left - column, y + bottom - row)
    light = data - np.median(data[good & (distance > 1.4 * radius)])
    inside = distance < radius
    rings = np.round(distance).astype(int)
    for ring in np.unique(rings[inside & ~good]):
        light[~good & (rings == ring)] = np.median(light[good & (np.abs(rings - ring) <= 1)])
    total = light[inside].sum()
    return (light * x)[inside].sum() / total + left, (light * y)[inside].sum() / total + bottom, total


@pytest.mark.parametrize("name", NAMES)
def test_spots(name):
    """Every spot is at its place, the right way round, and has its share of the light; its electrons, if in these."""
    plane = LAYOUTS[name].plane
    frame = read_frame(make_frame(name, scene(plane), seed=SEED, signal=SIGNAL, cosmic_rays=False))
    pixels, share = (RAW_PIXELS, RAW_SHARE) if name.endswith("raw") else (PIXELS, SHARE)
    at, size = expected(name, frame)
    found = np.array([measured(frame, *place, 5 * spread(plane) * size) for place in at])
    assert_allclose(found[:, :2], at, atol=pixels)
    brightness = np.array([spot[2] for spot in SPOTS])
    assert_allclose(found[:, 2] / found[:, 2].sum(), brightness / brightness.sum(), rtol=share)
    if frame.ccd.unit in (u.electron, u.electron / u.s) and name not in NOMINAL_GAIN:
        seconds = frame.facts.exptime if frame.ccd.unit == u.electron / u.s else 1.0
        electrons = SIGNAL * brightness * 2 * np.pi * spread(plane) ** 2 / SPLIT.get(name, 1)
        assert_allclose(found[:, 2] * seconds, electrons, rtol=share)
