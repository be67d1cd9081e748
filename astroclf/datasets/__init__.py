# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Seeded simulated Hubble frames with true layouts, for tests, documentation and training."""
