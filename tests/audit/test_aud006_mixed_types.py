import pandas as pd

from holdgood.audit.aud006_mixed_types import CHECK
from holdgood.core.table import Table


def test_fractions_with_a_few_words_are_an_issue(tables_of):
    prices = [f"{i * 1.37:.2f}" for i in range(95)] + ["ask", "ask", "tbd", "-", "n/a"]
    (finding,) = CHECK.run(tables_of({"t": {"price": prices}}))
    assert (finding.level, finding.rows, finding.evidence["numbers"]) == ("issue", 5, 95)
    assert finding.proposal.repair == "to-number"


def test_fractions_only_are_a_tip(tables_of):
    (finding,) = CHECK.run(tables_of({"t": {"price": [f"1.{i:03d},5" for i in range(99)]}}))
    assert finding.level == "tip"
    assert finding.proposal.parameters == {"decimal": ","}


def test_codes_in_digits_are_left_alone(tables_of):
    zips = [f"{i:05d}" for i in range(1000, 1100)]
    flights = [str(100 + i % 40) for i in range(100)]
    cars = [["A4", "A6", "100"][i % 3] for i in range(100)]
    assert CHECK.run(tables_of({"t": {"zip": zips, "flight": flights, "car": cars}})) == []


def test_mixed_objects_of_pandas_become_an_issue(tables_of):
    frame = pd.DataFrame({"a": [1, "two", 3.0, {"x": 1}] * 5})
    (finding,) = CHECK.run(tables_of({"t": Table.of(frame, "t")}))
    assert "mixes types" in finding.message


def test_not_applicable_without_texts(tables_of, refuses):
    assert refuses(CHECK, tables_of({"t": {"a": [1, 2]}}))
