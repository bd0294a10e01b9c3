"""Probation: as rarely wrong as stated whatever the losses look like, and not blind to a change that begins late."""

import numpy as np
import pytest
from scipy.stats import binom

from holdgood.core.errors import DataError
from holdgood.retraining import ChallengePlan, challenge, probation

ROWS, LOOKS = 600, 6


def walk(test, gain: np.ndarray, looks: int = LOOKS, days: np.ndarray | None = None):
    """The last look of a test that is looked at ``looks`` times; ``gain``: of the replaced model over its successor."""
    shares: list[float] = []
    for k in range(1, looks + 1):
        n = len(gain) * k // looks
        found = test(
            gain[:n],
            np.zeros(n),
            plan=ChallengePlan(len(gain)),
            earlier=shares,
            clusters=None if days is None else days[:n],
        )
        if found.decision != "not yet":
            break
        shares.append(found.share)
    return found


@pytest.mark.parametrize("kind", ["normal", "skewed", "days"])
def test_a_successor_that_is_as_good_is_rarely_sent_back(kind):
    rng = np.random.default_rng(8)
    days = np.arange(ROWS) // 10
    tries, wrong = 60, 0
    for _ in range(tries):
        gain = rng.normal(size=ROWS) if kind != "skewed" else rng.lognormal(0.0, 1.0, ROWS) - np.exp(0.5)
        gain += rng.normal(size=days.max() + 1)[days] if kind == "days" else 0.0
        wrong += walk(probation, gain, days=days if kind == "days" else None).decision == "promote"
    assert wrong <= binom.ppf(0.999, tries, 0.05)


def test_a_late_breakdown_is_seen_where_all_rows_together_hide_it():
    """Good for seven tenths of the way, then as bad: over all rows together the successor looks better to the end."""
    rng = np.random.default_rng(9)
    gain = rng.normal(size=ROWS) + np.where(np.arange(ROWS) < 0.65 * ROWS, -0.6, 0.9)
    together, found = walk(challenge, gain), walk(probation, gain)
    assert together.decision == "keep"
    assert found.decision == "promote" and found.comparison.n < ROWS and "newest" in found.reason
    assert found.share <= 1.0 and found.look >= 5


def test_good_days_do_not_end_it_and_the_end_does():
    rng = np.random.default_rng(10)
    good = rng.normal(size=ROWS) - 1.0
    early = probation(good[:300], np.zeros(300), plan=ChallengePlan(ROWS))
    assert early.decision == "not yet" and "50% of the planned rows" in early.reason
    ended = walk(probation, good)
    assert ended.decision == "keep" and ended.look == LOOKS and "at no look" in ended.reason
    at_once = walk(probation, rng.normal(size=ROWS) + 0.5)
    assert at_once.decision == "promote" and at_once.look < LOOKS


def test_looks_that_say_nothing_and_looks_that_cannot_be():
    plan = ChallengePlan(100)
    assert probation(np.zeros(0), np.zeros(0), plan=plan).decision == "not yet"
    assert probation(np.ones(1), np.zeros(1), plan=plan).decision == "not yet"
    assert probation(np.ones(100), np.ones(100), plan=plan).decision == "keep"
    with pytest.raises(DataError, match="fewer than at the one before"):
        probation(np.ones(10), np.ones(10), plan=plan, earlier=[0.5])
