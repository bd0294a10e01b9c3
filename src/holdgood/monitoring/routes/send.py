"""One message by one route."""

from __future__ import annotations

from collections.abc import Callable

from holdgood.core.declared_watch import RouteSpec
from holdgood.core.records import Alarm
from holdgood.monitoring.routes import alertmanager, email, webhook
from holdgood.monitoring.routes.message import Message

_BY_KIND: dict[str, Callable[[RouteSpec, Message], None]] = {
    "webhook": webhook.send,
    "email": email.send,
    "alertmanager": alertmanager.send,
}
_RANK = {"low": 0, "medium": 1, "high": 2}

ONCE = ("email",)
"""Kinds that cannot know a second copy for what it is: in doubt they are not sent again."""

REPEATS = ("alertmanager",)
"""Kinds that must be told at every look that an alarm goes on."""


def send(route: RouteSpec, message: Message) -> None:
    """Raises Undelivered."""
    _BY_KIND[route.kind](route, message)


def wanted(route: RouteSpec, alarm: Alarm) -> bool:
    """Whether an alarm goes this way."""
    return _RANK[alarm.severity] >= _RANK[route.least] and (not route.codes or alarm.code in route.codes)
