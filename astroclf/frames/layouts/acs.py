# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Advanced Camera for Surveys: Wide Field, High Resolution and Solar Blind Channel."""

from astroclf.frames.frame import Exposure
from astroclf.frames.layouts.ccd import CCDCamera, pipeline_product
from astroclf.frames.layouts.imsets import is_exposure, quality_array, science_hdus
from astroclf.frames.layouts.overscan import ChipGeometry
from astroclf.frames.quality import ACS
from astroclf.frames.reading import Reading, image_array

__all__ = ["HRC", "SBC", "WFC"]

WFC = CCDCamera(
    name="acs_wfc",
    instrument="ACS",
    detector="WFC",
    chip=ChipGeometry((2048, 4096), prescan=24, virtual_rows=20),
    bits=ACS,
    gap=50,
    electronics={1: {"A": (0.9999, 4.97), "B": (0.9721, 4.85), "C": (1.0107, 5.24), "D": (1.018, 4.85)}},
    electronics_until=54967.0,
)
"""Two chips of 4144 x 2068 pixels, 24 columns of physical overscan on either side and 20 virtual rows (ACS
ISR 99-05); a gap of about 50 pixels (ACS Instrument Handbook 7.7). Subarrays have at most 22 columns, or 24 since
2016, and then perhaps the rows. Gain and read noise: CCDTAB ``o151506fj``, as in the header of j94f05bgq; other
electronics have read the chips since 16 May 2009 (ACS Instrument Handbook 2.1)."""

HRC = CCDCamera(
    name="acs_hrc",
    instrument="ACS",
    detector="HRC",
    chip=ChipGeometry((1024, 1024), prescan=19, virtual_rows=20),
    bits=ACS,
    amplifiers=("ABCD",),
)
"""One chip of 1062 x 1044 pixels, 19 columns of physical overscan on either side and 20 virtual rows (ACS Instrument
Handbook of Cycle 14, 7.3); usually read by amplifier C."""


class _SBC:
    """The photon counter: no overscan, no read noise, no cosmic rays."""

    name = "acs_sbc"

    def matches(self, hdul):
        """Return whether a file is an exposure with the Solar Blind Channel."""
        return is_exposure(hdul, "ACS", "SBC") and len(science_hdus(hdul)) == 1

    def read(self, hdul, name):
        """Return the counts as a `Reading`."""
        (science,) = science_hdus(hdul)
        data = image_array(hdul, science, name)
        quality, dq = quality_array(hdul, science, data.shape, name)
        bad, saturated, rays = ACS.split(dq)
        return Reading(
            data, (science,), quality, bad, saturated, rays,
            layout=self.name, exposure=Exposure.COUNTER, product=pipeline_product(hdul[0].header),
        )  # fmt: skip


SBC = _SBC()
"""The MAMA of 1024 x 1024 pixels (ACS ISR 99-05)."""
