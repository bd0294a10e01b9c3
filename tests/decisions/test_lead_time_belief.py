import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdgood.core.errors import DataError
from holdgood.decisions.lead_time_belief import LeadTimeBelief, SupplierPrior
from holdgood.decisions.learning_orders import LearningOrders, Settings


def run(belief, leads, units):
    """Order units[t] with the true lead time leads[t] (None: never); returns who arrived when by the true rules."""
    due = {}
    for t, (lead, q) in enumerate(zip(leads, units, strict=True)):
        belief.ordered(np.array([float(q)]))
        if lead is not None:
            due[t + lead] = due.get(t + lead, 0) + q
        belief.arrived(np.array([float(due.get(t, 0))]))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([0, 1, 2, 3, None]), min_size=1, max_size=9))
def test_fates_are_found_from_totals_alone_and_counted_with_those_still_out(leads):
    longest = 4
    belief = LeadTimeBelief(np.array([2]), longest)
    before_came, before_stayed = belief.came.copy(), belief.stayed.copy()
    run(belief, leads, [2**t for t in range(len(leads))])  # every total has one explanation
    came, stayed = np.zeros(longest + 1), np.zeros(longest + 1)
    for t, lead in enumerate(leads):
        for age in range(min(longest, len(leads) - 1 - t) + 1):
            if lead == age:
                came[age] += 1
                break
            stayed[age] += 1
    np.testing.assert_allclose((belief.came - before_came)[0], came)
    np.testing.assert_allclose((belief.stayed - before_stayed)[0], stayed)


def test_the_chance_that_the_promise_holds_is_bayes_theorem():
    prior = SupplierPrior(kept=0.3, strength=2.0, at_promise=0.4, before=0.15, after=0.2)
    belief = LeadTimeBelief(np.array([1]), 2, prior)
    run(belief, [1, 1, 1], [5, 6, 7])  # two have come at age 1, one is still out at age 0
    # Polya urns: three stayed at age 0, then two came at age 1.
    stayed0 = 1.7 / 2 * 2.7 / 3 * 3.7 / 4
    came1 = 0.8 / 2 * 1.8 / 3
    free = 0.7 * stayed0 * came1
    np.testing.assert_allclose(belief.kept[0], 0.3 / (0.3 + free), rtol=1e-12)


def test_one_order_that_breaks_the_promise_ends_it():
    belief = LeadTimeBelief(np.array([1, 1]), 3, SupplierPrior(kept=0.99))
    for _ in range(2):
        belief.ordered(np.array([4.0, 4.0]))
        belief.arrived(np.array([0.0, 0.0]))
    assert belief.kept[0] < 1e-200


def test_draws_follow_the_hazards_and_never_go_back_in_age():
    belief = LeadTimeBelief(
        np.array([2]), 3, SupplierPrior(kept=1e-9, strength=1e6, before=0.3, at_promise=0.5, after=0.25)
    )
    belief.ordered(np.array([3.0]))
    belief.arrived(np.array([0.0]))
    out, new = belief.draw(60_000, 1, np.random.default_rng(0))
    share = np.bincount(new[0, :, 0], minlength=5) / 60_000
    np.testing.assert_allclose(share, [0.3, 0.21, 0.245, 0.06125, 0.18375], atol=0.01)
    older = np.bincount(out[0, :, 1], minlength=5) / 60_000
    np.testing.assert_allclose(older, [0, 0.3, 0.35, 0.0875, 0.2625], atol=0.01)


def test_a_promise_beyond_the_longest_age_is_refused():
    with pytest.raises(DataError, match="promised lead time of 5"):
        LeadTimeBelief(np.array([5]), 4)


def test_what_cannot_be_weighed_or_counted_is_refused():
    with pytest.raises(DataError, match="16 at most"):
        LeadTimeBelief(np.array([18]), 20)
    belief = LeadTimeBelief(np.array([1]), 3)
    for wrong in (np.nan, -1.0, np.inf):
        with pytest.raises(DataError, match="units that arrived"):
            belief.arrived(np.array([wrong]))


def test_observations_with_holes_are_refused_before_anything_is_learned():
    policy = LearningOrders(np.full((1, 5), 10.0), np.array([4.0]), np.ones(1), np.array([0]), Settings(paths=8))
    before = policy.lead.out.copy(), policy.demand.step
    for arrived, demand, said in ((3.0, np.nan, "demand"), (3.0, -5.0, "demand"), (np.nan, 3.0, "arrived")):
        with pytest.raises(DataError, match=said):
            policy.observe(np.array([arrived]), np.array([demand]))
    assert (policy.lead.out == before[0]).all() and policy.demand.step == before[1]
    with pytest.raises(DataError, match="promised lead times"):
        LearningOrders(np.full((1, 5), 10.0), np.array([4.0]), np.ones(1), np.array([np.nan]))
    with pytest.raises(DataError, match="demand"):
        policy.demand.update(np.array([np.nan]))
