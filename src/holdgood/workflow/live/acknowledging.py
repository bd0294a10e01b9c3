"""Somebody has seen an alarm."""

from __future__ import annotations

from datetime import UTC, datetime

from holdgood.core.errors import DataError
from holdgood.core.records import Acknowledgement, Alarm
from holdgood.workflow.live.folder import WRITER, Live


def acknowledged(live: Live, alarm: str, *, by: str, why: str = "", until: str = "") -> Acknowledgement:
    """Write it down; ``alarm`` is an id or the beginning of one. DataError where it names none, or several, or ``until`` is no time.

    ``until``: ISO, of any zone (UTC where none is said); kept in UTC.
    """
    if until:
        try:
            then = datetime.fromisoformat(until)
        except ValueError:
            raise DataError(
                f"{until[:40]!r} is no time", "a day or a time, such as 2026-03-01T08:00", "write it so"
            ) from None
        until = (then if then.tzinfo else then.replace(tzinfo=UTC)).astimezone(UTC).isoformat()
    known = sorted({a.id for _, a in live.journal.read(Alarm) if alarm and a.id.startswith(alarm)})
    if len(known) != 1:
        raise DataError(
            f"{len(known) or 'no'} alarm{'s' if len(known) > 1 else ''} with an id that begins with {alarm[:32]!r}",
            "the id of an alarm in this journal, or enough of it",
            "holdgood watch names them",
        )
    said = Acknowledgement(alarm=known[0], who=by, why=why, until=until)
    live.journal.append(said, WRITER)
    return said
