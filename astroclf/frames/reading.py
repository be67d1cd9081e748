# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""What a layout hands back, and how its parts become a frame."""

from dataclasses import dataclass, replace
from operator import index as integer

import numpy as np
from astropy import units as u
from astropy.io import fits
from astropy.nddata import CCDData
from astropy.wcs import WCS

from astroclf.exceptions import EmptyFrameError, FrameError
from astroclf.frames.facts import header_facts, not_sky
from astroclf.frames.files.limits import check_image, check_pixels
from astroclf.frames.files.quiet import quiet, refusing
from astroclf.frames.files.tiles import decoded
from astroclf.frames.frame import Exposure, Frame, Origin
from astroclf.frames.quality import blocks, outside

__all__ = ["Reading", "hdu_name", "image_array", "image_shape", "image_wcs", "is_image", "to_frame", "unit_of"]

_SMALLEST = 16
_SLAB = 2**22

_UNITS = {
    "ELECTRONS": u.electron, "ELECTRON": u.electron, "E-": u.electron, "E": u.electron,
    "ELECTRONS/S": u.electron / u.s, "ELECTRON/S": u.electron / u.s, "E-/S": u.electron / u.s,
    "COUNTS": u.adu, "COUNTS/S": u.adu / u.s, "DN": u.adu, "DN/S": u.adu / u.s, "ADU": u.adu,
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Reading:
    """
    The image a layout found in a file.

    Parameters
    ----------
    data : `~numpy.ndarray` of float32, shape (ny, nx)
        The image.
    science, quality : tuple of int
        Indices of the HDUs read: images, and their data quality.
    bad, saturated, cosmic_ray, unexposed : `~numpy.ndarray` of bool, shape (ny, nx), or None
        Pixels without information; in full wells; repaired or to be ignored; never exposed.
    unit : `~astropy.units.UnitBase` or None
        Unit of ``data``; by default that of the first image HDU.
    layout : str
        Name of the layout.
    exposure : Exposure
        What became of the cosmic rays.
    product : str
        As in `~astroclf.frames.Facts`.
    gain, readnoise : tuple of float
        As in `~astroclf.frames.Facts`.
    steps : tuple of str
        What was done to the pixels, in order, for people.
    notes : tuple of str
        What the user should know.
    corner : tuple of int
        Row and column of the first image HDU that became row and column 0 of ``data``.
    wcs : `~astropy.wcs.WCS` or None
        World coordinates of ``data``; by default those of the first image HDU, cut at ``corner``.
    plane : int or None
        The plane of a cube that was read, counted from 1.
    colours : `~numpy.ndarray` of uint8, shape (ny, nx, 3), or None
        Of a picture in colour its channels, of which ``data`` is the mean.
    """

    data: np.ndarray
    science: tuple[int, ...]
    quality: tuple[int, ...] = ()
    bad: np.ndarray | None = None
    saturated: np.ndarray | None = None
    cosmic_ray: np.ndarray | None = None
    unexposed: np.ndarray | None = None
    unit: u.UnitBase | None = None
    layout: str = "plain"
    exposure: Exposure = Exposure.UNKNOWN
    product: str = ""
    gain: tuple[float, ...] = ()
    readnoise: tuple[float, ...] = ()
    steps: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    corner: tuple[int, int] = (0, 0)
    wcs: WCS | None = None
    plane: int | None = None
    colours: np.ndarray | None = None


def to_frame(reading, hdul, name, *, datasum=None, **origin):
    """
    Make a frame of what a layout read.

    Parameters
    ----------
    reading : Reading
        The parts.
    hdul : `~astropy.io.fits.HDUList`
        Where they came from.
    name : str
        What to call it in messages.
    datasum : callable, optional
        Returns the DATASUM of the HDU of an index.
    **origin
        ``path``, ``fingerprint`` and ``url``, as in `~astroclf.frames.Origin`.

    Returns
    -------
    frame : `~astroclf.Frame`
        Data in float32.

    Raises
    ------
    FrameError
        If the image has fewer than 16 pixels on a side.
    EmptyFrameError
        If no pixel is finite and unmasked.
    """
    data = np.ascontiguousarray(reading.data, np.float32)
    if min(data.shape) < _SMALLEST:
        msg = f"{name}: the image is {data.shape[1]} x {data.shape[0]} pixels; at least {_SMALLEST} a side are needed"
        raise FrameError(msg)
    mask, quality, saturated = _judge(data, reading)
    if mask.all():
        msg = f"{name}: no pixel of the {data.shape[1]} x {data.shape[0]} image is finite and unmasked"
        raise EmptyFrameError(msg)
    first = hdul[reading.science[0]]
    header = hdul[0].header.copy()
    if first is not hdul[0]:
        header.extend(first.header.copy(), unique=True)
    sums = tuple(str(datasum(i)) for i in (*reading.science, *reading.quality)) if datasum else ()
    part = f"[*,*,{reading.plane}]" if reading.plane else ""
    names = tuple(hdu_name(hdul, index) + part for index in reading.science)
    unit = reading.unit or unit_of(first.header)
    wcs = reading.wcs or image_wcs(first.header, hdul, reading.corner)
    facts = header_facts(header)
    present = tuple(hdu_name(hdul, index) for index in range(len(hdul)))
    return Frame(
        CCDData(data, unit=unit, mask=mask, meta=header, wcs=wcs),
        quality=quality,
        saturated=saturated,
        facts=replace(facts, product=reading.product, gain=reading.gain, readnoise=reading.readnoise),
        origin=Origin(hdus=names, datasums=sums, present=present, **origin),
        layout=reading.layout,
        exposure=reading.exposure,
        steps=reading.steps,
        notes=(*reading.notes, *not_sky(header), *_constant(data, mask)),
        colours=reading.colours,
    )


def _constant(data, mask):
    """Return a note if all good pixels have one value."""
    value = data[np.unravel_index(np.argmin(mask), mask.shape)]
    different = (((data[rows] != value) & ~mask[rows]).any() for rows in blocks(len(data)))
    return () if any(different) else (f"every good pixel has the value {value:g}: nothing was recorded",)


def _judge(data, reading):
    """Return the mask, and the fractions of the exposed pixels that are unusable, and saturated if that is known."""
    masks = reading.bad, reading.saturated, reading.cosmic_ray, reading.unexposed, _beyond(data, reading.unexposed)
    mask, counts = np.empty(data.shape, bool), np.zeros(3, int)
    for rows in blocks(len(data)):
        bad, saturated, rays, unexposed, beyond = (np.False_ if m is None else m[rows] for m in masks)
        lost = ~np.isfinite(data[rows])
        exposed = np.broadcast_to(np.logical_not(unexposed | beyond), lost.shape)
        unusable = bad | saturated | lost
        counts += [np.count_nonzero(part & exposed) for part in (exposed, unusable, saturated)]
        mask[rows] = bad | rays | ~exposed | lost
    exposed, unusable, full = map(int, counts)
    share = unusable / exposed if exposed else 1.0
    return mask, share, None if reading.saturated is None else full / max(exposed, 1)


def _beyond(data, unexposed):
    """Return what is not finite and connected to the border, unexposed pixels being no way out; None if nothing is."""
    for rows in blocks(len(data)):
        known = np.isfinite(data[rows])
        if not (known if unexposed is None else known | unexposed[rows]).all():
            finite = np.isfinite(data)
            return outside(finite if unexposed is None else finite | unexposed)
    return None


def image_wcs(header, hdul, corner=(0, 0)):
    """
    Return the celestial WCS of an image.

    Parameters
    ----------
    header : `~astropy.io.fits.Header`
        Header of the image.
    hdul : `~astropy.io.fits.HDUList`
        Its file, for distortions kept as tables.
    corner : tuple of int, optional
        Row and column at which the image was cut.

    Returns
    -------
    wcs : `~astropy.wcs.WCS` or None
        None where there is none that works.
    """
    header = header.copy()
    with quiet():
        try:
            for keyword, cut in zip(("CRPIX2", "CRPIX1"), corner):
                if keyword in header:
                    header[keyword] -= cut
            wcs = WCS(header, hdul).celestial
        except Exception:  # wcslib and astropy raise a dozen kinds for broken keywords
            return None
    return wcs if wcs.has_celestial else None


def hdu_name(hdul, index):
    """Return ``NAME,VER`` of an HDU that has a name, else its index; ``0`` for the primary."""
    hdu = hdul[index]
    return f"{hdu.name},{hdu.ver}" if index and hdu.name else str(index)


def image_array(hdul, index, name, plane=None, axis=0):
    """
    Return the 2-D image of an HDU, however many degenerate axes it has.

    Parameters
    ----------
    hdul : `~astropy.io.fits.HDUList`
        The file.
    index : int
        Index of the HDU.
    name : str
        What to call the file in messages.
    plane : int, optional
        Which plane of a cube, counted from 1 along its third axis.
    axis : int, optional
        Which axis of the cube, as an array, its planes are along.

    Returns
    -------
    data : `~numpy.ndarray`, shape (ny, nx)
        A new array, in native byte order: integers as stored, other numbers as float32; BSCALE, BZERO and
        BLANK applied. An array that the archive keeps as one number (NPIX1, NPIX2, PIXVALUE) is filled
        out; it is read-only.

    Raises
    ------
    FrameError
        If it is no image, empty, cut short, larger than `LARGEST_IMAGE`, a cube of which no plane is named,
        or has more than three axes longer than 1.
    """
    hdu, where = hdul[index], f"{name}: HDU {hdu_name(hdul, index)}"
    if not _holds_pixels(hdu):
        msg = f"{where} is a {type(hdu).__name__.strip('_')}, not an image; name an image HDU with hdu="
        raise FrameError(msg)
    shape = tuple(n for n in hdu.shape if n != 1)
    if not hdu.shape:
        return _constant_array(hdu.header, where)
    if 0 in shape or len(shape) < 2:
        msg = f"{where} has the shape {hdu.shape}; an image needs two axes of more than one pixel"
        raise FrameError(msg)
    part = _part(hdu, shape, plane, axis, where)
    ny, nx = (length for length, which in zip(hdu.shape, part) if which == slice(None) and length != 1)
    with refusing(where):
        check_image(hdu, (ny, nx), where)
        return _slab_by_slab(hdu, part, (ny, nx))


def _part(hdu, shape, plane, axis, where):
    """Return the index of an image in the array of an HDU, whose longer axes are ``shape``."""
    full = hdu.shape
    long = [axis for axis, length in enumerate(full) if length != 1]
    part = [slice(None) if axis in long else 0 for axis in range(len(full))]
    if len(shape) == 2 and plane is None:
        return part
    if len(shape) != 3:
        msg = f"{where} has the shape {full}, " + ("not that of a cube" if plane else "more than the axes of a cube")
        raise FrameError(msg)
    if plane is None:
        kind = str(hdu.header.get(f"CTYPE{len(full) - long[0]}", "")).strip()
        planes = f"{shape[0]} planes" + (f" along {kind}" if kind else "")
        msg = f"{where} is a cube of {planes} (shape {full}); choose one with plane=, from 1 to {shape[0]}"
        raise FrameError(msg)
    if not 1 <= plane <= shape[axis]:
        msg = f"{where} has the planes 1 to {shape[axis]}; got plane={plane!r}"
        raise FrameError(msg)
    part[long[axis]] = plane - 1
    return part


def _slab_by_slab(hdu, part, shape):
    """Return an image of an HDU; of a file only some rows at a time are held in the form stored there."""
    (ny, nx), axis, source, data = shape, part.index(slice(None)), _stored(hdu), None
    whole = isinstance(hdu, fits.CompImageHDU) or _in_memory(hdu)
    step = max(ny if whole else _SLAB // (nx * abs(hdu.header["BITPIX"]) // 8), 1)
    for start in range(0, ny, step):
        part[axis] = slice(start, min(start + step, ny))
        slab = np.asarray(source[tuple(part)])
        if data is None:
            kind = np.float32 if slab.dtype.kind == "f" else slab.dtype.newbyteorder("=")
            data = np.empty(shape, kind)
        with np.errstate(over="ignore"):
            data[start : start + step] = slab.reshape(-1, nx)
    return _without_blanks(data, hdu.header)


def _without_blanks(data, header):
    """Return unsigned integers with NaN where they are BLANK; astropy does so for all other types."""
    blank = header.get("BLANK")
    if data.dtype.kind != "u" or not isinstance(blank, int):
        return data
    physical = blank + int(header.get("BZERO", 0))
    return np.where(data == physical, np.float32(np.nan), data.astype(np.float32)) if (data == physical).any() else data


def _stored(hdu):
    """Return what to slice of an HDU and leave it alone: reading ``data`` rewrites BITPIX, BSCALE and BZERO."""
    if _in_memory(hdu):
        return hdu.data
    return decoded(hdu) if isinstance(hdu, fits.CompImageHDU) else hdu.section


def _in_memory(hdu):
    return "data" in vars(hdu) or hdu.fileinfo() is None


def _constant_array(header, where):
    if not {"NPIX1", "NPIX2", "PIXVALUE"} <= set(header):
        msg = f"{where} has no data; name an image HDU with hdu="
        raise FrameError(msg)
    with refusing(where):
        shape = integer(header["NPIX2"]), integer(header["NPIX1"])
        check_pixels(shape, where)
        return np.broadcast_to(header["PIXVALUE"], shape)


def image_shape(hdu):
    """Return the shape (ny, nx) of the image `image_array` makes of an HDU that holds one."""
    if not hdu.shape:
        return hdu.header.get("NPIX2"), hdu.header.get("NPIX1")
    return tuple(n for n in hdu.shape if n != 1)[-2:]


def unit_of(header):
    """Return the unit BUNIT names, Hubble's plurals included; `~astropy.units.adu` where it is silent or odd."""
    text = str(header.get("BUNIT", "")).strip()
    if text.upper() in _UNITS:
        return _UNITS[text.upper()]
    try:
        return u.Unit(text) if text else u.adu
    except (ValueError, TypeError):
        return u.adu


def is_image(hdu):
    """Return whether an HDU can be an image: two axes of more than one pixel, or kept as one number."""
    return _holds_pixels(hdu) and (len([n for n in hdu.shape if n > 1]) >= 2 or "PIXVALUE" in hdu.header)


def _holds_pixels(hdu):
    kinds = fits.PrimaryHDU, fits.ImageHDU, fits.CompImageHDU
    return isinstance(hdu, kinds) and not isinstance(hdu, fits.GroupsHDU)
