"""The append-only memory in SQL: one hash chain a writer.

Comes in: records.
Goes out: entries that can be verified.
May touch: its own database.
Never: forget silently; rewrite.
"""

from holdgood.journal.log import Entry, Head, Journal

__all__ = ["Entry", "Head", "Journal"]
