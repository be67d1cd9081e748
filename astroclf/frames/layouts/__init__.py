# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""One module a camera, and what they share: where a file has its image, and what must be taken off."""
