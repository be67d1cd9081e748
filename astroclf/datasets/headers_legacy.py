# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Cards of simulated frames of NICMOS, STIS and FOC, modelled on their archive and interface documents."""

from astroclf.datasets.cards import file_cards, target_cards
from astroclf.datasets.headers import plane_wcs

__all__ = ["observation_cards", "photometry_cards", "sky_cards", "switch_cards"]


def observation_cards(shot, extensions):
    """Return the cards that open a primary header: the file, the observation and its target."""
    return [
        *file_cards(shot, extensions),
        ("ROOTNAME", shot.rootname, "rootname of the observation set"),
        ("IMAGETYP", "EXT", "type of exposure identifier"),
        *target_cards(shot),
    ]


def photometry_cards(shot, mode):
    """Return the cards of the photometry of a filter; ``mode`` is the value of PHOTMODE."""
    element = shot.filter
    return [
        ("PHOTMODE", mode, "observation configuration"),
        ("PHOTFLAM", element.photflam, "inverse sensitivity, ergs/s/cm2/A per count/s"),
        ("PHOTZPT", -21.1, "ST magnitude zero point"),
        ("PHOTPLAM", element.photplam, "Pivot wavelength (Angstroms)"),
        ("PHOTBW", element.photbw, "RMS bandwidth of filter plus detector"),
    ]


def switch_cards(steps, done):
    """Return the cards of calibration switches: COMPLETE where ``done``, else PERFORM."""
    return [(f"{step}", "COMPLETE" if done else "PERFORM", "calibration switch") for step in steps.split()]


def sky_cards(shot, corner=(0, 0), scale=(1.0, 1.0)):
    """
    Return the world coordinates of an image of the detector plane.

    Parameters
    ----------
    shot : `~astroclf.datasets.headers.Shot`
        The exposure.
    corner : tuple of int
        Columns and rows of the image before the first one of the plane.
    scale : tuple of float
        Pixels of the image in one of the plane, along columns and rows.

    Returns
    -------
    cards : list of tuple
        Keyword, value and comment.
    """
    wcs = plane_wcs(shot).wcs
    cards = [(f"CRVAL{i + 1}", wcs.crval[i], "value at reference pixel") for i in range(2)]
    cards += [
        (f"CRPIX{i + 1}", scale[i] * (wcs.crpix[i] - 0.5) + 0.5 + corner[i], "coordinate of reference pixel")
        for i in range(2)
    ]
    cards += [(f"CTYPE{i + 1}", wcs.ctype[i], "the coordinate type") for i in range(2)]
    cards += [(f"CD{i + 1}_{j + 1}", wcs.cd[i, j] / scale[j], "partial derivative") for i in range(2) for j in range(2)]
    return cards
