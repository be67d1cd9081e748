# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Write a person's label, and take it back."""

from astroclf.frames.files.pictures import picture_kind
from astroclf.storage.attributes import atime_kept
from astroclf.storage.manner import Manner
from astroclf.storage.replacing import check_changeable
from astroclf.tags import memory
from astroclf.tags.fitsfile import homes
from astroclf.tags.keywords import is_label
from astroclf.tags.person import Labels, new_label
from astroclf.tags.picture import label_picture, plan_label_of_picture
from astroclf.tags.read import is_path, read_tags
from astroclf.tags.rewrite import Change, find_paths, make_edits, opened, planned, save, sealed, set_block

__all__ = ["plan_label", "remove_label", "write_label"]


def write_label(target, label, *, by=None, output=None, force=False, detach=False, atomic=False, keep_times=False):
    """
    Write a person's label into a header, whether or not that has a verdict of astroclf.

    An earlier label is kept in a HISTORY line. The same label by the same person changes nothing. Tagging again
    leaves labels alone; ``remove_tags(..., all=True)`` removes them all.

    Parameters
    ----------
    target : str, `~pathlib.Path`, `~astropy.io.fits.HDUList`, `~astropy.io.fits.Header` or object with a header
        As for `~astroclf.write_tags`. A JPEG or PNG picture needs ``output``, unless it is a copy that astroclf made.
    label : str
        A class of the taxonomy: one of `astroclf.taxonomy.labels`.
    by : str, optional
        Who gives the label; the user's login name by default.
    output : str or `~pathlib.Path`, optional
        Write a labelled copy, to this file or under the same name into this folder, as for `~astroclf.write_tags`.
    force : bool, optional
        Label a file that has a wrong CHECKSUM or DATASUM, with a warning; these stay as they are.
    detach, atomic, keep_times : bool, optional
        As for `~astroclf.write_tags`.

    Returns
    -------
    tags : `~astroclf.tags.Tags`
        The block as it now is.

    Raises
    ------
    TagError
        If the label is no class of the taxonomy, the name no printable ASCII, or the file cannot be read or
        written. It is as it was.

    Warns
    -----
    AstroclfWarning
        If a file with a wrong checksum was labelled by force.
    """
    _, tags = _relabel(target, new_label(label, by), output, force, Manner(detach, atomic, keep_times))
    return tags


def remove_label(target, *, output=None, force=False, detach=False, atomic=False, keep_times=False):
    """
    Take a person's label back; a HISTORY line keeps it.

    Parameters
    ----------
    target, output, force, detach, atomic, keep_times
        As for `write_label`.

    Returns
    -------
    tags : `~astroclf.tags.Tags` or None
        The block as it was; None if there was none.

    Raises
    ------
    TagError
        If the file cannot be read or written. It is as it was.

    Warns
    -----
    AstroclfWarning
        If a file with a wrong checksum was changed by force.
    """
    old, _ = _relabel(target, None, output, force, Manner(detach, atomic, keep_times))
    return old


def plan_label(path, label, *, by=None, output=None, force=False, detach=False, atomic=False, keep_times=False):
    """
    Return what `write_label` or `remove_label` would change, and write nothing.

    Parameters
    ----------
    path, by, output, force, detach, atomic, keep_times
        As for `write_label`; ``path`` is a file.
    label : str or None
        As for `write_label`; None to take the label back.

    Returns
    -------
    changes : list of Change
        In the order of the header.

    Raises
    ------
    TagError
        Where `write_label` would refuse.
    """
    new = None if label is None else new_label(label, by)
    path, destination = find_paths(path, output)
    if picture_kind(path):
        values = plan_label_of_picture(path, new, destination, Manner(detach, atomic, keep_times))
        return [Change(0, "", f"{keyword:8}= {value}") for keyword, value in values.items()]
    with opened(path) as source:
        edits = _edits(source, new, force)
        check_changeable(destination, Manner(detach, atomic, keep_times))
        return planned(source, edits)


def _relabel(target, new, output, force, manner):
    """Let another label hold, or none; return the tags as they were and as they now are."""
    if not is_path(target):
        old = read_tags(target)
        _relabel_memory(target, new, output)
        return old, read_tags(target)
    path, destination = find_paths(target, output)
    with atime_kept(destination, manner.keep_times):
        old = read_tags(path)
        if picture_kind(path):
            label_picture(path, new, destination, manner)
        else:
            with opened(path, destination) as source:
                save(source, _edits(source, new, force), destination, manner)
        return old, read_tags(destination)


def _edits(source, new, force):
    old = Labels.from_cards(card for hdu in homes(source.hdus) for card in hdu.cards)
    labels = old.followed_by(new)
    edits = {} if labels == old else make_edits(source, labels.to_cards(), is_label)
    return sealed(source, edits, force)


def _relabel_memory(target, new, output):
    headers = memory.headers_of(target)
    old = Labels.from_cards(card for header in headers for card in memory.cards_of(header).values())
    labels = old.followed_by(new)
    if labels != old or output is not None:
        set_block(target, labels.to_cards(), is_label, output)
