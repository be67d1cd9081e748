# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of the door: every kind of source becomes the right frame or a `FrameError` that says why not."""

import bz2
import gzip
import hashlib
import os

import numpy as np
import pytest
from astropy import units as u
from astropy.io import fits
from astropy.nddata import CCDData, Cutout2D, NDData
from astropy.table import Table
from astropy.utils.masked import Masked
from astropy.wcs import WCS
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from astroclf import EmptyFrameError, Frame, FrameError, read_frame
from astroclf.datasets import LAYOUTS, make_frame
from astroclf.frames import Facts, Origin

PACK = {"": bytes, ".gz": gzip.compress, ".bz2": bz2.compress}
SHAPE = (24, 30)
SPOT_FLUX, SPOT_SIGMA = 1e6, 4.0


def picture(shape=SHAPE, dtype=np.float32):
    """Return numbers between 20 and 120, no two rows or columns alike, that every type holds exactly."""
    return np.random.default_rng(5).integers(20, 120, shape).astype(dtype)


def hst(*images, instrument="ACS", detector="WFC", dq=None, **cards):
    """Return an HDUList of SCI extensions, each with DQ if there is one; cards go to the primary header."""
    primary = fits.PrimaryHDU()
    primary.header.update(TELESCOP="HST", INSTRUME=instrument, DETECTOR=detector, **cards)
    hdul = fits.HDUList([primary])
    for version, image in enumerate(images, 1):
        hdul.append(fits.ImageHDU(image, name="SCI", ver=version))
        if dq is not None:
            hdul.append(fits.ImageHDU(dq, name="DQ", ver=version))
    return hdul


def constant(name, value, shape=SHAPE, version=1):
    """Return an extension that is kept as one number."""
    hdu = fits.ImageHDU(name=name, ver=version)
    hdu.header.update(NPIX1=shape[1], NPIX2=shape[0], PIXVALUE=value)
    return hdu


def sky_cards(x=10.0, y=12.0):
    """Return the cards of a tangential WCS of 0.05 arcsec a pixel with this reference pixel."""
    return {
        "CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRVAL1": 10.0, "CRVAL2": 20.0, "CRPIX1": x, "CRPIX2": y,
        "CD1_1": -0.05 / 3600, "CD1_2": 0.0, "CD2_1": 0.0, "CD2_2": 0.05 / 3600, "CUNIT1": "deg", "CUNIT2": "deg",
    }  # fmt: skip


def write(path, hdul):
    """Write an HDUList, packed as the name says, and return the path."""
    plain = path.with_name("plain.fits")
    hdul.writeto(plain, overwrite=True)
    path.write_bytes(PACK[path.suffix if path.suffix in PACK else ""](plain.read_bytes()))
    return path


def digest(path):
    """Return what a file holds and when it was changed."""
    return hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns


# ------------------------------------------------------------------------- both chips of CCD cameras

# instrument, detector: raw chip, chip, gap, physical overscan, virtual columns, virtual rows
CHIPS = {
    ("ACS", "WFC"): ((2068, 4144), (2048, 4096), 50, 24, 0, 20),
    ("WFC3", "UVIS"): ((2070, 4206), (2051, 4096), 31, 25, 60, 19),
}
BIAS = {"A": 2000, "B": 2100, "C": 2200, "D": 2300}
GAIN = {"A": 2.0, "B": 0.5, "C": 3.0, "D": 1.5}
VIRTUAL = 65535


def raw_chip(camera, amplifiers, upper):
    """Return a raw chip whose virtual overscan is absurd, and the electrons of its pixels."""
    raw, (ny, nx), _, prescan, columns, rows = CHIPS[camera]
    y, x = np.mgrid[:ny, :nx]
    counts = 50 * (y % 89) + x % 97
    image = np.full(raw, VIRTUAL, np.uint16)
    lit = image[rows:] if upper else image[:ny]
    electrons = np.empty((ny, nx), np.float32)
    for half, (amplifier, edge) in enumerate(zip(amplifiers, (slice(0, prescan), slice(-prescan, None)))):
        inside = slice(half * nx // 2, (half + 1) * nx // 2)
        start = prescan + inside.start + half * columns
        lit[:, start : start + nx // 2] = counts[:, inside] + BIAS[amplifier]
        image[:, edge] = BIAS[amplifier]
        electrons[:, inside] = counts[:, inside] * GAIN[amplifier]
    return image, electrons


@pytest.mark.parametrize("camera", CHIPS, ids="_".join)
def test_overscan_bias_gain_and_gap(camera):
    """Every pixel of both raw chips lands in its place in electrons; overscan is gone, the gap is masked."""
    _, (ny, _), gap, *_ = CHIPS[camera]
    (low, below), (high, above) = (raw_chip(camera, *amps) for amps in (("CD", False), ("AB", True)))
    gains = {f"ATODGN{key}": value for key, value in GAIN.items()}
    frame = read_frame(hst(low, high, instrument=camera[0], detector=camera[1], **gains))
    assert frame.ccd.unit == u.electron
    assert frame.shape == (2 * ny + gap, 4096)
    assert_allclose(frame.ccd.data[:ny], below, rtol=1e-6)
    assert_allclose(frame.ccd.data[ny + gap :], above, rtol=1e-6)
    assert frame.ccd.mask[ny : ny + gap].all()
    assert frame.ccd.mask.sum() == gap * 4096
    assert frame.quality == 0
    assert frame.origin.hdus == ("SCI,1", "SCI,2")


def test_upper_chip_alone():
    """A file with the upper chip alone has its virtual rows, amplifiers and WCS treated as such."""
    image, electrons = raw_chip(("ACS", "WFC"), "AB", upper=True)
    hdul = hst(image, CCDGAIN=1.0, ATODGNA=GAIN["A"], ATODGNB=GAIN["B"])
    hdul[1].header.update(CCDCHIP=1, **sky_cards(24 + 5, 20 + 7))
    frame = read_frame(hdul)
    assert_allclose(frame.ccd.data, electrons, rtol=1e-6)
    assert_allclose(frame.ccd.wcs.wcs.crpix, (5, 7))


PAIRS = [("acs_wfc_raw", "acs_wfc_flt"), ("wfc3_uvis_raw", "wfc3_uvis_flc")]


def spots(plane):
    """Return positions (x, y) of sources in the four quadrants of a plane."""
    ny, nx = plane
    return [(0.25 * nx, 0.2 * ny), (0.8 * nx, 0.3 * ny), (0.2 * nx, 0.7 * ny), (0.7 * nx, 0.9 * ny)]


def spot(shape, x, y, sigma=SPOT_SIGMA):
    """Return a round source of flux 1."""
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    return np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * sigma**2)) / (2 * np.pi * sigma**2)


def stamp(x, y, half=25):
    """Return the square around a position, and the position in it."""
    x0, y0 = round(x) - half, round(y) - half
    return np.s_[y0 : y0 + 2 * half + 1, x0 : x0 + 2 * half + 1], (x - x0, y - y0)


@pytest.fixture(scope="module", params=PAIRS, ids=lambda pair: pair[0].removesuffix("_raw"))
def pair(request):
    """Return the plane and the frames of one exposure of five sources, raw and calibrated."""
    plane = LAYOUTS[request.param[0]].plane
    scene = np.zeros(plane, np.float32)
    for x, y in spots(plane):
        where, at = stamp(x, y)
        scene[where] += spot(scene[where].shape, *at)
    across = np.s_[plane[0] // 2 - 200 : plane[0] // 2 + 200, 1800:2200]
    scene[across] += 5 * spot((400, 400), 200, 199.5, 50)
    frames = (make_frame(name, scene, seed=7, signal=SPOT_FLUX, cosmic_rays=False) for name in request.param)
    return plane, *map(read_frame, frames)


def photometry(frame, x, y):
    """Return flux, by a fit of the known profile to the good pixels, and offset of the centroid."""
    where, at = stamp(x, y)
    good = frame.good[where]
    image, profile = frame.ccd.data[where], spot(good.shape, *at)
    image = np.where(good, image - np.median(image[good]), 0)
    flux = (image * profile)[good].sum() / (profile**2)[good].sum()
    rows, columns = np.indices(good.shape)
    bright = good & (profile > 0.1 * profile.max())
    moments = [np.average(axis[bright] - c, weights=image[bright]) for axis, c in ((columns, at[0]), (rows, at[1]))]
    return flux, np.hypot(*moments)


def test_two_chips(pair):
    """Both products of a two-chip camera have the plane's shape, electrons, both SCI, and cosmic rays to come."""
    plane, raw, calibrated = pair
    for frame in (raw, calibrated):
        assert frame.shape == plane
        assert frame.ccd.unit == u.electron
        assert frame.origin.hdus == ("SCI,1", "SCI,2")
        assert frame.cosmic_rays
        assert frame.layout in ("acs_wfc", "wfc3_uvis")
        assert frame.ccd.data.dtype == np.float32
        assert frame.facts.telescope == "HST"
        assert frame.facts.filter in ("F606W", "F555W")
        assert frame.facts.target == "SIM-ARRAY"
        assert frame.facts.exptime == 500
        assert len(frame.facts.date) == len("2005-03-07T12:34:56")


def test_sources_keep_place_and_flux(pair):
    """Sources come back in their place, within 1 % of their flux; 5 % in raw frames, whose gain is the nominal one."""
    plane, *frames = pair
    for frame, error in zip(frames, (0.05, 0.01)):
        for x, y in spots(plane):
            flux, offset = photometry(frame, x, y)
            assert_allclose(flux, SPOT_FLUX, rtol=error)
            assert offset < 0.1


def test_light_across_the_gap(pair):
    """A source across the gap is as bright on either side of it, and nothing but the gap is masked there."""
    (ny, _), raw, calibrated = pair
    gap = raw.ccd.mask[:, 2000]
    first, last = np.flatnonzero(gap)[[0, -1]]
    assert (first + last, gap.sum()) == (ny - 1, last - first + 1)
    for frame in (raw, calibrated):
        below, above = (
            np.median(frame.ccd.data[rows, 1980:2020])
            for rows in (np.s_[first - 5 : first], np.s_[last + 1 : last + 6])
        )
        assert below > 200
        assert_allclose(below, above, rtol=0.05)


def test_raw_and_calibrated_agree_on_the_sky(pair):
    """A pixel of the trimmed raw frame is where the same pixel of the calibrated one is, within a milliarcsecond."""
    _, raw, calibrated = pair
    for x, y in ((100, 200), (3900, 1500)):
        there, here = (frame.ccd.wcs.pixel_to_world(x, y) for frame in (raw, calibrated))
        assert there.separation(here).mas < 1


def test_level_of_raw_and_calibrated(pair):
    """The sky of a raw frame has the level of the calibrated one within three electrons: the bias is off."""
    _, raw, calibrated = pair
    levels = [np.median(frame.ccd.data[frame.good][::97]) for frame in (raw, calibrated)]
    assert abs(levels[0] - levels[1]) < 3


def test_quality_leaves_the_gap_out(pair):
    """Quality is the share of flagged pixels on the chips: hot ones of a calibrated frame, hardly any of a raw one."""
    _, raw, calibrated = pair
    assert raw.quality == raw.saturated < 1e-6
    gap = raw.ccd.mask
    flagged = calibrated.ccd.mask & ~gap
    assert 0.001 < flagged.sum() / (~gap).sum() < 0.02
    assert flagged.sum() / (~gap).sum() <= calibrated.quality < 0.02


@pytest.mark.parametrize(
    ("layout", "shape"), [("wfc3_ir_sub256_flt", (256, 256)), ("wfc3_ir_flt", (1014, 1014))], ids=str
)
def test_infrared(layout, shape):
    """WFC3/IR flt frames are read whole, in electrons per second, without cosmic rays to come."""
    hdul = make_frame(layout, "spiral_galaxy", seed=3)
    frame = read_frame(hdul)
    assert (frame.shape, frame.layout, frame.cosmic_rays) == (shape, "wfc3_ir", False)
    assert frame.ccd.unit == u.electron / u.s
    assert frame.origin.hdus == ("SCI,1",)
    assert (frame.facts.instrument, frame.facts.detector, frame.facts.filter) == ("WFC3", "IR", "F110W")
    assert_array_equal(frame.ccd.data, hdul["SCI"].data)
    bad = (hdul["DQ"].data & (1 | 2 | 4 | 8 | 16 | 32 | 128)) > 0
    assert_array_equal(frame.ccd.mask, bad)
    assert frame.quality == np.mean(bad | (hdul["DQ"].data & 256 > 0))


def test_subarray():
    """A calibrated subarray of a CCD is read as it is stored, as one chip, with cosmic rays to come."""
    hdul = make_frame("wfc3_uvis_c512c_flc", "star_field", seed=3)
    frame = read_frame(hdul)
    assert frame.layout == "wfc3_uvis"
    assert frame.cosmic_rays
    assert frame.ccd.unit == u.electron
    assert_array_equal(frame.ccd.data, hdul["SCI"].data)


# -------------------------------------------------------------------------------------- data quality

ALL_BITS = frozenset(1 << bit for bit in range(15))
# masked bits, counted bits
CHOICES = {
    ("ACS", "WFC"): ({1, 2, 4, 8, 16, 128, 512, 4096, 8192}, {1, 2, 4, 8, 16, 128, 512, 256, 2048}),
    ("WFC3", "UVIS"): ({1, 2, 4, 8, 16, 128, 4096, 8192}, {1, 2, 4, 8, 16, 128, 256, 2048}),
    ("WFC3", "IR"): ({1, 2, 4, 8, 16, 32, 128, 4096}, {1, 2, 4, 8, 16, 32, 128, 256}),
    ("STIS", "CCD"): ({1, 2, 4, 8, 16, 32, 128, 512, 4096, 8192}, {1, 2, 4, 8, 16, 32, 128, 512, 256}),
    ("FGS", "1"): (ALL_BITS, ALL_BITS),
}


@pytest.mark.parametrize("camera", CHOICES, ids="_".join)
def test_choice_of_quality_bits(camera):
    """Bad pixels are masked and counted, saturated ones counted, repaired ones masked; other bits do neither."""
    masked, counted = CHOICES[camera]
    dq = np.zeros(SHAPE, np.int16)
    dq[5, :15] = [1 << bit for bit in range(15)]
    frame = read_frame(hst(picture(), dq=dq, instrument=camera[0], detector=camera[1]))
    assert {int(dq[5, x]) for x in np.flatnonzero(frame.ccd.mask[5])} == masked
    assert frame.ccd.mask.sum() == len(masked)
    assert frame.quality * dq.size == pytest.approx(len(counted))


def test_every_bit_of_an_unknown_instrument():
    """Flags of an instrument nobody knows are bad, the 32nd bit too."""
    dq = np.zeros(SHAPE, np.uint32)
    dq[3, 4] = 1 << 31
    frame = read_frame(hst(picture(), dq=dq, instrument="NEW", detector="ONE"))
    assert np.argwhere(frame.ccd.mask).tolist() == [[3, 4]]


def test_quality_of_borders_and_holes():
    """NaN connected to the border is no part of the exposure; holes inside it count; both are masked."""
    image = picture((40, 50))
    image[:, :10] = np.nan
    image[20, 10:12] = np.inf
    image[30:32, 30:35] = np.nan
    frame = read_frame(image)
    assert_array_equal(frame.ccd.mask, ~np.isfinite(image))
    assert frame.quality == pytest.approx(10 / (40 * 40 - 2))


def test_shape_of_quality_must_fit():
    """Data quality of another shape than the image is refused, and the image alone can still be had."""
    hdul = hst(picture(), dq=np.zeros((9, 9), np.int16))
    with pytest.raises(FrameError, match=r"DQ,1 has the shape \(9, 9\), SCI,1 \(24, 30\); .* hdu="):
        read_frame(hdul)
    assert read_frame(hdul, hdu="SCI,1").shape == SHAPE


# --------------------------------------------------------------------- other products of the archive


def test_null_arrays():
    """ERR and DQ kept as one number are filled out: 0 flags nothing, 16 everything."""
    hdul = hst(picture())
    hdul += [constant("ERR", 0.0), constant("DQ", 0)]
    frame = read_frame(hdul)
    assert (frame.quality, frame.ccd.mask.sum()) == (0, 0)
    hdul["DQ"].header["PIXVALUE"] = 16
    with pytest.raises(EmptyFrameError, match="no pixel of the 30 x 24 image"):
        read_frame(hdul)


def test_image_kept_as_one_number():
    """A SCI kept as one number is a constant image."""
    hdul = hst()
    hdul.append(constant("SCI", 7.5))
    frame = read_frame(hdul)
    assert frame.shape == SHAPE
    assert (frame.ccd.data == 7.5).all()


@pytest.mark.parametrize(
    "cards", [{"NPIX1": "wide"}, {"NPIX2": -3}, {"PIXVALUE": "high"}, {"NPIX1": 10**9, "NPIX2": 10**9}]
)
def test_broken_null_arrays(cards):
    """Sizes and values that cannot be are refused."""
    hdu = constant("SCI", 1.0)
    hdu.header.update(cards)
    with pytest.raises(FrameError, match=r"cannot be read|claims 1000000000 x 1000000000 pixels"):
        read_frame(fits.HDUList([fits.PrimaryHDU(), hdu]), hdu=1)


@pytest.mark.parametrize("camera", [("ACS", "WFC"), ("WFC3", "IR"), ("NICMOS", "2")], ids="_".join)
def test_drizzled(camera):
    """Where a drizzled product has no weight it was never exposed: masked, not counted, whatever the camera."""
    weight = np.ones(SHAPE, np.float32)
    weight[:, :7] = 0
    hdul = hst(picture(), instrument=camera[0], detector=camera[1], DRIZCORR="COMPLETE")
    hdul += [fits.ImageHDU(weight, name="WHT"), fits.ImageHDU(np.ones(SHAPE, np.int32), name="CTX")]
    frame = read_frame(hdul)
    assert_array_equal(frame.ccd.mask, weight == 0)
    assert (frame.quality, frame.cosmic_rays, frame.shape) == (0, False, SHAPE)


def test_combined_exposures_have_no_cosmic_rays():
    """A product whose cosmic rays were rejected is not cleaned again."""
    assert read_frame(hst(picture(), CRCORR="PERFORM")).cosmic_rays
    assert not read_frame(hst(picture(), CRCORR="COMPLETE")).cosmic_rays


def test_further_images_are_named():
    """Of several SCI extensions or plain images the first is read, and a note says how to have the others."""
    frame = read_frame(hst(picture(), picture() + 1, picture() + 2, instrument="WFPC2", detector="1"))
    assert frame.notes == ("read SCI,1 alone; choose another with hdu=: SCI,2 SCI,3",)
    assert_array_equal(frame.ccd.data, picture())
    plain = fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(picture()), fits.ImageHDU(picture(), name="B")])
    assert read_frame(plain).notes == ("read 1 alone; choose another with hdu=: B,1",)


def test_chips_that_do_not_fit():
    """Three SCI, or two of unlike shape, are no two-chip camera: the first is read alone."""
    for images in ((picture(),) * 3, (picture(), picture((24, 31)))):
        frame = read_frame(hst(*images))
        assert (frame.shape, frame.layout, len(frame.notes)) == (SHAPE, "science", 1)


def test_science_hdus_go_by_version():
    """SCI extensions are put together by EXTVER, in whatever order the file holds them."""
    hdul = hst(picture(), picture() + 100)
    hdul[1], hdul[2] = hdul[2], hdul[1]
    assert_array_equal(read_frame(hdul).ccd.data[:24], picture())


def test_table_called_wht():
    """A table under the name of an image is passed over."""
    hdul = hst(picture(), instrument="NEW")
    hdul += [fits.BinTableHDU.from_columns([fits.Column("a", "E", array=[1.0])], name=name) for name in ("WHT", "DQ")]
    assert not read_frame(hdul).ccd.mask.any()


# -------------------------------------------------------------------------------------- plain images


@pytest.mark.parametrize("pack", PACK)
@pytest.mark.parametrize("place", ["primary", "extension"])
def test_plain_files(tmp_path, pack, place):
    """A plain image is read from the primary or an extension, packed or not."""
    hdus = (
        [fits.PrimaryHDU(picture())] if place == "primary" else [fits.PrimaryHDU(), fits.ImageHDU(picture(), name="IM")]
    )
    path = write(tmp_path / f"a.fits{pack}", fits.HDUList(hdus))
    frame = read_frame(str(path))
    assert_array_equal(frame.ccd.data, picture())
    assert frame.origin.hdus == (("0",) if place == "primary" else ("IM,1",))
    assert (frame.origin.path, frame.layout, frame.quality, frame.cosmic_rays) == (path, "plain", 0, False)
    assert frame.ccd.wcs is None


@pytest.mark.parametrize("dtype", ["u1", "i1", "i2", "u2", "i4", "u4", "i8", "f4", "f8"])
def test_types_on_disk(tmp_path, dtype):
    """Numbers of every type, unsigned ones by way of BZERO, come back the same in float32."""
    path = write(tmp_path / "a.fits", fits.HDUList([fits.PrimaryHDU(picture(dtype=dtype))]))
    frame = read_frame(path)
    assert frame.ccd.data.dtype == np.float32
    assert_array_equal(frame.ccd.data, picture())


def test_scaled_integers(tmp_path):
    """BSCALE, BZERO and BLANK are applied."""
    hdu = fits.PrimaryHDU(np.arange(720, dtype=np.int16).reshape(SHAPE))
    hdu.header["BLANK"] = 5
    write(tmp_path / "a.fits", fits.HDUList([hdu]))
    with fits.open(tmp_path / "a.fits", mode="update", do_not_scale_image_data=True) as hdul:
        hdul[0].header.update(BSCALE=0.5, BZERO=10.0)
    frame = read_frame(tmp_path / "a.fits")
    assert np.argwhere(frame.ccd.mask).tolist() == [[0, 5]]
    assert_array_equal(frame.ccd.data[1], 10 + 0.5 * np.arange(30, 60))


@pytest.mark.parametrize("kind", ["RICE_1", "GZIP_1", "GZIP_2", "HCOMPRESS_1", "PLIO_1"])
def test_tile_compressed(tmp_path, kind):
    """Integers come back from every lossless tile compression."""
    hdu = fits.CompImageHDU(picture(dtype=np.int16), compression_type=kind, name="IM")
    path = write(tmp_path / "a.fits.fz", fits.HDUList([fits.PrimaryHDU(), hdu]))
    frame = read_frame(path)
    assert_array_equal(frame.ccd.data, picture())
    assert frame.origin.hdus == ("IM,1",)


def test_degenerate_axes():
    """Axes of one pixel are dropped, wherever they are."""
    for shape in ((1, 1, *SHAPE), (24, 1, 30), (*SHAPE, 1)):
        assert_array_equal(read_frame(fits.HDUList([fits.PrimaryHDU(picture().reshape(shape))])).ccd.data, picture())


def test_header_and_wcs():
    """The frame's header is the primary's, then the image's; its WCS is the image's, without degenerate axes."""
    hdul = fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(picture()[None])])
    hdul[0].header["OBJECT"] = "M 51"
    hdul[1].header.update(OBJECT="M 52", GAIN=2.0, BUNIT="DN/S", CTYPE3="FREQ", **sky_cards())
    frame = read_frame(hdul)
    assert (frame.ccd.meta["OBJECT"], frame.ccd.meta["GAIN"]) == ("M 51", 2.0)
    assert frame.ccd.unit == u.adu / u.s
    assert frame.ccd.wcs.pixel_n_dim == 2
    sky = frame.ccd.wcs.pixel_to_world(9, 11)
    assert_allclose((sky.ra.deg, sky.dec.deg), (10, 20))


@pytest.mark.parametrize(
    ("bunit", "unit"),
    [("ELECTRONS", u.electron), ("electrons/s", u.electron / u.s), ("COUNTS", u.adu), ("MJy/sr", u.MJy / u.sr),
     ("", u.adu), ("furlongs", u.adu), ("erg/s/", u.adu), ("10**-3 Jy", 1e-3 * u.Jy)],
)  # fmt: skip
def test_units(bunit, unit):
    """BUNIT is understood in Hubble's plurals and astropy's spelling; what is not understood is adu."""
    hdul = fits.HDUList([fits.PrimaryHDU(picture())])
    hdul[0].header["BUNIT"] = bunit
    assert read_frame(hdul).ccd.unit == unit


def test_broken_wcs_is_none():
    """Coordinates that make no sense are left out, the image is read."""
    hdul = fits.HDUList([fits.PrimaryHDU(picture())])
    hdul[0].header.update(sky_cards() | {"CD1_1": 0.0, "CTYPE2": "DEC--XYZ"})
    assert read_frame(hdul).ccd.wcs is None


# ------------------------------------------------------------------------------------ things in memory


@pytest.mark.parametrize("dtype", ["u1", "i1", "<u2", ">i2", "<i4", ">i8", "<f4", ">f4", "<f8", ">f8", "f2"])
def test_arrays(dtype):
    """Arrays of every type and byte order become native float32 frames in adu, and are not touched."""
    array = picture(dtype=dtype)
    before = array.copy()
    frame = read_frame(array)
    assert frame.ccd.data.dtype == np.dtype(np.float32)
    assert_array_equal(frame.ccd.data, picture())
    assert_array_equal(array, before)
    assert (frame.ccd.unit, frame.origin.path, frame.origin.name, frame.origin.hdus) == (u.adu, None, "<array>", ())


def test_lists_booleans_and_strides():
    """Nested lists, truth values and views with odd strides are arrays too."""
    assert_array_equal(read_frame(picture().tolist()).ccd.data, picture())
    assert_array_equal(read_frame(picture() > 60).ccd.data, picture() > 60)
    assert_array_equal(read_frame(picture()[::-1].T).ccd.data, picture()[::-1].T)


@pytest.mark.parametrize(
    "kind", [np.ma.masked_greater, lambda a, limit: Masked(a, mask=a > limit)], ids=["numpy", "astropy"]
)
def test_masked_arrays(kind):
    """Masked pixels are masked, and count as unusable."""
    frame = read_frame(kind(picture(), 100))
    assert_array_equal(frame.ccd.mask, picture() > 100)
    assert frame.quality == pytest.approx(np.mean(picture() > 100))


def test_quantities():
    """A Quantity keeps its unit, a masked one its mask too."""
    assert read_frame(picture() * u.Jy).ccd.unit == u.Jy
    frame = read_frame(Masked(picture() * u.electron, mask=picture() > 100))
    assert frame.ccd.unit == u.electron
    assert_array_equal(frame.ccd.mask, picture() > 100)


def test_ccddata():
    """CCDData keep mask, unit, header and WCS, and are not touched, nor tied to the frame's header."""
    header = fits.Header({"OBJECT": "M 51", "INSTRUME": "cam", "EXPTIME": 3.0, "IMAGETYP": "Dark frame"})
    mask = picture() > 100
    ccd = CCDData(picture(), unit="electron", mask=mask.copy(), meta=header.copy(), wcs=WCS(fits.Header(sky_cards())))
    frame = read_frame(ccd)
    frame.ccd.meta["OBJECT"] = "other"
    assert frame.ccd.unit == u.electron
    assert frame.ccd.wcs is ccd.wcs
    assert_array_equal(frame.ccd.mask, mask)
    assert frame.facts == Facts(instrument="cam", target="M 51", exptime=3.0)
    assert frame.notes == ("IMAGETYP = 'DARK FRAME': the header says this is no picture of the sky",)
    assert_array_equal(ccd.data, picture())
    assert_array_equal(ccd.mask, mask)
    assert ccd.meta == header


def test_nddata():
    """NDData need neither unit nor header; a mask of one row is broadcast."""
    frame = read_frame(NDData(picture(np.s_[24, 30])))
    assert (frame.ccd.unit, frame.facts, frame.ccd.wcs) == (u.adu, Facts(), None)
    frame = read_frame(NDData(picture(), mask=np.arange(30) < 3))
    assert_array_equal(frame.ccd.mask, np.broadcast_to(np.arange(30) < 3, SHAPE))


@pytest.mark.parametrize("value", [[1, 2], np.nan, "caf\N{LATIN SMALL LETTER E WITH ACUTE}", {"a": 1}, object()])
def test_meta_that_is_no_header(value):
    """What a FITS header cannot hold is left out of the frame's header, the rest is kept."""
    meta = {"strange": value, "a_long_keyword": 1, 7: 8, "OBJECT": "M 51", "EXPTIME": np.float32(2)}
    frame = read_frame(NDData(picture(), meta=meta))
    assert (frame.facts.target, frame.facts.exptime, frame.ccd.meta["a_long_keyword"]) == ("M 51", 2.0, 1)
    assert "strange" not in frame.ccd.meta


@pytest.mark.parametrize("kind", [fits.PrimaryHDU, fits.ImageHDU, fits.CompImageHDU])
def test_hdus(kind):
    """An HDU is an image with its header; that an extension lacks its file is told, and no origin is claimed."""
    hdu = kind(picture(dtype="i2"), fits.Header({"OBJECT": "M 51", "BUNIT": "electron", **sky_cards()}))
    frame = read_frame(hdu)
    assert_array_equal(frame.ccd.data, picture())
    assert (frame.ccd.unit, frame.facts.target, frame.ccd.wcs.naxis) == (u.electron, "M 51", 2)
    assert (frame.origin, frame.layout) == (Origin(), "plain")
    assert [note.partition(":")[0] for note in frame.notes] == ["an extension without its file"] * (
        kind is not fits.PrimaryHDU
    )


def test_hdu_of_a_file(tmp_path):
    """The primary HDU of a file of one is read as the file is; of a cube a plane can be chosen."""
    fits.writeto(tmp_path / "a.fits", picture(), fits.Header({"TRIMSEC": "[3:30,1:24]", "BIASSEC": "[1:2,1:24]"}))
    with fits.open(tmp_path / "a.fits") as hdul:
        frame, whole = read_frame(hdul[0]), read_frame(tmp_path / "a.fits")
    assert_array_equal(frame.ccd.data, whole.ccd.data)
    assert (frame.layout, frame.steps) == (whole.layout, whole.steps) == ("ccd", whole.steps)
    cube = fits.ImageHDU(np.stack([picture(), picture() + 1]))
    assert_array_equal(read_frame(cube, plane=2).ccd.data, picture() + 1)
    with pytest.raises(FrameError, match="hdu=0 and plane=None name a part of a file; this ImageHDU is an image"):
        read_frame(cube, hdu=0)


@pytest.mark.parametrize("data", [None, picture()[0]])
def test_hdus_without_an_image(data):
    """An HDU that holds no image is refused with what it is."""
    with pytest.raises(FrameError, match=r"^<ImageHDU>: no HDU holds an image \(0: ImageHDU"):
        read_frame(fits.ImageHDU(data))


def test_cutouts():
    """A cutout keeps its WCS, and its unit and mask where it has them."""
    wcs = WCS(fits.Header(sky_cards()))
    cutout = Cutout2D(picture() * u.Jy, (15, 12), 18, wcs=wcs)
    frame = read_frame(cutout)
    assert_array_equal(frame.ccd.data, cutout.data.value)
    assert (frame.ccd.unit, frame.ccd.wcs) == (u.Jy, cutout.wcs)
    outside = read_frame(Cutout2D(picture(), (0, 0), 36, mode="partial"))
    assert_array_equal(outside.ccd.mask, ~np.isfinite(outside.ccd.data))
    assert outside.ccd.wcs is None


def test_frames_pass():
    """A frame is handed back as it is."""
    frame = read_frame(picture())
    assert read_frame(frame) is frame


@pytest.mark.parametrize(
    "source",
    [None, {}, 3.0, "", b"path", np.ma.masked, [[1, 2], [3]], [], np.zeros(50), np.zeros((3, 30, 30)),
     np.zeros((0, 30)), picture().astype(complex), np.full(SHAPE, "1"), np.zeros(SHAPE, "M8[s]"),
     np.zeros(SHAPE, [("a", "f4")]), np.full(SHAPE, None), fits.HDUList(), fits.BinTableHDU(Table({"a": [1]})),
     Table({"a": [1]}), iter(picture())],
    ids=lambda source: type(source).__name__,
)  # fmt: skip
def test_no_images_in_memory(source):
    """What is no image is refused with what it is."""
    with pytest.raises(FrameError, match=r"got|has no HDU|is a folder"):
        read_frame(source)


@pytest.mark.parametrize("shape", [(15, 40), (40, 15), (1, 1), (2, 400)])
def test_too_small(shape):
    """An image of fewer than 16 pixels on a side is refused; 16 are enough."""
    with pytest.raises(FrameError, match=rf"{shape[1]} x {shape[0]} pixels; at least 16 a side"):
        read_frame(np.ones(shape))
    assert read_frame(np.ones((16, 16))).shape == (16, 16)


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e300])
def test_no_pixel(value):
    """An image without a finite float32 pixel is empty."""
    with pytest.raises(EmptyFrameError, match="no pixel of the 30 x 24 image is finite and unmasked"):
        read_frame(np.full(SHAPE, value))


def test_wholly_masked():
    """An image whose every pixel is masked is empty, and a mask that does not fit is refused."""
    with pytest.raises(EmptyFrameError):
        read_frame(CCDData(picture(), unit="adu", mask=np.ones(SHAPE, bool)))
    with pytest.raises(FrameError, match="<array> cannot be read"):
        read_frame(NDData(picture(), mask=np.ones((3, 3), bool)))


def test_constant():
    """A constant image is a frame, with a note."""
    frame = read_frame(np.full(SHAPE, 7.5))
    assert (frame.quality, frame.notes) == (0, ("every good pixel has the value 7.5: nothing was recorded",))
    image = picture()
    image[1:] = np.nan
    image[0, 1:] = 3
    image[0, 0] = 3
    assert read_frame(image).notes == ("every good pixel has the value 3: nothing was recorded",)
    image[0, 0] = 4
    assert read_frame(image).notes == ()


# ---------------------------------------------------------------------------------------- which HDU

WHICH = {
    "SCI,2": [4, "SCI,2", "sci,2", " SCI , 2 ", ("SCI", 2), "4", np.int64(4), -2],
    "SCI,1": [1, "SCI", "sci", ("SCI", 1), "SCI,1", "1"],
    "3": [3, "3"],
}


@pytest.mark.parametrize(("name", "hdu"), [(name, hdu) for name, hdus in WHICH.items() for hdu in hdus], ids=repr)
def test_hdu_by_name_and_number(name, hdu):
    """An HDU is found by index, name, or name and version, and is read as it is, without data quality."""
    dq = np.ones(SHAPE, np.int16)
    hdul = hst(picture(), picture() + 2, dq=dq)
    hdul.insert(3, fits.ImageHDU(picture() + 1))
    frame = read_frame(hdul, hdu=hdu)
    assert frame.origin.hdus == (name,)
    assert_array_equal(frame.ccd.data, picture() + {"SCI,1": 0, "3": 1, "SCI,2": 2}[name])
    assert not frame.ccd.mask.any()


@pytest.mark.parametrize(
    "hdu",
    [9, -9, 1.5, "9", "-1", "SCI,3", "SCI,x", "SCI,", ",", "NONE", ("SCI", 3), ("SCI",), ("SCI", 1, 2), b"SCI", [1],
     slice(1), "\N{SUPERSCRIPT TWO}"],
    ids=repr,
)  # fmt: skip
def test_hdu_not_there(hdu):
    """A wrong hdu= is named, and so are those there are."""
    with pytest.raises(FrameError, match=r"hdu=.* is not in the file; it has 0 SCI,1 DQ,1$"):
        read_frame(hst(picture(), dq=np.zeros(SHAPE, np.int16)), hdu=hdu)


@pytest.mark.parametrize("hdu", [0, "TAB", "ROW", "CUBE", "COLUMN"])
def test_hdu_without_image(hdu):
    """Naming an HDU that holds no image is an error that names it."""
    hdul = hst(picture())
    hdul.append(fits.BinTableHDU.from_columns([fits.Column("a", "E", array=[1.0])], name="TAB"))
    hdul += [fits.ImageHDU(np.zeros(shape), name=name) for name, shape in
             (("ROW", 40), ("CUBE", (2, 20, 20)), ("COLUMN", (40, 1, 1)))]  # fmt: skip
    with pytest.raises(FrameError, match=rf"<HDUList>: HDU {hdu}"):
        read_frame(hdul, hdu=hdu)


def test_hdu_of_an_array():
    """An array has no HDUs to choose from."""
    with pytest.raises(FrameError, match="hdu=1 and plane=None name a part of a file; this ndarray is an image"):
        read_frame(picture(), hdu=1)


# --------------------------------------------------------------------------------- origin and facts


def stored_sums(path):
    """Return DATASUM of every HDU as astropy wrote it."""
    with fits.open(path, disable_image_compression=True) as hdul:
        return {f"{hdu.name},{hdu.ver}": hdu.header["DATASUM"] for hdu in hdul}


@pytest.mark.parametrize("pack", PACK)
@pytest.mark.parametrize("kind", ["plain", "scaled", "compressed", "science"])
def test_datasums(tmp_path, pack, kind):
    """DATASUMs are those astropy computes for the stored bytes, of images and data quality, compressed or not."""
    hdul, names = {
        "plain": (fits.HDUList([fits.PrimaryHDU(picture())]), ["PRIMARY,1"]),
        "scaled": (fits.HDUList([fits.PrimaryHDU(picture(dtype=np.uint16))]), ["PRIMARY,1"]),
        "compressed": (fits.HDUList([fits.PrimaryHDU(), fits.CompImageHDU(picture(), name="IM")]), ["IM,1"]),
        "science": (hst(*[picture()] * 2, dq=np.eye(*SHAPE, dtype=np.int16)), ["SCI,1", "SCI,2", "DQ,1", "DQ,2"]),
    }[kind]  # fmt: skip
    plain = tmp_path / "a.fits"
    hdul.writeto(plain, checksum=True)
    path = tmp_path / f"b.fits{pack}"
    path.write_bytes(PACK[pack](plain.read_bytes()))
    sums = stored_sums(plain)
    assert list(read_frame(path).origin.datasums) == [sums[name] for name in names]


def test_fingerprint(tmp_path):
    """The fingerprint is size, modification time and inode of the file; a changed file has another."""
    path = write(tmp_path / "a.fits", fits.HDUList([fits.PrimaryHDU(picture())]))
    before, status = read_frame(path).origin.fingerprint, path.stat()
    assert before == (status.st_size, status.st_mtime_ns, status.st_ino)
    os.utime(path, ns=(0, 0))
    assert read_frame(path).origin.fingerprint != before
    assert read_frame(hst(picture())).origin.fingerprint is None


@pytest.mark.parametrize(
    ("cards", "expected"),
    [({"FILTER1": "CLEAR1L", "FILTER2": "F814W"}, {"filter": "F814W"}),
     ({"FILTER1": "F606W", "FILTER2": "POL0V"}, {"filter": "F606W+POL0V"}),
     ({"FILTNAM1": "F555W", "FILTNAM2": ""}, {"filter": "F555W"}),
     ({"FILTER": "F444W", "PUPIL": "F405N"}, {"filter": "F444W+F405N"}),
     ({"FILTER": "F444W", "PUPIL": "CLEAR"}, {"filter": "F444W"}),
     ({"FILTER": "N/A", "FILTER1": "x"}, {"filter": "N/A"}),
     ({"OPT_ELEM": "F25SRF2"}, {"filter": "F25SRF2"}),
     ({"DATE-OBS": "2003-12-22", "TIME-OBS": "20:33:24"}, {"date": "2003-12-22T20:33:24"}),
     ({"DATE-OBS": "2003-12-22T20:33:24", "TIME-OBS": "20:33"}, {"date": "2003-12-22T20:33:24"}),
     ({"DATE_OBS": "22/12/03"}, {"date": "22/12/03"}),
     ({"DATE-OBS": "05/04/87"}, {"date": "1987-04-05"}), ({"DATE-OBS": "31/13/87"}, {"date": "31/13/87"}),
     ({"DATE-OBS": "05/04/87", "TIME-OBS": "20:33:24"}, {"date": "1987-04-05T20:33:24"}),
     ({"EXPTIME": 1, "BUNIT": "ELECTRONS/S"}, {}), ({"EXPTIME": 1, "BUNIT": "DN s-1"}, {}),
     ({"EXPTIME": 1, "BUNIT": "electrons"}, {"exptime": 1.0}), ({"EXPTIME": 2, "BUNIT": "DN/S"}, {"exptime": 2.0}),
     ({"EXPTIME": "12.5"}, {"exptime": 12.5}), ({"EXPTIME": "long", "EXPOSURE": 3}, {"exptime": 3.0}),
     ({"EXPTIME": "inf"}, {}), ({"OBJECT": "  M 51 "}, {"target": "M 51"}),
     ({"OBJECT": "a", "TARGNAME": "b"}, {"target": "b"}), ({"OBSERVAT": "ESO", "CAMERA": "WFI"},
     {"telescope": "ESO", "instrument": "WFI"}), ({"OBJECT": None}, {}), ({}, {})],
)  # fmt: skip
def test_facts(cards, expected):
    """Facts are found wherever telescopes keep them, and stay empty where the header is silent."""
    hdul = fits.HDUList([fits.PrimaryHDU(picture())])
    hdul[0].header.update(cards)
    assert read_frame(hdul).facts == Facts(**expected)


@pytest.mark.parametrize(
    ("cards", "note"),
    [({"IMAGETYP": "BIAS"}, "IMAGETYP = 'BIAS'"), ({"IMAGETYP": "Dark Frame"}, "IMAGETYP = 'DARK FRAME'"),
     ({"IMAGETYP": "flat"}, "IMAGETYP = 'FLAT'"), ({"OBSTYPE": "SPECTROSCOPIC"}, "OBSTYPE = 'SPECTROSCOPIC'")],
)  # fmt: skip
def test_no_picture_of_the_sky(cards, note):
    """A header that says bias, dark, flat or spectrum earns a note, and the image is read all the same."""
    frame = read_frame(hst(picture(), **cards))
    assert len(frame.notes) == 1
    assert frame.notes[0].startswith(note)
    assert read_frame(hst(picture(), IMAGETYP="EXT", OBSTYPE="IMAGING")).notes == ()
    assert read_frame(hst(picture(), IMAGETYP="COMPOSITE", OBSTYPE="IMAGING")).notes == ()


def test_frames_describe_themselves(tmp_path):
    """A frame's repr names file, HDUs, layout, size and unit."""
    path = write(tmp_path / "a.fits", hst(picture(), instrument="NEW"))
    assert repr(read_frame(path)) == "<Frame a.fits [SCI,1] science 30 x 24 adu>"


def test_exposed():
    """The exposed part is the smallest rectangle with every good pixel in it."""
    image = np.full((40, 50), np.nan, np.float32)
    image[10, 7], image[30, 20:23] = 1, 2
    mask = np.zeros((40, 50), bool)
    mask[30, 22] = True
    frame = Frame(CCDData(image, unit="adu", mask=mask))
    assert frame.exposed == (slice(10, 31), slice(7, 22))
    assert frame.good.sum() == 3
    with pytest.raises(EmptyFrameError, match="no pixel of the 50 x 40 image"):
        _ = Frame(CCDData(np.full((40, 50), np.nan), unit="adu")).exposed


# ------------------------------------------------------------------------------- nothing is modified


@pytest.mark.parametrize("pack", PACK)
def test_files_are_not_modified(tmp_path, pack):
    """Reading leaves a file as it was, to the byte and the modification time."""
    hdus = [*hst(picture(), dq=np.zeros(SHAPE, np.int16)), fits.CompImageHDU(picture())]
    path = write(tmp_path / f"a.fits{pack}", fits.HDUList(hdus))
    before = digest(path)
    path.chmod(0o444)
    for hdu in (None, "DQ", 3):
        read_frame(path, hdu=hdu)
    assert digest(path) == before


@pytest.mark.parametrize("mode", ["readonly", "update"])
def test_open_files_are_not_modified(tmp_path, mode):
    """Neither the headers of an open HDUList nor, when it is closed, its file: scaled integers stay integers."""
    path = tmp_path / "a.fits"
    fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(picture(dtype=np.int16))]).writeto(path)
    with fits.open(path, mode="update", do_not_scale_image_data=True) as hdul:
        hdul[1].header.update(BSCALE=0.5, BZERO=10.0, OBJECT="M 51")
    before = digest(path)[0]
    with fits.open(path, mode=mode) as hdul:
        headers = [repr(hdu.header) for hdu in hdul]
        frame = read_frame(hdul)
        assert [repr(hdu.header) for hdu in hdul] == headers
        frame.ccd.meta["OBJECT"] = "other"
        assert hdul[1].header["OBJECT"] == "M 51"
    assert digest(path)[0] == before
    assert_array_equal(frame.ccd.data, 10 + 0.5 * picture())


def test_edited_data_are_seen(tmp_path):
    """Of an open HDUList whose array was edited, the array is read, not the file."""
    path = write(tmp_path / "a.fits", fits.HDUList([fits.PrimaryHDU(picture())]))
    with fits.open(path) as hdul:
        hdul[0].data = hdul[0].data + 1
        assert_array_equal(read_frame(hdul).ccd.data, picture() + 1)


# ------------------------------------------------------------------------------------ hostile inputs


def refused(path, match, error=FrameError):
    """Assert that a file is refused with its name and this reason."""
    with pytest.raises(error, match=match) as info:
        read_frame(path)
    assert str(path) in str(info.value)


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "it is empty"), (b"hello", "it begins with b'hello'"), (b"\x89PNG\r\n\x1a\n", "a PNG file"),
     (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "Git LFS pointer; run 'git lfs pull'"),
     (b"SIMPLE  = nonsense", "cut short in the header"), (b"BZh91AY&SY junk", "cannot be read"), (b"BZ", "begins with"),
     (b"\x1f\x8b junk", "cannot be read"), (gzip.compress(b"x" * 999, mtime=0)[:20], "cannot be read"),
     (bz2.compress(b"x" * 999)[:20], "cannot be read"), (gzip.compress(b"", mtime=0), "it is empty"),
     (gzip.compress(b"hello", mtime=0), "it begins with b'hello'"), (b"\0" * 2880, "filled with zeros")],
)  # fmt: skip
def test_not_fits(tmp_path, content, reason):
    """What is not FITS is refused with what it is instead."""
    path = tmp_path / "a.fits"
    path.write_bytes(content)
    refused(path, reason)


def test_not_files(tmp_path):
    """Folders, missing files and names that cannot be are refused."""
    refused(tmp_path, "is a folder; name a FITS file")
    refused(tmp_path / "none.fits", "does not exist")
    refused(tmp_path / ("n" * 300), "cannot be read|does not exist")
    with pytest.raises(FrameError, match="does not exist"):
        read_frame("nul\0.fits")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_pipes(tmp_path):
    """A named pipe is refused at once, not waited for."""
    os.mkfifo(tmp_path / "pipe.fits")
    refused(tmp_path / "pipe.fits", "is no regular file")


@pytest.mark.parametrize(
    ("hdus", "reason"),
    [([], r"no HDU holds an image \(0: PrimaryHDU without data\)"),
     ([fits.BinTableHDU.from_columns([fits.Column("a", "E", array=[1.0])])], "1: BinTableHDU 4 x 1"),
     ([fits.ImageHDU(np.zeros(500))], "1: ImageHDU 500"),
     ([fits.ImageHDU(np.zeros((5, 20, 20)))], r"HDU 1 is a cube of 5 planes .*; choose one with plane="),
     ([fits.ImageHDU(np.zeros((4, 1, 3, 20, 20)))], "more than the axes of a cube"),
     ([fits.ImageHDU(np.zeros((20, 0)))], "no HDU holds an image"),
     ([fits.ImageHDU(np.zeros((8, 20)))], "20 x 8 pixels"),
     ([fits.ImageHDU(np.full(SHAPE, np.nan))], "no pixel of the 30 x 24 image")],
    ids=["nothing", "table", "line", "cube", "five-axes", "zero-sized", "small", "nan"],
)  # fmt: skip
def test_files_without_image(tmp_path, hdus, reason):
    """Files of tables, lines, cubes, nothing at all or nothing good are refused with what they hold."""
    path = write(tmp_path / "a.fits", fits.HDUList([fits.PrimaryHDU(), *hdus]))
    refused(path, reason)


def test_random_groups(tmp_path):
    """Random groups are no image."""
    data = fits.GroupData(np.zeros((5, 1, 1, 3, 4), np.float32), parnames=["a"], pardata=[np.arange(5.0)])
    refused(write(tmp_path / "a.fits", fits.HDUList([fits.GroupsHDU(data)])), "no HDU holds an image")


@pytest.mark.parametrize(
    "name",
    ["a b.fits", "a\nb.fits", "n\N{LATIN SMALL LETTER O WITH DIAERESIS}va.fits", "a,b[1].fits", "-x", "\udcff.fits"],
)
def test_odd_names(tmp_path, name):
    """Names with spaces, newlines, other alphabets and bytes that are no text are read, and named in errors."""
    path = tmp_path / name
    try:
        path.write_bytes(b"junk")
    except (OSError, UnicodeError):
        pytest.skip("this file system has no such names")
    refused(path, "not a FITS file")
    write(path, fits.HDUList([fits.PrimaryHDU(picture())]))
    assert read_frame(path).origin.name == name


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Return a folder and the contents of small files of every make."""
    folder = tmp_path_factory.mktemp("broken")
    science = hst(picture(), dq=np.zeros(SHAPE, np.int16), ATODGNC=1.0, CCDGAIN=1.0)
    science["SCI"].header.update(sky_cards())
    empty = hst(picture())
    empty += [constant("ERR", 0.0), constant("DQ", 0)]
    drizzled = hst(picture(), instrument="NEW")
    drizzled.append(fits.ImageHDU(np.ones(SHAPE), name="WHT"))
    made = {
        "science": science,
        "empty": empty,
        "drizzled": drizzled,
        "plain": fits.HDUList([fits.PrimaryHDU(picture(dtype=np.uint16))]),
        "rice": fits.HDUList([fits.PrimaryHDU(), fits.CompImageHDU(picture(dtype=np.int16))]),
    }
    files = {name: write(folder / name, hdul).read_bytes() for name, hdul in made.items()}
    files |= {f"{name}{pack}": PACK[pack](files[name]) for name in ("science", "rice") for pack in (".gz", ".bz2")}
    return folder / "broken.fits", files


def read_or_refuse(path, content):
    """Assert that content gives a sound frame or a `FrameError` with the file's name; return whether a frame."""
    path.write_bytes(content)
    try:
        frame = read_frame(path)
    except FrameError as error:
        assert str(path) in str(error)  # noqa: PT017  either end is right
        return False
    assert np.isfinite(frame.ccd.data[frame.good]).all()
    assert 0 <= frame.quality <= 1
    return True


@settings(max_examples=150)
@given(data=st.data())
def test_truncated_files(whole, data):
    """A file cut anywhere gives the frame it held whole, or a `FrameError`."""
    path, files = whole
    name = data.draw(st.sampled_from(sorted(files)))
    content = files[name]
    if read_or_refuse(path, content[: data.draw(st.integers(0, len(content) - 1))]):
        assert_array_equal(read_frame(path).ccd.data, picture())


@settings(max_examples=150)
@given(data=st.data())
def test_damaged_headers(whole, data):
    """Files with other characters in their headers give a frame or a `FrameError`, nothing else."""
    path, files = whole
    content = bytearray(files[data.draw(st.sampled_from(["science", "empty", "drizzled", "plain"]))])
    digits = [at for at, byte in enumerate(content[:5760]) if chr(byte) in "0123456789'T="]
    for at in data.draw(st.lists(st.sampled_from(digits), min_size=1, max_size=4)):
        content[at] = data.draw(st.sampled_from(b"012345 6789-.'TXE=\x00\xff"))
    read_or_refuse(path, bytes(content))


def test_unparsable_cards(tmp_path):
    """Cards that are no FITS are passed over where they only inform, and refuse the file where it needs them."""
    hdul = hst(picture(), OBJECT="M 51", EXPTIME=3.0)
    path = write(tmp_path / "a.fits", hdul)
    content = path.read_bytes()
    path.write_bytes(content.replace(b"EXPTIME =                  3.0", b"EXPTIME =                3. .0"))
    assert read_frame(path).facts == Facts("HST", "ACS", "WFC", target="M 51")
    path.write_bytes(content.replace(b"DETECTOR= 'WFC     '", b"DETECTOR= 'WFC     x"))
    refused(path, "cannot be read, it may be damaged")


# ---------------------------------------------------------------------------------------- real files


def test_shipped_frames(data_dir):
    """The real frames shipped with the tests are read, with the facts their headers give."""
    frames = {path.name.partition(".")[0]: read_frame(path) for path in data_dir.glob("*.fit*")}
    dwarf = frames["abell_2744_dwarf_galaxy_f105w"]
    assert (dwarf.shape, dwarf.ccd.unit) == ((200, 200), u.electron / u.s)
    assert (dwarf.facts.instrument, dwarf.facts.filter, dwarf.facts.target) == ("WFC3", "F105W", "ABELL-2744")
    assert frames["combined_bias"].notes[0].startswith("IMAGETYP = 'BIAS'")
    assert frames["m51_iraf_pix"].shape == (512, 512)
    assert frames["xdf_hst_wfc3ir_60mas_f105w_sci"].ccd.wcs is not None
    assert len(frames) == 4


def outcomes(folder):
    """Return a frame or an error for every file of a folder."""
    found = {}
    for path in sorted(folder.iterdir()):
        try:
            found[path.name] = read_frame(path)
        except FrameError as error:
            found[path.name] = error
            assert str(path) in str(error)  # noqa: PT017  either end is right
    return found


def test_hostile_files(hostile_dir):
    """Every hostile file gives a frame or a `FrameError` with its name; those that are images give frames."""
    found = outcomes(hostile_dir)
    read = {name for name, result in found.items() if isinstance(result, Frame)}
    assert len(found) > 25
    assert {"badMPE.fits", "m13_gzip.fits", "m13_hcomp.fits", "m13_plio.fits", "m13_rice.fits", "scale.fits"} <= read
    assert read.isdisjoint({"ascii.fits", "blank.fits", "empty.fits", "group.fits", "pix.imh"})
    same = [found[f"m13_{kind}.fits"].ccd.data for kind in ("gzip", "rice", "plio")]
    assert_array_equal(same[0], same[1])
    assert_array_equal(same[0], same[2])


def test_full_headers(headers_dir):
    """Every file with the full header of a telescope gives a frame or a `FrameError` with its name."""
    found = outcomes(headers_dir)
    assert len(found) >= 7
    stis = found["o4sp040b0_raw.fits"]
    assert (stis.facts.instrument, stis.facts.detector, stis.facts.exptime) == ("STIS", "CCD", 30.0)
    assert any("spectrum" in note for note in stis.notes)


def test_real_frames(frames_dir):
    """Every real frame is read."""
    found = outcomes(frames_dir)
    refused = {name for name, result in found.items() if isinstance(result, Exception)}
    assert refused == {"manifest.csv"}
    for name in set(found) - refused:
        assert found[name].good.any(), name


@pytest.mark.parametrize("plane", [1, 3])
def test_a_plane_of_a_cube(plane):
    """A cube is read by its plane, counted from 1 as in FITS, and the provenance says which."""
    cube = np.random.default_rng(1).normal(size=(3, 1, 20, 30)).astype(np.float32)
    frame = read_frame(fits.HDUList([fits.PrimaryHDU(cube)]), plane=plane)
    assert_array_equal(frame.ccd.data, cube[plane - 1, 0])
    assert frame.origin.hdus == (f"0[*,*,{plane}]",)


@pytest.mark.parametrize(
    ("shape", "plane", "words"),
    [
        ((3, 20, 30), None, "cube of 3 planes .*choose one with plane=, from 1 to 3"),
        ((3, 20, 30), 0, "has the planes 1 to 3; got plane=0"),
        ((3, 20, 30), 4, "has the planes 1 to 3; got plane=4"),
        ((2, 3, 20, 30), None, "more than the axes of a cube"),
        ((20, 30), 1, "not that of a cube"),
    ],
)
def test_planes_that_are_not_there(shape, plane, words):
    """What cannot be meant is refused by name."""
    with pytest.raises(FrameError, match=words):
        read_frame(fits.HDUList([fits.PrimaryHDU(np.zeros(shape, np.float32))]), hdu=0, plane=plane)
