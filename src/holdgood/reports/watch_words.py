"""What a look says of its alarms, in the same words at the terminal and on its page."""

from __future__ import annotations

from collections.abc import Mapping

from holdgood.core.records import Acknowledgement, Unjudged, WatchLook


def state_of(look: WatchLook, alarm: str, seen_by: Mapping[str, Acknowledgement]) -> str:
    """Whether a found alarm is new, snoozed or goes on, and who has seen it."""
    state = "new" if alarm in look.told else "snoozed" if alarm in look.snoozed else "goes on"
    return state + acknowledged_by(look, alarm, seen_by)


def acknowledged_by(look: WatchLook, alarm: str, seen_by: Mapping[str, Acknowledgement]) -> str:
    """Who has seen it; a word from before it began anew, whose time is past, says nothing of this one."""
    said = seen_by.get(alarm)
    if said is None or (said.until and said.until <= look.ends) or (not said.until and alarm in look.told):
        return ""
    return f", acknowledged by {said.who}" + (f", quiet until {said.until[:16]}" if said.until else "")


def unjudged_text(one: Unjudged) -> str:
    """An open alarm that the look could not have found."""
    return f"{one.code} {one.subject}: open since {one.since[:10]}, cannot be judged: {one.why}"


def over_text(alarm: str, seen_by: Mapping[str, Acknowledgement]) -> str:
    """An alarm that is over, and by whose word, where it was a person's."""
    said = seen_by.get(alarm)
    return f"over: {alarm}" + (f", closed by {said.who}: {said.why}" if said is not None and said.closes else "")


CLOSE = "wait for rows, or have somebody close it with a reason: holdgood acknowledge LIVE ID --by NAME --why REASON --close"
