# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of astroclf classify --show: pictures in windows and viewers."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from PIL import Image

from astroclf import AstroclfError
from astroclf.annotation import is_annotated
from astroclf.annotation.viewing import find_viewer
from astroclf.cli import main
from astroclf.datasets import make_frame


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    """Return the path of a small simulated frame; not to be changed."""
    path = tmp_path_factory.mktemp("simulated") / "a.fits"
    make_frame("wfc3_ir_sub256_flt", "globular_cluster", seed=2).writeto(path)
    return path


@pytest.fixture
def opened(tmp_path, monkeypatch):
    """Put a viewer on the path that keeps what it was given; return a function that waits for so many pictures."""
    log, program = tmp_path / "opened", tmp_path / "bin" / "xdg-open"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$1" >> "{log}"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("DISPLAY", ":98")
    monkeypatch.setattr(sys, "platform", "linux")

    def wait(count):
        for _ in range(600):
            paths = log.read_text().splitlines() if log.exists() else []
            if len(paths) >= count:
                return [Path(path) for path in paths]
            time.sleep(0.1)
        pytest.fail(f"{len(paths)} of {count} pictures were opened")

    return wait


def test_show(simulated, opened, capsys, tmp_path):
    """Without a window of matplotlib the viewer of the system gets an annotated picture of each file, all different."""
    shutil.copy(simulated, tmp_path / "a.fits")
    assert main(["classify", "--show", "-t", "csv", str(simulated), str(tmp_path / "a.fits"), "missing.fits"]) == 1
    out, err = capsys.readouterr()
    assert out.splitlines()[0] == "file,status,verdict,label,prob,group,gprob"
    assert len(out.splitlines()) == 4
    paths = opened(2)
    assert len(set(paths)) == 2
    assert all(is_annotated(path) and str(path) in err for path in paths)
    assert not list(tmp_path.glob("*.png"))


def test_show_beside(simulated, opened):
    """The frame as it was read is drawn beside it: the page is wider by an image."""
    assert main(["classify", "--show", "--beside", str(simulated)]) == 0
    with Image.open(opened(1)[0]) as image:
        assert image.size[0] > 2800


def test_show_explained(simulated, opened):
    """What speaks for the class is drawn into the picture."""
    assert main(["classify", "--show", str(simulated)]) == 0
    assert main(["classify", "--show", "--explain", str(simulated)]) == 0
    plain, explained = opened(2)
    assert is_annotated(explained)
    assert explained.read_bytes() != plain.read_bytes()


def test_nothing_to_show(opened, tmp_path, monkeypatch):
    """Where no file could be drawn, no folder is left behind."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    assert main(["classify", "--show", str(tmp_path / "missing.fits")]) == 1
    assert list((tmp_path / "temporary").iterdir()) == []


def test_show_combined(simulated, opened, tmp_path):
    """Files of one target have one picture."""
    shutil.copy(simulated, tmp_path / "b.fits")
    assert main(["classify", "--show", "--combine", str(simulated), str(tmp_path / "b.fits")]) == 0
    assert len(opened(1)) == 1


def test_nothing_to_show_with(simulated, monkeypatch, capsys):
    """Where no picture can be shown it is said before any work is done, with what to do."""
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    assert main(["classify", "--show", str(simulated)]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "no picture can be shown here: matplotlib's backend agg opens no windows" in err
    assert "neither DISPLAY nor WAYLAND_DISPLAY is set; astroclf tag -o DIR writes" in err


def test_viewer_is_missing(monkeypatch, tmp_path):
    """A display without a viewer is no help, and the viewer is named."""
    monkeypatch.setenv("DISPLAY", ":98")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "platform", "linux")
    with pytest.raises(AstroclfError, match="xdg-open is not installed; astroclf tag -o DIR"):
        find_viewer()


def test_window(simulated, tmp_path):
    """With a display, matplotlib opens a window, and its closing ends the command; no picture is left behind."""
    if shutil.which("xvfb-run") is None:
        pytest.skip("xvfb-run is not installed (Debian: xvfb)")
    pytest.importorskip("tkinter", reason="this Python has no tkinter")
    code = (
        "import matplotlib.pyplot as plt\n"
        "from matplotlib.backends.backend_tkagg import FigureManagerTk\n"
        "show = FigureManagerTk.show\n"
        "def show_and_close(manager):\n"
        "    print('window', manager.get_window_title())\n"
        "    show(manager)\n"
        "    manager.window.after(500, plt.close, 'all')\n"
        "FigureManagerTk.show = show_and_close\n"
        "from astroclf.cli import main\n"
        f"raise SystemExit(main(['classify', '--show', {str(simulated)!r}]))\n"
    )
    done = subprocess.run(
        ["xvfb-run", "-a", sys.executable, "-c", code], capture_output=True, text=True, timeout=300,
        env=os.environ | {"MPLBACKEND": "TkAgg", "TMPDIR": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "picture: " not in done.stderr
    assert not list(tmp_path.glob("astroclf-*"))
    assert "window a_astroclf" in done.stdout


@pytest.mark.parametrize(
    "options", [["--beside"], ["--explain"], ["--show", "--beside", "--combine"], ["--show", "--model", "imagenet"]]
)
def test_wrong_usage(options, simulated, capsys):
    """Options that do not go together are refused."""
    with pytest.raises(SystemExit) as stopped:
        main(["classify", *options, str(simulated)])
    assert stopped.value.code == 2
    assert "usage:" in capsys.readouterr().err
