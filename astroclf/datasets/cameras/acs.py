# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""ACS Wide Field Channel."""

from astroclf.datasets.cameras.camera import CCD_OFFSETS, Amplifier, Camera, Chip, Filter

__all__ = ["ACS_WFC"]

# Gain, read noise and bias level are those in the header of j94f05bgq (March 2005, GAIN=1). Sizes: ACS ISR 99-05;
# gap and full well: ACS Instrument Handbook 7.7 and 4.3; hot and warm pixels: ACS data-quality flag definitions.
_WFC_A = Amplifier("A", 0.99989998, 4.97, 2428.176)
_WFC_B = Amplifier("B", 0.97210002, 4.85, 2518.9324)
_WFC_C = Amplifier("C", 1.0107, 5.24, 2441.7756)
_WFC_D = Amplifier("D", 1.018, 4.85, 2469.9448)

ACS_WFC = Camera(
    instrument="ACS",
    detector="WFC",
    aperture="WFCENTER",
    letter="j",
    shape=(2048, 4096),
    chips=(Chip(2, 0, (_WFC_C, _WFC_D)), Chip(1, 2098, (_WFC_A, _WFC_B), read_upward=True)),
    filters=(
        Filter("F606W", 7.9064521e-20, 5917.6797, 672.31146, 0.13),
        Filter("F435W", 3.1412e-19, 4328.0, 293.0, 0.033),
        Filter("F814W", 7.0723e-20, 8060.0, 654.0, 0.11),
    ),
    linear=((0.04953, 0.00211), (0.00181, 0.04943)),
    epoch=53436.0,
    exptime=500.0,
    full_well=84700.0,
    dark=0.004,
    hot_fraction=0.015,
    hot_threshold=0.06,
    hot_limit=0.14,
    pixel_size=15e-4,
    fwhm=2.0,
    column_flag=128,
    prescan=(24, 24),
    virtual_rows=20,
    cards=(
        ("LRFWAVE", 0.0, "proposed linear ramp filter wavelength"),
        ("CCDGAIN", 1, "commanded gain of CCD"),
        *CCD_OFFSETS,
        ("FLASHDUR", 0.0, "Exposure time in seconds: 0.1 to 409.5"),
        ("FLASHCUR", "OFF", "Post flash current: OFF, LOW, MED, HIGH"),
        ("FLASHSTA", "NOT PERFORMED", "Status: SUCCESSFUL, ABORTED, NOT PERFORMED"),
        ("SHUTRPOS", "B", "Shutter position: A or B"),
    ),
)
"""ACS Wide Field Channel as it was in March 2005."""
