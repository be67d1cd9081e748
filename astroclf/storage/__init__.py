# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""The disk: files that are written whole or not at all, by one process at a time, whatever stops it."""

from astroclf.storage.recovery import Recovery, recover

__all__ = ["Recovery", "recover"]
