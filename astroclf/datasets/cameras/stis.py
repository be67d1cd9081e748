# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""STIS: its CCD and its near-ultraviolet MAMA, without dispersers."""

from astroclf.datasets.cameras.camera import Amplifier, Camera, Chip, Filter

__all__ = ["STIS_CCD", "STIS_NUV"]

# Sizes and overscan: hstcal stissizes.h and findover.c. Bias level: that in the header of o4sp040b0 (April 1998).
# Photometry, skies and noise are rounded. Filters are named by their apertures.
STIS_CCD = Camera(
    instrument="STIS",
    detector="CCD",
    aperture="50CCD",
    letter="o",
    shape=(1024, 1024),
    chips=(Chip(1, 0, (Amplifier("D", 1.0, 5.4, 1500.0),), read_upward=True),),
    filters=(
        Filter("50CCD", 1.0e-19, 5850.0, 1800.0, 0.1),
        Filter("F28X50LP", 1.7e-19, 7210.0, 1000.0, 0.06),
        Filter("F28X50OIII", 3.0e-17, 5007.0, 5.0, 0.001),
    ),
    linear=((0.0507, 0.0), (0.0, 0.0507)),
    epoch=50910.0,
    exptime=600.0,
    full_well=144000.0,
    dark=0.004,
    hot_fraction=0.01,
    hot_threshold=0.1,
    hot_limit=0.1,
    pixel_size=21e-4,
    fwhm=1.8,
    column_flag=4,
    prescan=(19, 19),
    virtual_rows=20,
)
"""The CCD as amplifier D reads it: the virtual overscan comes first."""

STIS_NUV = Camera(
    instrument="STIS",
    detector="NUV-MAMA",
    aperture="25MAMA",
    letter="o",
    shape=(1024, 1024),
    chips=(Chip(1, 0, (Amplifier("A", 1.0, 0.0),)),),
    filters=(
        Filter("25MAMA", 6.0e-18, 2260.0, 400.0, 0.002),
        Filter("F25QTZ", 6.5e-18, 2360.0, 350.0, 0.001),
        Filter("F25SRF2", 6.4e-18, 2300.0, 390.0, 0.002),
    ),
    linear=((0.0248, 0.0), (0.0, 0.0248)),
    epoch=50910.0,
    exptime=1200.0,
    full_well=1e6,
    dark=0.001,
    hot_fraction=0.0,
    hot_threshold=1.0,
    hot_limit=1.0,
    pixel_size=25e-4,
    fwhm=2.2,
    column_flag=4,
)
"""The near-ultraviolet photon counter; raw frames have twice the resolution."""
