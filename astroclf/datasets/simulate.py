# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Makers of simulated frames with the layouts of the real ones."""

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType
from zlib import crc32

import numpy as np

from astroclf.datasets import cameras
from astroclf.datasets.ccd import ccd_frame
from astroclf.datasets.combined import combined_frame, drizzled_frame
from astroclf.datasets.counter import counter_frame
from astroclf.datasets.foc import foc_frame
from astroclf.datasets.ground import ground_frame
from astroclf.datasets.headers import Shot
from astroclf.datasets.infrared import infrared_frame, read_times
from astroclf.datasets.jwst import jwst_frame
from astroclf.datasets.nicmos import nicmos_frame
from astroclf.datasets.scenes import draw_scene
from astroclf.datasets.stis import stis_ccd_frame, stis_mama_frame
from astroclf.datasets.wfpc2 import wfpc2_frame

__all__ = ["LAYOUTS", "Layout", "make_frame"]

_SIGNAL = 2000.0
_STELLAR_SIGNAL = {"globular_cluster": 3e4, "open_cluster": 5e5, "star_field": 5e5, "star": 1e6}
_SPIKES = 0.02
_BASE36 = "0123456789abcdefghijklmnopqrstuvwxyz"
_CAMPAIGN = 90.0


@dataclass(frozen=True)
class Layout:
    """
    What kind of file to make.

    Parameters
    ----------
    name : str
        Its key in `LAYOUTS`.
    camera : `~astroclf.datasets.cameras.Camera`
        The camera or subarray.
    product : str
        ``raw``, ``ima``, ``flt``, ``crj``, ``drz``...: the suffix of the file name.
    expose : callable
        ``expose(shot, light, rng, cosmic_rays=True)`` returns the file; ``light`` is the expected electrons, sky
        included, on the camera's plane.
    """

    name: str
    camera: cameras.Camera
    product: str
    expose: Callable

    @property
    def plane(self):
        """Shape (ny, nx) of the detector plane in pixels, gaps between chips included: the shape of its scenes."""
        return self.camera.plane

    @property
    def filters(self):
        """Names of the filters there are; the first is the default."""
        return tuple(element.name for element in self.camera.filters)


def _layouts(*rows):
    return MappingProxyType(
        {name: Layout(name, camera, name.rpartition("_")[2], expose) for name, camera, expose in rows}
    )


def _products(name, camera, products):
    """Return the rows of a camera of ACS or WFC3/UVIS for these products."""
    expose = {"cr": combined_frame, "dr": drizzled_frame}
    single = counter_frame if camera.detector == "SBC" else ccd_frame
    return [(f"{name}_{product}", camera, expose.get(product[:2], single)) for product in products.split()]


LAYOUTS = _layouts(
    *_products("acs_wfc", cameras.ACS_WFC, "raw flt flc crj crc drz drc"),
    *_products("acs_wfc_512a", cameras.ACS_WFC_512A, "raw flc crj drz"),
    *_products("acs_hrc", cameras.ACS_HRC, "raw flt crj drz"),
    *_products("acs_sbc", cameras.ACS_SBC, "raw flt drz"),
    *_products("wfc3_uvis", cameras.WFC3_UVIS, "raw flt flc crj crc drz drc"),
    *_products("wfc3_uvis_c512b", cameras.WFC3_UVIS_C512B, "raw flt"),
    *_products("wfc3_uvis_c512c", cameras.WFC3_UVIS_C512C, "raw flc crc drc"),
    ("wfc3_ir_raw", cameras.WFC3_IR, infrared_frame),
    ("wfc3_ir_ima", cameras.WFC3_IR, infrared_frame),
    ("wfc3_ir_flt", cameras.WFC3_IR, infrared_frame),
    ("wfc3_ir_drz", cameras.WFC3_IR, drizzled_frame),
    ("wfc3_ir_sub256_raw", cameras.WFC3_IR_SUB256, infrared_frame),
    ("wfc3_ir_sub256_ima", cameras.WFC3_IR_SUB256, infrared_frame),
    ("wfc3_ir_sub256_flt", cameras.WFC3_IR_SUB256, infrared_frame),
    ("wfc3_ir_sub256_drz", cameras.WFC3_IR_SUB256, drizzled_frame),
    ("nicmos_raw", cameras.NIC2, nicmos_frame),
    ("nicmos_cal", cameras.NIC2, nicmos_frame),
    ("stis_ccd_raw", cameras.STIS_CCD, stis_ccd_frame),
    ("stis_ccd_flt", cameras.STIS_CCD, stis_ccd_frame),
    ("stis_ccd_crj", cameras.STIS_CCD, stis_ccd_frame),
    ("stis_mama_raw", cameras.STIS_NUV, stis_mama_frame),
    ("stis_mama_flt", cameras.STIS_NUV, stis_mama_frame),
    ("foc_d0f", cameras.FOC_F96, foc_frame),
    ("foc_c0f", cameras.FOC_F96, foc_frame),
    ("foc_zoom_d0f", cameras.FOC_F96_ZOOM, foc_frame),
    ("foc_zoom_c0f", cameras.FOC_F96_ZOOM, foc_frame),
    ("wfpc2_d0m", cameras.WFPC2, wfpc2_frame),
    ("wfpc2_c0m", cameras.WFPC2, wfpc2_frame),
    ("wfpc2_c1m", cameras.WFPC2, wfpc2_frame),
    ("wfpc2_c0f", cameras.WFPC2, wfpc2_frame),
    ("wfpc2_area_d0m", cameras.WFPC2_AREA, wfpc2_frame),
    ("wfpc2_area_c0m", cameras.WFPC2_AREA, wfpc2_frame),
    ("wfpc2_area_c1m", cameras.WFPC2_AREA, wfpc2_frame),
    ("wfpc2_area_c0f", cameras.WFPC2_AREA, wfpc2_frame),
    ("jwst_nircam_rate", cameras.JWST_NIRCAM, jwst_frame),
    ("jwst_nircam_cal", cameras.JWST_NIRCAM, jwst_frame),
    ("jwst_nircam_i2d", cameras.JWST_NIRCAM_DITHERED, jwst_frame),
    ("jwst_nircam_sub160_rate", cameras.JWST_NIRCAM_SUB160, jwst_frame),
    ("jwst_nircam_sub160_cal", cameras.JWST_NIRCAM_SUB160, jwst_frame),
    ("jwst_nircam_sub160_i2d", cameras.JWST_NIRCAM_SUB160_DITHERED, jwst_frame),
    ("jwst_miri_rate", cameras.JWST_MIRI, jwst_frame),
    ("jwst_miri_cal", cameras.JWST_MIRI, jwst_frame),
    ("jwst_miri_sub256_cal", cameras.JWST_MIRI_SUB256, jwst_frame),
    ("ground_ccd_raw", cameras.GROUND_CCD, ground_frame),
    ("ground_ccd_reduced", cameras.GROUND_CCD, ground_frame),
    ("ground_mosaic_raw", cameras.GROUND_MOSAIC, ground_frame),
    ("ground_bayer_raw", cameras.GROUND_BAYER, ground_frame),
)
"""The layouts `make_frame` can make, by name; those of subarrays are small."""


def make_frame(
    layout, scene="spiral_galaxy", *, seed=0, signal=None, sky=None, exptime=None, filter=None, cosmic_rays=True
):
    """
    Make a simulated Hubble frame.

    HDU order, array sizes and types, overscan, units, keywords and the meaning of data-quality bits are those
    of the archive; the primary header says SIMULATD = T. The scene is drawn once on the whole detector plane
    and then cut into chips, so that objects run across the gap. Write the frame with
    ``frame.writeto(frame[0].header["FILENAME"])``.

    Parameters
    ----------
    layout : str
        One of `LAYOUTS`, for example ``"acs_wfc_flt"``.
    scene : str or array_like, optional
        A class of the taxonomy to draw, or the expected light itself in any unit, of the shape of the
        layout's ``plane`` (row 0 at the bottom, that of the lower chip).
    seed : int, optional
        Chooses the scene, the pointing, the noise and the rootname. Frames that differ only in the product
        of the layout (raw, flt) show the same exposure.
    signal : float, optional
        Electrons in the exposure where the scene is 1. The default suits the class: 2000 for extended
        sources, more for stars.
    sky : float, optional
        Sky in electrons per second and pixel; the default is typical of the filter.
    exptime : float, optional
        Exposure time in seconds. WFC3/IR takes the nearest its sequence of reads allows.
    filter : str, optional
        A filter of the layout; the default is its first.
    cosmic_rays : bool, optional
        Whether cosmic rays hit the detector. Fitted frames of WFC3/IR (flt) never show any.

    Returns
    -------
    frame : `~astropy.io.fits.HDUList`
        In memory. SCI is uint16 in COUNTS (raw), float32 in ELECTRONS (flt, flc) or, for WFC3/IR (ima, flt),
        float32 in ELECTRONS/S.

    Raises
    ------
    ValueError
        If ``layout``, ``scene`` or ``filter`` is not known, or ``exptime`` is not positive.

    Examples
    --------
    >>> from astroclf.datasets import make_frame
    >>> frame = make_frame("wfc3_ir_sub256_flt", "spiral_galaxy", seed=1)
    >>> frame["SCI"].shape, frame["SCI"].header["BUNIT"]
    ((256, 256), 'ELECTRONS/S')
    """
    known = _choose("layout", layout, LAYOUTS)
    camera = known.camera
    element = _choose("filter", filter or known.filters[0], {item.name: item for item in camera.filters})
    streams = np.random.default_rng(seed).spawn(3)
    shot = _shot(known, scene, seed, element, _exposure_time(camera, exptime), streams[0])
    light = _light(known, scene, signal, streams[1])
    light += np.float32(shot.exptime * (element.sky if sky is None else sky))
    return known.expose(shot, light, streams[2], cosmic_rays=cosmic_rays)


def _choose(argument, name, options):
    if name not in options:
        msg = f"{argument} must be one of {', '.join(options)}; got {name!r}"
        raise ValueError(msg)
    return options[name]


def _exposure_time(camera, exptime):
    exptime = camera.exptime if exptime is None else exptime
    if not exptime > 0:
        msg = f"exptime must be a positive number of seconds; got {exptime!r}"
        raise ValueError(msg)
    return round(float(read_times(camera, exptime)[1][-1]), 6) if camera.sequence else float(exptime)


def _light(layout, scene, signal, rng):
    """Return the expected electrons of the scene in the exposure, without sky."""
    if isinstance(scene, str):
        image = draw_scene(scene, layout.plane, rng, fwhm=layout.camera.fwhm, spikes=_SPIKES)
        default = _STELLAR_SIGNAL.get(scene, _SIGNAL)
    else:
        image, default = np.asarray(scene, dtype=np.float32), _SIGNAL
    if image.shape != layout.plane:
        msg = f"scene must have the shape {layout.plane} of the plane of {layout.name}; got {image.shape}"
        raise ValueError(msg)
    return image * np.float32(default if signal is None else signal)


def _shot(layout, scene, seed, element, exptime, rng):
    name = scene if isinstance(scene, str) else "array"
    return Shot(
        camera=layout.camera,
        product=layout.product,
        rootname=_rootname(layout.camera, f"{layout.camera.aperture} {name} {seed} {element.name}"),
        target=f"SIM-{name.upper().replace('_', '-')}",
        ra=round(rng.uniform(0, 360), 9),
        dec=round(float(np.degrees(np.arcsin(rng.uniform(-0.98, 0.98)))), 9),
        angle=round(rng.uniform(-180, 180), 6),
        start=round(layout.camera.epoch + rng.uniform(0, _CAMPAIGN), 8),
        exptime=exptime,
        filter=element,
        history=("Simulated by astroclf.datasets.make_frame", f"{layout.name} {name} seed {seed}"),
    )


def _rootname(camera, observation):
    """Return nine characters ipppssoot: instrument, programme ``sim``, four that stand for the observation, ``q``."""
    number, digits = crc32(observation.encode()), ""
    for _ in range(4):
        number, digit = divmod(number, 36)
        digits += _BASE36[digit]
    return f"{camera.letter}sim{digits}q"
