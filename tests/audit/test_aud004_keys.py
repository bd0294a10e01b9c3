import pytest

from holdgood.audit.aud004_keys import CHECK
from holdgood.core.errors import DataError


def test_repeated_and_missing_keys_are_issues(tables_of):
    columns = {"a": [1, 1, 2, 2, None], "b": ["x", "y", "x", "x", "z"]}
    findings = CHECK.run(tables_of({"t": columns}, specs={"t": {"key": ["a", "b"]}}))
    assert [(f.rows, f.severity) for f in findings] == [(1, "high"), (1, "medium")]
    assert "not unique" in findings[0].message


def test_quiet_on_a_good_key_not_applicable_without_one(tables_of, refuses):
    assert CHECK.run(tables_of({"t": {"a": [1, 2, 3]}}, specs={"t": {"key": ["a"]}})) == []
    assert refuses(CHECK, tables_of({"t": {"a": [1, 1]}})) == "no key is declared"


def test_a_key_that_does_not_exist_gets_a_suggestion(tables_of):
    with pytest.raises(DataError, match="did you mean 'order'"):
        CHECK.run(tables_of({"t": {"order": [1]}}, specs={"t": {"key": ["ordr"]}}))
