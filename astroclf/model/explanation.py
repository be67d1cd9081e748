# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Why a class: which parts of a frame speak for it, by class activation maps."""

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from astroclf.frames.sky import pixel_to_sky
from astroclf.model.head import Head
from astroclf.model.userfile import UserRecord
from astroclf.model.weights import read_weights
from astroclf.render import orient_back

__all__ = ["Explanation", "check_label", "make_explanation", "read_head"]

_SAMPLES = 256
"""Rows and columns, at most, at which the map is looked at for its peak and its contours."""


@dataclass(frozen=True, eq=False)
class Explanation:
    """
    Which parts of a frame speak for a class.

    The last layer of the network takes the mean of feature maps over cells of the picture, weighs it and adds a
    constant. Mean and sum can change places, so that each cell has its own share in the logit (class activation map,
    Zhou et al. 2016): the map is not an estimate. What a cell sees reaches beyond it, over most of the picture in
    principle: the map says in which cells the evidence is gathered, not where its borders are.

    Parameters
    ----------
    label : str
        The class.
    grid : `~numpy.ndarray`, shape (7, 7)
        What each cell of the network's picture says for the class, in units of the logit; negative where it speaks
        against it. Averaged over the orientations of the frame, each turned back; row 0 at the bottom. The frame is
        in the middle of the picture, so that cells at the edge may be padding.
    bias : float
        The constant: ``grid.mean() + bias`` is the logit, not calibrated, averaged over the orientations.
    shape : tuple of int
        Shape (ny, nx) of the frame.
    part : tuple of slice
        Rows and columns of its exposed part, which the network saw.
    cells : tuple of `~numpy.ndarray`
        Where the rows and the columns of ``part`` are in ``grid``, in cells; 0 is where the first one looks.
    wcs : WCS of the APE 14 interface, or None
        World coordinates of the frame.
    """

    label: str
    grid: np.ndarray = field(repr=False)
    bias: float
    shape: tuple[int, int]
    part: tuple[slice, slice]
    cells: tuple[np.ndarray, np.ndarray] = field(repr=False)
    wcs: object = field(default=None, repr=False)

    @property
    def logit(self):
        """The logit of the class, not calibrated, averaged over the orientations."""
        return float(self.grid.mean() + self.bias)

    def on_frame(self):
        """
        Return the map at every pixel of the frame.

        Returns
        -------
        heat : `~numpy.ndarray` of float32, shape (ny, nx)
            A cubic spline through the cells, constant beyond the outermost ones, in units of the logit; NaN outside the
            exposed part. Its mean is not that of ``grid``, which padding belongs to.
        """
        heat = np.full(self.shape, np.nan, np.float32)
        heat[self.part] = self._at(*self.cells)
        return heat

    @property
    def peak(self):
        """Column and row (x, y) of the frame that speak loudest for the class; 0 is the first, as in numpy."""
        x, y, heat = self._sampled()
        row, column = np.unravel_index(heat.argmax(), heat.shape)
        return int(x[column]), int(y[row])

    @property
    def peak_sky(self):
        """`peak` on the sky: `~astropy.coordinates.SkyCoord` in ICRS; None without world coordinates."""
        return pixel_to_sky(self.wcs, *self.peak)

    def contours(self, level=0.5):
        """
        Return the lines around what speaks for the class.

        Parameters
        ----------
        level : float, optional
            Height of the lines, as a fraction of the peak, in (0, 1).

        Returns
        -------
        lines : list of `~numpy.ndarray`, shape (n, 2)
            Their points (x, y), in pixels of the frame; a line that is not closed ends at the edge of the exposed part.
            There are none where nothing speaks for the class, and where all does.

        Raises
        ------
        ValueError
            If ``level`` is not in (0, 1).
        """
        if not 0 < level < 1:
            msg = f"level must be between 0 and 1; got {level!r}"
            raise ValueError(msg)
        x, y, heat = self._sampled()
        top = float(heat.max())
        if min(heat.shape) < 2 or not heat.min() < level * top < top:
            return []
        from matplotlib.figure import Figure

        return list(Figure().add_subplot().contour(x, y, heat, [level * top]).allsegs[0])

    def _at(self, rows, columns):
        from scipy.interpolate import RectBivariateSpline

        places = (np.arange(n, dtype=float) for n in self.grid.shape)
        return RectBivariateSpline(*places, self.grid)(rows, columns).astype(np.float32)

    def _sampled(self):
        """Return columns and rows of the frame, no more than needed, and the map there."""
        rows, columns = (_some(len(cells)) for cells in self.cells)
        heat = self._at(self.cells[0][rows], self.cells[1][columns])
        return columns + self.part[1].start, rows + self.part[0].start, heat


def check_label(label, labels):
    """
    Refuse what is not a class.

    Parameters
    ----------
    label : str or None
        A class, or None for any.
    labels : sequence of str
        The classes there are.

    Raises
    ------
    ValueError
        If it is none of these. Groups are none: their probability is no sum of logits.
    """
    if label is not None and label not in labels:
        msg = f"label must be one of {', '.join(labels)}; got {label!r}"
        raise ValueError(msg)


@lru_cache(maxsize=4)
def read_head(record):
    """
    Read the last layer of a network.

    Parameters
    ----------
    record : `~astroclf.model.ModelRecord`
        Its record. The model file is read once more, and this layer kept; a user's model has its own.

    Returns
    -------
    head : `~astroclf.model.head.Head`
        Weights of the feature maps, and constants.
    """
    if isinstance(record, UserRecord):
        return record.head
    kernel, scale, bias = read_weights(record.read_bytes(), ["head/kernel", "head/kernel:scale", "head/bias"]).values()
    return Head(kernel * scale, bias)


def make_explanation(label, frame, looks, record):
    """
    Explain a class by what the network saw of a frame.

    Parameters
    ----------
    label : str
        The class.
    frame : `~astroclf.Frame`
        The frame.
    looks : sequence of tuple
        Of each look at it, in grey or in colour, the activations in all orientations, shape (views, 2048, 7, 7) (see
        `astroclf.render.orient`), and the last layer that weighs them, a `~astroclf.model.head.Head`.
    record : `~astroclf.model.ModelRecord`
        Classes and preprocessing.

    Returns
    -------
    explanation : Explanation
        In double precision.
    """
    index = record.labels.index(label)
    grid = np.mean([_grid(maps, head.kernel[:, index]) for maps, head in looks], axis=0)
    bias = float(np.mean([head.bias[index] for _, head in looks], dtype=float))
    size, part, (maps, _) = record.preprocessor.size, frame.exposed, looks[0]
    first = _first_place(size, len(grid), len(maps))
    cells = tuple((place - first) / (size / len(grid)) for place in record.preprocessor.part_to_picture(part))
    return Explanation(label, grid, bias, frame.shape, part, cells, frame.ccd.wcs)


def _grid(maps, weights):
    """Return the mean of the class activation maps of all orientations."""
    return orient_back(np.tensordot(maps.astype(float), weights.astype(float), axes=(1, 0))).mean(axis=0)


def _first_place(size, cells, views):
    """
    Return the pixel of the picture at which the first row and column of cells look.

    All convolutions of stride 2 look at the first of two pixels, so that a cell looks at the first of its 32, not at
    their middle. Turned back from opposite rotations and averaged, it looks at the middle.
    """
    return 0.0 if views == 1 else (size / cells - 1) / 2


def _some(length):
    """Return the indices of evenly spaced items of so many, the first and the last among them."""
    return np.unique(np.linspace(0, length - 1, min(length, _SAMPLES)).round().astype(int))
