# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""The models at hand, and which of them a tag block was made with."""

from astroclf.exceptions import ModelError

__all__ = ["Models"]

_SHA_DIGITS = 16


class Models:
    """
    The models at hand: the bundled one, and another that was named.

    Parameters
    ----------
    model : str or path-like, optional
        As of `astroclf.Classifier`, but for ``"imagenet"``.

    Raises
    ------
    ModelError
        If a model is missing, altered or not understood.
    """

    def __init__(self, model=None):
        from astroclf.model.classifier import load_model

        self._records = {name: load_model(name) for name in ("astro", model) if name is not None}
        self._proved = set()

    def find(self, tags):
        """
        Find the model that a tag block was made with, and prove that its files are those of its record.

        Parameters
        ----------
        tags : `~astroclf.tags.Tags`
            The block.

        Returns
        -------
        model : str or path-like
            As `astroclf.Classifier` takes it.
        record : `~astroclf.model.ModelRecord`
            Its record, of the same CLFSHA; where several have the same network, that of CLFMODEL.

        Raises
        ------
        ModelError
            If it is not at hand, or a file of it is missing or altered.
        """
        sha256, name = tags.get("CLFSHA"), tags.get("CLFMODEL")
        same = [(m, record) for m, record in self._records.items() if record.sha256[:_SHA_DIGITS] == sha256]
        if same:
            model, record = min(same, key=lambda found: found[1].name != name)
            self._prove(model, record)
            return model, record
        known = dict.fromkeys(f"{r.name} ({r.sha256[:_SHA_DIGITS]})" for r in self._records.values())
        at_hand = " and ".join(known)
        msg = (
            f"made with the model {name} ({sha256}), which is not at hand: there is {at_hand}; "
            "name its file with model= (--model), or use the astroclf that it came with"
        )
        raise ModelError(msg)

    def _prove(self, model, record):
        if model not in self._proved:
            record.check_files()
            self._proved.add(model)
