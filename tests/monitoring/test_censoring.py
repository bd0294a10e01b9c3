"""Amounts of which only a lower bound is known."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from holdgood.monitoring.censoring import known_in_full

ROWS = st.lists(st.tuples(st.integers(0, 8), st.booleans()), min_size=1, max_size=30)


@given(ROWS)
def test_it_is_the_product_limit_as_a_textbook_walks_it(rows):
    """One bound after the other: of those still followed there, the part that stays. Outcomes at a bound came before it."""
    amount, bounded = np.array([float(a) for a, _ in rows]), np.array([b for _, b in rows])
    found = known_in_full(amount, bounded)
    for i, (own, is_bound) in enumerate(rows):
        chance = 1.0
        for at in sorted({a for a, b in rows if b and a < own}):
            followed = sum(1 for a, b in rows if a > at or (a == at and b))
            chance *= 1.0 - sum(1 for a, b in rows if a == at and b) / followed
        assert np.isnan(found[i]) if is_bound else np.isclose(found[i], chance)


def test_those_known_in_full_stand_for_all():
    """The weighted mean is the true one, where the plain mean is far below it; simulation of 200 worlds, five standard errors."""
    weighted, plain = [], []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        amount, limit = rng.gamma(4.0, 0.25, 500), rng.exponential(3.0, 500)
        bounded = limit < amount
        seen = np.minimum(amount, limit)
        chance = known_in_full(seen, bounded)
        full = ~bounded
        weighted.append(np.average(seen[full], weights=1.0 / chance[full]))
        plain.append(seen[full].mean())
    error = np.std(weighted) / np.sqrt(len(weighted))
    assert (
        abs(np.mean(weighted) - 1.0) < 5 * error + 0.01
    )  # the largest may be a bound: nobody stands for what lies beyond it
    assert np.mean(plain) < 0.95


def test_nothing_known_and_nothing_bounded():
    assert np.isnan(known_in_full(np.array([np.nan, np.nan]), np.zeros(2, bool))).all()
    assert known_in_full(np.array([3.0, 1.0, np.nan]), np.zeros(3, bool))[:2].tolist() == [1.0, 1.0]
