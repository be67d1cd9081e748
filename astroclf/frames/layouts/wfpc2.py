# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""WFPC2: raw and calibrated frames, an extension or a plane of a cube a chip."""

from collections import ChainMap
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from astropy import units as u
from astropy.stats import sigma_clipped_stats

from astroclf.exceptions import FrameError
from astroclf.frames.files.containers import open_local, open_stream
from astroclf.frames.files.hdus import find_hdus
from astroclf.frames.files.quiet import quiet
from astroclf.frames.frame import Exposure
from astroclf.frames.layouts.imsets import quality_array, science_hdus
from astroclf.frames.layouts.wfpc2_geometry import CHIPS
from astroclf.frames.layouts.wfpc2_mosaic import Exposed, put_together
from astroclf.frames.quality import WFPC2 as BITS
from astroclf.frames.reading import Reading, image_array, image_shape, is_image, unit_of

__all__ = ["WFPC2"]

_SIDE = 800
_BINNINGS = {"FULL": 1, "AREA": 2}
_TOP = 4095
_LIKELY_SATURATED = 3500
_LEAST_DARK = 100
_CALIBRATIONS = ("MASKCORR", "ATODCORR", "BLEVCORR", "BIASCORR", "DARKCORR", "FLATCORR")
_NO_IMAGE = {"SDQ": "data quality", "EDQ": "data quality", "EXT": "engineering data", "SHP": "a support packet"}


@dataclass(frozen=True)
class _Image:
    """Where a file has the image of one chip: number of the chip, HDU, plane of a cube or None, and its keywords."""

    detector: int
    hdu: int
    plane: int | None
    cards: Mapping


@dataclass(frozen=True)
class _Flags:
    """Data quality by number of the chip, the HDUs it is from, and what is to be said of it."""

    arrays: dict[int, np.ndarray]
    hdus: tuple[int, ...] = ()
    steps: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class _WFPC2:
    """
    One exposure with up to four chips.

    Multi-extension files (``c0m``, ``d0m``, ``flt``) have a SCI extension a chip; waivered ones (``c0f``, ``d0f``) a
    cube, with a table of the keywords of each plane. DETECTOR tells which chip it is. Several chips are put together
    on the sky; a single one stays as it is. Flags of ``c0`` and ``d0`` files are in files ``c1`` and ``q0``, which
    are read where they lie in the same folder.
    """

    name = "wfpc2"

    def matches(self, hdul):
        """Return whether a file holds chips of WFPC2 as they were exposed: not drizzled."""
        header = hdul[0].header
        if str(header.get("INSTRUME")).strip() != "WFPC2" or _resampled(hdul):
            return False
        side = _SIDE // _binning(header)
        science = _extensions(hdul)
        if science:
            chips = [hdul[index].header.get("DETECTOR") for index in science]
            large = any(max(n or 0 for n in image_shape(hdul[index])) > side for index in science)
            return set(chips) <= set(CHIPS) and len(set(chips)) == len(chips) and not large
        shape = hdul[0].shape if is_image(hdul[0]) else ()
        if len(shape) == 2:
            return header.get("DETECTOR") in CHIPS and shape == (side, side)
        return len(shape) == 3 and shape[0] <= len(CHIPS) and max(shape) <= side

    def read(self, hdul, name):
        """Return all chips as a `Reading`, in electrons where ATODGAIN is known."""
        header = hdul[0].header
        kind = str(header.get("FILETYPE") or hdul[-1].name).strip()
        if kind in _NO_IMAGE:
            msg = f"{name}: FILETYPE = {kind!r}: it holds {_NO_IMAGE[kind]}, not an image; name the science file"
            raise FrameError(msg)
        images = _images(hdul, name)
        product = _product(hdul)
        flags = _flags(hdul, images, product, name)
        parts = [_exposed(hdul, image, flags, product, name) for image in images]
        steps = flags.steps
        if product.startswith("d0"):
            parts, steps = _without_bias(parts, steps)
        parts, unit, steps = _in_electrons(parts, unit_of(hdul[images[0].hdu].header), header.get("ATODGAIN"), steps)
        layers, steps = _together(parts, steps)
        if not flags.arrays and _full(hdul, images[0], product) is None:
            layers["saturated"] = None
        return Reading(
            **layers,
            science=tuple(dict.fromkeys(image.hdu for image in images)),
            quality=flags.hdus,
            unit=unit,
            layout=self.name,
            exposure=Exposure.COMBINED if product == "crj" else Exposure.SINGLE,
            product=product,
            gain=_of_chips("gains", parts, header),
            readnoise=_of_chips("readnoises", parts, header),
            steps=steps,
            notes=flags.notes,
        )


def _resampled(hdul):
    """Return whether images are drizzled, or binned after they were read out."""
    header = hdul[0].header
    drizzled = header.get("DRIZCORR") == "COMPLETE" or "NDRIZIM" in header
    return drizzled or any(hdu.name == "WHT" or hdu.header.get("LTM1_1", 1) != 1 for hdu in hdul)


def _binning(header):
    """Return how many pixels of a chip, along either axis, make one: AREA mode sums them on the chip."""
    return _BINNINGS.get(str(header.get("MODE")).strip(), 1)


def _product(hdul):
    """Return the usual suffix of a file: of which stage it is; empty where no switch of the pipeline says so."""
    header = hdul[0].header
    switches = {str(header.get(key)).strip() for key in _CALIBRATIONS}
    if header.get("CRCORR") == "COMPLETE" or str(header.get("NCOMBINE", 1)).strip() not in ("0", "1"):
        return "crj"
    if any(hdu.name == "DQ" for hdu in hdul):
        return "flt"
    stage = "c0" if "COMPLETE" in switches else "d0" if "PERFORM" in switches else ""
    return stage and stage + _form(hdul)


def _form(hdul):
    return "m" if _extensions(hdul) else "f"


def _extensions(hdul):
    """Return the indices of the extensions with chips: SCI, or SDQ in files of data quality."""
    return science_hdus(hdul) or tuple(index for index, hdu in enumerate(hdul) if hdu.name == "SDQ" and is_image(hdu))


def _images(hdul, name):
    """Return the images of the chips, in the order of their numbers."""
    science = _extensions(hdul)
    if science:
        found = [_Image(hdul[index].header["DETECTOR"], index, None, hdul[index].header) for index in science]
    else:
        found = _groups(hdul, name)
    return sorted(found, key=lambda image: image.detector)


def _groups(hdul, name):
    """Return the images of a waivered file: the planes of its cube, with the rows of its table as keywords."""
    header, shape = hdul[0].header, hdul[0].shape
    count = shape[0] if len(shape) == 3 else 1
    table = next((hdu for hdu in hdul[1:] if hasattr(hdu, "columns") and "DETECTOR" in hdu.columns.names), None)
    if table is None and count == 1 and header.get("DETECTOR") in CHIPS:
        return [_Image(header["DETECTOR"], 0, None, header)]
    rows = [dict(zip(table.columns.names, row)) for row in table.data] if table is not None else []
    chips = table.data["DETECTOR"].tolist() if table is not None else []
    if len(chips) != count or len(set(chips)) != count or not set(chips) <= set(CHIPS):
        msg = (
            f"{name}: the cube has {count} planes, and the table of their keywords gives DETECTOR = {chips}, not one "
            "of 1 to 4 for each; read one plane with plane="
        )
        raise FrameError(msg)
    return [
        _Image(chip, 0, plane if count > 1 else None, ChainMap(_known(row), header))
        for plane, (chip, row) in enumerate(zip(chips, rows), 1)
    ]


def _known(row):
    """Return the keywords of a row of the table that are not blank or NaN."""
    return {key: value for key, value in row.items() if value == value and str(value).strip()}


def _flags(hdul, images, product, name):
    """Return the data quality of the chips: DQ extensions, else that in the file that belongs beside this one."""
    if any(hdu.name == "DQ" for hdu in hdul):
        found = {image.detector: quality_array(hdul, image.hdu, image_shape(hdul[image.hdu]), name) for image in images}
        return _Flags({chip: dq for chip, (_, dq) in found.items()}, sum((index for index, _ in found.values()), ()))
    rootname = str(hdul[0].header.get("ROOTNAME", "")).strip().lower()
    usual = f"{rootname}_{'q0' if product.startswith('d0') else 'c1'}{_form(hdul)}.fits"
    path = _beside(name, usual) if rootname.isalnum() else None
    if path is None:
        return _Flags({}, steps=(f"found no data quality: no {usual} beside the file",))
    try:
        arrays = _quality_file(path, rootname, {image.detector: image_shape(hdul[image.hdu]) for image in images})
    except Exception as error:  # astropy raises a dozen kinds for broken files
        return _Flags({}, notes=(f"data quality was not taken from {path.name} beside the file: {error}",))
    return _Flags(arrays, steps=(f"took data quality from {path.name} beside the file",))


def _beside(file, usual):
    """Return the path of a file, plain or packed, in the folder of another; None where there is none."""
    if not Path(file).is_file():
        return None
    candidates = (Path(file).with_name(usual + suffix) for suffix in ("", ".gz", ".bz2"))
    return next((path for path in candidates if path.is_file()), None)


def _quality_file(path, rootname, shapes):
    """Return the flags in a data-quality file, by number of the chip; `FrameError` if they are of other images."""
    with open_local(path) as (stream, _), open_stream(stream, path.name) as content, quiet():
        hdul, trouble = find_hdus(content, path.name)
        if trouble:
            raise FrameError(trouble)
        other = str(hdul[0].header.get("ROOTNAME", rootname)).strip().lower()
        if other != rootname:
            msg = f"its ROOTNAME is {other}, not {rootname}"
            raise FrameError(msg)
        arrays = {
            image.detector: image_array(hdul, image.hdu, path.name, image.plane) for image in _images(hdul, path.name)
        }
    for chip in shapes.keys() & arrays.keys():
        if arrays[chip].shape != shapes[chip] or arrays[chip].dtype.kind not in "iu":
            ours, theirs = (" x ".join(map(str, shape[::-1])) for shape in (shapes[chip], arrays[chip].shape))
            msg = f"{CHIPS[chip].name} has {theirs} pixels of {arrays[chip].dtype} there, {ours} here"
            raise FrameError(msg)
    return arrays


def _exposed(hdul, image, flags, product, name):
    """Return one chip in counts, with its flags; where there are none, saturated pixels are told by their counts."""
    data = image_array(hdul, image.hdu, name, image.plane).astype(np.float32)
    dq = flags.arrays.get(image.detector)
    bad, saturated, rays = BITS.split(np.zeros(data.shape, np.int16) if dq is None else dq)
    full = _full(hdul, image, product)
    if full and (dq is None or product.startswith("d0")):
        saturated = saturated | (data >= full)
    binning = _binning(hdul[0].header)
    origin = _origin(image.cards, data.shape, _SIDE // binning, name)
    return Exposed(CHIPS[image.detector], data, bad, saturated, rays, image.cards, binning, origin)


def _origin(cards, shape, side, name):
    """Return the column and row of a chip of ``side`` pixels, from 0, on which an image cut out of it begins."""
    origin = []
    for key, size in zip(("LTV1", "LTV2"), shape[::-1]):
        value = cards.get(key) or 0
        if not isinstance(value, int | float) or not 0 <= -value <= side - size:
            msg = f"{name}: {key} = {value!r} puts {size} pixels outside a chip of {side}; read one chip with hdu="
            raise FrameError(msg)
        origin.append(-round(value))
    return tuple(origin)


def _full(hdul, image, product):
    """Return the counts from which pixels are saturated; None where counts do not tell."""
    if product.startswith("d0"):
        return _TOP
    return _LIKELY_SATURATED if product != "crj" and unit_of(hdul[image.hdu].header) == u.adu else None


def _without_bias(parts, steps):
    """Subtract from each chip the level of its pixels that no light reaches, even and odd columns by themselves."""
    levels = [_dark_levels(part) for part in parts]
    if None in levels:
        return parts, (*steps, "kept the bias: the file has too few pixels that no light reaches to measure it")
    subtracted = []
    for part, level in zip(parts, levels):
        data = part.data.copy()
        for first, value in enumerate(level):
            data[:, first::2] -= np.float32(value)
        subtracted.append(replace(part, data=data))
    words = _by_chip(parts, (np.mean(level) for level in levels), ".1f")
    return subtracted, (*steps, f"subtracted the level of the pixels that no light reaches: {words} DN")


def _dark_levels(part):
    """Return the mean counts of unlit pixels in even and in odd columns, from 0; None if they are too few."""
    ny, nx = part.data.shape
    x, y = part.pixels(np.arange(nx), np.arange(ny)[:, None])
    reach = (part.binning - 1) / 2
    column, row = part.chip.dark
    dark = ((x + reach <= column) | (y + reach <= row)) & np.isfinite(part.data) & ~part.bad
    samples = [part.data[:, first::2][dark[:, first::2]] for first in range(2)]
    if min(sample.size for sample in samples) < _LEAST_DARK:
        return None
    return tuple(float(sigma_clipped_stats(sample)[0]) for sample in samples)


def _in_electrons(parts, unit, setting, steps):
    """Apply each chip's gain to counts."""
    if unit not in (u.adu, u.adu / u.s):
        return parts, unit, steps
    if setting not in CHIPS[1].gains:
        return parts, unit, (*steps, f"kept counts: ATODGAIN = {setting} is neither 7 nor 15")
    parts = [replace(part, data=part.data * np.float32(part.chip.gains[setting])) for part in parts]
    words = _by_chip(parts, (part.chip.gains[setting] for part in parts), ".2f")
    return parts, unit / u.adu * u.electron, (*steps, f"multiplied by the gain: {words} electrons per DN")


def _of_chips(table, parts, header):
    """Return what the chips have in a table by ATODGAIN; empty if there is no such setting."""
    setting = header.get("ATODGAIN")
    return tuple(getattr(part.chip, table)[setting] for part in parts if setting in part.chip.gains)


def _by_chip(parts, values, form):
    return ", ".join(f"{part.chip.name} {value:{form}}" for part, value in zip(parts, values))


def _together(parts, steps):
    """Return the fields of a `Reading` that are images, and the world coordinates; chips in the dark are left out."""
    lit = [part for part in parts if not part.unlit().all()]
    if len(parts) == 1 or not lit:
        layers = {key: getattr(parts[0], key) for key in ("data", "bad", "saturated", "cosmic_ray")}
        return {**layers, "unexposed": parts[0].unlit()}, steps
    names = [part.chip.name for part in lit]
    step = f"put {', '.join(names)} together on the sky, without distortion, in pixels of the wide-field chips"
    if CHIPS[1].name in names:
        step += f", over which those of {CHIPS[1].name} were averaged"
    return vars(put_together(lit)), (*steps, step)


WFPC2 = _WFPC2()
"""The layout of WFPC2 frames."""
