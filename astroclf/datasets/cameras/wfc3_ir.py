# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""WFC3 infrared channel."""

from dataclasses import replace

from astroclf.datasets.cameras.camera import Amplifier, Camera, Chip, Filter

__all__ = ["WFC3_IR", "WFC3_IR_SUB256"]

# Gain, read noise and photometry of F110W are those in the header of ib4606cpq (February 2011). Sizes, border and
# subarrays: WFC3 Instrument Handbook 5.6; amplifiers: hstcal noiscalc.c; full well and dark current: WFC3 Instrument
# Handbook 5.1 and 5.7; hot pixels: WFC3 Data Handbook 7.9.
_IR_CARDS = (
    ("CCDGAIN", 2.5, "commanded gain of CCD"),
    ("CCDOFSAB", 190, "commanded CCD bias offset for amps A&B"),
    ("CCDOFSCD", 190, "commanded CCD bias offset for amps C&D"),
    ("CSMID", "IR", "Channel Select Mechanism ID"),
)

WFC3_IR = Camera(
    instrument="WFC3",
    detector="IR",
    aperture="IR-FIX",
    letter="i",
    shape=(1014, 1014),
    chips=(
        Chip(
            1,
            0,
            (
                Amplifier("A", 2.34, 20.2),
                Amplifier("B", 2.37, 19.8),
                Amplifier("C", 2.31, 19.9),
                Amplifier("D", 2.38, 20.1),
            ),
        ),
    ),
    filters=(
        Filter("F110W", 1.5318e-20, 11534.459, 1428.4883, 1.6),
        Filter("F105W", 3.0386574e-20, 10551.047, 845.61804, 0.9),
        Filter("F160W", 1.92756e-20, 15369.18, 826.25, 0.8),
    ),
    linear=((0.13541, 0.00078), (-0.00042, 0.12095)),
    epoch=55611.0,
    exptime=699.232,
    full_well=77900.0,
    dark=0.048,
    hot_fraction=0.005,
    hot_threshold=0.4,
    hot_limit=0.4,
    pixel_size=18e-4,
    fwhm=1.15,
    column_flag=4,
    border=5,
    sequence="STEP100",
    cards=(
        ("SUBTYPE", "FULLIMAG", "Size/type of IR subarray"),
        *_IR_CARDS,
    ),
)
"""WFC3 infrared channel as it was in February 2011."""

WFC3_IR_SUB256 = replace(
    WFC3_IR,
    aperture="IRSUB256-FIX",
    shape=(256, 256),
    corner=(379, 379),
    exptime=275.0,
    subarray=True,
    sequence="SPARS25",
    cards=(("SUBTYPE", "SQ256SUB", "Size/type of IR subarray"), *_IR_CARDS),
)
"""The central 256 x 256 subarray of WFC3/IR."""
