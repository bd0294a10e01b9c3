"""What is said of overfitting: on numbers that are known by hand, and on learners that do it and that do not."""

from __future__ import annotations

import math

import numpy as np
import pytest

from holdgood.core.records import Interval, Leaderboard, Rung, Trial
from holdgood.evaluation import overfitting


def between(value, half, n=1_000):
    return Interval(value=value, low=value - half, high=value + half, n=n)


def board(prior=0.5, chosen=0.4, picked=0.4, tries=1, higher=False, half=0.01, name="forest"):
    rungs = (
        Rung(name="prior", trial="prior", family="prior", score=between(prior, half), taken=True),
        Rung(name=name, trial=f"{name}-1", family=name, score=between(chosen, half), tries=tries, taken=True),
    )
    trial = Trial(name=f"{name}-1", family=name, rung=2, status="ok", score=between(picked, half))
    return Leaderboard(
        metric="roc_auc" if higher else "log_loss", higher_is_better=higher, trials=(trial,), ladder=rungs, chosen=f"{name}-1"
    )  # fmt: skip


def test_a_promise_that_holds_is_no_overfitting_whatever_is_known_by_heart():
    found = overfitting(board(), between(0.405, 0.01), learned=0.3, learned_rows=900, prior_fresh=between(0.5, 0.01))
    assert found.verdict == "held"
    assert found.worse.value == pytest.approx(0.005)
    assert found.worse.high - found.worse.value == pytest.approx(math.hypot(0.01, 0.01))
    heart, promise = found.sentences
    assert (
        "scores 0.3 (log loss), on rows kept out of its fits 0.4: 50% of what it seems to gain over the prior is left"
        in heart
    )
    assert "Promised out of fold: 0.4; on the sealed holdout: 0.405. The promise held" in promise


@pytest.mark.parametrize(
    ("fresh", "prior_fresh", "verdict", "said"),
    [
        (0.45, 0.5, "worse", "worse by 0.05 (95%: 0.03586 to 0.06414), more than chance explains"),
        (0.45, 0.56, "harder rows", "fell by 0.06: the rows got harder"),
        (0.35, 0.5, "better", "better than promised"),
        (0.41, 0.5, "held", "No sign of overfitting"),
    ],
)
def test_each_verdict_stands_on_the_difference_and_its_interval(fresh, prior_fresh, verdict, said):
    found = overfitting(
        board(), between(fresh, 0.01), learned=0.38, learned_rows=9, prior_fresh=between(prior_fresh, 0.01)
    )
    assert found.verdict == verdict
    assert said in found.sentences[-1]


def test_where_more_is_better_the_signs_turn():
    found = overfitting(board(0.5, 0.8, 0.81, 3, higher=True), between(0.7, 0.01), learned=0.9, learned_rows=9)
    assert found.verdict == "worse"
    assert found.worse.value == pytest.approx(0.1)
    assert "75% of what it seems to gain" in found.sentences[0]
    assert "best of 3 configurations; being picked on the rows that judge flatters it by 0.01" in found.sentences[1]


def test_a_pick_that_flatters_by_nothing_says_so_and_unknown_numbers_are_not_said():
    found = overfitting(board(tries=5, picked=0.4001), between(0.4, math.nan), learned=math.nan, learned_rows=0)
    assert found.verdict == "cannot tell"
    assert not any("nan" in s for s in found.sentences)
    assert "flatters it by next to nothing" in found.sentences[0]
    assert overfitting(board(), None, learned=0.3, learned_rows=9) is None
    bare = board().model_copy(update={"ladder": ()})
    assert overfitting(bare, between(0.4, 0.1), learned=0.3, learned_rows=9) is None


def test_the_prior_has_nothing_to_overfit_with():
    lowest = board().model_copy(update={"chosen": "prior"})
    found = overfitting(lowest, between(0.5, 0.01), learned=0.5, learned_rows=9)
    assert "nothing to overfit with" in found.sentences[0]


def test_promises_that_hold_in_truth_are_doubted_in_one_of_forty_at_most():
    """Two sets of rows from one world: the difference is taken for overfitting in 2.5% of pairs, by its interval's upper end."""
    rng = np.random.default_rng(5)
    doubted, runs, n = 0, 2_000, 400
    for _ in range(runs):
        promised, fresh = (rng.exponential(size=n) for _ in range(2))
        half = [1.96 * float(np.std(x, ddof=1)) / math.sqrt(n) for x in (promised, fresh)]
        known = board(prior=2.0, chosen=float(promised.mean()), half=half[0])
        found = overfitting(known, between(float(fresh.mean()), half[1]), learned=0.5, learned_rows=n)
        doubted += found.verdict in ("worse", "harder rows")
    assert 0.015 < doubted / runs < 0.035
