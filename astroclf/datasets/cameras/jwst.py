# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""NIRCam and MIRI of JWST."""

from dataclasses import dataclass, replace

from astroclf.datasets.cameras.camera import Amplifier, Camera, Chip, Filter

__all__ = [
    "JWST_MIRI",
    "JWST_MIRI_SUB256",
    "JWST_NIRCAM",
    "JWST_NIRCAM_DITHERED",
    "JWST_NIRCAM_SUB160",
    "JWST_NIRCAM_SUB160_DITHERED",
    "JWSTCamera",
]

_LIGHT = 2.99792458e18
_STERADIAN = 206264.806**2


@dataclass(frozen=True)
class JWSTCamera(Camera):
    """
    A detector of JWST, or a subarray of one.

    Parameters
    ----------
    megajanskys : tuple of float
        PHOTMJSR of each filter: surface brightness in MJy/sr of one DN per second.
    scale : float
        Side of a pixel in arcsec.
    exp_type, channel, module, pupil : str
        Values of EXP_TYPE, CHANNEL, MODULE and PUPIL; empty ones are left out.
    name : str
        Value of SUBARRAY.
    border : tuple of int
        Reference pixels at the left and right, bottom and top edges: (columns, rows).
    masked : int
        Columns at the left, reference pixels included, that the imager does not use.
    dithers : tuple of tuple of int
        Column and row of the plane on which each exposure of a combined image begins; empty for single ones.
    """

    megajanskys: tuple[float, ...] = (1.0,)
    scale: float = 0.1
    exp_type: str = ""
    channel: str = ""
    module: str = ""
    pupil: str = ""
    name: str = "FULL"
    border: tuple[int, int] = (0, 0)
    masked: int = 0
    dithers: tuple[tuple[int, int], ...] = ()

    @property
    def area_of_pixel(self):
        """Solid angle of a pixel in steradians."""
        return self.scale**2 / _STERADIAN

    def conversion(self, element):
        """Return PHOTMJSR of one of ``filters``."""
        return self.megajanskys[self.filters.index(element)]


def _filters(gain, scale, *rows):
    """Return filters of (name, pivot in micrometres, bandwidth in micrometres, sky in e-/s, PHOTMJSR)."""
    filters = []
    for name, pivot, width, sky, megajanskys in rows:
        angstroms = pivot * 1e4
        flux = megajanskys * 1e6 * scale**2 / _STERADIAN / gain * 1e-23
        filters.append(Filter(name, flux * _LIGHT / angstroms**2, angstroms, width * 1e4, sky))
    return tuple(filters)


# Detector, reference pixels and subarrays: JWST User Documentation, NIRCam Detector Overview and Subarrays; gain and
# full well: NIRCam Detector Performance. PHOTMJSR of F444W is that of jwst_nircam_photom_0111; the others are rounded.
_NIRCAM_ROWS = (
    ("F444W", 4.4037, 1.024, 0.9, 0.3925),
    ("F277W", 2.786, 0.672, 0.4, 0.37),
    ("F356W", 3.563, 0.787, 0.4, 0.35),
)

JWST_NIRCAM = JWSTCamera(
    instrument="NIRCAM",
    detector="NRCALONG",
    aperture="NRCA5_FULL",
    letter="j",
    shape=(2048, 2048),
    chips=(Chip(1, 0, (Amplifier("1", 1.82, 9.0),)),),
    filters=_filters(1.82, 0.063, *_NIRCAM_ROWS),
    linear=((0.0629, 0.0001), (-0.0001, 0.0630)),
    epoch=59780.0,
    exptime=311.366,
    full_well=83000.0,
    dark=0.03,
    hot_fraction=0.003,
    hot_threshold=1.0,
    hot_limit=1.0,
    pixel_size=18e-4,
    fwhm=2.3,
    column_flag=0,
    megajanskys=tuple(row[-1] for row in _NIRCAM_ROWS),
    scale=0.063,
    exp_type="NRC_IMAGE",
    channel="LONG",
    module="A",
    pupil="CLEAR",
    border=(4, 4),
)
"""NIRCam's long-wavelength detector of module A."""

JWST_NIRCAM_SUB160 = replace(
    JWST_NIRCAM, aperture="NRCA5_SUB160", shape=(160, 160), subarray=True, name="SUB160", border=(0, 0), exptime=25.0
)
"""Its 160 x 160 subarray, which has no reference pixels."""

JWST_NIRCAM_DITHERED = replace(
    JWST_NIRCAM, shape=(2090, 2096), dithers=((4, 3), (49, 12), (15, 44), (38, 40)), exptime=1245.464
)
"""Four dithered exposures of it combined; the plane is that of the combined image."""

JWST_NIRCAM_SUB160_DITHERED = replace(
    JWST_NIRCAM_SUB160, shape=(190, 194), dithers=((2, 3), (27, 8), (9, 26), (20, 22)), exptime=100.0
)
"""The same with the subarray."""

# Size and reference columns: jwst documentation, refpix step; gain, read noise (6 DN), dark current and full well: JWST
# User Documentation, MIRI Detector Performance; the imager's 74 x 113 arcsec of 0.11 arcsec: MIRI Imaging. PHOTMJSR is
# rounded.
_MIRI_ROWS = (
    ("F770W", 7.639, 1.95, 40.0, 0.5),
    ("F560W", 5.635, 1.0, 8.0, 0.7),
    ("F1000W", 9.953, 1.8, 80.0, 0.5),
)

JWST_MIRI = JWSTCamera(
    instrument="MIRI",
    detector="MIRIMAGE",
    aperture="MIRIM_FULL",
    letter="j",
    shape=(1024, 1032),
    chips=(Chip(1, 0, (Amplifier("1", 4.0, 24.0),)),),
    filters=_filters(4.0, 0.11, *_MIRI_ROWS),
    linear=((0.1099, 0.0002), (0.0001, 0.1100)),
    epoch=59780.0,
    exptime=277.5,
    full_well=210000.0,
    dark=0.2,
    hot_fraction=0.002,
    hot_threshold=5.0,
    hot_limit=5.0,
    pixel_size=25e-4,
    fwhm=2.45,
    column_flag=0,
    megajanskys=tuple(row[-1] for row in _MIRI_ROWS),
    scale=0.11,
    exp_type="MIR_IMAGE",
    border=(4, 0),
    masked=355,
)
"""MIRI's imager; the coronagraphs take the left third of the detector."""

JWST_MIRI_SUB256 = replace(
    JWST_MIRI, aperture="MIRIM_SUB256", shape=(256, 256), subarray=True, name="SUB256", border=(0, 0), masked=0
)
"""Its 256 x 256 subarray."""
