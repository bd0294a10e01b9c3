"""What an entry of the journal costs: predictions with 18 facts, in groups, on disk before they count as written.

    python benchmarks/live/journal.py [--entries 100000]

Beside the journal the same groups go into a bare table of SQLite with the same guarantee (write-ahead log, synchronous FULL): what
chain, keys and commitments add is the difference. Verify and outcomes are timed over all entries.
"""

from __future__ import annotations

import argparse
import os
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from machine import machine
from record import record

from holdgood.core.records import Label, Prediction
from holdgood.journal import GroupWriter, Journal, outcomes

FACTS = {f"number_{i}": i * 1.5 for i in range(12)} | {f"category_{i}": "value" for i in range(6)}


def predictions(n: int, first: int = 0) -> Iterator[Prediction]:
    """As a server logs them: ids in no order, times rising, 5,000 people."""
    for i in range(first, first + n):
        yield Prediction(
            id=f"{i * 2654435761 % 2**32:08x}-{i}",
            model="flights",
            bundle_digest="d" * 64,
            event_time=f"2026-03-{1 + i // 86400 % 28:02d}T{i // 3600 % 24:02d}:{i // 60 % 60:02d}:{i % 60:02d}Z",
            subject=f"person-{i * 7919 % 5003}",
            facts=FACTS,
            answer={"probability": 0.3, "answer": "no"},
        )


def spent(work: Callable[[], object]) -> tuple[float, float]:
    """CPU seconds of this process, and seconds of the clock."""
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    return time.process_time() - cpu, time.perf_counter() - wall


def in_groups(journal: Journal, rows: list[Prediction], size: int) -> None:
    """One group after the other, each waited for."""
    with GroupWriter(journal, "bench") as writer:
        for i in range(0, len(rows), size):
            writer.submit(rows[i : i + size]).result()


def bare(file: Path, rows: list[Prediction], size: int) -> None:
    """The same text in a table without a chain."""
    db = sqlite3.connect(file, isolation_level=None)
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=FULL")
    db.execute("CREATE TABLE log (id TEXT PRIMARY KEY, record TEXT)")
    for i in range(0, len(rows), size):
        db.execute("BEGIN IMMEDIATE")
        db.executemany("INSERT INTO log VALUES (?, ?)", [(r.id, r.model_dump_json()) for r in rows[i : i + size]])
        db.execute("COMMIT")
    db.close()


def main() -> None:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--entries", type=int, default=100_000)
    n = parser.parse_args().entries
    about = {"machine": machine(), "load": round(os.getloadavg()[0], 1)}
    with tempfile.TemporaryDirectory() as folder:
        done = 0
        journal = Journal(Path(folder) / "journal.sqlite")
        for size, share in ((1, 0.005), (10, 0.1), (100, 0.3)):
            rows = list(predictions(int(n * share), done))
            done += len(rows)
            ours = spent(lambda rows=rows, size=size: in_groups(journal, rows, size))
            theirs = spent(lambda rows=rows, size=size: bare(Path(folder) / f"bare{size}.sqlite", rows, size))
            record(
                "live-journal",
                {
                    "what": f"groups of {size}",
                    "entries": len(rows),
                    "cpu_us": round(ours[0] / len(rows) * 1e6, 1),
                    "entries_s": round(len(rows) / ours[1]),
                    "bare_cpu_us": round(theirs[0] / len(rows) * 1e6, 1),
                    "bare_entries_s": round(len(rows) / theirs[1]),
                    **about,
                },
            )
        for first in range(done, n, 2_000):
            journal.append_many(predictions(min(2_000, n - first), first), "bench")
        labels = (
            Label(prediction=p.id, model="flights", value="no", known_time="2026-04-01") for p in predictions(n // 2)
        )
        heads = journal.heads()
        verify = spent(lambda: journal.verify(heads))
        size = sum(f.stat().st_size for f in Path(folder).glob("journal.sqlite*"))
        text = sum(len(row.model_dump_json()) for row in predictions(1_000)) / 1_000
        journal.append_many(labels, "labels")
        joined = spent(lambda: outcomes(journal, "flights"))
        record("live-journal", {"what": "verify", "entries": n, "cpu_s": round(verify[0], 2), **about})
        record("live-journal", {"what": "outcomes", "entries": n, "cpu_s": round(joined[0], 2), **about})
        record(
            "live-journal", {"what": "size", "entries": n, "bytes": round(size / n), "text_bytes": round(text), **about}
        )


if __name__ == "__main__":
    main()
