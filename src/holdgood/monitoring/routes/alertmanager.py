"""Prometheus Alertmanager, API v2. It forgets an alert at its ``endsAt``: each look says it again until it is over."""

from __future__ import annotations

from holdgood.core.declared_watch import RouteSpec
from holdgood.monitoring.routes.http import as_json, post
from holdgood.monitoring.routes.message import Message
from holdgood.monitoring.routes.webhook import bearer

PATH = "/api/v2/alerts"


def send(route: RouteSpec, message: Message) -> None:
    """One alert. Labels name it (the same at every look), annotations tell it."""
    a = message.alarm
    alert = {
        "labels": {
            "alertname": f"Holdgood{a.code}", "code": a.code, "model": a.model, "subject": a.subject,
            "severity": a.severity, "holdgood_id": a.id,
        },
        "annotations": {"summary": message.subject, "description": a.message, "todo": a.todo},
        "startsAt": a.ends or message.at,
        "endsAt": message.at if message.about == "ends" else message.until,
    }  # fmt: skip
    post(route.url.rstrip("/") + PATH, as_json([alert]), bearer(route), timeout=route.timeout)
