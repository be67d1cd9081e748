# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""``astroclf show``: the tags that are in the headers."""

from astroclf.cli.colors import paint_status
from astroclf.cli.common import add_file_arguments, add_parser, outcomes, printable, say
from astroclf.cli.tables import FAILED, Rows, add_table_argument

__all__ = ["add_verb", "show"]

_DESCRIPTION = """\
Print the tags of files, reading headers only. A block that was written for another file, as when a
pipeline has copied the header to its product, is called STALE."""

_EXAMPLES = """
astroclf show m51.fits
astroclf show -t json tagged/*.fits
astroclf show -t csv tagged/*.fits > verdicts.csv
"""

_EMPTY = dict.fromkeys(("file", "status", "verdict", "label", "prob", "group", "gprob", "stale"))


def add_verb(verbs):
    """
    Add the verb to the command line.

    Parameters
    ----------
    verbs : argparse subparsers
        What to add it to.
    """
    parser = add_parser(verbs, "show", show, "print the tags of files", _DESCRIPTION, _EXAMPLES)
    add_file_arguments(parser)
    add_table_argument(parser, "the block of each file, card by card")


def show(args):
    """
    Print the tags of files.

    Parameters
    ----------
    args : `~argparse.Namespace`
        Parsed arguments.

    Returns
    -------
    status : int
        1 if a file could not be read, else 0; a file without tags is no failure.
    """
    rows, failed = Rows(args.table), False
    for outcome in outcomes(_make, args):
        failed |= outcome.error is not None
        if args.table is not None:
            rows.add(outcome, _full_row(outcome) if rows.nested else _row(outcome))
        elif outcome.error is None:
            say(_block(outcome.item, outcome.value))
    rows.write()
    return int(failed)


def _make():
    from astroclf import read_tags

    return read_tags


def _block(file, tags):
    if tags is None:
        return f"{printable(file)}: no tags"
    cards = (f"  {keyword:8} {'' if value is None else value}".rstrip() for keyword, value in tags.items())
    earlier = (f"  earlier  {label}" for label in tags.earlier_labels)
    told = paint_status(printable(str(tags)), tags.status)
    return "\n".join([f"{printable(file)}: {told}", *map(printable, (*cards, *earlier))])


def _row(outcome):
    return (
        _EMPTY | {"file": outcome.item} | (FAILED if outcome.error else outcome.value.to_row() if outcome.value else {})
    )


def _full_row(outcome):
    return _row(outcome) | {"tags": dict(outcome.value) if outcome.value else None}
