# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Cosmic rays in single exposures, found by L.A.Cosmic (van Dokkum 2001) where they can be.

The reference, `astroscrappy`, filters every pixel of a chip five times by medians. Here a bound of the Laplacian,
which is cheap, is taken everywhere, and the Laplacian and the medians where that is large: a few pixels in a hundred.
"""

from dataclasses import dataclass

import numpy as np
from astropy.nddata import CCDData

from astroclf.clean.neighbours import Field
from astroclf.clean.noise import Noise

__all__ = ["CosmicRays"]

_DIRECTIONS = ((0, 1), (1, 0), (1, 1), (1, -1))
_SIGMA_OF_FWHM = 1 / np.sqrt(8 * np.log(2))
_VARIANCE_OF_A_PIXEL = 1 / 12


@dataclass(frozen=True)
class CosmicRays:
    """
    Settings of the search; call it with an image.

    Parameters
    ----------
    sigclip : float
        Least Laplacian of a cosmic ray, in units of the noise. Lower finds fainter rays, and strikes
        more of the noise.
    sigfrac : float
        Fraction of ``sigclip`` that is enough beside a cosmic ray. Lower takes more of the faint edges of rays, and
        of the clean pixels there.
    objlim : float
        Least contrast between the Laplacian and the fine structure of the image. Lower finds more of the rays upon
        nebulae, higher spares the knots in them; between 1 and 2 little else depends on it.
    iterations : int
        Passes at most; each sees the image without what the ones before it found. 4 are enough but for long
        tracks.
    fwhm : float
        Full width at half maximum of the sharpest stars to be kept, in pixels, less a quarter for their noise: 1.3
        keeps those of 1.6 pixels and, but for one in ten, those of 1.5. Higher finds more rays where stars are known
        to be wider. Not used by `astroscrappy`.
    method : {"sparse", "astroscrappy"}
        ``"sparse"`` is that of this package. ``"astroscrappy"`` is the reference, for comparison: it wants an
        ``objlim`` of 5 for undersampled images, and takes 20 times as long.

    Raises
    ------
    ValueError
        If ``method`` is none of these.

    References
    ----------
    .. [1] van Dokkum, P. G. 2001, PASP 113, 1420.
    .. [2] McCully, C., et al. 2018, astropy/astroscrappy, doi:10.5281/zenodo.1482019.
    """

    sigclip: float = 4.5
    sigfrac: float = 0.3
    objlim: float = 1.5
    iterations: int = 8
    fwhm: float = 1.3
    method: str = "sparse"

    def __post_init__(self):
        if self.method not in _METHODS:
            msg = f"method must be one of {', '.join(_METHODS)}; got {self.method!r}"
            raise ValueError(msg)

    def __call__(self, ccd):
        """
        Replace cosmic rays by what is around them.

        Parameters
        ----------
        ccd : `~astropy.nddata.CCDData`, shape (ny, nx)
            A single exposure in electrons, its sky included; not modified. Masked and non-finite pixels are left out.

        Returns
        -------
        clean : `~astropy.nddata.CCDData`
            The image without cosmic rays; masked pixels, mask, unit, header and WCS as before.
        struck : `~numpy.ndarray` of bool, shape (ny, nx)
            True where a cosmic ray was replaced.
        """
        mask = None if ccd.mask is None else np.broadcast_to(np.asarray(ccd.mask, bool), ccd.shape)
        data, struck = _METHODS[self.method](self, ccd.data, mask, Noise.measured(ccd.data, mask))
        return CCDData(data, unit=ccd.unit, mask=ccd.mask, meta=ccd.meta.copy(), wcs=ccd.wcs), struck


def _sparse(settings, image, mask, noise):
    """Return the clean image, and what was struck."""
    field, found = Field(image, mask, noise.level), None
    search = _Search(settings, field, noise)
    for _ in range(settings.iterations):
        found = search.find(found)
        if not found.size:
            break
        field.repair(found)
    return field.result()


def _astroscrappy(settings, image, mask, noise):
    """Return the same by `astroscrappy`, through `ccdproc`, told the read noise and left to find that of the light."""
    from ccdproc import cosmicray_lacosmic

    bad = ~np.isfinite(image) if mask is None else ~np.isfinite(image) | mask
    found = cosmicray_lacosmic(
        CCDData(np.where(bad, noise.level, image).astype(np.float32), unit="electron", mask=bad),
        sigclip=settings.sigclip,
        sigfrac=settings.sigfrac,
        objlim=settings.objlim,
        niter=settings.iterations,
        readnoise=max(noise.sigma**2 - noise.level, 0.0) ** 0.5,
    )
    struck = found.mask & ~bad
    return np.where(struck, found.data, image).astype(np.result_type(image, np.float32), copy=False), struck


_METHODS = {"sparse": _sparse, "astroscrappy": _astroscrappy}


class _Search:
    """The search of this package over one field."""

    def __init__(self, settings, field, noise):
        self.settings, self.field, self.noise = settings, field, noise
        width = settings.fwhm * _SIGMA_OF_FWHM
        self._ratio = np.exp(1 / (width**2 + _VARIANCE_OF_A_PIXEL))

    def find(self, before=None):
        """Return the pixels of rays, those beside the ones found before where there are any."""
        if before is None:
            sigclip = self.settings.sigclip
            found = self.field.outstanding(lambda level: 2 * sigclip * self.noise.at(level), self._rays)
        else:
            found = self.field.beside(before, 2, self._rays)
        return np.union1d(found, self.field.beside(found, 1, self._edges))

    def _rays(self, at):
        """Return which of the pixels are rays by themselves."""
        at, laplacian, sigma = self._significant(at, self.settings.sigclip)
        level = self.field.median(at, 3)
        sharp = self._sharper_than_stars(at, level, sigma)
        at, laplacian, sigma, level = (values[sharp] for values in (at, laplacian, sigma, level))
        fine = np.maximum(self.field.median(at, 1) - level, 0.01 * sigma)
        contrast = laplacian > 2 * self.settings.objlim * fine
        at, laplacian, sigma = (values[contrast] for values in (at, laplacian, sigma))
        return self._above_surroundings(at, laplacian, sigma, self.settings.sigclip)

    def _edges(self, at):
        """Return which of the pixels, beside rays, are rays too."""
        enough = self.settings.sigclip * self.settings.sigfrac
        return self._above_surroundings(*self._significant(at, enough), enough)

    def _significant(self, at, enough):
        """Return those pixels whose Laplacian, in units of the noise, is large: with their Laplacians and noise."""
        laplacian = self.field.laplacian(at)
        large = laplacian > 2 * enough * self.noise.least
        at, laplacian = at[large], laplacian[large]
        sigma = self.noise.at(self.field.median(at, 2))
        large = laplacian > 2 * enough * sigma
        return at[large], laplacian[large], sigma[large]

    def _above_surroundings(self, at, laplacian, sigma, enough):
        """Return those pixels that are still significant less the median around: equation 13."""
        smooth = self.field.median_of(self.field.laplacian, at, 2)
        return at[laplacian - smooth > 2 * enough * sigma]

    def _sharper_than_stars(self, at, level, sigma):
        """
        Return which pixels stand out from two opposite ones as no star does.

        The square of a Gaussian over the product of its values one pixel to either side is exp(1/variance), wherever
        it is centered; diagonally, where the distance is larger, the square of that.
        """
        peak, sharp = self.field.value(at) - level, np.zeros(at.size, bool)
        for row, column in _DIRECTIONS:
            one, other = (
                np.maximum(self.field.value(at, side) - level, 0) + sigma for side in ((row, column), (-row, -column))
            )
            ratio = self._ratio ** (row**2 + column**2)
            sharp |= (peak**2 > ratio * one * other) & (peak >= np.maximum(one, other))
        return sharp
