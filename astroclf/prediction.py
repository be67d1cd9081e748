# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""The verdict on one frame: classes, probabilities, doubts, and what produced them."""

from dataclasses import dataclass, field, replace
from enum import StrEnum

from astroclf.frames.frame import Origin
from astroclf.options import Options
from astroclf.taxonomy import TAXONOMY, UNKNOWN

__all__ = ["Prediction", "Provenance", "Status"]


class Status(StrEnum):
    """
    How far a verdict can be trusted: the first of these that applies.

    ``LOWQUAL``: too many bad pixels. ``NOVEL``: unlike the training data. ``OK``: sure of the
    class. ``GROUP``: sure of the group, not of the class. ``UNCERTAIN``: sure of neither.
    """

    LOWQUAL = "LOWQUAL"
    NOVEL = "NOVEL"
    OK = "OK"
    GROUP = "GROUP"
    UNCERTAIN = "UNCERTAIN"


@dataclass(frozen=True)
class Provenance:
    """
    What was classified, and with what: enough to repeat it.

    Parameters
    ----------
    model : str
        Name of the model.
    sha256 : str
        SHA-256 of the model file, 64 hexadecimal digits.
    preprocessing : str
        Digest of the preprocessing settings, 12 hexadecimal digits.
    options : str
        ``key=value`` pairs joined by ``;``: the settings that differ from the model's defaults.
    """

    model: str
    sha256: str
    preprocessing: str
    options: str = ""


@dataclass(frozen=True)
class Prediction:
    """
    The verdict on one frame.

    Parameters
    ----------
    labels : tuple of str
        All classes, most probable first.
    probs : tuple of float
        Calibrated probabilities of ``labels``, in [0, 1]; they sum to 1.
    groups : tuple of str
        All groups, most probable first.
    group_probs : tuple of float
        Probabilities of ``groups``: sums over their classes.
    status : Status
        How far the verdict can be trusted.
    quality : float
        Fraction of the exposed pixels that are unusable, in [0, 1].
    provenance : Provenance
        Model and settings.
    agreement : float or None
        Fraction of the views that name ``labels[0]``, in [0, 1]: orientations, and other stretches if they were asked
        for.
    novelty : float or None
        Novelty score in [0, 1]; None where the model has none.
    n_set : int or None
        The first ``n_set`` labels form the conformal label set.
    coverage : float or None
        Nominal coverage of that set, in (0, 1).
    taxonomy : str
        Taxonomy and version.
    origin : `~astroclf.frames.Origin`
        Where the frame came from.
    """

    labels: tuple[str, ...]
    probs: tuple[float, ...]
    groups: tuple[str, ...]
    group_probs: tuple[float, ...]
    status: Status
    quality: float
    provenance: Provenance
    agreement: float | None = None
    novelty: float | None = None
    n_set: int | None = None
    coverage: float | None = None
    taxonomy: str = TAXONOMY
    origin: Origin = field(default_factory=Origin)

    @property
    def label(self):
        """The most probable class, whatever the status."""
        return self.labels[0]

    @property
    def group(self):
        """The most probable group, whatever the status."""
        return self.groups[0]

    @property
    def verdict(self):
        """What is safe to filter on: the class if OK, the group if GROUP, else ``unknown``."""
        return {Status.OK: self.label, Status.GROUP: self.group}.get(self.status, UNKNOWN)

    @property
    def prob(self):
        """Probability of `verdict`; None where that is ``unknown``."""
        return {Status.OK: self.probs[0], Status.GROUP: self.group_probs[0]}.get(self.status)

    @property
    def label_set(self):
        """Conformal label set, holding the true class with probability `coverage`; None if there is none."""
        return None if self.n_set is None else self.labels[: self.n_set]

    @property
    def options(self):
        """All settings that are not the model's defaults, the part of the file that was asked for among them."""
        asked = Options(hdu=self.origin.hdu, plane=self.origin.plane)
        return ";".join(filter(None, (self.provenance.options, str(asked))))

    def written_to(self, origin):
        """
        Return a verdict on several frames as it is written into the file of one of them.

        Parameters
        ----------
        origin : `~astroclf.frames.Origin`
            Where that frame came from.

        Returns
        -------
        prediction : Prediction
            With that origin, and the names of the others in its ``inputs``.
        """
        others = list(self.origin.inputs)
        if origin.name in others:
            others.remove(origin.name)
        return replace(self, origin=replace(origin, inputs=tuple(others)))

    def to_row(self):
        """
        Return the verdict as one row of a table.

        Returns
        -------
        row : dict
            ``status, verdict, label, prob, group, gprob``; ``label`` is the most probable class
            whatever the status, ``prob`` and ``gprob`` are its and its group's probability.
        """
        return {
            "status": str(self.status),
            "verdict": self.verdict,
            "label": self.label,
            "prob": round(self.probs[0], 4),
            "group": self.group,
            "gprob": round(self.group_probs[0], 4),
        }

    def to_dict(self):
        """
        Return all that is known of the verdict, with numbers in full, for JSON.

        Returns
        -------
        values : dict
            Those of `to_row`, not rounded; ranked ``labels`` with their ``probs``, ``groups`` with ``group_probs``;
            ``n_set`` and ``coverage`` of the label set; ``quality``, ``agreement``, ``novelty``; ``taxonomy``,
            ``model``, ``sha256``, ``preprocessing``, ``options``; ``hdus`` and ``inputs``. Sequences are lists.
        """
        provenance = self.provenance
        return self.to_row() | {
            "prob": self.probs[0],
            "gprob": self.group_probs[0],
            "labels": list(self.labels),
            "probs": list(self.probs),
            "groups": list(self.groups),
            "group_probs": list(self.group_probs),
            "n_set": self.n_set,
            "coverage": self.coverage,
            "quality": self.quality,
            "agreement": self.agreement,
            "novelty": self.novelty,
            "taxonomy": self.taxonomy,
            "model": provenance.model,
            "sha256": provenance.sha256,
            "preprocessing": provenance.preprocessing,
            "options": self.options,
            "hdus": list(self.origin.hdus),
            "inputs": list(self.origin.inputs),
        }

    def _repr_html_(self):
        from astroclf.annotation.notebook import prediction_html

        return prediction_html(self)

    def __str__(self):
        ranked = ", ".join(f"{label} {prob:.3f}" for label, prob in zip(self.labels[:3], self.probs[:3]))
        return f"{self.verdict} [{self.status}] ({ranked}; group {self.group} {self.group_probs[0]:.3f})"
