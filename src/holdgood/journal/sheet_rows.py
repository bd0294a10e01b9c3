"""The predictions in a sheet, each as the entry that it would be by itself."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from holdgood.core.errors import DataError
from holdgood.core.plain_columns import finite, plain
from holdgood.core.records import Prediction, PredictionSheet
from holdgood.core.records.envelope import unwrap
from holdgood.journal.chain import Row, SheetRow, body_of
from holdgood.journal.filters import Filter
from holdgood.journal.sheet import Sheet, read_sheet

_ROW = re.compile("0|[1-9][0-9]{0,9}")
"""No sheet has more rows than ten digits count."""


def base_of(ref: str) -> tuple[str, int] | None:
    """The sheet that an id may be of, and the row in it.

    >>> base_of("a/b/12"), base_of("a/012"), base_of("12")
    (('a/b', 12), None, None)
    """
    base, _, tail = ref.rpartition("/")
    return (base, int(tail)) if base and _ROW.fullmatch(tail) else None


def row_of(row: Row) -> int | None:
    """Which row of its sheet a prediction is; None for an entry of its own."""
    found = base_of(row.ref or "") if isinstance(row, SheetRow) else None
    return None if found is None else found[1]


def head_of(row: Row) -> PredictionSheet:
    """What the rows of a sheet share; DataError where the entry is none."""
    where = f"entry {row.number} of {row.writer!r}"
    body = body_of(row)
    if body is None:
        raise DataError(f"{where} was forgotten", "a record", "see its tombstone")
    return unwrap(body, PredictionSheet, where=where)


def opened(row: Row, data: bytes | None) -> tuple[PredictionSheet, Sheet]:
    """An entry's head and rows; DataError where they do not belong together."""
    head, where = head_of(row), f"entry {row.number} of {row.writer!r}"
    sheet = None if data is None else read_sheet(data, where)
    if sheet is None or not sheet.fits(head) or not _whole(head):
        raise DataError(
            f"the sheet of {where} is gone, or another", "the one it was written with", "holdgood journal verify"
        )
    return head, sheet


def _whole(head: PredictionSheet) -> bool:
    """Whether it has each part that a prediction has once."""
    parts = [said.part for said in head.columns]
    kinds = {said.part: said.type for said in head.columns}
    texts = all(parts.count(p) == 1 and kinds[p] in ("string", "large_string") for p in ("subject", "verdict", "why"))
    return texts and parts.count("event_time") == 1 and kinds["event_time"] == "int64"


def chosen(head: PredictionSheet, sheet: Sheet, which: Filter) -> np.ndarray:
    """The rows that are there and that a filter finds, by event time and then by place in the sheet."""
    if which.place not in (None, head.place) or which.model not in (None, head.model):
        return np.zeros(0, np.int64)
    wanted = sheet.there
    if which.refs:
        named = [of[1] for ref in which.refs if (of := base_of(ref)) and of[0] == head.id]
        wanted = wanted & np.isin(np.arange(sheet.rows), named)
    if which.subject is not None:
        subjects = np.asarray(_of(head, sheet, "subject")[0].to_numpy(zero_copy_only=False), object)
        wanted = wanted & (subjects == which.subject)
    moments = _moments(head, sheet)
    if which.since is not None:
        wanted = wanted & (moments >= np.datetime64(which.since[:26], "us"))
    if which.until is not None:
        wanted = wanted & (moments < np.datetime64(which.until[:26], "us"))
    found = np.flatnonzero(wanted)
    in_time: np.ndarray = found[np.argsort(moments[found], kind="stable")]
    return in_time


def rows_of(row: Row, head: PredictionSheet, sheet: Sheet, at: np.ndarray) -> list[SheetRow]:
    """Rows at some positions."""
    if not len(at):
        return []
    take = pa.array(at)
    facts: Sequence[dict[str, Any] | None] = [None] * len(at)
    if head.facts_kept:
        facts = _dicts(head, sheet, "facts", take)
    commitments = _dicts(head, sheet, "commitment", take)
    answers = [_answer(told, head.classes) for told in _dicts(head, sheet, "answer", take)]
    verdicts, whys, subjects = (_of(head, sheet, p)[0].take(take).to_pylist() for p in ("verdict", "why", "subject"))
    envelope = body_of(row) or {}
    moments = [f"{m}+00:00" for m in np.datetime_as_string(_moments(head, sheet)[at], unit="us").tolist()]
    found = []
    for k, i in enumerate(at.tolist()):
        payload = {
            "id": f"{head.id}/{i}", "model": head.model, "bundle_digest": head.bundle_digest, "place": head.place, "event_time": moments[k],
            "known_time": head.known_time, "subject": subjects[k] or "", "facts": facts[k], "answer": answers[k], "verdict": verdicts[k],
            "why": whys[k] or "",
        }  # fmt: skip
        if commitments[k]:
            payload["commitment"] = commitments[k]
        said = {
            "kind": Prediction.kind, "schema": Prediction.schema_number, "created_utc": envelope["created_utc"],
            "producer": envelope["producer"], "payload": payload,
        }  # fmt: skip
        found.append(SheetRow.of(row, said))
    return found


def _of(head: PredictionSheet, sheet: Sheet, part: str) -> list[pa.Array]:
    return [array for said, array in zip(head.columns, sheet.columns, strict=True) if said.part == part]


def _moments(head: PredictionSheet, sheet: Sheet) -> np.ndarray:
    """Event times, datetime64[us]; those of forgotten rows mean nothing."""
    return np.asarray(_of(head, sheet, "event_time")[0].fill_null(0).to_numpy(zero_copy_only=False)).astype(
        "datetime64[us]"
    )


def _dicts(head: PredictionSheet, sheet: Sheet, part: str, at: pa.Array) -> list[dict[str, Any]]:
    names = [said.name for said in head.columns if said.part == part]
    if not names:
        return [{} for _ in range(len(at))]
    table = pa.Table.from_arrays([array.take(at) for array in _of(head, sheet, part)], names)
    dicts: list[dict[str, Any]] = finite(plain(table)).to_pylist()
    return dicts


def _answer(told: dict[str, Any], classes: Sequence[str]) -> dict[str, Any]:
    """What a row was told, nothing where the contract refused it; the chances of several classes by name."""
    if all(value is None for value in told.values()):
        return {}
    if not classes:
        return told
    cells = list(told.items())
    chances = dict(zip(classes, (value for _, value in cells[: len(classes)]), strict=True))
    return {"probabilities": chances, **dict(cells[len(classes) :])}
