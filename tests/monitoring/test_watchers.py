"""Every watcher holds the contract, and finds what it is for."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binom

from holdgood.core import plugins
from holdgood.core.records import Interval
from holdgood.core.traffic import DAY
from holdgood.metrics.interval import mean_interval
from holdgood.monitoring import (
    mon005_silence,
    mon006_late_labels,
    mon007_performance,
    mon008_estimate,
    mon009_fairness,
    mon011_benefit,
)
from holdgood.monitoring.delay import learned
from holdgood.monitoring.judged import unjudged
from holdgood.monitoring.late_mean import late_mean
from holdgood.monitoring.mon009_fairness import gaps_now
from holdgood.testing.watcher import ALPHA, check_watcher, look, made_up

CHANGED = {
    "MON004": {"refused": 0.08},
    "MON005": {"stops": 3.0},
    "MON006": {"late": 15.0},
    "MON007": {"worse": 0.15},
    "MON008": {"lean": -4.0},
    "MON009": {"apart": 0.45},
    "MON010": {"overruled": 0.1},
    "MON011": {"dearer": 4.0},
}


@pytest.mark.parametrize("code", sorted(CHANGED))
def test_the_contract_holds(code):
    check_watcher(plugins.load("holdgood.detectors", code))


@pytest.mark.parametrize("code", sorted(set(CHANGED) - {"MON008"}))
def test_what_it_is_for_is_found_and_told(code):
    watcher = plugins.load("holdgood.detectors", code)
    alarms = watcher.watch(look(made_up(3, **CHANGED[code])), alpha=ALPHA, seed=0)
    assert {a.code for a in alarms} == {code}
    assert alarms[0].message
    assert alarms[0].todo


def silent(arrivals, after, window=28.0):
    """Alarms of a look so many days after the last of some arrivals (in days)."""
    moments = (np.asarray(arrivals) * DAY).astype(np.int64)
    whole = replace(made_up(1), feeds={"rows to answer": moments}, as_of=int(moments[-1] + after * DAY))
    at = look(whole)
    return mon005_silence.DETECTOR.watch(replace(at, begins=at.ends - int(window * DAY)), alpha=0.01, seed=0)


SECOND, MINUTE = 1 / 86_400, 1 / 1_440
BATCH = np.arange(400) * SECOND
DAILY = np.concatenate([d + BATCH for d in range(4)])


@pytest.mark.parametrize("after", [MINUTE, 0.5, 3.0, 60.0])
def test_one_batch_is_no_habit_to_be_silent_against(after):
    assert silent(0.3 + BATCH, after) == []
    assert silent(1.0 - BATCH[100] + BATCH, after) == [], "over midnight"


def test_a_feed_younger_than_a_week_is_silent_after_a_week():
    assert silent(DAILY, 2.9) == [], "it may have been Friday"
    (alarm,) = silent(DAILY, 7.1)
    assert alarm.message == "no rows to answer for 7.1 days; the longest silence among 1,600 arrivals was 23.9 hours"
    weeks = np.concatenate([d + BATCH for d in range(14) if d % 7 < 5])
    assert silent(weeks, 3.0) == []
    assert silent(weeks, 4.6)


def test_a_busy_feed_is_not_silent_for_a_minute():
    busy = np.arange(0.0, 10.0, 10 * SECOND)
    assert silent(busy, 55 * MINUTE) == []
    (alarm,) = silent(busy, 61 * MINUTE)
    assert alarm.message.endswith("was 10 seconds")
    (alarm,) = silent(busy, 1.2 * MINUTE, window=1 / 24)
    assert alarm.message.startswith("no rows to answer for 1 minute;"), "who looks every hour is told within the hour"


def test_the_estimate_sees_a_harder_crowd_before_outcomes_come():
    traffic = made_up(3)
    # The reference was easy (chances near 0 or 1), now everybody is a coin toss.
    easy = np.random.default_rng(0).choice([0.02, 0.98], 4_000)
    then = (np.random.default_rng(1).random(4_000) < easy).astype(float)
    promised = traffic.promised.__class__(
        **{
            **{f: getattr(traffic.promised, f) for f in traffic.promised.__dataclass_fields__},
            "pairs": np.stack([easy, then], axis=1),
            "loss": traffic.promised.loss.model_copy(update={"value": 0.1, "low": 0.08, "high": 0.12}),
        }
    )
    changed = traffic.__class__(
        **{f: getattr(traffic, f) for f in traffic.__dataclass_fields__} | {"promised": promised}
    ).take(~traffic.labelled)
    (alarm,) = mon008_estimate.DETECTOR.watch(look(changed), alpha=0.05, seed=0)
    assert "assumes that the same facts" in alarm.message


def amounts(seed, *, lean=0.0, unlike=0.0):
    """Traffic of amounts without outcomes: a model of losses expects ``lean`` more of each row than of the reference's."""
    rng, whole = np.random.default_rng(seed), made_up(seed)
    before, now = rng.gamma(4.0, 0.25, 4_000), rng.gamma(4.0, 0.25, len(whole)) + lean
    came = before * rng.exponential(size=4_000)
    promised = replace(whole.promised, pairs=np.stack([before, came], axis=1), loss=mean_interval(came))
    none = np.full((len(whole), 2), np.nan)
    strange = rng.random(len(whole)) < unlike
    return replace(whole, loss_if=none, expected=now, unlike=strange, promised=promised).take(~whole.labelled)


def test_the_estimate_of_amounts_alarms_when_it_must_and_not_oftener():
    watch = mon008_estimate.DETECTOR.watch
    (alarm,) = watch(look(amounts(1, lean=0.5)), alpha=0.01, seed=0)
    assert alarm.code == "MON008"
    assert "assumes that the same facts" in alarm.message
    false = sum(bool(watch(look(amounts(s)), alpha=0.05, seed=0)) for s in range(60))
    assert false <= binom.ppf(0.999, 60, 0.05)


def test_rows_of_a_kind_that_the_reference_hardly_has_leave_no_estimate_and_the_reason():
    seen, why = mon008_estimate.estimated(look(amounts(1, lean=0.5, unlike=0.5)))
    assert seen is None
    assert "of rows are of a kind that the reference hardly has" in why
    assert mon008_estimate.DETECTOR.watch(look(amounts(1, lean=0.5, unlike=0.5)), alpha=0.05, seed=0) == []
    sure, wide = (mon008_estimate.estimated(look(amounts(1, unlike=u)))[0] for u in (0.0, 0.05))
    assert wide.high - wide.low > sure.high - sure.low


def test_performance_is_weighted_for_outcomes_that_wait():
    """Bad outcomes come late: a plain mean of what is known flatters, the weighted one does not."""
    rng = np.random.default_rng(0)
    off_plain, off_weighted = [], []
    for seed in range(10):
        whole = made_up(seed, a_day=60)
        # Who is decided late in the window loses more, and is labelled less often by now.
        age = (whole.as_of - whole.when) / 86_400_000_000
        loss = np.where(age < 10, 2.0, 1.0) + 0.1 * rng.normal(size=len(whole))
        changed = whole.__class__(
            **{f: getattr(whole, f) for f in whole.__dataclass_fields__}
            | {"loss": np.where(whole.labelled, loss, np.nan)}
        )
        seen = mon007_performance.performance(look(changed), alpha=0.05)[1]
        window = look(changed).window
        truth = float(loss[whole.when >= whole.as_of - 28 * 86_400_000_000].mean())
        off_plain.append(np.nanmean(window.loss) - truth)
        off_weighted.append(seen.value - truth)
    assert abs(np.mean(off_weighted)) < 0.4 * abs(np.mean(off_plain))


def test_the_ledger_speaks_of_all_rows_of_the_window():
    found = mon011_benefit.ledger(look(made_up(5)))
    assert found.rows == len(look(made_up(5)).window)
    assert 0 < found.labelled < found.rows
    assert found.realised.low <= found.promised.value <= found.realised.high


def test_thin_groups_cannot_tell():
    traffic = made_up(2, a_day=3, days=35)
    few = traffic.groups["place"].copy()
    few[5:] = "south"
    changed = traffic.__class__(
        **{f: getattr(traffic, f) for f in traffic.__dataclass_fields__} | {"groups": {"place": few}}
    )
    assert gaps_now(changed, level=0.95) == []


def test_nights_and_weekends_are_no_silence():
    rng = np.random.default_rng(0)
    day = 86_400_000_000
    work = [d * day + int(h * 3.6e9) for d in range(60) if d % 7 < 5 for h in 8 + 9 * np.sort(rng.random(40))]
    traffic = made_up(1)
    quiet = traffic.__class__(
        **{f: getattr(traffic, f) for f in traffic.__dataclass_fields__}
        | {"feeds": {"answers": np.array(work)}, "as_of": work[-1] + int(2.6 * day)}
    )
    assert mon005_silence.DETECTOR.watch(look(quiet), alpha=0.05, seed=0) == []


def test_an_outcome_that_is_known_in_part_judges_nobody():
    window = look(made_up(3)).window
    known = np.flatnonzero(window.labelled)[::3]
    censored = window.censored.copy()
    censored[known] = True
    loss = np.where(censored, 1e6, window.loss)
    delay = learned(window)
    found = late_mean(replace(window, censored=censored), loss, delay)
    assert found == late_mean(window, np.where(censored, np.nan, window.loss), delay) and found.value < 1e3


def test_outcomes_that_are_left_out_are_counted():
    """At a first look whose outcomes all came at once, the youngest rows are known sooner than nearly all were."""
    window = look(made_up(3)).window
    age = (window.as_of - window.when) / 86_400_000_000
    at_once = replace(window, labelled=np.ones(len(window), bool), loss=np.ones(len(window)), delay=age)
    found = late_mean(at_once, at_once.loss, learned(at_once))
    assert 0.1 < found.young / len(window) < 0.25 and found.rows + found.young == len(window), found
    assert found.left_out == f"{found.young} of rows so young that few of their age have one"
    full = np.r_[0.01, np.ones(len(window) - 1)]
    found = late_mean(replace(at_once, in_full=full), at_once.loss, learned(at_once))
    assert found.rows + found.young + found.large == len(window) and found.large == 1
    assert found.left_out.endswith(", 1 so large that few like them are known in full")


def test_a_bound_is_no_late_outcome():
    traffic = made_up(5)
    bounded = traffic.labelled & (
        np.random.default_rng(0).random(len(traffic)) < np.where(traffic.when > 40 * DAY, 0.6, 0.1)
    )
    told = replace(traffic, labelled=traffic.labelled & ~bounded, censored=bounded)
    assert mon006_late_labels.DETECTOR.watch(look(told), alpha=0.05, seed=0) == []
    assert mon006_late_labels.DETECTOR.watch(
        look(replace(told, censored=np.zeros(len(told), bool))), alpha=0.05, seed=0
    )


def with_fair(traffic, **fair):
    return replace(traffic, fair={**traffic.fair, **fair})


def test_groups_that_the_model_is_wrong_about_more_often_are_told_though_answers_are_as_even_as_before():
    traffic = made_up(4, a_day=80)
    place, truth = traffic.groups["place"], traffic.fair["true_positive_rate"]
    rng = np.random.default_rng(0)
    missed = np.isfinite(truth) & (place == "south") & (rng.random(len(traffic)) < 0.8)
    changed = with_fair(traffic, true_positive_rate=np.where(missed, 0.0, truth))
    (alarm,) = mon009_fairness.DETECTOR.watch(look(changed), alpha=0.001, seed=0)
    assert alarm.subject == "place, true positive rate"
    assert "apart in how often the model asks to act where it should have" in alarm.message
    assert mon009_fairness.of_outcomes(alarm.subject) and not mon009_fairness.of_outcomes("place")
    window = look(changed).window
    told = window.fair["true_positive_rate"]
    north, south = (np.nanmean(told[window.groups["place"] == name]) for name in ("north", "south"))
    gap = next(g for g in gaps_now(window, level=0.95) if g.measure == "true_positive_rate")
    assert gap.gap.value == pytest.approx(abs(north - south))
    assert gap.gap.n == np.isfinite(told).sum()
    unpromised = replace(changed, promised=replace(changed.promised, gaps={}))
    assert mon009_fairness.DETECTOR.watch(look(unpromised), alpha=0.001, seed=0) == []


def test_an_open_alarm_about_errors_waits_for_outcomes():
    traffic = made_up(1)
    blind = traffic.take(~traffic.labelled)
    alarms = [("a", "MON009", "place"), ("b", "MON009", "place, true positive rate")]
    begins = traffic.as_of - 28 * 86_400_000_000
    assert list(unjudged(blind, begins, begins, alarms)) == ["b"]
    assert unjudged(traffic, begins, begins, alarms) == {}


@pytest.mark.parametrize("subject", ["place", "place, true positive rate"])
def test_an_open_alarm_about_groups_is_not_over_where_one_of_them_is_too_thin_to_tell(subject):
    traffic = made_up(1)
    begins = traffic.as_of - 28 * 86_400_000_000
    measure = "true_positive_rate" if "," in subject else "selection_rate"
    told = traffic.fair[measure].copy()
    south = np.flatnonzero(np.isfinite(told) & (traffic.groups["place"] == "south") & (traffic.when >= begins))
    told[south[49:]] = np.nan
    thin = with_fair(traffic, **{measure: told})
    assert gaps_now(thin.take(thin.when >= begins), level=0.95)[0].measure != measure
    alarms = [("a", "MON009", subject)]
    assert unjudged(thin, begins, begins, alarms) == {"a": "1 of 2 groups with 50 rows that tell in 4 weeks"}
    assert unjudged(traffic, begins, begins, alarms) == {}


def test_gaps_of_answers_and_of_errors_share_one_rate_of_false_alarms():
    tries, alpha = 300, 0.2
    promised = {
        m: {"place": Interval(value=0.1, low=0.1, high=0.1, n=4_000)} for m in ("selection_rate", "true_positive_rate")
    }
    gaps = [made_up(s, a_day=60) for s in range(tries)]
    missed = sum(
        any(g.gap.low > promised[g.measure]["place"].high for g in gaps_now(look(t).window, level=1.0 - 2.0 * alpha))
        for t in gaps
    )
    assert missed <= binom.ppf(0.999, tries, alpha)
    assert missed > 0
