"""``/feedback``: what came out, and what people decided otherwise; late, in part, or corrected, by the id of the prediction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from holdgood.core.errors import DataError
from holdgood.core.records import AnswerOverride, Label, Prediction
from holdgood.journal.chain import draft
from holdgood.journal.keys import moment_of
from holdgood.journal.timely import made, untimely
from holdgood.serving.body import a_kind_of, object_of, rows_of
from holdgood.serving.desk import Desk
from holdgood.serving.entry import now
from holdgood.serving.exchange import Call, Reply, as_json, refused
from holdgood.serving.loaded import Served
from holdgood.workflow.live.outcome_columns import known_outcomes, no_outcome, whole
from holdgood.workflow.live.told import no_bound, stray

_SHOWN = 40
_KINDS = ("labels", "overrides")
_EXAMPLE = '{"labels": [{"prediction": ID, "value": …}]}, or {"overrides": [{"prediction": ID, "after": …}]}'
_LABEL = ("prediction", "value", "event_time", "known_time", "final", "censored", "by", "why")
_OVERRIDE = ("prediction", "after", "reason", "who", "when")
_TEXT = 500
_COLUMNS = 50


async def feedback(desk: Desk, call: Call) -> Reply:
    """Labels and overrides; each is taken or refused by itself, with a word."""
    body = object_of(call, desk.limits, _KINDS, example=_EXAMPLE)
    if all(body.get(kind) == [] for kind in body):
        came = " and ".join(f"{kind}: an empty list" for kind in body) or 'neither "labels" nor "overrides"'
        raise refused(422, came, "at least one of them, with one item or more", f"send {_EXAMPLE}")
    served = desk.models.get(call.model)
    items = [
        (kind, item) for kind in _KINDS if body.get(kind, []) != [] for item in rows_of(body[kind], kind, desk.limits)
    ]
    told: list[dict[str, Any]] = []
    records: list[Label | AnswerOverride] = []
    by = call.token.name if call.token else ""
    faults = [_fault(item, _LABEL if kind == "labels" else _OVERRIDE) for kind, item in items]
    sound = [item["prediction"] for (_, item), fault in zip(items, faults, strict=True) if fault is None]
    before = await desk.recorder.predictions(served.name, list(dict.fromkeys(sound)))
    labelled = [i for i, (kind, _) in enumerate(items) if kind == "labels" and faults[i] is None]
    await _columns(desk, served, items, faults, labelled, before)
    for (kind, item), fault in zip(items, faults, strict=True):
        said: dict[str, Any] = {"kind": kind[:-1]}
        name = item.get("prediction")
        if type(name) is str and len(name) <= 200:
            said["prediction"] = name
        if fault is None:
            answered = before.get(str(name))
            if answered is None:
                fault = f"no prediction of {served.name} has this id"
            elif kind == "labels" and (no := untimely(item.get("known_time", ""), made(answered))):
                fault = no
            elif kind == "labels":
                records.append(_label(item, served.name, by))
            else:
                records.append(
                    AnswerOverride(
                        prediction=str(name), model=served.name, before=answered.answer.get("answer"), after=item["after"],
                        who=str(item.get("who") or by or "unknown"),
                        reason=str(item.get("reason", "")), when=item.get("when") or now(),
                    )
                )  # fmt: skip
        told.append(
            said
            | ({"taken": True} | _note(kind, before[str(name)]) if fault is None else {"taken": False, "why": fault})
        )
    call.told |= {"model": served.name, "items": len(items), "taken": len(records)}
    if records:
        await desk.recorder.write([draft(r) for r in records])
    return as_json(
        {"model": served.name, "taken": len(records), "items": told},
        200 if len(records) == len(items) else 207 if records else 422,
    )


async def _columns(
    desk: Desk,
    served: Served,
    items: Sequence[tuple[str, dict[str, Any]]],
    faults: list[str | None],
    labels: list[int],
    before: Mapping[str, Prediction],
) -> None:
    """Outcomes must be the model's own; columns of the target are made whole from the asked row and tried. ``faults`` says what cannot be."""
    scorer = served.champion.scorer
    told: list[int] = []
    for i in labels:
        item = items[i][1]
        if scorer is not None and item.get("censored") and (no := no_bound(scorer.model.task)):
            faults[i] = no
            continue
        if type(item["value"]) is not dict:
            # an amount that is only known in part (censored) is never learned from, and may be said in any words
            if scorer is not None and not item.get("censored") and (no := stray(item["value"], scorer.model.task)):
                faults[i] = f"value: {no}"
            continue
        if (answered := before.get(item["prediction"])) is None:
            continue
        if scorer is None:
            faults[i] = "value: an object where a plain value was expected"
            continue
        try:
            item["value"] = whole(item["value"], answered.facts, scorer.model)
            told.append(i)
        except DataError as error:
            faults[i] = f"value: {error.came}; {error.expected}; {error.do}"
    if scorer is None or not told:
        return
    values, model = [items[i][1]["value"] for i in told], scorer.model
    known = await desk.work(lambda: known_outcomes(values, model))
    for i, there in zip(told, known, strict=True):
        if not there:
            faults[i] = f"value: {no_outcome(model)}"


def _columns_fault(value: dict[str, Any]) -> str | None:
    """What is wrong with an outcome told as columns, before anything is known of the target."""
    if not 0 < len(value) <= _COLUMNS:
        return f"value: {len(value):,} columns where 1 to {_COLUMNS} were expected"
    for name, cell in value.items():
        if type(cell) in (dict, list) or (type(cell) is str and len(cell) > _TEXT):
            return f"value: {name[:60]!r} is no plain value of at most {_TEXT} characters"
    return None


def _note(kind: str, answered: Prediction) -> dict[str, str]:
    """A word beside what was taken: an outcome of a row without an answer counts nowhere."""
    if kind != "labels" or answered.verdict != "refused":
        return {}
    return {"note": "the row was refused, without an answer: the outcome is kept, but it judges and teaches no model"}


def _label(item: dict[str, Any], model: str, by: str) -> Label:
    return Label(
        prediction=item["prediction"], model=model, value=item["value"], event_time=item.get("event_time", ""),
        known_time=item.get("known_time") or now(), final=item.get("final", True), censored=item.get("censored", False),
        by=str(item.get("by") or by), why=str(item.get("why", "")),
    )  # fmt: skip


def _fault(item: dict[str, Any], known: tuple[str, ...]) -> str | None:
    """What is wrong with one item, in words; None where it can be taken."""
    unknown = [k for k in item if k not in known]
    if unknown:
        return f"{unknown[0][:60]!r} is a name that means nothing here; known are {', '.join(known)}"
    for needed in known[:2]:
        if needed not in item:
            return f"{needed} is not there"
    if type(item["prediction"]) is not str or not 0 < len(item["prediction"]) <= _TEXT:
        return f"prediction: {a_kind_of(item['prediction'])} where the id of a prediction was expected"
    value = item[known[1]]
    if known is _LABEL and type(value) is dict:
        if fault := _columns_fault(value):
            return fault
    elif value is None or type(value) in (dict, list):
        return f"{known[1]}: {a_kind_of(value)} where a plain value was expected"
    for moment in ("event_time", "known_time", "when"):
        given = item.get(moment, "")
        if given != "" and (type(given) is not str or moment_of(given) is None):
            came = f"{given[:_SHOWN]!r}" if type(given) is str else a_kind_of(given)
            return f"{moment}: {came} is no time in ISO format, such as 2026-03-01T12:00:00Z"
    for truth in ("final", "censored"):
        if type(item.get(truth, True)) is not bool:
            return f"{truth}: {a_kind_of(item[truth])} where true or false was expected"
    for text in ("by", "why", "who", "reason"):
        given = item.get(text, "")
        if type(given) is not str or len(given) > _TEXT or "\x00" in given:
            return f"{text}: no text of at most {_TEXT} characters"
    return None
