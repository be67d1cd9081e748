# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of simulated WFC3/IR reads, NICMOS, STIS and FOC files: laid out as those of the archive."""

import numpy as np
import pytest
from astropy.io import fits
from numpy.testing import assert_allclose, assert_array_equal

from astroclf.datasets import make_frame

READS = ["SCI", "ERR", "DQ", "SAMP", "TIME"]
CCD = ["SCI", "ERR", "DQ"]
# name: extensions of an image set, sets, shape, type and unit of SCI
LAYOUTS = {
    "wfc3_ir_sub256_raw": (READS, 12, (266, 266), "uint16", "COUNTS"),
    "wfc3_ir_sub256_ima": (READS, 12, (266, 266), "float32", "ELECTRONS/S"),
    "nicmos_raw": (READS, 26, (256, 256), "int16", "COUNTS"),
    "nicmos_cal": (READS, 1, (256, 256), "float32", "COUNTS/S"),
    "stis_ccd_raw": (CCD, 2, (1044, 1062), "uint16", "COUNTS"),
    "stis_ccd_flt": (CCD, 2, (1024, 1024), "float32", "COUNTS"),
    "stis_ccd_crj": (CCD, 1, (1024, 1024), "float32", "COUNTS"),
    "stis_mama_raw": (CCD, 1, (2048, 2048), "uint16", "COUNTS"),
    "stis_mama_flt": (CCD, 1, (1024, 1024), "float32", "COUNTS"),
}
ZERO = {"uint16": 32768, "int16": None, "float32": None}


@pytest.fixture(scope="module", params=LAYOUTS)
def stored(request, tmp_path_factory):
    """Return name and path of a file of a layout as written to disk."""
    path = tmp_path_factory.mktemp("frames") / "frame.fits"
    make_frame(request.param, "star", seed=3).writeto(path)
    return request.param, path


def test_order_sizes_and_types(stored):
    """Image sets follow each other, each with all its extensions; SCI has the true size, type and unit."""
    name, path = stored
    kinds, sets, shape, dtype, unit = LAYOUTS[name]
    with fits.open(path) as hdul:
        assert [hdu.name for hdu in hdul] == ["PRIMARY", *kinds * sets]
        assert [hdu.ver for hdu in hdul[1:]] == [version for version in range(1, sets + 1) for _ in kinds]
        assert hdul[0].header["NEXTEND"] == len(hdul) - 1
        for version in range(1, sets + 1):
            science = hdul["SCI", version]
            assert science.header.get("BZERO") == ZERO[dtype]
            assert (science.shape, science.data.dtype.name, science.header["BUNIT"]) == (shape, dtype, unit)


def test_equal_arrays_are_stored_as_one_number(stored):
    """What has one value everywhere is kept as that value and the size: errors and flags of raw frames, times."""
    name, path = stored
    shape = LAYOUTS[name][2]
    with fits.open(path) as hdul:
        constant = [hdu for hdu in hdul[1:] if not hdu.shape]
        assert all((hdu.header["NPIX2"], hdu.header["NPIX1"]) == shape for hdu in constant)
        assert all(np.ptp(hdu.data) > 0 for hdu in hdul[1:] if hdu.shape)
        if name.endswith("raw"):
            assert {hdu.name for hdu in constant} == set(LAYOUTS[name][0]) - {"SCI"}
            assert {hdu.header["PIXVALUE"] for hdu in constant if hdu.name in ("ERR", "DQ")} == {0}


def test_files_say_what_they_are(stored):
    """Telescope, instrument, simulated or not, and file name are in the primary header."""
    name, path = stored
    header = fits.getheader(path)
    assert (header["TELESCOP"], header["SIMULATD"]) == ("HST", True)
    assert header["INSTRUME"] == {"wfc3": "WFC3", "nicmos": "NICMOS", "stis": "STIS"}[name.split("_")[0]]
    assert header["FILENAME"] == f"{header['ROOTNAME']}_{name.rpartition('_')[2]}.fits"


@pytest.mark.parametrize("name", ["wfc3_ir_sub256_raw", "wfc3_ir_sub256_ima", "nicmos_raw"])
def test_reads_run_backwards(name):
    """The last read comes first, with the whole time; the zeroth comes last, with none."""
    hdul = make_frame(name, "no_source", seed=1)
    sets = hdul[0].header["NSAMP"]
    headers = [hdul["SCI", version].header for version in range(1, sets + 1)]
    assert [header["SAMPNUM"] for header in headers] == list(range(sets - 1, -1, -1))
    times = [header["SAMPTIME"] for header in headers]
    assert (times[0], times[-1]) == (hdul[0].header["EXPTIME"], 0)
    assert_allclose(-np.diff(times), [header["DELTATIM"] for header in headers[:-1]], atol=1e-5)
    assert headers[-1]["DELTATIM"] == 0


def test_charge_accumulates():
    """From read to read a bright source gains counts in proportion to time; reference pixels drift and gain none."""
    scene = np.zeros((256, 256), np.float32)
    scene[100:110, 50:60] = 1
    hdul = make_frame("wfc3_ir_sub256_raw", scene, seed=1, signal=3e4, cosmic_rays=False)
    reads = np.array([hdul["SCI", version].data for version in range(12, 0, -1)], float)
    times = [hdul["SCI", version].header["SAMPTIME"] for version in range(12, 0, -1)]
    source = np.median(reads[:, 105:115, 55:65], axis=(1, 2))
    border = reads[:, 5:-5, 1:5].mean(axis=(1, 2))
    gained = (source - source[0]) - (border - border[0])
    assert_allclose(gained[1:], gained[-1] * np.array(times[1:]) / times[-1], rtol=0.03)
    assert 3 < np.ptp(border) < 100
    assert_array_equal(reads[1:, 0], reads[:-1, 0])


def test_full_wells_stay_full():
    """A pixel that is full stays full in all later reads, and is flagged in those of an ima."""
    scene = np.zeros((256, 256), np.float32)
    scene[100, 50] = 1
    raw, ima = (make_frame(f"wfc3_ir_sub256_{kind}", scene, seed=1, signal=8e5) for kind in ("raw", "ima"))
    counts = np.array([raw["SCI", version].data[105, 55] for version in range(12, 0, -1)], float)
    flags = np.array([ima["DQ", version].data[105, 55] & 256 for version in range(11, 0, -1)]) > 0
    assert flags[-1]
    assert not flags[0]
    assert np.ptp(counts[1:][flags]) < 100
    assert (np.diff(counts[:3]) > 1000).all()


def test_cosmic_rays_stay_in_the_reads():
    """A ray is in all reads after it came, and in none before; an ima flags it from then on."""
    hdul = make_frame("wfc3_ir_sub256_ima", "no_source", seed=1)
    struck = np.array([hdul["DQ", version].data & 8192 for version in range(12, 0, -1)]) > 0
    assert not struck[0].any()
    assert 50 < struck[-1].sum() < 2000
    assert (struck[1:] | ~struck[:-1]).all()


def test_halves_of_a_split_exposure():
    """Two halves see the same light and different rays; their combination has the light of both and hardly a ray."""
    scene = np.zeros((1024, 1024), np.float32)
    scene[500:520, 300:320] = 1
    flt, crj = (make_frame(f"stis_ccd_{kind}", scene, seed=2, signal=4000, sky=0.05) for kind in ("flt", "crj"))
    halves, both = [flt["SCI", version].data for version in (1, 2)], crj["SCI"].data
    inside = np.s_[502:518, 302:318]
    assert_allclose([np.median(half[inside]) for half in halves], np.median(both[inside]) / 2, rtol=0.03)
    struck = [(flt["DQ", version].data & 8192) > 0 for version in (1, 2)]
    assert (struck[0] & struck[1]).sum() < 0.1 * struck[0].sum()
    rays = [(image > np.median(image) + 150).mean() for image in (*halves, both)]
    assert max(rays[:2]) > 0.005
    assert rays[2] < 0.6 * min(rays[:2])
    assert flt["SCI", 2].header["EXPSTART"] > flt["SCI", 1].header["EXPSTART"]


def test_high_and_low_resolution_are_one_exposure():
    """The pixels of a MAMA's flt are sums of those of its raw frame."""
    raw, flt = (make_frame(f"stis_mama_{kind}", "open_cluster", seed=2) for kind in ("raw", "flt"))
    assert_array_equal(raw["SCI"].data.reshape(1024, 2, 1024, 2).sum(axis=(1, 3)), flt["SCI"].data)


@pytest.mark.parametrize(
    ("name", "shape"),
    [("foc_d0f", (512, 512)), ("foc_c0f", (512, 512)), ("foc_zoom_d0f", (1024, 512)), ("foc_zoom_c0f", (1024, 1024))],
)
def test_waivered_files_of_the_foc(name, shape, tmp_path):
    """The image is in the primary HDU, its world coordinates in an ASCII table of one row."""
    make_frame(name, "star", seed=3).writeto(tmp_path / "foc.fits")
    with fits.open(tmp_path / "foc.fits") as hdul:
        assert (len(hdul), hdul[0].data.shape, hdul[0].header["BITPIX"]) == (2, shape, -32)
        assert isinstance(hdul[1], fits.TableHDU)
        assert len(hdul[1].data) == 1
        scale = np.hypot(hdul[1].data["CD1_1"][0], hdul[1].data["CD2_1"][0]) * 3600
    assert_allclose(scale, 0.01435 * 1024 / shape[1] if "zoom" in name else 0.01435)


@pytest.mark.parametrize("name", ["wfc3_ir_sub256_ima", "foc_d0f"])
def test_equal_seeds_give_equal_frames(name):
    """A frame depends on its arguments only, to the last bit; another seed gives another frame."""
    one, same, other = (make_frame(name, "star", seed=seed) for seed in (4, 4, 5))
    index = 0 if name == "foc_d0f" else 1
    assert_array_equal(one[index].data, same[index].data)
    assert not np.array_equal(one[index].data, other[index].data)
    assert all(left.header.tostring() == right.header.tostring() for left, right in zip(one, same, strict=True))


def test_keywords_of_the_archive(headers_dir):
    """Every keyword of a simulated file is one of the archive's, those of simulation and of photometry excepted."""
    own = {"SIMULATD", "IMAGETYP", "GEOCORR", "PHOTFLAM", "PHOTZPT", "PHOTPLAM", "PHOTBW", "BSCALE", "BZERO"}
    own |= {"NAXIS1", "NAXIS2", "NPIX1", "NPIX2", "PIXVALUE"}
    pairs = {
        "stis_ccd_raw": "o4sp040b0_raw.fits",
        "wfc3_ir_sub256_raw": "sample_ipppssoot_flt.fits", "wfc3_ir_sub256_ima": "sample_ipppssoot_flt.fits",
    }  # fmt: skip
    for name, file in pairs.items():
        hdul = make_frame(name, "no_source", seed=1)
        with fits.open(headers_dir / file) as real:
            for key in (0, ("SCI", 1), ("ERR", 1), ("DQ", 1)):
                surplus = set(hdul[key].header) - set(real[key].header) - own
                assert not surplus, f"{name} {key}: {surplus}"
