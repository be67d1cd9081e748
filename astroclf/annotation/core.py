# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""One call from a frame and its prediction to the annotated picture."""

import numpy as np

from astroclf.annotation.files import save_annotated

__all__ = ["annotate"]

_LONGEST_SIDE = 1024


def annotate(frame, prediction, path=None, *, rgb=None, explanation=None, before=None, theme="dark"):
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
    rgb : array_like of float, shape (ny, nx, 3), range [0, 1], optional
        Picture of the exposed part of the frame, row 0 at the bottom, as `astroclf.Preprocessor.render`
        returns it. NaN is drawn black. By default it is rendered in grey, as a single filter has no
        colours.
    explanation : `~astroclf.Explanation`, optional
        Why a class, of this frame, as ``Classifier().explain(frame)`` returns it: drawn as a contour at half of its
        peak.
    before : `~astroclf.Frame`, optional
        The frame as it was read, of the same shape: drawn beside the picture, linear between the limits of zscale.
    theme : {'dark', 'light'}, optional
        Colours of the page.

    Returns
    -------
    figure : `~matplotlib.figure.Figure`
        The page, for `save_annotated` and for notebooks. It is not registered with pyplot, so it needs
        no closing and may be drawn in any thread.

    Raises
    ------
    EmptyFrameError
        If no pixel of the frame is finite and unmasked.
    AstroclfError
        If ``path`` cannot be written, or is a file that astroclf did not make.
    ValueError
        If ``rgb`` has another shape, ``theme`` is not known, or ``explanation`` or ``before`` is of another shape than
        the frame.
    """
    from astroclf.annotation.figure import draw_page
    from astroclf.annotation.metadata import stretch_avm
    from astroclf.annotation.theme import get_theme

    colors = get_theme(theme)
    part = frame.exposed
    stages = _stages(frame, part) if rgb is None else None
    rgb = _validate_rgb(rgb) if stages is None else stages.rgb
    for name, other in (("explanation", explanation), ("before", before)):
        if other is not None and other.shape != frame.shape:
            msg = f"{name} must be of the frame, whose shape is {frame.shape}; got one of shape {other.shape}"
            raise ValueError(msg)
    figure = draw_page(frame, prediction, rgb, part, colors, explanation=explanation, before=before)
    if stages is not None:
        figure.avm |= stretch_avm(stages)
    if path is not None:
        save_annotated(figure, path)
    return figure


def _stages(frame, part):
    """Take a frame to its picture, in no more pixels than its exposed part has."""
    from astroclf.preprocess import Preprocessor
    from astroclf.render import Stretch

    longest = max(side.stop - side.start for side in part)
    return Preprocessor(stretch=Stretch.grey()).stages(frame, size=min(longest, _LONGEST_SIDE))


def _validate_rgb(rgb):
    rgb = np.asarray(rgb, dtype=np.float32)
    if rgb.ndim != 3 or rgb.shape[2] != 3 or not rgb.size:
        msg = f"rgb must have the shape (ny, nx, 3) and at least one pixel; got {rgb.shape}"
        raise ValueError(msg)
    return np.clip(np.nan_to_num(rgb), 0, 1)
