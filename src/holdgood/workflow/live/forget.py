"""What to forget, as a person asks for it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from holdgood.core.budget import seconds_of
from holdgood.core.declared_live import LIVE_FILE, read_live
from holdgood.core.errors import DeclarationError
from holdgood.journal import Journal
from holdgood.journal.forgetting import Found, of_subject
from holdgood.journal.forgetting import older_than as before
from holdgood.journal.keys import moment_of
from holdgood.workflow.live.folder import RETRAINING


def places_to_forget(
    journal: Journal, live: Path, *, subject: str | None = None, older_than: str | None = None, model: str | None = None
) -> Found:
    """Entries of a person, or of before a day or so long ago; with neither, what ``keep.days`` says is due. Of one ``model``, or of all."""
    if subject is not None:
        return of_subject(journal, subject, model)
    if older_than is not None:
        moment = moment_of(older_than) or datetime.now(UTC) - timedelta(seconds=_long(older_than))
        return before(journal, moment, model)
    days = read_live(live / LIVE_FILE).keep.days
    if days is None:
        raise DeclarationError(
            f"{LIVE_FILE} does not say how long to keep", "days under [keep]", "set it, or use --older-than"
        )
    return before(journal, datetime.now(UTC) - timedelta(days=days), model)


def copies(live: Path) -> list[Path]:
    """Files of this folder that hold rows of the journal too: deleting in the journal does not reach them."""
    return sorted((live / RETRAINING).glob("*.parquet"))


def _long(text: str) -> float:
    """Seconds of a duration with its unit: a bare number might be meant as a year."""
    if text.strip().replace(".", "").isdigit():
        raise DeclarationError(f"older than {text!r}", "a day, or a time with its unit", "2026-01-01, or '400 d'")
    return seconds_of(text)
