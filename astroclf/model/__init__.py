# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""The model: its record, its runtimes, and the classifier that ties them to frames."""

from astroclf.model.classifier import Classifier
from astroclf.model.explanation import Explanation
from astroclf.model.prior import Prior
from astroclf.model.record import Calibration, ModelRecord, load_record
from astroclf.model.userfile import UserRecord, load_user_model

__all__ = [
    "Calibration", "Classifier", "Explanation", "ModelRecord", "Prior", "UserRecord", "load_record", "load_user_model",
]  # fmt: skip
