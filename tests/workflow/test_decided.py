"""Decisions about findings as text in a file: every other byte stays, and the audit obeys what it says."""

import tomllib

import pytest

from holdgood.core.errors import DataError, DeclarationError
from holdgood.workflow.decided import BESIDE, Place, decide, place, rules, rules_for, undo
from holdgood.workflow.tables import audit_files

PROJECT = """# my project — with a remark\r
[task]\r
target = "late"   # what we want to know\r
\r
[tables.orders]\r
source = "data/orders.csv"\r
\r
[[audit.ignore]]\r
code = "AUD003"\r
who = "Ada"\r
why = '''one year,\r
[on purpose]'''\r
\r
# about money\r
[costs]\r
miss = 300\r
false_alarm = 40\r
"""


@pytest.fixture
def project(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "orders.csv").write_text(
        "a,b\n" + "".join(f"{i},{-999 if i % 9 == 0 else i}\n" for i in range(300))
    )
    (tmp_path / "holdgood.toml").write_bytes(PROJECT.encode())
    return tmp_path


def test_a_decision_is_appended_and_taken_back_to_the_byte(project, monkeypatch):
    monkeypatch.chdir(project)
    at = place("data/orders.csv", project)
    assert at == Place(project / "holdgood.toml", "orders")
    made = decide(at, "aud007", who="Bo", why='he said "so"', columns=["b", "ü c"], accept=True, on="2026-11-23")
    after = at.path.read_bytes().decode()
    assert after.startswith(PROJECT)
    assert after.count("\n") == after.count("\r\n")
    assert tomllib.loads(after)["audit"]["ignore"][1] == {
        "code": "AUD007", "table": "orders", "columns": ["b", "ü c"], "decision": "accept", "who": "Bo",
        "why": 'he said "so"', "on": "2026-11-23",
    }  # fmt: skip
    assert rules(at.path)[1] == made
    with pytest.raises(DeclarationError, match="already"):
        decide(at, "AUD007", who="Cy", why="again", columns=["ü c", "b"])
    assert undo(at, "AUD007") == [made]
    assert at.path.read_bytes().decode().rstrip() == PROJECT.rstrip()


def test_another_decision_goes_and_the_remarks_around_it_stay(tmp_path):
    at = Place(tmp_path / BESIDE, None)
    at.path.write_text(
        '# kept by the team\n\n[[audit.ignore]] # first\ncode = "AUD001"\nwho = "A"\nwhy = "x"\n\n'
        '# about the second\n[[audit.ignore]]\ncode = "AUD002"\nwho = "B"\nwhy = "y"\n'
    )
    undo(at, "AUD001")
    assert at.path.read_text() == (
        '# kept by the team\n\n# about the second\n[[audit.ignore]]\ncode = "AUD002"\nwho = "B"\nwhy = "y"\n'
    )
    undo(at, "AUD002")
    assert [r.code for r in rules(at.path)] == []


def test_what_cannot_be_changed_safely_is_left_alone(project):
    at = Place(project / "holdgood.toml", None)
    inner = at.path.read_bytes()
    with pytest.raises(DeclarationError, match="by hand"):
        undo(at, "AUD003")  # its reason has a line that looks like a header
    assert at.path.read_bytes() == inner
    text = "audit = { ignore = [{ code = 'AUD001', who = 'A', why = 'x' }] }\n"
    at.path.write_text(text)
    with pytest.raises(DeclarationError, match="by hand"):
        decide(at, "AUD002", who="B", why="y")
    assert at.path.read_text() == text


@pytest.mark.parametrize(("who", "why"), [("", "so"), ("Ann", " "), ("", "")])
def test_a_decision_needs_a_name_and_a_reason(tmp_path, who, why):
    with pytest.raises(DeclarationError, match="without") as refused:
        decide(Place(tmp_path / BESIDE, None), "AUD001", who=who, why=why)
    assert len(str(refused.value).splitlines()) == 3
    assert not (tmp_path / BESIDE).exists()


def test_unknown_codes_tables_and_files_are_refused(project):
    with pytest.raises(DeclarationError, match="no check has the code"):
        decide(Place(project / BESIDE, None), "AUD999", who="A", why="x")
    with pytest.raises(DeclarationError, match="no such decision"):
        undo(Place(project / BESIDE, None), "AUD001")
    with pytest.raises(DeclarationError, match="no table 'ordres'"):
        place("ordres", project)
    (project / "holdgood.toml").unlink()
    with pytest.raises(DataError, match="no file gone.csv"):
        place("gone.csv", project)
    assert place("data/orders.csv", project) == Place(project / "data" / BESIDE, "orders")
    assert place(None, project) == Place(project / BESIDE, None)


def test_the_audit_of_a_file_obeys_what_lies_beside_it(project, monkeypatch):
    (project / "holdgood.toml").unlink()
    monkeypatch.chdir(project)
    before = audit_files(["data/orders.csv"], write=False).report
    assert "AUD007" in {f.code for f in before.issues}
    decide(place("data/orders.csv", project), "AUD007", who="Bo", why="a gauge's code", accept=True, on="2026-11-23")
    decide(Place(project / "data" / BESIDE, "elsewhere"), "AUD001", who="Bo", why="another table")
    after = audit_files(["data/orders.csv"], write=False).report
    told = {o.code: o for o in after.outcomes}
    assert told["AUD007"].status == "ignored"
    assert told["AUD007"].ignored_by == "Bo"
    assert told["AUD007"].reason == "accepted on 2026-11-23 because a gauge's code"
    assert told["AUD007"].findings
    assert not told["AUD001"].ignored_by, "a rule about another table is not told as stale"


def test_the_audit_of_a_projects_file_obeys_the_project(project, monkeypatch):
    monkeypatch.chdir(project)
    found = rules_for({"orders": "data/orders.csv"}, project)
    assert [(r.code, r.table) for r in found] == [("AUD003", "orders")]
    assert rules_for({"other": "data/other.csv"}, project) == []
    assert [r.table for r in rules_for({"mine": "data/orders.csv"}, project)] == ["mine"]
    text = (project / "holdgood.toml").read_text().replace("false_alarm = 40", "")
    (project / "holdgood.toml").write_text(text)
    assert rules_for({"orders": "data/orders.csv"}, project) == found, (
        "a fault elsewhere in it is not the audit's matter"
    )


def test_only_and_skip_choose_the_checks(project):
    source = str(project / "data" / "orders.csv")
    only = audit_files([source], write=False, only=["aud007"]).report
    assert [o.code for o in only.outcomes] == ["AUD007"]
    rest = audit_files([source], write=False, skip=["AUD007"]).report
    assert "AUD007" not in {o.code for o in rest.outcomes}
    with pytest.raises(DeclarationError, match="no check has the code 'AUD0077'"):
        audit_files([source], write=False, skip=["AUD0077"])
