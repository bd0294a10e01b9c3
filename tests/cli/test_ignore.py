"""holdgood ignore: decide, look, take back; refused without name and reason."""

import pytest


@pytest.fixture
def folder(tmp_path):
    rows = "".join(f"{i},{-999 if i % 9 == 0 else i * 0.5}\n" for i in range(300))
    (tmp_path / "t.csv").write_text("id,weight\n" + rows)
    return tmp_path


def test_a_finding_is_accepted_listed_and_opened_again(cli, folder):
    assert "AUD007" in cli("audit", "t.csv", "--no-report", "--only", "AUD007", at=folder).out
    said = cli("ignore", "AUD007", "--table", "t.csv", "--columns", "weight", "--accept", "--who", "Ann", "--why",
               "the gauge says so", at=folder)  # fmt: skip
    assert said.code == 0, said.all
    assert "accepted  AUD007  t: weight  by Ann on 20" in said.out
    audit = cli("audit", "t.csv", "--no-report", "--strict", "--only", "AUD007", at=folder)
    assert audit.code == 0, "an accepted finding is not open"
    assert "0 skipped · 1 ignored" in audit.out
    assert "ignored AUD007  by Ann: accepted on 20" in audit.out
    assert "holds -999" in cli("audit", "t.csv", "--no-report", "--all", at=folder).out, "it stays listed"
    kept = cli("ignore", "--list", "--json", at=folder).json
    assert [(r["code"], r["decision"], r["who"]) for r in kept["decisions"]] == [("AUD007", "accept", "Ann")]
    assert "these findings are open again" in cli("ignore", "--undo", "AUD007", at=folder).out
    assert "holds no decision" in cli("ignore", "--list", at=folder).out
    assert cli("audit", "t.csv", "--no-report", "--strict", "--only", "AUD007", at=folder).code == 1


def test_a_decision_that_matches_nothing_any_more_is_told(cli, folder):
    assert cli("ignore", "AUD002", "--table", "t.csv", "--who", "Ann", "--why", "copies", at=folder).code == 0
    said = cli("audit", "t.csv", "--no-report", at=folder)
    assert "decided AUD002  by Ann: the rule by Ann (ignored: copies) for `t` matches no finding" in said.out


def test_what_is_not_enough_is_refused_in_three_lines(folder, refuses):
    refuses("ignore", "AUD007", "--why", "x", at=folder, code=2, says="without --who")
    refuses("ignore", "AUD007", at=folder, code=2, says="--who and --why")
    refuses("ignore", "AUD77", "--who", "a", "--why", "b", at=folder, code=2, says="AUD77")
    refuses("ignore", at=folder, code=2, says="no code is named")
    refuses("ignore", "--undo", "AUD007", at=folder, code=2, says="no such decision")
    refuses("audit", "t.csv", "--only", "AUD", at=folder, code=2, says="no check has the code")
    (folder / "holdgood.audit.toml").write_text("[[audit.ignore]]\ncode = 'AUD007'\nwhoo = 'a'\nwhy = 'b'\n")
    refuses("audit", "t.csv", at=folder, code=2, says="holdgood.audit.toml")
