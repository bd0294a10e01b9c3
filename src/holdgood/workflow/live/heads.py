"""Heads of a journal in a file that is kept outside."""

from __future__ import annotations

from pathlib import Path

from holdgood.core.records import JournalHeads, WriterHead
from holdgood.core.records.envelope import read
from holdgood.journal import Head, Journal


def heads_of(journal: Journal) -> JournalHeads:
    """The newest entry of every writer, as a record."""
    found = journal.heads()
    heads = tuple(WriterHead(writer=w, number=h.number, hash=h.hash) for w, h in found.items())
    return JournalHeads(journal=journal.name, heads=heads)


def heads_in(file: Path) -> dict[str, Head]:
    """What was kept. Raises DataError and BundleError for a file that holds no heads."""
    return {h.writer: Head(h.number, h.hash) for h in read(file, JournalHeads).heads}
