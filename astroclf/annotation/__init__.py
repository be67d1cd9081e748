# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Annotated pictures: a frame and its verdict on one page, ready for a slide."""

from astroclf.annotation.core import annotate
from astroclf.annotation.files import picture_path, save_annotated
from astroclf.frames.files.pictures import is_annotated

__all__ = ["annotate", "is_annotated", "picture_path", "save_annotated"]
