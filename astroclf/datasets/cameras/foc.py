# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""FOC f/96 in its normal and its zoomed format."""

from dataclasses import replace

from astroclf.datasets.cameras.camera import Amplifier, Camera, Chip, Filter

__all__ = ["FOC_F96", "FOC_F96_ZOOM"]

# Formats: STSDAS calfoc.h and calphot.x. Photometry is rounded: wavelengths are those of the filters' names.
FOC_F96 = Camera(
    instrument="FOC",
    detector="F96",
    aperture="X96N512",
    letter="x",
    shape=(512, 512),
    chips=(Chip(1, 0, (Amplifier("A", 1.0, 0.0),)),),
    filters=(
        Filter("F430W", 2.0e-17, 4300.0, 400.0, 0.002),
        Filter("F220W", 6.0e-17, 2200.0, 200.0, 0.001),
        Filter("F342W", 1.5e-17, 3420.0, 300.0, 0.001),
    ),
    linear=((0.01435, 0.0), (0.0, 0.01435)),
    epoch=49720.0,
    exptime=900.0,
    full_well=1e6,
    dark=0.0007,
    hot_fraction=0.0,
    hot_threshold=1.0,
    hot_limit=1.0,
    pixel_size=25e-4,
    fwhm=3.0,
    column_flag=0,
)
"""The normal format of 512 x 512 pixels."""

FOC_F96_ZOOM = replace(FOC_F96, aperture="X96ZRECT", shape=(1024, 1024))
"""The whole photocathode, read in 512 columns of pixels twice as wide as high."""
