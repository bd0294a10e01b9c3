import numpy as np

from holdgood.audit.aud003_constant import CHECK


def test_constant_and_almost_constant_columns_are_tips(tables_of):
    columns = {
        "same": ["x"] * 2000,
        "almost": [0] * 1999 + [1],
        "some": [0] * 1990 + [1] * 10,
        "all": list(range(2000)),
    }
    findings = CHECK.run(tables_of({"t": columns}))
    assert [(f.level, f.columns) for f in findings] == [("tip", ("same",)), ("tip", ("almost",))]


def test_a_column_with_gaps_is_not_constant(tables_of):
    assert CHECK.run(tables_of({"t": {"a": [1.0] * 50 + [None] * 50, "b": list(range(100))}})) == []


def test_not_applicable_for_few_rows(tables_of, refuses):
    assert "20 rows" in refuses(CHECK, tables_of({"t": {"a": [1, 1, 1]}}))


def test_rare_events_are_no_constant_and_odd_rows_are_pointed_at(tables_of):
    event = np.zeros(30_000, dtype=int)
    event[:25] = 1
    price = np.full(30_000, 9.5)
    price[7:12] = [1, 2, 3, 4, 5]
    (finding,) = CHECK.run(tables_of({"t": {"event": event, "price": price}}))
    assert (finding.columns, finding.examples, finding.evidence["other_rows"]) == (("price",), (7, 8, 9, 10, 11), 5)


def test_a_few_gaps_in_a_constant_column_are_told(tables_of):
    (finding,) = CHECK.run(tables_of({"t": {"a": [None] * 2 + ["x"] * 2_998, "b": list(range(3_000))}}))
    assert (finding.columns, finding.examples) == (("a",), (0, 1))


def test_a_table_of_constants_alone_keeps_its_columns(tables_of):
    (finding,) = CHECK.run(tables_of({"t": {"a": [1] * 30, "b": ["x"] * 30}}))
    assert finding.proposal is None
