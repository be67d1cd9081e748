# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""How much is worked on at the same time: NumPy lets other threads run while it computes."""

import os
from concurrent.futures import ThreadPoolExecutor

__all__ = ["COUNT", "in_threads", "network_threads"]

COUNT = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
"""CPUs that this process may use: fewer than there are where a batch system or ``taskset`` says so."""


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


def network_threads():
    """
    Return how many threads a network gets.

    Returns
    -------
    threads : int
        0 if all CPUs may be used, which is one for each core to ONNX Runtime. Else their number, for which that does
        not ask: it starts as many as ever, and they wait for each other.
    """
    return COUNT if COUNT < (os.cpu_count() or 1) else 0
