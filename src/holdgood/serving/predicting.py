"""``/predict``: rows in, each held to the contract, scored, written into the journal, and only then answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from holdgood.core.errors import DuplicateError
from holdgood.core.records import Prediction
from holdgood.core.records.commitment import committed
from holdgood.core.records.journal import Place
from holdgood.core.table import Table
from holdgood.serving.body import Asked, asked
from holdgood.serving.desk import Desk
from holdgood.serving.entry import Answered, now
from holdgood.serving.exchange import ARROW, Call, Reply, as_json, refused
from holdgood.serving.fresh import fresh_id
from holdgood.serving.loaded import Loaded, Served
from holdgood.serving.table_in import predict_table
from holdgood.workflow.live.proving import as_streamed
from holdgood.workflow.single.scorer import RowAnswer

_QUICK_ROWS = 8
"""So many rows are answered on the event loop; more go to a worker, so that others are not kept waiting."""


async def predict(desk: Desk, call: Call) -> Reply:
    """One row, many rows, or an Arrow stream."""
    if call.content_type == ARROW:
        return await predict_table(desk, call)
    wanted = asked(call, desk.limits)
    served = desk.models.get(call.model)
    call.told |= {"model": served.name, "rows": len(wanted.rows)}
    if wanted.many:
        answers = await _answered(desk, served, wanted)
        return as_json({"model": served.name, "answers": answers})
    told = await _answered_alone(desk, served, wanted)
    if told["verdict"] == "refused":
        return as_json({"model": served.name, **told, **_refusal(served, told)}, 422)
    return as_json({"model": served.name, **told})


def _refusal(served: Served, told: Mapping[str, Any]) -> dict[str, str]:
    """Of a row that the contract refuses, the three parts that every refusal has."""
    wanted = [
        ": ".join(filter(None, (e["column"], e["expected"]))) for e in told.get("errors", ()) if e["breach"] == "refuse"
    ]
    return {
        "error": f"outside of the contract: {told['why']}",
        "expected": "; ".join(wanted) or f"a row as /models/{served.name}/schema says",
        "do": f"correct the row and send it under a new id; what a row needs is at /models/{served.name}/schema",
    }


async def _answered_alone(desk: Desk, served: Served, wanted: Asked) -> dict[str, Any]:
    """One row by the shortest way where its bundle is quick; else as one of many."""
    loaded, row = served.champion, wanted.rows[0]
    if served.canary is not None or wanted.related or not loaded.quick:
        return (await _answered(desk, served, wanted))[0]
    answer, known_time = loaded.rows().row(row), now()
    entry = Answered(
        wanted.ids[0] if wanted.ids else fresh_id(), served.name, loaded.digest, "champion",
        wanted.event_time or loaded.moment(row, answer.cells) or known_time, known_time,
        wanted.subjects[0] if wanted.subjects else loaded.subject(row), row if desk.keep_facts else None, answer.answer, answer.verdict, answer.why,
        committed(row) if desk.commits else None,
    )  # fmt: skip
    try:
        await desk.recorder.write([entry.draft()])
    except DuplicateError:
        if not wanted.ids:
            raise
        return (await _with_known(desk, served, wanted, await _before(desk, served, wanted)))[0]
    _count(desk, served, entry, answer)
    if served.shadow is not None:
        desk.shadows.add(served.shadow, [entry], wanted.rows, {})
    return _told(entry, loaded, answer, row)


async def _answered(desk: Desk, served: Served, wanted: Asked) -> list[dict[str, Any]]:
    """One answer a row, each in the journal."""
    n = len(wanted.rows)
    ids = list(wanted.ids) or [fresh_id() for _ in range(n)]
    loaded = [served.champion] * n
    places: list[Place] = ["champion"] * n
    subjects = list(wanted.subjects) or [served.champion.subject(row) for row in wanted.rows]
    if served.canary is not None:
        for i in range(n):
            loaded[i], places[i] = served.choose(subjects[i] or ids[i])
    answers = await _scored(desk, loaded, wanted)
    commitments = await _committed(desk, wanted.rows)
    known_time = now()
    entries = [
        Answered(
            ids[i], served.name, loaded[i].digest, places[i], wanted.event_time or loaded[i].moment(row, answers[i].cells) or known_time,
            known_time, subjects[i], row if desk.keep_facts else None, answers[i].answer, answers[i].verdict, answers[i].why,
            commitments[i],
        )
        for i, row in enumerate(wanted.rows)
    ]  # fmt: skip
    try:
        await desk.recorder.write([entry.draft() for entry in entries])
    except DuplicateError:
        if not wanted.ids:
            raise
        return await _with_known(desk, served, wanted, await _before(desk, served, wanted))
    for entry, answer in zip(entries, answers, strict=True):
        _count(desk, served, entry, answer)
    if served.shadow is not None:
        desk.shadows.add(served.shadow, entries, wanted.rows, wanted.related)
    return [_told(entry, loaded[i], answers[i], wanted.rows[i]) for i, entry in enumerate(entries)]


def _count(desk: Desk, served: Served, entry: Answered, answer: RowAnswer) -> None:
    desk.metrics.answered(served.name, entry.place, answer.verdict)
    for broken in answer.broken:
        desk.metrics.breach(served.name, broken.column, broken.kind)


def _told(entry: Answered, loaded: Loaded, answer: RowAnswer, row: Mapping[str, Any]) -> dict[str, Any]:
    told = {"id": entry.id, "bundle": entry.bundle_digest, "verdict": entry.verdict, **entry.answer}
    if answer.broken:
        told |= {"why": entry.why, "errors": loaded.rows().details(answer, row)}
    return told


async def _scored(desk: Desk, loaded: Sequence[Loaded], wanted: Asked) -> list[RowAnswer]:
    """Each row by its bundle: a few on the loop, many or slow ones in a worker thread."""
    distinct = {id(x): x for x in loaded}
    scorers = {key: x.rows() for key, x in distinct.items()}
    if len(wanted.rows) <= _QUICK_ROWS and not wanted.related and all(x.quick for x in distinct.values()):
        return [scorers[id(x)].row(row) for x, row in zip(loaded, wanted.rows, strict=True)]

    def work() -> list[RowAnswer]:
        found: list[RowAnswer | None] = [None] * len(loaded)
        for key, scorer in scorers.items():
            mine = [i for i, x in enumerate(loaded) if id(x) == key]
            related = related_tables(distinct[key], wanted)
            for i, answer in zip(mine, scorer.rows([wanted.rows[i] for i in mine], related), strict=True):
                found[i] = answer
        return [a for a in found if a is not None]

    return await desk.work(work)


async def _committed(desk: Desk, rows: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, str] | None]:
    """To the facts of each row, where these are not kept; of many rows in a worker thread."""
    if not desk.commits:
        return [None] * len(rows)
    if len(rows) <= _QUICK_ROWS:
        return [committed(row) for row in rows]
    return await desk.work(lambda: [committed(row) for row in rows])


def related_tables(loaded: Loaded, wanted: Asked) -> dict[str, Table]:
    """Rows that came with the request, read as the model's tables."""
    model = loaded.rows().model
    joined = [j.table for j in model.plan.joins]
    for name in wanted.related:
        if name not in joined:
            raise refused(
                422,
                "related rows of a table that the model does not join",
                "one of: " + (", ".join(joined) or "none"),
                "leave them out",
            )
    return {name: model.table_of(frame, name) for name, frame in wanted.related.items()}


async def _before(desk: Desk, served: Served, wanted: Asked) -> dict[int, Prediction]:
    """By row what was answered under its id before; a refusal (409) where that was about other facts."""
    found: dict[int, Prediction] = {}
    there = await desk.recorder.predictions(served.name, wanted.ids)
    for i, id_ in enumerate(wanted.ids):
        before = there.get(id_)
        if before is None or before.place == "shadow":
            continue
        if _about_others(before, wanted.rows[i]):
            raise refused(
                409,
                "an id that was answered before, about other facts",
                "a new id for new facts",
                "choose another id",
                at=i if wanted.many else 0,
            )
        found[i] = before
    return found


def _about_others(before: Prediction, row: Mapping[str, Any]) -> bool:
    """Whether an answer was about other facts than these; False where the journal has nothing to tell it by."""
    if before.facts is not None:
        return before.facts not in (row, as_streamed(row))
    return before.commitment is not None and not any(map(before.commitment.holds, (row, as_streamed(row))))


async def _with_known(desk: Desk, served: Served, wanted: Asked, known: dict[int, Prediction]) -> list[dict[str, Any]]:
    """What was answered before as it was; the others now."""
    rest = [i for i in range(len(wanted.rows)) if i not in known]
    told = {
        i: {
            "id": p.id,
            "bundle": p.bundle_digest,
            "verdict": p.verdict,
            **p.answer,
            **({"why": p.why} if p.why else {}),
            "repeated": True,
        }
        for i, p in known.items()
    }
    if rest:
        others = Asked(
            [wanted.rows[i] for i in rest], wanted.many, [wanted.ids[i] for i in rest],
            [wanted.subjects[i] for i in rest] if wanted.subjects else (), wanted.event_time, wanted.related,
        )  # fmt: skip
        told |= dict(zip(rest, await _answered(desk, served, others), strict=True))
    return [told[i] for i in range(len(wanted.rows))]
