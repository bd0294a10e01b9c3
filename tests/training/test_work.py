from __future__ import annotations

import json
from collections import OrderedDict
from dataclasses import replace

import numpy as np
import pytest

from holdgood.core.chain import Chain
from holdgood.core.frame import Feature, Frame
from holdgood.core.protocols import FitContext
from holdgood.models.tabular.linear import Linear
from holdgood.training.folds import stop_rows
from holdgood.training.progress import Progress
from holdgood.training.work import Work, encode_apart, encoder_key, fit_all, fit_fold, size_of


@pytest.fixture
def work(make_data, make_folds, families):
    frame, y, task = make_data()
    candidates = families(task, "prior", "linear", "lightgbm", most=2)
    made = Work(frame, y, np.linspace(0.5, 1.5, len(y)), task, tuple(make_folds(len(y))), seed=3, cache_bytes=10**8)
    made.candidates = candidates
    return made


@pytest.mark.parametrize("cached", [True, False])
def test_a_fold_is_what_a_fresh_chain_on_its_training_rows_predicts(work, cached, tmp_path):
    work.cache_bytes = 10**8 if cached else 0
    for candidate in range(len(work.candidates)):
        for fold in (0, 1):
            fit = fit_fold(work, work.candidates[candidate], fold, float("inf"), keep=tmp_path / "chain")
            rows, valid = work.folds[fold]
            stop = stop_rows(rows, work.y, work.task, time=None, groups=None, seed=3)
            proper = np.delete(np.arange(len(rows)), stop)
            chain, context = Chain.of(work.candidates[candidate]), FitContext(work.task, seed=3)
            chain.encoder.fit_transform(work.frame.take(rows[proper]), work.y[rows[proper]], context)
            matrix = encode_apart(work, work.candidates[candidate].make_encoder(), rows, stop, float("inf"))
            chain.model.fit(matrix, work.y[rows], work.weight[rows], replace(context, stop_rows=stop))
            assert fit.error == ""
            assert (fit.prediction == chain.predict(work.frame.take(valid))).all()
            assert fit.learned_rows == len(rows) - len(stop)
            assert (fit.rounds is None) == (chain.rounds is None)
            assert (fold == 0) == (fit.size_bytes > 0) == np.isfinite(fit.row_ms) == np.isfinite(fit.encode_ms)
            again = fit.chain.fresh().predict(work.frame.take(valid))
            assert (again == fit.prediction).all()
            fit.chain.remove()
            assert not list(tmp_path.iterdir())
    assert (len(work.cache) > 0) == cached


def test_candidates_with_equal_encoder_factories_share_matrices_and_others_do_not(work, families):
    linear = [c.name for c in work.candidates].index("linear")
    boosted = [i for i, c in enumerate(work.candidates) if c.family == "lightgbm"]
    shared = {encoder_key(work.candidates[i]) for i in boosted}
    assert len(shared) == 1
    assert encoder_key(work.candidates[linear]) not in shared
    for i in boosted:
        fit_fold(work, work.candidates[i], 0, float("inf"), keep=None)
    assert len(work.cache) == 1


def test_the_cache_stays_within_its_bytes_and_does_not_travel(work):
    fit_fold(work, work.candidates[0], 0, float("inf"), keep=None)
    one = next(iter(work.cache.values())).size
    work.cache_bytes = int(1.5 * one)
    for fold in (1, 2, 0):
        fit_fold(work, work.candidates[0], fold, float("inf"), keep=None)
        assert sum(e.size for e in work.cache.values()) <= work.cache_bytes
    assert not work.__getstate__()["cache"]


def test_a_cap_draws_the_same_rows_every_time_and_leaves_small_data_alone(work):
    work.cap = 100
    rows = work.training_rows(0)
    assert len(rows) == 100
    assert (np.diff(rows) > 0).all()
    assert np.isin(rows, work.folds[0][0]).all()
    assert (rows == work.training_rows(0)).all()
    assert len(work.training_rows(None, cap=50)) == 50
    work.cap = 10**6
    assert len(work.training_rows(None)) == len(work.y)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda n: np.full(n, np.nan), "are no numbers"),
        (lambda n: np.zeros((n, 2)), "predictions of shape"),
        (lambda n: 1 / 0, "ZeroDivisionError: division by zero"),
    ],
)
def test_whatever_goes_wrong_is_told_and_not_raised(work, custom, answer, said):
    work.candidates = (custom(work.task, lambda y, context: None, answer=answer),)
    fit = fit_fold(work, work.candidates[0], 0, float("inf"), keep=None)
    assert said in fit.error
    assert fit.prediction is None


def levels_work(work, n=1200, groups=None, seed=0):
    """Many levels that say nothing, so that a mean outcome which saw its own row is all signal there is."""
    rng = np.random.default_rng(seed)
    frame = Frame((Feature("k", "category"),), (np.array([f"v{i}" for i in rng.integers(0, 300, n)], object),))
    y = rng.integers(0, 2, n).astype(float)
    return replace(
        work,
        frame=frame,
        y=y,
        weight=None,
        groups=groups,
        folds=((np.arange(n - 200), np.arange(n - 200, n)),),
        cache=OrderedDict(),
    )


def test_stop_rows_are_encoded_without_their_own_outcomes(work):
    noise = levels_work(work)
    rows = noise.folds[0][0]
    stop = stop_rows(rows, noise.y, noise.task, time=None, groups=None, seed=3)
    boosted = next(c for c in work.candidates if c.family == "lightgbm")
    values = encode_apart(noise, boosted.make_encoder(), rows, stop, float("inf")).values
    flipped = replace(noise, y=noise.y.copy())
    flipped.y[rows[stop]] = 1 - flipped.y[rows[stop]]
    same = encode_apart(flipped, boosted.make_encoder(), rows, stop, float("inf")).values
    assert (values == same).all()
    valid = boosted.make_encoder()
    valid.fit_transform(
        noise.frame.take(np.delete(rows, stop)), noise.y[np.delete(rows, stop)], FitContext(noise.task, seed=3)
    )
    assert (values[stop] == valid.transform(noise.frame.take(rows[stop])).values).all()


def test_groups_reach_the_encoder_and_its_inner_folds(work, tmp_path):
    n = 1200
    groups = np.random.default_rng(8).integers(0, 40, n)
    grouped = levels_work(work, n, groups)
    boosted = next(i for i, c in enumerate(work.candidates) if c.family == "lightgbm")
    plain = fit_fold(levels_work(work, n), work.candidates[boosted], 0, float("inf"), keep=tmp_path / "chain")
    kept = fit_fold(grouped, work.candidates[boosted], 0, float("inf"), keep=tmp_path / "chain")
    renamed = fit_fold(
        replace(grouped, groups=groups * 977 % 1009), work.candidates[boosted], 0, float("inf"), keep=tmp_path / "chain"
    )
    assert kept.error == ""
    assert (kept.prediction == renamed.prediction).all()
    assert (kept.prediction != plain.prediction).any()


def test_a_refit_keeps_the_penalty_that_the_folds_chose(work):
    linear = [c.name for c in work.candidates].index("linear")
    p = Progress(linear, work.candidates[linear], 3, True)
    p.done = {f: fit_fold(work, work.candidates[linear], f, float("inf"), keep=None) for f in range(3)}
    chosen = sorted(fit.hints["strength"] for fit in p.done.values())
    assert p.hints() == {"strength": chosen[1]}
    for strength in (0.001, 10.0):
        refit = fit_all(work, work.candidates[linear], None, float("inf"), None, {"strength": strength}).chain
        fixed = Chain(work.candidates[linear].make_encoder(), Linear(strength=strength))
        fixed.fit(work.frame, work.y, work.weight, FitContext(work.task, seed=3))
        assert (refit.predict(work.frame) == fixed.predict(work.frame)).all()
        assert refit.model.hints == {"strength": strength}


def test_a_refit_that_the_clock_cut_short_says_how_far_it_came(work):
    boosted = [c.name for c in work.candidates].index("lightgbm")
    assert fit_all(work, work.candidates[boosted], 300, float("inf"), None).share == 1.0
    short = fit_all(work, work.candidates[boosted], 300, 0.0, None)
    assert short.chain.rounds == 1
    assert short.share == pytest.approx(1 / 300)


def test_a_refit_learns_from_all_rows_for_the_rounds_asked(work):
    boosted = [c.name for c in work.candidates].index("lightgbm")
    chain = fit_all(work, work.candidates[boosted], 17, float("inf"), None).chain
    assert chain.rounds == 17
    by_hand = Chain.of(work.candidates[boosted]).fit(
        work.frame, work.y, work.weight, FitContext(work.task, seed=3, rounds=17)
    )
    assert (chain.predict(work.frame) == by_hand.predict(work.frame)).all()


def test_size_is_that_of_the_parts(work):
    chain = fit_all(work, work.candidates[0], None, float("inf"), None).chain
    parts = chain.to_parts()
    expected = (
        len(json.dumps(parts.json))
        + sum(a.nbytes for a in parts.arrays.values())
        + sum(len(b) for b in parts.files.values())
    )
    assert size_of(chain) == expected
