# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""One HTML page made of the tags of many files, to look through, filter and correct."""

from astroclf.report.entries import Entry, collect_entries, read_entry, report_files
from astroclf.report.page import check_output, is_report, write_report

__all__ = ["Entry", "check_output", "collect_entries", "is_report", "read_entry", "report_files", "write_report"]
