# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""``astroclf report``: one page of many files and their tags."""

from functools import partial
from pathlib import Path

from astroclf.cli.common import (
    add_file_arguments,
    add_parser,
    complain,
    one_line,
    outcomes,
    printable,
    reason,
    refuse_remote,
    say,
)

__all__ = ["add_verb", "report", "save_report"]

_DESCRIPTION = """\
Make one HTML page of the tags in the headers of files: to look through, filter, sort and search, with a
map of the sky, on any computer or phone, offline. Folders are searched with all folders in them. Nothing
is classified, no pixels are read, and the files stay as they are.

Pictures are those that "astroclf tag" leaves beside the files, <name>_astroclf.png: small ones are in the
page, the large ones are opened where they are. Labels that are accepted or corrected in the page are
downloaded as a list that "astroclf label --from" writes into the headers.

A report that exists is replaced; any other file only with --overwrite."""

_EXAMPLES = """
astroclf report night1/
astroclf report night1/ night2/ -o nights.html --title "Two nights"
astroclf report -j 4 tagged/*.fits -o tagged/report.html
"""

_THUMBNAIL = 144
_LARGEST_THUMBNAIL = 512


def add_verb(verbs):
    """
    Add the verb to the command line.

    Parameters
    ----------
    verbs : argparse subparsers
        What to add it to.
    """
    parser = add_parser(verbs, "report", report, "make a page of files and their tags", _DESCRIPTION, _EXAMPLES)
    add_file_arguments(parser)
    parser.add_argument(
        "-o", "--output", metavar="HTML", type=Path, default=Path("report.html"), help="the page (default: report.html)"
    )
    parser.add_argument("--title", metavar="TEXT", help="heading of the page (default: the name of the folder)")
    parser.add_argument(
        "--thumbnail-size",
        metavar="PIXELS",
        type=_size,
        default=_THUMBNAIL,
        help=f"longer side of the small pictures, up to {_LARGEST_THUMBNAIL}; 0 for none (default: {_THUMBNAIL})",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace the output even if it is no report")


def report(args):
    """
    Make a page of files and their tags.

    Parameters
    ----------
    args : `~argparse.Namespace`
        Parsed arguments.

    Returns
    -------
    status : int
        1 if a file could not be read, else 0; such a file is a row of the page all the same.
    """
    refuse_remote(args)
    return save_report(args, args.output, title=args.title, size=args.thumbnail_size, overwrite=args.overwrite)


def save_report(args, output, *, title=None, size=_THUMBNAIL, overwrite=False, tell=say):
    """
    Read the headers of files, save the page, and say so.

    Parameters
    ----------
    args : `~argparse.Namespace`
        Parsed arguments; ``files`` are files and folders.
    output : `~pathlib.Path`
        The page.
    title, overwrite
        As for `~astroclf.report.write_report`.
    size : int, optional
        Longer side of the thumbnails in pixels.
    tell : callable, optional
        Called with what is said of the page.

    Returns
    -------
    status : int
        1 if a file could not be read, else 0.

    Raises
    ------
    AstroclfError
        If there is no file, or the page cannot be written.
    """
    from astroclf.report import Entry, check_output, report_files, write_report

    check_output(output, overwrite=overwrite)
    folders, args.files = args.files, [str(file) for file in report_files(args.files)]
    if not args.files:
        complain(f"no FITS file and no picture in {', '.join(folders)}")
        return 1
    entries, failed = [], 0
    for outcome in outcomes(partial(_make, size), args):
        failed += outcome.error is not None
        told = one_line(reason(outcome.error), outcome.item) if outcome.error else ""
        entries.append(outcome.value or Entry(Path(outcome.item), error=told))
    write_report(entries, output, title=title, overwrite=overwrite)
    unreadable = f", {failed} of which could not be read" if failed else ""
    count = f"{len(entries)} file{'' if len(entries) == 1 else 's'}"
    tell(f"{printable(str(output))}: {count}{unreadable}, {output.stat().st_size / 1e6:.1f} MB")
    return int(failed > 0)


def _make(size):
    from astroclf.report import read_entry

    return partial(read_entry, thumbnail_size=size)


def _size(text):
    import argparse

    if not text.isdecimal() or not 0 <= int(text) <= _LARGEST_THUMBNAIL:
        msg = f"must be a whole number of pixels from 0 to {_LARGEST_THUMBNAIL}; got {text!r}"
        raise argparse.ArgumentTypeError(msg)
    return int(text)
