# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of the command line."""

import csv
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from astropy.io import fits
from astropy.table import Table
from hypothesis import given
from hypothesis import strategies as st

import astroclf
from astroclf import read_tags
from astroclf.cli import main
from astroclf.cli.common import printable
from astroclf.cli.tables import format_rows, table_format
from astroclf.datasets import make_frame
from astroclf.taxonomy import groups, labels

HEADER = ["file", "status", "verdict", "label", "prob", "group", "gprob"]

ROWS = [
    {
        "file": "a.fits",
        "status": "OK",
        "verdict": "star",
        "label": "star",
        "prob": 0.9,
        "group": "stellar",
        "gprob": 1.0,
    },
    dict.fromkeys(HEADER) | {"file": "b,\n.fits", "status": "ERROR"},
]


@pytest.fixture(scope="session")
def simulated(tmp_path_factory):
    """Return the path of a small simulated frame; not to be changed."""
    path = tmp_path_factory.mktemp("simulated") / "sim_flt.fits"
    make_frame("wfc3_ir_sub256_flt", "globular_cluster", seed=2).writeto(path)
    return path


@pytest.fixture
def folder(tmp_path, simulated, monkeypatch):
    """Work in a folder with two frames, a.fits and b.fits, and a file that is none, bad.fits."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(simulated, "a.fits")
    shutil.copy(simulated, "b.fits")
    Path("bad.fits").write_text("not FITS")
    return tmp_path


def contents(folder):
    """Return the bytes of all files below a folder."""
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def astroclf_process(*args, **options):
    """Run the command line in a process of its own."""
    command = [sys.executable, "-m", "astroclf", *args]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, **options)


class TestClassify:
    """astroclf classify."""

    def test_table(self, folder, capsys):
        """By default columns are aligned, one row a file, and nothing is written anywhere."""
        before = contents(folder)
        assert main(["classify", "b.fits", "a.fits"]) == 0
        out, err = capsys.readouterr()
        head, _, *rows = out.splitlines()
        assert head.split() == HEADER
        assert [row.split()[0] for row in rows] == ["b.fits", "a.fits"]
        assert err == ""
        assert contents(folder) == before

    def test_csv_with_a_failed_file(self, folder, capsys):
        """A failed file keeps its row with an empty label, is named on stderr, and the others are done."""
        assert main(["classify", "-t", "csv", "a.fits", "bad.fits", "b.fits"]) == 1
        out, err = capsys.readouterr()
        rows = list(csv.DictReader(io.StringIO(out)))
        assert list(rows[0]) == HEADER
        assert [row["file"] for row in rows] == ["a.fits", "bad.fits", "b.fits"]
        assert rows[1] == dict.fromkeys(HEADER, "") | {"file": "bad.fits", "status": "ERROR"}
        assert rows[0] | {"file": ""} == rows[2] | {"file": ""}
        assert rows[0]["label"] in labels()
        assert rows[0]["group"] in groups()
        assert 0 < float(rows[0]["prob"]) <= float(rows[0]["gprob"]) <= 1
        assert err.startswith("astroclf: bad.fits: ")
        assert err.count("\n") == 1

    def test_json(self, folder, capsys):
        """JSON has null where there is nothing to say."""
        assert main(["classify", "-t", "json", "a.fits", "bad.fits"]) == 1
        good, bad = json.loads(capsys.readouterr().out)
        assert list(good) == HEADER
        assert isinstance(good["prob"], float)
        assert bad == dict.fromkeys(HEADER) | {"file": "bad.fits", "status": "ERROR"}

    def test_all_failed(self, folder, capsys):
        """The columns are there even if no file could be read."""
        assert main(["classify", "-t", "csv", "bad.fits", "missing.fits"]) == 1
        out, err = capsys.readouterr()
        assert out.splitlines() == [",".join(HEADER), "bad.fits,ERROR,,,,,", "missing.fits,ERROR,,,,,"]
        assert [line.split(":")[1].strip() for line in err.splitlines()] == ["bad.fits", "missing.fits"]

    def test_workers_change_nothing(self, folder, capsys):
        """Two processes print what one prints, in the order given."""
        files = ["b.fits", "bad.fits", "a.fits"]
        assert main(["classify", "-t", "csv", *files]) == 1
        one = capsys.readouterr()
        assert main(["classify", "-t", "csv", "-j", "2", *files]) == 1
        assert capsys.readouterr() == one

    def test_same_as_python(self, folder, capsys):
        """The command line says what the Python API says."""
        main(["classify", "-t", "json", "a.fits"])
        (row,) = json.loads(capsys.readouterr().out)
        assert row == {"file": "a.fits"} | astroclf.Classifier()("a.fits").to_row()

    @pytest.mark.slow
    def test_imagenet(self, folder, capsys):
        """--model imagenet prints ImageNet's class and confidence, and warns once that it is no astronomy."""
        import keras

        keras.applications.ResNet50(weights=None).save_weights("random.weights.h5")
        options = ["--model", "imagenet", "--weights", "random.weights.h5", "-t", "csv"]
        assert main(["classify", *options, "a.fits", "bad.fits"]) == 1
        out, err = capsys.readouterr()
        good, bad = csv.DictReader(io.StringIO(out))
        assert good["label"] not in ["", *labels()]
        assert 0 < float(good["prob"]) <= 1
        assert good["status"] == "IMAGENET"
        assert bad["label"] == ""
        assert err.count("not astronomy") == 1

    def test_imagenet_needs_tensorflow(self, folder):
        """Without TensorFlow the message says what to install, and there is no traceback."""
        code = (
            "import sys; sys.modules['tensorflow'] = None; from astroclf.cli import main; sys.exit(main(sys.argv[1:]))"
        )
        command = [sys.executable, "-c", code, "classify", "--model", "imagenet", "a.fits"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        assert (done.returncode, done.stdout) == (1, "")
        assert "astroclf[tensorflow]" in done.stderr.splitlines()[-1]
        assert "Traceback" not in done.stderr


class TestTag:
    """astroclf tag."""

    def test_in_place(self, folder, capsys):
        """Without -o the file itself is tagged, and its picture is beside it."""
        before = fits.getdata("a.fits", "SCI")
        assert main(["tag", "a.fits"]) == 0
        tags = read_tags("a.fits")
        assert tags.label in labels()
        assert tags["CLFFILE"] == fits.getval("a.fits", "FILENAME")
        assert Path("a_astroclf.png").read_bytes().startswith(b"\x89PNG")
        assert (fits.getdata("a.fits", "SCI") == before).all()
        assert sorted(os.listdir()) == ["a.fits", "a_astroclf.png", "b.fits", "bad.fits"]
        out, err = capsys.readouterr()
        assert out.startswith("a.fits: ")
        assert "a_astroclf.png" in out
        assert err == ""

    def test_output_folder(self, folder):
        """With -o a copy is tagged in a folder that is made, and the file stays as it is."""
        before = contents(folder)
        assert main(["tag", "a.fits", "bad.fits", "b.fits", "-o", "new/tagged"]) == 1
        after = contents(folder)
        assert sorted(map(str, after.keys() - before.keys())) == [
            f"new/tagged/{name}" for name in ("a.fits", "a_astroclf.png", "b.fits", "b_astroclf.png")
        ]
        assert {path: after[path] for path in before} == before
        assert read_tags("a.fits") is None
        assert read_tags("new/tagged/a.fits").label

    def test_again(self, folder):
        """Tagging twice leaves one block and replaces the picture."""
        assert main(["tag", "a.fits"]) == 0
        once = Path("a.fits").stat().st_size
        assert main(["tag", "a.fits"]) == 0
        assert Path("a.fits").stat().st_size == once
        assert list(fits.getheader("a.fits")).count("CLFCLASS") == 1

    def test_no_png(self, folder):
        """--no-png leaves out the picture, and then nobody else's picture is in the way."""
        Path("a_astroclf.png").write_text("mine")
        assert main(["tag", "--no-png", "a.fits"]) == 0
        assert Path("a_astroclf.png").read_text() == "mine"
        assert read_tags("a.fits")

    def test_foreign_picture_is_kept(self, folder, capsys):
        """A picture astroclf did not make is not overwritten, and the file is not tagged either."""
        Path("a_astroclf.png").write_text("mine")
        before = contents(folder)
        assert main(["tag", "a.fits"]) == 1
        assert contents(folder) == before
        assert "a_astroclf.png exists and was not made by astroclf" in capsys.readouterr().err

    def test_foreign_copy_is_kept(self, folder, capsys):
        """Nor is a FITS file in the output folder that has no tags; one that has is replaced."""
        Path("out").mkdir()
        shutil.copy("b.fits", "out/a.fits")
        before = contents(folder)
        assert main(["tag", "a.fits", "-o", "out"]) == 1
        assert contents(folder) == before
        assert "no tag block" in capsys.readouterr().err
        Path("out/a.fits").unlink()
        assert main(["tag", "a.fits", "-o", "out"]) == 0
        assert main(["tag", "a.fits", "-o", "out"]) == 0

    @pytest.mark.parametrize("options", [[], ["-o", "out"]])
    def test_dry_run(self, folder, capsys, options):
        """--dry-run prints the cards that would be new and writes nothing, no folder either."""
        before = contents(folder)
        assert main(["tag", "--dry-run", "a.fits", *options]) == 0
        assert contents(folder) == before
        assert not Path("out").exists()
        out = capsys.readouterr().out
        assert out.startswith("a.fits: ")
        assert "\n+ CLFCLASS= '" in out
        assert "\n- CLF" not in out

    def test_compressed(self, folder):
        """The picture of x.fits.gz is x_astroclf.png."""
        with fits.open("a.fits") as hdus:
            hdus.writeto("c.fits.gz")
        assert main(["tag", "c.fits.gz"]) == 0
        assert Path("c_astroclf.png").is_file()
        assert read_tags("c.fits.gz")

    @pytest.mark.parametrize(
        ("args", "message"),
        [
            (["a.fits", "a.fits"], "a.fits and a.fits would both write"),
            (["a.fits", "link.fits"], "a.fits and link.fits would both write"),
            (["a.fits", "a.fits.gz"], "a_astroclf.png"),
            (["a.fits", "sub/a.fits", "-o", "out"], "a.fits and sub/a.fits would both write"),
            (["a.fits", "-o", "."], "leave -o out to tag it in place"),
            (["a.fits", "-o", "b.fits"], "-o b.fits is not a folder"),
            (["a.fits", "-j", "0"], "must be at least 1; got 0"),
        ],
    )
    def test_refused_before_work(self, folder, capsys, args, message):
        """Usage that could cost somebody a file ends with status 2 before anything is written."""
        os.symlink("a.fits", "link.fits")
        Path("sub").mkdir()
        shutil.copy("b.fits", "sub/a.fits")
        shutil.copy("b.fits", "a.fits.gz")
        before = contents(folder)
        with pytest.raises(SystemExit) as stop:
            main(["tag", *args])
        assert stop.value.code == 2
        assert message in capsys.readouterr().err.replace("\n", " ")
        assert contents(folder) == before

    def test_same_picture_is_no_clash_without_pictures(self, folder):
        """With --no-png, a.fits and a.fits.gz can be tagged together."""
        with fits.open("a.fits") as hdus:
            hdus.writeto("a.fits.gz")
        assert main(["tag", "--no-png", "a.fits", "a.fits.gz"]) == 0

    def test_wrong_checksum_needs_force(self, folder, capsys):
        """A file whose CHECKSUM is wrong is refused with a hint, and with --force tagged with a warning."""
        with fits.open("a.fits") as hdus:
            hdus[0].header["DATASUM"] = "12345"
            hdus.writeto("damaged.fits")
        assert main(["tag", "damaged.fits"]) == 1
        assert "--force" in capsys.readouterr().err
        assert read_tags("damaged.fits") is None
        assert main(["tag", "--force", "damaged.fits"]) == 0
        assert capsys.readouterr().err.startswith("astroclf: damaged.fits: warning: ")

    def test_workers(self, folder, capsys):
        """Two processes tag as one does, and tell it in the order given."""
        assert main(["tag", "-j", "2", "b.fits", "bad.fits", "a.fits"]) == 1
        assert [line.split(":")[0] for line in capsys.readouterr().out.splitlines()] == ["b.fits", "a.fits"]
        assert read_tags("a.fits").labels == read_tags("b.fits").labels


class TestShow:
    """astroclf show."""

    def test_block(self, folder, capsys):
        """The block is printed card by card; a file without one is no failure, an unreadable one is."""
        main(["tag", "--no-png", "a.fits"])
        capsys.readouterr()
        assert main(["show", "b.fits", "a.fits", "bad.fits"]) == 1
        out, err = capsys.readouterr()
        assert out.startswith("b.fits: no tags\na.fits: ")
        assert f"\n  CLFLAB1  {read_tags('a.fits').label}\n" in out
        assert err.startswith("astroclf: bad.fits: ")

    def test_json(self, folder, capsys):
        """JSON has every card."""
        main(["tag", "--no-png", "a.fits"])
        capsys.readouterr()
        assert main(["show", "-t", "json", "a.fits", "b.fits"]) == 0
        tagged, untagged = json.loads(capsys.readouterr().out)
        assert tagged["tags"] == dict(read_tags("a.fits"))
        assert tagged["label"] == read_tags("a.fits").label
        assert untagged == dict.fromkeys([*HEADER, "stale", "tags"]) | {"file": "b.fits"}

    def test_csv_agrees_with_classify(self, folder, capsys):
        """The table of the tags is the table of the verdicts, and says whether a block is stale."""
        main(["tag", "--no-png", "a.fits"])
        capsys.readouterr()
        main(["classify", "-t", "csv", "a.fits"])
        (verdict,) = csv.DictReader(io.StringIO(capsys.readouterr().out))
        fits.setval("a.fits", "FILENAME", value="other.fits")
        assert main(["show", "-t", "csv", "a.fits"]) == 0
        (shown,) = csv.DictReader(io.StringIO(capsys.readouterr().out))
        assert shown.pop("stale") == "True"
        for name in ("prob", "gprob"):
            assert float(shown.pop(name)) == pytest.approx(float(verdict.pop(name)), abs=1e-4)
        assert shown == verdict


class TestUntag:
    """astroclf untag."""

    def test_gives_the_file_back(self, folder, capsys):
        """An untagged file is byte for byte what it was; untagging it again changes nothing."""
        before = contents(folder)
        main(["tag", "--no-png", "a.fits"])
        capsys.readouterr()
        assert main(["untag", "a.fits", "b.fits"]) == 0
        assert contents(folder) == before
        assert capsys.readouterr().out == "a.fits: tags removed\nb.fits: no tags\n"

    def test_all(self, folder):
        """A person's label stays, unless --all is given."""
        fits.setval("a.fits", "CLFHLAB", value="star")
        main(["tag", "--no-png", "a.fits"])
        assert main(["untag", "a.fits"]) == 0
        assert dict(read_tags("a.fits")) == {"CLFHLAB": "star"}
        assert main(["untag", "--all", "a.fits"]) == 0
        assert read_tags("a.fits") is None

    def test_bad_file(self, folder, capsys):
        """A file that cannot be read fails, and the others are done."""
        main(["tag", "--no-png", "a.fits"])
        assert main(["untag", "bad.fits", "a.fits"]) == 1
        assert capsys.readouterr().err.startswith("astroclf: bad.fits: ")
        assert read_tags("a.fits") is None


class TestDemo:
    """astroclf demo."""

    def test_makes_and_tags_a_frame(self, tmp_path, monkeypatch, capsys):
        """It makes a simulated frame and its picture, says where they are, and can be run again."""
        monkeypatch.chdir(tmp_path)
        assert main(["demo"]) == 0
        assert sorted(os.listdir()) == ["astroclf_demo_flt.fits", "astroclf_demo_flt_astroclf.png"]
        tags = read_tags("astroclf_demo_flt.fits")
        assert tags.group == "galaxy"
        assert not tags.stale
        assert fits.getval("astroclf_demo_flt.fits", "SIMULATD") is True
        assert "astroclf_demo_flt_astroclf.png" in capsys.readouterr().out
        assert main(["demo"]) == 0

    def test_overwrites_nothing_of_the_user(self, folder, capsys):
        """A file of that name that is not a demo's stays as it is."""
        for other in ("a.fits", "bad.fits"):
            shutil.copy(other, "astroclf_demo_flt.fits")
            before = contents(folder)
            assert main(["demo"]) == 1
            assert contents(folder) == before
            assert "exists and was not made by astroclf demo" in capsys.readouterr().err


class TestProgram:
    """What all verbs share."""

    def test_version(self, capsys):
        """--version tells the package's version."""
        with pytest.raises(SystemExit) as stop:
            main(["--version"])
        assert stop.value.code == 0
        assert capsys.readouterr().out == f"astroclf {astroclf.__version__}\n"

    @pytest.mark.parametrize(
        "args",
        [
            [],
            ["no-such-verb"],
            ["classify"],
            ["classify", "--no-such-option", "a.fits"],
            ["classify", "-t", "fits", "a.fits"],
            ["classify", "-t", "no-such-format", "a.fits"],
            ["classify", "-j", "many", "a.fits"],
            ["classify", "--model", "imagenet", "--backend", "onnx", "a.fits"],
            ["classify", "--weights", "w.h5", "a.fits"],
            ["demo", "a.fits"],
        ],
    )
    def test_usage(self, args, capsys):
        """Wrong usage ends with status 2, a line that says why, and nothing on stdout."""
        with pytest.raises(SystemExit) as stop:
            main(args)
        assert stop.value.code == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert "error: " in err

    @pytest.mark.parametrize("name", ["a.fits", "night 1.fits"])
    def test_a_file_is_no_verb(self, folder, capsys, name):
        """Who begins with a file is told how it goes; a verb is one even where there is a file of its name."""
        shutil.copy("a.fits", "night 1.fits")
        shutil.copy("a.fits", "show")
        with pytest.raises(SystemExit) as stop:
            main([name])
        assert stop.value.code == 2
        quoted = f"'{name}'" if " " in name else name
        told = f"{quoted} is no verb; to see what the file shows: astroclf classify {quoted}\n"
        assert capsys.readouterr().err.endswith(told)
        assert main(["show", "show"]) == 0
        assert capsys.readouterr().out == "show: no tags\n"

    @pytest.mark.parametrize("spelled", ["bad.fits", "./bad.fits", "..//{}/bad.fits", "{}//bad.fits"])
    @pytest.mark.parametrize("verb", "classify,info,label --as star,preview,replay,show,tag,verify".split(","))
    def test_a_file_is_named_once(self, folder, capsys, verb, spelled):
        """A message about a file begins with its name as it was given, and does not name it again."""
        file = spelled.format(folder if spelled.startswith("{") else folder.name)
        assert main([*verb.split(), file]) == 1
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith(f"astroclf: {file}: not a FITS file")
        assert line.count("bad.fits") == 1

    def test_processes_and_their_status(self, folder):
        """As a program of its own: tables on stdout, complaints on stderr, status 0 or 1."""
        done = astroclf_process("classify", "-t", "csv", "a.fits")
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.splitlines()[0] == ",".join(HEADER)
        done = astroclf_process("show", "bad.fits")
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith("astroclf: bad.fits: ")

    @pytest.mark.parametrize("jobs", ["1", "2"])
    def test_many_files_are_silent_in_pipes(self, folder, jobs):
        """Many files leave no progress bar on a stderr that is not a terminal."""
        files = [shutil.copy("a.fits", f"{n}.fits") for n in range(6)]
        done = astroclf_process("show", "-j", jobs, *files)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == "".join(f"{file}: no tags\n" for file in files)

    def test_closed_pipe_is_quiet(self, folder):
        """A reader that goes away, as ``| head`` does, causes no complaint."""
        command = f"{sys.executable} -m astroclf show {'a.fits ' * 2000}| head -n 1"
        done = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=120, check=False)
        assert done.stdout == "a.fits: no tags\n"
        assert done.stderr == ""

    @pytest.mark.skipif(sys.platform == "win32", reason="interrupts are sent otherwise on Windows")
    @pytest.mark.parametrize("jobs", ["1", "2"])
    def test_interrupt_is_quiet(self, folder, jobs):
        """Ctrl-C ends with status 130, no traceback, and no half-written file."""
        files = [shutil.copy("a.fits", f"{n}.fits") for n in range(100)]
        command = [sys.executable, "-m", "astroclf", "tag", "--no-png", "-j", jobs, *files]
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a background job's is ignored
        )
        while read_tags(files[0]) is None and process.poll() is None:
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=60)
        assert process.returncode == 130
        assert "Traceback" not in err
        assert read_tags(files[-1]) is None
        assert sorted(os.listdir()) == sorted([*files, "a.fits", "b.fits", "bad.fits"])

    def test_a_bug_costs_one_file(self, folder, capsys, monkeypatch):
        """An exception nobody foresaw is told as such, for its file only; --debug shows where it was raised."""
        read = astroclf.read_tags
        monkeypatch.setattr(astroclf, "read_tags", lambda file: read(file) if file == "a.fits" else {}["bug"])
        assert main(["show", "b.fits", "a.fits"]) == 1
        out, err = capsys.readouterr()
        assert out == "a.fits: no tags\n"
        assert err == "astroclf: b.fits: internal error, please report it: KeyError: 'bug' (--debug shows where)\n"
        assert main(["show", "--debug", "b.fits"]) == 1
        assert "Traceback (most recent call last)" in capsys.readouterr().err

    def test_warnings_name_their_file(self, folder, capsys, monkeypatch):
        """A reservation about a file is one line on stderr and no failure."""
        import warnings

        def read(file):
            warnings.warn("checksum is\nwrong", astroclf.AstroclfWarning, stacklevel=1)

        monkeypatch.setattr(astroclf, "read_tags", read)
        assert main(["show", "a.fits"]) == 0
        assert capsys.readouterr().err == "astroclf: a.fits: warning: checksum is wrong\n"

    def test_names_cannot_upset_a_terminal(self, folder, capsys):
        """Control characters in file names are escaped on the screen, and kept for programs."""
        name = "esc\x1b[31m\n.fits"
        shutil.copy("a.fits", name)
        assert main(["show", name, f"missing{name}"]) == 1
        out, err = capsys.readouterr()
        assert out == "esc\\x1b[31m\\n.fits: no tags\n"
        assert "\x1b" not in err
        assert err.count("\n") == 1
        main(["show", "-t", "json", name])
        assert json.loads(capsys.readouterr().out)[0]["file"] == name

    @pytest.mark.skipif(os.name != "posix", reason="names of bytes are POSIX")
    @pytest.mark.slow
    def test_names_that_are_no_text(self, folder):
        """A file name that is not UTF-8 works: escaped on the screen and in JSON, as it is in csv."""
        name = os.fsdecode(b"\xff.fits")
        shutil.copy("a.fits", name)
        for layout, shown in (([], "\\udcff"), (["-t", "json"], "\\udcff"), (["-t", "csv"], "\udcff")):
            for locale in ("C", "C.UTF-8"):
                environment = os.environ | {"LC_ALL": locale}
                done = astroclf_process("show", *layout, name, errors="surrogateescape", env=environment)
                assert (done.returncode, done.stderr) == (0, "")
                assert f"{shown}.fits" in done.stdout


class TestTables:
    """Formats of tables."""

    @pytest.mark.parametrize("name", ["csv", "html", "latex", "ecsv", "fixed_width", "ascii.rst", "ipac", "votable"])
    def test_text_formats(self, name):
        """Formats of astropy's Table.write can be written, with and without their ascii prefix."""
        text = format_rows(ROWS[:1], table_format(name))
        assert "a.fits" in text
        assert "stellar" in text

    def test_ecsv_round_trip(self):
        """Astropy reads back what was written: numbers as numbers, empty cells as masked."""
        table = Table.read(format_rows(ROWS, table_format("ecsv")), format="ascii.ecsv")
        assert table.colnames == HEADER
        assert table["file"][1] == "b,\n.fits"
        assert table["prob"].dtype.kind == "f"
        assert list(table["label"].mask) == [False, True]

    def test_people_see_no_empty_columns(self):
        """The aligned table leaves out columns in which no row has anything."""
        rows = [dict.fromkeys(HEADER) | {"file": "kitten.fits", "label": "Egyptian_cat", "prob": 0.7}]
        assert format_rows(rows).splitlines()[0].split() == ["file", "label", "prob"]

    @given(st.text())
    def test_printable(self, text):
        """Escaped text is printable, and text that was is unchanged."""
        assert printable(text).isprintable()
        assert not text.isprintable() or printable(text) == text
