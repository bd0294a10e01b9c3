"""Copies of a journal: a backup is a journal itself, in a SQLite file, wherever the original lies.

Copying goes forward only: what the target holds must be the beginning of what the source holds. So a backup is brought up to date
by what is new, what was forgotten is forgotten in it too, and nothing newer is ever overwritten by something older. What is copied at once
is there whole or not at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from holdgood.core.errors import DataError
from holdgood.journal.chain import TOMBSTONE, Head, Row
from holdgood.journal.filters import Filter
from holdgood.journal.log import Journal, verified
from holdgood.journal.tombstones import stones_of


def backup(journal: Journal, to: Path | str) -> int:
    """Bring a backup up to date, or make it; returns how many entries are new in it."""
    return copy(journal, Journal(to))


def restore(journal: Journal, source: Path | str, heads: Mapping[str, Head] | None = None) -> int:
    """Bring a journal (mostly an empty one) to where a backup is; returns how many entries are new in it.

    The backup must verify, and reach the ``heads`` kept outside where they are given.
    """
    path = Path(source)
    if not path.is_file():
        raise DataError(f"no backup at {path}", "a file written by holdgood journal backup", "check the path")
    return copy(Journal(path), journal, heads)


def copy(source: Journal, target: Journal, heads: Mapping[str, Head] | None = None) -> int:
    """Bring ``target`` to where ``source`` is. Raises DataError where the source is damaged, or does not hold all that the target holds."""
    there = target.heads()
    with source.session() as reading, reading.snapshot():
        _refuse_damage(source.name, verified(reading, {}))
        _refuse_shorter(source.name, "the heads kept outside", verified(reading, heads or {}))
        _refuse_shorter(source.name, target.name, verified(reading, there))
        reached = reading.heads()
        with target.session() as writing:
            further: dict[str, tuple[Iterator[Row], list[int]]] = {}
            for writer, head in reached.items():
                after = there[writer].number if writer in there else 0
                known = Filter(writer=writer, forgotten=True, order="chain")
                gone = {r.number for r in reading.rows(known)} - {r.number for r in writing.rows(known)}
                if after < head.number or gone:
                    new = reading.rows(Filter(writer=writer, after=after, order="chain"))
                    further[writer] = new, sorted(n for n in gone if n <= after)
            renewed = {
                (one.writer, one.number)
                for stone in stones_of(reading.rows(Filter(kinds=(TOMBSTONE,))))
                if stone.writer not in there or stone.number > there[stone.writer].number
                for one in stone.emptied
                if one.writer in there and one.number <= there[one.writer].number
            }
            if further or renewed:
                writing.bring(further, reading.sheet, sorted(renewed))
    _refuse_damage(f"the copy in {target.name}", target.verify(reached))
    return sum(head.number - (there[w].number if w in there else 0) for w, head in reached.items())


def _refuse_damage(name: str, faults: Sequence[str]) -> None:
    if faults:
        more = f" (and {len(faults) - 1:,} more)" if len(faults) > 1 else ""
        raise DataError(
            f"{name} is damaged: {faults[0]}{more}",
            "a journal that verifies",
            "copy the file itself to keep what is there, and look with holdgood journal verify",
        )


def _refuse_shorter(name: str, other: str, faults: Sequence[str]) -> None:
    if faults:
        raise DataError(
            f"{name} does not hold all that {other} holds: {faults[0]}",
            "a source that goes on from there",
            "nothing was overwritten; to go back on purpose, move the longer journal away first",
        )
