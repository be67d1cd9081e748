# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Products of several exposures: cosmic rays rejected where they are combined, and drizzled."""

from dataclasses import replace

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS
from scipy import ndimage

from astroclf.datasets.ccd import ccd_frame
from astroclf.datasets.counter import counter_frame
from astroclf.datasets.headers import SERIOUS_FLAGS, drizzled_headers, north_up_wcs, primary_header
from astroclf.datasets.infrared import infrared_frame

__all__ = ["combined_frame", "drizzled_frame"]

_SPLIT = 2
_SIGMAS, _NEIGHBOUR_SIGMAS, _SCALE_NOISE = 5.0, 2.5, 0.05
_DRIZZLE_RAY, _RAY = 4096, 8192
_NOT_DRIZZLED = 4 | 8 | 16 | 128 | _DRIZZLE_RAY


def combined_frame(shot, light, rng, *, cosmic_rays=True):
    """
    Expose a CCD camera twice, each time for half as long, and reject cosmic rays, as acsrej and wf3rej do.

    Parameters
    ----------
    shot : `~astroclf.datasets.headers.Shot`
        The product, ``crj`` or ``crc``, with the sum of the exposure times.
    light : `~numpy.ndarray` of float32, shape of the camera's ``plane``
        Expected electrons in both exposures, sky included.
    rng : `~numpy.random.Generator`
        Source of noise and cosmic rays.
    cosmic_rays : bool, optional
        Whether there are any.

    Returns
    -------
    hdus : `~astropy.io.fits.HDUList`
        PRIMARY, then SCI, ERR and DQ of each chip. DQ has 8192 where every exposure was struck.
    """
    members = _members(shot, light, rng, cosmic_rays)
    hdus = fits.HDUList([fits.PrimaryHDU(header=primary_header(replace(shot, exposures=_SPLIT), len(members[0]) - 1))])
    for hdu in members[0][1:]:
        hdus.append(hdu)
    for version in range(1, len(shot.camera.chips) + 1):
        science, error, quality = (
            np.stack([member[name, version].data for member in members]) for name in ("SCI", "ERR", "DQ")
        )
        struck = quality & _RAY > 0
        weight = np.where(struck.all(axis=0), True, ~struck)
        scale = np.float32(len(members)) / weight.sum(axis=0)
        hdus["SCI", version].data = ((science * weight).sum(axis=0) * scale).astype(np.float32)
        hdus["ERR", version].data = (np.sqrt((error**2 * weight).sum(axis=0)) * scale).astype(np.float32)
        hdus["DQ", version].data = np.bitwise_or.reduce(quality & ~_RAY) | struck.all(axis=0) * np.int16(_RAY)
        good = np.count_nonzero(hdus["DQ", version].data & SERIOUS_FLAGS == 0)
        hdus["SCI", version].header.update(NCOMBINE=len(members), NGOODPIX=int(good))
    return hdus


def drizzled_frame(shot, light, rng, *, cosmic_rays=True):
    """
    Expose a camera and drizzle the exposures onto a grid with north up and square pixels.

    A CCD camera is exposed twice, each time for half as long, and pixels struck by cosmic rays are left out;
    other cameras once. The value of a pixel is interpolated between those of the input, so that noise is
    correlated, as that of real drizzled images is.

    Parameters
    ----------
    shot : `~astroclf.datasets.headers.Shot`
        The product, ``drz`` or ``drc``, with the sum of the exposure times.
    light : `~numpy.ndarray` of float32, shape of the camera's ``plane``
        Expected electrons in all exposures, sky included.
    rng : `~numpy.random.Generator`
        Source of noise and cosmic rays.
    cosmic_rays : bool, optional
        Whether there are any.

    Returns
    -------
    hdus : `~astropy.io.fits.HDUList`
        PRIMARY, SCI in electrons per second, WHT in seconds, CTX, one bit an input image, and the table HDRTAB.
        WHT is 0 where nothing was exposed.
    """
    members = _members(shot, light, rng, cosmic_rays)
    wcs, shape = north_up_wcs(shot)
    total, weight = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    context = np.zeros(shape, np.int32)
    inputs = [(member, version) for member in members for version in range(1, len(shot.camera.chips) + 1)]
    for bit, (member, version) in enumerate(inputs):
        here = _drizzle(member, version, wcs, shape)
        total += here[0]
        weight += here[1]
        context |= (here[1] > 0) * np.int32(1 << bit)
    image = np.divide(total, weight, out=np.zeros(shape, np.float32), where=weight > 0)
    primary, headers = drizzled_headers(replace(shot, exposures=len(members)), wcs, len(inputs))
    hdus = fits.HDUList([fits.PrimaryHDU(header=primary)])
    for array, header in zip((image, weight, context), headers, strict=True):
        hdus.append(fits.ImageHDU(array, header))
    hdus.append(_header_table(inputs))
    return hdus


def _members(shot, light, rng, cosmic_rays):
    """Return the calibrated exposures of a product, with the pixels that rays struck flagged."""
    product = "flc" if shot.product.endswith("c") else "flt"
    expose = {"IR": infrared_frame, "SBC": counter_frame}.get(shot.camera.detector, ccd_frame)
    if expose is not ccd_frame:
        return [expose(replace(shot, product=product), light, rng, cosmic_rays=cosmic_rays)]
    single = replace(shot, product=product, exptime=shot.exptime / _SPLIT)
    members = [expose(single, light / _SPLIT, rng, cosmic_rays=cosmic_rays) for _ in range(_SPLIT)]
    for version in range(1, len(shot.camera.chips) + 1):
        _flag_rays(members, version)
    return members


def _flag_rays(members, version):
    """Set the flags of pixels too bright for their error, beside the faintest of the exposures of the same sky."""
    science = np.stack([member["SCI", version].data for member in members])
    faintest = np.argmin(science, axis=0)[None]
    guess = np.take_along_axis(science, faintest, axis=0)[0]
    error = np.take_along_axis(np.stack([member["ERR", version].data for member in members]), faintest, axis=0)[0]
    sigmas = (science - guess) / np.sqrt(2 * error**2 + (_SCALE_NOISE * guess) ** 2)
    for member, excess in zip(members, sigmas):
        struck = ndimage.binary_dilation(excess > _SIGMAS, np.ones((3, 3))) & (excess > _NEIGHBOUR_SIGMAS)
        member["DQ", version].data |= struck * np.int16(_RAY | _DRIZZLE_RAY)


def _drizzle(member, version, wcs, shape):
    """Return rate times weight, and the weight, of an input image on the grid of the output."""
    science, quality = member["SCI", version], member["DQ", version].data
    seconds = np.float32(member[0].header["EXPTIME"])
    matrix, offset = _affine(WCS(science.header), wcs, science.shape)
    weight = np.where(quality & _NOT_DRIZZLED, 0, seconds).astype(np.float32)
    rate = science.data if science.header["BUNIT"] == "ELECTRONS/S" else science.data / seconds
    area = np.float32(abs(np.linalg.det(matrix)))
    images = (np.where(weight > 0, rate * area, 0) * weight, weight)
    return [ndimage.affine_transform(image, matrix, offset, shape, order=1, output=np.float32) for image in images]


def _affine(wcs_in, wcs_out, shape):
    """Return matrix and offset that take (row, column) of the output to those of the input, from a grid of points."""
    ny, nx = shape
    x, y = (axis.ravel() for axis in np.meshgrid(np.linspace(0, nx - 1, 5), np.linspace(0, ny - 1, 5)))
    across, up = wcs_out.wcs_world2pix(*wcs_in.wcs_pix2world(x, y, 0), 0)
    points = np.stack([up, across, np.ones(up.size)], axis=1)
    solution = np.linalg.lstsq(points, np.stack([y, x], axis=1), rcond=None)[0]
    return solution[:2].T, solution[2]


def _header_table(inputs):
    """Return the table of the headers of the input images, one row each."""
    headers = [(member[0].header, member["SCI", version].header) for member, version in inputs]
    columns = [
        fits.Column("ROOTNAME", "9A", array=[primary["ROOTNAME"] for primary, _ in headers]),
        fits.Column("EXTVER", "J", array=[science["EXTVER"] for _, science in headers]),
        fits.Column("EXPTIME", "D", array=[primary["EXPTIME"] for primary, _ in headers]),
        fits.Column("CCDCHIP", "J", array=[science.get("CCDCHIP", -999) for _, science in headers]),
    ]
    return fits.BinTableHDU.from_columns(columns, name="HDRTAB")
