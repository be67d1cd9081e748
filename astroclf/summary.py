# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""What a file is and what would be done with it, without classifying it."""

from dataclasses import replace

import numpy as np

from astroclf.frames import Exposure, read_frame
from astroclf.frames.sky import sky_orientation
from astroclf.model.record import load_record

__all__ = ["summarize"]


def summarize(source, hdu=None, plane=None):
    """
    Say what an image is, how it was read, and what the pipeline would do with it; no network runs.

    Parameters
    ----------
    source, hdu, plane
        As for `read_frame`.

    Returns
    -------
    summary : dict
        Flat, for a row of a table: text, numbers, booleans, tuples of these; None or empty where nothing is known.

        ``file, layout, telescope, instrument, detector, product, target, filter, date``
            As in `Frame`.
        ``pivot_nm, exptime_s``
            Pivot wavelength of the filter in nm, exposure time in s.
        ``hdus, hdus_present``
            HDUs read, of those there are.
        ``nx, ny, unit``
            Shape and unit of the image.
        ``wcs, ra_deg, dec_deg, scale_arcsec, width_arcmin, height_arcmin, north_deg, mirrored``
            Whether there is a WCS; ICRS position of the middle; arcseconds per pixel along a row; field; angle from up
            to north, counterclockwise; whether east is clockwise of north. None where one scale does not hold.
        ``unusable, masked, saturated``
            Fractions: `Frame.quality` of the exposed pixels, those masked of all, and `Frame.saturated`.
        ``gain, readnoise``
            Electrons per count and electrons, by amplifier.
        ``steps, notes``
            What the reader did, and what it warns of.
        ``cosmic_rays, cosmic_rays_why``
            Whether they will be looked for, and why or why not.
        ``columns, rows``
            First and last column and row of the exposed rectangle, counted from 1.
        ``reduced_nx, reduced_ny``
            Shape to which it will be reduced.
        ``sky, sky_range, sky_noise``
            Mean level of the sky, highest minus lowest (0 if it is flat), and noise per reduced pixel, in the unit of
            the image, before cosmic rays are replaced.
        ``pattern``
            Highest minus lowest value of the stripes, and steps between amplifiers, that are taken out; 0 if there are
            none.
        ``stretch, preprocessing, model``
            How it will be stretched, digest of the settings, and name of the bundled model, which was not run.

    Raises
    ------
    FrameError
        If ``source`` holds no image that can be read.

    Examples
    --------
    >>> from astroclf import summarize
    >>> from astroclf.datasets import make_frame
    >>> found = summarize(make_frame("wfc3_ir_sub256_flt", "spiral_galaxy", seed=1))
    >>> found["layout"], found["filter"], round(found["pivot_nm"], 1), found["cosmic_rays"]
    ('wfc3_ir', 'F110W', 1153.4, False)
    """
    frame = read_frame(source, hdu, plane)
    return _identity(frame) | _image(frame) | _place(frame) | _pixels(frame) | _plan(frame)


def _identity(frame):
    facts = frame.facts
    return {
        "file": frame.origin.name,
        "layout": frame.layout,
        "telescope": facts.telescope,
        "instrument": facts.instrument,
        "detector": facts.detector,
        "product": facts.product,
        "target": facts.target,
        "filter": facts.filter,
        "pivot_nm": facts.pivot / 10 if facts.pivot else None,
        "exptime_s": facts.exptime,
        "date": facts.date,
    }


def _image(frame):
    ny, nx = frame.shape
    return {
        "hdus": frame.origin.hdus,
        "hdus_present": frame.origin.present,
        "nx": nx,
        "ny": ny,
        "unit": str(frame.ccd.unit),
    }


def _place(frame):
    place = dict.fromkeys(("ra_deg", "dec_deg", "scale_arcsec", "width_arcmin", "height_arcmin", "north_deg"))
    place |= {"mirrored": None}
    lies = sky_orientation(frame.ccd.wcs, frame.shape)
    if lies is not None:
        ny, nx = frame.shape
        values = *lies.center, lies.scale, nx * lies.scale / 60, ny * lies.column_scale / 60, lies.roll, lies.mirrored
        place = dict(zip(place, values))
    return {"wcs": frame.ccd.wcs is not None} | place


def _pixels(frame):
    return {
        "unusable": frame.quality,
        "masked": float(np.mean(~frame.good)),
        "saturated": frame.saturated,
        "gain": frame.facts.gain,
        "readnoise": frame.facts.readnoise,
        "steps": frame.steps,
        "notes": frame.notes,
    }


def _plan(frame):
    record = load_record()
    stages = record.preprocessor.stages(replace(frame, exposure=Exposure.CLEANED))
    level = stages.sky.on(stages.reduced.shape)
    rows, columns = stages.part
    ny, nx = stages.reduced.shape
    return {
        "cosmic_rays": frame.cosmic_rays,
        "cosmic_rays_why": str(frame.exposure),
        "columns": (columns.start + 1, columns.stop),
        "rows": (rows.start + 1, rows.stop),
        "reduced_nx": nx,
        "reduced_ny": ny,
        "sky": float(np.mean(level)),
        "sky_range": float(np.ptp(level)),
        "sky_noise": stages.sky.sigma,
        "pattern": float(np.ptp(stages.pattern)),
        "stretch": _stretch(record.preprocessor.stretch),
        "preprocessing": record.preprocessor.digest,
        "model": record.name,
    }


def _stretch(settings):
    percentiles = ", ".join(f"{value:g}" for value in settings.percentile)
    return (
        f"{settings.curve}, black {settings.black:g} sigma below the sky, "
        f"white at {percentiles} % of the pixels, at least {settings.white:g} sigma above it"
    )
