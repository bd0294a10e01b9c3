"""Rules about findings: whole or in part, accepted or ignored, by table, and stale ones."""

from holdgood.audit.settled import accepted_late, settle
from holdgood.core.declaration import IgnoreSpec
from holdgood.core.records import Finding


def about(*columns, table="t"):
    return Finding(
        code="AUD007", title="t", level="issue", severity="low", table=table, columns=columns, message=f"in {table}"
    )


def rule(**more):
    return IgnoreSpec(**({"code": "AUD007", "who": "Ada", "why": "known"} | more))


def test_without_rules_everything_stays():
    found = settle([about("a")], [])
    assert (found.live, found.gone, found.who, found.reason, found.wholly) == ((about("a"),), (), "", "", False)


def test_a_whole_rule_takes_all_and_says_who_and_why():
    found = settle([about("a"), about("b")], [rule()])
    assert found.wholly
    assert (found.live, found.who, found.reason) == ((), "Ada", "known")


def test_an_acceptance_says_that_it_is_one_and_when():
    found = settle([about("a")], [rule(decision="accept", on="2026-11-23")])
    assert found.wholly
    assert found.reason == "accepted on 2026-11-23 because known"


def test_a_rule_for_a_table_leaves_the_others_open_and_what_is_settled_is_named():
    found = settle([about("a", table="t"), about("a", table="u")], [rule(table="u", decision="accept")])
    assert [f.table for f in found.live] == ["t"]
    assert [f.table for f in found.gone] == ["u"]
    assert found.who == "Ada"
    assert found.reason == "accepted because known; settled: in u"


def test_columns_are_taken_out_of_a_finding_with_the_name_of_who_decided():
    found = settle([about("a", "b", "c")], [rule(columns=["a"]), rule(columns=["c"], who="Bo", decision="accept")])
    (left,) = found.live
    assert left.columns == ("b",)
    assert left.message == "in t (`a` ignored by Ada, `c` accepted by Bo)"
    assert found.who == "Ada, Bo"
    assert settle([about("a")], [rule(columns=["a"], table="u")]).live == (about("a"),)


def test_a_rule_that_matches_nothing_is_told():
    found = settle([], [rule(columns=["gone"], table="t")])
    assert not found.wholly
    assert found.who == "Ada"
    assert "the rule by Ada (ignored: known) for `gone` of `t` matches no finding" in found.reason
    assert "holdgood ignore --undo AUD007" in found.reason
    both = settle([about("a")], [rule(columns=["a"]), rule(columns=["z"], who="Bo")])
    assert both.wholly
    assert both.who == "Ada"
    assert "the rule by Bo" in both.reason


def test_an_accepted_late_column_stays_out_of_the_features_and_an_ignored_one_does_not():
    finding = Finding(
        code="AUD014", title="t", level="issue", severity="high", table="t", columns=("a", "b"), message="m", late=True
    )
    accept = IgnoreSpec(code="AUD014", who="x", why="y", columns=["a"], decision="accept")
    ignore = IgnoreSpec(code="AUD014", who="x", why="y", columns=["b"])
    assert accepted_late([finding], [accept, ignore]) == (("t", "a"),)
    assert accepted_late([finding], [accept.model_copy(update={"columns": []})]) == (("t", "a"), ("t", "b"))
    assert accepted_late([finding.model_copy(update={"late": False})], [accept]) == ()
