# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of the command line at a terminal: colours, progress, lines for programs, pictures in the text."""

import base64
import io
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from PIL import Image

from astroclf import AstroclfError, Classifier, Preprocessor, read_frame, read_tags, write_label
from astroclf.annotation.inline import find_encoder, to_small
from astroclf.annotation.theme import MARKS
from astroclf.cli import main
from astroclf.cli.colors import paint, paint_status, shows_colors
from astroclf.cli.tables import format_rows, json_text
from astroclf.datasets import make_frame
from astroclf.prediction import Status
from astroclf.render import Stretch
from astroclf.storage.locks import locked

needs_pty = pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are POSIX")

DECIDING = (
    "NO_COLOR", "FORCE_COLOR", "TERM", "TERM_PROGRAM", "LC_TERMINAL", "KITTY_WINDOW_ID", "KONSOLE_VERSION", "TMUX",
    "STY", "ZELLIJ", "WT_SESSION", "COLUMNS", "LINES",
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


class Output:
    """A stdout that is a terminal or not."""

    def __init__(self, terminal=True, encoding="utf-8"):
        self.terminal, self.encoding = terminal, encoding

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
        assert shows_colors(Output(terminal)) == expected

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
    def test_on_a_terminal(self, folder, capsys):
        """A table is coloured on a terminal, and the same in a pipe without colours."""
        command = ["classify", "a.fits", "bad.fits"]
        status, shown = on_terminal("-m", "astroclf", *command, columns=200)
        assert status == 1
        assert {text.strip() for text in PAINTED.findall(shown)} == {read_status("a.fits"), "ERROR"}
        main(command)
        piped = capsys.readouterr()
        assert PAINTED.sub(r"\1", shown) == piped.err + piped.out

    @needs_pty
    @pytest.mark.parametrize("environ", [{"NO_COLOR": "1"}, pytest.param({"TERM": "dumb"}, marks=pytest.mark.slow)])
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


def screen_of(shown):
    """Return the lines that a terminal is left with, on which a carriage return goes back to overwrite."""
    lines, column = [""], 0
    for part in re.findall(r"\n|\r|\x1b\[A|[^\n\r\x1b]+", PAINTED.sub(r"\1", shown)):
        if part == "\n":
            lines.append("")
            column = 0
        elif part == "\r":
            column = 0
        else:
            assert part != "\x1b[A", "a bar of one line goes nowhere else"
            lines[-1] = lines[-1][:column].ljust(column) + part + lines[-1][column + len(part) :]
            column += len(part)
    return [line.rstrip() for line in lines]


class Terminal(io.StringIO):
    """A stderr that says it is a terminal."""

    def isatty(self):
        """Say so."""
        return True


class TestProgress:
    """The bar of long work."""

    @needs_pty
    @pytest.mark.parametrize("jobs", [pytest.param("1", marks=pytest.mark.slow), "2"])
    def test_smears_nothing(self, folder, jobs):
        """On one terminal, what is printed and what failed stay whole lines, in order, and the bar is below them."""
        assert main(["untag", "a.fits"]) == 0
        files = ["a.fits", "bad.fits"] * 3
        status, shown = on_terminal("-m", "astroclf", "show", "-j", jobs, *files, environ={"NO_COLOR": "1"})
        assert status == 1
        *lines, bar, rest = screen_of(shown)
        bad = "astroclf: bad.fits: not a FITS file (it begins with b'not FITS' instead of 'SIMPLE =')"
        assert lines == ["a.fits: no tags", bad] * 3
        assert re.fullmatch(r"100%\|.+\| 6/6 \[\d\d:\d\d<\d\d:\d\d, +[\d.]+(file/s|s/file)\]", bar)
        assert rest == ""

    @needs_pty
    def test_stays_out_of_stdout(self, folder):
        """A table that goes elsewhere has nothing of the bar in it, and nothing else is on the terminal."""
        with open("table.csv", "w") as table:
            command = ["-m", "astroclf", "show", "-t", "csv", *["a.fits"] * 5]
            status, shown = on_terminal(*command, stdout=table)
        assert status == 0
        assert "5/5" in shown
        rows = Path("table.csv").read_text().splitlines()
        assert [line.split(",")[0] for line in rows] == ["file", *["a.fits"] * 5]

    @pytest.mark.parametrize(
        "command",
        [
            ["classify", "-t", "csv"],
            pytest.param(["tag", "--no-png"], marks=pytest.mark.slow),
            ["verify"],
            pytest.param(["replay"], marks=pytest.mark.slow),
            ["report", "-o", "report.html"],
            ["untag"],
        ],
    )
    def test_verbs(self, folder, command, monkeypatch):
        """Every verb over many files shows rate and time left."""
        files = [shutil.copy("a.fits", f"{n}.fits") for n in range(4)]
        monkeypatch.setattr(sys, "stderr", Terminal())
        assert main([*command, *files]) == 0
        assert re.search(r"4/4 \[.+<.+, .+(file/s|s/file)\]", sys.stderr.getvalue())

    def test_few(self, folder, monkeypatch):
        """A few files need no bar."""
        monkeypatch.setattr(sys, "stderr", Terminal())
        assert main(["show", *["a.fits"] * 3]) == 0
        assert sys.stderr.getvalue() == ""

    def test_evaluate(self, folder, monkeypatch):
        """So does evaluate, and takes its bar away in the end."""
        Path("manifest.csv").write_text("path,label,object_key\na.fits,star,a\n")
        monkeypatch.setattr(sys, "stderr", Terminal())
        assert main(["evaluate", "manifest.csv"]) == 0
        assert "0/1 [00:00<?, ?file/s]" in sys.stderr.getvalue()
        assert screen_of(sys.stderr.getvalue()) == [""]

    def test_debug(self, folder, monkeypatch, capsys):
        """The lines that --debug adds go past the bar, too."""
        monkeypatch.setattr(sys, "stderr", Terminal())
        assert main(["show", "--debug", "a.fits", "bad.fits", "a.fits", "a.fits"]) == 1
        lines = screen_of(sys.stderr.getvalue())
        assert lines[1] == "Traceback (most recent call last):"
        assert not any("%|" in line for line in lines[:-2])


class TestJsonLines:
    """``-t jsonl``: an object a line, at once."""

    def test_classify(self, folder, capsys):
        """All numbers of the verdict are there as Python has them, and a failure is an object, too."""
        assert main(["classify", "-t", "jsonl", "a.fits", "bad.fits"]) == 1
        out, err = capsys.readouterr()
        good, bad = map(json.loads, out.splitlines())
        assert good == {"file": "a.fits"} | Classifier()("a.fits").to_dict()
        assert bad.keys() == {"file", "status", "error"}
        assert bad["status"] == "ERROR"
        assert err == f"astroclf: bad.fits: {bad['error']}\n"

    def test_combined(self, folder, capsys):
        """Of files of one target there is one object, where the first of them was named."""
        shutil.copy("a.fits", "b.fits")
        assert main(["classify", "--combine", "-t", "jsonl", "bad.fits", "a.fits", "b.fits"]) == 1
        bad, good = map(json.loads, capsys.readouterr().out.splitlines())
        assert bad["file"] == "bad.fits"
        assert good["inputs"] == ["a.fits", "b.fits"]

    def test_tag(self, folder, capsys):
        """Tagging says the same, what it wrote, and in a dry run what it would."""
        assert main(["tag", "-t", "jsonl", "-o", "out", "a.fits"]) == 0
        (done,) = map(json.loads, capsys.readouterr().out.splitlines())
        assert done["tagged"] == [str(Path("out", "a.fits"))]
        assert Path(done["picture"]).is_file()
        assert done["probs"][0] == pytest.approx(read_tags("out/a.fits").probs[0], rel=1e-5)
        main(["untag", "a.fits"])
        capsys.readouterr()
        assert main(["tag", "-t", "jsonl", "--dry-run", "a.fits"]) == 0
        (plan,) = map(json.loads, capsys.readouterr().out.splitlines())
        assert plan["tagged"] == []
        assert any(line.startswith("+ CLFCLASS") for line in plan["changes"])

    def test_tag_table(self, folder, capsys):
        """Tables are tables, and what is said of the report is no line of theirs."""
        assert main(["tag", "-t", "csv", "--no-png", "--report", "report.html", "a.fits"]) == 0
        out, err = capsys.readouterr()
        assert [line.split(",")[0] for line in out.splitlines()] == ["file", "a.fits"]
        assert err.startswith("astroclf: report.html: 1 file, ")

    @pytest.mark.parametrize("verb", ["show", "info", "verify", "replay", "recover"])
    def test_other_verbs(self, folder, verb, capsys):
        """The objects are those of the array that -t json writes; a failure has its reason."""
        assert main([verb, "-t", "json", "a.fits"]) == 0
        array = json.loads(capsys.readouterr().out or "[]")
        assert main([verb, "-t", "jsonl", "a.fits", "missing.fits"]) == 1
        *good, bad = map(json.loads, capsys.readouterr().out.splitlines())
        assert good == array
        assert bad["status"] == "ERROR"
        assert bad["error"]

    def test_numbers_that_are_none(self):
        """JSON has no NaN and no infinity: they are null."""
        nested = {"a": [float("nan"), (1.5, float("-inf"))], "b": "NaN"}
        assert json.loads(json_text(nested)) == {"a": [None, [1.5, None]], "b": "NaN"}

    @pytest.mark.skipif(sys.platform == "win32", reason="there are no such locks on Windows")
    def test_streams(self, folder):
        """A program has the first object while the second file still waits for somebody to unlock it."""
        shutil.copy("a.fits", "b.fits")
        command = [sys.executable, "-m", "astroclf", "tag", "--no-png", "-t", "jsonl", "a.fits", "b.fits"]
        with locked(Path("b.fits")):
            process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
            first = json.loads(process.stdout.readline())
        second = json.loads(process.stdout.readline())
        assert process.wait(timeout=60) == 0
        process.stdout.close()
        assert [first["file"], second["file"]] == ["a.fits", "b.fits"]
        assert first["probs"] == second["probs"]


PICTURE = np.random.default_rng(12345).integers(0, 256, (28, 40, 3), dtype=np.uint8)


def decode_kitty(text):
    """Return the keys of the first command, and the picture of all."""
    commands = re.findall(r"\x1b_G([^;]*);([^\x1b]*)\x1b\\", text)
    assert "".join(f"\x1b_G{keys};{part}\x1b\\" for keys, part in commands) == text
    assert all(len(part) <= 4096 for _, part in commands)
    keys = [dict(pair.split("=") for pair in keys.split(",")) for keys, _ in commands]
    assert [key["m"] for key in keys] == ["1"] * (len(keys) - 1) + ["0"]
    return keys[0], open_png(base64.b64decode("".join(part for _, part in commands)))


def open_png(content):
    """Return the pixels of a PNG."""
    with Image.open(io.BytesIO(content)) as image:
        return np.asarray(image)


def decode_sixel(text):
    """Return the picture that sixels draw, in percent."""
    width, height, body = re.fullmatch(r'\x1bPq"1;1;(\d+);(\d+)(.*)\x1b\\', text).groups()
    canvas = np.full((6 * -(-int(height) // 6), int(width), 3), -1)
    palette, row, column, color = {}, 0, 0, None
    for command in re.finditer(r"#(\d+)(?:;2;(\d+);(\d+);(\d+))?|!(\d+)(.)|([?-~])|([-$])", body):
        place, *rgb, count, repeated, sixel, move = command.groups()
        if place and rgb[0]:
            palette[place] = rgb
        elif place:
            color = palette[place]
        elif move:
            row, column = row + 6 * (move == "-"), 0
        else:
            bits, count = ord(repeated or sixel) - 63, int(count or 1)
            for bit in (bit for bit in range(6) if bits >> bit & 1):
                canvas[row + bit, column : column + count] = color
            column += count
    return canvas[: int(height)]


def decode_blocks(text):
    """Return the picture of half blocks."""
    cell = re.compile(r"\x1b\[38;2;(\d+);(\d+);(\d+);48;2;(\d+);(\d+);(\d+)m\u2580")
    cells = np.array([[cell.groups() for cell in cell.finditer(line)] for line in text.splitlines()], int)
    assert all(line.endswith("\x1b[0m") and not cell.sub("", line).strip("\x1b[0m") for line in text.splitlines())
    return np.stack([cells[..., :3], cells[..., 3:]], axis=1).reshape(-1, cells.shape[1], 3)


class TestInline:
    """Pictures in the terminal."""

    @pytest.fixture
    def encode(self, monkeypatch):
        """Return a function that shows a picture in the terminal of an environment, of 80 x 24 characters."""

        def show(picture=PICTURE, **environ):
            for name in DECIDING:
                monkeypatch.delenv(name, raising=False)
            for name, value in ({"COLUMNS": "80", "LINES": "24"} | environ).items():
                monkeypatch.setenv(name, value)
            with monkeypatch.context() as patch:
                patch.setattr(sys, "stdout", Output())
                return find_encoder()(picture)

        return show

    @pytest.mark.parametrize(
        "environ", [{"KITTY_WINDOW_ID": "1"}, {"TERM": "xterm-kitty"}, {"TERM_PROGRAM": "ghostty"}]
    )
    def test_kitty(self, encode, environ):
        """The picture comes through kitty's protocol unchanged, in parts of 4096 bytes, and no answer is asked for."""
        keys, picture = decode_kitty(encode(**environ))
        np.testing.assert_array_equal(picture, PICTURE)
        assert {"a": "T", "f": "100", "q": "2", "r": "14"}.items() <= keys.items()
        large = np.random.default_rng(1).integers(0, 256, (99, 99, 3), dtype=np.uint8)
        np.testing.assert_array_equal(decode_kitty(encode(large, **environ))[1], large)

    @pytest.mark.parametrize("environ", [{"TERM_PROGRAM": "iTerm.app"}, {"LC_TERMINAL": "iTerm2"}])
    def test_iterm(self, encode, environ):
        """So it does through iTerm2's, which is told how many bytes there are."""
        found = re.fullmatch(r"\x1b\]1337;File=inline=1;size=(\d+);height=14:(.*)\x07", encode(**environ))
        content = base64.b64decode(found[2])
        np.testing.assert_array_equal(open_png(content), PICTURE)
        assert len(content) == int(found[1])

    @pytest.mark.parametrize("shape", [(28, 40), (6, 1), (1, 7)])
    def test_sixel(self, encode, shape):
        """Sixels draw it within the percent that they count colours in, every pixel of it."""
        rows, columns = np.indices(shape)
        picture = np.stack([rows * 9 % 256, columns * 6 % 256, (rows // 4 + columns // 4) * 16 % 256], axis=-1)
        picture = (picture // 64 * 64).astype(np.uint8)
        found = decode_sixel(encode(picture, TERM="foot"))
        assert np.abs(found - picture / 2.55).max() <= 0.51

    @pytest.mark.parametrize("environ", [{"TERM": "xterm"}, {"KITTY_WINDOW_ID": "1", "TMUX": "x"}, {"TERM": "screen"}])
    def test_blocks(self, encode, environ):
        """Elsewhere, and where a multiplexer is in between, it is made of characters, two pixels in each."""
        found = decode_blocks(encode(np.full((20, 30, 3), (10, 200, 30), np.uint8), **environ))
        assert found.shape == (42, 63, 3)
        assert (found == (10, 200, 30)).all()
        upper = decode_blocks(encode(np.repeat([[[255] * 3], [[0] * 3]], 2, axis=1).astype(np.uint8), **environ))
        assert (upper[:21] == 255).all()
        assert (upper[21:] == 0).all()

    def test_blocks_fit(self, encode):
        """They are never wider or higher than the terminal."""
        for shape in ((10, 300, 3), (300, 10, 3)):
            height, width, _ = decode_blocks(encode(np.zeros(shape, np.uint8), COLUMNS="40", LINES="12")).shape
            assert width <= 40
            assert height <= 24

    def test_small(self):
        """Row 0 goes to the top, what is not finite is black, and the longer side has 224 pixels."""
        rgb = np.zeros((448, 896, 3))
        rgb[224:] = 1.0
        rgb[:10, :10] = np.nan
        picture = to_small(rgb)
        assert picture.shape == (112, 224, 3)
        assert (picture[:56] == 255).all()
        assert (picture[56:] == 0).all()

    @pytest.mark.parametrize(
        ("environ", "encoding", "terminal", "message"),
        [
            ({}, "utf-8", False, "stdout is no terminal"),
            ({"TERM": "dumb"}, "utf-8", True, "TERM=dumb"),
            ({"TERM": "xterm"}, "latin-1", True, "need UTF-8, and stdout is latin-1"),
        ],
    )
    def test_refused(self, environ, encoding, terminal, message, monkeypatch):
        """Where no picture can be shown the message says why."""
        for name in DECIDING:
            monkeypatch.delenv(name, raising=False)
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", Output(terminal, encoding))
            with pytest.raises(AstroclfError, match=message):
                find_encoder()

    def test_refused_before_work(self, folder, capsys):
        """In a pipe nothing is classified, and the one message is all."""
        assert main(["classify", "--inline", "a.fits"]) == 1
        assert capsys.readouterr() == ("", "astroclf: stdout is no terminal, and pictures are shown in terminals only: "
                                       "leave --inline out\n")  # fmt: skip

    @needs_pty
    def test_on_a_terminal(self, folder):
        """The picture of each file is grey as on its page, under its name and before the table."""
        command = ["-m", "astroclf", "classify", "--inline", "a.fits", "bad.fits"]
        status, shown = on_terminal(*command, columns=200, environ={"TERM": "xterm-kitty", "NO_COLOR": "1"})
        assert status == 1
        before, picture, after = re.fullmatch(r"(.*?)(\x1b_G.*\x1b\\)(.*)", shown, re.DOTALL).groups()
        frame = Classifier().record.preprocessor.clean(read_frame("a.fits"))
        expected = to_small(Preprocessor(stretch=Stretch.grey()).render(frame))
        np.testing.assert_array_equal(decode_kitty(picture)[1], expected)
        assert before.startswith("a.fits: ")
        assert "file" in after

    @pytest.mark.parametrize("options", [["-t", "csv"], ["--model", "imagenet"]])
    def test_wrong_usage(self, options, capsys):
        """Pictures are for people, and of astronomy."""
        with pytest.raises(SystemExit) as stopped:
            main(["classify", "--inline", *options, "a.fits"])
        assert stopped.value.code == 2
        assert "--inline is for" in capsys.readouterr().err
