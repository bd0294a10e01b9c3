"""The pages of comparisons: nothing loaded, names shown as they are written, passwords hidden, nothing said that was not measured."""

import math

import pytest

from holdgood.core.records import (
    Changed,
    Comparison,
    Entrant,
    Interval,
    NewRowsBoard,
    Origin,
    RunComparison,
    RunPair,
    RunSummary,
    Trial,
)
from holdgood.reports import render_comparison, render_new_rows
from holdgood.reports.compare_charts import best_of_families, scores_figure
from holdgood.reports.compare_report import pair_sentence

HOSTILE = "</script><img src=x onerror=alert(1)>"


def between(value, half=0.1):
    return Interval(value=value, low=value - half, high=value + half, n=100)


def trial(name, family, value=None, status="ok"):
    return Trial(name=name, family=family, rung=1, status=status, score=None if value is None else between(value))


def summary(run, **more):
    given = {
        "chosen": "linear",
        "metric": "log_loss",
        "higher_is_better": False,
        "score": between(0.4),
        "prior": between(0.7),
    }
    return RunSummary(run=run, **{**given, **more})


def gain(value, half=0.05):
    verdict = "better" if value > half else "worse" if value < -half else "not proven"
    return Comparison(
        first="a", second="b", difference=value, low=value - half, high=value + half, unit="log loss", verdict=verdict
    )


def test_names_and_values_are_shown_and_never_obeyed():
    compared = RunComparison(
        runs=(summary("1", chosen=HOSTILE, trials=(trial(HOSTILE, "linear", 0.4),)), summary("2")),
        pairs=(RunPair(first="1", second="2", reason=f"they differ: {HOSTILE}"),),
        declared=(Changed(what="tables.t.source", values=("postgresql://ann:s3cret@db/x", "b.csv")),),
    )
    page = render_comparison(compared, HOSTILE)
    assert HOSTILE not in page
    assert "s3cret" not in page
    assert "cannot be paired" in page
    assert "default-src &#39;none&#39;" in page


def test_what_was_not_measured_is_a_dash():
    bare = {"score": None, "prior": None, "latency_ms": math.nan}
    page = render_comparison(RunComparison(runs=(summary("1", **bare), summary("2", **bare))))
    assert "nan" not in page.split("<script>")[0].lower().replace("finance", "")
    assert "<figure" not in page


def test_scores_of_other_metrics_are_not_drawn_on_one_axis():
    compared = RunComparison(runs=(summary("1"), summary("2", metric="rmse", score=between(99.0))))
    assert [row[0] for row in scores_figure(compared).rows] == ["1 linear", "1 prior"]


@pytest.mark.parametrize(
    ("value", "words"),
    [(0.2, "run a is better than run b"), (-0.2, "run a is worse"), (0.0, "neither of runs a and b")],
)
def test_a_pair_in_words(value, words):
    sentence = pair_sentence(RunPair(first="a", second="b", difference=gain(value), rows=1234))
    assert sentence.startswith(words)
    assert "(95%: " in sentence
    assert "1,234 rows" in sentence


def test_the_best_of_each_family_by_the_side_that_is_better():
    trials = (
        trial("l1", "linear", 0.5),
        trial("l2", "linear", 0.4),
        trial("t", "tree", 0.45),
        trial("s", "boost", status="skipped"),
    )
    assert [t.name for t in best_of_families(summary("1", trials=trials))] == ["l2", "t"]
    assert [t.name for t in best_of_families(summary("1", trials=trials, higher_is_better=True))] == ["l1", "t"]


def test_the_leaderboard_says_what_each_run_had_seen():
    delivered = Entrant(
        name="run 1", run="1", role="delivered", model=HOSTILE, score=between(0.4), metrics={"log_loss": between(0.4)}
    )
    prior = Entrant(
        name="prior of run 1", run="1", role="prior", model="prior", score=between(0.7), against_first=gain(-0.3)
    )
    board = NewRowsBoard(
        source="postgresql://ann:s3cret@db/x", rows=100, left_out=7, metric="log_loss", higher_is_better=False,
        entrants=(delivered, prior), origins=(Origin(run="1", tuned_on="80 rows", sentence=HOSTILE),),
    )  # fmt: skip
    page = render_new_rows(board)
    assert "7 rows left out, because a run was tuned on them" in page
    assert "cannot tell" in page
    assert HOSTILE not in page
    assert "s3cret" not in page
