# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""How far long work is."""

import sys

__all__ = ["progress_bar"]


def progress_bar(total, unit="file", *, shown=True, leave=False):
    """
    Make a bar with rate and time left, on stderr.

    Lines go past it unharmed with ``tqdm.write``.

    Parameters
    ----------
    total : int
        How much there is to do.
    unit : str, optional
        What is counted.
    shown : bool, optional
        Whether to show it; there is none in any case where stderr is no terminal.
    leave : bool, optional
        Whether it stays when all is done.

    Returns
    -------
    bar : `~tqdm.tqdm`
        A context manager; ``update`` counts one more.
    """
    from tqdm import tqdm

    return tqdm(
        total=total, unit=unit, file=sys.stderr, disable=None if shown else True, leave=leave, dynamic_ncols=True
    )
