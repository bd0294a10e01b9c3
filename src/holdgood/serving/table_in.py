"""``/predict`` with an Arrow stream: many rows at once, without an object a cell."""

from __future__ import annotations

from typing import Any, NamedTuple

import pyarrow as pa

from holdgood.core.errors import DuplicateError
from holdgood.journal.chain import Draft
from holdgood.serving.arrow_body import read_stream
from holdgood.serving.body import key_of
from holdgood.serving.desk import Desk
from holdgood.serving.entry import Answered, now
from holdgood.serving.exchange import ARROW, Call, Reply, refused
from holdgood.serving.fresh import fresh_id
from holdgood.serving.json_columns import plain
from holdgood.serving.loaded import Loaded, Served
from holdgood.serving.many_entries import answers_of, drafts_of, facts_of
from holdgood.workflow.single.rules import WORDS

ID = "prediction_id"


async def predict_table(desk: Desk, call: Call) -> Reply:
    """A stream of rows in, a stream of answers out: the columns of ``holdgood predict``, and the id of each in the journal.

    All rows are answered by the champion: a canary's share is of single requests.
    """
    served = desk.models.get(call.model)
    loaded, key = served.champion, key_of(call)
    base = key if key is not None else fresh_id()

    def work() -> _Scored:
        table = read_stream(call.body, desk.limits)
        call.told.update(model=served.name, rows=table.num_rows)
        return _scored(served, loaded, table, base, keep=desk.keep_facts)

    done = await desk.work(work)
    try:
        await desk.recorder.write(done.drafts)
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
    drafts: list[Draft]
    counts: list[int]
    answered: list[Answered]
    rows: list[dict[str, Any]]


def _scored(served: Served, loaded: Loaded, table: pa.Table, base: str, *, keep: bool) -> _Scored:
    model = loaded.rows().model
    read = model.as_read(table)
    spec = model.declaration.tables[model.declaration.main]
    keys = len([k for k in (spec.key or spec.ids) if k in read.names]) or 1
    said, main = model.judge(read), model.repaired(read)
    prediction, frame = model.scored(main, loaded.rows().others)
    output = model.output(main, prediction, "arrow", said, frame=frame)
    n, known_time = table.num_rows, now()
    moments, subjects = [m or known_time for m in loaded.moments(table)], loaded.subjects(table)
    *told, verdict, why = output.column_names[keys:]  # by place: columns of the caller may be called as answers are
    drafts = drafts_of(
        base, served.name, loaded.digest, known_time, moments, subjects, facts_of(table) if keep else ["null"] * n,
        answers_of(output.select(told), model.task), output.column(verdict).to_pylist(), output.column(why).to_pylist(),
    )  # fmt: skip
    rows: list[dict[str, Any]] = plain(table).to_pylist() if served.shadow is not None else []
    answered = [
        Answered(
            d.keys.ref or "", served.name, loaded.digest, "champion", moments[i], known_time, subjects[i], row if keep else None, {}, "", "",
        )
        for i, (d, row) in enumerate(zip(drafts, rows, strict=False))  # there are none where no shadow asks
    ]  # fmt: skip
    output = output.append_column(_free(ID, output.column_names), pa.array([d.keys.ref for d in drafts]))
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, output.schema) as writer:
        writer.write_table(output)
    return _Scored(sink.getvalue().to_pybytes(), drafts, [said.count(w) for w in WORDS], answered, rows)


def _free(name: str, taken: list[str]) -> str:
    while name in taken:
        name += "_"
    return name
