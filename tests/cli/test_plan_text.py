"""What plans and reviews print adds up on the screen: rows, the rest, each person's sum, the total."""

import re

import numpy as np

from holdgood.cli.plans import plan_text
from holdgood.cli.review_text import review_text
from holdgood.core.records import OrderLine, OrderPlan, OverrideOutcome, OverrideReview
from holdgood.decisions.overrides import by_person


def amount(text):
    """The first amount in euros of a line, as it is read."""
    found = re.search(r"(−?)€([\d,]+(?:\.\d+)?)", text)
    return float(found[2].replace(",", "")) * (-1 if found[1] else 1)


def reviewed(n, people, scale, seed=0):
    random = np.random.default_rng(seed)
    outcomes = [
        OverrideOutcome(
            item=f"I{i}", who=people[i % len(people)], reason="", before=1, after=2, demand=3.0, added=float(v)
        )
        for i, v in enumerate(random.normal(scale=scale, size=n))
    ]
    return OverrideReview(currency="EUR", outcomes=tuple(outcomes), people=by_person(outcomes))


def tables(out):
    who, what = re.split(r"^item .*\n", out, flags=re.M)
    return who.strip().splitlines()[1:], what.strip().splitlines()


def test_the_rows_of_a_review_add_up_to_the_sum_of_each_person_and_of_all(capsys):
    for n, scale in ((4, 1000.0), (16, 0.37), (60, 250.0)):
        found = reviewed(n, ["Kim", "Lou"], scale, seed=n)
        review_text(found)
        people, rows = tables(capsys.readouterr().out)
        sums = {line.split()[0]: amount(line) for line in people}
        for who in ("Kim", "Lou"):
            mine = [amount(line) for line in rows if who in line]
            assert round(sum(mine), 2) == sums[who]
        assert round(sums["Kim"] + sums["Lou"], 2) == sums["all"]
        assert abs(sums["all"] - sum(o.added for o in found.outcomes)) <= (0.5 if scale > 1 else 0.005) + 1e-9
        rest = [line for line in rows if line.startswith("… and")]
        assert sum(int(line.split()[2]) for line in rest) == max(0, n - 15)


def test_those_with_most_money_are_shown_whichever_way_it_went(capsys):
    found = reviewed(40, ["Kim"], 1000.0)
    review_text(found)
    _, rows = tables(capsys.readouterr().out)
    most = sorted(found.outcomes, key=lambda o: -abs(o.added))[:15]
    assert {line.split()[0] for line in rows[:-1]} == {o.item for o in most}
    assert rows[-1].startswith("… and 25 more")


def test_the_rows_of_a_plan_add_up_to_what_it_is_expected_to_save(capsys):
    random = np.random.default_rng(1)
    lines = tuple(
        OrderLine(id=f"L{i:04d}", item=f"I{i}", quantity=3.0, money=float(v), short=0.1, short_if_not=0.5)
        for i, v in enumerate(-np.sort(-random.gamma(1.0, 300.0, 40)))
    )
    plan_text(OrderPlan(lines=lines, currency="EUR", assumed=False))
    out = capsys.readouterr().out
    total = amount(out.split("expected to save ")[1])
    rows = [line for line in out.splitlines() if line.startswith(("I", "… and"))]
    assert rows[-1].startswith("… and 25 more") and len(rows) == 16
    assert sum(map(amount, rows)) == total == round(sum(line.money for line in lines))
