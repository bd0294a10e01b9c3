"""Which entries to forget: a person's rows, or all rows of people that are older than they may be kept."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from holdgood.core.records import AnswerOverride, Label, Prediction
from holdgood.journal.filters import Filter
from holdgood.journal.keys import asked_time
from holdgood.journal.log import Journal

Found = dict[tuple[str, int], str]
"""By entry (writer, number) its kind, in order."""

_ABOUT_PEOPLE = (Prediction.kind, Label.kind, AnswerOverride.kind)


def of_subject(journal: Journal, subject: str) -> Found:
    """What is there of a person: the predictions, and the labels and overrides of them."""
    theirs = Filter(kinds=(Prediction.kind,), subject=subject)
    return _places(journal, (theirs, Filter(about=theirs)))


def older_than(journal: Journal, moment: datetime | str) -> Found:
    """What is there about rows before a moment: predictions, labels, overrides. Who put what live is kept."""
    before = asked_time(moment)
    old = Filter(kinds=(Prediction.kind,), until=before)
    return _places(journal, (Filter(kinds=_ABOUT_PEOPLE, until=before), Filter(about=old)))


def _places(journal: Journal, filters: Iterable[Filter]) -> Found:
    with journal.session() as session, session.snapshot():
        return dict(
            sorted({(row.writer, row.number): row.kind for which in filters for row in session.rows(which)}.items())
        )
