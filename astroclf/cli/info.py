# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""``astroclf info``: what files are and what would be done with them."""

from functools import partial
from textwrap import wrap

from astroclf.cli.common import (
    add_file_arguments,
    add_parser,
    add_part_arguments,
    open_frame,
    outcomes,
    printable,
    say,
)
from astroclf.cli.tables import FAILED, Rows, add_table_argument

__all__ = ["add_verb", "info"]

_DESCRIPTION = """\
Print what files are: telescope, filter, exposure, which HDUs were read and how, where the image lies on
the sky, which pixels are unusable, and what the pipeline would do with it. Nothing is classified and
nothing is written."""

_EXAMPLES = """
astroclf info m51.fits
astroclf info --hdu SCI,2 jb5g05ubq_flt.fits
astroclf info -t csv night1/*.fits > night1.csv
"""

_MANY_HDUS = 12
_WIDTH = 120


def add_verb(verbs):
    """
    Add the verb to the command line.

    Parameters
    ----------
    verbs : argparse subparsers
        What to add it to.
    """
    parser = add_parser(verbs, "info", info, "print what files are, classify nothing", _DESCRIPTION, _EXAMPLES)
    add_file_arguments(parser)
    add_part_arguments(parser)
    add_table_argument(parser, "a block of text a file")


def info(args):
    """
    Print what files are.

    Parameters
    ----------
    args : `~argparse.Namespace`
        Parsed arguments.

    Returns
    -------
    status : int
        1 if a file could not be read, else 0.
    """
    rows, failed, gap = Rows(args.table), False, ""
    for outcome in outcomes(partial(_make, args.hdu, args.plane), args):
        failed |= outcome.error is not None
        if args.table is not None:
            rows.add(outcome, _row(outcome, nested=rows.nested))
        elif outcome.error is None:
            say(gap + _block(outcome.item, outcome.value))
            gap = "\n"
    rows.write()
    return int(failed)


def _make(hdu, plane):
    from astroclf import summarize

    return lambda file: summarize(open_frame(file, hdu, plane))


def _row(outcome, nested):
    """Return the row of a file, in which lists stay lists or become text."""
    row = dict.fromkeys(("file", "status")) | (outcome.value or FAILED) | {"file": outcome.item}
    return row if nested else {name: _flat(value) for name, value in row.items()}


def _flat(value):
    return "; ".join(map(str, value)) if isinstance(value, tuple) else value


def _block(file, summary):
    """Return what people read of one file; lines about which nothing is known are left out."""
    lines = []
    for name, texts in _lines(summary):
        for text in texts:
            lines += wrap(printable(text), _WIDTH, initial_indent=f"  {name:12} ", subsequent_indent=" " * 17)
            name = ""
    return "\n".join([printable(file), *lines])


def _lines(found):
    """Yield the name of each line, and its text or texts."""
    for name, describe in _DESCRIBED.items():
        texts = describe(found)
        yield name, (texts,) if isinstance(texts, str) and texts else texts


def _observation(found):
    camera = "/".join(part for part in (found["instrument"], found["detector"]) if part)
    pivot = f" (pivot {_wavelength(found['pivot_nm'])})" if found["pivot_nm"] else ""
    exptime = "" if found["exptime_s"] is None else f"{found['exptime_s']:g} s"
    phrases = found["telescope"], camera, found["filter"] + pivot, exptime, found["date"]
    return ", ".join(phrase for phrase in phrases if phrase.strip())


def _wavelength(nanometres):
    return f"{nanometres:.1f} nm" if nanometres < 1000 else f"{nanometres / 1000:.3f} um"


def _file(found):
    from astroclf.frames import GENERIC

    generic = any(layout.name == found["layout"] for layout in GENERIC)
    layout = f"generic layout ({found['layout']})" if generic else f"layout {found['layout']}"
    product = f", product {found['product']}" if found["product"] else ""
    return f"{layout}{product}{_hdus(found['hdus'], found['hdus_present'])}"


def _hdus(read, present):
    if not read:
        return ""
    there = f"{len(present)} HDUs" if len(present) > _MANY_HDUS else " ".join(present)
    return f"; read HDU {' '.join(read)}" + (f" of {there}" if len(present) > 1 else "")


def _image(found):
    return f"{found['nx']} x {found['ny']} pixels, {found['unit']}"


def _sky(found):
    if found["ra_deg"] is None:
        return "the WCS has no one scale on the sky" if found["wcs"] else "no WCS"
    scale, width, height = found["scale_arcsec"], found["width_arcmin"], found["height_arcmin"]
    east = "right: mirrored" if found["mirrored"] else "left"
    return (
        f"RA {found['ra_deg']:.5f} Dec {found['dec_deg']:+.5f} deg, {scale:.3g} arcsec/pixel, {_field(width, height)}",
        f"north {_turn(found['north_deg'])}, east to its {east}",
    )


def _field(width, height):
    side = max(width, height)
    size, unit = (60, "arcsec") if side < 1 else (1, "arcmin") if side < 120 else (1 / 60, "deg")
    return f"{width * size:.3g} x {height * size:.3g} {unit}"


def _turn(degrees):
    if abs(degrees) < 0.5:
        return "up"
    return f"{abs(degrees):.0f} deg {'counterclockwise' if degrees > 0 else 'clockwise'} from up"


def _pixels(found):
    parts = [f"{_percent(found['unusable'])} unusable", f"{_percent(found['masked'])} masked"]
    if found["saturated"] is not None:
        parts.append(f"{_percent(found['saturated'])} saturated")
    return ", ".join(parts)


def _percent(fraction):
    if fraction == 0:
        return "none"
    return "under 0.01 %" if fraction < 1e-4 else f"{100 * fraction:.2g} %"


def _amplifiers(found):
    gain = f"gain {' '.join(f'{value:g}' for value in found['gain'])} e-/DN" if found["gain"] else ""
    noise = f"read noise {' '.join(f'{value:g}' for value in found['readnoise'])} e-" if found["readnoise"] else ""
    return ", ".join(text for text in (gain, noise) if text)


def _cosmic_rays(found):
    return f"{'looked for' if found['cosmic_rays'] else 'not looked for'}: {found['cosmic_rays_why']}"


def _background(found):
    tilt = f", tilted by {found['sky_range']:.3g} across the image" if found["sky_range"] else ""
    pattern = f"; stripes or steps of up to {found['pattern']:.3g} taken out" if found["pattern"] else ""
    return f"{found['sky']:.4g} {found['unit']}{tilt}; noise {found['sky_noise']:.3g} per reduced pixel{pattern}"


def _rendering(found):
    whole = found["columns"] == (1, found["nx"]) and found["rows"] == (1, found["ny"])
    (left, right), (bottom, top) = found["columns"], found["rows"]
    part = "the whole image" if whole else f"columns {left} to {right}, rows {bottom} to {top}"
    reduced = f"{part} reduced to {found['reduced_nx']} x {found['reduced_ny']}"
    return f"{reduced}, settings {found['preprocessing']}", found["stretch"]


_DESCRIBED = {
    "observation": _observation,
    "target": lambda found: found["target"],
    "file": _file,
    "image": _image,
    "sky": _sky,
    "pixels": _pixels,
    "amplifiers": _amplifiers,
    "reader": lambda found: found["steps"],
    "cosmic rays": _cosmic_rays,
    "background": _background,
    "rendering": _rendering,
    "model": lambda found: f"{found['model']} (not run)",
}
"""The lines of a block, in their order."""
