# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Seeded simulated Hubble frames with true layouts, for tests, documentation and training.

.. code-block:: text

    scene (scenes) --light--> detector plane --chips--> counts (detector) --pipeline--> raw, flt, flc (ccd, infrared)
"""

from astroclf.datasets.scenes import draw_scene
from astroclf.datasets.simulate import LAYOUTS, Layout, make_frame

__all__ = ["LAYOUTS", "Layout", "draw_scene", "make_frame"]
