# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""The ``astroclf`` program: its verbs, its exit codes, its last words."""

import argparse
import io
import os
import shlex
import sys

from astroclf import __version__
from astroclf.cli import (
    classify,
    demo,
    evaluate,
    info,
    label,
    preview,
    recover,
    replay,
    report,
    show,
    tag,
    train,
    untag,
    verify,
)
from astroclf.cli.common import complain, printable, reason
from astroclf.exceptions import AstroclfError

__all__ = ["main", "make_parser"]

_VERBS = (info, classify, preview, tag, show, verify, replay, untag, label, report, recover, train, evaluate, demo)

_EPILOG = """\
examples:
  astroclf demo                     try it: make a simulated Hubble frame and tag it
  astroclf info m51.fits            say what a file is and how it is read
  astroclf classify *.fits          print a table, change nothing
  astroclf preview m51.fits         draw every stage from the pixels to the picture
  astroclf tag *.fits -o tagged/    write tagged copies and pictures
  astroclf report tagged/           make one page of them, to look through

exit status: 0 if all files were done, 1 if some failed (each named on stderr), 2 for wrong usage.
"astroclf VERB --help" explains a verb."""

_INTERRUPTED = 130
_PIPE_CLOSED = 141


def main(argv=None):
    """
    Run the command line.

    Parameters
    ----------
    argv : list of str, optional
        Arguments without the program's name; those of the process by default.

    Returns
    -------
    status : int
        0 if all files were done, 1 if some failed, 130 if interrupted, 141 if the reader of stdout has gone.

    Raises
    ------
    SystemExit
        With status 2 for wrong usage, 0 after ``--help`` and ``--version``.
    """
    parser = make_parser()
    _check_first(parser, sys.argv[1:] if argv is None else argv)
    args = parser.parse_args(argv)
    _pass_names_on(sys.stdout)
    try:
        status = args.verb(args)
        sys.stdout.flush()
    except BrokenPipeError:
        _discard_stdout()
        return _PIPE_CLOSED
    except KeyboardInterrupt:
        return _INTERRUPTED
    except (AstroclfError, OSError) as error:
        complain(reason(error))
        return 1
    return status


def make_parser():
    """
    Make the parser of the whole command line.

    Returns
    -------
    parser : `~argparse.ArgumentParser`
        Parsed arguments have ``verb``, the function to call with them, which returns the exit status.
    """
    parser = argparse.ArgumentParser(
        prog="astroclf",
        description="Classify telescope FITS frames and tag their headers, offline.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    for module in _VERBS:
        module.add_verb(verbs)
    return parser


def _check_first(parser, argv):
    """Help those who begin with a file."""
    verbs = {module.__name__.rpartition(".")[2] for module in _VERBS}
    if argv and argv[0] not in verbs and os.path.isfile(argv[0]):
        file = shlex.quote(printable(argv[0]))
        parser.error(f"{file} is no verb; to see what the file shows: astroclf classify {file}")


def _pass_names_on(stream):
    """Let file names that are not text in the locale's encoding leave as the bytes they came as."""
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="surrogateescape")


def _discard_stdout():
    """Let the interpreter's last flush succeed."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
