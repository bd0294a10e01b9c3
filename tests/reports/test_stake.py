"""Which findings come first, and words that count checks and findings apart."""

from hypothesis import given, settings
from hypothesis import strategies as st

from holdgood.core.records import AuditReport, Finding, Outcome, TableSummary
from holdgood.reports.stake import (
    by_severity,
    decided,
    ended_words,
    example_words,
    first_and_rest,
    found_words,
    ordered,
)


def a_finding(code="AUD001", level="issue", severity="medium", columns=("a",), **more):
    return Finding(
        code=code, title="t", level=level, severity=severity, table="t", columns=columns, message="m", **more
    )


def a_report(*findings, passed=2):
    codes = dict.fromkeys(f.code for f in findings)
    live = []
    for code in codes:
        mine = tuple(f for f in findings if f.code == code)
        status = "issue" if any(f.level == "issue" for f in mine) else "tip"
        live.append(Outcome(code=code, title="t", scope="tables", status=status, findings=mine))
    rest = [Outcome(code=f"AUD9{i:02}", title="t", scope="tables", status="passed") for i in range(passed)]
    return AuditReport(
        scope="tables", tables=(TableSummary(name="t", rows=100, columns=9),), outcomes=(*live, *rest), seconds=1.0
    )


def test_issues_before_tips_then_severity_then_certainty_then_rows():
    wanted = [
        a_finding("AUD009", severity="high", late=True, rows=1),
        a_finding("AUD008", severity="high", rows=90),
        a_finding("AUD007", severity="high", rows=10),
        a_finding("AUD006", severity="high", sure="likely", rows=99),
        a_finding("AUD005", severity="low", sure="possible"),
        a_finding("AUD004", level="tip", severity="high"),
    ]
    assert ordered([a_report(*reversed(wanted))]) == wanted


def test_one_cause_is_shown_once_and_one_kind_does_not_fill_the_screen():
    same = a_finding("AUD002", severity="high", columns=("a", "b"))
    twice = a_finding("AUD003", severity="high", columns=("b", "a"), sure="likely")
    others = [a_finding("AUD007", severity="high", columns=(c,), sure="likely", rows=50) for c in "cde"]
    lighter = a_finding("AUD010", severity="medium", columns=("f",))
    first, rest = first_and_rest([a_report(same, twice, *others, lighter)])
    assert first == [same, others[0], lighter]
    assert rest == [others[1], others[2], twice]


def test_a_tip_never_goes_before_an_issue_and_few_are_all_shown():
    issues = [a_finding("AUD007", severity="low", columns=(c,)) for c in "abc"]
    tip = a_finding("AUD001", level="tip", severity="high", columns=("z",))
    assert first_and_rest([a_report(*issues, tip)]) == (issues, [tip])
    two = [a_finding(columns=("a",)), a_finding("AUD002", columns=("a",))]
    assert first_and_rest([a_report(*two)]) == (two, [])


SOME = st.lists(
    st.builds(
        a_finding,
        code=st.sampled_from(["AUD001", "AUD002", "AUD003"]),
        level=st.sampled_from(["issue", "tip"]),
        severity=st.sampled_from(["high", "medium", "low"]),
        columns=st.lists(st.sampled_from("abcd"), max_size=3, unique=True).map(tuple),
        sure=st.sampled_from(["certain", "likely", "possible"]),
        rows=st.integers(0, 100),
    ),
    max_size=9,
)


@settings(max_examples=50, deadline=None)
@given(SOME)
def test_nothing_is_lost_and_names_do_not_matter(findings):
    report = a_report(*findings)
    first, rest = first_and_rest([report])
    assert len(first) == min(3, len(findings))
    key = lambda f: f.model_dump_json()  # noqa: E731
    assert sorted(map(key, first + rest)) == sorted(map(key, findings))
    renamed = {"a": "zz", "b": "mm", "c": "aa", "d": "0"}
    turned = [f.model_copy(update={"columns": tuple(renamed[c] for c in f.columns)}) for f in findings]
    again, _ = first_and_rest([a_report(*turned)])
    assert [tuple(renamed[c] for c in f.columns) for f in first] == [f.columns for f in again]


def test_checks_and_findings_are_counted_apart():
    report = a_report(a_finding(), a_finding(columns=("b",)), a_finding("AUD002", level="tip"))
    assert found_words([report]) == "2 of 4 checks found 3 things: 2 issues and 1 tip"
    assert ended_words([report]) == "2 passed · 0 not applicable · 0 skipped · 0 ignored"
    assert found_words([report, report]) == "4 of 8 checks found 6 things: 4 issues and 2 tips"
    assert found_words([a_report(passed=1)]) == "1 check looked and found nothing to deal with"
    unfit = Outcome(code="AUD003", title="t", scope="tables", status="not applicable")
    quiet = a_report(passed=1)
    quiet = quiet.model_copy(update={"outcomes": (*quiet.outcomes, unfit)})
    assert found_words([quiet]) == "1 of 2 checks looked and found nothing to deal with"
    assert [s for s, _ in by_severity([a_finding(severity="low"), a_finding(severity="high")])] == ["high", "low"]


def test_rows_are_counted_from_one_and_stretches_are_told_as_such():
    assert example_words(a_finding()) == ""
    assert example_words(a_finding(rows=1, examples=(16,))) == "row 17"
    assert example_words(a_finding(rows=4, examples=(16, 202, 203, 204))) == "rows 17, 203 to 205"
    assert example_words(a_finding(rows=40, examples=(16, 1202))) == "rows 17, 1,203, …"
    assert example_words(a_finding(rows=9, examples=(0, 2, 4, 6, 8, 10))) == "rows 1, 3, 5, 7, 9, …"


def test_what_people_decided_is_found_whatever_its_status():
    whole = Outcome(code="AUD001", title="t", scope="tables", status="ignored", ignored_by="Ann", reason="r")
    stale = Outcome(code="AUD002", title="t", scope="tables", status="passed", ignored_by="Bo", reason="r")
    report = a_report(a_finding("AUD003"))
    report = report.model_copy(update={"outcomes": (*report.outcomes, whole, stale)})
    assert decided([report]) == [whole, stale]
