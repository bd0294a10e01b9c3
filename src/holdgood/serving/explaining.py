"""``/explain``: which facts move a row's prediction most, against typical values."""

from __future__ import annotations

from typing import Any

from holdgood.serving.body import Asked, object_of, related_of, rows_of
from holdgood.serving.desk import Desk
from holdgood.serving.exchange import Call, Reply, as_json, refused
from holdgood.serving.predicting import related_tables

_KEPT = dict.fromkeys(
    ("id", "ids", "subject", "subjects", "event_time"),
    "leave it out: /explain takes no id and keeps nothing, send the row itself",
)
_MOST_ROWS, _MOST_FACTS = 20, 50


async def explain(desk: Desk, call: Call) -> Reply:
    """Rows with their facts; nothing is decided here, so nothing is journalled."""
    body = object_of(call, desk.limits, ("row", "rows", "top", "related"), aside=_KEPT)
    if ("row" in body) == ("rows" in body):
        raise refused(422, 'both or neither of "row" and "rows"', "one of them", "send one row or a list of rows")
    rows = rows_of([body["row"]] if "row" in body else body["rows"], "rows", desk.limits)
    if len(rows) > _MOST_ROWS:
        raise refused(413, f"{len(rows):,} rows to explain", f"at most {_MOST_ROWS}", "send fewer")
    top = body.get("top", 5)
    if type(top) is not int or not 1 <= top <= _MOST_FACTS:
        raise refused(422, "top: how many facts a row", f"a number from 1 to {_MOST_FACTS}", "send for example 5")
    served = desk.models.get(call.model)
    loaded = served.champion
    scorer = loaded.rows()
    wanted = Asked(rows, "rows" in body, related=related_of(body.get("related"), desk.limits))
    call.told |= {"model": served.name, "rows": len(rows)}

    def work() -> list[Any]:
        table = scorer.model.repaired(scorer.table(rows))
        return scorer.model.explain(table, {**scorer.others, **related_tables(loaded, wanted)}, top=top)

    found = [[{"fact": name, "change": change} for name, change in facts] for facts in await desk.work(work)]
    said = "how the prediction would change back if the fact were typical; the changes do not add up"
    told: dict[str, Any] = {"model": served.name, "bundle": loaded.digest, "meaning": said}
    return as_json(told | ({"facts": found[0]} if "row" in body else {"rows": found}))
