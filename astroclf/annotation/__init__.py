# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Pictures: a frame and its verdict on one page, ready for a slide; the stages of the line, ready for a paper."""

from astroclf.annotation.core import annotate
from astroclf.annotation.files import picture_path, save_annotated
from astroclf.frames.files.pictures import is_annotated

__all__ = ["annotate", "draw_preview", "is_annotated", "picture_path", "save_annotated"]


def __getattr__(name):
    """Import `draw_preview` when it is first used: it needs matplotlib."""
    if name == "draw_preview":
        from astroclf.annotation.preview import draw_preview

        return draw_preview
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)
