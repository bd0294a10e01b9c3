"""Champion against challenger: three outcomes, and as rarely wrong as stated whatever the losses look like."""

import numpy as np
import pytest
from scipy.stats import binom

from holdgood.core.errors import DataError
from holdgood.retraining import ChallengePlan, challenge


def gains(kind: str, rng: np.random.Generator, n: int, days: np.ndarray) -> np.ndarray:
    """Gains a row with mean zero."""
    if kind == "normal":
        return rng.normal(size=n)
    if kind == "heavy":
        return rng.standard_t(3, size=n)
    if kind == "skewed":
        return rng.lognormal(0.0, 1.0, size=n) - np.exp(0.5)
    return rng.normal(size=n) + rng.normal(size=days.max() + 1)[days]  # days shake all of their rows


def walk(gain: np.ndarray, days: np.ndarray | None, plan: ChallengePlan, looks: int) -> str:
    """The decision of a test that is looked at ``looks`` times."""
    shares: list[float] = []
    for k in range(1, looks + 1):
        n = len(gain) * k // looks
        found = challenge(gain[:n], np.zeros(n), plan=plan, earlier=shares, clusters=None if days is None else days[:n])
        if found.decision != "not yet":
            return found.decision
        shares.append(found.share)
    raise AssertionError("the last look decides")


@pytest.mark.parametrize("kind", ["normal", "heavy", "skewed", "days"])
def test_a_challenger_that_is_no_better_is_rarely_promoted(kind):
    rng = np.random.default_rng(5)
    tries, wrong, n = 120, 0, 600
    days = np.arange(n) // 20
    for _ in range(tries):
        wrong += walk(gains(kind, rng, n, days), days if kind == "days" else None, ChallengePlan(n), 5) == "promote"
    assert wrong <= binom.ppf(0.999, tries, 0.05)


def test_rows_of_a_day_counted_alone_would_promote_far_too_often():
    """The days are what holds the level: without them the same walks fail."""
    rng = np.random.default_rng(6)
    days = np.arange(600) // 20
    wrong = sum(walk(gains("days", rng, 600, days), None, ChallengePlan(600), 5) == "promote" for _ in range(60))
    assert wrong > binom.ppf(0.999, 60, 0.05)


def test_a_better_one_is_found_before_the_end_and_a_worse_one_is_kept_out_before_the_end():
    rng = np.random.default_rng(0)
    champion = rng.random(1000)
    better = challenge(champion, champion - 0.1 + 0.05 * rng.normal(size=1000), plan=ChallengePlan(4000), unit="nats")
    assert better.decision == "promote" and better.share == 0.25 and "nats" in better.reason
    assert better.comparison.verdict == "better"
    worse = challenge(champion, champion + 0.1, plan=ChallengePlan(4000))
    assert worse.decision == "keep" and "not to be better" in worse.reason


def test_all_rows_without_proof_keep_the_champion_and_fewer_wait():
    rng = np.random.default_rng(1)
    champion, other = rng.random(400), rng.random(400)
    assert challenge(champion, other, plan=ChallengePlan(800)).decision == "not yet"
    ended = challenge(champion, other, plan=ChallengePlan(400))
    assert ended.decision == "keep" and "all planned rows" in ended.reason
    assert challenge(champion, champion, plan=ChallengePlan(400)).decision == "keep"
    assert challenge(champion, champion, plan=ChallengePlan(800)).decision == "not yet"
    assert challenge(champion[:1], champion[:1] / 2, plan=ChallengePlan(400)).decision == "not yet"
    assert challenge(champion[:0], champion[:0], plan=ChallengePlan(400)).decision == "not yet"


def test_a_gain_below_what_matters_is_no_reason_to_change():
    rng = np.random.default_rng(2)
    champion = rng.random(2000)
    small = champion - 0.01 + 0.01 * rng.normal(size=2000)
    assert challenge(champion, small, plan=ChallengePlan(2000)).decision == "promote"
    kept = challenge(champion, small, plan=ChallengePlan(2000, smallest_gain=0.05))
    assert kept.decision == "keep" and "by more than 0.05" in kept.reason
    assert kept.comparison.difference == pytest.approx(0.01, abs=0.001)


def test_rows_cannot_be_taken_back_between_looks():
    with pytest.raises(DataError, match="fewer than at the one before"):
        challenge(np.ones(10), np.ones(10), plan=ChallengePlan(100), earlier=[0.5])
