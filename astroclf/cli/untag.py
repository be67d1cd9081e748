# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""``astroclf untag``: the tags out of the headers again."""

from functools import partial

from astroclf.cli.common import (
    add_file_arguments,
    add_parser,
    add_writing_arguments,
    outcomes,
    printable,
    say,
    writing_options,
)

__all__ = ["add_verb", "untag"]

_DESCRIPTION = """\
Remove the tags of files, in place. A plain FITS file, and a JPEG or PNG file, becomes byte for byte what
it was before it was tagged. A label given by a person stays, unless --all is given: that removes
earlier labels in HISTORY, too. The annotated pictures are not removed."""

_EXAMPLES = """
astroclf untag m51.fits
astroclf untag --all -j 4 night1/*.fits
"""


def add_verb(verbs):
    """
    Add the verb to the command line.

    Parameters
    ----------
    verbs : argparse subparsers
        What to add it to.
    """
    parser = add_parser(verbs, "untag", untag, "remove the tags of files", _DESCRIPTION, _EXAMPLES)
    add_file_arguments(parser)
    parser.add_argument("--all", action="store_true", help="also remove labels given by people")
    add_writing_arguments(parser)


def untag(args):
    """
    Remove the tags of files.

    Parameters
    ----------
    args : `~argparse.Namespace`
        Parsed arguments.

    Returns
    -------
    status : int
        1 if a file failed, else 0; a file without tags is no failure.
    """
    failed = False
    for outcome in outcomes(partial(_make, args.all, writing_options(args)), args):
        failed |= outcome.error is not None
        if outcome.error is None:
            say(f"{printable(outcome.item)}: {'no tags' if outcome.value is None else 'tags removed'}")
    return int(failed)


def _make(all, options):
    from astroclf import remove_tags

    return partial(remove_tags, all=all, **options)
