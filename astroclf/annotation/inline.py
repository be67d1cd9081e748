# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Pictures among the text of a terminal: as images where it can show them, else in coloured half blocks."""

import os
import shutil
import sys
from base64 import b64encode
from io import BytesIO
from itertools import groupby

import numpy as np

from astroclf.exceptions import AstroclfError

__all__ = ["find_encoder", "to_small"]

_SIZE = 224
"""Longest side of a picture in pixels."""

_LINES = 14
"""Lines of text that an image is high; half blocks, which are coarser, get twice as many if there is room."""

_MULTIPLEXERS = "TMUX", "STY", "ZELLIJ"
"""In the environment of programs that do not pass images on to the terminal around them."""

_KITTY = "kitty", "ghostty"
_ITERM = "iTerm.app", "WezTerm", "mintty"
_SIXEL = "foot", "mlterm", "contour", "yaft"
_CHUNK = 4096
_HALF_BLOCK = "\N{UPPER HALF BLOCK}"


def find_encoder():
    """
    Find out how the terminal of stdout can show pictures, by what its environment says.

    Returns
    -------
    encode : callable
        Called with a picture as of `to_small`, returns the text that shows it: in kitty's graphics protocol, as inline
        image of iTerm2, as sixels, or else in half blocks of 24-bit colour, which most terminals show.

    Raises
    ------
    AstroclfError
        If stdout is no terminal, or one that shows none.
    """
    if not sys.stdout.isatty():
        msg = "stdout is no terminal, and pictures are shown in terminals only: leave --inline out"
        raise AstroclfError(msg)
    if os.environ.get("TERM") == "dumb":
        msg = "this terminal shows no pictures (TERM=dumb): leave --inline out"
        raise AstroclfError(msg)
    encode = _choose(os.environ)
    encoding = sys.stdout.encoding.lower().replace("-", "")
    if encode is _blocks and encoding != "utf8":
        msg = (
            f"pictures in text need UTF-8, and stdout is {sys.stdout.encoding}: choose such a locale, as LC_ALL=C.UTF-8"
        )
        raise AstroclfError(msg)
    return encode


def to_small(rgb):
    """
    Make a rendered picture small enough for a terminal.

    Parameters
    ----------
    rgb : `~numpy.ndarray` of float, shape (ny, nx, 3), range [0, 1]
        The picture, row 0 at the bottom; NaN is black.

    Returns
    -------
    picture : `~numpy.ndarray` of uint8, shape (my, mx, 3)
        Row 0 on top; at most 224 pixels long.
    """
    from PIL import Image

    levels = np.round(255 * np.clip(np.nan_to_num(rgb), 0, 1)).astype(np.uint8)
    image = Image.fromarray(np.ascontiguousarray(levels[::-1]))
    image.thumbnail((_SIZE, _SIZE), Image.Resampling.BOX)
    return np.asarray(image)


def _choose(environ):
    term, program = environ.get("TERM", ""), environ.get("TERM_PROGRAM", "")
    if any(map(environ.get, _MULTIPLEXERS)) or term.startswith(("screen", "tmux")):
        return _blocks
    if environ.get("KITTY_WINDOW_ID") or program in _KITTY or any(name in term for name in _KITTY):
        return _kitty
    if program in _ITERM or environ.get("LC_TERMINAL") == "iTerm2":
        return _iterm
    return _sixel if term.startswith(_SIXEL) else _blocks


def _kitty(picture):
    """Return a picture in the protocol of kitty: https://sw.kovidgoyal.net/kitty/graphics-protocol."""
    text = b64encode(_png(picture)).decode()
    parts = [text[start : start + _CHUNK] for start in range(0, len(text), _CHUNK)]
    keys = [f"a=T,f=100,q=2,r={_LINES},"] + [""] * (len(parts) - 1)
    more = [1] * (len(parts) - 1) + [0]
    return "".join(f"\x1b_G{key}m={m};{part}\x1b\\" for key, m, part in zip(keys, more, parts))


def _iterm(picture):
    """Return a picture in the protocol of iTerm2: https://iterm2.com/documentation-images.html."""
    png = _png(picture)
    return f"\x1b]1337;File=inline=1;size={len(png)};height={_LINES}:{b64encode(png).decode()}\a"


def _png(picture):
    from PIL import Image

    stream = BytesIO()
    Image.fromarray(picture).save(stream, "png")
    return stream.getvalue()


def _sixel(picture):
    """Return a picture as sixels, columns of six pixels, in up to 256 colours: https://vt100.net/docs/vt3xx-gp."""
    from PIL import Image

    image = Image.fromarray(picture).quantize(256)
    places, palette = np.asarray(image), np.reshape(image.getpalette(), (-1, 3))
    height, width = places.shape
    used = ((place, *np.round(palette[place] / 2.55).astype(int)) for place in np.unique(places))
    colors = "".join("#{};2;{};{};{}".format(*color) for color in used)
    bands = (places[top : top + 6] for top in range(0, height, 6))
    return f'\x1bPq"1;1;{width};{height}{colors}{"-".join(map(_band, bands))}\x1b\\'


def _band(places):
    """Return up to six rows of sixels, each colour over the ones before."""
    weights = 1 << np.arange(len(places))
    return "$".join(f"#{place}{_runs(weights @ (places == place))}" for place in np.unique(places))


def _runs(columns):
    runs = ((chr(63 + bits), len(list(run))) for bits, run in groupby(columns.tolist()))
    return "".join(f"!{count}{sixel}" if count > 3 else sixel * count for sixel, count in runs)


def _blocks(picture):
    """Return a picture in characters whose upper and lower halves are a pixel each."""
    from PIL import Image

    columns, lines = shutil.get_terminal_size()
    height, width = picture.shape[:2]
    scale = min(columns / width, 2 * max(min(2 * _LINES, lines - 3), 1) / height)
    size = max(round(scale * width), 1), 2 * max(round(scale * height / 2), 1)
    pixels = np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BOX))
    return "\n".join("".join(map(_cell, *pair)) + "\x1b[0m" for pair in zip(pixels[::2], pixels[1::2]))


def _cell(upper, lower):
    return "\x1b[38;2;{};{};{};48;2;{};{};{}m{}".format(*upper, *lower, _HALF_BLOCK)
