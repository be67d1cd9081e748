# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""How a file may be changed."""

from dataclasses import dataclass

__all__ = ["Manner"]


@dataclass(frozen=True)
class Manner:
    """
    How a file may be changed.

    Parameters
    ----------
    detach : bool
        Change a file that has other hard links (they keep the old content), or whose owner or attributes the system
        does not let us keep.
    atomic : bool
        Always write a new version and put it in the place of the old one, never into the old one.
    keep_times : bool
        Keep the times of the last reading and of the last change.
    """

    detach: bool = False
    atomic: bool = False
    keep_times: bool = False
