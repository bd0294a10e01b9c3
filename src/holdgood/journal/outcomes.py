"""Predictions with what came out: each joined by its id to the newest label that was known at a moment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from holdgood.core.records import Label, Prediction
from holdgood.journal.answers import answers
from holdgood.journal.chain import Row, body_of
from holdgood.journal.filters import Filter
from holdgood.journal.keys import bound
from holdgood.journal.log import Journal

_NEVER = np.datetime64("NaT", "us")


@dataclass(frozen=True)
class Outcomes:
    """One row a prediction, by event time; all columns have the same length n. Times are datetime64[us] in UTC.

    ``facts`` (dictionaries, None where only commitments are kept), ``answer`` (dictionaries), ``verdict`` (ok, warn, refused) and
    ``subject`` are as logged. Where no label was known: ``label`` is None, ``labelled`` False, ``label_known`` NaT, ``delay`` NaN
    (seconds from the event to the known label). ``final``: the outcome will not change; ``censored``: it is at least the label.
    """

    id: np.ndarray
    place: np.ndarray
    digest: np.ndarray
    subject: np.ndarray
    event_time: np.ndarray
    verdict: np.ndarray
    facts: np.ndarray
    answer: np.ndarray
    label: np.ndarray
    labelled: np.ndarray
    label_known: np.ndarray
    final: np.ndarray
    censored: np.ndarray
    delay: np.ndarray

    def __len__(self) -> int:
        return len(self.id)

    @property
    def share_labelled(self) -> float:
        """The share of predictions with a label; NaN without predictions."""
        return float(self.labelled.mean()) if len(self) else float("nan")

    def where(self, keep: np.ndarray) -> Outcomes:
        """The rows of a mask or of positions."""
        return Outcomes(**{name: column[keep] for name, column in vars(self).items()})


def outcomes(
    journal: Journal,
    model: str,
    begins: datetime | str | None = None,
    ends: datetime | str | None = None,
    *,
    as_of: datetime | str | None = None,
) -> Outcomes:
    """Predictions of a model with event times in [begins, ends), each with the newest label known at ``as_of`` (included).

    A label is known from its ``known_time``, or else from when it was written down. Of two that were known at the same time, the one that
    was written later holds. What was forgotten is not there.
    """
    which = Filter(
        kinds=(Prediction.kind,),
        model=model,
        since=bound(begins),
        until=bound(ends),
        order="moment",
    )
    with journal.session() as session, session.snapshot():
        predictions = list(answers(session, which))
        labels = _newest(session.rows(Filter(kinds=(Label.kind,), about=which, order="moment")), bound(as_of))
    return _joined(predictions, labels)


def _newest(rows: Iterable[Row], as_of: str | None) -> dict[str, Row]:
    """The last label of each prediction; ``rows`` come by the moment of being known, then by that of writing."""
    return {row.ref or "": row for row in rows if as_of is None or (row.moment or "") <= as_of}


def _joined(predictions: list[Row], labels: Mapping[str, Row]) -> Outcomes:
    n = len(predictions)
    said = [(body_of(row) or {})["payload"] for row in predictions]
    rows = [labels.get(row.ref or "") for row in predictions]
    told = [None if row is None else (body_of(row) or {})["payload"] for row in rows]
    event = _times([row.moment for row in predictions])
    known = _times([None if row is None else row.moment for row in rows])
    return Outcomes(
        id=_objects([p["id"] for p in said]),
        place=_objects([p["place"] for p in said]),
        digest=_objects([p["bundle_digest"] for p in said]),
        subject=_objects([p["subject"] for p in said]),
        event_time=event,
        verdict=_objects([p["verdict"] for p in said]),
        facts=_objects([p["facts"] for p in said]),
        answer=_objects([p["answer"] for p in said]),
        label=_objects([None if t is None else t["value"] for t in told]),
        labelled=np.fromiter((t is not None for t in told), bool, n),
        label_known=known,
        final=np.fromiter((t is not None and t["final"] for t in told), bool, n),
        censored=np.fromiter((t is not None and t["censored"] for t in told), bool, n),
        delay=(known - event) / np.timedelta64(1, "s"),
    )


def _objects(values: list[Any]) -> np.ndarray:
    return np.fromiter(values, object, len(values))


def _times(texts: list[str | None]) -> np.ndarray:
    """UTC in the notation of ``moment_of``; the zone, which NumPy does not take, is cut off."""
    return np.array([_NEVER if t is None else t[:26] for t in texts], "datetime64[us]")
