import numpy as np
import pytest

from holdgood.audit.aud031_redundant import CHECK
from holdgood.testing.check import check_check

rng = np.random.default_rng(3)
N = 900
X = rng.normal(10, 3, N).round(2)
WORD = rng.choice(["red", "green", "blue"], N)
PLAIN = {"x": X, "word": WORD, "y": rng.normal(size=N)}


def test_each_kind_is_told_once_with_a_repair(tables_of):
    code = np.array([{"red": 3, "green": 1, "blue": 2}[w] for w in WORD])
    findings = CHECK.run(tables_of({"t": PLAIN | {"copy": X, "inches": X / 25.4, "code": code}}))
    assert [(f.level, f.columns, f.proposal.columns) for f in findings] == [
        ("tip", ("x", "copy", "inches"), ("copy", "inches")),
        ("tip", ("word", "code"), ("code",)),
    ]


def test_what_the_declaration_stands_on_is_kept(tables_of):
    declared = {"specs": {"t": {"key": []}}, "task": {"target": "copy"}}
    (finding,) = CHECK.run(tables_of({"t": PLAIN | {"copy": X}}, **declared))
    assert finding.proposal.columns == ("x",)


def test_a_share_of_other_rows_is_told(tables_of):
    near = X.copy()
    near[:9] += 5
    (finding,) = CHECK.run(tables_of({"t": PLAIN | {"near": near}}))
    assert finding.sure == "likely"
    assert finding.evidence["agree"] == pytest.approx(1 - 9 / N)


def test_a_coarser_column_is_no_finding(tables_of):
    assert CHECK.run(tables_of({"t": PLAIN | {"warm": WORD == "red", "whole": np.round(X / 5)}})) == []


def test_many_groups_are_one_finding(tables_of):
    columns = {}
    for i in range(12):
        value = rng.normal(size=N)
        columns |= {f"a{i}": value, f"b{i}": value}
    (finding,) = CHECK.run(tables_of({"t": columns}))
    assert (finding.evidence["groups"], len(finding.columns)) == (12, 24)
    assert "more groups" in finding.message


def test_contract_and_refusal(tables_of, refuses):
    check_check(CHECK, lambda: tables_of({"t": PLAIN | {"copy": X}}))
    assert "30 rows" in refuses(CHECK, tables_of({"t": {"a": [1], "b": [1]}}))
