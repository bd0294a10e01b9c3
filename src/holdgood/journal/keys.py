"""What an entry is found by: a few columns beside the record, always computed from it and never told separately."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from holdgood.core.errors import DataError
from holdgood.core.moments import asked_moment, moment_in

LONGEST = 500
"""Characters of a model's name, an id or a subject: what every database can index."""
_REF = {"prediction": "id", "predictions": "id", "label": "prediction", "answer-override": "prediction"}
_WHEN = {
    "prediction": ("event_time", "known_time"),
    "predictions": ("last",),
    "label": ("known_time",),
    "answer-override": ("when",),
    "promotion": ("when",),
}


class Keys(NamedTuple):
    """``ref``: the prediction that a record is about. ``moment``: when it counts, None where that is when it was written down.

    ``place`` is that of a prediction, or of a sheet of them, whose ``moment`` is that of its latest row.
    All are None where the record has no such thing, or was forgotten.
    """

    model: str | None = None
    ref: str | None = None
    place: str | None = None
    subject: str | None = None
    moment: str | None = None


def moment_of(text: str) -> str | None:
    """A time in ISO format as UTC in one notation, so that text sorts as time does; None where it is no time.

    A time without a zone is UTC.

    >>> moment_of("2013-01-01 06:00+01:00"), moment_of("soon")
    ('2013-01-01T05:00:00.000000+00:00', None)
    """
    found = moment_in(text)
    return None if found is None else found.isoformat(timespec="microseconds")


def bound(when: datetime | str | None) -> str | None:
    """A time that somebody asks about, in the notation of ``moment_of``, or no bound. DeclarationError where it is none."""
    return None if when is None else asked_time(when)


def asked_time(when: datetime | str) -> str:
    """The same, for a time that must be given."""
    return asked_moment(when if isinstance(when, str) else when.isoformat()).isoformat(timespec="microseconds")


def keys_of(kind: str, payload: Mapping[str, Any]) -> Keys:
    """The keys of a record; what cannot be a key is None."""
    ref, place, subject = payload.get(_REF.get(kind, "")), payload.get("place"), payload.get("subject")
    stated = [t for field in _WHEN.get(kind, ()) if (t := payload.get(field))]
    alone = kind == "prediction"
    return Keys(
        _key(payload.get("model")),
        _key(ref),
        _key(place) if alone or kind == "predictions" else None,
        _key(subject) if alone else None,
        moment_of(stated[0]) if stated and isinstance(stated[0], str) else None,
    )


def checked_keys(kind: str, payload: Mapping[str, Any]) -> Keys:
    """The keys of a record that is about to be written; DataError where a name or a time in it cannot be one."""
    keys = keys_of(kind, payload)
    named = {"model": keys.model}
    if kind in _REF:
        named[_REF[kind]] = keys.ref
    if kind == "prediction":
        named["subject"] = keys.subject
    for field, key in named.items():
        if key is None and (value := payload.get(field)):
            raise DataError(
                f"the {field} of a {kind} has {len(value):,} characters, or some that no database takes",
                f"text of at most {LONGEST} characters, without NUL and halves of a surrogate pair",
                "choose a shorter or plainer name",
            )
    if keys.ref is None and kind in ("prediction", "predictions", "label"):
        raise DataError(f"a {kind} without the id of the prediction", "an id, unique a model", "give one")
    for place, field in enumerate(f for f in _WHEN.get(kind, ()) if payload.get(f)):
        said = payload[field]
        if (keys.moment if place == 0 else moment_of(said)) is None:
            raise DataError(
                f"the {field} of a {kind} is {said[:40]!r}", "a time in ISO format", "write it as 2026-03-01T12:00:00Z"
            )
    return keys


def _key(value: Any) -> str | None:
    if not isinstance(value, str) or not value or len(value) > LONGEST:
        return None
    if value.isascii():
        return None if "\x00" in value else value
    return None if "\x00" in value or any("\ud800" <= c <= "\udfff" for c in value) else value
