"""What a forgetting leaves: an entry of the chain that says who deleted which entries and why, bound to what they were, and sealed.

Who can write the database can write such an entry too, and the chain holds no secret. So a seal is made with a key that lies outside of the
database: entries that were emptied behind the journal's back cannot pass for forgotten.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from holdgood.journal.chain import TOMBSTONE, Draft, Row, canonical
from holdgood.journal.keys import Keys
from holdgood.journal.sheet import Sheet

Span = tuple[str, int, int]
"""A writer, and the first and the last of neighbouring entries."""
Place = tuple[str, int] | tuple[str, int, int]
"""An entry (writer, number), or a row of the sheet that an entry stands for (writer, number, row)."""
_BEYOND = 2**63
"""No database counts entries so far."""


@dataclass(frozen=True)
class Seal:
    """A key outside of the database. ``before``: where every chain stood when it was made; what is older was never sealed."""

    key: bytes = field(repr=False)
    before: Mapping[str, int] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What may be shown of the key."""
        return hashlib.sha256(b"name" + self.key).hexdigest()[:12]

    def of(self, body: Mapping[str, Any]) -> str:
        """The seal of what a tombstone says."""
        text = canonical({k: v for k, v in body.items() if k != "seal"})
        return hmac.new(self.key, text.encode("utf-8", "surrogateescape"), hashlib.sha256).hexdigest()


class Emptied(NamedTuple):
    """Rows of a sheet that were forgotten while others of it were kept. ``covers``: binds to their commitments (``cover_rows``).

    ``spans``: the first and the last of neighbouring rows, in order.
    """

    writer: str
    number: int
    spans: tuple[tuple[int, int], ...]
    covers: str

    def rows(self, most: int) -> np.ndarray:
        """Which rows, as far as a sheet of so many has them."""
        return np.concatenate([np.arange(first, min(last + 1, most)) for first, last in self.spans])


class Stone(NamedTuple):
    """A tombstone: entry ``number`` of ``writer``, written at ``when``. ``body``: as it was read."""

    writer: str
    number: int
    when: str
    spans: tuple[Span, ...]
    body: Mapping[str, Any]
    emptied: tuple[Emptied, ...] = ()

    @property
    def who(self) -> str:
        """Who deleted."""
        return _shown(self.body.get("who", ""))

    @property
    def why(self) -> str:
        """The reason that was given."""
        return _shown(self.body.get("why", ""))

    @property
    def entries(self) -> int:
        """How many entries it names; a row of a sheet counts as one."""
        return sum(last - first + 1 for _, first, last in self.spans) + sum(
            last - first + 1 for e in self.emptied for first, last in e.spans
        )

    def sealed(self, seal: Seal) -> bool:
        """Whether the key's holder wrote it, or it is older than the key (no seal then, or one of a key that was lost)."""
        if self.number <= seal.before.get(self.writer, 0):
            return True
        given = self.body.get("seal")
        try:
            return isinstance(given, str) and hmac.compare_digest(given.encode(), seal.of(self.body).encode())
        except ValueError:  # halves of a surrogate pair, numbers that JSON has not: no journal writes these
            return False


def spans_of(places: Iterable[tuple[str, int]]) -> list[Span]:
    """Entries (writer, number) in order; neighbours are named by the first and the last of them."""
    spans: list[Span] = []
    for writer, number in sorted(places):
        if spans and spans[-1][0] == writer and spans[-1][2] == number - 1:
            spans[-1] = (writer, spans[-1][1], number)
        else:
            spans.append((writer, number, number))
    return spans


def cover(hashes: Iterable[str]) -> str:
    """What binds a tombstone to the entries that it names: one hash over theirs, which hold their commitments, in order."""
    found = hashlib.sha256()
    for one in hashes:
        found.update(one.encode("utf-8", "surrogateescape"))
    return found.hexdigest()


def cover_rows(sheet: Sheet, rows: np.ndarray) -> str:
    """What binds a tombstone to rows of a sheet: one hash over their commitments, in order."""
    return hashlib.sha256(sheet.commitments[rows].tobytes()).hexdigest()


def emptied(writer: str, number: int, sheet: Sheet, rows: np.ndarray) -> Emptied:
    """What a tombstone says of rows (positions in order, each once) of a sheet."""
    breaks = np.flatnonzero(np.diff(rows) > 1)
    firsts, lasts = rows[np.r_[0, breaks + 1]].tolist(), rows[np.r_[breaks, len(rows) - 1]].tolist()
    return Emptied(writer, number, tuple(zip(firsts, lasts, strict=True)), cover_rows(sheet, rows))


def tombstone(
    spans: Sequence[Span], who: str, why: str, covers: str = "", seal: Seal | None = None, rows: Sequence[Emptied] = ()
) -> Draft:
    """What says that entries, and rows of sheets, were forgotten."""
    body: dict[str, Any] = {"who": who, "why": why, "entries": [list(span) for span in spans]}
    if covers:
        body["covers"] = covers
    if rows:
        body["rows"] = [[e.writer, e.number, [list(span) for span in e.spans], e.covers] for e in rows]
    if seal is not None:
        body["key"] = seal.name
        body["seal"] = seal.of(body)
    return Draft(TOMBSTONE, canonical(body), Keys())


def stones_of(rows: Iterable[Row]) -> list[Stone]:
    """The tombstones among some entries. One that was tampered with buries nothing; its own hash is told apart."""
    found = []
    for row in rows:
        if row.kind != TOMBSTONE or row.record is None:
            continue
        try:
            body = json.loads(row.record)
            spans = tuple((str(writer), int(first), int(last)) for writer, first, last in _named(body))
            if not all(1 <= first <= last < _BEYOND for _, first, last in spans):
                continue
            of_sheets = tuple(_emptied(*one) for one in body.get("rows", ()))
            found.append(Stone(row.writer, row.number, row.recorded_utc, spans, body, of_sheets))
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
            continue
    return found


def _shown(said: Any) -> str:
    """Text that can be printed, whatever was written."""
    return str(said).encode("utf-8", "backslashreplace").decode()


def _emptied(writer: Any, number: Any, spans: Any, covers: Any) -> Emptied:
    told = tuple((int(first), int(last)) for first, last in spans)
    before = -2
    for first, last in told:  # in order and apart: spans that lie over each other could stand for any number of rows
        if not before + 1 < first <= last < _BEYOND:
            raise ValueError
        before = last
    if not told:
        raise ValueError
    return Emptied(str(writer), int(number), told, str(covers))


def _named(body: Mapping[str, Any]) -> Iterable[tuple[Any, Any, Any]]:
    """The entries of one tombstone; releases before 0.2 named a single one."""
    if "entries" in body:
        named: Iterable[tuple[Any, Any, Any]] = body["entries"]
        return named
    return [(body["writer"], body["number"], body["number"])]
