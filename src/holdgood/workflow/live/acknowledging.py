"""Somebody has seen an alarm."""

from __future__ import annotations

from holdgood.core.errors import DataError, DeclarationError
from holdgood.core.moments import asked_moment
from holdgood.core.records import Acknowledgement, Alarm
from holdgood.workflow.live.folder import WRITER, Live
from holdgood.workflow.live.watch import looks_of, open_alarms


def acknowledged(
    live: Live, alarm: str, *, by: str, why: str = "", until: str = "", close: bool = False
) -> Acknowledgement:
    """Write it down; ``alarm`` is an id, the beginning of one, or a code that one open alarm has.

    DataError where it names none, or several; DeclarationError where ``until`` is no time.

    ``until``: ISO, of any zone (UTC where none is said); kept in UTC. ``close``: the next look ends it by this word, unless it finds it
    again; only what the last look could not judge is closed so, and only with a reason.
    """
    if until:
        until = asked_moment(until, "until").isoformat()
    known = sorted({a.id for _, a in live.journal.read(Alarm) if alarm and a.id.startswith(alarm)})
    if not known and alarm.upper().startswith("MON"):
        known = [_with_code(live, alarm.upper())]
    if len(known) != 1:
        raise DataError(
            f"{len(known) or 'no'} alarm{'s' if len(known) > 1 else ''} with an id that begins with {alarm[:32]!r}",
            "the id of an alarm in this journal, or enough of it",
            "holdgood watch names them",
        )
    closes = _closing(live, known[0], why) if close else ""
    said = Acknowledgement(alarm=known[0], who=by, why=why, until=until, closes=closes)
    live.journal.append(said, WRITER)
    return said


def _closing(live: Live, alarm: str, why: str) -> str:
    """The end of the look that could not judge an alarm."""
    if not why.strip():
        raise DeclarationError(
            "--close without a reason", "why it may be over although nobody can judge it", "add --why REASON"
        )
    about = next(a for _, a in live.journal.read(Alarm) if a.id == alarm)
    looks = looks_of(live, about.model)
    if alarm not in open_alarms(looks):
        raise DataError(f"{about.code} {about.subject} is not open", "an open alarm", "holdgood watch names them")
    if alarm not in looks[-1].unjudged:
        raise DataError(
            f"the last look could judge {about.code} {about.subject}: nobody needs to close it",
            "an alarm that a look called unjudged",
            "it is over by itself when two looks, a usual interval apart, do not find it; --until keeps it quiet",
        )
    return looks[-1].ends


def _with_code(live: Live, code: str) -> str:
    """The one open alarm of this code, of any model that is live."""
    newest = {a.id: a for _, a in live.journal.read(Alarm)}
    models = sorted({s.model for s in live.standing()})
    there = [newest[i] for m in models for i in open_alarms(looks_of(live, m)) if i in newest]
    having = [a for a in there if a.code == code]
    if len(having) != 1:
        listed = "; ".join(f"{a.id} ({a.code} {a.subject}, {a.model})" for a in having or there)
        raise DataError(
            f"{len(having) or 'no'} open alarm{'s' if len(having) > 1 else ''} with the code {code[:32]!r}",
            f"one of: {listed}" if listed else "an open alarm",
            "give the id, or enough of it",
        )
    return having[0].id
