# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""What is known before looking: how common the classes are where the frames come from."""

from math import fsum, isfinite
from numbers import Real

import numpy as np

from astroclf.taxonomy import group_or_self

__all__ = ["Prior", "parse_prior"]

_ROUNDING = 1e-9
"""How far shares that should sum to 1 may be from it."""


class Prior:
    """
    How common classes and groups are; call it with probabilities to take that into account.

    The network was trained with as many examples of each class, so that calibrated probabilities hold where classes are
    equally common. Where they are not, Bayes' rule gives those that hold: each is multiplied by the prior of its class
    over that in training, and the sum brought back to 1 (Saerens et al. 2002, eq. 4).

    Parameters
    ----------
    shares : dict
        Prior probabilities, each in (0, 1), by name of a class or group. That of a group is shared evenly by its
        members; if some of these are named too, by the others, less what they have. What is left of 1 is shared evenly
        by the classes that are in none of these: a class for which nothing is left is ruled out.
    labels : sequence of str
        All classes, in the order of the probabilities.

    Raises
    ------
    ValueError
        If nothing or something unknown is named, a share is not in (0, 1), or they do not add up: to more than 1 or
        than their group, or all the classes there are to less.
    """

    def __init__(self, shares, labels):
        self._shares = _validate(shares, labels)
        alone, together = _split(self._shares, labels)
        self._weights = len(labels) * _spread(alone, together, labels)

    def __call__(self, probs):
        """
        Take the prior into account.

        Parameters
        ----------
        probs : `~numpy.ndarray`, shape (classes,)
            Calibrated probabilities where classes are equally common.

        Returns
        -------
        probs : `~numpy.ndarray`, shape (classes,)
            Probabilities under the prior; they sum to 1.
        """
        weighted = probs * self._weights
        return weighted / weighted.sum()

    def __str__(self):
        """Say what was given, sorted by name, as ``CLFOPTS`` has it: ``galaxy:0.7,spiral_galaxy:0.1``."""
        return ",".join(f"{name}:{share!r}" for name, share in self._shares.items())

    def __repr__(self):
        return f"<Prior {self}>"


def parse_prior(text):
    """
    Read shares as they are written on the command line and in headers.

    Parameters
    ----------
    text : str
        ``galaxy=0.7,spiral_galaxy=0.1``, or with ``:`` for ``=`` as ``CLFOPTS`` has it.

    Returns
    -------
    shares : dict
        Numbers by name, as `Prior` takes them; whether they make sense it will say.

    Raises
    ------
    ValueError
        If a part is not a name and a number, or a name comes twice.
    """
    shares = {}
    for part in text.split(","):
        name, _, number = (word.strip() for word in part.replace(":", "=").partition("="))
        try:
            share = float(number)
        except ValueError:
            msg = f"prior must be NAME=PROBABILITY, several joined by commas; got {part.strip()!r}"
            raise ValueError(msg) from None
        if name in shares:
            msg = f"prior names {name!r} twice, with {shares[name]!r} and {share!r}; leave one out"
            raise ValueError(msg)
        shares[name] = share
    return shares


def _validate(shares, labels):
    """Return the shares sorted by name, once each is known to be a share of something."""
    if not isinstance(shares, dict) or not shares:
        msg = f"prior must be a dictionary of probabilities by class or group, as {{'galaxy': 0.7}}; got {shares!r}"
        raise ValueError(msg)
    known = {*labels, *map(group_or_self, labels)}
    for name, share in shares.items():
        if name not in known:
            msg = f"prior names {name!r}, which is no class or group; there are {', '.join(sorted(known))}"
            raise ValueError(msg)
        if not isinstance(share, Real) or not isfinite(share) or not 0 < share < 1:
            msg = f"prior of {name} must be a number between 0 and 1; got {share!r}"
            raise ValueError(msg)
    return {name: float(shares[name]) for name in sorted(shares)}


def _split(shares, labels):
    """Return the shares of classes, and what those of groups leave to their other members, as {members: share}."""
    groups = set(map(group_or_self, labels))
    alone = {name: share for name, share in shares.items() if name not in groups}
    together = {}
    for group in sorted(groups & set(shares)):
        members = [label for label in labels if group_or_self(label) == group]
        named = [label for label in members if label in alone]
        others = tuple(label for label in members if label not in alone)
        whose = f"{group}, which is {shares[group]!r}"
        together[others] = _left(shares[group], [alone[label] for label in named], others, whose)
    return alone, together


def _spread(alone, together, labels):
    """Return the prior of each class, as an array that sums to 1."""
    named = {*alone, *(label for members in together for label in members)}
    others = tuple(label for label in labels if label not in named)
    left = _left(1.0, [*alone.values(), *together.values()], others, "all there is, which is 1")
    prior = dict(alone)
    for members, share in [*together.items(), (others, left)]:
        prior |= dict.fromkeys(members, share / max(len(members), 1))
    return np.array([prior[label] for label in labels])


def _left(whole, shares, others, whose):
    """Return what shares leave of a whole to others."""
    left = whole - fsum(shares)
    if left < -_ROUNDING or (not others and left > _ROUNDING):
        size = "more" if left < 0 else "less"
        msg = f"prior must add up: what it gives to parts of {whose}, is {fsum(shares):.6g}, {size} than that"
        raise ValueError(msg)
    return max(left, 0.0)
