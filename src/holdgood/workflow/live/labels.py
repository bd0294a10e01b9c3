"""Labels and overrides from files: what came out, late and in part, and what people decided instead."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from holdgood.core.errors import DataError
from holdgood.core.records import AnswerOverride, Label
from holdgood.core.records.envelope import Record, unwrap
from holdgood.journal import Filter, Journal
from holdgood.journal.chain import draft
from holdgood.workflow.live.by_id import Fault, Taken, chunks, matched, rows_of, text_of
from holdgood.workflow.live.folder import WRITER


def take_labels(
    journal: Journal,
    source: Path | str,
    model: str | None = None,
    *,
    id: str = "id",
    value: str = "value",
    by: str = "",
) -> Taken:
    """Write down the labels of a file: columns ``id``, ``value``, and where there are such ``model``, ``known_time``, ``event_time``,
    ``final`` and ``censored`` (true or false), ``why``. A label that says what the newest one says is left; another one corrects it.
    """
    now = datetime.now(UTC).isoformat()

    def make(row: dict[str, Any], prediction: str, name: str) -> Record:
        if row[value] is None:
            raise DataError(f"no {value}")
        return _checked(
            Label(
                prediction=prediction,
                model=name,
                value=row[value],
                event_time=text_of(row, "event_time"),
                known_time=text_of(row, "known_time") or now,
                final=_truth(row, "final", True),
                censored=_truth(row, "censored", False),
                by=text_of(row, "by") or by,
                why=text_of(row, "why"),
            )
        )

    records, faults = matched(journal, rows_of(source, id, value), id, model, make)
    return _write(journal, records, faults)


def take_overrides(
    journal: Journal,
    source: Path | str,
    model: str | None = None,
    *,
    id: str = "id",
    after: str = "after",
    who: str = "",
) -> Taken:
    """Write down what people decided instead of predictions: columns ``id``, ``after``, and where there are such ``model``, ``before``
    (default: the logged answer), ``who``, ``reason``, ``when``.
    """

    def make(row: dict[str, Any], prediction: str, name: str) -> Record:
        if row[after] is None:
            raise DataError(f"no {after}")
        person = text_of(row, "who") or who
        if not person:
            raise DataError("nobody is said to have decided")
        logged = None if row.get("before") is not None else journal.prediction(name, prediction)
        return _checked(
            AnswerOverride(
                prediction=prediction,
                model=name,
                before=logged.answer if logged else row.get("before"),
                after=row[after],
                who=person,
                reason=text_of(row, "reason"),
                when=text_of(row, "when"),
            )
        )

    records, faults = matched(journal, rows_of(source, id, after), id, model, make)
    return _write(journal, records, faults)


def _write(journal: Journal, records: list[Record], faults: list[Fault]) -> Taken:
    new = _new(journal, records)
    for piece in chunks(new):
        journal.append_many(piece, WRITER)
    return Taken(len(new), len(records) - len(new), tuple(faults))


def _new(journal: Journal, records: Sequence[Record]) -> list[Record]:
    """Those that say something else than the last word on the same prediction, so that a file given twice is written once."""
    last = {}
    for kind, model in sorted({(r.kind, _about(r)[0]) for r in records}):
        ids = sorted({_about(r)[1] for r in records if _about(r)[0] == model})
        for record in _there(journal, kind, model, ids):
            last[_about(record)] = _said(record)
    new = []
    for record in records:
        if last.get(_about(record)) != _said(record):
            last[_about(record)] = _said(record)
            new.append(record)
    return new


def _there(journal: Journal, kind: str, model: str, ids: Sequence[str]) -> Iterator[Record]:
    read = Label if kind == Label.kind else AnswerOverride
    for first in range(0, len(ids), 500):
        which = Filter(kinds=(kind,), model=model, refs=tuple(ids[first : first + 500]), order="moment")
        for row in journal.rows(which):
            yield unwrap(json.loads(row.record or "null"), read)


def _about(record: Record) -> tuple[str, str]:
    assert isinstance(record, (Label, AnswerOverride))
    return record.model, record.prediction


def _said(record: Record) -> tuple[Any, ...]:
    if isinstance(record, Label):
        return record.value, record.final, record.censored
    assert isinstance(record, AnswerOverride)
    return record.after, record.who


def _checked(record: Record) -> Record:
    """A record that can be written; DataError otherwise."""
    draft(record)
    return record


def _truth(row: Mapping[str, Any], column: str, default: bool) -> bool:
    value = row.get(column)
    known = {"true": True, "false": False, "yes": True, "no": False, "1": True, "0": False, "1.0": True, "0.0": False}
    if value is None:
        return default
    if (said := known.get(str(value).strip().lower())) is None:
        raise DataError(f"{column} is {str(value)[:20]!r}, neither true nor false")
    return said
