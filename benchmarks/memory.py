# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Peak memory of ``astroclf info`` and ``astroclf classify`` on a full frame of ACS/WFC.

What counts is what the frame costs: the peak of a process that reads it above that of one that reads a frame of
64 x 64 pixels, as a multiple of the bytes of its two science arrays. The promise is less than 3, of what Python and
NumPy have allocated, and of the resident set. The latter wobbles by a third of these arrays from run to run, for the C
library keeps some of what was freed.

    python benchmarks/memory.py

It needs Linux.
"""

import subprocess
import sys
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from astropy.io import fits

from astroclf.datasets import make_frame

SCIENCE = 2 * 2048 * 4096 * 4

_PEAKS = {
    "allocated": """
import sys, tracemalloc
tracemalloc.start()
from astroclf.cli import main
status = main(sys.argv[1:])
print("peak", tracemalloc.get_traced_memory()[1], file=sys.stderr)
sys.exit(status)
""",
    "resident": """
import sys
from pathlib import Path
from astroclf.cli import main
status = main(sys.argv[1:])
fields = dict(line.split(":") for line in Path("/proc/self/status").read_text().splitlines())
print("peak", 1024 * int(fields["VmHWM"].split()[0]), file=sys.stderr)
sys.exit(status)
""",
}
"""What a process runs, by what is measured; getrusage would count the memory of the one that started it."""


def make_files(folder):
    """
    Write the frames that are compared.

    Parameters
    ----------
    folder : `~pathlib.Path`
        Where to.

    Returns
    -------
    small, large : `~pathlib.Path`
        A picture of 64 x 64 pixels; a flt of ACS/WFC, 168 MB.
    """
    small, large = folder / "small.fits", folder / "flt.fits"
    image = np.random.default_rng(1).normal(100, 10, (64, 64)).astype(np.float32)
    fits.PrimaryHDU(image).writeto(small)
    make_frame("acs_wfc_flt", "spiral_galaxy", seed=1).writeto(large)
    return small, large


def peak(verb, path, what):
    """
    Measure a command.

    Parameters
    ----------
    verb : str
        ``"info"`` or ``"classify"``.
    path : `~pathlib.Path`
        The file.
    what : {'allocated', 'resident'}
        Which memory.

    Returns
    -------
    size : int
        The most of it at a time, in bytes.
    """
    done = subprocess.run(
        [sys.executable, "-c", _PEAKS[what], verb, str(path)], capture_output=True, text=True, check=True, timeout=600
    )
    return int(done.stderr.rpartition("peak ")[2])


def main():
    """Print the peaks, and what the frame costs."""
    with TemporaryDirectory() as folder:
        small, large = make_files(Path(folder))
        for verb, what in product(("info", "classify"), _PEAKS):
            least, most = peak(verb, small, what), peak(verb, large, what)
            share = (most - least) / SCIENCE
            print(f"{verb:9}{what:10}{least / 1e6:8.0f} MB{most / 1e6:8.0f} MB{share:8.2f} times the science arrays")


if __name__ == "__main__":
    main()
