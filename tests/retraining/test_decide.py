"""Every decision has its reason, and a reason to do nothing is a reason too."""

import pytest
from pydantic import ValidationError

from holdgood.core.declared_policy import PolicySpec
from holdgood.core.errors import DeclarationError
from holdgood.core.records import Alarm, Comparison
from holdgood.retraining import Evidence, decide, worth


def alarm(severity: str) -> Alarm:
    return Alarm(code="MON001", title="drift", subject="x", severity=severity, message="x moved")


def measured(difference: float, half: float) -> Comparison:
    low, high = difference - half, difference + half
    verdict = "better" if low > 0 else "worse" if high < 0 else "not proven"
    return Comparison(
        first="now", second="promised", difference=difference, low=low, high=high, n=900, unit="nats", verdict=verdict
    )


FALL = measured(-0.1, 0.02)
CASES = [
    ({}, {}, "do not retrain", "without a cause"),
    ({"performance": FALL, "new_rows": 800}, {}, "retrain", "performance has fallen"),
    ({"performance": FALL, "new_rows": 80}, {}, "not yet", "too few to learn from"),
    ({"performance": measured(-0.005, 0.001), "new_rows": 800}, {}, "do not retrain", "less than what matters"),
    ({"performance": measured(0.1, 0.02), "new_rows": 800}, {}, "do not retrain", "performance has risen"),
    ({"alarms": ["high"], "performance": measured(0.001, 0.005), "new_rows": 800}, {}, "do not retrain", "cost nothing that can be seen"),
    ({"alarms": ["high"], "new_rows": 800}, {}, "not yet", "outcomes will tell"),
    ({"alarms": ["high"], "new_rows": 800}, {"outcomes": "never"}, "retrain", "the challenger must still win"),
    ({"alarms": ["low"], "new_rows": 800}, {"outcomes": "never"}, "not yet", "outcomes will tell"),
    ({"performance": FALL, "new_rows": 800, "calm_days": 3.0}, {}, "not yet", "the policy waits 14 d"),
    ({"performance": FALL, "new_rows": 800, "in_shadow": True}, {}, "not yet", "in the shadow already"),
    ({"age_days": 91.0, "new_rows": 800}, {"schedule": "90 d"}, "retrain", "retrains every 90 d"),
    ({"age_days": 89.0, "new_rows": 800}, {"schedule": "90 d"}, "do not retrain", "without a cause"),
    ({"new_rows": 800, "learned_rows": 1000}, {"volume": 0.5}, "retrain", "0.5 times what the model learned from"),
    ({"new_rows": 800, "learned_rows": 2000}, {"volume": 0.5}, "do not retrain", "without a cause"),
]  # fmt: skip


@pytest.mark.parametrize(("known", "policy", "expected", "said"), CASES)
def test_every_decision_has_its_reason(known, policy, expected, said):
    known = {**known, "alarms": [alarm(s) for s in known.get("alarms", [])]}
    found = decide(Evidence(**known), PolicySpec(smallest_fall=0.01, **policy))
    assert found.decision == expected
    assert said in " / ".join(found.reasons)
    assert found.alarms == (("MON001",) if known["alarms"] else ())


def test_alarms_of_before_it_stands_here_are_not_there_and_still_said_to_be_open():
    stands, later = "2026-01-08T12:00:00+00:00", "2026-02-01T00:00:00+00:00"
    here = "no alarm since it stands here (since 2026-01-08T12:00)"
    for known, said in (
        ({"open_before": 2, "alarms_since": stands}, f"{here}; 2 older ones are still open (holdgood journal alarms)"),
        (
            {"open_before": 1, "alarms_since": later},
            "no alarm since 2026-02-01T00:00; 1 older one is still open (holdgood journal alarms)",
        ),
        ({"alarms_since": stands}, "no alarm"),
    ):
        assert decide(Evidence(since=stands, **known)).reasons[0] == said


def test_unknown_performance_says_what_is_there_what_is_needed_and_what_was_left_out():
    known = {"new_rows": 1_200, "known_days": 3, "promised_days": 40, "since": "2026-01-08T12:00:00+00:00"}
    said = " / ".join(decide(Evidence(**known, left_out=77)).reasons)
    assert "1,200 rows with an outcome, of 3 days since 2026-01-08T12:00; outcomes of 5 days within" in said
    assert (
        "77 answers with an outcome are left out: they are from before it stands here (since 2026-01-08T12:00)" in said
    )
    said = " / ".join(decide(Evidence(**{**known, "known_days": 30, "promised_days": 2})).reasons)
    assert "what is normal is known of 2 days only, and 5 are needed" in said
    assert "left out" not in said


def test_a_fall_that_costs_less_than_retraining_is_left():
    fall = measured(-0.02, 0.01)
    cheap = worth(fall, rows=10_000, cost=50.0, currency="EUR")
    dear = worth(fall, rows=10_000, cost=500.0, currency="EUR")
    risky = worth(fall, rows=10_000, cost=50.0, error=0.05, at_risk=200_000, currency="EUR")
    assert cheap.most == pytest.approx(200) and cheap.most_high == pytest.approx(300)
    assert risky.risk == pytest.approx(300)
    told = [decide(Evidence(performance=FALL, new_rows=800, worth=w)) for w in (cheap, dear, risky)]
    assert [t.decision for t in told] == ["retrain", "do not retrain", "do not retrain"]
    assert "does not pay: it can win back 200 EUR (at most 300); it costs 500" in " / ".join(told[1].reasons)


def test_no_fall_has_nothing_to_win_back():
    assert not worth(measured(0.1, 0.02), rows=1e6, cost=0.0).pays


@pytest.mark.parametrize("wrong", [{"schedule": "soon"}, {"error": 0.0}, {"cool_down": "-1 d"}, {"unknown": 1}])
def test_a_policy_that_cannot_be(wrong):
    with pytest.raises((ValidationError, DeclarationError), match=next(iter(wrong)) + "|duration"):
        PolicySpec(**wrong)
