# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""``astroclf replay``: classify again as the tags say, and compare."""

from functools import partial

from astroclf.cli.colors import paint, paint_status
from astroclf.cli.common import (
    add_file_arguments,
    add_model_argument,
    add_parser,
    outcomes,
    printable,
    say,
    threads_per_worker,
)
from astroclf.cli.tables import Rows, add_table_argument

__all__ = ["add_verb", "replay"]

_DESCRIPTION = """\
Classify tagged files again, with the model and all settings that their tags name, and say whether the
verdict is the same: class, status, ranked classes, and probabilities within the rounding of the cards.
No file is changed.

Other frames of a combined verdict are looked for beside the file, then among the files given. The exit
status is 1 if a verdict differs or could not be made again."""

_EXAMPLES = """
astroclf replay m51.fits
astroclf replay -t csv -j 4 night1/*.fits > replayed.csv
astroclf replay --model my.astroclf m51.fits
"""

_EMPTY = dict.fromkeys(("file", "result", "status", "verdict", "prob", "new_status", "new_verdict", "new_prob", "text"))


def add_verb(verbs):
    """
    Add the verb to the command line.

    Parameters
    ----------
    verbs : argparse subparsers
        What to add it to.
    """
    parser = add_parser(verbs, "replay", replay, "classify again as the tags say", _DESCRIPTION, _EXAMPLES)
    add_file_arguments(parser)
    add_table_argument(parser, "what differs in each file, in words")
    add_model_argument(parser)


def replay(args):
    """
    Classify tagged files again and compare.

    Parameters
    ----------
    args : `~argparse.Namespace`
        Parsed arguments.

    Returns
    -------
    status : int
        1 if a verdict differs or could not be made again, else 0.
    """
    rows, failed = Rows(args.table), False
    for outcome in outcomes(partial(_make, args.model, args.files, threads_per_worker(args)), args):
        failed |= outcome.error is not None or not outcome.value.same
        if args.table is not None:
            rows.add(outcome, _row(outcome, full=rows.nested))
        elif outcome.error is None:
            say(_told(outcome.item, outcome.value))
    rows.write()
    return int(failed)


def _make(model, files, threads):
    from astroclf.tags.replay import Replayer

    return Replayer(model, files, threads)


def _told(file, replayed):
    new = replayed.prediction
    lines = (f"  {printable(text)}" for text in (*replayed.differences, *replayed.notes))
    told = f"{paint(str(replayed), str(replayed))}: {paint_status(f'{new.verdict} [{new.status}]', new.status)}"
    return "\n".join([f"{printable(file)}: {told}", *lines])


def _row(outcome, full):
    if outcome.error is not None:
        return _EMPTY | {"file": outcome.item, "result": "ERROR"} | ({"differences": [], "notes": []} if full else {})
    row = _EMPTY | {"file": outcome.item} | outcome.value.to_row()
    return row | ({key: list(getattr(outcome.value, key)) for key in ("differences", "notes")} if full else {})
