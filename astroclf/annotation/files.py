# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Where an annotated picture goes, whether it may go there, and how it gets there in one piece."""

import os
import re
import secrets
import shutil
from io import BytesIO
from pathlib import Path

import numpy as np

from astroclf.exceptions import AstroclfError
from astroclf.frames.files.pictures import is_annotated

__all__ = ["picture_path", "save_annotated", "to_png", "write_whole"]

_FITS_SUFFIX = re.compile(r"(?<=.)\.(fits|fit|fts)(\.(gz|bz2|fz))?$", re.IGNORECASE)
_COMPRESSION = 3
"""Of sky noise, 6 makes files no smaller in three times the time."""


def picture_path(fits_path, output_dir=None, *, ending="_astroclf"):
    """
    Return where a picture of a file goes.

    Parameters
    ----------
    fits_path : path-like
        The file; it need not exist.
    output_dir : path-like, optional
        Folder of the picture; by default that of the file.
    ending : str, optional
        What tells the picture from others of the file; by default that of annotated ones.

    Returns
    -------
    path : `~pathlib.Path`
        ``<name><ending>.png``, where ``<name>`` is the file's without ``.fits``, ``.fit`` or ``.fts``
        and without ``.gz``, ``.bz2`` or ``.fz`` after it, in either case.
    """
    fits_path = Path(fits_path)
    folder = fits_path.parent if output_dir is None else Path(output_dir)
    return folder / f"{_FITS_SUFFIX.sub('', fits_path.name)}{ending}.png"


def save_annotated(figure, path):
    """
    Write an annotated picture, whole or not at all.

    The same figure gives the same bytes. A link is followed; the mode of a picture that is replaced is
    kept.

    Parameters
    ----------
    figure : `~matplotlib.figure.Figure`
        What `annotate` returns.
    path : path-like
        PNG file. It is overwritten only if astroclf made it.

    Raises
    ------
    AstroclfError
        If ``path`` is a file that astroclf did not make, or cannot be written.
    """
    path = Path(os.path.realpath(path))
    try:
        if os.path.lexists(path) and not is_annotated(path):
            msg = f"{path} exists and was not made by astroclf: move it away or choose another folder"
            raise AstroclfError(msg)
        write_whole(path, to_png(figure))
    except OSError as error:
        msg = f"{path} cannot be written: {error.strerror or error}"
        raise AstroclfError(msg) from error


def to_png(figure):
    """
    Draw a figure as PNG.

    Parameters
    ----------
    figure : `~matplotlib.figure.Figure`
        The figure; a canvas it is shown on stays its canvas.

    Returns
    -------
    content : bytes
        The file, without a date; with Astronomy Visualization Metadata where the figure has them.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    from astroclf import __version__

    shown_on, info, stream = figure.canvas, PngInfo(), BytesIO()
    info.add_text("Software", f"astroclf {__version__}")
    try:
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        if hasattr(figure, "packet"):
            info.add_itxt("XML:com.adobe.xmp", figure.packet().decode())
    finally:
        figure.set_canvas(shown_on)
    page = Image.fromarray(np.ascontiguousarray(np.asarray(canvas.buffer_rgba())[..., :3]))
    page.save(stream, "png", pnginfo=info, dpi=(figure.dpi, figure.dpi), compress_level=_COMPRESSION)
    return stream.getvalue()


def write_whole(path, content):
    """
    Write a new file beside the old one, if there is one, and put it in its place.

    Parameters
    ----------
    path : `~pathlib.Path`
        The file, no link; if it exists, its mode is kept.
    content : bytes
        What it is to hold.

    Raises
    ------
    OSError
        If it cannot be written; what was there stays.
    """
    draft = path.with_name(f".astroclf-{secrets.token_hex(8)}.tmp")
    try:
        with draft.open("xb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        if path.exists():
            shutil.copymode(path, draft)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
