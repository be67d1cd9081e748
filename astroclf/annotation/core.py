# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""One call from a frame and its prediction to the annotated picture."""

from dataclasses import replace

import numpy as np

from astroclf.annotation.files import save_annotated
from astroclf.annotation.theme import get_theme

__all__ = ["AXES", "SIZES", "annotate"]

AXES = "wcs", "pixels"
"""What the numbers around a picture may be."""

_LONGEST_SIDE = 1024
_SMOOTHING = 1.5
"""Sigma in pixels of the picture."""

_SMALLEST = 40
"""Pixels of the picture that a source has at least, some more than a peak of the noise that is smoothed so."""

SIZES = 300, 20000
"""Least and most pixels of the longer side of a page."""


def annotate(
    frame, prediction, path=None, *, ax=None, rgb=None, explanation=None, before=None, outlines=False, tiles=None,
    north_up=False, axes=None, size=None, theme="dark",
):  # fmt: skip
    """
    Draw a frame and its verdict on one page, and save it if there is a path.

    Parameters
    ----------
    frame : `~astroclf.Frame`
        The frame; not modified. Its headers and file name are shown, control characters removed.
    prediction : `~astroclf.Prediction`
        The verdict on it.
    path : path-like, optional
        PNG file to write; see `save_annotated`.
    ax : `~matplotlib.axes.Axes`, optional
        Axes to draw the picture into, with the verdict as their title, instead of a page. Those of
        `astropy.visualization.wcsaxes` keep their ticks and labels, others have none.
    rgb : array_like of float, shape (ny, nx, 3), range [0, 1], optional
        Picture of the exposed part of the frame, row 0 at the bottom, as `astroclf.Preprocessor.render`
        returns it. NaN is drawn black. By default it is rendered in grey, as a single filter has no
        colours.
    explanation : `~astroclf.Explanation`, optional
        Why a class, of this frame, as ``Classifier().explain(frame)`` returns it: drawn as a contour at half of its
        peak.
    before : `~astroclf.Frame`, optional
        The frame as it was read, of the same shape: drawn beside the picture, linear between the limits of zscale.
    outlines : bool, optional
        Whether to draw the edges of what photutils finds in the rendered picture; not with ``rgb``.
    tiles : int, optional
        Number of tiles along either axis, whose edges are drawn.
    north_up : bool, optional
        Whether to turn the picture, and to mirror it if need be, so that north is up and east left; a frame whose
        orientation is not known stays as it is.
    axes : {'wcs', 'pixels'}, optional
        Numbers around the picture: right ascension and declination in ICRS, by
        `~astropy.visualization.wcsaxes.WCSAxes`, or columns and rows counted from 1 as in FITS, which a frame without
        coordinates of the sky has in either case.
    size : int, optional
        Longer side of the page in pixels, 300 to 20000; by default 1920 for a square frame, a little more with
        ``axes``.
    theme : {'dark', 'light'}, optional
        Colours of the page.

    Returns
    -------
    figure : `~matplotlib.figure.Figure`
        The page, for `save_annotated` and for notebooks; that of ``ax`` if it is given. A page is not
        registered with pyplot, so it needs no closing and may be drawn in any thread.

    Raises
    ------
    EmptyFrameError
        If no pixel of the frame is finite and unmasked.
    AstroclfError
        If ``path`` cannot be written, or is a file that astroclf did not make.
    ValueError
        If options do not go together, ``size`` or ``tiles`` is out of range, ``rgb`` has another shape, ``theme`` or
        ``axes`` is not known, or ``explanation`` or ``before`` is of another shape than the frame.
    """
    from astroclf.annotation.figure import Extras, draw_image, draw_page, write_title
    from astroclf.annotation.metadata import stretch_avm
    from astroclf.annotation.showing import shown

    wanted = Extras(explanation, before, tiles=tiles, north_up=north_up, axes=axes, size=size)
    _check(frame, wanted, path, ax, rgb, outlines)
    colors = get_theme(theme)
    part = frame.exposed
    stages = _stages(frame, part, wanted.size) if rgb is None else None
    rgb = _validate_rgb(rgb) if stages is None else shown(stages)
    if outlines:
        wanted = replace(wanted, outlines=_sources(stages))
    if ax is not None:
        draw_image(ax, frame, rgb, part, colors, wanted)
        write_title(ax, prediction)
        return ax.figure
    figure = draw_page(frame, prediction, rgb, part, colors, wanted)
    if stages is not None and frame.colours is None:
        figure.avm |= stretch_avm(stages)
    if path is not None:
        save_annotated(figure, path)
    return figure


def _check(frame, wanted, path, ax, rgb, outlines):
    """Refuse what cannot be drawn."""
    if ax is not None and not (path is wanted.size is wanted.before is wanted.axes is None):
        msg = "path, size, before and axes are for a page; leave them out with ax"
        raise ValueError(msg)
    if wanted.north_up and hasattr(ax, "wcs"):
        msg = "north_up turns the picture, not the coordinates that ax has; leave it out"
        raise ValueError(msg)
    if wanted.axes not in (None, *AXES):
        msg = f"axes must be one of {', '.join(AXES)}; got {wanted.axes!r}"
        raise ValueError(msg)
    if outlines and rgb is not None:
        msg = "outlines are those of the rendered picture; leave rgb out"
        raise ValueError(msg)
    if wanted.size is not None and not SIZES[0] <= wanted.size <= SIZES[1]:
        msg = f"size must be {SIZES[0]} to {SIZES[1]} pixels; got {wanted.size!r}"
        raise ValueError(msg)
    if wanted.tiles is not None and wanted.tiles < 1:
        msg = f"tiles must be at least 1; got {wanted.tiles!r}"
        raise ValueError(msg)
    for name, other in (("explanation", wanted.explanation), ("before", wanted.before)):
        if other is not None and other.shape != frame.shape:
            msg = f"{name} must be of the frame, whose shape is {frame.shape}; got one of shape {other.shape}"
            raise ValueError(msg)


def _sources(stages):
    """Return where photutils finds sources in the picture, smoothed a little lest noise make edges ragged."""
    from scipy.ndimage import gaussian_filter

    from astroclf.preprocess import Preprocessor
    from astroclf.render.views import find_sources

    smooth = gaussian_filter(stages.flat, _SMOOTHING)
    segments = find_sources(smooth, Preprocessor().background(smooth, stages.empty).sigma)
    if segments is None:
        return np.zeros(stages.flat.shape, bool)
    return np.isin(segments.data, segments.labels[segments.areas >= _SMALLEST])


def _stages(frame, part, size):
    """Take a frame to its picture, in no more pixels than its exposed part has."""
    from astroclf.annotation.showing import grey_stages

    longest = max(side.stop - side.start for side in part)
    return grey_stages(frame, min(longest, max(_LONGEST_SIDE, size or 0)))


def _validate_rgb(rgb):
    rgb = np.asarray(rgb, dtype=np.float32)
    if rgb.ndim != 3 or rgb.shape[2] != 3 or not rgb.size:
        msg = f"rgb must have the shape (ny, nx, 3) and at least one pixel; got {rgb.shape}"
        raise ValueError(msg)
    return np.clip(np.nan_to_num(rgb), 0, 1)
