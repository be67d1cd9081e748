# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""NICMOS camera 2."""

from astroclf.datasets.cameras.camera import Amplifier, Camera, Chip, Filter

__all__ = ["NIC2"]

# Gain and read noise: drizzlepac nicmosData.py. Photometry is rounded: wavelengths are those of the filters' names.
NIC2 = Camera(
    instrument="NICMOS",
    detector="NIC2",
    aperture="NIC2-FIX",
    letter="n",
    shape=(256, 256),
    chips=(Chip(1, 0, tuple(Amplifier(name, 5.4, 26.0) for name in "ABCD")),),
    filters=(
        Filter("F160W", 2.4e-19, 16000.0, 1150.0, 0.3),
        Filter("F110W", 4.2e-19, 11000.0, 1700.0, 0.3),
        Filter("F187W", 3.7e-19, 18700.0, 700.0, 0.3),
    ),
    linear=((0.0759, 0.0), (0.0, 0.0753)),
    epoch=52600.0,
    exptime=92.018,
    full_well=120000.0,
    dark=0.08,
    hot_fraction=0.005,
    hot_threshold=1.0,
    hot_limit=1.0,
    pixel_size=40e-4,
    fwhm=1.9,
    column_flag=32,
    sequence="SPARS4",
)
"""NICMOS camera 2 as it was with its cryocooler, in late 2002."""
