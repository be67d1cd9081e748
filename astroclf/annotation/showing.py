# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""What people are shown of a frame: its picture in grey, or in the colours that a picture has."""

from astroclf.preprocess import Preprocessor
from astroclf.render import Stretch, reduce_colours

__all__ = ["grey_stages", "shown"]


def grey_stages(frame, size=None):
    """
    Take a frame to its picture in one stretch.

    Parameters
    ----------
    frame : `~astroclf.Frame`
        The frame; not modified.
    size : int, optional
        Longer side of the picture in pixels; by default that of the network's.

    Returns
    -------
    stages : `~astroclf.preprocess.Stages`
        The last of them is grey.

    Raises
    ------
    EmptyFrameError
        If no pixel is finite and unmasked.
    """
    return Preprocessor(stretch=Stretch.grey()).stages(frame, size=size)


def shown(stages):
    """
    Return the picture that people are shown.

    Parameters
    ----------
    stages : `~astroclf.preprocess.Stages`
        A frame on its way to a picture.

    Returns
    -------
    rgb : `~numpy.ndarray` of float32, shape (my, mx, 3), range [0, 1]
        The last of the stages; of a picture in colour that picture as it is, reduced to as many pixels, and black where
        it is transparent.
    """
    frame, part = stages.frame, stages.part
    if frame.colours is None:
        return stages.rgb
    return reduce_colours(frame.colours[part], ~frame.good[part], stages.picture.shape)
