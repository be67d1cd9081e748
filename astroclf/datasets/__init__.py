# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Seeded simulated Hubble frames with true layouts, for tests, documentation and training.

.. code-block:: text

    scene (scenes) --light--> detector plane --chips--> counts (detector) --pipeline--> raw, flt, flc (hst)
"""

from astroclf.datasets.hst import LAYOUTS, Layout, make_frame
from astroclf.datasets.scenes import draw_scene

__all__ = ["LAYOUTS", "Layout", "draw_scene", "make_frame"]
