# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""``astroclf classify``: a table of verdicts; nothing is written to any file."""

import os
import sys
import warnings
from contextlib import redirect_stdout
from functools import partial
from pathlib import Path
from tempfile import mkdtemp

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
    threads_per_worker,
)
from astroclf.cli.groups import add_combine_argument, find_groups
from astroclf.cli.tables import FAILED, add_table_argument, format_rows

__all__ = ["add_verb", "classify"]

_DESCRIPTION = """\
Print what the frames show: one row a file, in the order given. No file is changed.

label is the most probable class and prob its probability; verdict is the class where that is sure,
the group where only that is, else "unknown"; group and gprob are the most probable group and its
probability. A file that fails keeps its row, with status ERROR and no label. With --combine there is
one row for all files of one target, as of several filters; file is their names joined by "+".

--show opens the annotated picture of each file, one after the other: in a window of matplotlib, which
is closed to see the next, or where matplotlib has none in the system's program for pictures."""

_EXAMPLES = """
astroclf classify *.fits
astroclf classify -t csv -j 4 night1/*.fits.fz > night1.csv
astroclf classify --hdu SCI,2 jb5g05ubq_flt.fits
astroclf classify --combine m51_f435w_drz.fits m51_f555w_drz.fits m51_f814w_drz.fits
astroclf classify --model my.astroclf night1/*.fits
astroclf classify --prior galaxy=0.7,no_source=0.01 survey/*.fits
astroclf classify --show m51.fits
astroclf classify --model imagenet kitten.fits
"""

_PICTURE = "picture"
"""Where a row has its picture until that is shown."""

_EMPTY = dict.fromkeys(("file", "status", "verdict", "label", "prob", "group", "gprob"))


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
    add_picture_arguments(parser)
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
    if args.model == "imagenet" and args.backend == "onnx":
        args.usage_error("--model imagenet runs in TensorFlow only: leave --backend out")
    if args.model != "imagenet" and args.weights:
        args.usage_error("--weights is for --model imagenet: other models come with their weights")
    if args.model == "imagenet" and args.combine:
        args.usage_error("--combine is for the astro model: leave --model imagenet out")
    if args.model == "imagenet" and args.prior:
        args.usage_error("--prior is for the astro model: leave --model imagenet out")
    if args.model == "imagenet" and args.show:
        args.usage_error("--show is for the astro model: leave --model imagenet out")
    drawing = drawing_of(args)
    if (args.beside or drawing) and not args.show:
        args.usage_error("--beside and the options of the picture are for --show")
    if (args.beside or args.outlines) and args.combine:
        args.usage_error("--beside and --outlines are for the picture of one frame: leave --combine out")
    if args.model == "imagenet":
        settings = {"weights": args.weights}
        complain("warning: ImageNet's labels are everyday things, not astronomy")
    else:
        check_prior(args)
        settings = {"backend": args.backend or "onnx", "prior": args.prior, "threads": threads_per_worker(args)}
    viewer = _viewer() if args.show else None
    draw = partial(_draw, Path(mkdtemp(prefix="astroclf-")), args.beside, drawing) if args.show else None
    factory = partial(_make, args.model, settings, args.hdu, args.plane, draw)
    rows = _combined(factory, args) if args.combine else [_row(outcome) for outcome in outcomes(factory, args)]
    pictures = [row.pop(_PICTURE, None) for row in rows]
    sys.stdout.write(format_rows(rows, args.table))
    sys.stdout.flush()
    for picture in filter(None, pictures):
        complain(f"picture: {picture}")
        viewer(picture)
    return int(any(row["status"] == FAILED["status"] for row in rows))


def _row(outcome):
    return _EMPTY | {"file": outcome.item} | (outcome.value or FAILED)


def _combined(factory, args):
    """Return the rows of groups of files and of the files that cannot be read, in the order of the files."""
    groups, failed = find_groups(args)
    done = zip(groups, outcomes(partial(factory, combine=True), args, groups))
    rows = [(group[0], _row(outcome)) for group, outcome in done]
    rows += [(file, _EMPTY | {"file": file} | FAILED) for file in failed]
    return [row for _, row in sorted(rows, key=lambda pair: args.files.index(pair[0]))]


def _viewer():
    """Return what shows pictures; refuse --show before any work is done where nothing does."""
    from astroclf.annotation.viewing import find_viewer

    return find_viewer()


def _make(model, settings, hdu, plane, draw=None, combine=False):
    from astroclf import AstroclfWarning, Classifier, read_frame

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow, if it is used, greets on stderr
    with redirect_stdout(sys.stderr), warnings.catch_warnings():  # Keras tells of its download on stdout
        warnings.simplefilter("ignore", AstroclfWarning)  # said by the verb, once and not in every process
        classifier = Classifier(model, **settings)
    if model == "imagenet":
        return lambda path: classifier(open_frame(path, hdu, plane)).to_row()
    if combine:  # the first reading has told the notes
        return lambda files: _see_group(classifier, (read_frame(file, hdu, plane) for file in files), draw)
    clean = classifier.record.preprocessor.clean
    if draw is None:  # of a large frame either is held, as read or clean, not both
        return lambda path: classifier(clean(open_frame(path, hdu, plane))).to_row()
    return lambda path: _see(classifier, open_frame(path, hdu, plane), draw)


def _see(classifier, raw, draw):
    frame = classifier.record.preprocessor.clean(raw)
    prediction = classifier(frame)
    return prediction.to_row() | {_PICTURE: draw(frame, prediction, raw=raw)}


def _see_group(classifier, frames, draw):
    if draw is None:  # one frame is held at a time
        return classifier.combine(frames).to_row()
    from astroclf.render.combination import portray

    frames = [classifier.record.preprocessor.clean(frame) for frame in frames]
    prediction = classifier.combine(frames)
    frame, rgb = portray(frames) if len(frames) > 1 else (frames[0], None)
    return prediction.to_row() | {_PICTURE: draw(frame, prediction, rgb=rgb)}


def _draw(folder, beside, drawing, frame, prediction, rgb=None, raw=None):
    """Draw a picture in a folder of its own, as two files may have one name; return where it is."""
    from astroclf import annotate
    from astroclf.annotation import picture_path, save_annotated

    figure = annotate(frame, prediction, rgb=rgb, before=raw if beside else None, **drawing)
    path = picture_path(frame.origin.name, mkdtemp(dir=folder))
    save_annotated(figure, path)
    return path
