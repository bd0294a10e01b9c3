"""Somebody has seen an alarm."""

from __future__ import annotations

from holdgood.core.errors import DataError
from holdgood.core.records import Acknowledgement, Alarm
from holdgood.workflow.live.folder import WRITER, Live


def acknowledged(live: Live, alarm: str, *, by: str, why: str = "", until: str = "") -> Acknowledgement:
    """Write it down; ``alarm`` is an id or the beginning of one. DataError where it names none, or several."""
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
