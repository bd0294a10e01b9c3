"""A day or a time that somebody gives: one reader, and one set of words for what is none."""

from __future__ import annotations

from datetime import UTC, datetime

from holdgood.core.errors import DeclarationError


def moment_in(text: str) -> datetime | None:
    """A day or a time in ISO format, in UTC; one without a zone is UTC. None where it is none.

    >>> moment_in("2013-01-01 06:00+01:00"), moment_in("soon")
    (datetime.datetime(2013, 1, 1, 5, 0, tzinfo=datetime.timezone.utc), None)
    """
    try:
        found = datetime.fromisoformat(text.strip())
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def asked_moment(text: str, of: str = "") -> datetime:
    """The same, for a moment that somebody must have meant; ``of`` names where it was given. DeclarationError where it is none."""
    found = moment_in(text)
    if found is None:
        raise DeclarationError(
            f"{f'{of} ' if of else ''}{text[:40]!r} is no day or time",
            "2026-03-01 or 2026-03-01T12:00:00Z (without a zone: UTC)",
            "write it in ISO format",
        )
    return found
