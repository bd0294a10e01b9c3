"""Answers to where they were asked for: a file that appears whole, or a table that takes each piece once."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pyarrow as pa

from holdgood.connectors.ledgered import Batch, Ledgered
from holdgood.connectors.sqlite import path_of
from holdgood.core.events import Event, Listener
from holdgood.core.urls import is_url


def folder_for(to: str) -> Path:
    """Where the pieces of a batch wait: beside the file (a database's file too), in this folder for a server's table."""
    if not is_url(to):
        path = Path(to)
        return path.with_name(f".{path.name}.pieces")
    path = Path(path_of(to)) if to.lower().startswith("sqlite") else Path("predictions")
    return path.with_name(f".{path.name}-{hashlib.sha256(to.encode()).hexdigest()[:8]}.pieces")


def name_of(to: str) -> str:
    """What is written, without its folder or address."""
    return "the table of predictions" if is_url(to) else Path(to).name


def insert(table: Ledgered, batch: Batch, data: pa.Table, tell: Listener) -> int:
    """Write the pieces that the ledger does not have; how many rows that were."""
    written = 0
    for number in range(batch.count):
        if number in batch.done:
            continue
        start = number * batch.size
        piece = data.slice(start, batch.size)
        written += piece.num_rows if table.write(batch, number, piece) else 0
        stop = start + piece.num_rows
        share = stop / batch.rows if batch.rows else 1.0
        tell(Event("progress", "writing", f"{stop:,} of {batch.rows:,} rows", share))
    return written


def unfinished(table: Ledgered, batch: Batch) -> list[str]:
    """What there is to say about other batches of the same table that were begun and never ended."""
    return [
        f"{done:,} of the {rows:,} rows of another batch ({key[:12]}) stand in {table.shown}: it was begun and never finished, "
        "and its source, its bundle or what is joined has changed since"
        for key, rows, done in batch.unfinished
    ]
