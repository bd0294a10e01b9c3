"""Which entries: a filter, and the SQL that both databases understand."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from holdgood.core.errors import DataError
from holdgood.journal.chain import Row

COLUMNS = ", ".join(Row._fields)
SHEETS = ("predictions",)
"""Entries that stand for many predictions."""
_ABOUT = ("kind <> 'prediction'", "ref IS NOT NULL")


@dataclass(frozen=True)
class Filter:
    """Entries for which all that is given holds. Times as ``keys.moment_of`` writes them; ``since`` included, ``until`` not.

    ``about``: entries about the predictions that this filter finds (labels, overrides), which are not themselves among them. Where it names no
    subject and no ids, also those about rows of sheets of the same model that end after its ``since``; ``alone`` leaves these out.
    ``forgotten``: only those without a record. ``after``: entries of a writer after this number. ``order``: of writing, of the moment at
    which they count (``moment``), or of the chain (``chain``).
    """

    kinds: tuple[str, ...] = ()
    writer: str | None = None
    model: str | None = None
    refs: tuple[str, ...] = ()
    place: str | None = None
    subject: str | None = None
    since: str | None = None
    until: str | None = None
    about: Filter | None = None
    alone: bool = False
    after: int | None = None
    forgotten: bool = False
    order: str = "written"
    newest_first: bool = False
    limit: int | None = None

    def sql(self) -> tuple[str, list[Any]]:
        """The statement, with ``?`` for each of the parameters. DataError for a text that no database takes, and that no entry is found by."""
        where, values = self._where()
        for value in values:
            if isinstance(value, str) and not value.isascii() and any("\ud800" <= c <= "\udfff" for c in value):
                raise DataError(
                    f"{value[:60]!r} was asked for, with halves of a surrogate pair",
                    "text that is UTF-8",
                    "check how it was typed or read: no entry has such a name",
                )
        way = " DESC" if self.newest_first else ""
        by = {"written": ("recorded_utc", "writer", "number"), "moment": ("moment", "recorded_utc", "writer", "number")}
        order = ", ".join(f"{c}{way}" for c in by.get(self.order, ("writer", "number")))
        statement = f"SELECT {COLUMNS} FROM entries{where} ORDER BY {order}"
        if self.limit is not None:
            statement += " LIMIT ?"
            values.append(self.limit)
        return statement, values

    def _where(self) -> tuple[str, list[Any]]:
        parts, values = [], []
        for column in ("writer", "model", "place", "subject"):
            if (value := getattr(self, column)) is not None:
                parts.append(f"{column} = ?")
                values.append(value)
        for column, among in (("kind", self.kinds), ("ref", self.refs)):
            if among:
                parts.append(f"{column} IN ({', '.join('?' * len(among))})")
                values += among
        if self.refs:
            parts += _same_words(self.kinds)
        if self.forgotten:
            parts.append("record IS NULL")
        for column, sign, value in (
            ("moment", ">=", self.since),
            ("moment", "<", self.until),
            ("number", ">", self.after),
        ):
            if value is not None:
                parts.append(f"{column} {sign} ?")
                values.append(value)
        if self.about is not None:
            inner, inside = self.about._where()
            about = " AND ".join(_ABOUT)
            named = f"{about} AND (model, ref) IN (SELECT model, ref FROM entries{inner})"
            values += inside
            if not (self.alone or self.about.subject or self.about.refs):
                inner, inside = replace(self.about, kinds=SHEETS, until=None)._where()
                sheets = f"(SELECT model AS whose, ref AS base FROM entries{inner}) AS sheets"
                rows = f"model = whose AND ref > base || '/' AND ref < base || '0' AND {about}"  # 0 follows the stroke
                named += f" OR (writer, number) IN (SELECT writer, number FROM {sheets} JOIN entries ON {rows})"
                values += inside
            parts.append(f"kind NOT IN ('prediction', 'predictions') AND ({named})")
        return (" WHERE " + " AND ".join(parts) if parts else ""), values


def _same_words(kinds: tuple[str, ...]) -> tuple[str, ...]:
    """What the index over ids of these kinds says of itself: SQLite searches in it only where a statement says the same."""
    if kinds in (("prediction",), SHEETS):
        return (f"kind = '{kinds[0]}'",)
    return () if not kinds or "prediction" in kinds else _ABOUT
