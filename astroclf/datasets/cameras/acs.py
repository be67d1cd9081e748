# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""ACS Wide Field Channel."""

from dataclasses import replace

from astroclf.datasets.cameras.camera import CCD_OFFSETS, Amplifier, Camera, Chip, Filter

__all__ = ["ACS_HRC", "ACS_SBC", "ACS_WFC", "ACS_WFC_512A"]

# Gain, read noise and bias level are those in the header of j94f05bgq (March 2005, GAIN=1). Sizes: ACS ISR 99-05;
# gap and full well: ACS Instrument Handbook 7.7 and 4.3; hot and warm pixels: ACS data-quality flag definitions.
_WFC_A = Amplifier("A", 0.99989998, 4.97, 2428.176)
_WFC_B = Amplifier("B", 0.97210002, 4.85, 2518.9324)
_WFC_C = Amplifier("C", 1.0107, 5.24, 2441.7756)
_WFC_D = Amplifier("D", 1.018, 4.85, 2469.9448)

_CCD_CARDS = (
    ("LRFWAVE", 0.0, "proposed linear ramp filter wavelength"),
    ("CCDGAIN", 1, "commanded gain of CCD"),
    *CCD_OFFSETS,
    ("FLASHDUR", 0.0, "Exposure time in seconds: 0.1 to 409.5"),
    ("FLASHCUR", "OFF", "Post flash current: OFF, LOW, MED, HIGH"),
    ("FLASHSTA", "NOT PERFORMED", "Status: SUCCESSFUL, ABORTED, NOT PERFORMED"),
    ("SHUTRPOS", "B", "Shutter position: A or B"),
)

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
    cards=_CCD_CARDS,
)
"""ACS Wide Field Channel as it was in March 2005."""

ACS_WFC_512A = replace(
    ACS_WFC,
    aperture="WFC1A-512",
    shape=(512, 2048),
    chips=(Chip(1, 0, (_WFC_A,), read_upward=True),),
    prescan=(24, 0),
    virtual_rows=0,
    corner=(0, 1536),
    epoch=57700.0,
    subarray=True,
)
"""The subarray of 2048 x 512 pixels at amplifier A of ACS/WFC, one of those in use since 2016."""

# Sizes: ACS Instrument Handbook of Cycle 14, 7.3; full well 3.1. Gain and read noise are round; filters typical.
ACS_HRC = Camera(
    instrument="ACS",
    detector="HRC",
    aperture="HRC",
    letter="j",
    shape=(1024, 1024),
    chips=(Chip(1, 0, (Amplifier("C", 2.2, 4.7, 2100.0),)),),
    filters=(
        Filter("F606W", 1.3e-19, 5907.0, 660.0, 0.03),
        Filter("F435W", 5.4e-19, 4311.0, 310.0, 0.008),
        Filter("F814W", 1.3e-19, 8115.0, 680.0, 0.025),
    ),
    linear=((0.0284, 0.0), (0.0027, 0.0248)),
    epoch=53436.0,
    exptime=500.0,
    full_well=155000.0,
    dark=0.004,
    hot_fraction=0.015,
    hot_threshold=0.06,
    hot_limit=0.14,
    pixel_size=21e-4,
    fwhm=2.2,
    column_flag=128,
    prescan=(19, 19),
    virtual_rows=20,
    cards=tuple(("CCDGAIN", 2, card[2]) if card[0] == "CCDGAIN" else card for card in _CCD_CARDS),
)
"""ACS High Resolution Channel as it was in March 2005."""

# Dark current: ACS Instrument Handbook 4.5.3. Filters are typical.
ACS_SBC = Camera(
    instrument="ACS",
    detector="SBC",
    aperture="SBC",
    letter="j",
    shape=(1024, 1024),
    chips=(Chip(1, 0, ()),),
    filters=(
        Filter("F125LP", 1.7e-17, 1437.0, 80.0, 1e-3),
        Filter("F115LP", 2.6e-17, 1406.0, 90.0, 5e-3),
        Filter("F150LP", 3.2e-17, 1605.0, 55.0, 1e-4),
    ),
    linear=((0.0338, 0.0), (0.0030, 0.0301)),
    epoch=53436.0,
    exptime=1000.0,
    full_well=65535.0,
    dark=1e-5,
    hot_fraction=0.0,
    hot_threshold=1.0,
    hot_limit=1.0,
    pixel_size=25e-4,
    fwhm=2.0,
    column_flag=0,
    cards=(("LRFWAVE", 0.0, "proposed linear ramp filter wavelength"),),
)
"""ACS Solar Blind Channel, which counts photons."""
