"""What may be asked and of whom: ``/schema``, ``/models``, ``/openapi.json``."""

from __future__ import annotations

from typing import Any

from holdgood import __version__
from holdgood.serving.desk import Desk
from holdgood.serving.exchange import ARROW, JSON, Call, Reply, as_json
from holdgood.serving.loaded import Loaded, Served
from holdgood.serving.row_schema import example, row_schema
from holdgood.serving.tokens import ROLES


async def schema(desk: Desk, call: Call) -> Reply:
    """The JSON schema of a row and an example request; of a forecaster the columns of its history."""
    return as_json(schema_of(desk.models.get(call.model)))


def schema_of(served: Served) -> dict[str, Any]:
    """Of the champion."""
    loaded = served.champion
    told: dict[str, Any] = {"model": served.name, "bundle": loaded.digest, "kind": loaded.manifest.task.get("kind")}
    if loaded.forecaster is not None:
        plan = loaded.forecaster.plan
        return told | {
            "history": {
                "id": list(plan.id),
                "time": plan.time,
                "target": plan.target,
                "known": list(plan.known),
                "past": list(plan.past),
            }
        }
    joined = [j.table for j in loaded.rows().model.plan.joins]
    if len(loaded.key) == 1:
        told["id"] = (
            f'{loaded.key[0]!r} in a row says whose row it is, and does not name the answer: send its value as "id" beside "row" too, '
            "where it is new with every row, to tell the outcome by it later; without an id the server makes one"
        )
    return told | {
        "out_of_contract": loaded.held,
        "row": row_schema(loaded),
        "request": {"row": example(loaded)},
        "joined": {t: t in loaded.rows().others for t in joined},
    }


async def models(desk: Desk, call: Call) -> Reply:
    """What stands where."""
    return as_json({"models": [_model(s) for s in desk.models.all()], "faults": list(desk.models.faults)})


def _model(served: Served) -> dict[str, Any]:
    return {
        "name": served.name,
        "kind": served.champion.manifest.task.get("kind"),
        "places": [
            {
                "place": place,
                "bundle": x.digest,
                "run": x.manifest.run,
                **({"share": served.share} if place == "canary" else {}),
            }
            for place, x in served.places()
        ],
    }


async def openapi(desk: Desk, call: Call) -> Reply:
    """The OpenAPI description of this server as it stands."""
    return as_json(document(desk.models.all()))


_ERROR = {
    "type": "object",
    "properties": {
        "error": {"type": "string"},
        "expected": {"type": "string"},
        "do": {"type": "string"},
        "request_id": {"type": "string"},
    },
    "required": ["error", "request_id"],
}
_REFUSALS = {
    "400": "a body that cannot be read",
    "401": "no living token",
    "403": "a token without the role",
    "404": "no such model",
    "409": "an id used before, about other facts, or a model of another kind",
    "413": "too many bytes or rows",
    "415": "another content type",
    "422": "what came cannot be used",
    "429": "too many requests of this token, or refused ones of this address",
    "503": "too busy, or the journal is away: ask again",
}


def document(served: list[Served]) -> dict[str, Any]:
    """OpenAPI 3.1."""
    paths: dict[str, Any] = {}
    for s in served:
        for what, told in _operations(s.champion).items():
            paths[f"/models/{s.name}/{what}"] = told
    if len(served) == 1:
        paths |= {f"/{what}": told for what, told in _operations(served[0].champion).items()}
    paths |= {
        "/models": {"get": _get("What stands where")},
        "/healthz": {"get": _get("The process is there", open_=True)},
        "/readyz": {"get": _get("It can answer", open_=True)},
        "/metrics": {"get": _get("For Prometheus", content="text/plain")},
        "/admin/reload": {
            "post": {
                "summary": "Look now what is live",
                "responses": _responses({"type": "object"}),
                "security": [{"token": []}],
            }
        },
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "holdgood", "version": __version__,
            "description": f"Answers that are journalled before they are given. Send Authorization: Bearer TOKEN; roles: {', '.join(ROLES)}.",
        },
        "paths": paths,
        "components": {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}, "schemas": {"Error": _ERROR}},
    }  # fmt: skip


def _operations(loaded: Loaded) -> dict[str, Any]:
    rows: dict[str, Any] = {"type": "array", "items": {"type": "object"}, "minItems": 1}
    feedback = {
        "type": "object", "minProperties": 1, "additionalProperties": False,
        "properties": {
            "labels": {
                "type": "array", "minItems": 1,
                "items": {
                    "type": "object", "required": ["prediction", "value"], "additionalProperties": False,
                    "properties": {
                        "prediction": {"type": "string"}, "value": {"type": ["string", "number", "boolean", "null", "object"]}, "event_time": _TIME,
                        "known_time": _TIME, "final": {"type": "boolean"}, "censored": {"type": "boolean"}, "by": _TEXT, "why": _TEXT,
                    },
                },
            },
            "overrides": {
                "type": "array", "minItems": 1,
                "items": {
                    "type": "object", "required": ["prediction", "after"], "additionalProperties": False,
                    "properties": {
                        "prediction": {"type": "string"}, "after": {"type": ["string", "number", "boolean", "null"]}, "reason": _TEXT,
                        "who": _TEXT, "when": _TIME,
                    },
                },
            },
        },
    }  # fmt: skip
    found = {
        "feedback": {"post": _post("Outcomes and overrides, late and in part", feedback)},
        "schema": {"get": _get("The schema of what is asked")},
    }
    if loaded.forecaster is not None:
        history = {"history": rows, "future": rows, "items": rows, "samples": {"type": "integer", "minimum": 20}}
        steps = _object({**history, "horizon": {"type": "integer", "minimum": 1}}, "history")
        orders = _object(
            {**history, "state": rows, "open_orders": rows, "orders": {"type": "object"}}, "history", "state"
        )
        return found | {
            "forecast": {"post": _post("Forecasts from new history", steps, arrow=True)},
            "plan": {"post": _post("What to order", orders)},
        }
    row = row_schema(loaded)
    ids = {"type": "array", "items": _ID}
    related = {"type": "object", "additionalProperties": rows}
    one = _object({"row": row, "id": _ID, "subject": _ID, "event_time": _TIME, "related": related}, "row")
    many = _object(
        {
            "rows": {"type": "array", "items": row, "minItems": 1},
            "ids": ids,
            "subjects": ids,
            "event_time": _TIME,
            "related": related,
        },
        "rows",
    )
    top = {"type": "integer", "minimum": 1, "maximum": 50}
    asked = _post("Answer rows", {"oneOf": [one, many]}, {"row": example(loaded)}, arrow=True)
    asked["parameters"] = [
        {
            "name": "Idempotency-Key",
            "in": "header",
            "required": False,
            "schema": {"type": "string", "pattern": "^[!-~]{1,190}$"},
        },
        {
            "name": "Subject-Column",
            "in": "header",
            "required": False,
            "description": "Of an Arrow stream: the column that says whose each row is; default its key",
            "schema": {"type": "string"},
        },
    ]
    facts = _post(
        "Which facts move the answer",
        _object({"row": row, "top": top, "related": related}, "row"),
        {"row": example(loaded)},
    )
    return found | {"predict": {"post": asked}, "explain": {"post": facts}}


_TIME = {"type": "string", "format": "date-time"}
_TEXT = {"type": "string", "maxLength": 500}
_ID = {"type": "string", "minLength": 1, "maxLength": 200}


def _object(properties: dict[str, Any], *needed: str) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(needed), "additionalProperties": False}


def _responses(schema: dict[str, Any], content: str = JSON) -> dict[str, Any]:
    refusals = {k: {"description": v, "content": {JSON: {"schema": {"type": "object"}}}} for k, v in _REFUSALS.items()}
    return {"200": {"description": "done", "content": {content: {"schema": schema}}}, **refusals}


def _post(
    summary: str, body: dict[str, Any], shown: dict[str, Any] | None = None, *, arrow: bool = False
) -> dict[str, Any]:
    content: dict[str, Any] = {JSON: {"schema": body} | ({"example": shown} if shown else {})}
    if arrow:
        content[ARROW] = {"schema": {"type": "string", "format": "binary"}}
    told: dict[str, Any] = {
        "summary": summary,
        "requestBody": {"required": True, "content": content},
        "responses": _responses({"type": "object"}),
        "security": [{"token": []}],
    }
    if arrow:
        told["responses"]["200"]["content"][ARROW] = {"schema": {"type": "string", "format": "binary"}}
    told["responses"]["207"] = {
        "description": "some items were taken",
        "content": {JSON: {"schema": {"type": "object"}}},
    }
    return told


def _get(summary: str, *, content: str = JSON, open_: bool = False) -> dict[str, Any]:
    schema = {"type": "string"} if content != JSON else {"type": "object"}
    return {
        "summary": summary,
        "responses": _responses(schema, content),
        **({} if open_ else {"security": [{"token": []}]}),
    }
