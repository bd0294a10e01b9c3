"""Each row gets the verdict that its own cells earn, whatever stands beside it."""

import datetime as dt

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from holdgood.audit.verdicts import verdicts
from holdgood.core.errors import DeclarationError
from holdgood.core.records import ColumnRule, RowRule, TableContract
from holdgood.core.table import Table

CONTRACT = TableContract(
    name="t",
    columns=(
        ColumnRule(name="n", type="number", low=0, high=10, whole=True, missing="refuse"),
        ColumnRule(name="w", type="category", levels=("a", "b"), unseen="refuse"),
        ColumnRule(name="c", type="category", shape="[A-Z]{2}[0-9]{2}"),
        ColumnRule(name="m", type="number", outside="allow"),
    ),
    rules=(RowRule(rule="n <= m", breach="warn"),),
)


def frame(**changes):
    base = {"n": [1.0, 2.0], "w": ["a", "b"], "c": ["AB12", "CD34"], "m": [5.0, 6.0]}
    return Table.of(pd.DataFrame(base | changes), "t")


def test_rows_that_keep_every_rule_are_ok():
    said = verdicts(frame(), CONTRACT)
    assert said.words.tolist() == ["ok", "ok"]
    assert said.reasons().tolist() == ["", ""]
    assert said.broken == ()


@pytest.mark.parametrize(
    ("changes", "word", "reason"),
    [
        ({"n": [-1.0, 2.0]}, "warn", "n is below 0"),
        ({"n": [11.0, 2.0], "m": [20.0, 6.0]}, "warn", "n is above 10"),
        ({"n": [1.5, 2.0]}, "warn", "n is not a whole number"),
        ({"n": [None, 2.0]}, "refused", "n is missing"),
        ({"w": ["zebra", "b"]}, "refused", "w is a word never seen before"),
        ({"c": ["AB1", "CD34"]}, "warn", "c is written in another shape"),
        ({"m": [0.5, 6.0]}, "warn", "not so: n <= m"),
        ({"m": [None, 6.0]}, "ok", ""),
    ],
)
def test_each_breach_has_its_verdict_and_reason(changes, word, reason):
    said = verdicts(frame(**changes), CONTRACT)
    assert said.words.tolist() == [word, "ok"]
    assert said.reasons().tolist() == [reason, ""]


def test_a_value_never_stands_in_a_reason():
    said = verdicts(frame(w=["zebra", "b"], c=["secret", "CD34"], n=[99.0, 2.0]), CONTRACT)
    told = " ".join(said.reasons())
    assert "zebra" not in told
    assert "secret" not in told
    assert "99" not in told


def test_several_reasons_are_joined_and_the_gravest_counts():
    said = verdicts(frame(n=[-1.0, 2.0], w=["q", "b"]), CONTRACT)
    assert said.words[0] == "refused"
    assert said.reasons()[0] == "n is below 0; w is a word never seen before"


def test_a_column_of_another_type_is_unreadable_not_a_crash():
    said = verdicts(frame(n=["one", "two"]), CONTRACT)
    assert said.words.tolist() == ["warn", "warn"]
    assert said.reasons()[0] == "n is no number"


def test_an_absent_column_refuses_every_row():
    table = Table.of(pd.DataFrame({"w": ["a"], "c": ["AB12"], "m": [1.0]}), "t")
    said = verdicts(table, CONTRACT)
    assert said.words.tolist() == ["refused"]
    assert "column n is not there" in said.reasons()[0]


def test_lost_cells_are_unreadable_and_not_missing():
    said = verdicts(frame(n=[None, 2.0]), CONTRACT, {"n": np.array([True, False])})
    assert said.reasons()[0] == "n is no number"
    assert said.words[0] == "warn"


def test_no_rows_no_verdicts():
    said = verdicts(frame().take(np.empty(0, np.int64)), CONTRACT)
    assert len(said.words) == 0
    assert said.count("ok") == 0


@limits(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.one_of(st.none(), st.floats(-5, 15)), st.sampled_from(["a", "b", "q", None])),
        min_size=1,
        max_size=12,
    )
)
def test_a_row_alone_gets_the_verdict_that_it_gets_among_others(rows):
    data = pd.DataFrame({"n": [r[0] for r in rows], "w": [r[1] for r in rows]})
    data["n"], data["w"] = data["n"].astype(float), data["w"].astype("string")
    data["c"], data["m"] = "AB12", 7.0
    whole = Table.of(data, "t")
    together = verdicts(whole, CONTRACT)
    for i in range(len(rows)):
        alone = verdicts(whole.take([i]), CONTRACT)
        assert alone.words[0] == together.words[i]
        assert alone.reasons()[0] == together.reasons()[i]


def cast_contract(rule):
    columns = (ColumnRule(name="code", type="text"), ColumnRule(name="n", type="number"))
    return TableContract(name="t", columns=columns, rules=(RowRule(rule=rule),))


def test_a_row_on_which_a_rule_fails_breaks_it_and_the_others_keep_their_own_verdict():
    table = Table.of(pd.DataFrame({"code": ["12", "AB", "99", None], "n": [1, 2, 3, 4]}), "t")
    said = verdicts(table, cast_contract("CAST(code AS INTEGER) < 95 -- of old"))
    assert said.words.tolist() == ["ok", "warn", "warn", "ok"]
    assert said.reasons()[1] == "not so: CAST(code AS INTEGER) < 95 -- of old"
    for i in range(4):
        alone = verdicts(table.take([i]), cast_contract("CAST(code AS INTEGER) < 95 -- of old"))
        assert alone.words[0] == said.words[i]


@pytest.mark.parametrize("rule", ["nothing_here > 1", "sum(n) > 1", "n > "])
def test_a_rule_that_is_none_is_still_told_in_its_own_words(rule):
    table = Table.of(pd.DataFrame({"code": ["12"], "n": [1]}), "t")
    with pytest.raises(DeclarationError) as error:
        verdicts(table, cast_contract(rule))
    assert rule in str(error.value)
    assert "TRY" not in str(error.value)


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("number", ["1", " 2.5 ", "+3", "1e3", "-.5", "NA", "", None], ["x", "1_0", "1,5", "0x1F", "--1"]),
        (
            "datetime",
            [
                "2024-02-01",
                "2024-02-01 10:11",
                "2024-02-01T10:11:12.123456789Z",
                "2024-02-01 10:11:12,5 +02:00",
                "1.2.2024 9:05",
                "2024/2/1",
                "n/a",
                None,
            ],
            ["soon", "2024-02-30", "2024-13-01", "12", "2024-02-01 25:00"],
        ),
        ("boolean", ["true", "F", " yes", "0", "1.0", None], ["maybe", "2"]),
    ],
)
def test_in_a_column_of_text_only_the_cells_that_are_none_are_unreadable(kind, good, bad):
    table = Table.of(pd.DataFrame({"a": pd.Series(good + bad, dtype="string")}), "t")
    contract = TableContract(name="t", columns=(ColumnRule(name="a", type=kind),))
    (broken,) = verdicts(table, contract).broken
    assert broken.kind == "unreadable"
    assert np.flatnonzero(broken.marks).tolist() == list(range(len(good), len(good) + len(bad)))


def test_a_column_of_text_is_held_to_bounds_and_row_rules_as_well():
    said = verdicts(frame(n=["11", "2"], m=["20", "1"]), CONTRACT)
    assert said.reasons().tolist() == ["n is above 10", "not so: n <= m"]
    assert verdicts(frame(n=["NA", "x"]), CONTRACT).reasons().tolist() == ["n is missing", "n is no number"]


def test_reasons_print_enough_digits():
    rule = ColumnRule(name="a", type="number", low=1_700_000_000, high=1_700_000_330)
    table = Table.of(pd.DataFrame({"a": [1_800_000_000, 0]}), "t")
    said = verdicts(table, TableContract(name="t", columns=(rule,)))
    assert said.reasons().tolist() == ["a is above 1700000330", "a is below 1700000000"]


@pytest.mark.parametrize("codes", [[1, 9, None], [1.0, 9.0, None], ["1", "9", None]])
def test_codes_are_held_to_levels_and_shape_whatever_a_file_keeps_them_as(codes):
    levels = ColumnRule(name="c", type="category", levels=("1", "2"), unseen="refuse")
    shape = ColumnRule(name="c", type="category", shape="[0-8]", misshapen="refuse")
    for rule in (levels, shape):
        said = verdicts(Table.of(pa.table({"c": codes}), "t"), TableContract(name="t", columns=(rule,)))
        assert said.words.tolist() == ["ok", "refused", "ok"]


def test_a_rule_over_a_column_that_may_be_absent_is_held_all_the_same():
    rule = RowRule(rule="n > 0 OR (m IS NOT NULL AND w = 'x')", breach="refuse")
    columns = tuple(ColumnRule(name=n, type="number", required=n == "n") for n in "nm")
    contract = TableContract(name="t", columns=(*columns, ColumnRule(name="w", type="category")), rules=(rule,))
    said = verdicts(Table.of(pa.table({"n": [1.0, -9.0], "w": ["x", "x"]}), "t"), contract)
    assert said.words.tolist() == ["ok", "refused"]


@pytest.mark.parametrize("sign", ["<=", "<", ">=", ">"])
def test_two_columns_are_compared_as_a_query_would(sign):
    """Held by comparison alone, and by the query that any other rule is asked by (parentheses make it one)."""
    moments = [None, *(dt.datetime(2026, 1, d) for d in (1, 2, 3))]
    pairs = [(a, b) for a in moments for b in moments]
    table = Table.of(pa.table({"a": [a for a, _ in pairs], "b": [b for _, b in pairs]}))
    columns = tuple(ColumnRule(name=n, type="datetime", missing="allow") for n in "ab")
    said = [
        verdicts(table, TableContract(name="t", columns=columns, rules=(RowRule(rule=rule, breach="refuse"),))).rank.tolist()
        for rule in (f'"a" {sign} "b"', f'("a" {sign} "b")')
    ]  # fmt: skip
    assert said[0] == said[1]
    assert 0 < sum(said[0]) < 2 * len(pairs)
