# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Parametric scenes of every class, as the sky would send them to a telescope."""

import numpy as np

from astroclf.datasets.scenes import galaxies, nebulae, solar_system, stars
from astroclf.datasets.scenes.drawing import convolve, diffraction, psf, unit
from astroclf.taxonomy import labels

__all__ = ["draw_scene"]


def _nothing(shape, _rng):
    return np.zeros(shape, np.float32)


_PAINTERS = {
    "spiral_galaxy": galaxies.spiral_galaxy,
    "early_type_galaxy": galaxies.early_type_galaxy,
    "edge_on_galaxy": galaxies.edge_on_galaxy,
    "irregular_galaxy": galaxies.irregular_galaxy,
    "galaxy_field": galaxies.galaxy_field,
    "globular_cluster": stars.globular_cluster,
    "open_cluster": stars.open_cluster,
    "star_field": stars.star_field,
    "star": stars.star,
    "diffuse_nebula": nebulae.diffuse_nebula,
    "planetary_nebula": nebulae.planetary_nebula,
    "supernova_remnant": nebulae.supernova_remnant,
    "solar_system": solar_system.solar_system,
    "no_source": _nothing,
}


def draw_scene(label, shape, rng, *, fwhm=2.0, spikes=0.0, space=False):
    """
    Draw one random scene of a class, seen through a telescope but not yet by a detector.

    Parameters
    ----------
    label : str
        A class of the taxonomy, one of `astroclf.taxonomy.labels`.
    shape : tuple of int
        Shape (ny, nx) of the image in pixels. Objects scale with its shorter side.
    rng : `~numpy.random.Generator`
        Chooses everything about the scene.
    fwhm : float, optional
        Full width at half maximum of the point-spread function, in pixels.
    spikes : float, optional
        Fraction of the light in diffraction spikes, in [0, 1).
    space : bool, optional
        Whether the telescope is above the air: its point-spread function is then that of a pupil with an obstruction
        and vanes, and has its own rings and spikes in the place of ``spikes``.

    Returns
    -------
    image : `~numpy.ndarray` of float32, shape (ny, nx)
        Expected light, without sky and noise, never negative. Its 99.8th percentile is 1, or its
        maximum where nearly all of the frame is dark. All zero for ``no_source``.

    Raises
    ------
    ValueError
        If ``label`` is not a class of the taxonomy.
    """
    if label not in _PAINTERS:
        msg = f"label must be one of {', '.join(labels())}; got {label!r}"
        raise ValueError(msg)
    image = _PAINTERS[label](shape, rng)
    if not image.any():
        return image
    kernel = diffraction(rng, fwhm) if space else psf(rng, fwhm, spikes)
    return unit(convolve(image, kernel))
