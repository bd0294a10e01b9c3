"""``/predict`` with an Arrow stream: many rows at once, without an object a cell, and one entry in the journal for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from holdgood.core.errors import DuplicateError
from holdgood.core.plain_columns import finite, plain
from holdgood.core.records import PredictionSheet, SheetColumn
from holdgood.core.records.commitment import committed
from holdgood.core.task import Task
from holdgood.journal.chain import Draft, draft
from holdgood.journal.sheet import made
from holdgood.serving.arrow_body import read_stream
from holdgood.serving.body import key_of, subject_column_of
from holdgood.serving.desk import Desk
from holdgood.serving.entry import Answered, moment, now
from holdgood.serving.exchange import ARROW, Call, Reply, refused
from holdgood.serving.fresh import fresh_id
from holdgood.serving.loaded import Loaded, Served
from holdgood.workflow.single.rules import WORDS

ID = "prediction_id"
_UTC = pa.timestamp("us", "UTC")


async def predict_table(desk: Desk, call: Call) -> Reply:
    """A stream of rows in, a stream of answers out: the columns of ``holdgood predict``, and the id of each in the journal.

    All rows are answered by the champion: a canary's share is of single requests. Whose a row is says the column that ``Subject-Column`` names,
    else its key.
    """
    served = desk.models.get(call.model)
    loaded, key = served.champion, key_of(call)
    base = key if key is not None else fresh_id()

    def work() -> _Scored:
        table = read_stream(call.body, desk.limits)
        call.told.update(model=served.name, rows=table.num_rows)
        whose = subject_column_of(call, table.column_names)
        return _scored(served, loaded, table, base, whose, keep=desk.keep_facts, commits=desk.commits)

    done = await desk.work(work)
    try:
        await desk.recorder.write([done.draft])
    except DuplicateError:
        if key is None:
            raise
        raise refused(
            409,
            "an Idempotency-Key that was used before",
            "a new key for new rows",
            "read what was answered from the journal, by its ids",
        ) from None
    for word, count in zip(WORDS, done.counts, strict=True):
        desk.metrics.answered(served.name, "champion", word, count)
    if served.shadow is not None:
        desk.shadows.add(served.shadow, done.answered, done.rows, {})
    return Reply(200, done.body, ARROW)


class _Scored(NamedTuple):
    """``answered`` and ``rows``: for a shadow, where there is one."""

    body: bytes
    draft: Draft
    counts: list[int]
    answered: list[Answered]
    rows: list[dict[str, Any]]


def _scored(
    served: Served, loaded: Loaded, table: pa.Table, base: str, whose: str, *, keep: bool, commits: bool = False
) -> _Scored:
    model = loaded.rows().model
    read = model.as_read(table, texts_stay=True)
    spec = model.declaration.tables[model.declaration.main]
    keys = len([k for k in (spec.key or spec.ids) if k in read.names]) or 1
    said, main = model.judge(read), model.repaired(read)
    prediction, frame = model.scored(main, loaded.rows().others)
    output = model.output(main, prediction, "arrow", said, frame=frame)
    known_time = now()
    moments = pc.fill_null(loaded.moments(table), _moment_of(known_time))
    subjects = loaded.subjects(table, whose)
    named, names = output.column_names[:keys], output.column_names[keys:]
    told = output.select(names).rename_columns([own_name(name, named) for name in names])
    commitments: list[dict[str, str]] | None = None
    if commits and not keep:
        commitments = [committed(row) for row in finite(plain(table)).to_pylist()]
    entry = sheet_draft(
        served.name, loaded.digest, base, known_time, moments, subjects, table if keep else None, told, model.task, commitments
    )  # fmt: skip
    ids = pc.binary_join_element_wise(base, pa.array(np.arange(table.num_rows)).cast(pa.string()), "/")
    rows: list[dict[str, Any]] = plain(table).to_pylist() if served.shadow is not None else []
    answered: list[Answered] = []
    if rows:
        kept: Sequence[dict[str, str] | None] = commitments or [None] * len(rows)
        at = zip(ids.to_pylist(), moments.cast(pa.int64()).to_pylist(), subjects.to_pylist(), rows, kept, strict=True)
        answered = [
            Answered(
                id_,
                served.name,
                loaded.digest,
                "champion",
                moment(when),
                known_time,
                who,
                row if keep else None,
                {},
                "",
                "",
                commitment,
            )
            for id_, when, who, row, commitment in at
        ]
    output = output.append_column(_free(ID, output.column_names), ids)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, output.schema) as writer:
        writer.write_table(output)
    return _Scored(sink.getvalue().to_pybytes(), entry, [said.count(w) for w in WORDS], answered, rows)


def sheet_draft(
    model: str, digest: str, base: str, known_time: str, moments: pa.ChunkedArray, subjects: pa.ChunkedArray, facts: pa.Table | None,
    told: pa.Table, task: Task, commitments: Sequence[dict[str, str]] | None = None,
) -> Draft:  # fmt: skip
    """One entry for many answers. ``told``: columns of the answer, then the verdict and why. ``facts``: None where they are not kept; there may
    be ``commitments`` to them then (``records.commitment``).

    Facts are written as the caller sent them, answers as single rows get them.
    """
    *answer, verdict, why = told.column_names
    parts: list[tuple[SheetColumn, pa.ChunkedArray]] = [
        (_part("event_time"), moments.cast(pa.int64())),
        (_part("subject"), subjects),
        (_part("verdict"), told.column(verdict)),
        (_part("why"), told.column(why)),
        *((_part("answer", name), told.column(name)) for name in answer),
    ]
    if facts is not None:
        parts += [(_part("facts", name), facts.column(name)) for name in facts.column_names]
    if commitments is not None:
        names = sorted(commitments[0])
        parts += [(_part("commitment", name), pa.chunked_array([[c[name] for c in commitments]])) for name in names]
    columns, sheet = made(parts)
    span = pc.min_max(moments).as_py()
    classes: Sequence[str] = [str(c) for c in task.classes] if task.kind == "multiclass" else []
    record = PredictionSheet(
        id=base, model=model, bundle_digest=digest, known_time=known_time, first=_said(span["min"]), last=_said(span["max"]),
        rows=sheet.rows, facts_kept=facts is not None, classes=tuple(classes), columns=columns, root=sheet.root,
    )  # fmt: skip
    return draft(record)._replace(sheet=sheet.to_bytes(), rows=sheet.rows)


def _part(part: Any, name: str = "") -> SheetColumn:
    return SheetColumn(part=part, name=name, type="")


def _moment_of(said: str) -> pa.Scalar:
    return pa.scalar(int(np.datetime64(said[:26], "us").astype(np.int64)), pa.int64()).cast(_UTC)


def _said(when: Any) -> str:
    """A moment in the journal's notation."""
    return str(when.isoformat(timespec="microseconds"))


def own_name(name: str, named: Sequence[str]) -> str:
    """A column of the answer as single rows have it, without the strokes that set it apart from a key of the same name."""
    while name.endswith("_") and name[:-1] in named:
        name = name[:-1]
    return name


def _free(name: str, taken: list[str]) -> str:
    while name in taken:
        name += "_"
    return name
