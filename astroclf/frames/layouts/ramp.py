# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Ramps: infrared detectors that are read many times without being reset."""

from dataclasses import dataclass, replace

import numpy as np
from astropy import units as u
from astropy.stats import sigma_clipped_stats

from astroclf.frames.facts import positive
from astroclf.frames.frame import Exposure
from astroclf.frames.layouts.imsets import is_exposure, quality_array, science_hdus
from astroclf.frames.quality import DQBits
from astroclf.frames.reading import Reading, image_array, unit_of

__all__ = ["RampCamera", "done"]

_NEARLY = 0.95
"""Fraction of the mean full well that counts as full: wells, and the gains of the quadrants, differ by per cents."""

_STEPS = "ZSIG ZOFF MASK DQI BIAS NOIS DARK BLEV NLIN FLAT UNIT PHOT CR CRID RPT".split()


@dataclass(frozen=True)
class RampCamera:
    """
    A camera whose exposures are reads of one array.

    A file has an image set a read, the last read first and the zeroth last; or one set, which the pipeline
    fitted to the reads.

    Parameters
    ----------
    name : str
        Name of the layout.
    instrument, detector : str or None
        INSTRUME and DETECTOR of its frames; None where there is no DETECTOR.
    fitted, combined : str
        Product names of a fitted exposure and of several combined.
    bits : DQBits
        The choice of data-quality bits.
    struck : int
        The bit of pixels a cosmic ray had hit before a read.
    sides : tuple of int
        Rows and columns that see light, of the full array and of its subarrays; empty if any will do.
    border : int
        Width of the frame of reference pixels around these in a file of reads.
    gain, readnoise : tuple of float
        Those of the amplifiers where the header is silent, as in `~astroclf.frames.Facts`.
    nominal : float
        The commanded gain (CCDGAIN) they belong to.
    full_well : float or None
        Electrons a pixel can hold.
    """

    name: str
    instrument: str
    detector: str | None
    fitted: str
    combined: str
    bits: DQBits
    struck: int
    sides: tuple[int, ...] = ()
    border: int = 0
    gain: tuple[float, ...] = ()
    readnoise: tuple[float, ...] = ()
    nominal: float = 0
    full_well: float | None = None

    def matches(self, hdul):
        """Return whether a file holds reads of this camera or what was fitted to them, not drizzled."""
        return is_exposure(hdul, self.instrument, self.detector)

    def read(self, hdul, name):
        """Return the light that arrived between the zeroth read and the last, as a `Reading`."""
        header, reads = hdul[0].header, science_hdus(hdul)
        science = hdul[reads[0]].header
        last = image_array(hdul, reads[0], name).astype(np.float32)
        border, notes = self._border(last.shape)
        inner = tuple(slice(border, n - border) for n in last.shape)
        quality, dq = quality_array(hdul, reads[0], last.shape, name)
        bad, saturated, rays = self._bits(reads).split(dq[inner])
        used, data, steps, notes = reads[:1], last, (), notes + _lonely(header, reads)
        if len(reads) > 1 and not done(header, "ZOFF"):
            used = reads[0], reads[-1]
            saturated = saturated | self._is_full(last, header, border)[inner]
            data, steps = _difference(last, image_array(hdul, reads[-1], name), border)
        trimmed = (f"trimmed the border of {border} reference pixels",) if border else ()
        data, unit, converted = self._electrons(data[inner], science, header)
        data, lifted = self._lift(data, saturated, unit, science) if len(reads) > 1 else (data, ())
        product, exposure = self._product(header, len(reads))
        return Reading(
            data, used, quality, bad, saturated, rays, unit=unit, layout=self.name, exposure=exposure, product=product,
            gain=self._amplifiers(header, "ATODGN", self.gain),
            readnoise=self._amplifiers(header, "READNSE", self.readnoise),
            steps=steps + trimmed + converted + lifted, notes=notes, corner=(border, border),
        )  # fmt: skip

    def _bits(self, reads):
        """Return the choice of bits: what had hit a pixel before a read is still in it, but not in a fit."""
        struck = self.struck if len(reads) > 1 else 0
        return replace(self.bits, cosmic_ray=self.bits.cosmic_ray | struck)

    def _border(self, shape):
        """Return the width of the frame of reference pixels, and a note where the size is none of this camera."""
        if not self.sides or set(shape) <= set(self.sides):
            return 0, ()
        if set(shape) <= {side + 2 * self.border for side in self.sides}:
            return self.border, ()
        sizes = ", ".join(map(str, self.sides))
        size = f"{shape[1]} x {shape[0]}"
        return 0, (f"{size} pixels is no size of this camera ({sizes} a side): no reference pixels were trimmed",)

    def _is_full(self, last, header, border):
        """Return which pixels of the last read were full: nearly the full well above the reference pixels."""
        if not border or self.full_well is None:
            return np.zeros(last.shape, bool)
        return (last - _reference(last, border)) * self._mean_gain(header) >= _NEARLY * self.full_well

    def _electrons(self, data, science, header):
        """Return data, unit and step of the conversion from counts into electrons where the gain is known."""
        unit = unit_of(science)
        gain = self._mean_gain(header)
        if gain is None or unit not in (u.adu, u.adu / u.s):
            return data, unit, ()
        return data * np.float32(gain), unit * u.electron / u.adu, (f"multiplied by the gain of {gain:.4g} e-/DN",)

    def _lift(self, data, saturated, unit, science):
        """Lift full pixels, from which the zeroth read took what had come before it, to the full well."""
        seconds = 1 if unit == u.electron else positive(science, "SAMPTIME")
        if self.full_well is None or unit not in (u.electron, u.electron / u.s) or not seconds:
            return data, ()
        low = saturated & (data < self.full_well / seconds)
        if not low.any():
            return data, ()
        step = f"lifted {np.count_nonzero(low)} saturated pixels to the full well of {self.full_well:.0f} e-"
        return np.where(low, np.float32(self.full_well / seconds), data), (step,)

    def _mean_gain(self, header):
        gain = self._amplifiers(header, "ATODGN", self.gain)
        return float(np.mean(gain)) if gain else None

    def _amplifiers(self, header, prefix, default):
        """Return what the header says of the amplifiers A to D; where it has zeros, what the camera is known for."""
        values = tuple(positive(header, prefix + name) for name in "ABCD")
        commanded = positive(header, "CCDGAIN")
        if all(values) or commanded in (0, self.nominal):
            return values if all(values) else default
        return (commanded,) if prefix == "ATODGN" else ()

    def _product(self, header, reads):
        """Return the name of the product and what became of its cosmic rays."""
        if reads == 1 and (done(header, "RPT") or header.get("CALSTAGE") == "CALNICB"):
            return self.combined, Exposure.COMBINED
        if not _calibrated(header):
            return "raw", Exposure.READS
        if reads > 1:
            return "ima", Exposure.FLAGGED if _fitted(header) else Exposure.READS
        return self.fitted, Exposure.RAMP if _fitted(header) else Exposure.READS


def done(header, step):
    """Return whether the pipeline took a step, by calwf3's switches or calnica's indicators."""
    return header.get(f"{step}CORR") == "COMPLETE" or header.get(f"{step}DONE") == "PERFORMED"


def _calibrated(header):
    return any(done(header, step) for step in _STEPS)


def _fitted(header):
    """Return whether a ramp was fitted: calnica finds no cosmic rays in what is no ramp."""
    return (done(header, "CR") or done(header, "CRID")) and header.get("OBSMODE", "MULTIACCUM") == "MULTIACCUM"


def _lonely(header, reads):
    """Return a note if a raw read has lost the zeroth one, which has its bias."""
    if len(reads) > 1 or header.get("OBSMODE") != "MULTIACCUM" or _calibrated(header):
        return ()
    return ("there is no zeroth read to subtract from this one: the bias is still in",)


def _difference(last, zeroth, border):
    """Return a read minus the zeroth, without the drift of the reference pixels between them, and the steps."""
    data, steps = last - zeroth.astype(np.float32), ("subtracted the zeroth read from the last",)
    if not border:
        return data, steps
    drift = _reference(last, border) - _reference(zeroth, border)
    return data - np.float32(drift), (*steps, f"subtracted the drift of the reference pixels: {drift:.2f} DN")


def _reference(read, border):
    """Return the mean of the reference pixels left and right but the outermost, as calwf3's ``blevcorr.c`` does."""
    rows = read[border:-border]
    return float(sigma_clipped_stats(np.hstack([rows[:, 1:border], rows[:, -border:-1]]), sigma=3)[0])
