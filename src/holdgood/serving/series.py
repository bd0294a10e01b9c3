"""``/forecast`` and ``/plan``: history in, quantiles or orders out, as ``holdgood forecast`` and ``holdgood plan orders`` give them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from holdgood.core.errors import DuplicateError
from holdgood.core.plain_columns import plain
from holdgood.core.records import Prediction
from holdgood.core.records.envelope import Record
from holdgood.journal.chain import draft
from holdgood.serving.arrow_body import read_stream
from holdgood.serving.body import frame_of, key_of, no_subject_column, object_of, rows_of
from holdgood.serving.desk import Desk
from holdgood.serving.entry import now
from holdgood.serving.exchange import ARROW, Call, Reply, as_json, refused
from holdgood.serving.fresh import fresh_id
from holdgood.serving.limits import Limits
from holdgood.serving.loaded import Served

if TYPE_CHECKING:
    from holdgood.workflow.forecasting.in_use import ForecastModel

_SAMPLES = (20, 5_000)


async def forecast(desk: Desk, call: Call) -> Reply:
    """History as rows (or as an Arrow stream), what is known ahead, and items with their attributes."""
    tables, body = _tables(desk, call, ("history", "future", "items"), ("horizon", "samples"))
    served = desk.models.get(call.model)
    model = _bounded(served, desk.limits)
    horizon, samples = _whole(body, "horizon", 1, 100_000), _whole(body, "samples", *_SAMPLES)

    def work() -> pa.Table:
        made = model.forecast(
            tables["history"], future=tables.get("future"), items=tables.get("items"), horizon=horizon, samples=samples
        )
        return made.answers.steps

    steps = await desk.work(work)
    rows = plain(steps).to_pylist()
    told = await _recorded(desk, served, call, "forecast", tables, {"steps": rows})
    if call.content_type == ARROW:
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, steps.schema) as writer:
            writer.write_table(steps)
        return Reply(200, sink.getvalue().to_pybytes(), ARROW, ((b"x-prediction-id", told["id"].encode()),))
    return as_json(told | {"forecast": rows})


async def plan(desk: Desk, call: Call) -> Reply:
    """What to order: history, the state of the stock, and the terms where they differ from the bundle's."""
    tables, body = _tables(
        desk, call, ("history", "state", "open_orders", "future", "items"), ("orders", "samples"), ("history", "state")
    )
    served = desk.models.get(call.model)
    model = _bounded(served, desk.limits)
    terms = body.get("orders")
    if terms is not None and type(terms) is not dict:
        raise refused(422, "orders: no object", "the terms, as words of [orders]", "see the reference of holdgood.toml")
    for name in ("table", "open_orders", "deliveries"):
        if terms and name in terms:
            raise refused(
                422, f"orders.{name}: a table of this server", "rows in the request", "send them beside the terms"
            )
    samples = _whole(body, "samples", *_SAMPLES)
    from holdgood.workflow.ordering.api import plan_orders  # heavy, and only for those who plan

    made = await desk.work(
        lambda: plan_orders(
            model, tables["history"], tables["state"], orders=terms, open_orders=tables.get("open_orders"), future=tables.get("future"),
            items=tables.get("items"), samples=samples,
        )
    )  # fmt: skip
    payload = made.plan.payload()
    told = await _recorded(desk, served, call, "plan", tables, {"lines": len(made.plan.lines)}, (made.plan,))
    return as_json(told | {"plan": payload})


def _bounded(served: Served, limits: Limits) -> ForecastModel:
    """The champion, for histories that fit into memory once they are laid out."""
    return replace(served.champion.series(), most_steps=limits.cells)


def _tables(
    desk: Desk, call: Call, tables: tuple[str, ...], others: tuple[str, ...], needed: tuple[str, ...] = ("history",)
) -> tuple[dict[str, pa.Table], dict[str, Any]]:
    arrow = needed == ("history",)
    if call.content_type == ARROW and arrow:
        no_subject_column(call)
        return {"history": read_stream(call.body, desk.limits)}, {}
    body = object_of(call, desk.limits, (*tables, *others), needed, arrow=arrow)
    found = {name: frame_of(rows_of(body[name], name, desk.limits)) for name in tables if name in body}
    call.told["rows"] = sum(t.num_rows for t in found.values())
    return found, body


def _whole(body: Mapping[str, Any], name: str, least: int, most: int) -> int | None:
    value = body.get(name)
    if value is not None and (type(value) is not int or not least <= value <= most):
        raise refused(
            422,
            f"{name}: no such number",
            f"a whole number from {least:,} to {most:,}",
            "leave it out for what was declared",
        )
    return value


async def _recorded(
    desk: Desk,
    served: Served,
    call: Call,
    what: str,
    tables: Mapping[str, pa.Table],
    answer: dict[str, Any],
    more: tuple[Record, ...] = (),
) -> dict[str, Any]:
    """One entry a request. Of the rows that came in only their number and hash are kept; not even these where facts are not kept."""
    key, when = key_of(call), now()
    id_ = fresh_id() if key is None else key
    call.told["model"] = served.name
    facts = {name: {"rows": t.num_rows, "sha256": _digest(t)} for name, t in tables.items()}
    record = Prediction(
        id=id_,
        model=served.name,
        bundle_digest=served.champion.digest,
        event_time=when,
        known_time=when,
        facts={"asked": what, **facts} if desk.keep_facts else None,
        answer=answer,
    )
    try:
        await desk.recorder.write([draft(record), *map(draft, more)])
    except DuplicateError:
        before = (await desk.recorder.predictions(served.name, (id_,))).get(id_)
        if before is None or before.facts != record.facts or before.answer != record.payload()["answer"]:
            raise refused(
                409, "an id that was answered before, about other facts", "a new id for new facts", "choose another key"
            ) from None
    desk.metrics.answered(served.name, "champion", "ok")
    return {"model": served.name, "id": id_, "bundle": served.champion.digest}


def _digest(table: pa.Table) -> str:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table.combine_chunks())
    return hashlib.sha256(sink.getvalue()).hexdigest()
