# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Where an annotated picture goes, and whether it may go there."""

import os
from io import BytesIO
from pathlib import Path

import numpy as np

from astroclf.exceptions import AstroclfError
from astroclf.frames.files.containers import bare_name
from astroclf.frames.files.pictures import is_annotated
from astroclf.storage.drafts import write_whole

__all__ = ["image_box", "picture_path", "save_annotated", "to_png"]

_COMPRESSION = 3
"""Of sky noise, 6 makes files no smaller in three times the time."""

_IMAGE_BOX = "Image"
"""Keyword of the text in a PNG that says where its image is."""


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
    return folder / f"{bare_name(fits_path)}{ending}.png"


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
        if figure.axes:
            info.add_text(_IMAGE_BOX, _to_box(figure.axes[0], figure))
        if hasattr(figure, "packet"):
            info.add_itxt("XML:com.adobe.xmp", figure.packet().decode())
    finally:
        figure.set_canvas(shown_on)
    page = Image.fromarray(np.ascontiguousarray(np.asarray(canvas.buffer_rgba())[..., :3]))
    page.save(stream, "png", pnginfo=info, dpi=(figure.dpi, figure.dpi), compress_level=_COMPRESSION)
    return stream.getvalue()


def image_box(page):
    """
    Return where the image is in an annotated picture.

    Parameters
    ----------
    page : `~PIL.Image.Image`
        The picture, opened.

    Returns
    -------
    box : tuple of int
        Left, upper, right and lower edge in pixels, as Pillow counts them; the whole page where it does not say.
    """
    whole = 0, 0, *page.size
    try:
        left, upper, right, lower = map(int, page.info[_IMAGE_BOX].split())
    except (AttributeError, KeyError, ValueError):
        return whole
    inside = 0 <= left < right <= page.width and 0 <= upper < lower <= page.height
    return (left, upper, right, lower) if inside else whole


def _to_box(axes, figure):
    """Return the edges of axes as text, in the order of Pillow."""
    height = figure.bbox.height
    box = axes.get_window_extent()
    return " ".join(str(round(edge)) for edge in (box.x0, height - box.y1, box.x1, height - box.y0))
