# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""``astroclf tag``: verdicts into headers, and a picture of each."""

import argparse
from functools import partial
from pathlib import Path

from astroclf.cli.common import (
    add_file_arguments,
    add_model_argument,
    add_parser,
    add_part_arguments,
    add_picture_arguments,
    add_prior_argument,
    check_prior,
    drawing_of,
    open_frame,
    outcomes,
    printable,
    reason,
    say,
    threads_per_worker,
)
from astroclf.cli.groups import add_combine_argument, find_groups
from astroclf.cli.outputs import add_output_arguments, check_outputs, make_folder, output_of, stand_in
from astroclf.exceptions import AstroclfError

__all__ = ["add_verb", "tag"]

_DESCRIPTION = """\
Classify frames and write the verdicts into their headers, as one block of CLF cards each. No pixel
byte is ever changed. Tagging again replaces the block.

WITHOUT -o THE FILES ARE TAGGED IN PLACE. With -o DIR, tagged copies go to DIR and the files stay as
they are. The picture is <name without .fits[.gz|.bz2|.fz]>_astroclf.png, beside the tagged file. A
file that exists where a copy or a picture goes is overwritten only if astroclf made it. JPEG and PNG
files have no header: with -o, the metadata of a copy are tagged.

With --combine, files of one target, as of several filters, all get the same verdict, with the names
of the others in CLFIN1, CLFIN2...; there is one picture, in colour, beside the first of them."""

_EXAMPLES = """
astroclf tag --dry-run m51.fits
astroclf tag -o tagged/ -j 4 night1/*.fits
astroclf tag --no-png m51.fits.fz
astroclf tag --model my.astroclf m51.fits
astroclf tag --explain m51.fits
astroclf tag --combine -o tagged/ m51_f435w_drz.fits m51_f555w_drz.fits m51_f814w_drz.fits
"""


def add_verb(verbs):
    """
    Add the verb to the command line.

    Parameters
    ----------
    verbs : argparse subparsers
        What to add it to.
    """
    parser = add_parser(verbs, "tag", tag, "write verdicts into headers", _DESCRIPTION, _EXAMPLES)
    add_file_arguments(parser)
    add_part_arguments(parser)
    add_output_arguments(parser)
    parser.add_argument(
        "--png", action=argparse.BooleanOptionalAction, default=True, help="write the annotated picture (the default)"
    )
    parser.add_argument(
        "--explain",
        action="store_true",
        help="draw a line in the picture around what speaks for the first class",
    )
    add_picture_arguments(parser)
    add_combine_argument(parser)
    add_model_argument(parser)
    add_prior_argument(parser)


def tag(args):
    """
    Classify files, write the verdicts into their headers and draw them.

    Parameters
    ----------
    args : `~argparse.Namespace`
        Parsed arguments.

    Returns
    -------
    status : int
        1 if a file failed, else 0.
    """
    if args.explain and (args.combine or not args.png):
        out = "--combine" if args.combine else "--no-png"
        args.usage_error(f"--explain is for the picture of one frame: leave {out} out")
    if args.outlines and args.combine:
        args.usage_error("--outlines is for the picture of one frame: leave --combine out")
    drawing = drawing_of(args)
    if drawing and not args.png:
        args.usage_error("options of the picture and --no-png do not go together")
    check_prior(args)
    check_outputs(args, partial(_outputs, output_dir=args.output_dir, png=args.png))
    make_folder(args)
    options = {"force": args.force, "detach": args.detach}
    reader = partial(_read if args.combine else open_frame, hdu=args.hdu, plane=args.plane)
    settings = {"prior": args.prior, "threads": threads_per_worker(args)}
    make = partial(_classifier, args.model, settings)
    factory = partial(
        _make, make, reader, args.output_dir, args.png, args.dry_run, options, drawing, explain=args.explain
    )
    groups, failed = None, False
    if args.combine:
        groups, unreadable = find_groups(args)
        factory, failed = partial(factory, combine=True), bool(unreadable)
    for outcome in outcomes(factory, args, groups):
        failed |= outcome.error is not None
        if outcome.value is not None:
            say(f"{printable(outcome.item)}: {outcome.value}")
    return int(failed)


def _outputs(file, output_dir, png):
    from astroclf.annotation import picture_path

    yield output_of(file, output_dir) or Path(file)
    if png:
        yield picture_path(Path(file), output_dir)


def _read(file, hdu, plane):
    """Read a frame whose notes were told when it was first read."""
    from astroclf import read_frame

    return read_frame(file, hdu, plane)


def _classifier(model, settings):
    from astroclf import Classifier

    return Classifier(model, **settings)


def _make(make, reader, output_dir, png, dry_run, options, drawing, combine=False, explain=False):
    classifier = make()
    if combine:
        return partial(_tag_group, classifier, reader, output_dir, png, dry_run, options, drawing)

    def tag_one(file):
        frame = classifier.record.preprocessor.clean(reader(file))
        prediction = classifier(frame)
        output = output_of(file, output_dir)
        if dry_run:
            return "\n".join(map(str, [prediction, *_changes(file, prediction, output, options)]))
        if not png:
            return _write(file, prediction, output, options)
        explanation = classifier.explain(frame, prediction.label) if explain else None
        return _write_and_draw(frame, file, prediction, output, options, drawing | {"explanation": explanation})

    return tag_one


def _changes(file, prediction, output, options):
    from astroclf.tags import plan_tags

    with stand_in(output) as place:
        return plan_tags(file, prediction, output=place, **options)


def _write(file, prediction, output, options):
    from astroclf import write_tags

    write_tags(file, prediction, output=output, **options)
    return f"{prediction} -> {printable(str(output or file))}"


def _write_and_draw(frame, file, prediction, output, options, drawing):
    """Draw first and save last: what can go wrong with the picture goes wrong before the file is touched."""
    from astroclf import annotate
    from astroclf.annotation import save_annotated

    picture = _free_picture(output or file)
    figure = annotate(frame, prediction, **drawing)
    told = _write(file, prediction, output, options)
    save_annotated(figure, picture)
    return f"{told}, {printable(str(picture))}"


def _free_picture(file):
    """Return where the picture of a file goes; refuse to overwrite what astroclf did not make."""
    from astroclf.annotation import is_annotated, picture_path

    picture = picture_path(file)
    if picture.exists() and not is_annotated(picture):
        msg = f"{picture} exists and was not made by astroclf: move it away, or use --no-png or -o"
        raise AstroclfError(msg)
    return picture


def _tag_group(classifier, reader, output_dir, png, dry_run, options, drawing, files):
    """Tag files of one target with one verdict, and draw them in colour beside the first."""
    frames = [classifier.record.preprocessor.clean(reader(file)) for file in files]
    prediction = classifier.combine(frames)
    outputs = [output_of(file, output_dir) for file in files]
    jobs = [(file, prediction.written_to(f.origin), output) for file, f, output in zip(files, frames, outputs)]
    if dry_run:
        lines = [line for job in jobs for line in (f"{printable(job[0])}:", *_changes(*job, options))]
        return "\n".join(map(str, [prediction, *lines]))
    draw = _drawing(frames, prediction, outputs[0] or files[0], drawing) if png else None
    written, errors = _write_all(jobs, options)
    if draw and written:
        written.append(draw())
    if errors:
        raise AstroclfError("; ".join(errors))
    return f"{prediction} -> {', '.join(map(printable, written))}"


def _drawing(frames, prediction, file, drawing):
    """Draw several frames in colour; return what saves the picture and returns its name."""
    from astroclf import annotate
    from astroclf.annotation import save_annotated
    from astroclf.render.combination import portray

    picture = _free_picture(file)
    frame, rgb = portray(frames) if len(frames) > 1 else (frames[0], None)
    figure = annotate(frame, prediction, rgb=rgb, **drawing)

    def save():
        save_annotated(figure, picture)
        return str(picture)

    return save


def _write_all(jobs, options):
    """Tag files, whatever becomes of the others; return the names of those written, and what went wrong."""
    from astroclf import write_tags

    written, errors = [], []
    for file, prediction, output in jobs:
        try:
            write_tags(file, prediction, output=output, **options)
        except (AstroclfError, OSError) as error:
            errors.append(f"{file}: {reason(error).removeprefix(f'{file}: ')}")
        else:
            written.append(str(output or file))
    return written, errors
