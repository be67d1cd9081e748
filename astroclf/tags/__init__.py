# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""The verdict in the header: write, read and remove the block of ``CLF`` keywords."""

from astroclf.tags.keywords import KEYWORDS, Keyword, keyword_table, to_cards
from astroclf.tags.read import Tags, read_tags
from astroclf.tags.rewrite import Change
from astroclf.tags.write import plan_tags, remove_tags, write_tags

__all__ = [
    "KEYWORDS",
    "Change",
    "Keyword",
    "Tags",
    "keyword_table",
    "plan_tags",
    "read_tags",
    "remove_tags",
    "to_cards",
    "write_tags",
]
