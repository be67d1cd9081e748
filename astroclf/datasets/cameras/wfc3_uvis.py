# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""WFC3 ultraviolet and visible channel."""

from dataclasses import replace

from astroclf.datasets.cameras.camera import CCD_OFFSETS, Amplifier, Camera, Chip, Filter

__all__ = ["WFC3_UVIS", "WFC3_UVIS_C512B", "WFC3_UVIS_C512C"]

# Gain, read noise, bias level and photometry are those in the header of ib4606c5q (February 2011). Geometry: WFC3 Data
# Handbook 2.2; gap: WFC3 Instrument Handbook 6.4; full well 5.1; hot pixels above 54 e-/h: WFC3 Data Handbook 5.3.
_UVIS_A = Amplifier("A", 1.56, 3.03, 2555.1023)
_UVIS_B = Amplifier("B", 1.56, 3.13, 2542.79)
_UVIS_C = Amplifier("C", 1.56, 3.08, 2503.291)
_UVIS_D = Amplifier("D", 1.56, 3.18, 2604.8857)

WFC3_UVIS = Camera(
    instrument="WFC3",
    detector="UVIS",
    aperture="UVIS-CENTER",
    letter="i",
    shape=(2051, 4096),
    chips=(Chip(2, 0, (_UVIS_C, _UVIS_D)), Chip(1, 2082, (_UVIS_A, _UVIS_B), read_upward=True)),
    filters=(
        Filter("F555W", 1.8379346e-19, 5307.9121, 517.13422, 0.04),
        Filter("F438W", 6.8e-19, 4326.0, 197.0, 0.011),
        Filter("F814W", 1.5e-19, 8030.0, 663.0, 0.04),
    ),
    linear=((0.03966, 0.00015), (0.00246, 0.03961)),
    epoch=55611.0,
    exptime=500.0,
    full_well=67500.0,
    dark=0.0008,
    hot_fraction=0.01,
    hot_threshold=0.015,
    hot_limit=0.015,
    pixel_size=15e-4,
    fwhm=1.8,
    column_flag=4,
    prescan=(25, 25),
    virtual_columns=60,
    virtual_rows=19,
    cards=(
        ("CCDGAIN", 1.5, "commanded gain of CCD"),
        *CCD_OFFSETS,
        ("FLASHDUR", 0.0, "Exposure time in seconds: 0.1 to 409.5"),
        ("FLASHCUR", "ZERO", "Post flash current (zero, low, medium, high)"),
        ("FLASHLVL", 0, "Post flash requested flash level"),
        ("FLASHSTA", "NOT PERFORMED", "Status: SUCCESSFUL, ABORTED, NOT PERFORMED"),
        ("SHUTRPOS", "A", "Shutter position: A or B"),
        ("CHINJECT", "NONE", "Charge Injection Mode"),
        ("CSMID", "UVIS", "Channel Select Mechanism ID"),
    ),
)
"""WFC3 ultraviolet and visible channel as it was in February 2011."""

WFC3_UVIS_C512C = replace(
    WFC3_UVIS,
    aperture="UVIS2-C512C-SUB",
    shape=(512, 513),
    chips=(Chip(2, 0, (_UVIS_C,)),),
    prescan=(25, 0),
    virtual_columns=0,
    virtual_rows=0,
    subarray=True,
)
"""The corner subarray of WFC3/UVIS at amplifier C."""

WFC3_UVIS_C512B = replace(
    WFC3_UVIS_C512C,
    aperture="UVIS1-C512B-SUB",
    chips=(Chip(1, 0, (_UVIS_B,), read_upward=True),),
    prescan=(0, 25),
    corner=(3583, 1539),
)
"""The corner subarray of WFC3/UVIS at amplifier B, with its overscan on the right."""
