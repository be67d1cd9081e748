# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of WFPC2: four chips, found in every form of file, lie on the sky as they should."""

import warnings

import numpy as np
import pytest
from astropy import units as u
from astropy.io import fits
from astropy.wcs import WCS
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.polynomial.polynomial import polyval
from numpy.testing import assert_allclose, assert_array_equal

from astroclf import EmptyFrameError, FrameError, read_frame
from astroclf.datasets import cameras, make_frame
from astroclf.datasets.headers import Shot, plane_wcs
from astroclf.datasets.wfpc2 import wfpc2_frame
from astroclf.frames.layouts.wfpc2_geometry import CHIPS

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
    """The edges of the pyramid, measured on each chip by itself, lie on the same lines of the sky, within a pixel."""
    at = np.array([100, 300, 500, 700])
    columns = {n: chip.to_plane(polyval(at, chip.edges[0]), at) for n, chip in CHIPS.items()}
    rows = {n: chip.to_plane(at, polyval(at, chip.edges[1])) for n, chip in CHIPS.items()}
    upright, level = [columns[3], rows[4], columns[1], rows[2]], [columns[2], rows[3], columns[4], rows[1]]
    for along, across, edges in ((1, 0, upright), (0, 1, level)):
        for one, other in (edges[:2], edges[2:]):
            line = np.polyfit(one[along], one[across], 1)
            assert_allclose(np.polyval(line, other[along]), other[across], atol=1)


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


@given(st.lists(st.integers(-1, 5) | st.floats() | st.sampled_from(["PC", ""]), max_size=5))
@settings(max_examples=40)
def test_any_table_of_keywords(chips):
    """Whatever a table says, a file is read if and only if it names four different chips for the four planes."""
    cube = fits.PrimaryHDU(np.ones((4, 80, 80), np.float32))
    cube.header.update(INSTRUME="WFPC2", DETECTOR=1)
    kind = "6A" if any(isinstance(chip, str) for chip in chips) else "D"
    table = fits.BinTableHDU.from_columns([fits.Column("DETECTOR", kind, array=chips)] if chips else [])
    hdul = fits.HDUList([cube, table])
    if kind == "D" and sorted(chips) == [1, 2, 3, 4]:
        assert read_frame(hdul).layout == "wfpc2"
    else:
        with pytest.raises(FrameError, match="DETECTOR"):
            read_frame(hdul)


def test_broken_table_of_keywords(real):
    """A table with a row too few, or a chip twice, is refused by name, with the way out."""
    short = fits.HDUList([real[0], fits.BinTableHDU(real[1].data[:3])])
    with pytest.raises(FrameError, match=r"4 planes.*DETECTOR = \[1, 2, 3\].*plane="):
        read_frame(short)
    with pytest.raises(FrameError, match=r"4 planes.*DETECTOR = \[\].*plane="):
        read_frame(fits.HDUList([real[0]]))
    assert read_frame(short, plane=2).shape == (200, 200)


# ------------------------------------------------------------------------------------- simulated frames

SPOT = 2e5


def shot_of(camera, product="c0m"):
    """Return an exposure far enough from the equator for north to turn across the field."""
    return Shot(camera, product, "usimspotq", "SPOTS", 123.4, 67.0, 33.0, 51230.0, 500.0, camera.filters[0], ())


def spotted(camera, sigma=2.5):
    """Return equal round sources all over the plane, and their columns and rows."""
    side = camera.plane[0]
    x, y = (grid.ravel() for grid in np.meshgrid(*(np.arange(60, side - 60, side // 13) + part for part in (0.3, 0.8))))
    light = np.zeros(camera.plane, np.float32)
    for column, row in zip(x, y):
        rows, columns = np.mgrid[int(row) - 14 : int(row) + 16, int(column) - 14 : int(column) + 16]
        radius2 = (columns - column) ** 2 + (rows - row) ** 2
        light[rows, columns] += SPOT * np.exp(-radius2 / (2 * sigma**2)) / (2 * np.pi * sigma**2)
    return light, x, y


def measured(frame, x, y, half=12):
    """Return centroid and flux of sources at these pixels of a frame; NaN where they are not whole."""
    found = np.full((3, x.size), np.nan)
    for number, (column, row) in enumerate(zip(np.rint(x).astype(int), np.rint(y).astype(int))):
        box = slice(row - half, row + half + 1), slice(column - half, column + half + 1)
        inside = min(row, column) >= half and row + half < frame.shape[0] and column + half < frame.shape[1]
        if inside and not frame.ccd.mask[box].any():
            data = frame.ccd.data[box]
            rows, columns = np.mgrid[box]
            total = data.sum()
            found[:, number] = (data * columns).sum() / total, (data * rows).sum() / total, total
    return found


@pytest.mark.parametrize("camera", [cameras.WFPC2, cameras.WFPC2_AREA], ids=lambda camera: camera.mode)
def test_positions_flux_and_coordinates(camera):
    """
    Sources keep place and flux on every chip: within a pixel of their coordinates, and 3 % in the median.

    The simulation knows another solution of the geometry than the reader.
    """
    light, x, y = spotted(camera)
    shot = shot_of(camera)
    frame = read_frame(wfpc2_frame(shot, light, np.random.default_rng(1), cosmic_rays=False))
    expected = frame.ccd.wcs.all_world2pix(plane_wcs(shot).all_pix2world(np.transpose([x, y]), 0), 0).T
    column, row, flux = measured(frame, *expected)
    side, middle = [], camera.plane[0] / 2
    for chip in camera.chips:
        away = [sign * (axis - middle) > 35 / camera.binning for sign, axis in zip(chip.quadrant, (x, y))]
        there = np.isfinite(flux) & away[0] & away[1]
        assert there.sum() >= (4 if chip.number == 1 else 25)
        assert_allclose([column[there], row[there]], expected[:, there], atol=1)
        assert_allclose(np.median(flux[there]), SPOT, rtol=0.03)
        side.append(np.median(flux[there]))
    assert_allclose(side, side[2], rtol=0.03)


def test_simulated_chips_lie_as_real_ones(real):
    """The places of the chips in simulated headers are those in real ones, to a pixel and a tenth of a degree."""
    table = real[1].data
    simulated = make_frame("wfpc2_c0m", "no_source", seed=1)
    mine, theirs = (WCS(simulated["SCI", 3].header), chip_wcs(table, 2))
    for row in range(4):
        ours, real_chip = WCS(simulated["SCI", row + 1].header), chip_wcs(table, row)
        places = [wf3.all_world2pix([wcs.wcs.crval], 1)[0] for wf3, wcs in ((mine, ours), (theirs, real_chip))]
        assert_allclose(*places, atol=1)
        turned = [np.linalg.inv(wf3.wcs.cd) @ wcs.wcs.cd for wf3, wcs in ((mine, ours), (theirs, real_chip))]
        assert_allclose(*turned, atol=0.005)
        assert_allclose(ours.wcs.crpix, real_chip.wcs.crpix)


@pytest.fixture(scope="module")
def area():
    """Return a maker of small frames of one exposure of a spiral galaxy, by product."""
    made = {
        product: make_frame(f"wfpc2_area_{product}", "spiral_galaxy", seed=4, cosmic_rays=False)
        for product in ("c0m", "c1m", "d0m", "c0f")
    }
    return lambda product: fits.HDUList([hdu.copy() for hdu in made[product]])


@pytest.mark.parametrize("product", ["c0m", "c1m", "d0m", "c0f"])
def test_simulated_files_are_those_of_the_archive(area, real, product, tmp_path):
    """Simulated files have the archive's HDUs, types and keywords, and survive the disk."""
    hdul = area(product)
    hdul.verify("exception")
    header = hdul[0].header
    assert header["FILENAME"] == f"{header['ROOTNAME']}_{product}.fits"
    kinds = {"c0m": "float32", "c1m": "int16", "d0m": "int16", "c0f": "float32"}
    if product == "c0f":
        assert hdul[0].data.shape == (4, 400, 400)
        with fits.open(written(tmp_path, hdul)) as again:
            mine, theirs = again[1].columns, real[1].columns
            assert isinstance(again[1], fits.TableHDU)
            assert set(mine.names) <= set(theirs.names)
            assert mine.names == [name for name in theirs.names if name in mine.names]
            assert [np.dtype(column.dtype).kind for column in mine] == [theirs[name].dtype.kind for name in mine.names]
    else:
        assert [(hdu.name, hdu.ver) for hdu in hdul[1:]] == [("SCI", chip) for chip in range(1, 5)]
        assert [hdu.header["DETECTOR"] for hdu in hdul[1:]] == [1, 2, 3, 4]
    assert hdul[-1 if product != "c0f" else 0].data.dtype.name == kinds[product]
    known = set(real[0].header) | {"NEXTEND", "SIMULATD"}
    assert set(header) - {"", "COMMENT", "HISTORY"} <= known


@pytest.fixture(scope="module")
def whole(area):
    """Return the frame read from the calibrated file without flags."""
    return read_frame(area("c0m"))


def only(hdul, *chips):
    """Return a file with some of its chips."""
    hdul[0].header["NEXTEND"] = len(chips)
    return fits.HDUList([hdul[0], *(hdul["SCI", chip] for chip in chips)])


def written(folder, *files):
    """Write files under their own names and return the path of the first."""
    for hdul in files:
        hdul.writeto(folder / hdul[0].header["FILENAME"])
    return folder / files[0][0].header["FILENAME"]


def test_the_plane_has_no_holes(whole):
    """Chips cover their quadrants without a gap between them; where there is none nothing was exposed."""
    masked = whole.ccd.mask
    assert whole.shape == (752, 764)
    assert not masked[30:-30, 400:-30].any()
    assert not masked[400:-30, 30:-30].any()
    assert not masked[230:380, 230:400].any()
    assert masked[:180, :340].all()
    assert whole.quality < 0.001


def test_chips_in_any_order(area, whole):
    """The order of the extensions does not matter: DETECTOR does."""
    expected, frame = whole, read_frame(only(area("c0m"), 3, 1, 4, 2))
    assert_array_equal(frame.ccd.data, expected.ccd.data)
    assert frame.origin.hdus == ("SCI,1", "SCI,2", "SCI,3", "SCI,4")
    assert frame.facts.gain == (7.12, 7.12, 6.9, 7.1)


def test_waivered_is_the_same(area, whole, tmp_path):
    """A cube with its table gives the frame of the extensions, also by way of the disk."""
    expected, frame = whole, read_frame(written(tmp_path, area("c0f")))
    assert_array_equal(frame.ccd.data, expected.ccd.data)
    assert_array_equal(frame.ccd.mask, expected.ccd.mask)
    assert_allclose(frame.ccd.wcs.wcs.crpix, expected.ccd.wcs.wcs.crpix, atol=1e-4)
    assert_allclose(frame.ccd.wcs.wcs.cd, expected.ccd.wcs.wcs.cd, rtol=1e-5)
    assert (frame.facts.product, expected.facts.product) == ("c0f", "c0m")
    assert frame.facts.pivot == expected.facts.pivot == 6001


@pytest.mark.parametrize("chips", [(2, 3), (1, 2, 4), (1, 4), (3, 4)])
def test_some_of_the_chips(area, whole, chips):
    """Fewer chips make a smaller frame of the same sky, within a pixel, and no more is exposed than they saw."""
    frame = read_frame(only(area("c0m"), *chips))
    assert frame.ccd.data.size <= whole.ccd.data.size
    y, x = (float(axis[len(axis) // 2]) for axis in np.nonzero(frame.good))
    there = whole.ccd.wcs.all_world2pix(frame.ccd.wcs.all_pix2world([[x, y]], 0), 0)[0]
    here = np.array([x, y])
    shift = np.rint(there - here).astype(int)
    assert_allclose(there - here, shift, atol=1)
    rows, columns = (slice(max(at, 0), max(at, 0) + n) for at, n in zip(shift[::-1], frame.shape))
    assert np.count_nonzero(frame.good) < np.count_nonzero(whole.good)
    assert np.isin(frame.ccd.data[frame.good][::7], whole.ccd.data).mean() > 0.98
    assert whole.good[rows, columns].sum() >= 0.98 * frame.good.sum()


@pytest.mark.parametrize("chip", [1, 2, 3, 4])
def test_one_chip_stays_as_it_is(area, chip):
    """A single chip, PC1 too, keeps its pixels and its coordinates; the pyramid's shadow is not exposed."""
    hdul = only(area("c0m"), chip)
    frame = read_frame(hdul)
    data = hdul["SCI"].data * np.float32(CHIPS[chip].gains[7])
    assert_allclose(frame.ccd.data, data, rtol=1e-6)
    assert_array_equal(frame.ccd.wcs.wcs.crpix, WCS(hdul["SCI"].header).wcs.crpix)
    assert frame.ccd.mask[:10].all()
    assert not frame.ccd.mask[40:, 40:].any()
    assert (frame.facts.gain, frame.facts.readnoise) == ((CHIPS[chip].gains[7],), (CHIPS[chip].readnoises[7],))
    assert frame.quality == 0
    assert not any("together" in step for step in frame.steps)


def test_one_group_of_a_waivered_file(area):
    """A waivered file of one chip, with and without its table, is that chip."""
    hdul = area("c0f")
    row = fits.BinTableHDU(hdul[1].data[2:3])
    single = fits.PrimaryHDU(hdul[0].data[2], hdul[0].header)
    single.header["DETECTOR"] = 3
    expected = read_frame(only(area("c0m"), 3)).ccd.data
    for hdus in ([single], [fits.PrimaryHDU(hdul[0].data[2:3], hdul[0].header), row]):
        frame = read_frame(fits.HDUList(hdus))
        assert (frame.layout, frame.facts.gain) == ("wfpc2", (6.9,))
        assert_array_equal(frame.ccd.data, expected)


def test_world_coordinates_without_wf3(area, whole):
    """Where WF3 has no usable coordinates those of the next chip serve; without any there are none."""
    expected, hdul = whole, area("c0m")
    hdul["SCI", 3].header["CRVAL1"] = "none"
    frame = read_frame(hdul)
    sky = expected.ccd.wcs.all_pix2world([[380, 380]], 0)
    assert_allclose(frame.ccd.wcs.all_world2pix(sky, 0), [[380, 380]], atol=0.5)
    for chip in range(1, 5):
        del hdul["SCI", chip].header["CD1_1"], hdul["SCI", chip].header["CTYPE1"]
    assert read_frame(hdul).ccd.wcs is None


# ------------------------------------------------------------------------------------- data quality


def flagged(flags):
    """Put a block of bad pixels, one of saturated and kept ones, and one of repaired rays on WF3."""
    for chip in range(1, 5):
        flags["SCI", chip].data[:] = 0
    flags["SCI", 3].data[200:210, 200:220] = 2
    flags["SCI", 3].data[300:310, 200:220] = 8 | 512 | 256
    flags["SCI", 3].data[200:210, 300:320] = 4096
    return flags


def flags_of(area, **cards):
    """Return the data-quality file of the exposure, `flagged`, with other cards in its header."""
    flags = flagged(area("c1m"))
    flags[0].header.update(cards)
    return flags


@pytest.mark.parametrize(("pack", "extension"), [("", "SCI"), (".gz", "SDQ")])
def test_flags_beside_the_file(area, tmp_path, pack, extension):
    """Flags come from the c1m file of the same rootname in the folder, plain or packed, and the steps say so."""
    path, flags = written(tmp_path, only(area("c0m"), 3)), flags_of(area)
    for hdu in flags[1:]:
        hdu.name = extension
    flags.writeto(tmp_path / (flags[0].header["FILENAME"] + pack))
    frame = read_frame(path)
    assert f"took data quality from {flags[0].header['FILENAME']}{pack} beside the file" in frame.steps
    lit = ~read_frame(only(area("c0m"), 3)).ccd.mask
    expected = np.zeros(frame.shape, bool)
    expected[200:210, 200:220] = expected[200:210, 300:320] = True
    assert_array_equal(frame.ccd.mask & lit, expected)
    assert frame.saturated == pytest.approx(200 / lit.sum())
    assert frame.quality == pytest.approx(400 / lit.sum())
    assert not frame.notes


def test_flags_land_with_their_pixels(area, whole, tmp_path):
    """In the mosaic the flags of a chip lie where its pixels do; those of PC1 count where most of a pixel is bad."""
    flags, data = flags_of(area), area("c0m")
    flags["SCI", 1].data[200:220, 200:220] = 2
    data["SCI", 1].data[200:220, 200:220] = np.nan
    data["SCI", 3].data[200:210, 200:220] = np.nan
    data["SCI", 3].data[200:210, 300:320] = np.nan
    expected = ~np.isfinite(read_frame(data).ccd.data) & whole.good
    path = written(tmp_path, area("c0m"), flags)
    found = read_frame(path).ccd.mask & whole.good
    assert np.count_nonzero(found) == pytest.approx(400 + 400 * 0.4573**2, rel=0.05)
    assert np.count_nonzero(found & ~expected) < 40  # the rim of the block on PC1
    assert not (expected & ~found).any()


def test_flags_of_a_waivered_file(area, tmp_path):
    """The flags of a c0f are in a c1f: a cube of numbers with a table."""
    cube, flags = area("c0f"), flags_of(area, FILENAME="usim_c1f.fits")
    images = np.array([flags["SCI", chip].data for chip in range(1, 5)])
    root = cube[0].header["ROOTNAME"]
    fits.HDUList([fits.PrimaryHDU(images, flags[0].header), cube[1]]).writeto(tmp_path / f"{root}_c1f.fits")
    with_flags = read_frame(written(tmp_path, cube))
    lit = read_frame(area("c0f")).good
    assert with_flags.saturated * lit.sum() == pytest.approx(200, abs=10)
    assert (with_flags.ccd.mask & lit).sum() == pytest.approx(400, abs=20)


@pytest.mark.parametrize("wrong", ["rootname", "shape", "float", "rubbish"])
def test_flags_that_do_not_belong(area, whole, tmp_path, wrong):
    """A data-quality file of another exposure, of other sizes, or broken, is left alone, and a note says why."""
    path, flags = written(tmp_path, area("c0m")), flags_of(area)
    beside = tmp_path / flags[0].header["FILENAME"]
    if wrong == "rootname":
        flags[0].header["ROOTNAME"] = "u9999999r"
    if wrong == "shape":
        flags["SCI", 3].data = flags["SCI", 3].data[:200]
    if wrong == "float":
        flags["SCI", 3].data = flags["SCI", 3].data.astype(np.float32)
    flags.writeto(beside)
    if wrong == "rubbish":
        beside.write_bytes(b"SIMPLE  =  nothing")
    frame = read_frame(path)
    assert_array_equal(frame.ccd.mask, whole.ccd.mask)
    assert len(frame.notes) == 1
    assert f"not taken from {beside.name}" in frame.notes[0]


def test_flags_within_the_file(area, whole):
    """A flt, as drizzlepac makes it, has its flags in DQ extensions."""
    hdul, flags = only(area("c0m"), 3, 1, 2, 4), flags_of(area)
    for chip in range(1, 5):
        hdul.append(fits.ImageHDU(flags["SCI", chip].data, name="DQ", ver=chip))
    hdul[0].header["DETECTOR"] = "PC"
    frame = read_frame(hdul)
    assert (frame.facts.product, frame.layout) == ("flt", "wfpc2")
    assert (frame.ccd.mask & whole.good).sum() == pytest.approx(400, abs=20)
    assert not any("no data quality" in step for step in frame.steps)


def test_saturation_without_flags(area):
    """Without flags, a calibrated pixel above 3500 counts as saturated, and is not masked."""
    hdul = only(area("c0m"), 2)
    hdul["SCI"].data[300:304, 300:305] = 3600
    hdul["SCI"].data[310:314, 300:305] = 3400
    frame = read_frame(hdul)
    assert frame.saturated == pytest.approx(20 / frame.good.sum())
    assert not frame.ccd.mask[300:304, 300:305].any()
    assert "found no data quality: no " in frame.steps[0]


# ------------------------------------------------------------------------------------- raw frames


def test_raw_frames_lose_their_bias(area, whole):
    """A raw frame is that of the calibrated one but for dark current and flat field: no bias, in electrons."""
    raw, calibrated = read_frame(area("d0m")), whole
    assert (raw.facts.product, raw.ccd.unit) == ("d0m", u.electron)
    good = raw.good & calibrated.good
    good[:, :400] = good[:400] = False  # WF3, far from the edges
    assert abs(np.median(raw.ccd.data[good] - calibrated.ccd.data[good])) < 2
    assert any("level of the pixels that no light reaches: PC1 31" in step for step in raw.steps)


def test_even_and_odd_columns(area):
    """The bias of even columns may differ from that of odd ones."""
    expected, hdul = read_frame(area("d0m")), area("d0m")
    for chip in range(1, 5):
        hdul["SCI", chip].data[:, ::2] += 5
    assert_allclose(read_frame(hdul).ccd.data, expected.ccd.data, atol=0.01)


def test_converter_at_its_limit(area):
    """A raw pixel of 4095 is saturated: the converter has 12 bits."""
    hdul = only(area("d0m"), 4)
    hdul["SCI"].data[300:304, 300:305] = 4095
    hdul["SCI"].data[310:314, 300:305] = 4094
    frame = read_frame(hdul)
    assert frame.saturated == pytest.approx(20 / frame.good.sum())


def test_raw_cutout_keeps_its_bias(area):
    """A cut-out without dark pixels keeps its bias, and says so; LTV tells where on the chip it lies."""
    hdul = only(area("d0m"), 3)
    cut = fits.ImageHDU(hdul["SCI"].data[100:300, 150:350], hdul["SCI"].header)
    cut.header.update(LTV1=-150.0, LTV2=-100.0)
    frame = read_frame(fits.HDUList([hdul[0], cut]))
    assert any(step.startswith("kept the bias") for step in frame.steps)
    assert np.median(frame.ccd.data) > 300 * 6.9
    assert not frame.ccd.mask.any()


@pytest.mark.parametrize("value", [-500.0, 10.0, -1e12, "here"])
def test_cutouts_from_nowhere(area, value):
    """A cut-out whose place on the chip cannot be is refused: LTV1 is named."""
    hdul = only(area("c0m"), 3, 4)
    hdul["SCI", 4].header["LTV1"] = value
    with pytest.raises(FrameError, match=r"LTV1 = .* outside a chip of 400"):
        read_frame(hdul)


def test_cutouts_in_the_dark(area):
    """Chips cut out where no light falls are left out; if that is all of them there is no image."""
    hdul = only(area("c0m"), 3, 4)
    dark = fits.ImageHDU(hdul["SCI", 4].data[:18, :18], hdul["SCI", 4].header)
    frame = read_frame(fits.HDUList([hdul[0], hdul["SCI", 3], dark]))
    assert any(step.startswith("put WF3 together") for step in frame.steps)
    assert frame.good.any()
    with pytest.raises(EmptyFrameError):
        read_frame(fits.HDUList([hdul[0], dark]))


# ------------------------------------------------------------------------------------- units and kinds


def test_gain_of_15(area):
    """ATODGAIN = 15 has gains and read noise of its own."""
    hdul = only(area("c0m"), 3)
    hdul[0].header["ATODGAIN"] = 15.0
    frame = read_frame(hdul)
    assert_allclose(frame.ccd.data, hdul["SCI"].data * np.float32(13.95), rtol=1e-6)
    assert (frame.facts.gain, frame.facts.readnoise) == ((13.95,), (6.99,))


def test_unknown_gain(area):
    """Without a known ATODGAIN the frame stays in counts."""
    hdul = only(area("c0m"), 3)
    del hdul[0].header["ATODGAIN"]
    frame = read_frame(hdul)
    assert (frame.ccd.unit, frame.facts.gain) == (u.adu, ())
    assert any("kept counts: ATODGAIN = None" in step for step in frame.steps)


def test_combined_exposures_have_no_rays(area):
    """Cosmic rays are looked for in a single exposure, not in a combination."""
    hdul = area("c0m")
    assert read_frame(hdul).cosmic_rays
    hdul[0].header["NCOMBINE"] = 4
    frame = read_frame(hdul)
    assert not frame.cosmic_rays
    assert frame.facts.product == "crj"


def test_chips_kept_as_one_number(area, whole):
    """A chip that the archive keeps as one number is filled out."""
    hdul = area("c0m")
    empty = fits.ImageHDU(header=hdul["SCI", 2].header)
    empty.header.update(NPIX1=400, NPIX2=400, PIXVALUE=7.0, EXTNAME="SCI", EXTVER=2)
    frame = read_frame(fits.HDUList([hdul[0], hdul["SCI", 1], empty, hdul["SCI", 3], hdul["SCI", 4]]))
    assert frame.shape == whole.shape
    assert_allclose(frame.ccd.data[100:300, 500:700], 7 * 7.12, rtol=1e-6)


def test_infinite_and_missing_values(area, whole):
    """NaN and infinity stay where they are: on PC1 the rest of a pixel makes up for a few."""
    hdul = area("c0m")
    hdul["SCI", 1].data[200, 200] = np.nan
    hdul["SCI", 3].data[200, 200] = np.inf
    frame, expected = read_frame(hdul), whole
    assert np.count_nonzero(frame.ccd.mask) == np.count_nonzero(expected.ccd.mask) + 1
    assert_allclose(frame.ccd.data[frame.good], expected.ccd.data[frame.good], atol=400)


def test_files_that_are_no_exposures(area):
    """Drizzled images are not taken apart, flags and engineering data are named as such, and WF/PC is no WFPC2."""
    drizzled = only(area("c0m"), 3)
    drizzled.append(fits.ImageHDU(np.ones((400, 400), np.float32), name="WHT"))
    assert read_frame(drizzled).layout != "wfpc2"
    blocked = only(area("c0m"), 3)
    blocked["SCI"].header["LTM1_1"] = 0.5
    assert read_frame(blocked).layout == "science"
    with pytest.raises(FrameError, match="FILETYPE = 'SDQ': it holds data quality, not an image"):
        read_frame(area("c1m"))
    old = area("c0f")
    old[0].header["INSTRUME"] = "WFPC"
    with pytest.raises(FrameError, match="cube of 4 planes"):
        read_frame(old)


@pytest.mark.parametrize("kind", ["IFLAT", "UFLAT", "VFLAT", "KSPOT", "ECAL", "DARK", "BIAS"])
def test_calibration_frames_are_noted(area, kind):
    """IMAGETYP of a calibration frame is noted."""
    hdul = only(area("c0m"), 3)
    hdul[0].header["IMAGETYP"] = kind
    assert any("no picture of the sky" in note for note in read_frame(hdul).notes)
