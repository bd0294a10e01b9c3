from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from holdgood.core.protocols import Candidate
from holdgood.training.progress import Progress, makespan
from holdgood.training.work import FoldFit


def progress(*rounds, learned=70, folds=3):
    p = Progress(0, Candidate("a", "a", 1, "codes", lambda: None, lambda: None), folds, True)
    p.done = {
        i: FoldFit(i, np.zeros(3), fit_seconds=2.0, predict_seconds=0.5, learned_rows=learned, rounds=r)
        for i, r in enumerate(rounds)
    }
    return p


@settings(max_examples=40, deadline=None)
@given(seconds=st.lists(st.floats(0.01, 10), min_size=1, max_size=6), workers=st.integers(1, 3))
def test_makespan_lies_between_the_best_schedule_and_four_thirds_of_it(seconds, workers):
    best = min(
        max(sum(s for s, w in zip(seconds, at, strict=True) if w == i) for i in range(workers))
        for at in itertools.product(range(workers), repeat=len(seconds))
    )
    assert best - 1e-9 <= makespan(seconds, workers) <= 4 / 3 * best + 1e-9


def test_rounds_of_a_refit_grow_with_the_root_of_the_rows_up_to_a_quarter():
    p = progress(90, 100, 400)
    assert p.rounds() == 100
    assert p.refit_rounds(70) == 100
    assert p.refit_rounds(84) == round(100 * math.sqrt(1.2))
    assert p.refit_rounds(10_000) == 125
    assert progress(None, None).refit_rounds(100) is None


def test_hints_are_the_lower_median_of_the_folds():
    p = progress(1, 1, 1, folds=4)
    p.done = {f: replace(fit, hints={"strength": s}) for (f, fit), s in zip(p.done.items(), (10, 0.1, 1), strict=True)}
    assert p.hints() == {"strength": 1}
    p.done[3] = replace(p.done[0], hints={"strength": 0.01, "trees": 7})
    assert p.hints() == {"strength": 0.1, "trees": 7}
    assert progress(1).hints() == {}


def test_folds_count_in_a_row_and_fewer_may_be_wanted():
    p = progress(1, 1)
    assert (p.in_a_row, p.complete, p.next_fold) == (2, False, 2)
    p.folds = 2
    assert p.complete
    assert p.next_fold is None
    del p.done[0]
    assert (p.in_a_row, p.next_fold) == (0, 0)


def test_times_scale_with_rows_and_are_unknown_before_the_first_fold():
    assert math.isnan(progress().fold_seconds())
    assert math.isnan(progress().refit_seconds(100))
    assert progress(1).fold_seconds() == 2.5
    assert progress(1).refit_seconds(140) > 2 * 2.0
