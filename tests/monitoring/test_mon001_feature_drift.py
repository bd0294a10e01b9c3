import numpy as np
import pytest
from scipy.stats import binom

from holdgood.core.errors import DataError
from holdgood.core.frame import Feature, Frame, frame_of
from holdgood.core.protocols import Clock, Detector
from holdgood.monitoring import FeatureDrift
from holdgood.monitoring.mon001_feature_drift import DETECTOR
from holdgood.testing.detector import check_detector


def numbers(*columns: np.ndarray) -> Frame:
    return frame_of([(Feature(f"x{i}", "number"), c) for i, c in enumerate(columns)])


def levels(values: np.ndarray) -> Frame:
    return frame_of([(Feature("kind", "category"), values.astype(object))])


def test_it_holds_the_contract():
    assert isinstance(DETECTOR, Detector)
    check_detector(FeatureDrift())


def test_a_shifted_number_is_named_and_the_others_are_not():
    rng = np.random.default_rng(0)
    before, now = rng.normal(size=(3, 800)), rng.normal(size=(3, 500))
    now[1] += 0.6
    alarms = DETECTOR.look(numbers(*before), numbers(*now))
    assert [a.subject for a in alarms] == ["x1"]
    assert alarms[0].severity == "medium"
    assert (alarms[0].n_reference, alarms[0].n_current) == (800, 500)
    assert "values are higher than before, distance" in alarms[0].message


def test_missing_values_that_grow():
    rng = np.random.default_rng(1)
    before, now = rng.normal(size=600), rng.normal(size=600)
    before[:6] = np.nan
    now[:300] = np.nan
    alarms = DETECTOR.look(numbers(before), numbers(now))
    assert len(alarms) == 1
    assert alarms[0].message.startswith("x0: missing in 50.0% of rows, it was 1.0%")
    assert alarms[0].severity == "high"


def test_levels_that_shift_and_levels_that_are_new():
    rng = np.random.default_rng(2)
    before = rng.choice(["a", "b", "c"], 900, p=[0.6, 0.3, 0.1])
    now = rng.choice(["a", "b", "d"], 900, p=[0.6, 0.3, 0.1])
    alarms = DETECTOR.look(levels(before), levels(now))
    assert "hold new ones" in alarms[0].message
    assert DETECTOR.look(levels(before), levels(rng.permutation(before))) == []


def test_a_shift_too_small_to_matter_is_no_alarm():
    rng = np.random.default_rng(3)
    before, now = rng.normal(size=300_000), rng.normal(0.02, 1, 300_000)
    assert DETECTOR.look(numbers(before), numbers(now)) == []


@pytest.mark.parametrize("correlation", [0.0, 0.9])
def test_false_alarms_stay_at_the_stated_rate(correlation):
    rng = np.random.default_rng(4)

    def draw(n: int) -> Frame:
        shared = rng.normal(size=n)
        columns = [np.sqrt(correlation) * shared + np.sqrt(1 - correlation) * rng.normal(size=n) for _ in range(5)]
        columns.append(np.where(rng.random(n) < 0.02, np.nan, rng.poisson(2.0, n)))
        frame = numbers(*columns)
        return frame.beside(levels(rng.choice(list("abcdefgh"), n, p=np.arange(1, 9) / 36)))

    tries = 100
    false = sum(bool(DETECTOR.look(draw(250), draw(120), alpha=0.1)) for _ in range(tries))
    assert false <= binom.ppf(0.999, tries, 0.1)


def test_it_sees_what_it_should():
    rng = np.random.default_rng(5)
    seen = sum(
        bool(DETECTOR.look(numbers(*rng.normal(size=(5, 400))), numbers(*(rng.normal(size=(5, 400)) + 0.4))))
        for _ in range(40)
    )
    assert seen >= 38


def test_other_features_are_refused():
    with pytest.raises(DataError, match="other features"):
        DETECTOR.look(numbers(np.ones(3)), levels(np.array(["a"])))


def seasonal(rng, moments, *, rise=0.0):
    """Six numbers with a season each and a habit of the week, and a category; moments in days."""
    shared = rng.normal(size=len(moments))
    columns = [
        0.7 * shared
        + 0.7 * rng.normal(size=len(moments))
        + 0.8 * np.sin(2 * np.pi * moments / 365.2425 + j)
        + 0.3 * (moments.astype(int) % 7 == j)
        for j in range(6)
    ]
    columns[0] = columns[0] + rise
    return numbers(*columns)


def test_a_season_that_the_reference_has_seen_is_no_drift():
    rng = np.random.default_rng(7)
    day, tries, plain, false = 86_400_000_000, 40, 0, 0
    for _ in range(tries):
        then, now = np.sort(rng.random(2_000) * 730), 730 + rng.integers(0, 50) * 7 + rng.random(300) * 7
        reference, current = seasonal(rng, then), seasonal(rng, now)
        clock = Clock((then * day).astype(np.int64), (now * day).astype(np.int64))
        plain += bool(DETECTOR.look(reference, current, alpha=0.1))
        false += bool(DETECTOR.look(reference, current, alpha=0.1, clock=clock))
    assert plain > 0.9 * tries
    assert false <= binom.ppf(0.999, tries, 0.1)


def test_a_shift_is_found_through_the_season():
    rng = np.random.default_rng(8)
    day = 86_400_000_000
    then, now = np.sort(rng.random(2_000) * 730), 760 + rng.random(400) * 7
    clock = Clock((then * day).astype(np.int64), (now * day).astype(np.int64))
    alarms = DETECTOR.look(seasonal(rng, then), seasonal(rng, now, rise=0.6), alpha=0.001, clock=clock)
    assert [a.subject for a in alarms] == ["x0"]
    assert "beyond time of the year and day of the week" in alarms[0].message


def test_weeks_with_a_life_of_their_own_are_no_drift_however_small_the_level():
    """Tails and rare levels follow a week in a curve: a normal tail there called one look in thirty, at any level."""
    rng, day, tries, false = np.random.default_rng(9), 86_400_000_000, 120, 0

    def shaken(moments):
        weeks = (moments // 7).astype(int)
        lift = rng.normal(0.0, 0.5, weeks.max() + 1)[weeks]
        return numbers(np.round(2.0 * (rng.normal(size=len(moments)) + lift)), rng.normal(size=len(moments)) + lift)

    for _ in range(tries):
        then, now = np.sort(rng.random(1_500) * 728), 728 + rng.random(400) * 7
        clock = Clock((then * day).astype(np.int64), (now * day).astype(np.int64))
        false += bool(DETECTOR.look(shaken(then), shaken(now), alpha=0.002, clock=clock))
    assert false <= binom.ppf(0.999, tries, 0.002)
