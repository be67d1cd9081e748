# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""``astroclf train``: a model of one's own classes from a few examples of each."""

from pathlib import Path

from astroclf.cli.common import add_parser, complaints, printable, say

__all__ = ["add_verb", "train"]

_DESCRIPTION = """\
Learn classes of your own from labelled files, and write a model that classify, tag and evaluate take as
--model. The network stays as it is: a new last layer is fitted to what it sees in the files. Five
examples of a class are the least, 10 to 20 are better. No GPU and no TensorFlow is needed. With
--fine-tune the last stage of the network is fitted as well, in minutes to hours and with TensorFlow
(pip install 'astroclf[tensorflow]'); what that gains, or loses, is printed.

SOURCE is a folder with one folder a class, or a CSV file with the columns file (or path, relative to
it), label and, if there are several files of one object, object_key: those are never learned from and
tested on at once. A class name has at most 18 characters, a to z, 0 to 9 and _.

How good the model is, on examples held back in cross-validation, is printed and kept in the file.
Files that cannot be read are named and left out."""

_EXAMPLES = """
astroclf train examples/ -o rings.astroclf
astroclf train labels.csv -o rings.astroclf --licence CC-BY-4.0
astroclf train --from-tags night1/ -o mine.astroclf
astroclf train examples/ -o tuned.astroclf --fine-tune
"""


def add_verb(verbs):
    """
    Add the verb to the command line.

    Parameters
    ----------
    verbs : argparse subparsers
        What to add it to.
    """
    parser = add_parser(verbs, "train", train, "learn classes of your own", _DESCRIPTION, _EXAMPLES)
    parser.add_argument("source", metavar="SOURCE", type=Path, help="folder of folders, or CSV file, of labelled files")
    parser.add_argument(
        "-o", "--output", metavar="FILE", type=Path, required=True, help="the model to write, an .astroclf file"
    )
    parser.add_argument(
        "--from-tags", action="store_true", help="SOURCE is a folder: learn from its files with a label in CLFHLAB"
    )
    parser.add_argument(
        "--fine-tune", action="store_true", help="fit the last stage of the network, too: slow, and needs TensorFlow"
    )
    parser.add_argument("--name", help="name of the model and its taxonomy (default: that of FILE)")
    parser.add_argument("--licence", metavar="TEXT", help="terms of use of the model, kept in it")
    parser.add_argument("--overwrite", action="store_true", help="replace FILE if it exists")


def train(args):
    """
    Learn classes from labelled files and print how well it went.

    Parameters
    ----------
    args : `~argparse.Namespace`
        Parsed arguments.

    Returns
    -------
    status : int
        1 if a file could not be read, else 0.
    """
    from astroclf.train.evaluate import find_tagged
    from astroclf.train.own import find_cases, train_classes

    if args.output.exists() and not args.overwrite:
        args.usage_error(f"{args.output} exists; choose another name, or use --overwrite")
    if args.from_tags and not args.source.is_dir():
        args.usage_error(f"--from-tags wants a folder; {args.source} is none")
    with complaints() as told:
        cases = find_tagged(args.source) if args.from_tags else find_cases(args.source)
        settings = {"name": args.name} | ({"licence": args.licence} if args.licence else {})
        record = train_classes(cases, args.output, fine_tune=args.fine_tune, progress=True, **settings)
    _report(record)
    say(f"-> {printable(str(args.output))}")
    return int(bool(told))


def _report(record):
    from astropy.table import Table

    found = record.scores
    table = Table(rows=found["classes"])["label", "files", "objects", "recall", "low", "high"]
    say("\n".join(table.pformat(max_lines=-1, max_width=-1, align="<")) + "\n")
    say(f"accuracy {found['accuracy']:.3f} ({found['low']:.3f} to {found['high']:.3f}) on {found['objects']} objects")
    if quick := found.get("quick"):
        say(
            f"without fine-tuning {quick['accuracy']:.3f} ({quick['low']:.3f} to {quick['high']:.3f}) "
            f"in the same {found['folds']} folds"
        )
    say(f"calibration error {found['calibration_error']:.3f}, on the same examples that the calibration was fitted to")
    say(f"sure of a class from a probability of {record.calibration.sure_class:.3f}")
