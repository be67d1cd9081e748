# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of the whole line: file to frame to verdict to header and picture, and back to the file as it was."""

import bz2
import csv
import gzip
import shutil
import warnings

import numpy as np
import pytest
from astropy.io import fits
from astropy.io.fits.verify import VerifyWarning

from astroclf import Classifier, annotate, read_frame, read_tags, remove_tags, write_tags
from astroclf.annotation import is_annotated, picture_path
from astroclf.cli import main
from astroclf.datasets import make_frame

UNPACK = {".gz": gzip.decompress, ".bz2": bz2.decompress}


@pytest.fixture(scope="module")
def classifier():
    """Return the bundled classifier."""
    return Classifier()


def stored(path):
    """Return the content of a file, unpacked."""
    return UNPACK.get(path.suffix, bytes)(path.read_bytes())


def pixels(path):
    """Return the data bytes of every HDU as they are stored."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", VerifyWarning)  # of real headers
        with fits.open(path, disable_image_compression=True) as hdul:
            spans = [hdu.fileinfo() for hdu in hdul]
    content = stored(path)
    return [content[span["datLoc"] : span["datLoc"] + span["datSpan"]] for span in spans]


@pytest.mark.slow
def test_every_real_frame(frames_dir, tmp_path, capsys):
    """All real frames are tagged and drawn in one command; no pixel changes; untag undoes it."""
    for path in frames_dir.glob("*.fit*"):
        shutil.copyfile(path, tmp_path / path.name)
    paths = sorted(tmp_path.iterdir())
    before = {path: (stored(path), pixels(path)) for path in paths}
    assert main(["tag", *map(str, paths)]) == 0
    assert "Traceback" not in capsys.readouterr().err
    for path in paths:
        assert read_tags(path) is not None, path.name
        assert pixels(path) == before[path][1], path.name
        assert picture_path(path).exists(), path.name
    assert main(["untag", *map(str, paths)]) == 0
    for path in paths:
        assert stored(path) == before[path][0], path.name


def test_table_of_real_frames(data_dir, capsys):
    """The table has one row a file, in the order given, with the columns scripts rely on."""
    paths = sorted(map(str, data_dir.glob("*.fit*")))
    assert main(["classify", "-t", "csv", *paths]) == 0
    rows = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    assert list(rows[0]) == ["file", "status", "verdict", "label", "prob", "group", "gprob"]
    assert [row["file"] for row in rows] == paths
    assert all(0 <= float(row["prob"]) <= float(row["gprob"]) + 1e-9 <= 1 + 1e-9 for row in rows)


@pytest.mark.parametrize("layout", ["wfc3_uvis_c512c_flc", "wfc3_uvis_c512c_raw", "wfc3_ir_sub256_flt"])
@pytest.mark.parametrize("name", ["sim.fits", "sim.fits.gz", "sim.fits.bz2"])
def test_simulated_layouts(layout, name, classifier, tmp_path):
    """Hubble's layouts, packed or not, are read, tagged, drawn, and restored byte by byte."""
    path = tmp_path / name
    make_frame(layout, "spiral_galaxy", seed=4).writeto(path, checksum=True)
    before = stored(path)
    frame = read_frame(path)
    prediction = classifier(frame)
    write_tags(path, prediction)
    tags = read_tags(path)
    assert tags["CLFCLASS"] == prediction.verdict
    assert tags["CLFHDU"] == "SCI,1"
    with fits.open(path, checksum=True):
        pass
    annotate(frame, prediction, tmp_path / "sim.png")
    assert is_annotated(tmp_path / "sim.png")
    remove_tags(path)
    assert stored(path) == before


def test_cosmic_rays_do_not_decide(classifier):
    """A single exposure full of cosmic rays gets the verdict of the same sky without them."""
    struck, clean = (
        classifier(make_frame("wfc3_uvis_c512c_flc", "globular_cluster", seed=2, cosmic_rays=rays))
        for rays in (True, False)
    )
    assert struck.group == clean.group


@pytest.mark.slow
@pytest.mark.parametrize("layout", ["acs_wfc_raw", "acs_wfc_flt", "wfc3_uvis_raw", "wfc3_uvis_flc", "wfc3_ir_flt"])
def test_full_frames(layout, classifier, tmp_path):
    """Full Hubble frames, both chips, go all the way and back."""
    path = tmp_path / "full.fits"
    make_frame(layout, "spiral_galaxy", seed=1).writeto(path)
    before = stored(path)
    prediction = classifier(path)
    assert prediction.group == "galaxy", prediction
    write_tags(path, prediction)
    assert read_tags(path)["CLFHDU"] == ("SCI,1" if "ir" in layout else "SCI,1 SCI,2")
    remove_tags(path)
    assert np.array_equal(np.frombuffer(stored(path), np.uint8), np.frombuffer(before, np.uint8))


def test_header_that_says_no_sky(data_dir, capsys):
    """A bias frame is classified by its pixels, and what its header says of it is a warning."""
    assert main(["classify", "-t", "csv", str(data_dir / "combined_bias.fit.gz")]) == 0
    told = capsys.readouterr()
    assert "IMAGETYP = 'BIAS'" in told.err
    assert ",no_source," in told.out


@pytest.mark.parametrize(
    "layout",
    [
        "acs_hrc_drz", "acs_sbc_raw", "foc_zoom_c0f", "ground_bayer_raw", "ground_mosaic_raw", "jwst_miri_sub256_cal",
        "jwst_nircam_sub160_i2d", "nicmos_raw", "stis_ccd_flt", "wfc3_ir_sub256_raw", "wfpc2_area_c0f",
        "wfpc2_area_d0m",
    ],
)  # fmt: skip
def test_every_kind_of_file_is_tagged(layout, tmp_path):
    """Files of every make are tagged and untagged: no byte of any HDU's data changes, tables and ASDF among them."""
    path = tmp_path / "sim.fits"
    make_frame(layout, "globular_cluster", seed=3).writeto(path)
    before = stored(path), pixels(path)
    assert main(["tag", "--no-png", str(path)]) == 0
    assert read_tags(path) is not None
    assert pixels(path) == before[1]
    assert main(["untag", str(path)]) == 0
    assert stored(path) == before[0]
