"""What of the traffic is compared between groups, beside the orders themselves."""

import numpy as np
import pytest

from holdgood.core.records import FairnessReport, Interval
from holdgood.core.records.fairness import Gap, GroupReport
from holdgood.workflow.live.traffic import gather
from holdgood.workflow.predict import Predictor

MODEL = "company"


def report(measure: str) -> FairnessReport:
    """What evaluation would have said of sites."""
    gaps = tuple(
        Gap(measure=m, largest=Interval(value=v, low=0.0, high=2 * v, n=900))
        for m, v in (("selection_rate", 0.05), (measure, 0.1))
    )
    return FairnessReport(attributes=(GroupReport(attribute="site", groups=(), gaps=gaps),), measure=measure)


@pytest.mark.parametrize("measure", ["true_positive_rate", "false_positive_rate", "accuracy", "error"])
def test_shares_are_those_of_the_rows_that_they_speak_of(begin, traffic, at, measure):
    live, _ = begin('[watch]\ngroups = ["site"]\n')
    orders = traffic.answered(live, "calm", 0, 7)
    stood = live.standing(MODEL)[0]
    model = Predictor.load(live.bundle(stood.bundle_digest))
    seen = gather(live, MODEL, stood, model, None, report(measure), at(6.5)).traffic
    facts = orders.drop(columns=["hours_taken"]).assign(left_at=np.datetime64("NaT"), hours_taken=np.nan)
    tables = {n: model.table_of(frame, n) for n, frame in traffic.others.items()}
    acts = model.codes(model.predict(model.table_of(facts), tables)) == 1
    late = orders.hours_taken.to_numpy() > 3
    assert 0 < acts.mean() < 1
    n = len(seen)  # those that were decided before the look
    known = seen.labelled
    assert 0 < known.sum() < n < len(orders)
    acts, late = acts[:n], late[:n]
    speaks = {"true_positive_rate": known & late, "false_positive_rate": known & ~late}.get(measure, known)
    says = {"accuracy": acts == late, "error": acts != late}.get(measure, acts)
    assert set(seen.fair) == {"selection_rate", measure}
    np.testing.assert_array_equal(seen.fair["selection_rate"], acts.astype(float))
    np.testing.assert_array_equal(seen.fair[measure], np.where(speaks, says, np.nan))
    assert seen.promised.gaps[measure]["site"].value == 0.1
    assert seen.promised.gaps["selection_rate"]["site"].value == 0.05
    cut = seen.take(np.arange(10))
    assert len(cut.fair[measure]) == len(cut.groups["site"]) == 10
