# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""``astroclf evaluate``: how often the classifier is right, on files whose truth is known."""

from pathlib import Path

from astroclf.cli.colors import paint_status
from astroclf.cli.common import add_model_argument, add_parser, complain, complaints, printable, say
from astroclf.cli.tables import json_text
from astroclf.exceptions import AstroclfError

__all__ = ["add_verb", "evaluate"]

_DESCRIPTION = """\
Classify the files of a manifest and print how often the answer was right, how well the probabilities are
calibrated, and what is gained by leaving the least sure aside; pictures, simulated frames and real frames
apart. Intervals are 95 % and count an object once, however many files show it. MANIFEST is a CSV file with
the columns file (or path, relative to it), label and object_key; the column accept, if there, lists the
labels that count as right, kind is picture, simulated or frame, and snr the signal to noise. FITS frames
and plain pictures both do. A file that cannot be read is named and counts as wrong.

With --from-tags the truth is what people said in the headers of the files in DIR (see astroclf label),
and each file is an object of its own. Files whose label is no class of the model are named and left out."""

_EXAMPLES = """
astroclf evaluate frames/manifest.csv
astroclf evaluate pictures/labels.csv --split test --json numbers.json -o new.csv
astroclf evaluate pictures/labels.csv --split test --compare old.csv
astroclf evaluate --model my.astroclf frames/mine.csv
astroclf evaluate --from-tags night1/ --misses
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
    parser.add_argument("manifest", metavar="MANIFEST", nargs="?", help="CSV file of labelled files")
    parser.add_argument(
        "--from-tags", metavar="DIR", help="instead of MANIFEST: the files in a folder with a label in CLFHLAB"
    )
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
        1 if a file could not be read or has a label that the model does not know, else 0.
    """
    from astroclf.batch.progress import progress_bar
    from astroclf.model import Classifier
    from astroclf.train.evaluate import run_cases
    from astroclf.train.predictions import Predictions, read_predictions

    _check_usage(args)
    other = read_predictions(args.compare) if args.compare else None
    classifier = Classifier(args.model)
    cases, left_out = _cases(args, classifier.record.labels)
    outcomes = []
    with progress_bar(len(cases)) as bar:
        for outcome in run_cases(cases, classifier):
            outcomes.append(outcome)
            bar.update()
    _report(Predictions.from_outcomes(outcomes, classifier.record.labels), other, args)
    unread = [outcome for outcome in outcomes if outcome.prediction is None]
    for outcome in unread:
        complain(outcome.error)
    if args.misses:
        _list_misses(outcomes)
    return int(bool(unread) or left_out)


def _check_usage(args):
    if (args.manifest is None) == (args.from_tags is None):
        args.usage_error("name either a MANIFEST or a folder with --from-tags")
    if args.from_tags is not None and not Path(args.from_tags).is_dir():
        args.usage_error(f"--from-tags wants a folder; {args.from_tags} is none")
    if args.from_tags is not None and args.split:
        args.usage_error("--split divides the objects of a manifest; leave it out with --from-tags")


def _cases(args, known):
    """Return the cases, and whether any were left out."""
    from astroclf.train.evaluate import find_tagged, read_cases

    if args.from_tags is None:
        return read_cases(args.manifest, args.split, known=known), False
    with complaints() as told:
        found = find_tagged(args.from_tags)
    cases = [case for case in found if case.label in known]
    for case in found:
        if case.label not in known:
            complain(f"{case.path}: left out: its label {case.label} is no class of the model: {', '.join(known)}")
    if not cases:
        msg = f"{args.from_tags}: no label in it is a class of the model; label other files, or choose its --model"
        raise AstroclfError(msg)
    return cases, bool(told) or len(cases) < len(found)


def _report(predictions, other, args):
    """Print the measures, and write the files that were asked for."""
    from astroclf.train.predictions import write_predictions
    from astroclf.train.report import compare, comparison_text, measure, report_text

    numbers = {
        "manifest": args.manifest, "from_tags": args.from_tags, "split": args.split, "sections": measure(predictions),
    }  # fmt: skip
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
        Path(args.json).write_text(json_text(numbers, indent=2) + "\n", encoding="utf-8")


def _list_misses(outcomes):
    for outcome in outcomes:
        if outcome.prediction is not None and not outcome.right:
            told = paint_status(str(outcome.prediction), outcome.prediction.status)
            say(f"{printable(outcome.case.path.name)}: {printable(outcome.case.label)}, called {told}")
