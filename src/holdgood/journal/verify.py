"""Verify: whether every chain is whole, every record is what was committed to, and the heads kept outside are reached."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice, pairwise

import numpy as np

from holdgood.core.errors import HoldgoodError
from holdgood.journal.chain import GENESIS, NEVER_FORGOTTEN, Head, Row, hash_of, keys_of_stored, sha
from holdgood.journal.filters import SHEETS
from holdgood.journal.keys import Keys
from holdgood.journal.sheet import read_sheet
from holdgood.journal.sheet_rows import head_of
from holdgood.journal.tombstones import Emptied, Seal, Stone, cover_rows

MOST_FAULTS = 1_000
"""More sentences than this help nobody."""


def faults_of(
    rows: Iterable[Row],
    stones: Sequence[Stone],
    heads: Mapping[str, Head],
    sheet_of: Callable[[str, int], bytes | None],
    seal: Seal | None = None,
    strays: Iterable[tuple[str, int]] = (),
) -> list[str]:
    """What is wrong, a sentence each. ``rows`` by writer and number; ``sheet_of``: what an entry stands for; ``seal``: what tombstones must be
    sealed with; ``strays``: entries that have a sheet and stand for none.
    """
    found: list[str] = []
    wanted = {(writer, head.number): head.hash for writer, head in heads.items()}
    graves = _Graves(stones)
    expected, previous, of = 1, GENESIS, None
    for row in rows:
        if row.writer != of:
            expected, previous, of = 1, GENESIS, row.writer
        forgotten = graves.hold(row)
        emptied = graves.emptied.pop((row.writer, row.number), ()) if row.kind in SHEETS else ()
        if len(found) < MOST_FAULTS:
            found += _faults(row, expected, previous, forgotten=forgotten)
            if row.kind in SHEETS:
                found += _sheet_faults(row, sheet_of(row.writer, row.number), emptied)
        if wanted.get((row.writer, row.number)) == row.hash:
            del wanted[row.writer, row.number]
        elif (row.writer, row.number) in wanted:
            found.append(f"the chain of {row.writer!r} was rewritten at or before entry {row.number}")
            del wanted[row.writer, row.number]
        expected, previous = row.number + 1, row.hash
    for (writer, number), digest in wanted.items():
        if (number, digest) != (0, GENESIS):
            found.append(f"{writer!r} had {number} entries; the last ones are gone")
    found += [f"entry {n} of {w!r} is no sheet, but has one" for w, n in islice(strays, MOST_FAULTS)]
    nowhere = (f"rows of entry {n} of {w!r} have a tombstone, but it is no sheet" for w, n in graves.emptied)
    found += islice(nowhere, MOST_FAULTS)
    return found + graves.faults() + [no for stone in stones if seal is not None and (no := _unsealed(stone, seal))]


class _Graves:
    """The entries that tombstones name, met in the order of the chains."""

    def __init__(self, stones: Sequence[Stone]) -> None:
        self._stones = stones
        self._seen = [hashlib.sha256() for _ in stones]
        self._spans: dict[str, list[tuple[int, int, int]]] = {}
        for i, stone in enumerate(stones):
            for writer, first, last in stone.spans:
                self._spans.setdefault(writer, []).append((first, last, i))
        for spans in self._spans.values():
            spans.sort()
        self.emptied: dict[tuple[str, int], list[Emptied]] = {}
        for stone in stones:
            for one in stone.emptied:
                self.emptied.setdefault((one.writer, one.number), []).append(one)
        self._of: str | None = None
        self._left: Iterator[tuple[int, int, int]] = iter(())
        self._grave = (0, 0, 0)

    def hold(self, row: Row) -> bool:
        """Whether a tombstone names this entry."""
        if row.writer != self._of:
            self._of, self._left, self._grave = row.writer, iter(self._spans.get(row.writer, ())), (0, 0, 0)
        while self._grave[1] < row.number and (following := next(self._left, None)) is not None:
            self._grave = following
        first, last, i = self._grave
        if not first <= row.number <= last:
            return False
        self._seen[i].update(row.hash.encode("utf-8", "surrogateescape"))
        return True

    def faults(self) -> list[str]:
        """Tombstones that are bound to other entries than those they name, and entries that are named twice."""
        found = [
            f"{_named(stone)} is a tombstone of other entries than those that it names"
            for stone, seen in zip(self._stones, self._seen, strict=True)
            if stone.body.get("covers") not in (None, seen.hexdigest())
        ]
        for writer, spans in self._spans.items():
            found += [
                f"{_named(self._stones[b[2]])} is a second tombstone of entry {b[0]} of {writer!r}"
                for a, b in pairwise(spans)
                if b[0] <= a[1]
            ]
        return found


def _unsealed(stone: Stone, seal: Seal) -> str | None:
    """What is wrong with who says that entries were forgotten; None where the key's holder does."""
    if stone.sealed(seal):
        return None
    says = f"{_named(stone)} says that {stone.who!r} had {stone.entries:,} forgotten, but "
    if "seal" not in stone.body:
        return says + "it has no seal: whoever wrote it did not have the folder's key"
    if stone.body.get("key") != seal.name:
        return says + f"it was sealed with another key than {seal.name}: where journals are shared, so must be the key"
    return says + "its seal is false"


def _named(stone: Stone) -> str:
    return f"entry {stone.number} of {stone.writer!r}"


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


def _sheet_faults(row: Row, data: bytes | None, emptied: Sequence[Emptied]) -> Iterator[str]:
    """What is wrong with the rows that an entry stands for. ``emptied``: what tombstones say of them."""
    where = f"entry {row.number} of {row.writer!r}"
    if row.record is None:
        if data is not None:
            yield f"{where} was forgotten, but its sheet is there"
        return
    try:
        head = head_of(row)
        sheet = None if data is None else read_sheet(data, where)
    except HoldgoodError as error:
        yield f"{where}: {error.came}"
        return
    if sheet is None:
        yield f"{where} lost its sheet"
        return
    yield from (f"{where}: {no}" for no in sheet.faults(head))
    times = np.zeros(sheet.rows, np.int64)
    for one in emptied:
        rows = one.rows(sheet.rows)
        times[rows] += 1
        if one.spans[-1][1] >= sheet.rows or one.covers != cover_rows(sheet, rows):
            yield f"a tombstone of rows of {where} is one of other rows"
    there = sheet.there
    for wrong, said in (
        (times > 1, "has two tombstones"),
        (~there & (times == 0), "was emptied without a tombstone"),
        (there & (times > 0), "has a tombstone, but is there"),
    ):
        if wrong.any():
            yield f"row {np.flatnonzero(wrong)[0]} of {where} {said}"


def _found_by_itself(row: Row) -> bool:
    """Whether the columns that an entry is found by are those of its record."""
    try:
        return row.keys == keys_of_stored(row.kind, row.record or "", row.recorded_utc)
    except (ValueError, RecursionError):
        return False
