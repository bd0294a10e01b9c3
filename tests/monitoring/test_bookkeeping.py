"""An alarm is told once, hushed when asked, and over when it has stayed away; looks spend a budget."""

import numpy as np
import pytest

from holdgood.core.records import Acknowledgement, Alarm, WatchLook
from holdgood.monitoring.bookkeeping import alarm_id, named, standing, surest
from holdgood.monitoring.delay import product_limit
from holdgood.monitoring.schedule import alpha_of_look, shares


def alarm(subject, p=0.01):
    return named(Alarm(code="MON001", title="t", subject=subject, severity="low", message="m", p=p), "m", "2026-01-08")


A, B = alarm("a"), alarm("b")


def look(day, *found, rows=100, unjudged=()):
    ends = f"2026-01-{day:02d}"
    return WatchLook(
        model="m", bundle_digest="d", begins="2026-01-01", ends=ends, budget=1.0, alpha=0.01, rows=rows, found=found, unjudged=unjudged
    )  # fmt: skip


def ended(*past, unjudged=()):
    """What ends at a silent look a week after the eighth."""
    return standing([], past, [A.id], {}, "2026-01-15", days=7, unjudged=unjudged).ended


def test_a_known_alarm_is_not_told_again():
    found = standing([A, B], [look(1, A.id)], [A.id], {}, "2026-01-08", days=7)
    assert (found.fresh, found.open, found.ended) == ((B,), (A,), ())


def test_an_alarm_is_over_after_two_quiet_looks_and_not_after_one():
    assert ended(look(8, A.id), look(1)) == ()
    assert ended(look(8), look(1, A.id)) == (A.id,)
    assert ended() == ()


def test_silence_counts_by_time_and_only_where_an_alarm_could_have_been_found():
    assert ended(look(14), look(13), look(12, A.id)) == (), "three looks within three days are not two weeks' silence"
    assert ended(look(14), look(13), look(8), look(7, A.id)) == (A.id,)
    assert ended(look(8, rows=0), look(1, A.id)) == (), "no rows, no silence"
    assert ended(look(8, unjudged=(A.id,)), look(1, A.id)) == ()
    assert ended(look(8), look(1, A.id), unjudged=[A.id]) == ()


@pytest.mark.parametrize(("now", "told"), [("2026-01-08", False), ("2026-03-01", True)])
def test_a_snoozed_alarm_is_quiet_until_its_time(now, told):
    hush = {A.id: Acknowledgement(alarm=A.id, who="x", until="2026-02-01")}
    found = standing([A], [], [], hush, now, days=7)
    assert bool(found.fresh) is told
    assert bool(found.snoozed) is not told


def test_of_several_windows_the_surest_speaks():
    assert surest([alarm("a", 0.01), alarm("a", 0.001), B]) == [alarm("a", 0.001), B]
    assert alarm_id("m", "MON001", "a") != alarm_id("m", "MON001a", "")


def test_a_year_of_looks_spends_the_budget_and_no_more():
    assert 365.2425 / 7 * alpha_of_look(1.0, 7.0) == pytest.approx(1.0)
    assert sum(shares(0.02, ["a", "b", "c"], {"a": 2.0}).values()) == pytest.approx(0.02)


def test_product_limit_counts_those_that_still_wait():
    rng = np.random.default_rng(0)
    delay, age = rng.exponential(5.0, 4_000), rng.uniform(0.0, 20.0, 4_000)
    curve = product_limit(np.minimum(delay, age), delay <= age)
    assert curve.by(np.array([5.0]))[0] == pytest.approx(1 - np.exp(-1), abs=0.03)
    assert curve.by(np.array([-1.0, 0.0])).tolist() == [0.0, 0.0]
