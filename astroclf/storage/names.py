# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Hidden names beside a file: of its new version, while that is written, and of its undo journal."""

import hashlib
import os
import re
import secrets

__all__ = ["draft_beside", "is_draft", "is_journal", "journal_beside"]

_DRAFT = re.compile(r"\.astroclf-[0-9a-f]{16}\.tmp")
_JOURNAL = re.compile(r"\.astroclf-[0-9a-f]{16}\.undo")


def draft_beside(path):
    """
    Return a new name for a new version of a file.

    Parameters
    ----------
    path : `~pathlib.Path`
        The file.

    Returns
    -------
    draft : `~pathlib.Path`
        In the same folder; another one each time.
    """
    return path.with_name(f".astroclf-{secrets.token_hex(8)}.tmp")


def journal_beside(path):
    """
    Return the name of the undo journal of a file.

    Parameters
    ----------
    path : `~pathlib.Path`
        The file; no symbolic link.

    Returns
    -------
    undo : `~pathlib.Path`
        In the same folder; always the same, and short however long the name of the file is.
    """
    digest = hashlib.sha256(os.fsencode(path.name)).hexdigest()
    return path.with_name(f".astroclf-{digest[:16]}.undo")


def is_draft(path):
    """Tell whether a path has the name of a draft."""
    return _DRAFT.fullmatch(path.name) is not None


def is_journal(path):
    """Tell whether a path has the name of an undo journal."""
    return _JOURNAL.fullmatch(path.name) is not None
