# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Where a page lies on the sky: its world coordinates in the Astronomy Visualization Metadata (AVM)."""

import numpy as np
from astropy.wcs import WCS
from astropy.wcs.utils import fit_wcs_from_points

from astroclf.frames.files.avm import avm_wcs, read_avm
from astroclf.frames.sky import pixel_to_sky, sky_orientation
from astroclf.tags.xmp import avm_packet

__all__ = ["page_place"]

_FRAMES = {("RA", "ICRS"): "ICRS", ("RA", "FK5"): "FK5", ("RA", "FK4"): "FK4", ("GLON", ""): "GAL"}
_EQUINOXES = {1950.0: "B1950", 2000.0: "J2000"}
_PROJECTIONS = "TAN", "SIN", "ARC", "AIT", "CAR", "CEA"
_GRID = 5
_TOLERANCE = 0.1
"""Pixels of the page by which a full solution may be wrong."""


def page_place(frame, part, to_page, size):
    """
    Return the ``Spatial`` elements of AVM for a page that shows a frame.

    Parameters
    ----------
    frame : `~astroclf.Frame`
        The frame.
    part : tuple of slice
        Rows and columns of it that are shown.
    to_page : `~numpy.ndarray`, shape (3, 3)
        Affine matrix from the columns and rows of the frame, 0 in the middle of the first, to pixels of the page from
        its lower left corner.
    size : tuple of int
        Width and height of the page in pixels.

    Returns
    -------
    values : dict
        Values by their names in AVM: scale, rotation, and the pixel of the page, the first of which is 1, at a place on
        the sky. ``Spatial.Quality`` is ``Full`` where these say to a tenth of a pixel where every pixel of the frame
        is, else ``Position``: then only the middle of the part is exact. Empty where the frame has no world
        coordinates of the sky.
    """
    wcs = frame.ccd.wcs
    orientation = sky_orientation(wcs, frame.shape)
    if orientation is None:
        return {}
    columns, rows = _grid(part)
    sky = pixel_to_sky(wcs, columns, rows)
    page = (to_page @ [columns, rows, np.ones_like(columns)])[:2] - 0.5
    if sky is None or not (np.isfinite(sky.ra.deg).all() and np.isfinite(sky.dec.deg).all()):
        return {}
    own = _solution(_turned(wcs, to_page), size)
    if own and _error(own, page, sky, size) < _TOLERANCE:
        return own
    middle = len(sky) // 2
    tangent = _solution(fit_wcs_from_points(page, sky, proj_point=sky[middle]), size)
    if _error(tangent, page, sky, size) < _TOLERANCE:
        return tangent
    return _position(tangent, page[:, middle], sky[middle], orientation.mirrored)


def _position(values, pixel, sky, mirrored):
    """Return world coordinates of which only the middle is exact; scale and rotation have no meaning in a mirror."""
    left_out = ("Spatial.Scale", "Spatial.Rotation") if mirrored else ()
    return {name: value for name, value in values.items() if name not in left_out} | {
        "Spatial.ReferenceValue": [float(sky.ra.deg), float(sky.dec.deg)],
        "Spatial.ReferencePixel": [float(place) + 1 for place in pixel],
        "Spatial.Quality": "Position",
    }


def _grid(part):
    """Return columns and rows of places all over a part of a frame, from edge to edge."""
    rows, columns = (np.linspace(side.start - 0.5, side.stop - 0.5, _GRID) for side in part)
    return tuple(axis.ravel() for axis in np.meshgrid(columns, rows))


def _turned(wcs, to_page):
    """Return the linear part of world coordinates in pixels of the page; None for others than those of FITS."""
    if not isinstance(wcs, WCS) or not wcs.is_celestial:
        return None
    to_frame = np.linalg.inv(to_page)
    turned = WCS(naxis=2)
    turned.wcs.ctype = [kind[:8] for kind in wcs.wcs.ctype]
    turned.wcs.crval = wcs.wcs.crval
    turned.wcs.radesys, turned.wcs.equinox = wcs.wcs.radesys, wcs.wcs.equinox
    turned.wcs.crpix = (to_page @ [*(wcs.wcs.crpix - 1), 1])[:2] + 0.5
    turned.wcs.cd = wcs.pixel_scale_matrix @ to_frame[:2, :2]
    return turned


def _solution(wcs, size):
    """Return world coordinates as AVM has them, as if they were exact; empty where it has no such."""
    if wcs is None:
        return {}
    axis, projection = wcs.wcs.ctype[0][:4].rstrip("-"), wcs.wcs.ctype[0][5:]
    equinox = wcs.wcs.equinox if np.isfinite(wcs.wcs.equinox) else 2000.0
    system = (wcs.wcs.radesys or ("FK5" if np.isfinite(wcs.wcs.equinox) else "ICRS")) if axis == "RA" else ""
    frame = _FRAMES.get((axis, system))
    if frame is None or projection not in _PROJECTIONS:
        return {}
    (cd11, cd12), (cd21, cd22) = wcs.pixel_scale_matrix
    return {
        "Spatial.CoordinateFrame": frame,
        "Spatial.Equinox": _EQUINOXES.get(float(equinox), str(float(equinox))),
        "Spatial.ReferenceValue": list(map(float, wcs.wcs.crval)),
        "Spatial.ReferenceDimension": list(map(float, size)),
        "Spatial.ReferencePixel": list(map(float, wcs.wcs.crpix)),
        "Spatial.Scale": [-float(np.hypot(cd11, cd21)), float(np.hypot(cd12, cd22))],
        "Spatial.Rotation": float(np.degrees(np.arctan2(-cd12, cd22))),
        "Spatial.CoordsystemProjection": projection,
        "Spatial.Quality": "Full",
    }


def _error(values, page, sky, size):
    """Return by how many pixels of the page a reader of AVM is wrong at most."""
    wcs = avm_wcs(read_avm(avm_packet(values)), size[::-1])
    found = pixel_to_sky(wcs, *page)
    if found is None:
        return np.inf
    return np.nan_to_num(found.separation(sky).deg.max(), nan=np.inf) / values["Spatial.Scale"][1]
