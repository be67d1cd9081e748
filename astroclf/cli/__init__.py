# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""The command line: a thin skin over the Python API, one file per verb."""

from astroclf.cli.program import main

__all__ = ["main"]
