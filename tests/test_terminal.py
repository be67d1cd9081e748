# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of the command line at a terminal: colours, progress, lines for programs, pictures in the text."""

import os
import re
import shutil
import subprocess
import sys
import threading

import pytest
from astropy.io import fits

from astroclf import write_label
from astroclf.annotation.theme import MARKS
from astroclf.cli import main
from astroclf.cli.colors import paint, paint_status, shows_colors
from astroclf.cli.tables import format_rows
from astroclf.datasets import make_frame
from astroclf.prediction import Status

needs_pty = pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are POSIX")

DECIDING = (
    "NO_COLOR", "FORCE_COLOR", "TERM", "TERM_PROGRAM", "LC_TERMINAL", "KITTY_WINDOW_ID", "KONSOLE_VERSION", "TMUX",
    "STY", "WT_SESSION", "COLUMNS", "LINES",
)  # fmt: skip
"""What programs ask in the environment about the terminal."""

PAINTED = re.compile(r"\x1b\[38;5;\d+;48;5;\d+m(.*?)\x1b\[0m")


def on_terminal(*args, environ=(), columns=80, stdout=None):
    """
    Run Python with arguments on a pseudo-terminal.

    Return its exit status and what the terminal was sent, by stdout unless that goes elsewhere and by stderr.
    """
    import pty
    import termios

    master, slave = pty.openpty()
    termios.tcsetwinsize(slave, (24, columns))
    environment = {name: value for name, value in os.environ.items() if name not in DECIDING}
    environment |= {"TERM": "xterm-256color"} | dict(environ)
    stdout = slave if stdout is None else stdout
    process = subprocess.Popen(
        [sys.executable, *args], stdin=slave, stdout=stdout, stderr=slave, env=environment, text=True
    )
    os.close(slave)
    parts = []
    reader = threading.Thread(target=read_all, args=(master, parts))
    reader.start()
    status = process.wait(timeout=300)
    reader.join(timeout=60)
    os.close(master)
    return status, b"".join(parts).decode().replace("\r\n", "\n")


def read_all(master, parts):
    """Read until the last program has closed the terminal, which Linux tells by an error."""
    try:
        while part := os.read(master, 65536):
            parts.append(part)
    except OSError:
        return


@pytest.fixture(scope="session")
def tagged(tmp_path_factory):
    """Return the path of a small simulated frame with tags; not to be changed."""
    path = tmp_path_factory.mktemp("tagged") / "a.fits"
    make_frame("wfc3_ir_sub256_flt", "globular_cluster", seed=2).writeto(path)
    assert main(["tag", "--no-png", str(path)]) == 0
    return path


@pytest.fixture
def folder(tmp_path, tagged, monkeypatch):
    """Work in a folder with a tagged file, a.fits, and one that is no FITS file, bad.fits."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(tagged, "a.fits")
    (tmp_path / "bad.fits").write_text("not FITS")
    return tmp_path


def row(file, status, **values):
    """Return the row of a table."""
    return {"file": file, "status": status, "verdict": "unknown"} | values


class Stream:
    """A stream that is a terminal or not."""

    def __init__(self, terminal):
        self.terminal = terminal

    def isatty(self):
        """Tell which."""
        return self.terminal


class TestColors:
    """Statuses in colour."""

    @pytest.mark.parametrize(
        ("environ", "terminal", "expected"),
        [
            ({}, True, True),
            ({}, False, False),
            ({"TERM": "dumb"}, True, False),
            ({"NO_COLOR": "1"}, True, False),
            ({"NO_COLOR": ""}, True, True),
            ({"FORCE_COLOR": "1"}, False, True),
            ({"FORCE_COLOR": "1", "TERM": "dumb"}, False, True),
            ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, True, False),
        ],
    )
    def test_when(self, environ, terminal, expected, monkeypatch):
        """A terminal shows colours; the environment can forbid or force them, and what is empty does neither."""
        for name in DECIDING:
            monkeypatch.delenv(name, raising=False)
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "platform", "linux")
        assert shows_colors(Stream(terminal)) == expected

    @pytest.mark.parametrize("status", [*Status, "ERROR", "SAME", "DIFFERENT", "WRONG", "MISSING"])
    def test_what_is_painted_keeps_its_text(self, status, monkeypatch):
        """Every status has a colour and stays legible as a word."""
        monkeypatch.setenv("FORCE_COLOR", "1")
        monkeypatch.delenv("NO_COLOR", raising=False)
        assert PAINTED.fullmatch(paint(status, status))[1] == status
        assert (
            PAINTED.sub(r"\1", paint_status(f"star [{status}] ([{status}])", status)) == f"star [{status}] ([{status}])"
        )

    def test_colors_are_those_of_the_pictures(self, monkeypatch):
        """They are the nearest of the terminal's 256 to the palette of the pictures, and all different."""
        monkeypatch.setenv("FORCE_COLOR", "1")
        monkeypatch.delenv("NO_COLOR", raising=False)
        found = {}
        for status, mark in MARKS.items():
            place = int(re.search(r"48;5;(\d+)m", paint("x", status))[1]) - 16
            levels = [(0, 95, 135, 175, 215, 255)[place // 6**power % 6] for power in (2, 1, 0)]
            wanted = [int(mark.color[start : start + 2], 16) for start in (1, 3, 5)]
            assert max(abs(a - b) for a, b in zip(levels, wanted)) <= 48
            found[status] = place
        assert len(set(found.values())) == len(Status)

    def test_unknown_status(self, monkeypatch):
        """What has no colour stays as it is, as a status that a header made up."""
        monkeypatch.setenv("FORCE_COLOR", "1")
        assert paint("IMAGENET", "IMAGENET") == "IMAGENET"
        assert paint_status("no verdict", None) == "no verdict"

    def test_columns_stay_aligned(self, monkeypatch):
        """Without its escape codes the coloured table is the plain one; a status is painted as wide as its column."""
        rows = [row("a.fits", "OK"), row("[OK] OK.fits", "UNCERTAIN"), row("c.fits", "ERROR", verdict=None)]
        monkeypatch.setenv("NO_COLOR", "1")
        plain = format_rows(rows)
        assert "\x1b" not in plain
        monkeypatch.delenv("NO_COLOR")
        monkeypatch.setenv("FORCE_COLOR", "1")
        colored = format_rows(rows)
        assert PAINTED.sub(r"\1", colored) == plain
        assert PAINTED.findall(colored) == ["OK       ", "UNCERTAIN", "ERROR    "]

    def test_only_people_see_colors(self, monkeypatch):
        """Formats for programs have none, whatever the environment says."""
        monkeypatch.setenv("FORCE_COLOR", "1")
        assert "\x1b" not in format_rows([row("a.fits", "OK")], "ascii.csv")
        assert "\x1b" not in format_rows([row("a.fits", "OK")], "json")

    @needs_pty
    def test_on_a_terminal(self, folder):
        """A table is coloured on a terminal, and the same in a pipe without colours."""
        command = ["-m", "astroclf", "classify", "a.fits", "bad.fits"]
        status, shown = on_terminal(*command, columns=200)
        assert status == 1
        assert {text.strip() for text in PAINTED.findall(shown)} == {read_status("a.fits"), "ERROR"}
        piped = subprocess.run([sys.executable, *command], capture_output=True, text=True, check=False)
        assert PAINTED.sub(r"\1", shown) == piped.stderr + piped.stdout

    @needs_pty
    @pytest.mark.parametrize("environ", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
    def test_a_terminal_without_colors(self, folder, environ):
        """There is not one escape code where colours are not wanted."""
        status, shown = on_terminal("-m", "astroclf", "show", "a.fits", environ=environ)
        assert status == 0
        assert f"[{read_status('a.fits')}]" in shown
        assert "\x1b" not in shown

    @needs_pty
    def test_show(self, folder):
        """The status of a block is coloured."""
        _, shown = on_terminal("-m", "astroclf", "show", "a.fits", columns=200)
        assert PAINTED.findall(shown) == [f"[{read_status('a.fits')}]"]


def read_status(file):
    """Return the status in a header."""
    return fits.getval(file, "CLFSTAT")


class TestHostileText:
    """No text of a header or a name reaches the terminal as anything but text."""

    NASTY = "\x1b]0;gotcha\x07\x9b31m\u202e"

    def test_block(self, folder, capsys):
        """Cards are shown with escapes in the place of control characters."""
        content = (folder / "a.fits").read_bytes().replace(b"'globular_cluster'", b"'glob\x1b[31m\x07\x9bter  '")
        (folder / "a.fits").write_bytes(content)
        assert main(["show", "a.fits"]) == 0
        out = capsys.readouterr().out
        assert "glob\\x1b[31m\\x07" in out
        assert all(line.isprintable() for line in out.splitlines())

    def test_changes(self, folder, capsys):
        """So are those that a dry run would change, and an earlier label."""
        write_label("a.fits", "star", by="E. Hubble")
        content = (folder / "a.fits").read_bytes()
        content = content.replace(b"'globular_cluster'", b"'glob\x1b[31m\x07\x9bter  '")
        (folder / "a.fits").write_bytes(content.replace(b"E. Hubble", b"E.\x1b[31mle"))
        assert main(["label", "--dry-run", "--as", "galaxy_field", "a.fits"]) == 0
        assert main(["tag", "--dry-run", "a.fits"]) == 0
        assert main(["label", "--remove", "a.fits"]) == 0
        out = capsys.readouterr().out
        assert out.count("\\x1b[31m") >= 3
        assert all(line.isprintable() for line in out.splitlines())

    def test_table(self):
        """Nor does any cell of a table, as a verdict read from the metadata of a picture."""
        text = format_rows([row(self.NASTY, self.NASTY, verdict=self.NASTY)])
        assert all(line.isprintable() for line in text.splitlines())
