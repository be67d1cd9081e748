# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""The cameras that are simulated."""

from astroclf.datasets.cameras.acs import ACS_HRC, ACS_SBC, ACS_WFC, ACS_WFC_512A
from astroclf.datasets.cameras.camera import Amplifier, Camera, Chip, Filter
from astroclf.datasets.cameras.foc import FOC_F96, FOC_F96_ZOOM
from astroclf.datasets.cameras.ground import GROUND_BAYER, GROUND_CCD, GROUND_MOSAIC, GroundCamera
from astroclf.datasets.cameras.jwst import (
    JWST_MIRI,
    JWST_MIRI_SUB256,
    JWST_NIRCAM,
    JWST_NIRCAM_DITHERED,
    JWST_NIRCAM_SUB160,
    JWST_NIRCAM_SUB160_DITHERED,
    JWSTCamera,
)
from astroclf.datasets.cameras.nicmos import NIC2
from astroclf.datasets.cameras.stis import STIS_CCD, STIS_NUV
from astroclf.datasets.cameras.wfc3_ir import WFC3_IR, WFC3_IR_SUB256
from astroclf.datasets.cameras.wfc3_uvis import WFC3_UVIS, WFC3_UVIS_C512B, WFC3_UVIS_C512C
from astroclf.datasets.cameras.wfpc2 import WFPC2, WFPC2_AREA, WFPC2Camera, WFPC2Chip

__all__ = [
    "ACS_HRC",
    "ACS_SBC",
    "ACS_WFC",
    "ACS_WFC_512A",
    "FOC_F96",
    "FOC_F96_ZOOM",
    "GROUND_BAYER",
    "GROUND_CCD",
    "GROUND_MOSAIC",
    "JWST_MIRI",
    "JWST_MIRI_SUB256",
    "JWST_NIRCAM",
    "JWST_NIRCAM_DITHERED",
    "JWST_NIRCAM_SUB160",
    "JWST_NIRCAM_SUB160_DITHERED",
    "NIC2",
    "STIS_CCD",
    "STIS_NUV",
    "WFC3_IR",
    "WFC3_IR_SUB256",
    "WFC3_UVIS",
    "WFC3_UVIS_C512B",
    "WFC3_UVIS_C512C",
    "WFPC2",
    "WFPC2_AREA",
    "Amplifier",
    "Camera",
    "Chip",
    "Filter",
    "GroundCamera",
    "JWSTCamera",
    "WFPC2Camera",
    "WFPC2Chip",
]
