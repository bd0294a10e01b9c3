"""Time zones: from moments in UTC to what a clock on the wall shows there, and back."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from holdgood.core.errors import DataError

NEVER = np.iinfo(np.int64).min
"""No moment."""
_MOST_OFFSET = 14 * 60


def on_the_wall(us: np.ndarray, zone: str) -> np.ndarray:
    """(n,) int64 microseconds in UTC as the clock in a zone shows them; NEVER stays. DataError for a zone that is not known.

    >>> summer = np.array(["2024-06-30T22:00"], "M8[us]").astype(np.int64)
    >>> on_the_wall(summer, "Europe/Berlin").astype("M8[us]").astype("M8[m]").astype(str).tolist()
    ['2024-07-01T00:00']
    """
    return _filled(_known(lambda: pc.local_timestamp(_moments(us).cast(pa.timestamp("us", zone))), zone))


def in_utc(us: np.ndarray, zone: str) -> np.ndarray:
    """The way back. Of an hour that a clock shows twice it is the first, of one that it leaps over the end of the leap."""
    return _filled(_known(lambda: stamped(us, zone), zone))


def stamped(us: np.ndarray, zone: str) -> pa.Array:
    """Moments as the clock in a zone shows them, as an Arrow array that carries the zone."""
    return pc.assume_timezone(_moments(us), zone, ambiguous="earliest", nonexistent="latest")


def of_offsets(written: Iterable[str]) -> str | None:
    """The zone of texts that end with these offsets; None where they come from several places, or some have none.

    Two that lie an hour apart are winter and summer of one place: the later clock, on which no midnight falls to the day before.

    >>> of_offsets(["+01:00", "+0200"]), of_offsets(["Z"]), of_offsets(["Z", "+05:30"]), of_offsets(["", "Z"])
    ('+02:00', 'UTC', None, None)
    """
    minutes = [_minutes(w) for w in written]
    if not minutes or any(m is None for m in minutes):
        return None
    found = sorted({m for m in minutes if m is not None})
    if len(found) > 2 or found[-1] - found[0] not in (0, 60) or max(abs(found[0]), abs(found[-1])) > _MOST_OFFSET:
        return None
    last = found[-1]
    return f"{'-' if last < 0 else '+'}{abs(last) // 60:02}:{abs(last) % 60:02}" if last else "UTC"


def _minutes(offset: str) -> int | None:
    if offset in ("Z", "z"):
        return 0
    digits = offset[1:].replace(":", "")
    if offset[:1] not in ("+", "-") or not digits.isdigit() or len(digits) not in (2, 4):
        return None
    return (-1 if offset[0] == "-" else 1) * (int(digits[:2]) * 60 + int(digits[2:] or 0))


def _moments(us: np.ndarray) -> pa.Array:
    return pa.array(us, pa.int64(), mask=us == NEVER).cast(pa.timestamp("us"))


def _filled(values: pa.Array) -> np.ndarray:
    return np.asarray(pc.fill_null(values.cast(pa.int64()), NEVER).to_numpy(zero_copy_only=False), np.int64)


def _known(found: Callable[[], pa.Array], zone: str) -> pa.Array:
    try:
        return found()
    except pa.ArrowInvalid as error:
        raise DataError(
            f"the time zone {zone!r} is not known on this machine", "one such as Europe/Berlin", "install tzdata"
        ) from error
