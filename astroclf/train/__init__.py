# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""How the bundled model is made: simulated frames, fitting, calibration, evaluation and export."""
