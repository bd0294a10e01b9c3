"""MON002: how features hang together."""

import lightgbm
import numpy as np

from holdgood.core.frame import Feature, Frame
from holdgood.core.protocols import Clock
from holdgood.monitoring.calendar import seasons
from holdgood.monitoring.mon002_joint_drift import JointDrift, _centred
from holdgood.monitoring.told_apart import told_apart
from holdgood.testing.detector import check_detector


class Trees:
    """A small booster as a learner gives it."""

    part = "test"

    def __init__(self, frame, y):
        settings = {"objective": "binary", "num_leaves": 8, "num_threads": 1, "verbosity": -1, "learning_rate": 0.2}
        self.booster = lightgbm.train(settings, lightgbm.Dataset(np.stack(frame.arrays, axis=1), y), 15)

    def predict(self, frame):
        return self.booster.predict(np.stack(frame.arrays, axis=1))


def rows(rng, n, link=0.0, ring=False):
    a, b, c = rng.normal(size=(3, n))
    b = link * a + np.sqrt(1 - link**2) * b
    if ring:  # three signs whose product is always one: every pair is as before, all three together are not
        c = np.abs(c) * np.sign(a * b)
    return Frame(tuple(Feature(x, "number") for x in "abc"), (a, b, c))


def test_the_contract_holds():
    check_detector(JointDrift())


def test_a_link_that_broke_is_named_though_no_feature_moved():
    rng = np.random.default_rng(0)
    (alarm,) = JointDrift().look(rows(rng, 2_000, 0.6), rows(rng, 500, 0.2), alpha=0.01)
    assert alarm.subject == "a with b"
    assert "less or the other way" in alarm.message


def test_a_shift_of_one_feature_is_not_a_pairs_business():
    rng = np.random.default_rng(1)
    now = rows(rng, 500, 0.6)
    assert JointDrift().look(rows(rng, 2_000, 0.6), now.with_column("a", now.column("a") + 0.5), alpha=0.01) == []


def test_what_only_three_features_show_is_found_by_the_learner():
    rng = np.random.default_rng(2)
    reference, current = rows(rng, 1_500), rows(rng, 800, ring=True)
    assert JointDrift().look(reference, current, alpha=0.01) == []
    alarms = JointDrift(Trees).look(reference, current, alpha=0.01)
    assert [a.subject for a in alarms] == ["all features together"]


def test_a_learner_that_finds_nothing_says_so():
    rng = np.random.default_rng(3)
    small = [told_apart(Trees, rows(rng, 300), rows(rng, 200), 0.05, s)[1] < 0.05 for s in range(4)]
    assert sum(small) <= 2


def test_a_week_that_lifts_two_features_together_is_no_link():
    rng, day = np.random.default_rng(4), 86_400_000_000

    def lifted(moments):
        weeks = (moments // 7).astype(int)
        lift = rng.normal(0.0, 1.0, weeks.max() + 1)[weeks]
        return Frame(
            tuple(Feature(x, "number") for x in "ab"), tuple(lift + rng.normal(size=len(moments)) for _ in range(2))
        )

    centre = []
    for _ in range(12):
        then, now = np.sort(rng.random(1_500) * 728), 728 + rng.random(400) * 7
        clock = Clock((then * day).astype(np.int64), (now * day).astype(np.int64))
        season = seasons(clock)
        sides = [f.arrays for f in (lifted(then), lifted(now))]
        values = np.concatenate([np.stack(s, axis=1) for s in sides])
        left, worth = _centred(values, 1_500, season)
        product = worth * left[:, 0] * left[:, 1]
        centre.append(product[1_500:].mean() - product[:1_500].mean())
    # Over all weeks their covariance is one, within a week it is none; that difference is not drift.
    assert abs(np.mean(centre)) < 0.1
