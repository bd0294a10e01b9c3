import pytest

from holdgood.core.errors import DeclarationError
from holdgood.core.records import Comparison, Promotion
from holdgood.journal import live_on


def put(journal, digest, when, **more):
    named = {"model": "m", "by": "ann", "why": "better", **more}
    journal.append(Promotion(bundle_digest=digest, when=when, **named), "live")


def test_what_stood_where_over_a_history(journal):
    seen = Comparison(first="b2", second="b1", difference=1.0, low=0.5, high=1.5, verdict="better", p=0.001)
    put(journal, "b1", "2026-01-01T08:00Z")
    put(journal, "b2", "2026-02-01T08:00Z", place="canary", share=0.1, evidence=seen)
    put(journal, "b2", "2026-03-01T08:00Z", replaces="b1", approvals=("bob",))
    put(journal, "b2", "2026-03-01T08:00Z", place="canary", action="retire")
    put(journal, "b1", "2026-03-05T08:00Z", action="roll back", replaces="b2", by="cy", why="alarms")
    put(journal, "c1", "2026-02-10", model="n", place="shadow")

    def there(when, model="m"):
        return [(s.place, s.bundle_digest) for s in live_on(journal, when, model)]

    assert there("2025-12-31") == []
    assert there("2026-01-01T07:59Z") == []
    assert there("2026-01-01") == [("champion", "b1")]
    assert there("2026-02-01T08:00:00Z") == [("champion", "b1"), ("canary", "b2")]
    assert there("2026-03-01") == [("champion", "b2")]
    assert there("2026-03-06") == [("champion", "b1")]
    assert [(s.model, s.place) for s in live_on(journal, "2026-02-20")] == [
        ("m", "champion"),
        ("m", "canary"),
        ("n", "shadow"),
    ]
    canary = live_on(journal, "2026-02-20", "m")[1]
    assert (canary.share, canary.evidence, canary.by, canary.since[:10]) == (0.1, seen, "ann", "2026-02-01")
    back = live_on(journal, "2026-03-06", "m")[0]
    assert (back.action, back.by, back.why, back.replaces) == ("roll back", "cy", "alarms", "b2")
    assert back.recorded_utc > back.since
    with pytest.raises(DeclarationError, match="no day or time"):
        live_on(journal, "yesterday")
    assert live_on(journal, "9999-12-31", "m") == live_on(journal, "2100-01-01", "m")
