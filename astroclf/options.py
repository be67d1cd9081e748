# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""The settings of a verdict that are not its model's defaults, as ``CLFOPTS`` has them."""

from dataclasses import dataclass, fields

__all__ = ["Options"]

_NUMBERS = {"combine": 2, "views": 1, "stretches": 1, "hdu": 0, "plane": 1}
"""The least value of each setting that is a number."""


@dataclass(frozen=True)
class Options:
    """
    The settings of a verdict that are not its model's defaults; ``str`` writes them as ``CLFOPTS`` has them.

    Parameters
    ----------
    combine : int or None
        Number of frames the verdict is on; None for one.
    prior : str or None
        The prior, as `~astroclf.model.prior.parse_prior` reads it; None for none.
    views : int or None
        Orientations that were averaged; None for as many as the model's record says.
    stretches : int or None
        Stretches whose views were counted in the agreement; None for that of the model alone.
    backend : str or None
        What ran the network; None for ONNX Runtime.
    hdu : int or None
        Index of the HDU that was read alone, as it is; None if the file's layout decided.
    plane : int or None
        Plane of a cube, or page of a picture, that was asked for, counted from 1.

    Examples
    --------
    >>> from astroclf.options import Options
    >>> str(Options(prior="galaxy:0.7", hdu=4))
    'prior=galaxy:0.7;hdu=4'
    >>> Options.parse("prior=galaxy:0.7;hdu=4")
    Options(combine=None, prior='galaxy:0.7', views=None, stretches=None, backend=None, hdu=4, plane=None)
    """

    combine: int | None = None
    prior: str | None = None
    views: int | None = None
    stretches: int | None = None
    backend: str | None = None
    hdu: int | None = None
    plane: int | None = None

    def __str__(self):
        settings = {field.name: getattr(self, field.name) for field in fields(self)}
        return ";".join(f"{name}={value}" for name, value in settings.items() if value is not None)

    @classmethod
    def parse(cls, text):
        """
        Read the settings that ``str`` wrote.

        Parameters
        ----------
        text : str
            ``key=value`` pairs joined by ``;``; empty if there are none.

        Returns
        -------
        options : Options
            The settings.

        Raises
        ------
        ValueError
            If a pair is none, names no setting or one that was named before, or has no value that the setting
            can have.
        """
        settings = {}
        for pair in text.split(";") if text else ():
            name, equals, value = pair.partition("=")
            if name not in {field.name for field in fields(cls)} or not equals or not value:
                msg = f"{pair!r} is no setting of a verdict; they are {', '.join(field.name for field in fields(cls))}"
                raise ValueError(msg)
            if name in settings:
                msg = f"{name} is set twice, to {settings[name]} and to {value}"
                raise ValueError(msg)
            settings[name] = _number(name, value) if name in _NUMBERS else value
        return cls(**settings)


def _number(name, text):
    if not text.isdecimal() or str(int(text)) != text or int(text) < _NUMBERS[name]:
        msg = f"{name} must be a number from {_NUMBERS[name]}; got {text!r}"
        raise ValueError(msg)
    return int(text)
