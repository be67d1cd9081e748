# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""``astroclf recover``: what stopped processes left half done, put right."""

from astroclf.cli.common import add_parser, add_worker_arguments, outcomes, printable, say
from astroclf.cli.tables import FAILED, Rows, add_table_argument

__all__ = ["add_verb", "recover"]

_DESCRIPTION = """\
Put back files whose headers were half written when a process was killed or the power failed, and remove
what such processes left behind. Every other verb does this for the files it opens; this does it for whole
folders, and says what it did: a file was restored, or found whole, old or new; or foreign: changed by
another program since, and left as it is. A new version that was not complete was removed; what is busy
belongs to a running process."""

_EXAMPLES = """
astroclf recover m51.fits
astroclf recover night1/
astroclf recover -t csv archive/
"""

_TOLD = {
    "restored": "restored to what it was",
    "whole": "is whole",
    "foreign": "changed by another program since, left as it is; check it",
    "removed": "removed",
    "busy": "in use by another process, left alone",
    "failed": "not recovered",
}


def add_verb(verbs):
    """
    Add the verb to the command line.

    Parameters
    ----------
    verbs : argparse subparsers
        What to add it to.
    """
    summary = "put right what stopped processes left half done"
    parser = add_parser(verbs, "recover", recover, summary, _DESCRIPTION, _EXAMPLES)
    parser.add_argument("files", metavar="PATH", nargs="+", help="file, or folder with all folders in it")
    add_worker_arguments(parser)
    add_table_argument(parser, "a line for each thing that was done")


def recover(args):
    """
    Put right what stopped processes left half done.

    Parameters
    ----------
    args : `~argparse.Namespace`
        Parsed arguments.

    Returns
    -------
    status : int
        1 if a path is not there or something could not be put right, else 0; nothing to do is no failure.
    """
    rows, failed = Rows(args.table), False
    for outcome in outcomes(_make, args):
        failed |= outcome.error is not None or any(one.done == "failed" for one in outcome.value)
        for row in _rows(outcome) if args.table is not None else ():
            rows.add(outcome, row)
        if args.table is None and outcome.error is None:
            say("\n".join(map(_line, outcome.value)) or f"{printable(outcome.item)}: nothing to recover")
    rows.write()
    return int(failed)


def _make():
    from astroclf import recover

    return recover


def _rows(outcome):
    if outcome.error is not None:
        return [{"file": outcome.item, **FAILED, "reason": None}]
    return [{"file": str(one.path), "status": one.done, "reason": one.reason or None} for one in outcome.value]


def _line(one):
    told = f"{printable(str(one.path))}: {_TOLD[one.done]}"
    return f"{told}: {printable(one.reason)}" if one.reason else told
