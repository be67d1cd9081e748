# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""``astroclf classify``: a table of verdicts; nothing is written to any file."""

import os
import sys
import warnings
from contextlib import ExitStack, redirect_stdout
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

from astroclf.cli.colors import paint_status
from astroclf.cli.common import (
    add_file_arguments,
    add_model_argument,
    add_parser,
    add_part_arguments,
    add_picture_arguments,
    add_prior_argument,
    check_prior,
    complain,
    drawing_of,
    open_frame,
    outcomes,
    printable,
    say,
    threads_per_worker,
)
from astroclf.cli.groups import add_combine_argument, group_outcomes
from astroclf.cli.tables import FAILED, JSONL, Rows, add_table_argument

__all__ = ["add_verb", "classify"]

_DESCRIPTION = """\
Print what the frames show: one row a file, in the order given. No file is changed.

label is the most probable class and prob its probability; verdict is the class where that is sure,
the group where only that is, else "unknown"; group and gprob are the most probable group and its
probability. A file that fails keeps its row, with status ERROR and no label. With --combine there is
one row for all files of one target, as of several filters; file is their names joined by "+".

--show opens the annotated picture of each file, one after the other: in a window of matplotlib, which
is closed to see the next, or where matplotlib has none in the system's program for pictures. --inline
shows the picture in the terminal itself."""

_EXAMPLES = """
astroclf classify *.fits
astroclf classify -t csv -j 4 night1/*.fits.fz > night1.csv
astroclf classify --hdu SCI,2 jb5g05ubq_flt.fits
astroclf classify --combine m51_f435w_drz.fits m51_f555w_drz.fits m51_f814w_drz.fits
astroclf classify --model my.astroclf night1/*.fits
astroclf classify --prior galaxy=0.7,no_source=0.01 survey/*.fits
astroclf classify -t jsonl night1/*.fits | jq -r 'select(.status == "OK") | .file'
astroclf classify --show m51.fits
astroclf classify --inline m51.fits
astroclf classify --model imagenet kitten.fits
"""

_EMPTY = dict.fromkeys(("file", "status", "verdict", "label", "prob", "group", "gprob"))


@dataclass(frozen=True)
class _Seen:
    """
    What was seen in a file, or in files of one target.

    Parameters
    ----------
    row : dict
        Its verdict, as a row.
    page : `~pathlib.Path` or None
        Its annotated picture, if that is to be shown.
    small : `~numpy.ndarray` or None
        Its picture for the terminal, if that is to be shown.
    """

    row: dict
    page: Path | None = None
    small: object = None


@dataclass(frozen=True)
class _Wanted:
    """
    What is wanted of a file besides its verdict.

    Parameters
    ----------
    full : bool
        All that is known of the verdict.
    folder : `~pathlib.Path` or None
        An annotated picture, in this folder,
    beside : bool
        with the frame as it was read beside it,
    explain : bool
        with what speaks for the first class,
    drawing : dict
        and with these options.
    inline : bool
        A picture for the terminal.
    """

    full: bool
    folder: Path | None
    beside: bool
    explain: bool
    drawing: dict
    inline: bool

    @property
    def pictures(self):
        """Whether any picture is wanted."""
        return self.folder is not None or self.inline

    def row(self, prediction):
        """Return the row of a verdict."""
        return prediction.to_dict() if self.full else prediction.to_row()

    def seen(self, frame, prediction, *, rgb=None, **extras):
        """Return what was seen in a cleaned frame."""
        page = self._draw(frame, prediction, rgb=rgb, **extras) if self.folder else None
        return _Seen(self.row(prediction), page, _shrink(frame, rgb) if self.inline else None)

    def _draw(self, frame, prediction, **extras):
        """Draw a picture in a folder of its own, as two files may have one name; return where it is."""
        from astroclf import annotate
        from astroclf.annotation import picture_path, save_annotated

        path = picture_path(frame.origin.name, mkdtemp(dir=self.folder))
        save_annotated(annotate(frame, prediction, **extras, **self.drawing), path)
        return path


def add_verb(verbs):
    """
    Add the verb to the command line.

    Parameters
    ----------
    verbs : argparse subparsers
        What to add it to.
    """
    parser = add_parser(verbs, "classify", classify, "print a table of verdicts", _DESCRIPTION, _EXAMPLES)
    add_file_arguments(parser)
    add_part_arguments(parser)
    add_table_argument(parser, "aligned columns")
    add_model_argument(parser, "imagenet")
    parser.add_argument(
        "--backend",
        choices=("onnx", "tensorflow"),
        help="what runs the astro model (default: onnx); tensorflow needs astroclf[tensorflow]",
    )
    add_combine_argument(parser)
    add_prior_argument(parser)
    parser.add_argument("--show", action="store_true", help="open the annotated picture in a window or a viewer")
    parser.add_argument(
        "--beside", action="store_true", help="with --show: the frame as it was read beside the annotated picture"
    )
    parser.add_argument(
        "--explain", action="store_true", help="with --show: a line around what speaks for the first class"
    )
    add_picture_arguments(parser)
    parser.add_argument("--inline", action="store_true", help="show each picture in the terminal, among the text")
    parser.add_argument("--weights", metavar="FILE", help="with --model imagenet: local weights, not Keras's download")


def classify(args):
    """
    Print a table of verdicts.

    Parameters
    ----------
    args : `~argparse.Namespace`
        Parsed arguments.

    Returns
    -------
    status : int
        1 if a file failed, else 0.
    """
    drawing = drawing_of(args)
    _check_usage(args, drawing)
    if args.model == "imagenet":
        settings = {"weights": args.weights}
        complain("warning: ImageNet's labels are everyday things, not astronomy")
    else:
        check_prior(args)
        settings = {"backend": args.backend or "onnx", "prior": args.prior, "threads": threads_per_worker(args)}
    encode = _encoder() if args.inline else None
    viewer = _viewer() if args.show else None
    with ExitStack() as rubbish:
        folder = _make_folder(rubbish) if args.show else None
        wanted = _Wanted(args.table == JSONL, folder, args.beside, args.explain, drawing, args.inline)
        factory = partial(_make, args.model, settings, args.hdu, args.plane, wanted)
        found = group_outcomes(partial(factory, combine=True), args) if args.combine else outcomes(factory, args)
        rows, failed, pages = Rows(args.table), False, []
        for outcome in found:
            failed |= outcome.error is not None
            seen = outcome.value or _Seen(FAILED)
            row = _EMPTY | {"file": outcome.item} | seen.row
            rows.add(outcome, row)
            if seen.page is not None:
                pages.append(seen.page)
            if seen.small is not None:
                say(f"{_caption(row)}\n{encode(seen.small)}")
        rows.write()
        _show(pages, viewer, rubbish)
    return int(failed)


def _check_usage(args, drawing):
    """Refuse what does not go together."""
    if args.model == "imagenet":
        _check_imagenet(args)
    elif args.weights:
        args.usage_error("--weights is for --model imagenet: other models come with their weights")
    if (args.beside or args.explain or drawing) and not args.show:
        args.usage_error("--beside, --explain and the options of the picture are for --show")
    if (args.beside or args.explain or args.outlines) and args.combine:
        args.usage_error("--beside, --explain and --outlines are for the picture of one frame: leave --combine out")
    if args.inline and args.table is not None:
        args.usage_error("--inline is for people: leave --table out")


def _check_imagenet(args):
    if args.backend == "onnx":
        args.usage_error("--model imagenet runs in TensorFlow only: leave --backend out")
    for option in ("combine", "prior", "show", "inline"):
        if getattr(args, option):
            args.usage_error(f"--{option} is for the astro model: leave --model imagenet out")


def _encoder():
    """Return what makes text of pictures; refuse --inline before any work is done where nothing shows them."""
    from astroclf.annotation.inline import find_encoder

    return find_encoder()


def _viewer():
    """Return what shows pictures; refuse --show before any work is done where nothing does."""
    from astroclf.annotation.viewing import find_viewer

    return find_viewer()


def _make_folder(rubbish):
    """Make a folder for pictures, which is removed in the end."""
    folder = Path(mkdtemp(prefix="astroclf-"))
    rubbish.callback(rmtree, folder, ignore_errors=True)
    return folder


def _show(pages, viewer, rubbish):
    """Show pictures; keep those that a program of the system is given: it may still read them when we are gone."""
    if pages and not viewer.waits:
        rubbish.pop_all()
    for page in pages:
        if not viewer.waits:
            complain(f"picture: {page}")
        viewer.show(page)


def _caption(row):
    verdict = paint_status(f"{row['verdict']} [{row['status']}]", row["status"])
    return f"{printable(row['file'])}: {verdict}"


def _make(model, settings, hdu, plane, wanted, combine=False):
    from astroclf import AstroclfWarning, Classifier, read_frame

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow, if it is used, greets on stderr
    with redirect_stdout(sys.stderr), warnings.catch_warnings():  # Keras tells of its download on stdout
        warnings.simplefilter("ignore", AstroclfWarning)  # said by the verb, once and not in every process
        classifier = Classifier(model, **settings)
    if model == "imagenet":
        return lambda path: _Seen(wanted.row(classifier(open_frame(path, hdu, plane))))
    if combine:  # the first reading has told the notes
        return lambda files: _see_group(classifier, (read_frame(file, hdu, plane) for file in files), wanted)
    return lambda path: _see(classifier, partial(open_frame, path, hdu, plane), wanted)


def _shrink(frame, rgb):
    """Return a picture, by default that of a cleaned frame, for the terminal."""
    from astroclf.annotation.inline import to_small
    from astroclf.annotation.showing import grey_stages, shown

    return to_small(shown(grey_stages(frame)) if rgb is None else rgb)


def _see(classifier, read, wanted):
    clean = classifier.record.preprocessor.clean
    raw = read() if wanted.beside else None  # else of a large frame either is held, as read or clean
    frame = clean(read() if raw is None else raw)
    prediction = classifier(frame)
    explanation = classifier.explain(frame, prediction.label) if wanted.explain else None
    return wanted.seen(frame, prediction, before=raw, explanation=explanation)


def _see_group(classifier, frames, wanted):
    if not wanted.pictures:  # one frame is held at a time
        return _Seen(wanted.row(classifier.combine(frames)))
    from astroclf.render.combination import portray

    frames = [classifier.record.preprocessor.clean(frame) for frame in frames]
    prediction = classifier.combine(frames)
    frame, rgb = portray(frames) if len(frames) > 1 else (frames[0], None)
    return wanted.seen(frame, prediction, rgb=rgb)
