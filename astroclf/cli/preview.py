# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""``astroclf preview``: every stage of the line as one figure."""

from dataclasses import replace
from functools import partial
from pathlib import Path

from astroclf.cli.common import (
    add_file_arguments,
    add_parser,
    add_part_arguments,
    open_frame,
    outcomes,
    printable,
    say,
)
from astroclf.exceptions import AstroclfError

__all__ = ["add_verb", "preview"]

_DESCRIPTION = """\
Draw what each stage of the line makes of a frame, in six panels: the frame as read, what is masked and
replaced, the sky, the frame without it, the picture the network sees, and how it is stretched. Nothing is
classified, and the files stay as they are.

The figure is <name without .fits[.gz|.bz2|.fz]>_preview.png, beside the file unless -o says where; of a
remote file, in the current folder. A file that exists there is overwritten only if astroclf made it.
With other settings than the model's, it shows what these would do; the model's do not change."""

_EXAMPLES = """
astroclf preview m51.fits
astroclf preview m51.fits -o m51.png --theme dark
astroclf preview -o previews/ -j 4 night1/*.fits
astroclf preview m51.fits --background-model mesh --save-background sky.fits
"""

_ENDING = "_preview"
_THEMES = "light", "dark"
_CURVES = "asinh", "log", "sqrt", "linear"
_INTERVALS = "noise", "zscale", "percentile", "minmax"
_MODELS = "plane", "constant", "mesh"


def add_verb(verbs):
    """
    Add the verb to the command line.

    Parameters
    ----------
    verbs : argparse subparsers
        What to add it to.
    """
    parser = add_parser(verbs, "preview", preview, "draw every stage of the line", _DESCRIPTION, _EXAMPLES)
    add_file_arguments(parser)
    add_part_arguments(parser)
    parser.add_argument(
        "-o", "--output", metavar="PNG|DIR", type=Path, help="write to this .png, or to this folder, made if need be"
    )
    parser.add_argument("--theme", choices=_THEMES, default="light", help="colours of the page (default: light)")
    parser.add_argument("--stretch", choices=_CURVES, help="instead of the model's stretch")
    parser.add_argument("--interval", choices=_INTERVALS, help="instead of the model's choice of black and white")
    parser.add_argument("--background-model", choices=_MODELS, help="instead of the model's model of the sky")
    parser.add_argument(
        "--save-background", metavar="FITS", type=Path, help="also write the sky of the one FILE, in its unit, as FITS"
    )
    parser.add_argument("--overwrite", action="store_true", help="let --save-background replace a file that exists")


def preview(args):
    """
    Draw the stages of files.

    Parameters
    ----------
    args : `~argparse.Namespace`
        Parsed arguments.

    Returns
    -------
    status : int
        1 if a file failed, else 0.
    """
    outputs = _check_outputs(args)
    if args.output and not _is_picture(args.output):
        args.output.mkdir(parents=True, exist_ok=True)
    reader = partial(open_frame, hdu=args.hdu, plane=args.plane)
    settings = {"curve": args.stretch, "interval": args.interval, "model": args.background_model}
    factory = partial(_make, reader, outputs, settings, args.theme, args.save_background, args.overwrite)
    failed = False
    for outcome in outcomes(factory, args):
        failed |= outcome.error is not None
        if outcome.value is not None:
            say(f"{printable(outcome.item)} -> {printable(outcome.value)}")
    return int(failed)


def _is_picture(path):
    return path.suffix.lower() == ".png" and not path.is_dir()


def _check_outputs(args):
    """Refuse wrong usage before any work is done; return where the figure of each file goes."""
    several = len(args.files) > 1
    if args.output and not _is_picture(args.output) and args.output.exists() and not args.output.is_dir():
        args.usage_error(f"-o {args.output} is neither a .png nor a folder")
    if several and args.output and _is_picture(args.output):
        args.usage_error(f"-o {args.output} is one picture, and there are {len(args.files)} files; use -o DIR")
    if several and args.save_background:
        args.usage_error(f"--save-background {args.save_background} is for one FILE; there are {len(args.files)}")
    if args.overwrite and not args.save_background:
        args.usage_error("--overwrite is for --save-background")
    outputs = {}
    for file in args.files:
        output = _output(file, args.output)
        others = {known.resolve(): other for other, known in outputs.items() if other != file}
        if output.resolve() in others:
            other = printable(others[output.resolve()])
            args.usage_error(f"{other} and {printable(file)} would both write {output}; draw them one by one")
        outputs[file] = output
    _check_inputs(args, outputs)
    return outputs


def _check_inputs(args, outputs):
    """Refuse to write over a file that is to be read."""
    inputs = {Path(file).resolve() for file in args.files}
    for option, path in [("-o", path) for path in outputs.values()] + [("--save-background", args.save_background)]:
        if path is not None and path.resolve() in inputs:
            args.usage_error(f"{option}: {path} is one of the files to read")


def _output(file, output):
    """Return where the figure of a file goes."""
    from astroclf.annotation import picture_path
    from astroclf.frames.files.remote import is_url, url_name

    if output and _is_picture(output):
        return output
    if is_url(file):
        return picture_path(url_name(file), output or ".", ending=_ENDING)
    return picture_path(file, output, ending=_ENDING)


def _make(reader, outputs, settings, theme, background, overwrite):
    from astroclf.annotation import draw_preview, save_annotated
    from astroclf.model.record import load_record
    from astroclf.products import save_background

    preprocessor = _with_settings(load_record().preprocessor, settings)

    def draw(file):
        output = outputs[file]
        _check_free(output, background, overwrite)
        stages = preprocessor.stages(reader(file))
        if background is not None:
            save_background(stages, background, preprocessor=preprocessor, overwrite=overwrite)
        save_annotated(draw_preview(stages, preprocessor=preprocessor, theme=theme), output)
        return str(output) if background is None else f"{output}, {background}"

    return draw


def _with_settings(preprocessor, settings):
    """Return a preprocessor with those settings that are given."""
    stretch = {name: settings[name] for name in ("curve", "interval") if settings[name]}
    background = {"model": settings["model"]} if settings["model"] else {}
    return replace(
        preprocessor,
        stretch=replace(preprocessor.stretch, **stretch),
        background=replace(preprocessor.background, **background),
    )


def _check_free(output, background, overwrite):
    """Refuse early what would be refused once all is drawn."""
    from astroclf.annotation import is_annotated

    if output.exists() and not is_annotated(output):
        msg = f"{output} exists and was not made by astroclf: move it away, or use -o"
        raise AstroclfError(msg)
    if background is not None and background.exists() and not overwrite:
        msg = f"{background} exists: choose another name for --save-background, or use --overwrite"
        raise AstroclfError(msg)
