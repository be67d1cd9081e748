# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Classify telescope FITS frames and tag their headers.

.. code-block:: text

    file --read_frame--> Frame --Preprocessor--> RGB tensor --Classifier--> Prediction
                                          --> header cards | table row | PNG | report

Importing the package loads none of its rooms: each public name is imported when it is first used.
"""

from importlib import import_module

try:
    from astroclf._version import version as __version__
except ImportError:  # a source tree that was never built
    __version__ = "0.1.0.dev0"

__all__ = [
    "AstroclfError",
    "AstroclfWarning",
    "Classifier",
    "EmptyFrameError",
    "Explanation",
    "Frame",
    "FrameError",
    "MissingDependencyError",
    "ModelError",
    "Prediction",
    "Preprocessor",
    "TagError",
    "__version__",
    "annotate",
    "color_image",
    "combine_frames",
    "group_visits",
    "read_frame",
    "read_tags",
    "recover",
    "remove_label",
    "remove_tags",
    "replay_tags",
    "summarize",
    "verify_tags",
    "write_label",
    "write_tags",
]

_ROOM_OF = {
    "AstroclfError": "exceptions",
    "AstroclfWarning": "exceptions",
    "Classifier": "model",
    "EmptyFrameError": "exceptions",
    "Explanation": "model.explanation",
    "Frame": "frames",
    "FrameError": "exceptions",
    "MissingDependencyError": "exceptions",
    "ModelError": "exceptions",
    "Prediction": "prediction",
    "Preprocessor": "preprocess",
    "TagError": "exceptions",
    "annotate": "annotation",
    "color_image": "render.combination",
    "combine_frames": "render.combination",
    "group_visits": "frames.visits",
    "read_frame": "frames",
    "read_tags": "tags",
    "recover": "storage",
    "remove_label": "tags",
    "remove_tags": "tags",
    "replay_tags": "tags",
    "summarize": "summary",
    "verify_tags": "tags",
    "write_label": "tags",
    "write_tags": "tags",
}


def __getattr__(name):
    if name not in _ROOM_OF:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    value = getattr(import_module(f"{__name__}.{_ROOM_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__():
    return sorted({*globals(), *__all__})
