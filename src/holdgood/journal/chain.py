"""The arithmetic of the chain: what is hashed, and how an entry follows the one before it.

An entry's hash covers the hash before it and a salted commitment to the record, not the record itself: record and salt
can be deleted and the chain still verifies. The salt keeps a deleted record from being guessed back from its commitment.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from holdgood.core.errors import DataError
from holdgood.core.records.envelope import Record, wrap_as_text
from holdgood.journal.keys import Keys, checked_keys, keys_of, moment_of

GENESIS = "0" * 64
TOMBSTONE = "tombstone"
NEVER_FORGOTTEN = (TOMBSTONE, "promotion", "approval")
"""Who put what live, and who deleted what: a tombstone must not hide it."""


@dataclass(frozen=True)
class Head:
    """The last entry of a writer: keep it outside to prove later that nothing before it was touched."""

    number: int
    hash: str


BEGINNING = Head(0, GENESIS)


class Draft(NamedTuple):
    """What is to be written: the envelope as text, and what it is found by. ``sheet``: the ``rows`` that it stands for, as they are stored."""

    kind: str
    text: str
    keys: Keys
    sheet: bytes | None = None
    rows: int = 1


class Row(NamedTuple):
    """An entry as it is stored. ``salt``, ``record`` and the keys are None where it was forgotten."""

    writer: str
    number: int
    kind: str
    recorded_utc: str
    salt: str | None
    record: str | None
    commitment: str
    previous: str
    hash: str
    model: str | None
    ref: str | None
    place: str | None
    subject: str | None
    moment: str | None

    @property
    def keys(self) -> Keys:
        """What it is found by."""
        return Keys(self.model, self.ref, self.place, self.subject, self.moment)


class SheetRow(Row):
    """A row of a sheet, as the entry that it would be by itself. ``body`` is the envelope; ``record``, its text, is empty: nobody wrote one.

    It has no salt, commitment and place in the chain of its own; number and hash are those of the sheet's entry.
    """

    body: dict[str, Any]

    @classmethod
    def of(cls, entry: Row, body: dict[str, Any]) -> SheetRow:
        """A row of the sheet that ``entry`` stands for."""
        said = body["payload"]
        row = cls(
            entry.writer, entry.number, body["kind"], entry.recorded_utc, None, "", "", "", entry.hash, said["model"], said["id"], said["place"],
            said["subject"] or None, said["event_time"],
        )  # fmt: skip
        row.body = body
        return row


def canonical(value: object) -> str:
    """JSON with sorted keys and no spaces: the same value, the same bytes."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def sha(*parts: str) -> str:
    """SHA-256 of parts, each with its length before it so that no two lists of parts read alike."""
    data = [part.encode("utf-8", "surrogateescape") for part in parts]
    return hashlib.sha256(b"".join(b"%d:%b" % (len(d), d) for d in data)).hexdigest()


def draft(record: Record) -> Draft:
    """A record made ready. Raises DataError where a name or a time in it cannot be a key."""
    return Draft(record.kind, wrap_as_text(record), checked_keys(record.kind, vars(record)))


def weight(drafts: Sequence[Draft]) -> int:
    """What they weigh where too much must not wait, in entries: a row of a sheet costs a tenth of one, in memory and to write."""
    return sum(max(1, d.rows // 10) for d in drafts)


def link(head: Head, writer: str, drafts: Sequence[Draft], when: str) -> list[Row]:
    """The entries that follow a head, one after the other; ``when`` in the notation of ``moment_of``.

    The hashes are those of ``hash_of`` and ``sha``; what is the same for all of them is put into bytes once.
    """
    salts = secrets.token_bytes(16 * len(drafts)).hex()
    name, at = _told(writer.encode("utf-8", "surrogateescape")), _told(when.encode())
    number, previous = head.number, head.hash
    rows: list[Row] = []
    sha256 = hashlib.sha256
    for place, (kind, text, keys, _, _) in enumerate(drafts):
        number += 1
        salt = salts[32 * place : 32 * place + 32]
        record = text.encode("utf-8", "surrogateescape")
        commitment = sha256(b"32:%b%d:%b" % (salt.encode(), len(record), record)).hexdigest()
        digits = b"%d" % number
        digest = sha256(
            b"64:%b%b%d:%b%d:%b%b64:%b"
            % (previous.encode(), name, len(digits), digits, len(kind), kind.encode(), at, commitment.encode())
        ).hexdigest()
        model, ref, stands, subject, moment = keys
        rows.append(
            Row(
                writer, number, kind, when, salt, text, commitment, previous, digest, model, ref, stands, subject, moment or when
            )
        )  # fmt: skip
        previous = digest
    return rows


def _told(data: bytes) -> bytes:
    """A part as ``sha`` takes it."""
    return b"%d:%b" % (len(data), data)


def hash_of(previous: str, writer: str, number: int, kind: str, when: str, commitment: str) -> str:
    """What an entry's hash covers."""
    return sha(previous, writer, str(number), kind, when, commitment)


def body_of(row: Row) -> dict[str, Any] | None:
    """The envelope of an entry, None where it was forgotten. DataError for what is none: the journal was damaged."""
    if row.record is None:
        return None
    if isinstance(row, SheetRow):
        return row.body
    try:
        body = json.loads(row.record)
    except (ValueError, RecursionError):
        body = None
    if isinstance(body, dict):
        return body
    raise DataError(
        f"entry {row.number} of {row.writer!r} holds no record", "JSON as it was written", "holdgood journal verify"
    )


def keys_of_stored(kind: str, record: str, recorded_utc: str) -> Keys:
    """The keys that a stored record must have."""
    body = json.loads(record)
    payload = body.get("payload", {}) if kind != TOMBSTONE and isinstance(body, Mapping) else {}
    keys = keys_of(kind, payload if isinstance(payload, Mapping) else {})
    return keys if keys.moment else keys._replace(moment=moment_of(recorded_utc))
