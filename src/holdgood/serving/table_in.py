"""``/predict`` with an Arrow stream: many rows at once, without an object a cell."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from holdgood.core.errors import DuplicateError
from holdgood.journal.chain import Draft
from holdgood.serving.arrow_body import read_stream
from holdgood.serving.body import key_of
from holdgood.serving.desk import Desk
from holdgood.serving.entry import Answered, fresh_id, now
from holdgood.serving.exchange import ARROW, Call, Reply, refused
from holdgood.serving.loaded import Loaded, Served

ID = "prediction_id"
_WORDS = ("ok", "warn", "refused")


async def predict_table(desk: Desk, call: Call) -> Reply:
    """A stream of rows in, a stream of answers out: the columns of ``holdgood predict``, and the id of each in the journal.

    All rows are answered by the champion: a canary's share is of single requests.
    """
    served = desk.models.get(call.model)
    loaded, key = served.champion, key_of(call)
    base = key if key is not None else fresh_id()

    def work() -> tuple[bytes, list[Answered], list[Draft], list[int]]:
        table = read_stream(call.body, desk.limits)
        call.told.update(model=served.name, rows=table.num_rows)
        body, entries, counts = _scored(served, loaded, table, base, keep=desk.keep_facts)
        return body, entries, [entry.draft() for entry in entries], counts

    body, entries, drafts, counts = await desk.work(work)
    try:
        await desk.recorder.write(drafts)
    except DuplicateError:
        if key is None:
            raise
        raise refused(
            409,
            "an Idempotency-Key that was used before",
            "a new key for new rows",
            "read what was answered from the journal, by its ids",
        ) from None
    for word, count in zip(_WORDS, counts, strict=True):
        desk.metrics.answered(served.name, "champion", word, count)
    if served.shadow is not None:
        desk.shadows.add(served.shadow, entries, [p.facts or {} for p in entries], {})
    return Reply(200, body, ARROW)


def _scored(
    served: Served, loaded: Loaded, table: pa.Table, base: str, *, keep: bool
) -> tuple[bytes, list[Answered], list[int]]:
    model = loaded.rows().model
    read = model.as_read(table)
    spec = model.declaration.tables[model.declaration.main]
    keys = len([k for k in (spec.key or spec.ids) if k in read.names]) or 1
    said, main = model.judge(read), model.repaired(read)
    output = model.output(main, model.predict(main, loaded.rows().others), "arrow", said)
    n, known_time = table.num_rows, now()
    ids = [f"{base}/{i}" for i in range(n)]
    facts = plain(table).to_pylist()
    *told, verdict, why_ = output.column_names[keys:]  # by place: columns of the caller may be called as answers are
    records = [
        Answered(
            ids[i], served.name, loaded.digest, "champion", loaded.moment(row) or known_time, known_time, loaded.subject(row),
            row if keep else None, answer, word, why,
        )
        for i, (row, answer, word, why) in enumerate(
            zip(facts, _answers(output.select(told)), output.column(verdict).to_pylist(), output.column(why_).to_pylist(), strict=True)
        )
    ]  # fmt: skip
    output = output.append_column(_free(ID, output.column_names), pa.array(ids))
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, output.schema) as writer:
        writer.write_table(output)
    return sink.getvalue().to_pybytes(), records, [said.count(w) for w in _WORDS]


def _answers(output: pa.Table) -> list[dict[str, Any]]:
    """Answers as single rows get them: nothing where the contract refuses."""
    labels = {n: n.removeprefix("probability_") for n in output.column_names if n.startswith("probability_")}
    found: list[dict[str, Any]] = []
    for row in output.to_pylist():
        if all(v is None for v in row.values()):
            found.append({})
        elif labels:
            found.append({"probabilities": {label: row[n] for n, label in labels.items()}, "answer": row["answer"]})
        else:
            found.append(row)
    return found


def plain(table: pa.Table) -> pa.Table:
    """The same with dates and times as ISO texts, as JSON rows have them."""
    for at, field in enumerate(table.schema):
        if pa.types.is_timestamp(field.type) or pa.types.is_date(field.type):
            moments = table.column(at).cast(
                pa.timestamp("us", field.type.tz) if pa.types.is_timestamp(field.type) else pa.timestamp("us")
            )
            if moments.type.tz is not None:
                moments = moments.cast(pa.timestamp("us", "UTC"))
            text = pc.strftime(moments, "%Y-%m-%dT%H:%M:%S" + ("Z" if moments.type.tz else ""))
            table = table.set_column(at, field.name, text)
        elif pa.types.is_decimal(field.type):
            table = table.set_column(at, field.name, table.column(at).cast(pa.float64()))
    return table


def _free(name: str, taken: list[str]) -> str:
    while name in taken:
        name += "_"
    return name
