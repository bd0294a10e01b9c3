"""The forecasting engine on panels that are made here: what is better wins, canaries stay at chance, paths are honest."""

import numpy as np
import pytest

from holdgood.core.errors import DataError
from holdgood.core.panel import Future, Panel
from holdgood.core.protocols import PanelContext, Parts
from holdgood.training.panels import combine
from holdgood.training.panels.backtest import PanelCandidate
from holdgood.training.panels.combined import Combined, spread
from holdgood.training.panels.origins import origins
from holdgood.training.panels.train import train_panel


def _families():
    """Classes that travel to a worker by value: this file has no name there."""

    class Last:
        part = "last"

        def __init__(self):
            self.failed = {}

        def fit(self, panel, context: PanelContext):
            return self

        def predict(self, panel, future):
            return np.stack([np.full(future.horizon, self.one(y)) for y in panel.series()])

        def one(self, y):
            return y[-1]

        def to_parts(self):
            return Parts({})

    class Mean(Last):
        def one(self, y):
            return np.nanmean(y)

    class LastSeen(Last):
        def one(self, y):
            return y[~np.isnan(y)][-1]

    class Broken(Last):
        def fit(self, panel, context):
            raise ValueError("no")

    class Dies(Last):
        def fit(self, panel, context):
            import os

            os._exit(3)

    return Last, Mean, Broken, Dies, LastSeen


Last, Mean, Broken, Dies, LastSeen = _families()


def candidate(name, make, rung):
    return PanelCandidate(name, name, rung, True, make)


LAST_SEEN = candidate("last-seen", LastSeen, 0)
LAST, MEAN = candidate("last", Last, 0), candidate("mean", Mean, 1)


def panel(series=60, steps=60, seed=0, kind="noise"):
    rng = np.random.default_rng(seed)
    y = rng.normal(100, 10, (series, steps))
    if kind == "walk":
        y = 100 + np.cumsum(rng.normal(0, 3, (series, steps)), axis=1)
    ds = np.arange("2020-01-01", steps, dtype="M8[D]").astype("M8[us]")
    ids = np.array([f"s{i:03d}" for i in range(series)])
    return Panel(ids, np.arange(series + 1) * steps, np.tile(ds, series), y.ravel(), "D")


def nowhere(p, horizon):
    return Future(np.full((len(p), horizon), np.datetime64("NaT", "us")))


def test_origins_are_apart_and_leave_enough_history():
    p = panel(3, 40)
    cuts = origins(p, 7, count=3, step=7)
    assert [c.dropped for c in cuts] == [7, 14, 21]
    assert [c.dropped for c in origins(p, 7, count=3)] == [7, 9, 11]  # few series: cuts overlap
    uneven = Panel(p.ids, np.array([0, 3, 43, 83]), p.ds[:83], p.y[:83], "D")
    assert origins(uneven, 7)[0].judged.tolist() == [1, 2]


def test_where_most_end_together_those_that_ended_before_are_not_judged():
    p = panel(5, 40)
    early = Panel(p.ids, np.array([0, 30, 70, 110, 150, 190]), np.r_[p.ds[:30], p.ds[40:200]], p.y[:190], "D")
    assert origins(early, 7)[0].judged.tolist() == [1, 2, 3, 4]


def test_a_series_alone_gets_what_is_best_and_is_told_that_nothing_is_proven():
    rng = np.random.default_rng(5)
    p = panel(1, 60)
    p = p.with_y(np.tile([1.0, 5.0, 9.0], 20) + rng.normal(0, 0.1, 60))

    class Three(Last):
        def one(self, y):
            return y[-3]

        def predict(self, panel, future):
            return np.stack([np.resize(y[-3:], future.horizon) for y in panel.series()])

    found = train_panel(p, [LAST, candidate("three", Three, 1)], 3, budget="trials=5", workers=0)
    assert set(found.leaderboard.members) == {"three"}


def test_histories_with_gaps_give_paths_all_the_same():
    p = panel(5, 30)
    y = p.y.copy()
    y[::7] = np.nan
    p = p.with_y(y)
    made = train_panel(p, [LAST_SEEN, MEAN], 8, budget="trials=5", workers=0).forecaster
    assert np.isfinite(made.sample(p, nowhere(p, 8), 30, 0)).all()


def test_an_item_without_history_is_spread_like_items_of_its_size():
    p = panel(40, 60)
    made = train_panel(p, [LAST, MEAN], 5, budget="trials=5", workers=0).forecaster
    point = np.full((1, 5), 100.0)
    new = Panel(np.array(["new"]), np.array([0, 0]), p.ds[:0], p.y[:0], "D")
    known = spread(new, point, made.sizes, made.trajectories, 300, 0, True, False)
    old = spread(p.take(np.array([0])), point, made.sizes, made.trajectories, 300, 0, True, False)
    assert 0.5 < known.std() / old.std() < 2.0


def test_series_are_drawn_apart_and_alike_whatever_stands_beside():
    p = panel(40, 60)
    made = train_panel(p, [LAST, MEAN], 5, budget="trials=5", workers=0).forecaster
    whole = made.sample(p, nowhere(p, 5), 400, 3).sum(axis=2)
    some = np.array([7, 3])
    assert np.array_equal(made.sample(p.take(some), nowhere(p.take(some), 5), 400, 3).sum(axis=2), whole[some])
    apart = np.corrcoef(whole)[np.triu_indices(40, 1)]
    assert abs(apart.mean()) < 0.05


def test_steps_under_embargo_are_not_judged():
    """A forecaster that is right in all but the first two steps wins only where these are not judged."""
    p = panel(30, 40)

    class Late(Last):
        def predict(self, panel, future):
            out = np.tile([900.0, 900.0, 100.0, 100.0, 100.0], (len(panel), 1))
            return out[:, : future.horizon]

    tried = [LAST, candidate("late", Late, 1)]
    chosen = [
        train_panel(p, tried, 5, budget="trials=5", workers=0, embargo=e, prefer="balanced").leaderboard.chosen
        for e in (0, 2)
    ]
    assert chosen[0] == "last" and chosen[1] != "last"


def test_a_cut_hides_the_future():
    """Change what comes after the cut: forecasts at the cut do not move."""
    p = panel()
    y = p.y.reshape(60, 60).copy()
    y[:, -5:] = 1e6
    for pair in zip(p.until(5).series(), p.with_y(y.ravel()).until(5).series(), strict=True):
        assert np.array_equal(*pair)


def test_the_better_family_is_taken_with_a_proof():
    found = train_panel(panel(), [LAST, MEAN], 7, budget="trials=10", workers=0, prefer="balanced")
    by_name = {r.name: r for r in found.leaderboard.ladder}
    assert by_name["mean"].gain.verdict == "better" and found.leaderboard.chosen != "last"


def test_canary_where_the_naive_is_right_nothing_beats_it():
    found = train_panel(panel(kind="walk", seed=1), [LAST, MEAN], 7, budget="trials=10", workers=0, prefer="balanced")
    assert found.leaderboard.chosen == "last"


def test_canary_no_gain_between_copies():
    """Two names for the same forecast: no climb, whatever the combinations."""
    copies = [LAST] + [candidate(f"copy{i}", Last, i) for i in (1, 2)]
    found = train_panel(panel(seed=2), copies, 7, budget="trials=10", workers=0, prefer="balanced")
    assert found.leaderboard.chosen == "last"


def test_paths_cover_what_comes_also_in_sum():
    """Nominal 90% over 200 series that no part of training saw the end of: within three standard errors, steps and sums."""
    whole = panel(200, 80, seed=3)
    history = whole.until(7)
    found = train_panel(history, [LAST, MEAN], 7, budget="trials=10", workers=0)
    y = whole.ahead(7, 7)[0]
    paths = found.forecaster.paths(history, nowhere(history, 7), 400, seed=1)
    low, high = np.moveaxis(paths.quantile(np.array([0.05, 0.95])), -1, 0)
    assert abs(np.mean((y >= low) & (y <= high)) - 0.9) < 3 * np.sqrt(0.09 / 1400) + 0.01
    ends = np.quantile(paths.total(), [0.05, 0.95], axis=1)
    inside = np.mean((y.sum(axis=1) >= ends[0]) & (y.sum(axis=1) <= ends[1]))
    assert abs(inside - 0.9) < 3 * np.sqrt(0.09 / 200) + 0.01


def test_a_candidate_that_raises_or_dies_is_named_and_the_run_goes_on():
    tried = [LAST, candidate("broken", Broken, 1), candidate("dies", Dies, 2), candidate("mean", Mean, 3)]
    found = train_panel(panel(20), tried, 5, budget="trials=10", workers=1)
    status = {t.name: (t.status, t.reason) for t in found.leaderboard.trials}
    assert status["broken"][0] == "failed" and "no" in status["broken"][1]
    assert status["dies"][0] == "failed" and "worker" in status["dies"][1]
    assert status["mean"][0] == "ok"


def test_the_same_seed_gives_the_same_paths_with_workers_or_without():
    p = panel(30)
    one, two = (train_panel(p, [LAST, MEAN], 5, budget="trials=10", workers=w).forecaster for w in (0, 1))
    future = nowhere(p, 5)
    assert np.array_equal(one.sample(p, future, 50, 7), two.sample(p, future, 50, 7))


def test_too_short_a_history_is_told():
    with pytest.raises(DataError, match="steps to forecast"):
        train_panel(panel(3, 2), [LAST], 5, budget="trials=1", workers=0)


def test_weights_of_a_blend_sum_to_one_and_find_the_better_half():
    rng = np.random.default_rng(0)
    y = rng.normal(10, 1, (300, 4))
    points = np.stack([y + rng.normal(0, 1, y.shape), y + rng.normal(0, 1, y.shape), y + rng.normal(0, 9, y.shape)])
    for blend in combine.learned(points, y, np.ones(300), None, 0):
        assert blend.weights.sum() == pytest.approx(1)
        best_single = combine.losses(points, y, np.ones(300)).mean(axis=1).min()
        assert (
            combine.losses(combine.blended(points, blend), y, np.ones(300)).mean() < best_single or blend.weights[2] > 0
        )


def test_counts_stay_counts_and_never_negative():
    rng = np.random.default_rng(4)
    p = panel(50, 60)
    p = p.with_y(rng.poisson(0.6, len(p.y)).astype(float))
    found = train_panel(p, [LAST, MEAN], 5, budget="trials=10", workers=0)
    drawn = found.forecaster.sample(p, nowhere(p, 5), 50, 0)
    assert (drawn >= 0).all() and np.array_equal(drawn, np.round(drawn))


def test_a_bundle_part_comes_back_the_same():
    from holdgood.models.forecasting.naive import FAMILY, Naive

    p = panel(12)
    naive = [PanelCandidate(n, "naive", 0, True, lambda q=q: FAMILY.make(q)) for n, q in FAMILY.configurations(p, 4)]
    made = train_panel(
        p, [*naive, candidate("naive-7", lambda: Naive(7), 1)], 4, budget="trials=9", workers=0
    ).forecaster
    back = Combined.from_parts(made.to_parts())
    future = nowhere(p, 4)
    assert np.array_equal(back.sample(p, future, 20, 3), made.sample(p, future, 20, 3))


def test_slow_movers_are_spread_by_their_own_past_where_that_foretells_better():
    """Demand is zero or a parcel of the series' own size: windows keep that, errors of other series do not."""
    rng = np.random.default_rng(8)
    p = panel(80, 90)
    size = np.repeat(rng.integers(3, 60, 80), 90)
    p = p.with_y(np.where(rng.random(len(p.y)) < 0.15, size, 0).astype(float))
    made = train_panel(p, [LAST, MEAN], 4, budget="trials=5", workers=0).forecaster
    assert 2 in made.windowed or 3 in made.windowed
    drawn = made.sample(p, nowhere(p, 4), 200, 0)
    assert 0.75 < np.mean(drawn == 0) < 0.95


def test_global_families_run_beside_local_ones_and_nobody_is_forgotten():
    from holdgood.training.panels.race import Ran, batches

    def ran(name, rung, local):
        return Ran(PanelCandidate(name, name, rung, local, Last))

    runs = [
        ran("x", 4, False),
        ran("a", 1, True),
        ran("b", 2, True),
        ran("y", 4, False),
        ran("z", 5, False),
        ran("w", 5, False),
    ]
    found = [[r.candidate.name for r in batch] for batch in batches(runs, 2)]
    assert found == [["x", "a"], ["y", "b"], ["z", "w"]]
    assert [[r.candidate.name for r in b] for b in batches(runs, 1)] == [["a"], ["b"], ["x"], ["y"], ["z"], ["w"]]


def test_under_a_clock_a_slow_family_is_known_from_a_first_piece_and_starves_nobody():
    p = panel(300, 40)

    class Slow(Last):
        def fit(self, panel, context):
            import time

            time.sleep(0.02 * len(panel))
            return self

    tried = [LAST, candidate("slow", Slow, 1), candidate("mean", Mean, 2)]
    found = train_panel(p, tried, 5, budget="10s", workers=1)
    status = {t.name: t.status for t in found.leaderboard.trials}
    assert status == {"last": "ok", "slow": "stopped", "mean": "ok"}
