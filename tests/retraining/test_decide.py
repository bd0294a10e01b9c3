import numpy as np
import pytest
from scipy.stats import binom

from holdgood.core.records import Alarm, Comparison
from holdgood.retraining import RetrainPolicy, challenge, decide


def alarm(severity: str) -> Alarm:
    return Alarm(code="MON001", title="drift", subject="x", severity=severity, message="x moved")


def measured(difference: float, half: float) -> Comparison:
    low, high = difference - half, difference + half
    verdict = "better" if low > 0 else "worse" if high < 0 else "not proven"
    return Comparison(
        first="now", second="at release", difference=difference, low=low, high=high, n=900, unit="nats", verdict=verdict
    )


POLICY = RetrainPolicy(least_rows=500, smallest_fall=0.01)


@pytest.mark.parametrize(
    ("alarms", "performance", "rows", "expected", "said"),
    [
        ([], None, 0, "do not retrain", "without a cause"),
        ([], measured(-0.1, 0.02), 800, "retrain", "performance has fallen"),
        ([], measured(-0.1, 0.02), 80, "not yet", "too few to learn from"),
        ([], measured(-0.005, 0.001), 800, "do not retrain", "less than what matters"),
        ([], measured(0.1, 0.02), 800, "do not retrain", "performance has risen"),
        ([alarm("high")], measured(0.001, 0.005), 800, "do not retrain", "not proven"),
        ([alarm("high")], measured(0.001, 0.2), 800, "not yet", "more outcomes will tell"),
        ([alarm("high")], None, 800, "retrain", "the challenger must still win"),
        ([alarm("high")], None, 0, "not yet", "too few to learn from"),
        ([alarm("low")], None, 800, "not yet", "no outcomes have come in"),
    ],
)
def test_every_decision_has_its_reason(alarms, performance, rows, expected, said):
    found = decide(alarms, performance, rows, POLICY)
    assert found.decision == expected
    assert said in " / ".join(found.reasons)
    assert found.alarms == (("MON001",) if alarms else ())


def test_the_default_policy_is_usable():
    assert decide([], None, 0).decision == "do not retrain"


def test_promote_keep_and_not_yet():
    rng = np.random.default_rng(0)
    champion = rng.random(2000)
    assert challenge(champion, champion - 0.1 + 0.05 * rng.normal(size=2000), unit="nats").decision == "promote"
    assert challenge(champion, champion + 0.1 + 0.05 * rng.normal(size=2000)).decision == "keep"
    assert challenge(champion, champion).decision == "keep"
    near = champion + rng.normal(size=2000)
    assert challenge(champion, near).decision == "not yet"
    assert challenge(champion, champion - 0.01 + 0.01 * rng.normal(size=2000), smallest_gain=0.05).decision == "keep"
    assert challenge(champion[:1], champion[:1] / 2).decision == "not yet"


def test_looking_often_does_not_find_what_is_not_there():
    rng = np.random.default_rng(1)
    tries, wrong = 200, 0
    for _ in range(tries):
        gain = rng.normal(size=600)
        looks = (challenge(gain[: 60 * k], np.zeros(60 * k), look=k) for k in range(1, 11))
        wrong += any(found.decision == "promote" for found in looks)
    assert wrong <= binom.ppf(0.999, tries, 0.05)
