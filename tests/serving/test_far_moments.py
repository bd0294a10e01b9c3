"""Dates and times in any unit and from any year: answered to the microsecond, or refused in words; never a fault of the server."""

from datetime import datetime, timedelta

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from holdgood.core.plain_columns import plain
from holdgood.journal import Journal
from holdgood.serving.arrow_body import read_stream
from holdgood.serving.exchange import ARROW, Refusal
from holdgood.serving.limits import Limits
from holdgood.workflow.predict import Predictor
from holdgood.workflow.single.scorer import RowScorer

PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
KINDS = [pa.timestamp(u, z) for u in PER_SECOND for z in (None, "UTC", "Europe/Berlin", "+05:30", "Mars/Phobos")]
WHOLE = st.integers(-(2**63) + 1, 2**63 - 1)
NEAR = st.integers(-(10**11), 4 * 10**11)


def stream(table):
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def said(column):
    """The ISO text that a moment alone becomes behind the door, or "refused"."""
    try:
        return plain(read_stream(stream(pa.table({"at": column})), Limits())).column("at")[0].as_py()
    except Refusal as refusal:
        assert refusal.status == 422 and "too far away" in refusal.error.came
        return "refused"


def iso(microseconds, zone):
    moment = datetime(1970, 1, 1) + timedelta(microseconds=microseconds)
    return moment.isoformat(timespec="microseconds") + ("Z" if zone else "")


def toward_zero(a, b):
    return -(-a // b) if a < 0 else a // b


@given(st.sampled_from(KINDS), WHOLE | NEAR)
@example(pa.timestamp("ns"), 1_700_000_000_123_456_789)
@example(pa.timestamp("ns"), -(2**63) + 1)
@example(pa.timestamp("s"), 253_402_300_800)
@example(pa.timestamp("s"), -62_135_596_801)
@settings(max_examples=100, deadline=None)
def test_a_moment_is_told_to_the_microsecond_or_refused(kind, value):
    told = said(pa.array([value], pa.int64()).cast(kind))
    per = PER_SECOND[kind.unit]
    if -62_135_596_800 * per <= value < 253_402_300_800 * per:
        assert told == iso(toward_zero(value * 10**6, per), kind.tz)
    else:
        assert told == "refused"


@given(st.integers(-(2**31), 2**31 - 1), st.booleans())
@settings(max_examples=60, deadline=None)
def test_a_day_is_told_or_refused(day, long):
    if long:
        told = said(pa.array([day * 86_400_000], pa.int64()).cast(pa.date64()))
    else:
        told = said(pa.array([day], pa.int32()).cast(pa.date32()))
    assert told == (iso(day * 86_400 * 10**6, None) if -719_162 <= day <= 2_932_896 else "refused")


def test_a_stream_as_pandas_writes_it_is_answered_as_its_rows_are(within, job_rows, tmp_path):
    frame = pd.DataFrame(job_rows[:5])
    for column in ("asked", "due"):
        frame[column] = pd.to_datetime(frame[column]).astype("datetime64[ns]") + pd.Timedelta(123_456_789, "ns")
    table = pa.Table.from_pandas(frame, preserve_index=False)
    assert table.schema.field("due").type == pa.timestamp("ns")
    answered = []

    async def scenario(ask, desk):
        status, body, _ = await ask("POST", "/predict", raw=stream(table), content_type=ARROW)
        assert status == 200
        answered.extend(pa.ipc.open_stream(body).read_all().column("probability").to_pylist())
        rows = [
            {**row, "asked": a.isoformat(timespec="microseconds"), "due": d.isoformat(timespec="microseconds")}
            for row, a, d in zip(job_rows, frame.asked, frame.due, strict=False)
        ]
        _, single, _ = await ask("POST", "/predict", {"rows": rows})
        assert [a["probability"] for a in single["answers"]] == answered

    within(scenario)
    entry = Journal(tmp_path / "journal.sqlite").entries("prediction")[0]
    assert entry.record["payload"]["facts"]["due"] == frame.due[0].isoformat(timespec="microseconds")


@pytest.mark.parametrize("column", ["asked", "due", "not in the contract"])
def test_a_moment_too_far_away_is_refused_in_words(within, job_rows, column):
    far = pa.array([10**13, None, 0], pa.timestamp("s"))
    table = pa.Table.from_pylist(job_rows[:3])
    at = table.column_names.index(column) if column in table.column_names else -1
    table = table.append_column(column, far) if at < 0 else table.set_column(at, column, far)

    async def scenario(ask, desk):
        status, told, _ = await ask("POST", "/predict", raw=stream(table), content_type=ARROW)
        assert status == 422 and told["error"] == f"column {column}: a date or time too far away"
        assert "1 to 9999" in told["expected"]

    within(scenario)


FAR_TEXTS = st.datetimes().map(lambda d: d.isoformat()) | st.sampled_from(
    ["0001-01-01", "9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00",
     "0000-01-01", "12000-01-01", "+99999-01-01", "-0044-03-15", "2024-02-30", "1677-09-21T00:12:43.145224"]
) | st.tuples(st.integers(0, 99_999), st.integers(0, 99), st.integers(0, 99)).map(lambda t: "{:04d}-{:02d}-{:02d}".format(*t))  # fmt: skip


def test_texts_of_far_years_are_answered_or_refused(within, bundles, job_rows):
    scorer = RowScorer(Predictor.load(bundles()))

    @given(FAR_TEXTS, st.sampled_from(["asked", "due"]))
    @settings(max_examples=20, deadline=None)
    def alone_and_together(text, column):
        row = {**job_rows[0], column: text}
        one = scorer.row(row)
        two = scorer.rows([row, job_rows[1]])[0]
        assert (one.verdict, one.why, one.answer) == (two.verdict, two.why, two.answer)

    alone_and_together()

    async def scenario(ask, desk):
        for text in ("0001-01-01", "9999-12-31", "9999-12-31T23:59:59-14:00", "12000-01-01"):
            for column in ("asked", "due", "other"):
                status, _, _ = await ask("POST", "/predict", {"row": {**job_rows[0], column: text}})
                assert status in (200, 422)
            status, _, _ = await ask("POST", "/predict", {"row": job_rows[0], "event_time": text})
            assert status in (200, 422)

    within(scenario)
