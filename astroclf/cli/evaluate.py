# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""``astroclf evaluate``: how often the classifier is right, on files whose truth is known."""

import json
import math
import sys
from pathlib import Path

from astroclf.cli.common import add_model_argument, add_parser, complain, say
from astroclf.exceptions import AstroclfError

__all__ = ["add_verb", "evaluate"]

_DESCRIPTION = """\
Classify the files of a manifest and print how often the answer was right, how well the probabilities are
calibrated, and what is gained by leaving the least sure aside; pictures, simulated frames and real frames
apart. Intervals are 95 % and count an object once, however many files show it. MANIFEST is a CSV file with
the columns file (or path, relative to it), label and object_key; the column accept, if there, lists the
labels that count as right, kind is picture, simulated or frame, and snr the signal to noise. FITS frames
and plain pictures both do. A file that cannot be read is named and counts as wrong."""

_EXAMPLES = """
astroclf evaluate frames/manifest.csv
astroclf evaluate pictures/labels.csv --split test --json numbers.json -o new.csv
astroclf evaluate pictures/labels.csv --split test --compare old.csv
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
    parser.add_argument("-o", "--output", metavar="FILE", help="write what was said of each file (CSV)")
    parser.add_argument("--json", metavar="FILE", help="write all numbers (JSON)")
    parser.add_argument("--compare", metavar="FILE", help="print the differences to predictions that -o wrote")
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
    from astroclf.train.evaluate import read_cases, run_cases
    from astroclf.train.predictions import Predictions, read_predictions

    other = read_predictions(args.compare) if args.compare else None
    classifier = Classifier(args.model)
    cases = read_cases(args.manifest, args.split, known=classifier.record.labels)
    outcomes = list(tqdm(run_cases(cases, classifier), total=len(cases), file=sys.stderr, disable=None, leave=False))
    _report(Predictions.from_outcomes(outcomes), other, args)
    unread = [outcome for outcome in outcomes if outcome.prediction is None]
    for outcome in unread:
        complain(outcome.error)
    if args.misses:
        _list_misses(outcomes)
    return int(bool(unread))


def _report(predictions, other, args):
    """Print the measures, and write the files that were asked for."""
    from astroclf.train.predictions import write_predictions
    from astroclf.train.report import compare, comparison_text, measure, report_text

    numbers = {"manifest": str(args.manifest), "split": args.split, "sections": measure(predictions)}
    if args.output:
        write_predictions(predictions, args.output)
    say(report_text(numbers["sections"]))
    if other is not None:
        try:
            numbers["comparison"] = compare(predictions, other)
        except ValueError as error:
            msg = f"{args.compare}: {error}"
            raise AstroclfError(msg) from error
        say(comparison_text(numbers["comparison"]))
    if args.json:
        text = json.dumps(_finite(numbers), indent=2, allow_nan=False)
        Path(args.json).write_text(text + "\n", encoding="utf-8")


def _finite(value):
    """Return nested numbers with None in the place of NaN, which JSON does not know."""
    if isinstance(value, dict):
        return {name: _finite(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _list_misses(outcomes):
    for outcome in outcomes:
        if outcome.prediction is not None and not outcome.right:
            say(f"{outcome.case.path.name}: {outcome.case.label}, called {outcome.prediction}")
