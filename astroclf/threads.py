# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Parts of an image worked on at the same time: NumPy lets other threads run while it computes."""

import os
from concurrent.futures import ThreadPoolExecutor

__all__ = ["in_threads"]

COUNT = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
"""Parts that are worked on at a time."""


def in_threads(function, items):
    """
    Return what a function gives for each item.

    Parameters
    ----------
    function : callable
        Takes an item; what it does must not depend on what it does with the others.
    items : list
        The items.

    Returns
    -------
    results : list
        In the order of the items, whatever the number of threads.
    """
    if min(COUNT, len(items)) < 2:
        return [function(item) for item in items]
    with ThreadPoolExecutor(COUNT) as pool:
        return list(pool.map(function, items))
