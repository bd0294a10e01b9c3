"""Verify: whether every chain is whole, every record is what was committed to, and the heads kept outside are reached."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping

from holdgood.journal.chain import GENESIS, NEVER_FORGOTTEN, TOMBSTONE, Head, Row, hash_of, keys_of_stored, sha
from holdgood.journal.keys import Keys

MOST_FAULTS = 1_000
"""More sentences than this help nobody."""


def faults_of(rows: Iterable[Row], buried: Mapping[str, list[tuple[int, int]]], heads: Mapping[str, Head]) -> list[str]:
    """What is wrong, a sentence each. ``rows`` by writer and number, ``buried`` as ``buried_by`` gives it."""
    found: list[str] = []
    wanted = {(writer, head.number): head.hash for writer, head in heads.items()}
    expected, previous, of = 1, GENESIS, None
    graves: Iterator[tuple[int, int]] = iter(())
    grave = (0, 0)
    for row in rows:
        if row.writer != of:
            expected, previous, of = 1, GENESIS, row.writer
            graves, grave = iter(buried.get(row.writer, ())), (0, 0)
        while grave[1] < row.number and (following := next(graves, None)) is not None:
            grave = following
        if len(found) < MOST_FAULTS:
            found += _faults(row, expected, previous, forgotten=grave[0] <= row.number <= grave[1])
        if wanted.get((row.writer, row.number)) == row.hash:
            del wanted[row.writer, row.number]
        elif (row.writer, row.number) in wanted:
            found.append(f"the chain of {row.writer!r} was rewritten at or before entry {row.number}")
            del wanted[row.writer, row.number]
        expected, previous = row.number + 1, row.hash
    for (writer, number), digest in wanted.items():
        if (number, digest) != (0, GENESIS):
            found.append(f"{writer!r} had {number} entries; the last ones are gone")
    return found


def _faults(row: Row, expected: int, previous: str, *, forgotten: bool) -> Iterator[str]:
    where = f"entry {row.number} of {row.writer!r}"
    if row.number != expected:
        yield f"entries {expected} to {row.number - 1} of {row.writer!r} are gone"
    elif row.previous != previous:
        yield f"{where} does not follow the entry before it"
    if row.record is None:
        if not forgotten:
            yield f"{where} lost its record without a tombstone"
        elif row.kind in NEVER_FORGOTTEN:
            yield f"{where} has a tombstone, but a {row.kind} is never forgotten"
        if row.salt is not None or row.keys != Keys():
            yield f"{where} was forgotten, but not whole"
    elif row.salt is None or sha(row.salt, row.record) != row.commitment:
        yield f"{where}: its record was changed"
    elif forgotten:
        yield f"{where} has a tombstone, but its record is there"
    elif not _found_by_itself(row):
        yield f"{where}: what it is found by was changed"
    if hash_of(row.previous, row.writer, row.number, row.kind, row.recorded_utc, row.commitment) != row.hash:
        yield f"{where}: its hash does not match"


def _found_by_itself(row: Row) -> bool:
    """Whether the columns that an entry is found by are those of its record."""
    try:
        return row.keys == keys_of_stored(row.kind, row.record or "", row.recorded_utc)
    except (ValueError, RecursionError):
        return False


def buried_by(tombstones: Iterable[Row]) -> dict[str, list[tuple[int, int]]]:
    """What tombstones name: spans of entries of each writer, in order."""
    found: dict[str, list[tuple[int, int]]] = {}
    for row in tombstones:
        if row.kind != TOMBSTONE or row.record is None:
            continue
        try:
            for writer, first, last in _named(json.loads(row.record)):
                found.setdefault(writer, []).append((int(first), int(last)))
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
            continue  # a tombstone that was tampered with buries nothing; its own hash is told apart
    for spans in found.values():
        spans.sort()
    return found


def _named(body: Mapping[str, object]) -> Iterable[tuple[str, int, int]]:
    """The entries of one tombstone; releases before 0.2 named a single one."""
    if "entries" in body:
        return body["entries"]  # type: ignore[return-value]
    return [(body["writer"], body["number"], body["number"])]  # type: ignore[list-item]
