# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of what is said about a file without classifying it, and of the options that choose a part of a file."""

import csv
import io
import json
import subprocess
import sys

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from numpy.testing import assert_allclose

from astroclf import FrameError, read_frame, read_tags, summarize
from astroclf.cli import main
from astroclf.datasets import make_frame
from astroclf.frames import GENERIC, LAYOUTS
from astroclf.model import load_record


@pytest.fixture(scope="module")
def infrared(tmp_path_factory):
    """Return the path of a small WFC3/IR frame; not to be changed."""
    path = tmp_path_factory.mktemp("info") / "ir_flt.fits"
    make_frame("wfc3_ir_sub256_flt", "globular_cluster", seed=3, exptime=100).writeto(path)
    return path


@pytest.fixture
def cube(tmp_path):
    """Return the path of a file with an image, SCI,2 and a cube of two planes."""
    rng = np.random.default_rng(0)
    hdus = [fits.PrimaryHDU(rng.normal(10, 1, (40, 50)).astype("f4"))]
    hdus.append(fits.ImageHDU(rng.normal(20, 1, (30, 60)).astype("f4"), name="SCI", ver=2))
    hdus.append(fits.ImageHDU(rng.normal(30, 1, (2, 32, 48)).astype("f4"), name="CUBE"))
    fits.HDUList(hdus).writeto(tmp_path / "cube.fits")
    return tmp_path / "cube.fits"


def wcs_header(angle=0.0, mirror=False, scale=0.1):
    """Return the header of an image whose north is ``angle`` degrees counterclockwise of up."""
    header, turn = fits.Header(), np.radians(angle)
    side = 1 if mirror else -1
    header["CTYPE1"], header["CTYPE2"] = "RA---TAN", "DEC--TAN"
    header["CRVAL1"], header["CRVAL2"], header["CRPIX1"], header["CRPIX2"] = 150.0, 2.0, 50.5, 40.5
    header["CD1_1"], header["CD1_2"] = side * np.cos(turn), side * np.sin(turn)
    header["CD2_1"], header["CD2_2"] = -np.sin(turn), np.cos(turn)
    for keyword in ("CD1_1", "CD1_2", "CD2_1", "CD2_2"):
        header[keyword] *= scale / 3600
    return header


class TestSummary:
    """`summarize`."""

    def test_says_what_the_header_says(self, infrared):
        """Instrument, filter, exposure, HDUs and scale are those of the file; JSON can hold them all."""
        found = summarize(infrared)
        header = fits.getheader(infrared)
        assert (found["telescope"], found["instrument"], found["detector"]) == ("HST", "WFC3", "IR")
        assert (found["layout"], found["filter"]) == ("wfc3_ir", header["FILTER"])
        assert found["pivot_nm"] == pytest.approx(header["PHOTPLAM"] / 10)
        assert found["exptime_s"] == header["EXPTIME"]
        assert found["hdus"] == ("SCI,1",)
        assert found["hdus_present"] == ("0", "SCI,1", "ERR,1", "DQ,1", "SAMP,1", "TIME,1")
        assert found["cosmic_rays"] is False
        assert 0.12 < found["scale_arcsec"] < 0.14
        assert found["width_arcmin"] == pytest.approx(256 * found["scale_arcsec"] / 60)
        json.dumps(found)

    def test_says_what_the_pipeline_does(self):
        """Sky and noise are those of an image made with them; the tilt and the exposed part are seen."""
        rng = np.random.default_rng(1)
        data = rng.normal(100, 5, (224, 224))
        data[:, :24] = np.nan
        found = summarize(data[:, :])
        assert (found["columns"], found["rows"]) == ((25, 224), (1, 224))
        assert (found["reduced_nx"], found["reduced_ny"]) == (200, 224)
        assert found["sky"] == pytest.approx(100, abs=1)
        assert found["sky_range"] == 0
        assert found["sky_noise"] == pytest.approx(5, rel=0.1)
        assert found["masked"] == pytest.approx(24 / 224)
        assert found["preprocessing"] == load_record().preprocessor.digest
        tilted = summarize(rng.normal(100, 1, (224, 224)) + np.arange(224))
        assert tilted["sky_range"] == pytest.approx(223, rel=0.02)

    def test_says_what_pattern_is_taken_out(self, tmp_path, capsys):
        """A bad line is told with its height, in the summary and on the command line; without one nothing is."""
        data = np.random.default_rng(1).normal(100, 5, (224, 224)).astype(np.float32)
        assert summarize(data)["pattern"] == 0
        data[80] += 60
        assert summarize(data)["pattern"] == pytest.approx(60, abs=2)
        fits.writeto(tmp_path / "striped.fits", data)
        assert main(["info", str(tmp_path / "striped.fits")]) == 0
        assert "; stripes or steps of up to" in " ".join(capsys.readouterr().out.split())

    @pytest.mark.parametrize("mirror", [False, True])
    @pytest.mark.parametrize("angle", [0, 30, -120])
    def test_place(self, angle, mirror):
        """The middle, the scale, the way to north and the side of east are those of the WCS."""
        hdu = fits.PrimaryHDU(np.random.default_rng(2).normal(size=(80, 100)), wcs_header(angle, mirror))
        found = summarize(fits.HDUList([hdu]))
        assert_allclose((found["ra_deg"], found["dec_deg"]), (150, 2), atol=1e-6)
        assert_allclose(found["scale_arcsec"], 0.1, rtol=1e-4)
        assert_allclose((found["width_arcmin"], found["height_arcmin"]), (10 / 60, 8 / 60), rtol=1e-4)
        assert_allclose(found["north_deg"], angle, atol=0.1)
        assert found["mirrored"] is mirror

    def test_nothing_known(self):
        """Of an array nothing is known but its pixels."""
        found = summarize(np.random.default_rng(3).normal(size=(32, 48)))
        assert (found["nx"], found["ny"], found["unit"], found["wcs"]) == (48, 32, "adu", False)
        assert found["telescope"] == found["filter"] == found["product"] == ""
        assert all(found[name] is None for name in ("pivot_nm", "exptime_s", "ra_deg", "scale_arcsec", "mirrored"))
        assert found["hdus"] == found["gain"] == found["steps"] == ()

    def test_saturated(self, infrared, tmp_path):
        """Saturated pixels are a fraction of the exposed ones; they are unusable and not masked."""
        with fits.open(infrared) as hdus:
            before = summarize(hdus)
            flags = hdus["DQ"].data
            flags[100:120, 100:140] = 256
            after = summarize(hdus)
        assert after["saturated"] - before["saturated"] == pytest.approx(800 / 256**2, rel=0.1)
        assert after["unusable"] > before["unusable"]
        assert after["masked"] <= before["masked"]

    def test_frame_is_taken_as_it_is(self, infrared):
        """A frame that has been read need not be read again, and is not modified."""
        frame = read_frame(infrared)
        before = frame.ccd.data.copy()
        assert summarize(frame) == summarize(infrared)
        np.testing.assert_array_equal(frame.ccd.data, before)


class TestInfo:
    """astroclf info."""

    def test_block(self, infrared, cube, capsys):
        """One block a file, an empty line between them, and the same lines in the same order."""
        assert main(["info", str(infrared), str(cube)]) == 0
        out = capsys.readouterr().out
        first, second = out.split("\n\n")
        assert first.splitlines()[0] == str(infrared)
        assert "HST, WFC3/IR, " in first
        assert "read HDU SCI,1 of 0 SCI,1 ERR,1 DQ,1 SAMP,1 TIME,1" in first
        assert "not looked for: removed by the fit of the ramp" in first
        assert "generic layout" in second
        assert "no WCS" in second
        names = [line[2:14].strip() for line in first.splitlines()[1:]]
        assert names[:4] == ["observation", "target", "file", "image"]
        assert names[-1] == "model"
        assert "\x1b" not in out

    def test_long_lines_are_wrapped(self, tmp_path, capsys):
        """What is long goes on below, under its beginning."""
        hdu = fits.PrimaryHDU(np.random.default_rng(5).normal(size=(20, 20)))
        hdu.header["OBJECT"] = "M31 " * 40
        hdu.writeto(tmp_path / "a.fits")
        assert main(["info", str(tmp_path / "a.fits")]) == 0
        _, target, more, *_ = capsys.readouterr().out.splitlines()
        assert target.startswith("  target       M31 M31")
        assert len(target) <= 120
        assert more.startswith(" " * 17 + "M31")

    def test_failed_file(self, infrared, tmp_path, capsys):
        """A file that fails is named on stderr, the others are told all the same, and tables keep its row."""
        bad = tmp_path / "bad.fits"
        bad.write_text("no FITS")
        assert main(["info", str(bad), str(infrared), str(bad)]) == 1
        out, err = capsys.readouterr()
        assert out.startswith(f"{infrared}\n  observation")
        assert err.count("\n") == 2
        assert main(["info", "-t", "csv", str(bad), str(infrared)]) == 1
        rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
        assert [row["status"] for row in rows] == ["ERROR", ""]
        assert rows[1]["hdus"] == "SCI,1"
        assert float(rows[1]["scale_arcsec"]) == pytest.approx(0.13, abs=0.01)
        assert main(["info", "-t", "json", str(bad)]) == 1
        assert json.loads(capsys.readouterr().out) == [{"file": str(bad), "status": "ERROR"}]

    def test_same_as_python(self, infrared, capsys):
        """JSON is what `summarize` says; ecsv reads back as numbers."""
        assert main(["info", "-t", "json", str(infrared)]) == 0
        (row,) = json.loads(capsys.readouterr().out)
        assert row == json.loads(json.dumps({"status": None} | summarize(infrared) | {"file": str(infrared)}))
        assert main(["info", "-t", "ecsv", str(infrared)]) == 0
        table = Table.read(capsys.readouterr().out, format="ascii.ecsv")
        assert table["nx"].dtype.kind == "i"
        assert table["sky_noise"].dtype.kind == "f"

    def test_workers_change_nothing(self, infrared, cube, capsys):
        """Two processes print what one prints."""
        assert main(["info", str(cube), str(infrared)]) == 0
        one = capsys.readouterr()
        assert main(["info", "-j", "2", str(cube), str(infrared)]) == 0
        assert capsys.readouterr() == one

    def test_hostile_header(self, tmp_path, capsys):
        """Control characters in a header do not reach the terminal."""
        hdu = fits.PrimaryHDU(np.random.default_rng(4).normal(size=(20, 20)))
        hdu.header["OBJECT"] = "M51XX[31m"
        content = hdu.header.tostring().replace("M51XX", "M51\x1b\x07").encode("ascii") + b"\0" * 5760
        (tmp_path / "esc.fits").write_bytes(content)
        main(["info", str(tmp_path / "esc.fits")])
        out, err = capsys.readouterr()
        assert "\x1b" not in out + err

    def test_no_network_runs(self, infrared):
        """Neither ONNX Runtime nor TensorFlow is loaded."""
        code = (
            "import sys; from astroclf.cli import main; main(['info', sys.argv[1]]); "
            "sys.exit(bool({'onnxruntime', 'tensorflow', 'keras'} & set(sys.modules)))"
        )
        done = subprocess.run(
            [sys.executable, "-c", code, str(infrared)], capture_output=True, timeout=100, check=False
        )
        assert (done.returncode, done.stderr) == (0, b"")


def test_generic_layouts():
    """The layouts that stand for no camera are called generic."""
    names = {layout.name for layout in GENERIC}
    assert names <= {layout.name for layout in LAYOUTS}
    assert not {"acs_wfc", "jwst", "hst_drizzled", "wfpc2"} & names


class TestParts:
    """--hdu and --plane."""

    @pytest.mark.parametrize(
        ("options", "hdus", "shape"),
        [
            ([], ["SCI,2"], (60, 30)),
            (["--hdu", "0"], ["0"], (50, 40)),
            (["--hdu", "SCI,2"], ["SCI,2"], (60, 30)),
            (["--hdu", "1"], ["SCI,2"], (60, 30)),
            (["--hdu", "CUBE", "--plane", "2"], ["CUBE,1[*,*,2]"], (48, 32)),
        ],
    )
    def test_info(self, cube, capsys, options, hdus, shape):
        """The named HDU and plane are read."""
        assert main(["info", "-t", "json", *options, str(cube)]) == 0
        (row,) = json.loads(capsys.readouterr().out)
        assert row["hdus"] == hdus
        assert (row["nx"], row["ny"]) == shape

    @pytest.mark.parametrize("verb", ["classify", "info", "tag"])
    @pytest.mark.parametrize(
        ("options", "message"),
        [
            (["--hdu", "SCI,3"], "hdu='SCI,3' is not in the file; it has 0 SCI,2 CUBE,1"),
            (["--hdu", "7"], "hdu='7' is not in the file"),
            (["--hdu", "CUBE"], "is a cube of 2 planes (shape (2, 32, 48)); choose one with --plane, from 1 to 2"),
            (["--hdu", "CUBE", "--plane", "3"], "has the planes 1 to 2"),
            (["--plane", "1"], "not that of a cube"),
        ],
    )
    def test_wrong_part(self, cube, capsys, verb, options, message):
        """A part that is not there is one message."""
        assert main([verb, *options, str(cube)]) == 1
        err = capsys.readouterr().err
        assert message in err
        assert err.count("\n") == 1

    @pytest.mark.parametrize("options", [["--plane", "0"], ["--plane", "first"]])
    def test_usage(self, cube, capsys, options):
        """A plane that is no number from 1 is wrong usage."""
        with pytest.raises(SystemExit) as stop:
            main(["info", *options, str(cube)])
        assert stop.value.code == 2
        assert "--plane" in capsys.readouterr().err

    def test_tag_records_the_part(self, cube, capsys):
        """The primary header is tagged, whatever HDU was read, and says which that was."""
        assert main(["tag", "--no-png", "--hdu", "CUBE", "--plane", "2", str(cube)]) == 0
        assert read_tags(cube)["CLFHDU"] == "CUBE,1[*,*,2]"
        assert "CLFHDU" in fits.getheader(cube, 0)
        assert "CLFHDU" not in fits.getheader(cube, "CUBE")

    def test_classify_depends_on_the_part(self, cube, capsys):
        """What is classified is the part."""
        main(["classify", "-t", "json", "--hdu", "SCI,2", str(cube)])
        (row,) = json.loads(capsys.readouterr().out)
        with fits.open(cube) as hdus:
            alone = fits.HDUList([fits.PrimaryHDU(hdus[1].data)])
        alone.writeto(cube.with_name("alone.fits"))
        main(["classify", "-t", "json", str(cube.with_name("alone.fits"))])
        (other,) = json.loads(capsys.readouterr().out)
        assert row | {"file": ""} == other | {"file": ""}

    def test_frames_have_no_parts(self, infrared):
        """A frame is an image already: a part of it cannot be named."""
        with pytest.raises(FrameError, match="name a part of a file"):
            summarize(np.ones((20, 20)), hdu=1)
