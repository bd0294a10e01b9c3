from __future__ import annotations

import math

import numpy as np
import pytest

from holdgood.scale import Pool
from holdgood.training import finish
from holdgood.training.finish import Refits, short_of
from holdgood.training.progress import Progress
from holdgood.training.work import FoldFit, Work, fit_fold


@pytest.fixture
def work(make_data, make_folds, families):
    frame, y, task = make_data()
    made = Work(frame, y, None, task, tuple(make_folds(len(y))))
    made.candidates = families(task, "prior", "linear", "lightgbm")
    return made


@pytest.fixture
def tried(tmp_path):
    def make(work, index, keep=True):
        p = Progress(index, work.candidates[index], len(work.folds), True)
        p.done = {
            f: fit_fold(work, p.candidate, f, math.inf, tmp_path / f"{index}-{f}" if keep else None)
            for f in range(len(work.folds))
        }
        return p

    return make


def same(one, two, work):
    return bool((one.predict(work.frame) == two.predict(work.frame)).all())


def most(p):
    """The fold that learned from the most rows."""
    return max(p.done.values(), key=lambda fit: fit.learned_rows)


def slow(p, seconds):
    """The same trial, as if its folds had taken that long."""
    p.done = {f: FoldFit(**(vars(fit) | {"fit_seconds": seconds})) for f, fit in p.done.items()}
    return p


def refits(work, wanted, left):
    with Pool(0) as here:
        started = Refits(work, here, work, wanted, left=lambda: left)
        return started, started.collect()


def test_without_a_clock_all_rows_are_learned_from(work, tried):
    started, ready = refits(work, [tried(work, 0), tried(work, 2)], math.inf)
    assert (started.rows, started.note, started.failed) == (400, "", {})
    assert {i: r.note for i, r in ready.items()} == {0: "", 2: ""}
    assert ready[2].chain.rounds == tried(work, 2).refit_rounds(400)


def test_with_time_for_some_of_the_rows_these_are_learned_from_and_told(work, tried):
    p = slow(tried(work, 1), 10.0)
    needed = p.refit_seconds(400)
    started, ready = refits(work, [p], 0.9 * needed)
    assert 235 < started.rows < 400
    assert f"refits learned from {started.rows} of 400 rows" in started.note
    assert ready[1].note == ""
    by_all = refits(work, [tried(work, 1)], math.inf)[1]
    assert (ready[1].chain.predict(work.frame) != by_all[1].chain.predict(work.frame)).any()


@pytest.mark.parametrize("in_time", [False, True])
def test_the_fold_of_the_latest_rows_or_else_of_the_most_stands_in(work, tried, in_time):
    day = 86_400_000_000
    work.folds = tuple((np.arange(0 if in_time else 400 - n, n if in_time else 400), valid) for n, (_, valid) in
                       zip((150, 300, 200), work.folds, strict=True))  # fmt: skip
    work.time = np.arange(400) * day + 18_000 * day if in_time else None
    if in_time:  # learned from fewer rows, but from later ones
        work.folds = (work.folds[0], work.folds[1], (np.arange(200, 350), work.folds[2][1]))
    p = slow(tried(work, 1), 1000.0)
    _, ready = refits(work, [p], 5.0)
    stands = 2 if in_time else 1
    assert same(ready[1].chain, p.done[stands].chain.fresh(), work)
    until = f", up to {np.datetime64('1970-01-01') + 18_000 + 349}" if in_time else ""
    assert ready[1].words == f"fitted on {p.done[stands].learned_rows} of 400 rows{until}"


def test_without_time_a_fold_stands_in_and_says_so(work, tried):
    p = slow(tried(work, 1), 1000.0)
    started, ready = refits(work, [p], 5.0)
    assert same(ready[1].chain, most(p).chain.fresh(), work)
    assert ready[1].note == f"linear is delivered as {ready[1].words}: no time was left for its refit"
    assert ready[1].words == f"fitted on {most(p).learned_rows} of 400 rows"
    assert "no time was left" in short_of(ready[1].words, [ready[1].lost])
    restored = slow(tried(work, 1, keep=False), 1000.0)
    started, ready = refits(work, [restored], 5.0)
    assert ready == {}
    assert started.failed == {1: "no time was left for its refit"}


@pytest.mark.parametrize(("share", "whole"), [(1.0, True), (0.85, True), (0.5, False)])
def test_a_refit_that_is_not_whole_is_told_or_not_used(work, tried, monkeypatch, share, whole):
    real = finish.fit_all

    def cut(*given):
        return finish.FullFit(real(*given).chain, share)

    monkeypatch.setattr(finish, "fit_all", cut)
    p = tried(work, 1)
    _, ready = refits(work, [p], math.inf)
    assert same(ready[1].chain, most(p).chain.fresh(), work) == (not whole)
    assert (ready[1].note == "") == (share == 1.0)
    _, ready = refits(work, [tried(work, 1, keep=False)], math.inf)
    assert (1 in ready) == whole


def test_hints_of_the_folds_reach_the_refit(work, tried):
    p = tried(work, 1)
    _, ready = refits(work, [p], math.inf)
    assert ready[1].chain.model.hints == p.hints()
    assert np.isfinite(ready[1].chain.predict(work.frame)).all()


def hang(y, context):
    import time

    if len(y) == 400:
        time.sleep(600)


def test_a_refit_that_hangs_without_a_clock_is_ended(work, tried, custom):
    work.candidates.append(custom(work.task, hang))
    p = tried(work, 3)
    with Pool(1) as pool:
        started = Refits(work, pool, pool.share(work), [p], left=lambda: math.inf, patience=1.5)
        ready = started.collect()
    assert "had not ended after 2 s: taken as hanging" in started.failed[3]
    assert same(ready[3].chain, most(p).chain.fresh(), work)
    assert ready[3].words == f"fitted on {most(p).learned_rows} of 400 rows"
