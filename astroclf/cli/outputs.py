# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""What the verbs share that write to files: where the result goes, and plans of it."""

from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from astroclf.cli.common import add_writing_arguments, printable, refuse_remote

__all__ = ["add_output_arguments", "check_outputs", "make_folder", "output_of", "shown_changes", "stand_in"]


def add_output_arguments(parser):
    """
    Add the arguments that say where the result goes, and whether.

    Parameters
    ----------
    parser : `~argparse.ArgumentParser`
        The verb's parser.
    """
    parser.add_argument(
        "-o", "--output-dir", metavar="DIR", type=Path, help="write copies to DIR, made if need be, not in place"
    )
    parser.add_argument("--dry-run", action="store_true", help="print the cards that would change, write nothing")
    parser.add_argument("--force", action="store_true", help="also change files whose CHECKSUM or DATASUM is wrong")
    add_writing_arguments(parser)


def check_outputs(args, outputs):
    """
    Refuse wrong usage that could cost somebody a file, before any work is done.

    Parameters
    ----------
    args : `~argparse.Namespace`
        Parsed arguments.
    outputs : callable
        Called with the name of an input, returns the paths written for it.
    """
    if args.output_dir and args.output_dir.exists() and not args.output_dir.is_dir():
        args.usage_error(f"-o {args.output_dir} is not a folder")
    refuse_remote(args)
    seen = {}
    for file in args.files:
        if args.output_dir and Path(file).resolve() == output_of(file, args.output_dir).resolve():
            args.usage_error(f"{file} is in the folder of -o; leave -o out to {args.verb_name} it in place")
        for output in (path.resolve() for path in outputs(file)):
            if output in seen:
                other = printable(seen[output])
                args.usage_error(
                    f"{other} and {printable(file)} would both write {output}; {args.verb_name} them one by one"
                )
            seen[output] = file


def make_folder(args):
    """
    Make the folder of the copies, unless nothing is to be written.

    Parameters
    ----------
    args : `~argparse.Namespace`
        Parsed arguments.
    """
    if args.output_dir and not args.dry_run:
        args.output_dir.mkdir(parents=True, exist_ok=True)


def output_of(file, output_dir):
    """
    Return where the copy of a file goes.

    Parameters
    ----------
    file : str
        The file.
    output_dir : `~pathlib.Path` or None
        The folder of the copies.

    Returns
    -------
    output : `~pathlib.Path` or None
        None if there is no copy.
    """
    return output_dir / Path(file).name if output_dir else None


def shown_changes(changes):
    """
    Lay out the cards that would change, safe on a terminal.

    Parameters
    ----------
    changes : iterable of `~astroclf.tags.rewrite.Change`
        The cards, old ones as they are in the header.

    Returns
    -------
    lines : list of str
        One for each card there is.
    """
    safe = (replace(change, old=printable(change.old), new=printable(change.new)) for change in changes)
    return [line for change in safe for line in str(change).split("\n")]


@contextmanager
def stand_in(output):
    """
    Let a plan be made for a copy whose folder is not there yet.

    Parameters
    ----------
    output : `~pathlib.Path` or None
        Where the copy would go.

    Yields
    ------
    output : `~pathlib.Path` or None
        The same, or in a temporary folder.
    """
    if output is None or output.parent.is_dir():
        yield output
        return
    with TemporaryDirectory() as folder:
        yield Path(folder, output.name)
