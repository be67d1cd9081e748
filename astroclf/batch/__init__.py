# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""One function over many files: in order, in parallel, and on to the next one when one fails."""

from astroclf.batch.pool import Outcome, run

__all__ = ["Outcome", "run"]
