"""A row that somebody kept, against what the journal has of a row of an Arrow stream."""

from datetime import UTC, date, datetime, timedelta, timezone

import pyarrow as pa
import pytest

from holdgood.core.plain_columns import plain
from holdgood.core.records import Prediction
from holdgood.core.records.commitment import committed
from holdgood.journal import Journal
from holdgood.workflow.live.proving import as_streamed, proves

AT = datetime(2026, 3, 1, 9, 30)
TABLE = pa.table(
    {
        "seconds": pa.array([AT], pa.timestamp("s")),
        "nanoseconds": pa.array([AT], pa.timestamp("ns")),
        "zoned": pa.array([AT.replace(tzinfo=UTC)], pa.timestamp("ms", "Europe/Paris")),
        "day": pa.array([date(2026, 3, 1)]),
        "key": ["20260301"],
        "text": ["2026-03-01 or so"],
        "nothing": pa.array([None], pa.timestamp("us")),
        "amount": [2.5],
    }
)
KEPT = {
    "seconds": "2026-03-01T09:30:00", "nanoseconds": "2026-03-01 09:30", "zoned": "2026-03-01T10:30:00+01:00", "day": "2026-03-01",
    "key": "20260301", "text": "2026-03-01 or so", "nothing": None, "amount": 2.5,
}  # fmt: skip


def test_a_kept_row_reads_as_the_stream_does():
    (streamed,) = plain(TABLE).to_pylist()
    assert as_streamed(KEPT) == streamed
    assert as_streamed(streamed) == streamed
    zoned = AT.replace(tzinfo=timezone(timedelta(hours=-5))).isoformat()
    assert as_streamed({"a": zoned}) == {"a": "2026-03-01T14:30:00.000000Z"}
    odd = {"a": "2026-02-30", "b": "0001-01-01T00:00+05:00", "c": ["2026-03-01"], "d": 20260301}
    assert as_streamed(odd) == odd


@pytest.mark.parametrize("kept", [True, False])
def test_a_row_of_a_stream_is_proved_by_moments_in_any_iso_notation(tmp_path, kept):
    (streamed,) = plain(TABLE).to_pylist()
    what = {"facts": streamed} if kept else {"facts": None, "commitment": committed(streamed)}
    journal = Journal(tmp_path / "journal.sqlite")
    told = {"answer": {"probability": 0.5}, "verdict": "ok", "known_time": "2026-03-01T09:30:00+00:00", "subject": "a"}
    journal.append(
        Prediction(id="s/0", model="m", bundle_digest="d", place="champion", event_time="2026-03-01", **told, **what),
        "w",
    )
    assert proves(journal, "m", "s/0", KEPT)
    assert proves(journal, "m", "s/0", streamed)
    assert not proves(journal, "m", "s/0", {**KEPT, "seconds": "2026-03-01T09:30:01"})
    assert not proves(journal, "m", "s/0", {**KEPT, "amount": 2.25})
