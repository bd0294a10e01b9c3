import pytest

from holdgood.audit.aud025_text_damage import CHECK
from holdgood.cleaning.repair_text import REPAIR

TOWNS = ["São Paulo", "Köln", "Lyon", "New York"] * 50


@pytest.mark.parametrize(
    ("damaged", "rule", "mended"),
    [
        (" Lyon", "edges", "Lyon"),
        ("Lyon\u00a0", "edges", "Lyon"),
        ("New  York", "spaces", "New York"),
        ("New\u00a0York", "odd-spaces", "New York"),
        ("Ly\u200bon", "invisible", "Lyon"),
        ("Lyon\x07", "invisible", "Lyon"),
        ("KÃ¶ln", "mojibake", "Köln"),
        ("SÃ£o Paulo", "mojibake", "São Paulo"),
        ("New&nbsp;York", "entities", "New\u00a0York"),
        ("L&yacute;on", "entities", "Lýon"),
        ("Ko\u0308ln", "composed", "Köln"),
        ("Ly\u043en", "look-alikes", "Lyon"),
    ],
)
def test_kinds_of_damage(tables_of, damaged, rule, mended):
    context = tables_of({"t": {"town": [*TOWNS, damaged, damaged, damaged]}})
    (finding,) = CHECK.run(context)
    assert (finding.level, finding.rows, finding.sure, finding.examples) == ("issue", 3, "certain", (200, 201, 202))
    assert rule in finding.proposal.parameters["rules"]
    clean, entry = REPAIR.apply(context.tables["t"], ["town"], {"rules": [rule]})
    assert entry.cells_changed == finding.proposal.cells == 3
    assert clean.data.column("town").to_pylist()[200] == mended


def test_columns_with_the_same_damage_are_one_finding(tables_of):
    columns = {"a": [*TOWNS, " Lyon"], "b": [*TOWNS, "Lyon "], "c": [*TOWNS, "KÃ¶ln"]}
    findings = CHECK.run(tables_of({"t": columns}))
    assert [f.columns for f in findings] == [("a", "b"), ("c",)]
    assert findings[0].evidence["cells"] == 2


def test_lost_characters_are_told_and_cannot_be_mended(tables_of):
    (finding,) = CHECK.run(tables_of({"t": {"town": [*TOWNS, "K\ufffdln"]}}))
    assert finding.proposal is None
    assert "lost" in finding.message


def test_double_spaces_without_a_twin_and_curly_quotes_throughout_are_how_it_is_written(tables_of):
    columns = {"a": ["the  right kind"] * 100 + ["other"] * 100, "b": ["rock\u2019n\u2019roll", "jazz"] * 100}
    assert CHECK.run(tables_of({"t": columns})) == []


def test_honest_alphabets_and_prose(tables_of):
    words = ["а", "значит", "и", "это", "предложение", "написано", "по", "русски", "и", "без", "ошибок"]
    prose = [f"{' '.join(words[i % 5 :])}.  Next  sentence number {i} follows here\n" for i in range(200)]
    columns = {"city": ["Москва", "Αθήνα", "Zürich", "naïve café"] * 50, "note": prose}
    assert CHECK.run(tables_of({"t": columns})) == []


def test_a_padded_column_is_a_tip(tables_of):
    (finding,) = CHECK.run(tables_of({"t": {"a": [f"{w}  " for w in ("red", "blue")] * 50}}))
    assert (finding.level, finding.severity) == ("tip", "low")


def test_not_applicable_without_texts(tables_of, refuses):
    assert refuses(CHECK, tables_of({"t": {"a": [1]}})) == "no column is kept as text"
