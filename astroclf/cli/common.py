# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""What the verbs share: arguments, the loop over files, and how trouble is told."""

import argparse
import os
import re
import sys
import warnings
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from astroclf import batch
from astroclf.exceptions import AstroclfError, AstroclfWarning
from astroclf.threads import COUNT

__all__ = [
    "add_file_arguments",
    "add_model_argument",
    "add_parser",
    "add_part_arguments",
    "add_picture_arguments",
    "add_prior_argument",
    "add_worker_arguments",
    "add_writing_arguments",
    "check_prior",
    "complain",
    "complaints",
    "drawing_of",
    "one_line",
    "open_frame",
    "outcomes",
    "printable",
    "reason",
    "refuse_remote",
    "say",
    "threads_per_worker",
    "writing_options",
]

_ARGUMENT = re.compile(r"\b(hdu|plane)=(?=[,:;]|$)")
"""How messages of the Python API name what is an option here."""

_FEW = 3
"""Up to this many files need no progress bar."""


def add_parser(verbs, name, function, summary, description, examples):
    """
    Add the parser of one verb.

    Parameters
    ----------
    verbs : argparse subparsers
        What to add it to.
    name : str
        The verb.
    function : callable
        Called with the parsed arguments; returns the exit status.
    summary : str
        One line for the program's help.
    description : str
        What the verb does and writes.
    examples : str
        Real invocations, one a line.

    Returns
    -------
    parser : `~argparse.ArgumentParser`
        For the verb's own arguments.
    """
    epilog = "examples:\n" + "\n".join(f"  {line}" for line in examples.strip().splitlines())
    layout = argparse.RawDescriptionHelpFormatter
    parser = verbs.add_parser(name, help=summary, description=description, epilog=epilog, formatter_class=layout)
    parser.set_defaults(verb=function, verb_name=name, usage_error=parser.error)
    return parser


def add_file_arguments(parser, nargs="+"):
    """
    Add the arguments of every verb that works on files.

    Parameters
    ----------
    parser : `~argparse.ArgumentParser`
        The verb's parser.
    nargs : {'+', '*'}, optional
        Whether there must be a file, or can be none.
    """
    parser.add_argument(
        "files", metavar="FILE", nargs=nargs, help="FITS file: .fits, .fits.gz, .fits.bz2, .fits.fz; or JPEG, PNG, TIFF"
    )
    add_worker_arguments(parser)


def add_worker_arguments(parser):
    """
    Add the arguments of the loop over files; see `outcomes`.

    Parameters
    ----------
    parser : `~argparse.ArgumentParser`
        The verb's parser.
    """
    parser.add_argument("-j", "--jobs", metavar="N", type=_positive, default=1, help="worker processes (default: 1)")
    parser.add_argument("--debug", action="store_true", help="on failure, also print where in the code it happened")


def add_part_arguments(parser):
    """
    Add the arguments that choose what to read of a file.

    Parameters
    ----------
    parser : `~argparse.ArgumentParser`
        The verb's parser.
    """
    parser.add_argument(
        "--hdu", metavar="HDU", help="read this HDU alone, as it is: a name, NAME,VERSION or an index (0: the primary)"
    )
    parser.add_argument(
        "--plane", metavar="N", type=_positive, help="read plane N of a cube, or page N of a picture, from 1"
    )


def add_picture_arguments(parser):
    """
    Add the arguments of the verbs that draw annotated pictures.

    Parameters
    ----------
    parser : `~argparse.ArgumentParser`
        The verb's parser.
    """
    group = parser.add_argument_group("annotated picture")
    group.add_argument("--png-size", metavar="N", type=_page_size, help="longer side in pixels (default: about 1920)")
    group.add_argument("--theme", choices=("dark", "light"), help="colours of the page (default: dark)")
    group.add_argument("--north-up", action="store_true", help="turn the image so that north is up and east left")
    group.add_argument(
        "--axes", choices=("wcs", "pixels"), help="number the sides: right ascension and declination, or pixels"
    )
    group.add_argument("--outlines", action="store_true", help="draw the edges of the sources that photutils finds")
    group.add_argument("--tiles", metavar="N", type=_positive, help="draw the edges of N x N tiles")


def drawing_of(args):
    """
    Return what `add_picture_arguments` were given.

    Parameters
    ----------
    args : `~argparse.Namespace`
        Parsed arguments.

    Returns
    -------
    options : dict
        Arguments of `astroclf.annotate`; those that were not given are left out.
    """
    given = {
        "size": args.png_size, "theme": args.theme, "north_up": args.north_up, "outlines": args.outlines,
        "tiles": args.tiles, "axes": args.axes,
    }  # fmt: skip
    return {name: value for name, value in given.items() if value}


def add_writing_arguments(parser):
    """
    Add the arguments of the verbs that write to files: how these may be changed.

    Parameters
    ----------
    parser : `~argparse.ArgumentParser`
        The verb's parser; see `writing_options`.
    """
    parser.add_argument(
        "--detach",
        action="store_true",
        help="also change files with other hard links, or whose owner or attributes cannot be kept; "
        "the other links keep the old content",
    )
    parser.add_argument(
        "--atomic",
        action="store_true",
        help="never write a header in place, always make a new file that takes the place of the old one",
    )
    parser.add_argument("--keep-times", action="store_true", help="keep the files' times of last reading and change")


def writing_options(args):
    """
    Return how files may be changed.

    Parameters
    ----------
    args : `~argparse.Namespace`
        Parsed arguments of `add_writing_arguments`.

    Returns
    -------
    options : dict
        Arguments of the functions that write.
    """
    return {"detach": args.detach, "atomic": args.atomic, "keep_times": args.keep_times}


def add_model_argument(parser, *others):
    """
    Add the argument that chooses the model.

    Parameters
    ----------
    parser : `~argparse.ArgumentParser`
        The verb's parser.
    *others : str
        Names of models the verb knows besides ``astro``.
    """
    names = ("astro", *others)

    def known(text):
        if text not in names and not text.endswith((".astroclf", ".json")):
            msg = f"must be {', '.join(names)} or the name of an .astroclf file; got {text!r}"
            raise argparse.ArgumentTypeError(msg)
        return text

    more = "".join(f"; {name}: its everyday classes" for name in others)
    parser.add_argument(
        "--model",
        metavar="MODEL",
        type=known,
        default="astro",
        help=f"astro (the default): the 14 classes of astroclf{more}; or a file that astroclf train made",
    )


def add_prior_argument(parser):
    """
    Add the argument of the verbs that classify with classes that are not alike common.

    Parameters
    ----------
    parser : `~argparse.ArgumentParser`
        The verb's parser.
    """
    parser.add_argument(
        "--prior",
        metavar="NAME=P,...",
        type=_prior,
        help="how common classes or groups are among these files, as galaxy=0.7,spiral_galaxy=0.1; the others share "
        "the rest (default: all classes alike)",
    )


def check_prior(args):
    """
    Refuse a prior that is none for the classes of the model, before any work is done.

    Parameters
    ----------
    args : `~argparse.Namespace`
        Parsed arguments; ``model`` is not ImageNet's.
    """
    if args.prior is None:
        return
    from astroclf.model.classifier import load_model
    from astroclf.model.prior import Prior

    try:
        Prior(args.prior, load_model(args.model).labels)
    except ValueError as error:
        args.usage_error(f"argument --prior: {error}")


def outcomes(factory, args, groups=None):
    """
    Work on the files, name those that fail on stderr, and yield what became of each.

    Parameters
    ----------
    factory : callable
        Makes the function of one file name; see `astroclf.batch.run`.
    args : `~argparse.Namespace`
        Parsed arguments of `add_file_arguments`.
    groups : list of tuple of str, optional
        Files that are one item each, instead of each file of ``args``.

    Yields
    ------
    outcome : `astroclf.batch.Outcome`
        One per file or group, in the order given; the item of a group is its files joined by ``+``.
    """
    from tqdm import tqdm

    items = args.files if groups is None else groups
    for outcome in batch.run(factory, items, workers=args.jobs, progress=len(items) > _FEW):
        if groups is not None:
            outcome = replace(outcome, item="+".join(outcome.item))
        for text in outcome.warnings:
            complain(f"warning: {text}", outcome.item)
        if outcome.error is not None:
            complain(reason(outcome.error), outcome.item)
            if args.debug:
                tqdm.write(outcome.traceback, file=sys.stderr, end="")
        yield outcome


def open_frame(file, hdu=None, plane=None):
    """
    Read a frame, and warn of what its reader wants the user to know.

    Parameters
    ----------
    file : str
        File name.
    hdu : str, optional
        The HDU to read.
    plane : int, optional
        The plane of a cube to read.

    Returns
    -------
    frame : `~astroclf.Frame`
        The frame.

    Warns
    -----
    AstroclfWarning
        For each of its notes.
    """
    from astroclf.frames import read_frame

    frame = read_frame(file, hdu, plane)
    for note in frame.notes:
        warnings.warn(note, AstroclfWarning, stacklevel=2)
    return frame


def threads_per_worker(args):
    """
    Share the processor's cores among the workers.

    Parameters
    ----------
    args : `~argparse.Namespace`
        Parsed arguments of `add_file_arguments`.

    Returns
    -------
    threads : int
        Threads for the network of one worker; 0, which is all cores, if there is one worker only.
    """
    workers = min(args.jobs, len(args.files))
    return 0 if workers == 1 else max(1, COUNT // workers)


def refuse_remote(args):
    """
    Refuse remote files as wrong usage, before any work is done.

    Parameters
    ----------
    args : `~argparse.Namespace`
        Parsed arguments of `add_file_arguments`.
    """
    from astroclf.frames.files.remote import is_url

    for file in filter(is_url, args.files):
        args.usage_error(f"{printable(file)} is a remote file; download it and {args.verb_name} the copy")


def complain(text, file=None):
    """
    Write one line to stderr, without breaking a progress bar.

    Parameters
    ----------
    text : str
        What is wrong.
    file : str, optional
        The file it is about.
    """
    from tqdm import tqdm

    text = one_line(text, file)
    if file is not None:
        text = f"{file}: {text}"
    tqdm.write(f"astroclf: {printable(text)}", file=sys.stderr)


def one_line(text, file=None):
    """
    Return a message in one line and in the words of the command line.

    Parameters
    ----------
    text : str
        What is wrong.
    file : str, optional
        The file it is about.

    Returns
    -------
    text : str
        Without the file's name before it; line breaks become spaces, and arguments it says to use, options.
    """
    text = text if file is None else _without_name(text, file)
    return _ARGUMENT.sub(r"--\1", " ".join(text.split()))


def _without_name(text, file):
    """Return a message without the name of a file before it; ``./a.fits`` is ``a.fits`` there."""
    names = file, str(Path(file)), os.path.abspath(file)
    return next((text.removeprefix(f"{name}: ") for name in names if text.startswith(f"{name}: ")), text)


@contextmanager
def complaints():
    """
    Write warnings of astroclf to stderr, one line each, as long as the context lasts, and ignore those of others.

    Yields
    ------
    told : list of str
        The warnings so far.
    """
    told = []

    def tell(message, *_, **__):
        told.append(str(message))
        complain(f"warning: {message}")

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("always", AstroclfWarning)
        warnings.showwarning = tell
        yield told


def say(text):
    """
    Write one line to stdout, without breaking a progress bar.

    Parameters
    ----------
    text : str
        The line, without its end.
    """
    from tqdm import tqdm

    tqdm.write(text, file=sys.stdout)


def reason(error):
    """
    Say in one line why something failed, to somebody who does not read Python.

    Parameters
    ----------
    error : Exception
        What was raised.

    Returns
    -------
    text : str
        For a cause the user can mend, what it is; for any other, how to report it.
    """
    if isinstance(error, AstroclfError):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        return error.strerror if error.filename is None else f"{error.filename}: {error.strerror}"
    if isinstance(error, MemoryError):
        return "not enough memory"
    return f"internal error, please report it: {type(error).__name__}: {error} (--debug shows where)"


def printable(text):
    """
    Escape what could upset a terminal: control characters and bytes of names that are no text.

    Parameters
    ----------
    text : str
        For example a file name.

    Returns
    -------
    text : str
        The same, with Python's backslash escapes for these.
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def _positive(text):
    number = int(text)
    if number < 1:
        msg = f"must be at least 1; got {text}"
        raise argparse.ArgumentTypeError(msg)
    return number


def _page_size(text):
    from astroclf.annotation.core import SIZES

    number = int(text)
    if not SIZES[0] <= number <= SIZES[1]:
        msg = f"must be {SIZES[0]} to {SIZES[1]}; got {text}"
        raise argparse.ArgumentTypeError(msg)
    return number


def _prior(text):
    from astroclf.model.prior import parse_prior

    try:
        return parse_prior(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(error) from None
