# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""The verdict in the header, and people's labels: write, read and remove the block of ``CLF`` keywords."""

from astroclf.tags.keywords import KEYWORDS, Keyword, keyword_table, to_cards
from astroclf.tags.label import plan_label, remove_label, write_label
from astroclf.tags.labelled import LabelledFile, labelled_files
from astroclf.tags.person import HumanLabel
from astroclf.tags.read import Tags, read_tags
from astroclf.tags.replay import Replay, replay_tags
from astroclf.tags.rewrite import Change
from astroclf.tags.verify import Finding, Result, Verification, verify_tags
from astroclf.tags.write import plan_tags, remove_tags, write_tags

__all__ = [
    "KEYWORDS",
    "Change",
    "Finding",
    "HumanLabel",
    "Keyword",
    "LabelledFile",
    "Replay",
    "Result",
    "Tags",
    "Verification",
    "keyword_table",
    "labelled_files",
    "plan_label",
    "plan_tags",
    "read_tags",
    "remove_label",
    "remove_tags",
    "replay_tags",
    "to_cards",
    "verify_tags",
    "write_label",
    "write_tags",
]
