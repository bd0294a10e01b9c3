"""Every watcher holds the contract, and finds what it is for."""

import numpy as np
import pytest

from holdgood.core import plugins
from holdgood.monitoring import mon005_silence, mon007_performance, mon008_estimate, mon011_benefit
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
    assert [a.code for a in alarms] == [code]
    assert alarms[0].message
    assert alarms[0].todo


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
