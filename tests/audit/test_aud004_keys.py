import numpy as np
import pytest

from holdgood.audit.aud004_keys import CHECK
from holdgood.core.errors import DataError
from holdgood.testing.check import check_check

rng = np.random.default_rng(4)


def _numbered(n, doubled):
    nr = np.arange(n) + 1_000
    nr[:doubled] = nr[n // 2 : n // 2 + doubled]
    return {"nr": nr} | {f"x{i}": rng.normal(size=n).round(2) for i in range(4)} | {"c": rng.choice(list("abcd"), n)}


@pytest.mark.parametrize(("doubled", "level"), [(25, "issue"), (3, "tip")])
def test_different_rows_under_one_found_key(tables_of, doubled, level):
    (finding,) = CHECK.run(tables_of({"t": _numbered(500, doubled)}))
    assert (finding.level, finding.columns, finding.rows, finding.sure) == (level, ("nr",), doubled, "likely")
    assert set(finding.examples) <= {*range(doubled), *range(250, 250 + doubled)}


def test_copies_under_one_found_key_are_left_to_others(tables_of):
    columns = {n: np.concatenate([v, v[:20]]) for n, v in _numbered(500, 0).items()}
    columns["x1"][500:] += 3
    assert CHECK.run(tables_of({"t": columns})) == []


def test_the_grain_of_the_main_table_is_told_in_a_set_of_tables(tables_of):
    shop, day = np.repeat([f"s{i}" for i in range(30)], 40), np.tile(np.arange(40), 30)
    sales = {"shop": shop, "day": day, "sold": rng.integers(0, 20, 1_200)}
    (finding,) = CHECK.run(tables_of({"sales": sales, "shops": {"shop": [f"s{i}" for i in range(30)]}}))
    assert (finding.level, finding.columns) == ("tip", ("shop", "day"))
    assert CHECK.run(tables_of({"sales": sales})) == []


def test_contract(tables_of):
    check_check(CHECK, lambda: tables_of({"t": _numbered(500, 25)}))


def test_repeated_and_missing_keys_are_issues(tables_of):
    columns = {"a": [1, 1, 2, 2, None], "b": ["x", "y", "x", "x", "z"]}
    findings = CHECK.run(tables_of({"t": columns}, specs={"t": {"key": ["a", "b"]}}))
    assert [(f.rows, f.severity) for f in findings] == [(1, "high"), (1, "medium")]
    assert "not unique" in findings[0].message


def test_quiet_on_a_good_key_not_applicable_without_one(tables_of, refuses):
    assert CHECK.run(tables_of({"t": {"a": [1, 2, 3]}}, specs={"t": {"key": ["a"]}})) == []
    assert "no key is declared" in refuses(CHECK, tables_of({"t": {"a": [1, 1]}}))


def test_a_key_that_does_not_exist_gets_a_suggestion(tables_of):
    with pytest.raises(DataError, match="did you mean 'order'"):
        CHECK.run(tables_of({"t": {"order": [1]}}, specs={"t": {"key": ["ordr"]}}))
