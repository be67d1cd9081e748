# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Chips of a CCD camera: overscan taken off, data quality judged, put together as they lie on the sky."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from astropy import units as u
from astropy.io import fits

from astroclf.frames.frame import Exposure
from astroclf.frames.layouts.imsets import is_exposure, quality_array, science_hdus
from astroclf.frames.layouts.overscan import ChipGeometry, Part, UnknownGeometryError, length, whole
from astroclf.frames.quality import DQBits
from astroclf.frames.reading import Reading, hdu_name, image_array, image_shape

__all__ = [
    "CCDCamera",
    "pipeline_product",
    "what_became_of_rays",
]

_CALIBRATIONS = "DQICORR", "BLEVCORR", "BIASCORR", "DARKCORR", "FLATCORR"
_LOWER_CHIP, _UPPER_CHIP = 2, 1
_CLIP, _MAD_TO_SIGMA = 4, 1.4826
_TOP = 2**16 - 1


@dataclass(frozen=True)
class CCDCamera:
    """
    A camera of one or two chips; of two, that of CCDCHIP = 2 is the lower one.

    Parameters
    ----------
    name : str
        Name of the layout.
    instrument, detector : str
        INSTRUME and DETECTOR of its frames.
    chip : ChipGeometry
        A chip and its overscan.
    bits : DQBits
        The choice of data-quality bits.
    amplifiers : tuple of str
        Names of those that can read each chip, the lower one first.
    gap : int
        Rows between two chips.
    electronics : mapping
        For a commanded gain (CCDGAIN), the calibrated gain in e-/DN and the read noise in electrons of every
        amplifier; ATODGNx and READNSEx of the header go before it.
    electronics_until : float
        Modified Julian Date from which these are no longer true.
    """

    name: str
    instrument: str
    detector: str
    chip: ChipGeometry
    bits: DQBits
    amplifiers: tuple[str, ...] = ("CD", "AB")
    gap: int = 0
    electronics: Mapping[float, Mapping[str, tuple[float, float]]] = field(default_factory=dict)
    electronics_until: float = math.inf

    def matches(self, hdul):
        """Return whether a file is a frame of this camera with a SCI extension a chip."""
        return is_exposure(hdul, self.instrument, self.detector) and len(science_hdus(hdul)) <= len(self.amplifiers)

    def read(self, hdul, name):
        """Return the whole detector plane as a `Reading`, in electrons where bias level and gain are known."""
        header, science = hdul[0].header, self._from_below(hdul)
        used = [self._readers(header, hdul[index].header, order) for order, index in enumerate(science)]
        chips, unknown = self._chips(hdul, science, used)
        gain, noise = (self._calibrated(header, used, keyword) for keyword in ("ATODGN", "READNSE"))
        raw = header.get("BLEVCORR") != "COMPLETE" and all(part.level for parts in chips for part in parts)
        plane = _Plane(hdul, name, dict(zip(science, chips)), self._gap(hdul[science[0]].header))
        data, levels, topped = plane.image(subtract=raw, gain=gain)
        quality, (bad, saturated, rays) = plane.quality(self.bits)
        for place, full in topped:
            saturated[place][full] = True
        return Reading(
            data=data,
            science=science,
            quality=quality,
            bad=bad,
            saturated=saturated,
            cosmic_ray=rays,
            unexposed=plane.between_chips,
            unit=u.electron if levels and gain else None,
            layout=self.name,
            exposure=what_became_of_rays(header),
            product=pipeline_product(header),
            gain=tuple(gain.values()),
            readnoise=tuple(noise.values()),
            steps=(*_reduction(levels, gain, self._is_nominal(header, gain)), *plane.steps),
            notes=(*_warnings(header, levels, gain, unknown), *self._pieces(hdul, plane)),
            corner=plane.corner,
        )

    def _from_below(self, hdul):
        """Return the indices of the SCI extensions, that of the lower chip first."""
        science = science_hdus(hdul)
        numbers = [hdul[index].header.get("CCDCHIP") for index in science]
        return science[::-1] if numbers == [_UPPER_CHIP, _LOWER_CHIP] else science

    def _readers(self, header, science, order):
        """Return the names of the amplifiers that read a chip, from left to right."""
        upper = science.get("CCDCHIP") == _UPPER_CHIP if "CCDCHIP" in science else order == 1
        able = self.amplifiers[-1 if upper else 0]
        return "".join(name for name in able if name in str(header.get("CCDAMP", able))) or able

    def _chips(self, hdul, science, used):
        """Return the parts of each chip, and why it is not known where their overscan lies, if so."""
        shapes = [image_shape(hdul[index]) for index in science]
        try:
            parts = [
                self.chip.parts(shape, hdul[index].header, names) for index, shape, names in zip(science, shapes, used)
            ]
        except UnknownGeometryError as why:
            return [whole(shape) for shape in shapes], str(why)
        return parts, ""

    def _pieces(self, hdul, plane):
        """Return a warning if what is put together are no whole chips."""
        ny, nx = self.chip.shape
        whole_chips = plane.shape == (2 * ny + self.gap, nx)
        if len(plane.chips) == 1 or whole_chips or self._gap(hdul[next(iter(plane.chips))].header) != self.gap:
            return ()
        names = " and ".join(hdu_name(hdul, index) for index in plane.chips)
        return (f"{names} are no whole chips of {nx} x {ny} pixels: they may not lie as they are put together",)

    def _gap(self, science):
        binning = science.get("BINAXIS2", 1)
        return round(self.gap / binning) if binning in (2, 3, 4) else self.gap

    def _table(self, header):
        """Return the calibrated gain and read noise of every amplifier at the commanded gain; empty if not known."""
        start = header.get("EXPSTART")
        known = not isinstance(start, int | float) or start < self.electronics_until
        return self.electronics.get(header.get("CCDGAIN"), {}) if known else {}

    def _is_nominal(self, header, gain):
        """Return whether the gain is the commanded one, for want of a calibrated one."""
        return not self._table(header) and set(gain.values()) == {header.get("CCDGAIN")}

    def _calibrated(self, header, used, keyword):
        """Return what ATODGNx, else the table, else CCDGAIN (or READNSEx, else the table) says of every amplifier."""
        table, commanded, found = self._table(header), header.get("CCDGAIN"), {}
        for name in sorted("".join(used)):
            gain, readnoise = table.get(name, (commanded, None))
            found[name] = header.get(keyword + name) or (gain if keyword == "ATODGN" else readnoise)
        return found if all(isinstance(value, int | float) and value > 0 for value in found.values()) else {}


@dataclass(frozen=True)
class _Plane:
    """The detector plane of a file: its chips, the lower one first, with the gap between them."""

    hdul: fits.HDUList
    name: str
    chips: dict[int, tuple[Part, ...]]
    gap: int

    @property
    def shape(self):
        first = next(iter(self.chips.values()))
        ny = len(self.chips) * (length(first[0].rows) + self.gap) - self.gap
        return ny, sum(length(part.columns) for part in first)

    @property
    def corner(self):
        """Row and column of the first image that became row and column 0."""
        part = next(iter(self.chips.values()))[0]
        return part.rows.start, part.columns.start

    @property
    def between_chips(self):
        """True in the gap; None for one chip. A read-only array that takes no room."""
        if len(self.chips) == 1:
            return None
        rows = np.zeros(self.shape[0], bool)
        ny = (len(rows) - self.gap) // 2
        rows[ny : ny + self.gap] = True
        return np.broadcast_to(rows[:, None], self.shape)

    @property
    def steps(self):
        """What trimming and putting together did, for people."""
        index, parts = next(iter(self.chips.items()))
        ny, nx = image_shape(self.hdul[index])
        edges = [0, *(edge for part in parts for edge in (part.columns.start, part.columns.stop)), nx]
        columns = [after - before for before, after in zip(edges[::2], edges[1::2])]
        rows = ny - length(parts[0].rows)
        steps = [f"trimmed {' + '.join(map(str, columns))} columns and {rows} rows"] if rows or any(columns) else []
        if len(self.chips) > 1:
            steps.append(f"put {len(self.chips)} chips together with a gap of {self.gap} rows")
        return tuple(steps)

    def image(self, subtract, gain):
        """
        Put the images of the chips together.

        Parameters
        ----------
        subtract : bool
            Whether to take off the level of the overscan and apply the gain.
        gain : dict
            Electrons per DN of every amplifier; empty if not known.

        Returns
        -------
        data : `~numpy.ndarray` of float32, shape (ny, nx)
            NaN in the gap.
        levels : dict
            What was subtracted for every amplifier, in DN.
        topped : list of tuple
            Places in ``data``, and which pixels there are at the last number the converter has.
        """
        data, levels, topped = np.full(self.shape, np.nan, np.float32), {}, []
        for index, parts, places in self._places():
            image = image_array(self.hdul, index, self.name)
            for part, place in zip(parts, places):
                data[place] = image[part.rows, part.columns]
                if subtract:
                    topped.append((place, np.nonzero(data[place] >= _TOP)))
                    levels[part.amplifier] = _level(image[part.level])
                    data[place] -= levels[part.amplifier]
                    data[place] *= gain.get(part.amplifier, 1)
            del image  # before the next is read
        return data, levels, topped

    def quality(self, bits):
        """Return the indices of the DQ extensions, and the bad, saturated and struck pixels."""
        masks, used = [np.zeros(self.shape, bool) for _ in range(3)], ()
        for index, parts, places in self._places():
            indices, dq = quality_array(self.hdul, index, image_shape(self.hdul[index]), self.name)
            used += indices
            for part, place in zip(parts, places):
                bits.split(dq[part.rows, part.columns], out=[mask[place] for mask in masks])
            del dq
        return used, masks

    def _places(self):
        """Yield for each chip its HDU, its parts, and where in the plane they go."""
        row = 0
        for index, parts in self.chips.items():
            column, places = 0, []
            for part in parts:
                ny, nx = length(part.rows), length(part.columns)
                places.append(np.s_[row : row + ny, column : column + nx])
                column += nx
            yield index, parts, places
            row += ny + self.gap


def _level(overscan):
    """Return the mean of the pixels but the outlying ones: to a fraction of a count, rays or not."""
    values = overscan[np.isfinite(overscan)].astype(float)
    distance = np.abs(values - np.median(values))
    return float(values[distance <= _CLIP * max(_MAD_TO_SIGMA * np.median(distance), 1)].mean())


def _reduction(levels, gain, nominal):
    """Return what subtracting the level and applying the gain did, for people."""
    if not levels:
        return ()
    steps = [f"subtracted the level of the overscan: {_listed(levels, 1)} DN"]
    if gain:
        kind = "nominal gain" if nominal else "gain"
        steps.append(f"multiplied by the {kind}: {_listed(gain, 3)} e-/DN")
    return tuple(steps)


def _listed(values, digits):
    return ", ".join(f"{name} {values[name]:.{digits}f}" for name in sorted(values))


def _warnings(header, levels, gain, unknown):
    """Return what is left undone of a frame from which no pipeline has taken the bias level."""
    if levels:
        return () if gain else ("neither ATODGNx nor CCDGAIN says its gain: it is left in DN",)
    if header.get("BLEVCORR", "COMPLETE") == "COMPLETE":
        return ()
    if unknown:
        return (f"its overscan, if any, is neither used nor trimmed: {unknown}",)
    return ("it has no overscan that shows its bias level: that is still in",)


def pipeline_product(header):
    """
    Return which stage of the pipelines of ACS and WFC3 a frame left, by their switches.

    Parameters
    ----------
    header : `~astropy.io.fits.Header`
        Primary header.

    Returns
    -------
    product : str
        ``raw``, ``flt``, ``crj``, ``sfl`` (ACS: repeated exposures summed), or, with the losses of charge
        transfer corrected, ``flc``, ``crc``; empty without switches.
    """
    rays = what_became_of_rays(header)
    if rays is Exposure.UNKNOWN:
        return "sfl"
    corrected = header.get("PCTECORR") == "COMPLETE"
    if rays is Exposure.COMBINED:
        return "crc" if corrected else "crj"
    if corrected or any(header.get(keyword) == "COMPLETE" for keyword in _CALIBRATIONS):
        return "flc" if corrected else "flt"
    return "raw" if any(keyword in header for keyword in _CALIBRATIONS) else ""


def what_became_of_rays(header):
    """
    Return whether exposures were combined, by the switches of the pipelines of ACS and WFC3.

    DRIZCORR says nothing: it is COMPLETE in single exposures too, once they have been drizzled.

    Parameters
    ----------
    header : `~astropy.io.fits.Header`
        Primary header.

    Returns
    -------
    exposure : Exposure
        ``COMBINED`` if rays were rejected; ``UNKNOWN`` for sums of repeated exposures with ACS, in which they
        were not (hstcal ``acssum.c``; WFC3's are rejected, ``wf3rej/cr_history.c``).
    """
    summed = header.get("RPTCORR") == "COMPLETE"
    if header.get("CRCORR") == "COMPLETE" or (summed and header.get("INSTRUME") == "WFC3"):
        return Exposure.COMBINED
    return Exposure.UNKNOWN if summed else Exposure.SINGLE
