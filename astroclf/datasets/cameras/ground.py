# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Cameras on the ground: a CCD, a mosaic of four, and a one-shot-colour camera. They are no real ones."""

from dataclasses import dataclass, replace

from astroclf.datasets.cameras.camera import Amplifier, Camera, Chip, Filter

__all__ = ["GROUND_BAYER", "GROUND_CCD", "GROUND_MOSAIC", "GroundCamera", "Place"]


@dataclass(frozen=True)
class Place:
    """
    Where a chip lies on the detector plane.

    Parameters
    ----------
    row, column : int
        Of the plane, on which the chip begins.
    flipped : tuple of bool
        Whether its rows and columns are stored the other way round: it is read out from the far end.
    """

    row: int = 0
    column: int = 0
    flipped: tuple[bool, bool] = (False, False)


@dataclass(frozen=True)
class GroundCamera(Camera):
    """
    A camera on the ground.

    Parameters
    ----------
    places : tuple of Place
        One a chip.
    pattern : str
        Colours of a square of 2 x 2 pixels, as BAYERPAT; empty for sensors without filters.
    """

    places: tuple[Place, ...] = (Place(),)
    pattern: str = ""

    @property
    def plane(self):
        """Shape (ny, nx) of the detector plane in pixels: all chips and the gaps between them."""
        return (
            max(place.row for place in self.places) + self.shape[0],
            max(place.column for place in self.places) + self.shape[1],
        )


def _filters(*rows):
    """Return filters of (name, wavelength in angstroms, width, sky in e-/s): the ground's headers have no more."""
    return tuple(Filter(name, 0.0, pivot, width, sky) for name, pivot, width, sky in rows)


_CHIPS = tuple(
    Chip(number, 0, (Amplifier(name, gain, readnoise, bias),))
    for number, name, gain, readnoise, bias in (
        (1, "A", 1.9, 5.0, 1012.0),
        (2, "B", 2.0, 5.4, 1105.0),
        (3, "C", 1.8, 4.8, 968.0),
        (4, "D", 2.1, 5.1, 1240.0),
    )
)

GROUND_CCD = GroundCamera(
    instrument="CCD",
    detector="SIMCCD",
    aperture="GROUND-CCD",
    letter="g",
    shape=(1024, 1024),
    chips=_CHIPS[:1],
    filters=_filters(("V", 5510.0, 880.0, 6.0), ("B", 4450.0, 940.0, 3.0), ("R", 6580.0, 1380.0, 10.0)),
    linear=((0.4, 0.002), (-0.002, 0.4)),
    epoch=59000.0,
    exptime=120.0,
    full_well=100000.0,
    dark=0.01,
    hot_fraction=0.0005,
    hot_threshold=1.0,
    hot_limit=1.0,
    pixel_size=15e-4,
    fwhm=3.5,
    column_flag=0,
    prescan=(16, 32),
)
"""A CCD with 16 columns of prescan and 32 of overscan."""

GROUND_MOSAIC = replace(
    GROUND_CCD,
    detector="SIMMOSAIC",
    aperture="GROUND-MOSAIC",
    shape=(384, 256),
    chips=_CHIPS,
    places=(
        Place(0, 0),
        Place(0, 266, (False, True)),
        Place(404, 0, (True, False)),
        Place(404, 266, (True, True)),
    ),
)
"""Four of them in two rows, with gaps of 20 rows and 10 columns; each is read out from its own corner."""

GROUND_BAYER = replace(
    GROUND_CCD,
    instrument="CMOS",
    detector="SIMCMOS",
    aperture="GROUND-BAYER",
    shape=(640, 960),
    chips=(Chip(1, 0, (Amplifier("A", 1.0, 2.5, 500.0),)),),
    filters=_filters(("L", 5500.0, 3000.0, 20.0), ("UHC", 5500.0, 500.0, 5.0), ("Ha", 6563.0, 70.0, 1.0)),
    linear=((1.2, 0.01), (-0.01, 1.2)),
    full_well=50000.0,
    pixel_size=3.8e-4,
    fwhm=3.0,
    prescan=(0, 0),
    pattern="RGGB",
)
"""A one-shot-colour camera."""
