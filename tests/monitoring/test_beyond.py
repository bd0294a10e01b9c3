"""What a feature moved beyond what the others let expect: seen sooner, blamed on the feature itself, and silent where nothing changed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from holdgood.core.frame import Feature, Frame, frame_of
from holdgood.core.protocols import Clock
from holdgood.monitoring import FeatureDrift
from holdgood.monitoring.beyond import beyond_others
from holdgood.monitoring.mon001_feature_drift import moves
from holdgood.monitoring.scores import BEYOND, scores

DAY = 86_400_000_000


def linked(rng: np.random.Generator, n: int, *, columns: int = 8, shift: float = 0.0, lift: float = 0.0) -> Frame:
    """Columns that share half of their variance and a category that hangs on the same; the first is moved, or all are."""
    shared = rng.normal(size=n) + lift
    x = np.sqrt(0.5) * shared + np.sqrt(0.5) * rng.normal(size=(columns, n))
    x[0] += shift
    level = np.where(shared + rng.normal(size=n) > 0.5, "high", "low").astype(object)
    return frame_of(
        [*((Feature(f"x{j}", "number"), x[j]) for j in range(columns)), (Feature("level", "category"), level)]
    )


def test_what_columns_share_no_longer_hides_a_shift_of_one():
    rng = np.random.default_rng(0)
    before, now = linked(rng, 4_000), linked(rng, 400, shift=0.22)
    moved, found = moves(before, now, seed=0)
    assert (moved[0].feature, moved[0].kind) == (0, BEYOND)
    scored, _ = beyond_others(scores(before, now))
    of = {int(k): float(found.p[j]) for j, k in enumerate(scored.kind) if scored.owner[j] == 0}
    assert of[BEYOND] < 0.05 * of[1]
    alarm = FeatureDrift().look(before, now, alpha=0.01)[0]
    assert alarm.subject == "x0"
    assert "values are higher than the other columns let expect" in alarm.message


@pytest.mark.parametrize("shift", [-2.0, 0.5, 4.0, 60.0])
def test_a_feature_that_moves_much_is_blamed_alone(shift):
    for seed in range(5):
        rng = np.random.default_rng(seed)
        found = FeatureDrift().look(linked(rng, 3_000), linked(rng, 600, shift=shift), alpha=0.001)
        assert [a.subject for a in found] == ["x0"]


def test_two_that_move_are_both_blamed():
    rng = np.random.default_rng(3)
    before, now = linked(rng, 3_000), linked(rng, 600, shift=1.0)
    now.arrays[1][:] += 0.5
    assert {a.subject for a in FeatureDrift().look(before, now, alpha=0.001)} == {"x0", "x1"}


def test_what_lifts_all_features_together_moves_none_of_them_beyond_the_others():
    rng = np.random.default_rng(4)
    before, now = linked(rng, 4_000), linked(rng, 800, lift=0.3)
    scored, _ = beyond_others(scores(before, now))
    found = moves(before, now, seed=0)[1]
    place, alone = (np.abs(found.shift[scored.kind == kind]) for kind in (1, BEYOND))
    assert len(place) == len(alone) == 8
    assert alone.max() < 0.5 * place.min()


def test_features_that_have_nothing_in_common_are_not_tested_twice():
    rng = np.random.default_rng(5)
    frames = [frame_of([(Feature(f"x{j}", "number"), rng.normal(size=n)) for j in range(5)]) for n in (500, 200)]
    scored = scores(*frames)
    assert beyond_others(scored) == (scored, None)
    few = scores(linked(rng, 60), linked(rng, 40))
    assert beyond_others(few) == (few, None)  # too few rows to learn a regression from


@given(st.integers(0, 10_000), st.integers(2, 6), st.lists(st.integers(0, 5), max_size=3))
def test_a_shift_without_some_is_what_least_squares_says(seed, columns, without):
    rng = np.random.default_rng(seed)
    scored, links = beyond_others(
        scores(linked(rng, 500, columns=columns), linked(rng, 200, columns=columns, shift=1.0))
    )
    if links is None:
        return
    moved = scored.values[scored.n :].mean(axis=0) - scored.values[: scored.n].mean(axis=0)
    feature = int(scored.owner[scored.kind == BEYOND][0])
    at = int(np.flatnonzero((scored.owner == feature) & (scored.kind == 1))[0])
    others = [int(p) for p, o in zip(links.place, links.owner, strict=True) if o != feature and int(o) not in without]
    design = np.column_stack([np.ones(len(scored.values)), *(scored.values[:, k] for k in others)])
    weight = np.linalg.lstsq(design, scored.values[:, at], rcond=None)[0]
    left = scored.values[:, at] - design @ weight
    expected = left[scored.n :].mean() - left[: scored.n].mean()
    assert links.shift(feature, moved, without) == pytest.approx(expected, abs=0.01)
    if not without:
        own = int(np.flatnonzero((scored.owner == feature) & (scored.kind == BEYOND))[0])
        assert moved[own] == pytest.approx(expected, abs=0.01)


def test_copies_of_one_column_change_nothing_and_break_nothing():
    rng = np.random.default_rng(6)

    def copied(n: int, shift: float) -> Frame:
        x = rng.normal(size=n)
        return frame_of(
            [
                (Feature(name, "number"), v)
                for name, v in (("a", x + shift), ("copy", x + shift), ("b", rng.normal(size=n)))
            ]
        )

    assert FeatureDrift().look(copied(800, 0.0), copied(300, 0.0), alpha=0.001) == []
    assert {a.subject for a in FeatureDrift().look(copied(800, 0.0), copied(300, 1.0), alpha=0.001)} == {"a", "copy"}


@pytest.mark.parametrize("clocked", [False, True])
def test_false_alarms_stay_at_the_stated_rate_where_columns_hang_together(clocked):
    rng, tries, false = np.random.default_rng(7), 150, 0
    for _ in range(tries):
        then, now = np.sort(rng.random(1_000) * 728), 728 + np.sort(rng.random(150) * 7)
        clock = Clock((then * DAY).astype(np.int64), (now * DAY).astype(np.int64)) if clocked else None
        false += bool(FeatureDrift().look(linked(rng, 1_000), linked(rng, 150), alpha=0.1, clock=clock))
    assert false <= binom.ppf(0.999, tries, 0.1)
