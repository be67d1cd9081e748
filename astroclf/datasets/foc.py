# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Photons counted by the FOC: raw (d0f) and geometrically corrected (c0f) frames in waivered FITS."""

import numpy as np
from astropy.io import fits

from astroclf.datasets import detector
from astroclf.datasets.cards import exposure_cards
from astroclf.datasets.headers_legacy import observation_cards, photometry_cards, sky_cards, switch_cards

__all__ = ["foc_frame"]

_GROUP = "CRVAL1 CRVAL2 CRPIX1 CRPIX2 CD1_1 CD1_2 CD2_1 CD2_2".split()
_FILLING = -100.0
_MARGIN = 6


def foc_frame(shot, light, rng, *, cosmic_rays=True):
    """
    Count photons with the FOC.

    Parameters
    ----------
    shot : `~astroclf.datasets.headers.Shot`
        The exposure; its product is ``d0f`` or ``c0f``.
    light : `~numpy.ndarray` of float32, shape of the camera's ``plane``
        Expected counts in the exposure, sky included.
    rng : `~numpy.random.Generator`
        Source of noise.
    cosmic_rays : bool, optional
        Without effect: a photon counter records none.

    Returns
    -------
    hdus : `~astropy.io.fits.HDUList`
        The image, then a table of one row with its world coordinates. A raw frame of the whole photocathode has
        pixels twice as wide as high; a ``c0f`` has edges that no photon could reach, which hold GEODEFV.
    """
    camera = shot.camera
    counts = detector.noisy(light + np.float32(camera.dark * shot.exptime), rng)
    zoomed = camera.shape[1] == 1024
    raw = shot.product == "d0f"
    scale = (0.5, 1.0) if raw and zoomed else (1.0, 1.0)
    if raw and zoomed:
        counts = counts.reshape(counts.shape[0], -1, 2).sum(axis=2)
    if not raw:
        counts[:_MARGIN], counts[:, :_MARGIN] = _FILLING, _FILLING
    sky = sky_cards(shot, scale=scale)
    group = {key: value for key, value, _ in sky if key in _GROUP}
    types = [card for card in sky if card[0] not in _GROUP]
    header = fits.Header([*_cards(shot, zoomed, raw), *types])
    for line in shot.history:
        header.add_history(line)
    columns = [fits.Column(name, "D25.16", array=np.array([value])) for name, value in group.items()]
    table = fits.TableHDU.from_columns(columns, name=f"{shot.rootname}_cvt.{shot.product[:-1]}h.tab")
    return fits.HDUList([fits.PrimaryHDU(counts.astype(np.float32), header), table])


def _cards(shot, zoomed, raw):
    return [
        *observation_cards(shot, 1),
        *exposure_cards(shot, shot.exptime),
        ("KXDEPLOY", True, "COSTAR deployed for the FOC"),
        ("OPTCRLY", shot.camera.detector, "optical relay"),
        ("PXFORMT", "ZOOM" if zoomed else "NORMAL", "pixel format"),
        ("SAMPPLN", 512, "samples per line"),
        ("LINEPFM", shot.camera.shape[0], "lines per frame"),
        ("FILTNAM1", shot.filter.name, "filter element 1"),
        *((f"FILTNAM{i}", f"CLEAR{i}", f"filter element {i}") for i in (2, 3, 4)),
        ("GEODEFV", _FILLING, "default value for output from geo"),
        *switch_cards("BACCORR ITFCORR UNICORR SDECORR", False),
        *switch_cards("PXLCORR WAVCORR GEOCORR", not raw),
        *photometry_cards(shot, f"FOC F/96 COSTAR {shot.filter.name}"),
    ]
