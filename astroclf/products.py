# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""FITS files of what the stages of the line made of a frame."""

import os
from io import BytesIO
from pathlib import Path

import numpy as np

from astroclf.exceptions import AstroclfError
from astroclf.storage.drafts import write_whole

__all__ = ["save_background"]


def save_background(stages, path, *, preprocessor=None, overwrite=False):
    """
    Write the model of the sky of a frame as a FITS image, whole or not at all.

    Parameters
    ----------
    stages : `~astroclf.preprocess.Stages`
        What `astroclf.Preprocessor.stages` returns; `~astroclf.preprocess.Stages.sky_model` is written.
    path : path-like
        The file: float32 of the shape of the frame, NaN outside the exposed part, with the unit (BUNIT) and the world
        coordinates of the frame, and its history.
    preprocessor : `~astroclf.Preprocessor`, optional
        The settings that made it, for the history.
    overwrite : bool, optional
        Whether to replace a file that exists.

    Raises
    ------
    AstroclfError
        If ``path`` exists and is not to be overwritten, or cannot be written.
    """
    path = Path(os.path.realpath(path))
    if os.path.lexists(path) and not (overwrite and path.is_file()):
        do = "choose another name" if overwrite else "choose another name, or overwrite it on purpose"
        msg = f"{path}: exists; {do}"
        raise AstroclfError(msg)
    try:
        write_whole(path, _to_bytes(stages, preprocessor))
    except OSError as error:
        msg = f"{path} cannot be written: {error.strerror or error}"
        raise AstroclfError(msg) from error


def _to_bytes(stages, preprocessor):
    """Return the file."""
    from astropy.io import fits

    hdu, stream = fits.PrimaryHDU(stages.sky_model, header=_coordinates(stages.frame)), BytesIO()
    unit = _unit(stages.frame.ccd.unit)
    if unit:
        hdu.header["BUNIT"] = unit
    for line in _history(stages, preprocessor):
        hdu.header["HISTORY"] = line
    hdu.add_datasum(when="data unit checksum")
    hdu.add_checksum(when="HDU checksum", override_datasum=False)
    hdu.writeto(stream)
    return stream.getvalue()


def _coordinates(frame):
    """Return the world coordinates of a frame as a header, its distortion included as far as cards can say it."""
    from astropy.io import fits

    return fits.Header() if frame.ccd.wcs is None else frame.ccd.wcs.to_header(relax=True)


def _unit(unit):
    """Return a unit as FITS writes it, or else as astropy does; empty if there is none."""
    try:
        return unit.to_string("fits")
    except (AttributeError, ValueError):
        return _ascii(unit or "")


def _history(stages, preprocessor):
    """Yield the lines that say what made the model."""
    from astroclf import __version__

    level = stages.sky.on(stages.reduced.shape)
    rows, columns = stages.part
    yield f"Model of the sky of {_ascii(stages.frame.origin.name)}, made by astroclf {__version__}"
    if preprocessor is not None:
        yield f"Preprocessing {preprocessor.digest}, background model {preprocessor.background.model}"
    yield f"Exposed part: columns {columns.start + 1} to {columns.stop}, rows {rows.start + 1} to {rows.stop}"
    yield f"Measured in {level.shape[1]} x {level.shape[0]} pixels; noise of one of them {stages.sky.sigma:.6g}"
    yield f"Mean level {np.mean(level):.6g}, highest minus lowest {np.ptp(level):.6g}"
    yield f"Cosmic rays: {stages.frame.exposure}"


def _ascii(text):
    """Return text as FITS can hold it."""
    text = str(text).encode("ascii", "backslashreplace").decode("ascii")
    return "".join(character if character.isprintable() else "?" for character in text)
