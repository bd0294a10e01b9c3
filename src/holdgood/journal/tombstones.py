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

from holdgood.journal.chain import TOMBSTONE, Draft, Row, canonical
from holdgood.journal.keys import Keys

Span = tuple[str, int, int]
"""A writer, and the first and the last of neighbouring entries."""
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


class Stone(NamedTuple):
    """A tombstone: entry ``number`` of ``writer``, written at ``when``. ``body``: as it was read."""

    writer: str
    number: int
    when: str
    spans: tuple[Span, ...]
    body: Mapping[str, Any]

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
        """How many entries it names."""
        return sum(last - first + 1 for _, first, last in self.spans)

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


def tombstone(spans: Sequence[Span], who: str, why: str, covers: str = "", seal: Seal | None = None) -> Draft:
    """What says that entries were forgotten."""
    body: dict[str, Any] = {"who": who, "why": why, "entries": [list(span) for span in spans]}
    if covers:
        body["covers"] = covers
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
            found.append(Stone(row.writer, row.number, row.recorded_utc, spans, body))
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
            continue
    return found


def _shown(said: Any) -> str:
    """Text that can be printed, whatever was written."""
    return str(said).encode("utf-8", "backslashreplace").decode()


def _named(body: Mapping[str, Any]) -> Iterable[tuple[Any, Any, Any]]:
    """The entries of one tombstone; releases before 0.2 named a single one."""
    if "entries" in body:
        named: Iterable[tuple[Any, Any, Any]] = body["entries"]
        return named
    return [(body["writer"], body["number"], body["number"])]
