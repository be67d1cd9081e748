# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""``astroclf label``: what a person says of a file into its header."""

import argparse
from functools import partial
from pathlib import Path

from astroclf.cli.common import add_file_arguments, add_parser, complain, outcomes, printable, say, writing_options
from astroclf.cli.outputs import (
    add_output_arguments,
    check_outputs,
    make_folder,
    output_of,
    shown_changes,
    stand_in,
)
from astroclf.taxonomy import labels

__all__ = ["add_verb", "label"]

_DESCRIPTION = """\
Write a person's label into the headers of files, tagged or not: what it is, who says so, and when. An
earlier label is kept in a HISTORY line. Tagging and untagging leave labels alone; "untag --all" removes
them. No pixel byte is ever changed.

CLASS is one of {classes}.

--from reads a CSV file with the columns file (relative to it), label and, if wanted, by. A row that is
wrong is named, and the others are done.

WITHOUT -o THE FILES ARE LABELLED IN PLACE. JPEG and PNG files have no header: with -o, the metadata of a
copy are labelled."""

_EXAMPLES = """
astroclf label m51.fits --as spiral_galaxy
astroclf label --as star --by "Henrietta Leavitt" night1/*.fits
astroclf label --remove m51.fits
astroclf label --from corrections.csv
"""


def add_verb(verbs):
    """
    Add the verb to the command line.

    Parameters
    ----------
    verbs : argparse subparsers
        What to add it to.
    """
    description = _DESCRIPTION.format(classes=_listed(labels()))
    parser = add_parser(verbs, "label", label, "write a person's label into headers", description, _EXAMPLES)
    add_file_arguments(parser, nargs="*")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--as", dest="label", metavar="CLASS", type=_class, help="the label")
    what.add_argument("--remove", action="store_true", help="take the label back; a HISTORY line keeps it")
    what.add_argument("--from", dest="source", metavar="CSV", help="label the files of a list, each as it says")
    parser.add_argument("--by", metavar="NAME", help="who gives the label (default: your login name)")
    add_output_arguments(parser)


def label(args):
    """
    Write a person's labels into headers, or take them back.

    Parameters
    ----------
    args : `~argparse.Namespace`
        Parsed arguments.

    Returns
    -------
    status : int
        1 if a file or a row of the list failed, else 0.
    """
    wanted, errors = _wanted(args)
    for error in errors:
        complain(error)
    args.files, failed = list(wanted), bool(errors)
    check_outputs(args, lambda file: [output_of(file, args.output_dir) or Path(file)])
    make_folder(args)
    options = {"force": args.force, **writing_options(args)}
    for outcome in outcomes(partial(_make, wanted, args.output_dir, args.dry_run, options), args):
        failed |= outcome.error is not None
        if outcome.error is None:
            say(f"{printable(outcome.item)}: {outcome.value}")
    return int(failed)


def _listed(names):
    """Lay out names in lines of the description's width."""
    from textwrap import fill

    return fill(", ".join(names), 100, initial_indent=" " * 16).lstrip()


def _class(text):
    if text not in labels():
        msg = f"must be one of {', '.join(labels())}; got {text!r}"
        raise argparse.ArgumentTypeError(msg)
    return text


def _wanted(args):
    """Return label and person by file, and what is wrong with rows of the list."""
    if args.source is None and not args.files:
        args.usage_error("name the files to label, or a list of them with --from")
    if args.remove and args.by is not None:
        args.usage_error("--by says who gives a label; --remove gives none")
    if args.source is None:
        return dict.fromkeys(args.files, (args.label, args.by)), []
    if args.files:
        args.usage_error(f"--from {args.source} names the files; leave out {printable(args.files[0])}")
    from astroclf.tags.labelled import read_corrections

    corrections, errors = read_corrections(args.source)
    return {row.file: (row.label, row.by or args.by) for row in corrections}, errors


def _make(wanted, output_dir, dry_run, options):
    """Return the function that labels one file and says what it did."""
    if dry_run:
        return lambda file: _plan(file, *wanted[file], output_of(file, output_dir), options)
    return lambda file: _write(file, *wanted[file], output_of(file, output_dir), options)


def _plan(file, label, by, output, options):
    from astroclf.tags import plan_label

    with stand_in(output) as place:
        changes = plan_label(file, label, by=by, output=place, **options)
    return "\n".join(["would change" if changes else "nothing to change", *shown_changes(changes)])


def _write(file, label, by, output, options):
    from astroclf import remove_label, write_label

    if label is None:
        old = remove_label(file, output=output, **options)
        told = f"no longer {printable(str(old.human))}" if old and old.human else "no label"
    else:
        told = str(write_label(file, label, by=by, output=output, **options).human)
    return f"{told} -> {printable(str(output))}" if output else told
