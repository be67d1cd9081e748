# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""``astroclf verify``: whether the tags in the headers still hold."""

from functools import partial

from astroclf.cli.colors import paint
from astroclf.cli.common import add_file_arguments, add_model_argument, add_parser, outcomes, printable, say
from astroclf.cli.tables import Rows, add_table_argument

__all__ = ["add_verb", "verify"]

_DESCRIPTION = """\
Check the tags of files, and change nothing. For each file:

  pixels         DATASUMs of the stored bytes, computed anew, against CLFDSUM
  name           the name of the file against CLFFILE: a block that a pipeline copied is STALE
  model          the models at hand, the bundled one and that of --model, against CLFMODEL and CLFSHA
  preprocessing  their settings against CLFPREP
  block          there is one, complete, with values of the right type and range that agree

The exit status is 1 if anything is wrong, a file has no tags or cannot be read. What cannot be found
out, as whether the pixels of a picture changed, is told and counts as no fault. No frame is classified;
"astroclf replay" does that."""

_EXAMPLES = """
astroclf verify m51.fits
astroclf verify -j 4 --ignore-missing archive/*.fits
astroclf verify --model my.astroclf -t csv night1/*.fits > checks.csv
"""

_EMPTY = dict.fromkeys(("file", "result", "pixels", "name", "model", "preprocessing", "block", "text"))


def add_verb(verbs):
    """
    Add the verb to the command line.

    Parameters
    ----------
    verbs : argparse subparsers
        What to add it to.
    """
    parser = add_parser(verbs, "verify", verify, "check whether tags still hold", _DESCRIPTION, _EXAMPLES)
    add_file_arguments(parser)
    add_table_argument(parser, "what is wrong with each file, in words")
    add_model_argument(parser)
    parser.add_argument("--ignore-missing", action="store_true", help="a file without tags is no failure")


def verify(args):
    """
    Check the tags of files.

    Parameters
    ----------
    args : `~argparse.Namespace`
        Parsed arguments.

    Returns
    -------
    status : int
        1 if a file has no tags or wrong ones or could not be read, else 0.
    """
    rows, failed = Rows(args.table), False
    for outcome in outcomes(partial(_make, args.model), args):
        failed |= outcome.error is not None or not _passes(outcome.value, args.ignore_missing)
        if args.table is not None:
            rows.add(outcome, _row(outcome, full=rows.nested))
        elif outcome.error is None:
            say(_told(outcome.item, outcome.value))
    rows.write()
    return int(failed)


def _make(model):
    from astroclf.tags.verify import Verifier

    return Verifier(model)


def _passes(verification, ignore_missing):
    return verification.ok or (ignore_missing and not verification.tagged)


def _told(file, verification):
    if not verification.tagged:
        return f"{printable(file)}: no tags"
    lines = (f"  {printable(str(finding))}" for finding in verification.findings if finding.text)
    return "\n".join([f"{printable(file)}: {paint(str(verification), str(verification))}", *lines])


def _row(outcome, full):
    if outcome.error is not None:
        return _EMPTY | {"file": outcome.item, "result": "ERROR"} | ({"findings": []} if full else {})
    row = _EMPTY | {"file": outcome.item} | outcome.value.to_row()
    if full:
        row["findings"] = [{"check": f.check, "result": str(f.result), "text": f.text} for f in outcome.value.findings]
    return row
