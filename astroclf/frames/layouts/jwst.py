# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""JWST: rate, cal, crf and i2d images of every camera."""

from astroclf.exceptions import FrameError
from astroclf.frames import quality
from astroclf.frames.frame import Exposure
from astroclf.frames.layouts.imsets import quality_array, science_hdus
from astroclf.frames.layouts.plain import alone, without_weight
from astroclf.frames.reading import Reading, hdu_name, image_array

__all__ = ["JWST"]

_UNEXPOSED = quality.DQBits(1 << 9 | 1 << 31)
"""NON_SCIENCE, the parts of a detector that its imaging mode does not use, and REFERENCE_PIXEL."""

_MODELS = {"Level1bModel": "uncal", "RampModel": "ramp", "MIRIRampModel": "ramp", "IFUCubeModel": "s3d"}
_STEPS = (
    ("S_OUTLIR", "crf"),
    ("S_PHOTOM", "cal"),
    ("S_FLAT", "cal"),
    ("S_WCS", "cal"),
    ("S_RAMP", "rate"),
)
"""The last of these that is COMPLETE tells the product (jwst documentation, Data Product Types)."""


class _JWST:
    """
    The first SCI extension of a product of the JWST pipeline.

    What DQ calls NON_SCIENCE or REFERENCE_PIXEL, and what WHT gives no weight, was never exposed; the rest of
    DO_NOT_USE is bad.
    """

    name = "jwst"

    def matches(self, hdul):
        """Return whether a file is of JWST and has a SCI extension with data."""
        return hdul[0].header.get("TELESCOP") == "JWST" and bool(science_hdus(hdul))

    def read(self, hdul, name):
        """Return the image as a `Reading`; ramps, single integrations and spectral cubes are refused."""
        science = science_hdus(hdul)
        index = science[0]
        shape = tuple(n for n in hdul[index].shape if n != 1)
        product = _product(hdul[0].header, shape)
        if len(shape) > 2:
            raise FrameError(_no_image(f"{name}: HDU {hdu_name(hdul, index)}", product, shape))
        data = image_array(hdul, index, name)
        flags, dq = quality_array(hdul, index, data.shape, name)
        bad, saturated, rays = quality.JWST.split(dq)
        unexposed, *_ = _UNEXPOSED.split(dq)
        weightless = without_weight(hdul, data.shape, name)
        return Reading(
            data=data,
            science=(index,),
            quality=flags,
            bad=bad,
            saturated=saturated,
            cosmic_ray=rays,
            unexposed=unexposed if weightless is None else unexposed | weightless,
            layout=self.name,
            exposure=Exposure.COMBINED if product in ("i2d", "s2d") else Exposure.RAMP,
            product=product,
            notes=alone(hdul, science),
        )


def _product(header, shape):
    """Return the suffix of the product a header describes; empty where it says nothing."""
    model = header.get("DATAMODL")
    if model in _MODELS:
        return _MODELS[model]
    if header.get("S_RESAMP") == "COMPLETE":
        return "s2d" if model in ("SlitModel", "MultiSlitModel") else "i2d"
    done = next((product for step, product in _STEPS if header.get(step) == "COMPLETE"), "")
    return f"{done}ints" if done and len(shape) > 2 else done


def _no_image(where, product, shape):
    """Return the message that refuses an array of more than two axes, and says what to read instead."""
    planes, choices = f"{shape[0]} planes", []
    if product in ("uncal", "ramp"):
        planes = f"{shape[-3]} groups of a ramp"
        choices.append("read the rate or cal product of the exposure")
    elif product.endswith("ints"):
        planes = f"{shape[0]} integrations"
        choices.append(f"read the {product.removesuffix('ints')} product of the exposure")
    if len(shape) == 3:
        choices.append(f"choose one of them with plane=, from 1 to {shape[0]}")
    what = f" ({product})" if product else ""
    return f"{where} holds {planes}{what}, shape {shape}, not an image; {', or '.join(choices) or 'it cannot be read'}"


JWST = _JWST()
"""The layout of JWST's products."""
