# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""``astroclf tag``: verdicts into headers, and a picture of each."""

import argparse
from dataclasses import dataclass
from functools import partial
from pathlib import Path

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
    reason,
    say,
    threads_per_worker,
    writing_options,
)
from astroclf.cli.groups import add_combine_argument, group_outcomes
from astroclf.cli.outputs import (
    add_output_arguments,
    check_outputs,
    make_folder,
    output_of,
    shown_changes,
    stand_in,
)
from astroclf.cli.report import save_report
from astroclf.cli.tables import FAILED, Rows, add_table_argument
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
of the others in CLFIN1, CLFIN2...; there is one picture, in colour, beside the first of them.

With --sidecar the files are not touched, wherever they are: the tags go to <name>_astroclf.fits, which
is but a header, beside the file or into DIR; show, verify, replay and untag look there, too."""

_EXAMPLES = """
astroclf tag --dry-run m51.fits
astroclf tag -o tagged/ -j 4 night1/*.fits
astroclf tag --no-png m51.fits.fz
astroclf tag --model my.astroclf m51.fits
astroclf tag --explain m51.fits
astroclf tag --sidecar -o tags/ archive/*.fits
astroclf tag -o tagged/ --report tagged/report.html night1/*.fits
astroclf tag --combine -o tagged/ m51_f435w_drz.fits m51_f555w_drz.fits m51_f814w_drz.fits
"""


_EMPTY = dict.fromkeys(("file", "status", "verdict", "label", "prob", "group", "gprob", "tagged", "picture"))


@dataclass(frozen=True)
class _Tagged:
    """
    What became of a file, or of files of one target.

    Parameters
    ----------
    prediction : `~astroclf.Prediction`
        The verdict.
    written : tuple of str
        The files that have it now.
    picture : str or None
        The annotated picture, if there is one.
    changes : tuple of str
        Of a dry run, the cards that would change.
    """

    prediction: object
    written: tuple[str, ...] = ()
    picture: str | None = None
    changes: tuple[str, ...] = ()

    def told(self):
        """Return what people read of it."""
        told = paint_status(str(self.prediction), self.prediction.status)
        if self.written:
            told += f" -> {', '.join(map(printable, filter(None, (*self.written, self.picture))))}"
        return "\n".join([told, *self.changes])

    def to_row(self, nested):
        """Return what a table has of it, all that is known if cells may be lists."""
        if nested:
            lists = {"tagged": list(self.written), "picture": self.picture, "changes": list(self.changes)}
            return self.prediction.to_dict() | lists
        return self.prediction.to_row() | {"tagged": "; ".join(self.written) or None, "picture": self.picture}


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
    add_table_argument(parser, "a line a file")
    parser.add_argument(
        "--png", action=argparse.BooleanOptionalAction, default=True, help="write the annotated picture (the default)"
    )
    parser.add_argument(
        "--explain",
        action="store_true",
        help="draw a line in the picture around what speaks for the first class",
    )
    parser.add_argument(
        "--sidecar", action="store_true", help="leave the files as they are: tags go to files of their own"
    )
    add_picture_arguments(parser)
    add_combine_argument(parser)
    add_model_argument(parser)
    add_prior_argument(parser)
    parser.add_argument(
        "--report", metavar="HTML", type=Path, help='then make a page of them, as "astroclf report" does'
    )


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
    _pass_over_sidecars(args)
    check_outputs(args, partial(_outputs, output_dir=args.output_dir, png=args.png, sidecar=args.sidecar))
    make_folder(args)
    _check_report(args)
    options = {"sidecar": args.sidecar, "force": args.force, **writing_options(args)}
    reader = partial(_read if args.combine else open_frame, hdu=args.hdu, plane=args.plane)
    settings = {"prior": args.prior, "threads": threads_per_worker(args)}
    make = partial(_classifier, args.model, settings)
    factory = partial(
        _make, make, reader, args.output_dir, args.png, args.dry_run, options, drawing, explain=args.explain
    )
    rows, failed = Rows(args.table), False
    found = group_outcomes(partial(factory, combine=True), args) if args.combine else outcomes(factory, args)
    for outcome in found:
        failed |= outcome.error is not None
        if args.table is not None:
            row = outcome.value.to_row(rows.nested) if outcome.value else FAILED
            rows.add(outcome, _EMPTY | {"file": outcome.item} | row)
        elif outcome.error is None:
            say(f"{printable(outcome.item)}: {outcome.value.told()}")
    rows.write()
    return int(failed) if args.report is None else int(_report(args) or failed)


def _check_report(args):
    if args.report is None:
        return
    if args.dry_run:
        args.usage_error(f"--report {args.report} shows what was written, and --dry-run writes nothing")
    from astroclf.report import check_output

    check_output(args.report)


def _report(args):
    """Make a page of the files as they now are, those that could not be tagged among them; return the exit status."""
    if args.output_dir:
        outputs = ((file, _place(file, args.output_dir, args.sidecar)) for file in args.files)
        args.files = [str(output) if output.exists() else file for file, output in outputs]
    return save_report(args, args.report, tell=say if args.table is None else complain)


def _pass_over_sidecars(args):
    """Leave out sidecars, so that all FITS files of a folder can be named again; not if there is nothing else."""
    from astroclf.tags.sidecar import is_sidecar

    sidecars = [file for file in args.files if is_sidecar(file)]
    if len(sidecars) < len(args.files):
        args.files = [file for file in args.files if file not in sidecars]
        for file in sidecars:
            complain("warning: passed over: a sidecar has no pixels", file)


def _outputs(file, output_dir, png, sidecar):
    from astroclf.annotation import picture_path

    yield _place(file, output_dir, sidecar) or Path(file)
    if png:
        yield picture_path(Path(file), output_dir)


def _place(file, output_dir, sidecar):
    """Return where the copy of a file goes, or its sidecar; None for the file itself."""
    if not sidecar:
        return output_of(file, output_dir)
    from astroclf.tags.sidecar import sidecar_path

    return sidecar_path(file, output_dir)


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
        output = _place(file, output_dir, options["sidecar"])
        if dry_run:
            return _Tagged(prediction, changes=tuple(_changes(file, prediction, output, options)))
        if not png:
            return _Tagged(prediction, (_write(file, prediction, output, options),))
        explanation = classifier.explain(frame, prediction.label) if explain else None
        return _write_and_draw(frame, file, prediction, output, options, drawing | {"explanation": explanation})

    return tag_one


def _changes(file, prediction, output, options):
    from astroclf.tags import plan_tags

    with stand_in(output) as place:
        return shown_changes(plan_tags(file, prediction, output=place, **options))


def _write(file, prediction, output, options):
    from astroclf import write_tags

    write_tags(file, prediction, output=output, **options)
    return str(output or file)


def _write_and_draw(frame, file, prediction, output, options, drawing):
    """Draw first and save last: what can go wrong with the picture goes wrong before the file is touched."""
    from astroclf import annotate
    from astroclf.annotation import save_annotated

    picture = _free_picture(_pictured(file, output, options))
    figure = annotate(frame, prediction, **drawing)
    written = _write(file, prediction, output, options)
    save_annotated(figure, picture)
    return _Tagged(prediction, (written,), str(picture))


def _pictured(file, output, options):
    """Return the file that a picture goes beside: a copy, or the place of one beside a sidecar."""
    return output.with_name(Path(file).name) if output and options["sidecar"] else output or file


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
    outputs = [_place(file, output_dir, options["sidecar"]) for file in files]
    jobs = [(file, prediction.written_to(f.origin), output) for file, f, output in zip(files, frames, outputs)]
    if dry_run:
        lines = [line for job in jobs for line in (f"{printable(job[0])}:", *_changes(*job, options))]
        return _Tagged(prediction, changes=tuple(lines))
    draw = _drawing(frames, prediction, _pictured(files[0], outputs[0], options), drawing) if png else None
    written, errors = _write_all(jobs, options)
    picture = draw() if draw and written else None
    if errors:
        raise AstroclfError("; ".join(errors))
    return _Tagged(prediction, tuple(written), picture)


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
    written, errors = [], []
    for file, prediction, output in jobs:
        try:
            written.append(_write(file, prediction, output, options))
        except (AstroclfError, OSError) as error:
            errors.append(f"{file}: {reason(error).removeprefix(f'{file}: ')}")
    return written, errors
