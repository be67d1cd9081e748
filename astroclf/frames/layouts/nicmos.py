# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""NICMOS: raw, ima, cal and mos frames of its three cameras."""

from dataclasses import dataclass, replace

import numpy as np

from astroclf.frames.facts import positive
from astroclf.frames.layouts.ramp import RampCamera, done
from astroclf.frames.quality import DQBits

__all__ = ["NICMOS"]

_WRAPPED = -23500
_ADC_RANGE = 65536


@dataclass(frozen=True)
class _NICMOS(RampCamera):
    """
    Cameras that subtract the initial reads from the final ones aboard, or send all reads (MULTIACCUM).

    Data stay in counts, as calnica leaves them.
    """

    def read(self, hdul, name):
        """Return the light that arrived, as a `Reading`."""
        reading = super().read(hdul, name)
        aboard = hdul[0].header.get("OBSMODE") not in (None, "MULTIACCUM")
        wrapped = reading.data < _WRAPPED
        if not aboard or done(hdul[0].header, "BIAS") or not wrapped.any():
            return reading
        step = f"added {_ADC_RANGE} DN to {np.count_nonzero(wrapped)} pixels below {_WRAPPED}, which had wrapped around"
        data = np.where(wrapped, reading.data + np.float32(_ADC_RANGE), reading.data)
        return replace(reading, data=data, steps=(*reading.steps, step))

    def _amplifiers(self, header, prefix, default):
        gain = positive(header, "ADCGAIN")
        return (gain,) if prefix == "ATODGN" and gain else ()

    def _electrons(self, data, science, header):
        return data, None, ()


NICMOS = _NICMOS(
    name="nicmos", instrument="NICMOS", detector=None, fitted="cal", combined="mos", struck=512,
    bits=DQBits(bad=1 | 2 | 4 | 8 | 16 | 32 | 128 | 256, saturated=64, cosmic_ray=4096),
)  # fmt: skip
"""
The reads of a raw or ima file come last first (NICMOS Data Handbook 2.1; calnica ``n_zoffcorr.c``). There is
no border of reference pixels. Bits: calnica's ``calnic.h``; kept are pixels that contain a source (1024), signal
in the zeroth read (2048), high curvature (16384) and, in fitted frames, rays (512), which the fit has left out;
4096 is AstroDrizzle's. Differences taken aboard that wrapped around: calnica ``n_biascorr.c``.
"""
