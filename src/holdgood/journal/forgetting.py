"""Which entries to forget: a person's rows, or all rows of people that are older than they may be kept."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from holdgood.core.records import AnswerOverride, Label, Prediction
from holdgood.journal.answers import PIECE, answers
from holdgood.journal.filters import Filter
from holdgood.journal.keys import asked_time
from holdgood.journal.log import Journal
from holdgood.journal.sheet_rows import row_of
from holdgood.journal.tombstones import Place


class What(NamedTuple):
    """The kind of an entry, and the model that it is of."""

    kind: str
    model: str


Found = dict[Place, What]
"""By entry, or row of a sheet, what it is, in order."""

_ABOUT_PEOPLE = (Prediction.kind, Label.kind, AnswerOverride.kind)


def of_subject(journal: Journal, subject: str, model: str | None = None) -> Found:
    """What is there of a person: the predictions, and the labels and overrides of them; of one ``model``, or of all."""
    theirs = Filter(kinds=(Prediction.kind,), subject=subject, model=model)
    return _places(journal, theirs, (Filter(about=theirs),))


def older_than(journal: Journal, moment: datetime | str, model: str | None = None) -> Found:
    """What is there about rows before a moment: predictions, labels, overrides; of one ``model``, or of all. Who put what live is kept."""
    before = asked_time(moment)
    old = Filter(kinds=(Prediction.kind,), until=before, model=model)
    late = Filter(kinds=_ABOUT_PEOPLE[1:], until=before, model=model)
    return _places(journal, old, (late, Filter(about=old, alone=True)))


def _places(journal: Journal, theirs: Filter, others: Iterable[Filter]) -> Found:
    """Predictions that a filter finds, in sheets or alone, what is about rows of sheets among them, and what other filters find."""
    found: Found = {}
    with journal.session() as session, session.snapshot():
        of: dict[str, list[str]] = {}
        for row in answers(session, theirs):
            if (at := row_of(row)) is None:
                found[row.writer, row.number] = What(row.kind, row.model or "")
            else:
                of.setdefault(row.model or "", []).append(row.ref or "")
                found[row.writer, row.number, at] = What(row.kind, row.model or "")
        about = [
            Filter(kinds=_ABOUT_PEOPLE[1:], model=model, refs=tuple(refs[first : first + PIECE]))
            for model, refs in of.items()
            for first in range(0, len(refs), PIECE)
        ]
        for which in (*others, *about):
            found |= {(row.writer, row.number): What(row.kind, row.model or "") for row in session.rows(which)}
    return dict(sorted(found.items()))
