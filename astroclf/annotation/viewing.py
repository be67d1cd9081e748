# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Pictures before people's eyes: in a window of matplotlib, else in the viewer of the system."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass

from astroclf.exceptions import AstroclfError

__all__ = ["Viewer", "find_viewer"]

_NOT_A_WINDOW = {"nbagg", "webagg"}
"""Interactive backends that show figures in a browser."""

_DISPLAYS = "DISPLAY", "WAYLAND_DISPLAY"
_DPI = 100


@dataclass(frozen=True)
class Viewer:
    """
    What shows pictures.

    Parameters
    ----------
    show : callable
        Called with the path of a PNG, shows it.
    waits : bool
        Whether ``show`` returns when the picture has been seen, and not at once, so that the file may then be removed.
    """

    show: Callable
    waits: bool


def find_viewer():
    """
    Find out how pictures can be shown here.

    Returns
    -------
    viewer : Viewer
        A window of matplotlib, which waits until it is closed; or, where matplotlib has none, the program that the
        system has for pictures, which does not.

    Raises
    ------
    AstroclfError
        If there is neither.
    """
    if _has_windows():
        return Viewer(_in_window, waits=True)
    if sys.platform == "win32":
        return Viewer(os.startfile, waits=False)
    opener = "open" if sys.platform == "darwin" else "xdg-open"
    display = opener != "xdg-open" or any(map(os.environ.get, _DISPLAYS))
    if display and shutil.which(opener):
        return Viewer(lambda path: _in_program(opener, path), waits=False)
    backend = _backend()
    why = f"{opener} is not installed" if display else f"neither {' nor '.join(_DISPLAYS)} is set"
    msg = (
        f"no picture can be shown here: matplotlib's backend {backend} opens no windows, and {why}; "
        "astroclf tag -o DIR writes the pictures to files"
    )
    raise AstroclfError(msg)


def _backend():
    import matplotlib

    return matplotlib.get_backend().lower()


def _has_windows():
    """Tell whether matplotlib can open a window; choosing its backend it has looked for a display."""
    from matplotlib import pyplot
    from matplotlib.backends import BackendFilter, backend_registry

    backend = _backend()
    interactive = {name.lower() for name in backend_registry.list_builtin(BackendFilter.INTERACTIVE)}
    if backend not in interactive - _NOT_A_WINDOW:
        return False
    try:
        pyplot.switch_backend(backend)
    except ImportError:
        return False
    return True


def _in_window(path):
    from matplotlib import pyplot

    image = pyplot.imread(path)
    height, width = image.shape[:2]
    figure = pyplot.figure(path.stem, figsize=(width / _DPI, height / _DPI), dpi=_DPI)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.imshow(image)
    axes.set_axis_off()
    pyplot.show()
    pyplot.close(figure)


def _in_program(opener, path):
    """Start a program that may stay open, and do not wait for it."""
    start = '"$0" "$1" </dev/null >/dev/null 2>&1 &'
    subprocess.run(["/bin/sh", "-c", start, opener, str(path)], check=True, start_new_session=True)
