# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""``astroclf evaluate``: how often the classifier is right, on files whose truth is known."""

import sys

from astroclf.cli.common import add_model_argument, add_parser, complain, say

__all__ = ["add_verb", "evaluate"]

_DESCRIPTION = """\
Classify the files of a manifest and print how often the answer was right: over files, and over objects
with 95 % Wilson intervals, one trial an object; then recall and precision by class. MANIFEST is a CSV
file with the columns file (or path, relative to it), label and object_key; the column accept, if there,
lists the labels that count as right. FITS frames and plain pictures both do. A file that cannot be read
is named and counts as wrong."""

_EXAMPLES = """
astroclf evaluate frames/manifest.csv
astroclf evaluate pictures/labels.csv --split test
astroclf evaluate --model my.astroclf frames/mine.csv
"""


def add_verb(verbs):
    """
    Add the verb to the command line.

    Parameters
    ----------
    verbs : argparse subparsers
        What to add it to.
    """
    parser = add_parser(verbs, "evaluate", evaluate, "measure accuracy on labelled files", _DESCRIPTION, _EXAMPLES)
    parser.add_argument("manifest", metavar="MANIFEST", help="CSV file of labelled files")
    parser.add_argument(
        "--split",
        choices=("train", "calibration", "test"),
        help="only the objects of this split of the bundled model's pictures (default: all objects)",
    )
    add_model_argument(parser)
    parser.add_argument("--misses", action="store_true", help="also list the files whose label was wrong")


def evaluate(args):
    """
    Print how often the classifier is right.

    Parameters
    ----------
    args : `~argparse.Namespace`
        Parsed arguments.

    Returns
    -------
    status : int
        1 if a file could not be read, else 0.
    """
    from tqdm import tqdm

    from astroclf.model import Classifier
    from astroclf.train.evaluate import class_table, read_cases, run_cases, summary

    classifier = Classifier(args.model)
    cases = read_cases(args.manifest, args.split, known=classifier.record.labels)
    outcomes = list(tqdm(run_cases(cases, classifier), total=len(cases), file=sys.stderr, disable=None, leave=False))
    total = summary(outcomes)
    for table in (total, class_table(outcomes)):
        say("\n".join(table.pformat(max_lines=-1, max_width=-1, align="<")) + "\n")
    say(f"balanced accuracy {total.meta['balanced accuracy']:.3f}")
    unread = [outcome for outcome in outcomes if outcome.prediction is None]
    for outcome in unread:
        complain(outcome.error)
    if args.misses:
        _list_misses(outcomes)
    return int(bool(unread))


def _list_misses(outcomes):
    for outcome in outcomes:
        if outcome.prediction is not None and not outcome.right:
            say(f"{outcome.case.path.name}: {outcome.case.label}, called {outcome.prediction}")
