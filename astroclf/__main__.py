# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Run the command line as ``python -m astroclf``."""

import sys

from astroclf.cli import main

if __name__ == "__main__":
    sys.exit(main())
