"""Entries written column by column are those that rows alone are given, to the character."""

import datetime as dt

import orjson
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from holdgood.core.task import Task
from holdgood.serving.entry import Answered
from holdgood.serving.json_columns import plain, texts_of
from holdgood.serving.loaded import Loaded, load
from holdgood.serving.many_entries import answers_of, drafts_of, facts_of

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


@given(tables(), TEXT.filter(bool), st.data())
@settings(max_examples=150, deadline=None)
def test_a_table_is_written_as_its_rows_are(table, base, data):
    rows, n = plain(table).to_pylist(), table.num_rows
    subjects = data.draw(st.lists(TEXT, min_size=n, max_size=n))
    words, whys = ["ok", "warn", "refused"] * (n // 3), [""] * (n - 1) + ["x is \"missing\"; a\\b is no number"]  # fmt: skip
    answers = pa.table({"probability": [None, *([0.1] * (n - 1))], "answer": [None, *([True] * (n - 1))]})
    task = Task(kind="binary", classes=(False, True))
    moments = ["2026-01-01T00:00:00.000000+00:00"] * n
    made = drafts_of(
        base, "jo\"bs", "d" * 64, moments[0], moments, subjects, facts_of(table), answers_of(answers, task), words, whys
    )  # fmt: skip
    told = [{}, *([{"probability": 0.1, "answer": True}] * (n - 1))]
    for i, draft in enumerate(made):
        alone = Answered(
            f"{base}/{i}", "jo\"bs", "d" * 64, "champion", moments[i], moments[0], subjects[i], rows[i], told[i], words[i], whys[i]
        )  # fmt: skip
        assert draft == alone.draft()


def test_several_classes_have_their_chances_by_name():
    output = pa.table({"probability_a%": [0.25, None], "probability_b": [0.75, None], "answer": ["b", None]})
    task = Task(kind="multiclass", classes=("a%", "b"))
    assert [orjson.loads(t) for t in answers_of(output, task)] == [
        {"probabilities": {"a%": 0.25, "b": 0.75}, "answer": "b"}, {},
    ]  # fmt: skip


@given(st.lists(st.none() | TEXT, min_size=1, max_size=8))
def test_words_that_repeat_are_written_as_words_that_do_not(words):
    many = pa.chunked_array([pa.array(words * 20, pa.string())])
    assert texts_of(many) == [orjson.dumps(w).decode() for w in words * 20]


def test_subjects_and_moments_of_a_table_are_those_of_its_rows(bundles, job_rows):
    loaded: Loaded = load(bundles())
    for change in (
        {}, {"job": 7}, {"job": 7.0}, {"job": None}, {"job": "x" * 600}, {"job": "a\nb"}, {"asked": None}, {"asked": "soon"}, {"asked": 5},
        {"asked": dt.datetime(2024, 1, 1, 6, tzinfo=dt.UTC)}, {"asked": dt.datetime(1, 1, 1)},
    ):  # fmt: skip
        table = pa.Table.from_pylist([{**row, **change} for row in job_rows[:3]])
        rows = plain(table).to_pylist()
        assert loaded.subjects(table) == [loaded.subject(row) for row in rows]
        assert loaded.moments(table) == [loaded.moment(row) for row in rows]
    bare = table.drop_columns(["job", "asked"])
    assert loaded.subjects(bare) == loaded.moments(bare) == [""] * 3
