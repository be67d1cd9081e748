# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""``astroclf demo``: the main job with no data at hand."""

from pathlib import Path

from astroclf.cli.common import add_parser, say
from astroclf.exceptions import AstroclfError

__all__ = ["add_verb", "demo"]

_FRAME = "astroclf_demo_flt.fits"

_SEED = 7
"""A scene whose class the bundled model is sure of; of about half of them it says no more than ``galaxy``."""

_DESCRIPTION = f"""\
Make a simulated Hubble frame (WFC3/IR, a spiral galaxy) in the current folder, classify it, tag it and
draw it: {_FRAME} and its picture. Needs no data and no network."""

_EXAMPLES = """
astroclf demo
"""

_NEXT = f"""\
Look at the picture, then try
  astroclf show {_FRAME}
  astroclf classify YOUR.fits
  astroclf tag YOUR.fits -o tagged/"""


def add_verb(verbs):
    """
    Add the verb to the command line.

    Parameters
    ----------
    verbs : argparse subparsers
        What to add it to.
    """
    add_parser(verbs, "demo", demo, "try it on a simulated Hubble frame", _DESCRIPTION, _EXAMPLES)


def demo(args):
    """
    Make a simulated frame in the current folder, and tag it.

    Parameters
    ----------
    args : `~argparse.Namespace`
        Parsed arguments.

    Returns
    -------
    status : int
        1 if that failed, else 0.

    Raises
    ------
    AstroclfError
        If a file of that name is there that no demo has made.
    """
    from astroclf.cli.program import main
    from astroclf.datasets import make_frame

    if Path(_FRAME).exists() and not _is_demo(_FRAME):
        msg = f"{_FRAME} exists and was not made by astroclf demo: move it away or go to another folder"
        raise AstroclfError(msg)
    frame = make_frame("wfc3_ir_flt", "spiral_galaxy", seed=_SEED)
    frame[0].header["FILENAME"] = _FRAME
    frame.writeto(_FRAME, overwrite=True)
    say(f"made {_FRAME}, a simulated WFC3/IR frame of a spiral galaxy; now classifying and tagging it")
    status = main(["tag", _FRAME])
    if status == 0:
        say(_NEXT)
    return status


def _is_demo(path):
    from astropy.io import fits

    try:
        header = fits.getheader(path)
    except OSError:
        return False
    return header.get("SIMULATD") is True and header.get("FILENAME") == _FRAME
