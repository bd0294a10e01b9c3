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
