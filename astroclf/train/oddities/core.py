# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""The kinds of oddities, and how one becomes a frame."""

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from astropy.nddata import CCDData

from astroclf.datasets.scenes.drawing import log_uniform, unit
from astroclf.frames import Exposure, Frame
from astroclf.train.forward import expose
from astroclf.train.oddities import instruments, photographs, pictures

__all__ = ["FITTED", "KINDS", "Kind", "make_oddity", "make_photograph"]

_SIDES = (160, 420)
_FAINTEST, _BRIGHTEST = 40.0, 2000.0
_EXPOSED_SHARE = 0.35


@dataclass(frozen=True)
class Kind:
    """
    A kind of things that no class of the taxonomy stands for.

    Parameters
    ----------
    draw : callable
        ``draw(shape, rng)`` returns an array of that shape, never negative.
    detected : bool
        Whether a detector at a telescope records it; others are pictures, most of which no detector saw.
    """

    draw: Callable
    detected: bool


KINDS = MappingProxyType({
    "long_slit": Kind(instruments.draw_long_slit, True),
    "echelle": Kind(instruments.draw_echelle, True),
    "grism": Kind(instruments.draw_grism, True),
    "arc_lamp": Kind(instruments.draw_arc_lamp, True),
    "fibres": Kind(instruments.draw_fibres, True),
    "interferogram": Kind(instruments.draw_interferogram, True),
    "spot_grid": Kind(instruments.draw_spot_grid, True),
    "spectrogram": Kind(instruments.draw_spectrogram, True),
    "test_pattern": Kind(pictures.draw_test_pattern, False),
    "text": Kind(pictures.draw_text, False),
    "table": Kind(pictures.draw_table, False),
    "logo": Kind(pictures.draw_logo, False),
    "chart": Kind(pictures.draw_chart, False),
    "barcode": Kind(pictures.draw_barcode, False),
    "fingerprint": Kind(pictures.draw_fingerprint, False),
    "contours": Kind(pictures.draw_contours, False),
    "circuit": Kind(pictures.draw_circuit, False),
    "photograph": Kind(photographs.crop_photograph, False),
    "collage": Kind(photographs.draw_collage, False),
    "heat_map": Kind(pictures.draw_heat_map, False),
    "sheet_music": Kind(pictures.draw_sheet_music, False),
    "still_life": Kind(photographs.draw_still_life, False),
    "scribble": Kind(pictures.draw_scribble, False),
    "maze": Kind(pictures.draw_maze, False),
    "ultrasound": Kind(photographs.draw_ultrasound, False),
    "street_map": Kind(pictures.draw_street_map, False),
})  # fmt: skip
"""The kinds there are, by name."""

FITTED = (
    "long_slit", "grism", "fibres", "spot_grid", "test_pattern", "table", "chart", "fingerprint", "circuit", "collage",
    "still_life", "scribble",
)  # fmt: skip
"""The kinds that the novelty score is fitted on; the others only test it."""


def make_oddity(kind, rng):
    """
    Make one frame of something outside the taxonomy.

    Parameters
    ----------
    kind : str
        One of `KINDS`.
    rng : `~numpy.random.Generator`
        Chooses everything.

    Returns
    -------
    frame : `~astroclf.Frame`
        What a detector records, its bright end 40 to 2000 times the noise of the sky, or a picture in 8 bits.

    Raises
    ------
    MissingDependencyError
        If ``kind`` is ``photograph`` and scikit-image, whose photographs these are, is not installed.
    """
    return _as_frame(KINDS[kind].draw(_shape(rng), rng), KINDS[kind].detected, rng)


def make_photograph(path, rng):
    """
    Make a frame of a photograph as `make_oddity` does of those it has.

    Parameters
    ----------
    path : path-like
        A photograph, JPEG or PNG. A part of it is taken, at least half of its shorter side.
    rng : `~numpy.random.Generator`
        Chooses everything.

    Returns
    -------
    frame : `~astroclf.Frame`
        As of `make_oddity`.
    """
    return _as_frame(photographs.crop(photographs.read_photograph(path), _shape(rng), rng), False, rng)


def _shape(rng):
    return tuple(np.round(log_uniform(rng, *_SIDES, 2)).astype(int).tolist())


def _as_frame(image, detected, rng):
    if detected or rng.random() < _EXPOSED_SHARE:
        return expose(unit(image), log_uniform(rng, _FAINTEST, _BRIGHTEST), rng)
    data = np.round(255 * np.clip(image, 0, 1)).astype(np.float32)
    return Frame(CCDData(data, unit="adu"), layout="picture", exposure=Exposure.PICTURE)
