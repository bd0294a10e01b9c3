"""Tell people: what is to be sent is written down before it is sent, and what became of it after."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from holdgood.core.declared_watch import RouteSpec
from holdgood.core.records import Alarm, Delivery
from holdgood.monitoring.routes import Message, Undelivered, send
from holdgood.monitoring.routes.send import ONCE, REPEATS, wanted
from holdgood.workflow.live.folder import Live

WRITER = "watch"


PATIENCE = 3
"""A route that has failed so often in a row is left alone until the next look: each attempt at one that is down takes its time."""


def deliver(live: Live, model: str, messages: Sequence[Message], late: Sequence[Message] = ()) -> list[str]:
    """Send what has not been sent yet; a sentence for each that failed. Safe to call again with the same messages.

    A message that was begun and not finished (a kill in between) is sent again where the receiver knows it by its key, and
    not where it would be heard twice. ``late``: messages of earlier looks, sent first, by those routes alone that failed to send them.
    """
    past = {(d.key, d.route): d.state for _, d in live.journal.read(Delivery, model=model)}
    faults = []
    for route in live.settings.route:
        failed_before = [m for m in late if past.get((m.key, route.name)) in ("failed", "begun")]
        due = [m for m in (*failed_before, *messages) if _due(route, m, past.get((m.key, route.name)))]
        in_a_row = 0
        for i, message in enumerate(due):
            if in_a_row == PATIENCE:
                faults.append(f"{len(due) - i} more wait for {route.name}, which is tried again at the next look")
                break
            fault = _attempt(live, route, message)
            in_a_row = in_a_row + 1 if fault else 0
            if fault:
                faults.append(f"{message.alarm.code} ({message.alarm.subject}) was not told by {route.name}: {fault}")
    return faults


def _due(route: RouteSpec, message: Message, state: str | None) -> bool:
    """Whether a message still has to go this way. ``state``: of the last attempt, None where there was none."""
    if not wanted(route, message.alarm) or (message.about == "goes on" and route.kind not in REPEATS):
        return False
    return state != "sent" and not (state == "begun" and route.kind in ONCE)


def key_of(alarm: str, look: str, about: str) -> str:
    """Names a message: the same alarm told of the same look is the same message."""
    return hashlib.sha256(f"{alarm}\n{look}\n{about}".encode()).hexdigest()[:32]


def message_of(alarm: Alarm, about: str, look: str, until: str) -> Message:
    """``about``: begins, goes on or ends; ``look``: the end of the look (UTC) that said so."""
    assert about in ("begins", "goes on", "ends")
    return Message(alarm, about, key_of(alarm.id, look, about), look, until)  # type: ignore[arg-type]


def _attempt(live: Live, route: RouteSpec, message: Message) -> str:
    said = Delivery(
        model=message.alarm.model, alarm=message.alarm.id, route=route.name, about=message.about, key=message.key,
        state="begun",
    )  # fmt: skip
    live.journal.append(said, WRITER)
    try:
        send(route, message)
    except Undelivered as error:
        live.journal.append(said.model_copy(update={"state": "failed", "why": str(error)}), WRITER)
        return str(error)
    live.journal.append(said.model_copy(update={"state": "sent"}), WRITER)
    return ""
