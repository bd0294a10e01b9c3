from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest

from holdgood.core.declaration import Costs
from holdgood.core.task import Task
from holdgood.metrics import metric, resolve
from holdgood.training.board import DRAWS, MOST_ROWS, cut_short, thinned, threshold
from holdgood.training.score import Judge

TASK = Task(kind="binary", classes=(0, 1))


class Chosen:
    def __init__(self, judge, oof):
        self.judge, self.oof = judge, oof


def chosen(n, clusters=None, seed=0):
    rng = np.random.default_rng(seed)
    p = rng.random(n)
    y = (rng.random(n) < p).astype(float)
    return Chosen(Judge(TASK, metric("log_loss", TASK), y, np.zeros(n, int), clusters), p)


def test_small_tables_are_drawn_from_whole():
    assert thinned(None, 500).tolist() == list(range(500))
    assert thinned(np.zeros(500, int), 500).tolist() == list(range(500))


def test_of_many_rows_an_even_sample_serves_and_clusters_stay_whole_or_all_there():
    n = 100_000
    assert len(thinned(None, n)) == MOST_ROWS
    few = np.repeat(np.arange(100), n // 100)
    assert np.bincount(few[thinned(few, n)], minlength=100).tolist() == [MOST_ROWS // 100] * 100
    many = np.repeat(np.arange(n // 5), 5)
    counts = np.bincount(many[thinned(many, n)])
    assert set(counts[counts > 0]) == {5}
    assert counts.sum() == MOST_ROWS


@pytest.mark.parametrize("clusters", [None, "days"])
def test_the_interval_of_two_hundred_draws_is_there_in_time_for_many_rows(clusters):
    n = 200_000
    assert DRAWS >= 200
    choice = chosen(n, None if clusters is None else np.repeat(np.arange(50), n // 50))
    began = time.process_time()
    value, low, high = threshold(choice, resolve(Costs(miss=3, false_alarm=1), TASK), 0)
    assert time.process_time() - began < 3.0
    assert low <= value <= high
    assert low < 0.25 < high
    assert high - low < 0.2


def test_days_that_differ_widen_the_interval():
    days, a_day = 40, 100
    rng = np.random.default_rng(1)
    lean = np.repeat(rng.normal(size=days), a_day)
    p = rng.random(days * a_day)
    y = (rng.random(days * a_day) < 1 / (1 + np.exp(-(np.log(p / (1 - p)) + 2 * lean)))).astype(float)
    codes = np.repeat(np.arange(days), a_day)
    spans = []
    for clusters in (None, codes):
        choice = Chosen(Judge(TASK, metric("log_loss", TASK), y, np.zeros(len(y), int), clusters), p)
        _, low, high = threshold(choice, resolve(Costs(miss=1, false_alarm=1), TASK), 0)
        spans.append(high - low)
    assert spans[1] > spans[0]


def test_a_budget_cuts_short_what_time_or_work_ended_and_nothing_else(trial):
    prior = trial(0, "prior")
    prior.candidate = replace(prior.candidate, rung=0)
    ended = trial(1, done=0)
    for status, reason, behind, short in (
        ("stopped", "its folds and a refit would not end in the 1.0 s that were left", False, True),
        ("skipped", "the time was up before its turn", False, True),
        ("stopped", "behind a-2 after 1 of 4 folds", True, False),
        ("skipped", "a fit needs about 9,000 MB of memory, and 10 MB are free", False, False),
        ("failed", "ValueError: no", False, False),
    ):
        ended.status, ended.reason, ended.behind = status, reason, behind
        assert cut_short([prior, ended], ()) is short, reason
    ended.status, ended.reason, ended.behind = "stopped", "the time was up after 0 of 4 folds", False
    judged = trial(2, done=1)
    for status, reason in (("ok", "judged on 1 of 4 folds"), ("failed", "judged, but not fitted on all rows: no time")):
        judged.status, judged.reason = status, reason
        assert not cut_short([prior, ended, judged], ()), "the prior was not all that was judged"
    assert cut_short([prior], [ended.candidate])
    assert not cut_short([prior], ())
