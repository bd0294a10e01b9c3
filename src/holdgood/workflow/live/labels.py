"""Labels and overrides from files: what came out, late and in part, and what people decided instead."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from holdgood.core.errors import DataError
from holdgood.core.records import AnswerOverride, Label
from holdgood.core.records.envelope import Record, unwrap
from holdgood.core.task import Task
from holdgood.journal import Filter, Journal
from holdgood.journal.chain import body_of, canonical, draft
from holdgood.journal.keys import moment_of
from holdgood.journal.timely import Asked, untimely
from holdgood.workflow.live.by_id import Fault, Taken, chunks, matched, rows_of, text_of, time_of
from holdgood.workflow.live.folder import WRITER
from holdgood.workflow.live.lines import lines_of
from holdgood.workflow.live.outcome_columns import known_outcomes, no_outcome, whole
from holdgood.workflow.live.told import no_bound, stray
from holdgood.workflow.predict import Predictor


def take_labels(
    journal: Journal,
    source: Path | str,
    model: str | None = None,
    *,
    id: str = "id",
    value: str = "value",
    columns: Sequence[str] = (),
    by: str = "",
    task_of: Callable[[str], Task | None] = lambda _: None,
    model_of: Callable[[str], Predictor | None] = lambda _: None,
) -> Taken:
    """Write down the labels of a file: columns ``id``, ``value`` (or ``columns``, which a computed target needs), and where there are such
    ``model``, ``known_time``, ``event_time``, ``final`` and ``censored`` (true or false), ``why``.

    A label that says what the newest one says is left; another one corrects it. ``task_of``: the task of a model, where it is known; a
    label that is no outcome of it is not taken, nor a lower bound (``censored``) of a class, nor one that was known in the future, or before
    its prediction. One of a row that was refused is taken and counted: nothing that came out is lost. ``model_of``: the model itself, by
    whose target ``columns`` are made whole from the asked row and tried.
    """
    now = datetime.now(UTC).isoformat()
    task, loaded = cache(task_of), cache(model_of)
    refused: set[tuple[str, str]] = set()

    def make(row: dict[str, Any], prediction: str, model_name: str, how: Asked) -> Record:
        there = [c for c in columns if row[c] is not None]
        for name in there or (columns or (value,))[:1]:
            _plain(row[name], name)
        asked, bound = task(model_name), _truth(row, "censored", False)
        if asked is not None and bound and (no := no_bound(asked)):
            raise DataError(no)
        if asked is not None and not (columns or bound) and (no := stray(row[value], asked)):
            raise DataError(f"{value}: {no}")
        given, known = text_of(row, "known_time"), time_of(row, "known_time")
        if no := untimely(given if moment_of(given) else known, how.since):
            raise DataError(no)
        if how.refused:
            refused.add((model_name, prediction))
        return _checked(
            Label(
                prediction=prediction,
                model=model_name,
                value={c: row[c] for c in columns} if columns else row[value],
                event_time=time_of(row, "event_time"),
                known_time=known or now,
                final=_truth(row, "final", True),
                censored=_truth(row, "censored", False),
                by=text_of(row, "by") or by,
                why=text_of(row, "why"),
            )
        )

    def tried(records: list[Record]) -> list[Record | str]:
        return [r for piece in chunks(records) for r in _tried(journal, piece, loaded)] if columns else [*records]

    rows = rows_of(source, id, *(columns or (value,)))
    records, faults = matched(journal, rows, id, model, make, lines_of(source, len(rows)), tried)
    return replace(_write(journal, records, faults, now), refused=sum(_about(r) in refused for r in records))


def _tried(
    journal: Journal, records: Sequence[Record], model_of: Callable[[str], Predictor | None]
) -> list[Record | str]:
    """Labels told as columns, each whole, or what is wrong with it; as they are where the model is not at hand."""
    found: list[Record | str] = [*records]
    for name in sorted({_about(r)[0] for r in records}):
        if (model := model_of(name)) is None:
            continue
        of = [i for i, r in enumerate(records) if isinstance(r, Label) and r.model == name and not r.censored]
        asked = journal.predictions(name, [_about(records[i])[1] for i in of])
        given: list[int] = []
        values: list[dict[str, Any]] = []
        for i in of:
            label = records[i]
            assert isinstance(label, Label)
            try:
                values.append(whole(label.value, asked[label.prediction].facts, model))
                given.append(i)
            except DataError as error:
                found[i] = f"{error.came}; {error.expected}; {error.do}"
        for i, value, there in zip(given, values, known_outcomes(values, model), strict=True):
            label = records[i]
            assert isinstance(label, Label)
            found[i] = label.model_copy(update={"value": value}) if there else no_outcome(model)
    return found


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

    def make(row: dict[str, Any], prediction: str, name: str, _: Asked) -> Record:
        _plain(row[after], after)
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
                when=time_of(row, "when"),
            )
        )

    rows = rows_of(source, id, after)
    records, faults = matched(journal, rows, id, model, make, lines_of(source, len(rows)))
    return _write(journal, records, faults, "")


def _write(journal: Journal, records: list[Record], faults: list[Fault], undated: str) -> Taken:
    new = _new(journal, records, undated)
    for piece in chunks(new):
        journal.append_many(piece, WRITER)
    return Taken(
        len(new), len(records) - len(new), tuple(faults), sum(_moment(r) == undated for r in new) if undated else 0
    )


def _new(journal: Journal, records: Sequence[Record], undated: str) -> list[Record]:
    """Those that say something new, so that a file given twice is written once.

    A record is there already where it says what the last word on its prediction says, or where the same was said of the same moment. Records
    without a moment of their own (``undated`` stands in its place) are there where the last of them is.
    """
    last: dict[tuple[str, str], tuple[Any, ...]] = {}
    dated: set[tuple[Any, ...]] = set()
    for kind, model in sorted({(r.kind, _about(r)[0]) for r in records}):
        ids = sorted({_about(r)[1] for r in records if _about(r)[0] == model})
        for record, moment in _there(journal, kind, model, ids):
            last[_about(record)] = _said(record)
            dated.add((*_about(record), moment, _word(record)))
    at_last = {_about(r): _said(r) for r in records if _moment(r) == undated}
    settled = {about for about, said in at_last.items() if last.get(about) == said}
    new = []
    for record in records:
        about, moment = _about(record), _moment(record)
        there = (*about, moment_of(moment), _word(record)) in dated if moment != undated else about in settled
        if not there and last.get(about) != _said(record):
            last[about] = _said(record)
            new.append(record)
    return new


def _there(journal: Journal, kind: str, model: str, ids: Sequence[str]) -> Iterator[tuple[Record, str | None]]:
    """What is written of some predictions, each with its moment, in that order."""
    read = Label if kind == Label.kind else AnswerOverride
    for first in range(0, len(ids), 500):
        which = Filter(kinds=(kind,), model=model, refs=tuple(ids[first : first + 500]), order="moment")
        for row in journal.rows(which):
            yield unwrap(body_of(row), read), row.moment


def _moment(record: Record) -> str:
    assert isinstance(record, (Label, AnswerOverride))
    return record.known_time if isinstance(record, Label) else record.when


def _word(record: Record) -> str:
    """What it says, as a key: values may be lists."""
    return canonical(_said(record))


def _about(record: Record) -> tuple[str, str]:
    assert isinstance(record, (Label, AnswerOverride))
    return record.model, record.prediction


def _said(record: Record) -> tuple[Any, ...]:
    if isinstance(record, Label):
        return record.value, record.final, record.censored
    assert isinstance(record, AnswerOverride)
    return record.after, record.who


def _plain(value: Any, column: str) -> None:
    """DataError for what would be written as nothing."""
    if value is None:
        raise DataError(f"no {column}")
    if isinstance(value, float) and not math.isfinite(value):
        raise DataError(f"{column} is {value}, no finite number")


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
