"""A row alone, compiled, is answered to the bit as the road of tables answers it: score, verdict and reason."""

import copy
import dataclasses
import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdgood.connectors.python_values import to_column
from holdgood.core.errors import DataError
from holdgood.core.records import RowRule
from holdgood.core.table import Table
from holdgood.workflow.predict import Predictor
from holdgood.workflow.single.scorer import RowScorer

KINDS = {
    "boosted": {},
    "ensemble": {"models": ("lightgbm", "linear"), "calibrated": True},
    "classes": {"kind": "multiclass", "models": ("lightgbm", "linear")},
    "amount": {"kind": "regression"},
    "fitted": {"kind": "regression", "fitted": True},
}


def by_tables(model, row, others=None):
    """The verdict, the reason and the answer of the ordinary road, for a row that comes alone."""
    columns = {name: to_column(name, [value])[0] for name, value in row.items()}
    data = pa.table(columns) if columns else pa.table({"none": pa.nulls(1)})
    try:
        table = model.as_read(data)
    except DataError as error:
        return "absent", error.came, None
    said = model.judge(table)
    main = model.repaired(table)
    prediction, frame = model.scored(main, others)
    output = model.output(main, prediction, "arrow", said, frame=frame)
    # a key may be read as a moment of the year 0, which Python does not have
    output = output.drop_columns([n for n in ("job", "row") if n in output.column_names]).to_pylist()[0]
    return output.pop("verdict"), output.pop("why"), output


def flat(answer):
    """An answer of the server in the columns of the ordinary road."""
    found = dict(answer)
    for label, chance in found.pop("probabilities", {}).items():
        found[f"probability_{label}"] = chance
    return found


def same(a, b):
    return a == b or (a is not None and b is not None and a != a and b != b)


@pytest.fixture(scope="module")
def scorers(bundles):
    made = {name: Predictor.load(bundles(**kw)) for name, kw in KINDS.items()}
    return {name: (model, RowScorer(model)) for name, model in made.items()}


TEXTS = st.one_of(
    st.sampled_from(
        [
            "red",
            "l07",
            "l99",
            "",
            " ",
            "NA",
            "null",
            "true",
            "no",
            "7",
            "7.0",
            " 12 ",
            "1e3",
            "-.5",
            "1,5",
            "inf",
            "nan",
            "１２",
        ]
    ),
    st.text(max_size=12),
)
NUMBERS = st.one_of(
    st.integers(-(2**70), 2**70), st.integers(-20, 60), st.floats(), st.sampled_from([0, 1, 0.0, 1.0, -0.0, 2.0**53, 2**53 + 1, 1e300])
)  # fmt: skip
DATES = st.one_of(
    st.datetimes().map(lambda d: d.isoformat()),
    st.datetimes().map(lambda d: d.strftime("%d.%m.%Y %H:%M")),
    st.sampled_from(
        ["2024-02-30", "2024-02-29", "2024-03-01T10:00Z", "2024-03-01 10:00:00+02:00", "2024-03-01T10:00:00.123456789", "1.2.2024",
         "2024/3/1", "03/04/2024", "2024-03-01T24:00:00", "0001-01-01T00:00:00+05:00", "9999-12-31", "0000-01-01", "2024-03-01T10"]
    ),
)  # fmt: skip
ANYTHING = st.one_of(
    st.none(), st.booleans(), NUMBERS, TEXTS, DATES, st.lists(st.integers(), max_size=2), st.just({"a": 1})
)
ROWS = st.fixed_dictionaries(
    {},
    optional={
        "size": st.one_of(NUMBERS, ANYTHING), "parts": st.one_of(st.integers(0, 20), ANYTHING), "load": ANYTHING,
        "kind": st.one_of(st.sampled_from(["red", "green", "blue", "violet"]), ANYTHING), "line": ANYTHING, "rush": ANYTHING,
        "asked": st.one_of(DATES, ANYTHING), "due": st.one_of(DATES, ANYTHING), "note": ANYTHING, "job": ANYTHING, "colour": ANYTHING,
    },
)  # fmt: skip


def check(model, scorer, row):
    verdict, why, expected = by_tables(model, row)
    got = scorer.row(row)
    if verdict == "absent":
        assert got.verdict == "refused" and got.answer == {}
        assert "is not there" in got.why
        return
    assert (got.verdict, got.why) == (verdict, why)
    if verdict == "refused":
        assert got.answer == {}
        return
    told = flat(got.answer)
    for name, value in expected.items():
        assert same(told.pop(name), value) or (isinstance(value, float) and not math.isfinite(value)), name
    assert set(told) <= {"answer"}


@pytest.mark.parametrize("name", KINDS)
@settings(max_examples=12, deadline=None)
@given(row=ROWS, gaps=st.sets(st.integers(0, 9)), at=st.integers(0, 39))
def test_any_row_is_answered_as_by_the_road_of_tables(name, scorers, job_rows, row, gaps, at):
    model, scorer = scorers[name]
    assert scorer.compiled
    whole = dict(job_rows[at])
    for i, (key, value) in enumerate(row.items()):
        if i not in gaps:
            whole[key] = value  # most rows are whole and wrong in some cells
    check(model, scorer, whole)
    check(model, scorer, row)


@pytest.mark.parametrize("name", KINDS)
def test_good_rows_alone_and_together(name, scorers, job_rows):
    model, scorer = scorers[name]
    alone = [scorer.row(row) for row in job_rows]
    assert [dataclasses.astuple(a)[:3] for a in scorer.rows(job_rows)] == [dataclasses.astuple(a)[:3] for a in alone]
    assert {a.verdict for a in alone} <= {"ok", "warn"}
    for row in job_rows[:5]:
        check(model, scorer, row)


@settings(max_examples=10, deadline=None)
@given(rows=st.lists(ROWS, min_size=2, max_size=6))
def test_neighbours_do_not_matter(scorers, rows):
    _, scorer = scorers["ensemble"]
    together = scorer.rows(rows)
    for row, got in zip(rows, together, strict=True):
        alone = scorer.row(row)
        assert (got.verdict, got.why, got.answer) == (alone.verdict, alone.why, alone.answer)


def test_a_plan_with_joins_takes_the_road_of_tables(bundles, job_rows):
    model = Predictor.load(bundles(join=True))
    hours = np.arange(np.datetime64("2024-01-01"), np.datetime64("2024-09-01"), np.timedelta64(1, "h"))
    weather = pa.table(
        {
            "at": hours.astype("M8[us]"),
            "rain": np.random.default_rng(3).random(len(hours)),
            "kind": ["red"] * len(hours),
        }
    )
    others = {"weather": model.table_of(weather, "weather")}
    scorer = RowScorer(model, others)
    assert not scorer.compiled
    for row in job_rows[:6]:
        verdict, why, expected = by_tables(model, row, others)
        got = scorer.row(row)
        assert (got.verdict, got.why, flat(got.answer)) == (verdict, why, expected)
    with pytest.raises(DataError, match="joins weather"):
        RowScorer(model).row(job_rows[0])


def strict(contract):
    """A reviewed contract: what people refuse, and a rule that only SQL can tell."""
    (table,) = contract.tables
    columns = tuple(
        c.model_copy(update={"outside": "refuse", "low": 0.0, "high": 12.0}) if c.name == "parts"
        else c.model_copy(update={"required": False, "missing": "allow"}) if c.name == "load"
        else c.model_copy(update={"shape": r"l\d+", "levels": (), "misshapen": "refuse"}) if c.name == "line"
        else c
        for c in table.columns
    )  # fmt: skip
    rule = RowRule(rule="size > 0 or load > 0", breach="refuse")
    return contract.model_copy(
        update={"tables": (table.model_copy(update={"columns": columns, "rules": (*table.rules, rule)}),)}
    )


def test_rules_that_people_wrote(tmp_path_factory, bundles, job_rows):
    model = Predictor.load(bundles(contract=strict))
    scorer = RowScorer(model)
    row = job_rows[0]
    some = [
        row,
        row | {"parts": 13},
        row | {"line": "x1"},
        row | {"line": "l1\n"},
        row | {"size": -1, "load": -1.0},
        row | {"size": None},
    ]
    for one in some:
        check(model, scorer, one)
    assert [a.verdict for a in scorer.rows(some)][1:5] == ["refused"] * 4
    without = {k: v for k, v in row.items() if k != "load"}  # it may be absent, and is then as good as empty
    assert scorer.row(without).answer == scorer.row(row | {"load": None}).answer
    assert scorer.row(without | {"size": -1}).why == scorer.row(row | {"load": None, "size": -1}).why


def test_what_came_and_what_was_expected_without_the_value(scorers, job_rows):
    _, scorer = scorers["boosted"]
    row = {**job_rows[0], "parts": "seven of them", "sise": 4}
    row.pop("size")
    told = scorer.details(scorer.row(row), row)
    assert {(t["column"], t["rule"]) for t in told} == {("parts", "unreadable"), ("size", "absent")}
    assert "did you mean 'sise'?" in str(told) and "seven" not in str(told)
    # what names the row is no misspelt column, however near
    declared = scorer.model.declaration
    spec = declared.tables["jobs"].model_copy(update={"key": ("sise",)})
    named = copy.copy(scorer)
    named.model = dataclasses.replace(scorer.model, declaration=declared.model_copy(update={"tables": {"jobs": spec}}))
    assert "did you mean" not in str(named.details(scorer.row(row), row))


def test_a_table_of_rows_has_the_frozen_types(scorers, job_rows):
    _, scorer = scorers["boosted"]
    table = scorer.table(job_rows[:3])
    assert isinstance(table, Table) and table.type_of("asked") == "datetime" and table.rows == 3
