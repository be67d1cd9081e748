# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Simulated frames have the layouts, the keywords and the light they claim."""

from dataclasses import replace

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.stats import sigma_clipped_stats
from astropy.wcs import WCS
from numpy.testing import assert_allclose, assert_array_equal

from astroclf.datasets import LAYOUTS, cameras, detector, make_frame
from astroclf.taxonomy import labels

CCD = ["SCI", "ERR", "DQ"]
# name: shape of SCI, number of image sets, unit, dtype
TRUE_LAYOUTS = {
    "acs_wfc_raw": ((2068, 4144), 2, "COUNTS", "uint16"),
    "acs_wfc_flt": ((2048, 4096), 2, "ELECTRONS", "float32"),
    "wfc3_uvis_raw": ((2070, 4206), 2, "COUNTS", "uint16"),
    "wfc3_uvis_flc": ((2051, 4096), 2, "ELECTRONS", "float32"),
    "wfc3_uvis_c512c_raw": ((512, 538), 1, "COUNTS", "uint16"),
    "wfc3_uvis_c512c_flc": ((512, 513), 1, "ELECTRONS", "float32"),
    "wfc3_ir_flt": ((1014, 1014), 1, "ELECTRONS/S", "float32"),
    "wfc3_ir_sub256_flt": ((256, 256), 1, "ELECTRONS/S", "float32"),
}
TWO_CHIPS = [name for name, row in TRUE_LAYOUTS.items() if row[1] == 2]
SPOT_FLUX, SPOT_SIGMA = 1e6, 4.0
GAP_COLUMN = 2500
SKY = {"acs_wfc": 0.13, "wfc3_uvis": 0.04, "wfc3_ir": 1.6}


def spots(shape):
    """Return the positions (x, y) of the test sources: low on the left and high on the right of the plane."""
    ny, nx = shape
    return [(0.25 * nx, 0.3 * ny), (0.8 * nx, 0.9 * ny)]


def spotted(shape):
    """Return a scene of round sources of equal flux, and a broad one across the gap if there is a gap."""
    image = np.zeros(shape, np.float32)
    for x, y in spots(shape):
        rows, columns = np.mgrid[int(y) - 25 : int(y) + 26, int(x) - 25 : int(x) + 26]
        radius2 = (columns - x) ** 2 + (rows - y) ** 2
        image[rows, columns] += np.exp(-radius2 / (2 * SPOT_SIGMA**2)) / (2 * np.pi * SPOT_SIGMA**2)
    if max(shape) > 2000:
        y, x = np.ogrid[: shape[0], : shape[1]]
        across = np.exp(-((x - GAP_COLUMN) ** 2) / (2 * 60.0**2))
        image += (5000 / SPOT_FLUX * np.exp(-((y - (shape[0] - 1) / 2) ** 2) / (2 * 60.0**2)) * across).astype(
            np.float32
        )
    return image


@pytest.fixture(scope="module")
def frames():
    """Return one frame of every layout, all of one seed, with the same test sources."""
    return {
        name: make_frame(name, spotted(LAYOUTS[name].plane), seed=7, signal=SPOT_FLUX, exptime=500)
        for name in TRUE_LAYOUTS
    }


def background(image):
    """Return a robust level of an image."""
    return np.median(image[::3, ::3])


# ----------------------------------------------------------------------------------------- layouts


@pytest.mark.parametrize("name", TRUE_LAYOUTS)
def test_order_and_sizes_of_hdus(frames, name):
    """HDUs come in the archive's order, with its sizes, types and units."""
    shape, imsets, unit, dtype = TRUE_LAYOUTS[name]
    names = [*CCD, "SAMP", "TIME"] if "_ir_" in name else CCD
    frame = frames[name]
    expected = [("PRIMARY", 1), *((key, ver) for ver in range(1, imsets + 1) for key in names)]
    assert [(hdu.name, hdu.ver) for hdu in frame] == expected
    assert frame[0].header["NAXIS"] == 0
    assert frame[0].header["NEXTEND"] == len(frame) - 1
    for ver in range(1, imsets + 1):
        science = frame["SCI", ver]
        assert (science.shape, science.data.dtype.name, science.header["BUNIT"]) == (shape, dtype, unit)


@pytest.mark.parametrize("name", TRUE_LAYOUTS)
def test_frames_are_valid_and_survive_the_disk(frames, name, tmp_path):
    """A frame passes verification and reads back as it was written, under its own file name."""
    frame = frames[name]
    frame.verify("exception")
    path = tmp_path / frame[0].header["FILENAME"]
    frame.writeto(path)
    with fits.open(path) as again:
        again.verify("exception")
        for left, right in zip(frame, again, strict=True):
            assert left.header["EXTNAME"] == right.header["EXTNAME"] if left.name != "PRIMARY" else True
            if left.data is not None:
                assert_array_equal(left.data, right.data)


@pytest.mark.parametrize("name", [name for name in TRUE_LAYOUTS if name.endswith("raw")])
def test_raw_frames_store_null_arrays(frames, name, tmp_path):
    """ERR and DQ of a raw frame have no data, only size and value, also on disk."""
    frames[name].writeto(tmp_path / "raw.fits")
    shape = TRUE_LAYOUTS[name][0]
    with fits.open(tmp_path / "raw.fits") as frame:
        for key, bitpix in (("ERR", -32), ("DQ", 16)):
            header = frame[key].header
            assert frame[key].data is None
            assert (header["NAXIS"], header["BITPIX"], header["PIXVALUE"]) == (0, bitpix, 0)
            assert (header["NPIX2"], header["NPIX1"]) == shape


def test_raw_frames_are_unsigned_on_disk(frames):
    """Raw SCI is 16-bit with BZERO, as in the archive."""
    header = frames["wfc3_uvis_c512c_raw"]["SCI"].header
    assert (header["BITPIX"], header["BZERO"], header["BSCALE"]) == (16, 32768, 1)


@pytest.mark.parametrize("name", TWO_CHIPS)
def test_the_lower_chip_comes_first(frames, name):
    """SCI,1 is chip 2, which lies below chip 1."""
    frame = frames[name]
    assert [frame["SCI", ver].header["CCDCHIP"] for ver in (1, 2)] == [2, 1]


@pytest.mark.parametrize("name", LAYOUTS)
def test_layouts_describe_themselves(name):
    """A layout's key, product and plane agree with its camera."""
    layout = LAYOUTS[name]
    assert layout.name == name
    assert name.endswith(f"_{layout.product}")
    assert layout.plane == layout.camera.plane
    assert len(layout.filters) >= 3


def test_planes_include_the_gap():
    """The gap is 50 pixels between the chips of ACS/WFC and 31 between those of WFC3/UVIS."""
    assert LAYOUTS["acs_wfc_flt"].plane == (2 * 2048 + 50, 4096)
    assert LAYOUTS["wfc3_uvis_flt"].plane == (2 * 2051 + 31, 4096)


# ---------------------------------------------------------------------------------------- keywords


@pytest.mark.parametrize("name", TRUE_LAYOUTS)
def test_primary_keywords(frames, name):
    """The primary header says what the frame is, and that it is simulated."""
    header = frames[name][0].header
    instrument, detector_name = ("ACS", "WFC") if "acs" in name else ("WFC3", "IR" if "_ir_" in name else "UVIS")
    assert header["SIMULATD"] is True
    assert (header["TELESCOP"], header["INSTRUME"], header["DETECTOR"]) == ("HST", instrument, detector_name)
    assert (header["IMAGETYP"], header["OBSTYPE"]) == ("EXT", "IMAGING")
    assert header["SUBARRAY"] is ("sub256" in name or "c512c" in name)
    assert header["FILENAME"] == f"{header['ROOTNAME']}_{name.rpartition('_')[2]}.fits"
    assert len(header["ROOTNAME"]) == 9
    assert header["ROOTNAME"].startswith("j" if "acs" in name else "i")
    assert header["BLEVCORR"] == ("PERFORM" if name.endswith("raw") else "COMPLETE")
    assert header["EXPEND"] > header["EXPSTART"]
    assert header["DATE-OBS"].startswith("2005" if "acs" in name else "2011")
    for key in ("RA_TARG", "DEC_TARG", "TIME-OBS", "EXPTIME", "CCDGAIN", "CCDAMP", "APERTURE", "PROPOSID"):
        assert key in header


def test_keywords_of_the_archive_are_there(frames, headers_dir):
    """Every keyword a simulated header has, the header it is modelled on has too, a few excepted."""
    pairs = {
        "acs_wfc_flt": "j94f05bgq_flt.fits",
        "wfc3_uvis_flc": "sample_ipppssoot_flc.fits",
        "wfc3_ir_flt": "sample_ipppssoot_flt.fits",
    }
    own = {"SIMULATD", "PCTECORR", "RADESYS", "CUNIT1", "CUNIT2", "ROOTNAME"}  # the ACS header is an old one
    own |= {"NAXIS1", "NAXIS2"}  # and its ERR and DQ were emptied
    for name, file in pairs.items():
        with fits.open(headers_dir / file) as real:
            for key in (0, ("SCI", 1), ("ERR", 1), ("DQ", 1)):
                surplus = set(frames[name][key].header) - set(real[key].header) - own
                assert not surplus, f"{name} {key}: {surplus}"


def test_only_calibrated_frames_know_their_amplifiers(frames):
    """The pipeline fills in gain, read noise and bias level; a raw frame has zeros."""
    for key in ("ATODGNA", "READNSEB", "BIASLEVD"):
        assert frames["acs_wfc_raw"][0].header[key] == 0
        assert frames["acs_wfc_flt"][0].header[key] > 0


@pytest.mark.parametrize(
    ("layout", "name", "cards"),
    [
        ("acs_wfc_flt", "F606W", {"FILTER1": "F606W", "FILTER2": "CLEAR2L"}),
        ("acs_wfc_flt", "F814W", {"FILTER1": "CLEAR1L", "FILTER2": "F814W"}),
        ("wfc3_ir_flt", "F160W", {"FILTER": "F160W"}),
    ],
)
def test_filters(layout, name, cards, monkeypatch):
    """The filter is where that instrument records it, with its pivot wavelength."""
    small = LAYOUTS["wfc3_ir_sub256_flt"] if "ir" in layout else LAYOUTS["wfc3_uvis_c512c_flc"]
    if "acs" in layout:
        camera = replace(small.camera, instrument="ACS", detector="WFC", filters=cameras.ACS_WFC.filters)
        small = replace(small, camera=camera)
        monkeypatch.setattr("astroclf.datasets.simulate.LAYOUTS", {small.name: small})
    frame = make_frame(small.name, "no_source", filter=name)
    assert {key: frame[0].header[key] for key in cards} == cards
    header = frame["SCI"].header if "acs" in layout else frame[0].header
    assert_allclose(header["PHOTPLAM"], 10 * int(name[1:4]) * (1 if "acs" in layout else 10), rtol=0.05)


# ---------------------------------------------------------------------------------- world coordinates


@pytest.mark.parametrize("name", TWO_CHIPS)
def test_chips_share_one_sky(frames, name):
    """A pixel of the plane has the same sky position in the coordinates of either chip."""
    frame, camera = frames[name], LAYOUTS[name].camera
    lower, upper = (WCS(frame["SCI", ver].header) for ver in (1, 2))
    shift = camera.chips[1].row - (camera.virtual_rows if name.endswith("raw") else 0)
    x, y = np.meshgrid([0.0, 2000, 4000], [0.0, 1000, 2000])
    below = lower.world_to_pixel(upper.pixel_to_world(x, y))
    assert_allclose(below, (x, y + shift), atol=0.01)


@pytest.mark.parametrize("name", TRUE_LAYOUTS)
def test_the_target_is_in_the_middle_of_the_plane(frames, name):
    """The pixel in the middle of the plane has the coordinates of the target."""
    header, camera = frames[name][0].header, LAYOUTS[name].camera
    target = SkyCoord(header["RA_TARG"], header["DEC_TARG"], unit="deg")
    x, y = WCS(frames[name]["SCI", 1].header).world_to_pixel(target)
    ny, nx = camera.plane
    left = camera.prescan[0] if name.endswith("raw") else 0
    assert_allclose((x, y), ((nx - 1) / 2 + left, (ny - 1) / 2), atol=0.01)


def test_scale_and_orientation(frames):
    """Pixels have the size of the real ones, and ORIENTAT is the direction of the y axis."""
    for name, scale in (("acs_wfc_flt", 0.0495), ("wfc3_uvis_flc", 0.0396), ("wfc3_ir_flt", 0.128)):
        header = frames[name]["SCI"].header
        wcs = WCS(header)
        assert_allclose(np.sqrt(abs(np.linalg.det(wcs.wcs.cd))) * 3600, scale, rtol=0.01)
        start, up = (wcs.pixel_to_world(500, y) for y in (500, 501))
        assert abs((start.position_angle(up).deg - header["ORIENTAT"] + 180) % 360 - 180) < 0.1


# ----------------------------------------------------------------------------------------- raw frames


@pytest.mark.parametrize("name", ["acs_wfc_raw", "wfc3_uvis_raw", "wfc3_uvis_c512c_raw"])
def test_overscan_is_bias_and_nothing_else(frames, name):
    """All of the overscan, and only it, is at the bias level of its amplifier with its read noise."""
    camera = LAYOUTS[name].camera
    for ver, chip in enumerate(camera.chips, 1):
        data = frames[name]["SCI", ver].data
        rows, columns = camera.sections(chip)
        gain, readnoise, bias = camera.electronics(chip)
        dark = np.ones(data.shape, bool)
        for _, outside in columns:
            dark[rows, outside] = False
        residual = (data - bias) * gain / readnoise
        assert_allclose(residual[dark].mean(), 0, atol=0.05)
        assert_allclose(residual[dark].std(), 1, atol=0.05)
        assert dark.sum() == data.size - camera.shape[0] * camera.shape[1]


def test_where_the_overscan_lies(frames):
    """Prescan is left and right, virtual columns mid-row (WFC3 only), virtual rows at the gap."""
    acs, uvis = LAYOUTS["acs_wfc_raw"].camera, LAYOUTS["wfc3_uvis_raw"].camera
    assert acs.sections(acs.chips[0]) == (
        slice(0, 2048),
        [(slice(0, 2048), slice(24, 2072)), (slice(2048, 4096), slice(2072, 4120))],
    )
    assert acs.sections(acs.chips[1])[0] == slice(20, 2068)
    assert uvis.sections(uvis.chips[0]) == (
        slice(0, 2051),
        [(slice(0, 2048), slice(25, 2073)), (slice(2048, 4096), slice(2133, 4181))],
    )
    assert uvis.sections(uvis.chips[1])[0] == slice(19, 2070)
    lit, bias = frames["acs_wfc_raw"]["SCI", 1].data[:2048, 30:2000], acs.electronics(acs.chips[0])[2][0]
    assert background(lit) > bias + 40


@pytest.mark.parametrize(
    ("raw", "calibrated"),
    [
        ("acs_wfc_raw", "acs_wfc_flt"),
        ("wfc3_uvis_raw", "wfc3_uvis_flc"),
        ("wfc3_uvis_c512c_raw", "wfc3_uvis_c512c_flc"),
    ],
)
def test_products_of_one_seed_show_one_exposure(frames, raw, calibrated):
    """Raw counts less bias, times gain, are the calibrated electrons but for dark current."""
    camera = LAYOUTS[raw].camera
    assert frames[raw][0].header["ROOTNAME"] == frames[calibrated][0].header["ROOTNAME"]
    for ver, chip in enumerate(camera.chips, 1):
        gain, _, bias = camera.electronics(chip)
        rows, columns = camera.sections(chip)
        electrons = np.hstack([(frames[raw]["SCI", ver].data * gain - bias * gain)[rows, out] for _, out in columns])
        difference = electrons - frames[calibrated]["SCI", ver].data
        assert 0 < np.median(difference) < 5
        assert np.percentile(difference, 95) < 10


# ------------------------------------------------------------------------------------------- light


def measured(image, error, x, y):
    """Return centroid and flux of a source, without its sky and the cosmic rays on it."""
    rows, columns = np.mgrid[int(y) - 16 : int(y) + 17, int(x) - 16 : int(x) + 17]
    cut = image[rows, columns] - background(image)
    model = np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * SPOT_SIGMA**2)) / (2 * np.pi * SPOT_SIGMA**2)
    good = np.abs(cut - SPOT_FLUX * model) < 8 * error[rows, columns] + 0.05 * SPOT_FLUX * model
    flux = (cut * model)[good].sum() / (model**2)[good].sum()
    weight = np.where(good, np.maximum(cut, 0), SPOT_FLUX * model)
    return (columns * weight).sum() / weight.sum(), (rows * weight).sum() / weight.sum(), flux


@pytest.mark.parametrize("name", [name for name in TRUE_LAYOUTS if not name.endswith("raw")])
def test_sources_are_where_they_were_put(frames, name):
    """Position to 0.1 pixel, flux to 3 % and orientation of the injected sources are recovered."""
    layout, frame = LAYOUTS[name], frames[name]
    seconds = frame[0].header["EXPTIME"] if "_ir_" in name else 1
    for position, (x, y) in enumerate(spots(layout.plane)):
        ver = 1 + position if len(layout.camera.chips) == 2 else 1
        row = layout.camera.chips[ver - 1].row
        image, error = (frame[key, ver].data * np.float32(seconds) for key in ("SCI", "ERR"))
        found = measured(image, error, x, y - row)
        assert_allclose(found[:2], (x, y - row), atol=0.1)
        assert_allclose(found[2], SPOT_FLUX, rtol=0.03)


@pytest.mark.parametrize("name", ["acs_wfc_flt", "wfc3_uvis_flc"])
def test_an_object_runs_across_the_gap(frames, name):
    """The source in the gap leaves light on both chips, at the same columns and at the facing edges."""
    lower, upper = (frames[name]["SCI", ver].data[:, GAP_COLUMN - 20 : GAP_COLUMN + 20] for ver in (1, 2))
    facing, far = (lower[-1], upper[0]), (lower[0], upper[-1])
    assert min(np.median(edge) for edge in facing) > 4000
    assert max(np.median(edge) for edge in far) < 200


@pytest.mark.parametrize("name", [name for name in TRUE_LAYOUTS if not name.endswith("raw")])
def test_sky_and_errors(frames, name):
    """The background is the sky, and ERR is what the background scatters by."""
    frame = frames[name]
    science, error = frame["SCI", 1].data, frame["ERR", 1].data
    expected = SKY["_".join(name.split("_")[:2])] * (1 if "_ir_" in name else frame[0].header["EXPTIME"])
    assert_allclose(background(science), expected, rtol=0.05, atol=0.5)
    clean = science[frame["DQ", 1].data == 0]
    _, _, scatter = sigma_clipped_stats(clean)
    assert_allclose(scatter, np.median(error), rtol=0.05)
    assert error.min() > 0


# ------------------------------------------------------------------------------------ data quality


@pytest.mark.parametrize("name", ["acs_wfc_flt", "wfc3_uvis_flc", "wfc3_uvis_c512c_flc"])
def test_data_quality_marks_what_is_there(frames, name):
    """Bad columns are dimmer, hot pixels noisier; cosmic rays are in the image and not in DQ."""
    camera, frame = LAYOUTS[name].camera, frames[name]
    science, quality = frame["SCI", 1].data, frame["DQ", 1].data
    level = background(science)
    columns = (quality & camera.column_flag) > 0
    assert quality.dtype == np.int16
    assert 0.1 < np.median(science[columns]) / level < 0.7
    assert columns.any(axis=0).sum() <= 20
    hot = ((quality & 16) > 0) & ~columns
    assert 1e-3 < hot.mean() < 0.02
    assert science[hot].std() > science[quality == 0].std() * 0.2
    struck = (science > level + 200) & (quality == 0)
    assert 0.003 < struck.mean() < 0.03
    assert not (quality & 8192).any()


def test_without_cosmic_rays():
    """Cosmic rays can be left out; nothing else changes in kind."""
    quiet = make_frame("wfc3_uvis_c512c_flc", "no_source", cosmic_rays=False)
    good = quiet["DQ"].data == 0
    assert quiet["SCI"].data[good].max() < 100
    assert make_frame("wfc3_uvis_c512c_flc", "no_source")["SCI"].data[good].max() > 500


def test_warm_pixels_are_ours_to_keep(frames):
    """ACS marks warm pixels apart from hot ones; WFC3/UVIS has no such mark."""
    assert (frames["acs_wfc_flt"]["DQ", 1].data & 64).any()
    assert not (frames["wfc3_uvis_flc"]["DQ", 1].data & 64).any()


def test_saturated_stars_bleed():
    """Full wells are marked 256, hold the full well and run along columns."""
    scene = np.zeros(LAYOUTS["wfc3_uvis_c512c_flc"].plane, np.float32)
    scene[200:203, 300:303] = 1
    frame = make_frame("wfc3_uvis_c512c_flc", scene, signal=1e6, cosmic_rays=False)
    full = (frame["DQ"].data & 256) > 0
    rows, columns = np.nonzero(full)
    assert set(columns) == {300, 301, 302}
    assert 40 < np.ptp(rows) < 60
    assert_allclose(frame["SCI"].data[full], 67500, rtol=0.01)
    assert_allclose(frame["SCI"].data[150:260, 295:308].sum(), 9e6, rtol=0.02)


def test_the_converter_of_acs_overflows(monkeypatch):
    """At GAIN=1 the converter of ACS/WFC runs out before the well is full: bit 2048."""
    acs = cameras.ACS_WFC
    small = replace(acs, shape=(64, 64), chips=(acs.chips[0],))
    layout = LAYOUTS["acs_wfc_flt"]
    monkeypatch.setattr("astroclf.datasets.simulate.LAYOUTS", {"tiny": replace(layout, name="tiny", camera=small)})
    scene = np.zeros((64, 64), np.float32)
    scene[30, 30] = 1
    frame = make_frame("tiny", scene, signal=7e4, cosmic_rays=False)
    assert frame["DQ"].data[30, 30] & 2048
    assert not frame["DQ"].data[30, 30] & 256
    assert_allclose(frame["SCI"].data[30, 30], (65535 - 2441.7756) * 1.0107, rtol=1e-3)


def test_infrared_ramps():
    """Pixels that fill up keep fewer reads; those full in the zeroth read are marked 256."""
    scene = np.zeros((256, 256), np.float32)
    scene[60, 60], scene[100, 100], scene[200, 200] = 1, 1000, 1e5
    frame = make_frame("wfc3_ir_sub256_flt", scene, signal=5e5, sky=0.5)
    rate = 5e5 / frame[0].header["EXPTIME"]
    samples, seconds, quality = (frame[key].data for key in ("SAMP", "TIME", "DQ"))
    full = frame[0].header["NSAMP"]
    assert (samples.max(), seconds.max()) == (full, np.float32(frame[0].header["EXPTIME"]))
    assert 1 < samples[60, 60] < full
    assert_allclose(frame["SCI"].data[60, 60], rate, rtol=0.05)
    assert (samples[100, 100], samples[200, 200]) == (1, 1)
    assert [bool(quality[i, i] & 256) for i in (60, 100, 200)] == [False, True, True]
    assert_allclose(seconds[200, 200], frame[0].header["SAMPZERO"])


def test_infrared_detector_has_its_blemishes(frames):
    """Blobs, unstable, hot and dead pixels are marked, and the dead ones see nothing."""
    science, quality = frames["wfc3_ir_flt"]["SCI"].data, frames["wfc3_ir_flt"]["DQ"].data
    for flag, low, high in ((512, 0.001, 0.02), (32, 0.005, 0.02), (16, 0.001, 0.01), (4, 0.001, 0.01)):
        assert low < ((quality & flag) > 0).mean() < high
    assert abs(np.median(science[(quality & 4) > 0])) < 0.1


@pytest.mark.parametrize(("asked", "given", "reads"), [(1, 2.932, 2), (700, 699.232483, 14), (5000, 899.233, 16)])
def test_infrared_exposures_end_with_a_read(asked, given, reads):
    """EXPTIME is the nearest the sequence allows."""
    header = make_frame("wfc3_ir_flt", "no_source", exptime=asked)[0].header
    assert_allclose(header["EXPTIME"], given, atol=1e-3)
    assert (header["NSAMP"], header["SAMP_SEQ"]) == (reads, "STEP100")


# -------------------------------------------------------------------------------------- arguments


def test_equal_seeds_give_equal_frames():
    """A frame depends on its arguments only, to the last bit; another seed gives another frame."""
    one, same, other = (make_frame("wfc3_uvis_c512c_flc", "galaxy_field", seed=seed) for seed in (4, 4, 5))
    for left, right in zip(one, same, strict=True):
        assert left.header.tostring() == right.header.tostring()
        if left.data is not None:
            assert_array_equal(left.data, right.data)
    assert not np.array_equal(one["SCI"].data, other["SCI"].data)
    assert one[0].header["ROOTNAME"] != other[0].header["ROOTNAME"]
    assert_array_equal(one["DQ"].data & 20, other["DQ"].data & 20)


@pytest.mark.parametrize("label", labels())
def test_every_class_can_be_seen(label):
    """Each class makes a finite frame with its name as target, and light unless it is empty."""
    frame = make_frame("wfc3_ir_sub256_flt", label, seed=2)
    science, error = frame["SCI"].data, frame["ERR"].data
    assert frame[0].header["TARGNAME"] == f"SIM-{label.upper().replace('_', '-')}"
    assert np.isfinite(science).all()
    bright = (np.abs(science - 1.6) > 8 * error) & (frame["DQ"].data == 0)
    assert bright.any() == (label != "no_source")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"layout": "wfpc3"}, "layout must be one of acs_wfc_raw.*got 'wfpc3'"),
        ({"scene": "comet"}, "label must be one of.*got 'comet'"),
        ({"scene": np.zeros((4, 5))}, r"scene must have the shape \(256, 256\).*got \(4, 5\)"),
        ({"filter": "F606W"}, "filter must be one of F110W.*got 'F606W'"),
        ({"exptime": 0}, "exptime must be a positive number of seconds; got 0"),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    """Each error names the argument, what is allowed and what was given."""
    with pytest.raises(ValueError, match=message):
        make_frame(**{"layout": "wfc3_ir_sub256_flt", **arguments})


# --------------------------------------------------------------------------------------- detector


@pytest.mark.parametrize("level", [0.5, 30.0, 900.0, 5e4])
def test_noise_is_that_of_photons_and_readout(level):
    """Mean and variance are those of Poisson and read noise on both sides of the approximation."""
    image = detector.noisy(np.full((300, 300), level), np.random.default_rng(1), readnoise=4.0)
    assert image.dtype == np.float32
    assert_allclose(image.mean(), level, atol=4 * np.sqrt((level + 16) / image.size))
    assert_allclose(image.var(), level + 16, rtol=0.03)


def test_noise_takes_bad_expectations_as_dark():
    """Negative, NaN and infinite expectations count as no light."""
    image = detector.noisy([[-5, np.nan, np.inf, -np.inf]], np.random.default_rng(1))
    assert_array_equal(image, 0)


def test_cosmic_rays_are_those_of_orbit():
    """1000 s on ACS/WFC touch 1.5 to 3 % of the pixels; the median ray leaves 1000 to 2000 electrons."""
    rng = np.random.default_rng(3)
    camera = cameras.ACS_WFC
    count = int(1.1 * camera.area * 1000 / 8)
    image = detector.cosmic_rays((512, 2048), rng, count)
    assert image.shape == (512, 2048)
    assert image.dtype == np.float32
    assert 0.015 < (image > 40).mean() < 0.03
    rays = [detector.cosmic_rays((200, 200), rng, 1) for _ in range(300)]
    assert 1000 < np.median([ray.sum() for ray in rays]) < 2000
    assert 4 <= np.median([(ray > 0.05 * ray.max()).sum() for ray in rays]) <= 9
    assert max(np.ptp(np.nonzero(ray > 5), axis=1).max() for ray in rays) > 20


def test_no_cosmic_rays():
    """No ray leaves no charge."""
    assert not detector.cosmic_rays((8, 9), np.random.default_rng(0), 0).any()


@pytest.mark.parametrize(("count", "charge"), [(-1, (500, 2500)), (1, (2500, 500)), (1, (0, 500))])
def test_impossible_cosmic_rays(count, charge):
    """A negative count or a range that does not rise is refused by name."""
    with pytest.raises(ValueError, match="count must be 0 or more and charge a rising pair"):
        detector.cosmic_rays((8, 8), np.random.default_rng(0), count, charge=charge)


def test_hot_pixels():
    """As many as asked for, none below the threshold, a long tail."""
    rate = detector.hot_pixels((500, 500), np.random.default_rng(0), 0.01, threshold=0.14)
    assert_allclose((rate > 0).mean(), 0.01, rtol=0.1)
    assert rate[rate > 0].min() >= np.float32(0.14)
    assert rate.max() > 1.4


def test_bad_columns_run_to_the_last_row():
    """A trap spoils everything read out through it."""
    mask = detector.bad_columns((100, 200), np.random.default_rng(0), 10)
    bad = mask.any(axis=0)
    assert 8 <= bad.sum() <= 20
    assert mask[-1, bad].all()
    assert not (np.diff(mask.astype(int), axis=0) < 0).any()


def test_bleeding_keeps_the_charge():
    """The excess fills the wells above and below, none is lost inside the frame."""
    image = np.full((101, 3), 10.0)
    image[50, 1] = 1e4
    image[52, 1] = 500
    bled, full = detector.saturate(image, 1000)
    assert_allclose(bled.sum(), image.sum())
    assert bled.max() == 1000
    assert_array_equal(bled[:, [0, 2]], image[:, [0, 2]])
    rows = np.flatnonzero(full[:, 1])
    assert_array_equal(rows, np.arange(rows[0], rows[-1] + 1))
    assert abs(rows.mean() - 50) <= 1
    assert not full[:, 0].any()


def test_bleeding_over_the_edge_and_not_at_all():
    """What reaches an edge is lost; without bleeding, so is all the excess."""
    image = np.zeros((20, 1))
    image[5] = 1e5
    assert_array_equal(detector.saturate(image, 1000)[0], 1000)
    clipped, full = detector.saturate(image, 1000, bleed=False)
    assert (clipped.sum(), full.sum()) == (1000, 1)


def test_flat_field():
    """Near 1, with the asked scatter."""
    flat = detector.flat_field((200, 300), np.random.default_rng(0), scatter=0.01, slope=0.02)
    assert_allclose(flat.mean(), 1, atol=0.001)
    assert 0.01 < flat.std() < 0.02


def test_digitising():
    """Counts are rounded, limited to 16 bits, and the limited ones marked."""
    counts, overflow = detector.digitise([[0.0, 3.1, -9e4, 9e5]], gain=2.0, bias=100)
    assert counts.dtype == np.uint16
    assert_array_equal(counts, [[100, 102, 0, 65535]])
    assert_array_equal(overflow, [[False, False, False, True]])


# -------------------------------------------------------------------------------------- real frames


@pytest.mark.parametrize(
    ("file", "shape"),
    [
        ("abell_2744_dwarf_galaxy_f105w.fits.gz", (200, 200)),
        ("combined_bias.fit.gz", (200, 200)),
        ("m51_iraf_pix.fits.gz", (512, 512)),
        ("xdf_hst_wfc3ir_60mas_f105w_sci.fits", (200, 200)),
    ],
)
def test_shipped_frames(data_dir, file, shape):
    """The small real frames are there, whole, and credited."""
    with fits.open(data_dir / file) as hdus:
        assert hdus[0].data.shape == shape
    assert file in (data_dir / "README.rst").read_text(encoding="utf-8")
