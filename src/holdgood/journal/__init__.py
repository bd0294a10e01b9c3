"""The append-only memory in SQL: one hash chain a writer over salted commitments.

Comes in: records.
Goes out: entries that can be verified; predictions with their outcomes; what was live when.
May touch: its own database.
Never: forget silently; rewrite.
"""

from holdgood.journal.chain import Head
from holdgood.journal.filters import Filter
from holdgood.journal.group_writer import GroupWriter, writer_name
from holdgood.journal.live_on import live_on, standing_now
from holdgood.journal.log import Entry, Journal
from holdgood.journal.outcomes import Outcomes, outcomes

__all__ = [
    "Entry",
    "Filter",
    "GroupWriter",
    "Head",
    "Journal",
    "Outcomes",
    "live_on",
    "outcomes",
    "standing_now",
    "writer_name",
]
