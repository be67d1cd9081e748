# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Files as they lie, on disk or on servers: opened, unpacked, found sound or damaged."""
