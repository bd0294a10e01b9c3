"""Rows in a sheet are what rows alone are given."""

import datetime as dt
import json

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from holdgood.core.plain_columns import plain
from holdgood.core.task import Task
from holdgood.journal.chain import BEGINNING, Draft, Row, body_of, link
from holdgood.journal.sheet_rows import opened, rows_of
from holdgood.serving.entry import Answered
from holdgood.serving.loaded import Loaded, load
from holdgood.serving.table_in import own_name, sheet_draft

TEXT = st.text(st.characters(codec="utf-8"), max_size=12)
MOMENT = st.datetimes()
COLUMNS = {
    "float": (pa.float64(), st.floats()),
    "half": (pa.float32(), st.floats(width=32)),
    "whole": (pa.int64(), st.integers(-(2**63), 2**63 - 1)),
    "tiny": (pa.uint8(), st.integers(0, 255)),
    "big": (pa.uint64(), st.integers(0, 2**64 - 1)),
    "truth": (pa.bool_(), st.booleans()),
    "text": (pa.string(), TEXT),
    "long": (pa.large_string(), TEXT),
    "moment": (pa.timestamp("us"), MOMENT),
    "zoned": (pa.timestamp("us", "UTC"), MOMENT.map(lambda m: m.replace(tzinfo=dt.UTC))),
    "none": (pa.null(), st.none()),
    "price": (pa.decimal128(12, 2), st.decimals(-(10**9), 10**9, places=2)),
}


@st.composite
def tables(draw):
    rows = draw(st.integers(1, 6))
    columns = {}
    for name in draw(st.lists(TEXT, min_size=1, max_size=4, unique=True)):
        kind, values = COLUMNS[draw(st.sampled_from(sorted(COLUMNS)))]
        cells = draw(st.lists(st.none() | values, min_size=rows, max_size=rows))
        columns[name] = pa.array(cells * 3, kind)
    return pa.table(columns)


def opened_rows(made: Draft) -> list[Row]:
    """The predictions of a sheet as the journal opens it."""
    (row,) = link(BEGINNING, "w", [made], "2026-01-01T00:00:00.000000+00:00")
    head, sheet = opened(row, made.sheet)
    return rows_of(row, head, sheet, np.arange(sheet.rows))


@given(tables(), TEXT.filter(lambda t: t and "\0" not in t), st.data())
@settings(max_examples=150, deadline=None)
def test_a_sheet_says_of_each_row_what_an_entry_of_its_own_would(table, base, data):
    rows, n = plain(table).to_pylist(), table.num_rows
    subjects = data.draw(st.lists(TEXT, min_size=n, max_size=n))
    words, whys = ["ok", "warn", "refused"] * (n // 3), [""] * (n - 1) + ["x is \"missing\"; a\\b is no number"]  # fmt: skip
    told = pa.table(
        {
            "probability": [None, *([0.1] * (n - 1))],
            "answer": [None, *([True] * (n - 1))],
            "verdict": words,
            "why": whys,
        }
    )
    moment = "2026-01-01T00:00:00.000000+00:00"
    moments = pa.chunked_array([pa.array([dt.datetime(2026, 1, 1, tzinfo=dt.UTC)] * n, pa.timestamp("us", "UTC"))])
    made = sheet_draft(
        "jo\"bs", "d" * 64, base, moment, moments, pa.chunked_array([pa.array(subjects, pa.string())]), table, told,
        Task(kind="binary", classes=(False, True)),
    )  # fmt: skip
    answers = [{}, *([{"probability": 0.1, "answer": True}] * (n - 1))]
    for i, row in enumerate(opened_rows(made)):
        alone = Answered(
            f"{base}/{i}", "jo\"bs", "d" * 64, "champion", moment, moment, subjects[i], rows[i], answers[i], words[i], whys[i]
        ).draft()  # fmt: skip
        assert body_of(row)["payload"] == json.loads(alone.text)["payload"]
        assert row.keys == alone.keys


def test_several_classes_have_their_chances_by_name():
    told = pa.table(
        {"probability_a%": [0.25, None], "probability_b": [0.75, None], "answer": ["b", None], "verdict": ["ok", "refused"], "why": ["", "x"]}
    )  # fmt: skip
    moments = pa.chunked_array([pa.array([0, 0], pa.timestamp("us", "UTC"))])
    subjects = pa.chunked_array([["", ""]])
    task = Task(kind="multiclass", classes=("a%", "b"))
    made = sheet_draft("m", "d", "s", "2026-01-01T00:00:00.000000+00:00", moments, subjects, None, told, task)
    assert [body_of(r)["payload"]["answer"] for r in opened_rows(made)] == [
        {"probabilities": {"a%": 0.25, "b": 0.75}, "answer": "b"}, {},
    ]  # fmt: skip
    assert [body_of(r)["payload"]["facts"] for r in opened_rows(made)] == [None, None]


def test_an_answer_beside_a_key_of_its_name_is_written_under_its_own():
    """As single rows have it: override and outcomes look for it there."""
    assert own_name("answer_", ["job", "answer"]) == "answer"
    assert own_name("answer__", ["answer", "answer_"]) == "answer"
    assert own_name("probability", ["job"]) == "probability"
    assert own_name("why_", ["job"]) == "why_"


def test_subjects_and_moments_of_a_table_are_those_of_its_rows(bundles, job_rows):
    loaded: Loaded = load(bundles())
    for change in (
        {}, {"job": 7}, {"job": 7.0}, {"job": None}, {"job": "x" * 600}, {"job": "a\nb"}, {"asked": None}, {"asked": "soon"}, {"asked": 5},
        {"asked": dt.datetime(2024, 1, 1, 6, tzinfo=dt.UTC)}, {"asked": dt.datetime(1, 1, 1)},
    ):  # fmt: skip
        table = pa.Table.from_pylist([{**row, **change} for row in job_rows[:3]])
        rows = plain(table).to_pylist()
        assert loaded.subjects(table).to_pylist() == [loaded.subject(row) for row in rows]
        said = [None if m is None else m.isoformat(timespec="microseconds") for m in loaded.moments(table).to_pylist()]
        assert said == [loaded.moment(row) or None for row in rows]
    bare = table.drop_columns(["job", "asked"])
    assert loaded.subjects(bare).to_pylist() == [""] * 3
    assert loaded.moments(bare).to_pylist() == [None] * 3
