"""From the sheet that came back to what each change was worth."""

import json
import re
import sys
import time
from datetime import UTC, datetime

import pandas as pd
import pytest

import holdgood as hg
from holdgood.cli.review_text import review_text
from holdgood.core.errors import DataError
from holdgood.core.records import DecidedOrders, Override
from holdgood.workflow.ordering.review import review_overrides

TERMS = {"holding_rate": 0.26, "currency": "EUR"}


def changed(plan, item, after, who="Pat"):
    line = next(x for x in plan.lines if x.item == item)
    return Override(line=line.id, item=item, before=line.quantity, after=after, who=who, reason="felt so")


def test_each_change_is_priced_with_the_demand_that_came(model, history, whole, state):
    plan = hg.plan_orders(model, history, state, orders=TERMS).plan
    changes = (changed(plan, "A6", 0.0), changed(plan, "A3", 400.0, "Kim"), changed(plan, "A5", 400.0, "Kim"))
    decided = DecidedOrders(plan=plan.id, plan_digest=plan.digest, who="Pat", overrides=changes)
    found = review_overrides(model, whole, [plan], [decided])
    one = next(o for o in found.outcomes if o.item == "A6")
    later = whole[(whole.article == "A6") & (whole.week > history.week.max())].pieces.to_numpy()
    assert one.demand == later[0]
    line = next(x for x in plan.lines if x.item == "A6")
    # nothing ordered, the next step: what was missing without it at a margin of 4, against holding
    missed = max(later[0] - 30.0, 0) - max(later[0] - 30.0 - line.quantity, 0)
    held = max(30.0 + line.quantity - later[0], 0) - max(30.0 - later[0], 0)
    # what is left of the order itself is sold off at the plan's rate of demand: half as long as it lasts
    over = min(line.quantity, max(30.0 + line.quantity - later[0], 0))
    after = line.terms.holding * over * min(over / (2 * line.demand), 10)
    assert one.added == pytest.approx(line.terms.holding * held + after - 4.0 * missed, rel=1e-9)
    assert {p.who: p.overrides for p in found.people} == {"Kim": 2, "Pat": 1, "all": 3}
    kim = next(p for p in found.people if p.who == "Kim")
    assert kim.added.value == pytest.approx(sum(o.added for o in found.outcomes if o.who == "Kim"))
    assert all(o.added < 0 for o in found.outcomes if o.who == "Kim")  # 400 units are left for months
    assert not found.waiting


def test_many_changes_that_all_lose_are_proven_to_and_luck_is_not(model, history, whole, state):
    plan = hg.plan_orders(model, history, state, orders=TERMS).plan
    # Kim orders for months; Lou orders a unit more here and a unit less there
    kim = tuple(changed(plan, f"A{i}", 300.0 + 10 * i, "Kim") for i in range(8))
    lou = tuple(changed(plan, x.item, x.quantity + (1, -1)[k % 2], "Lou") for k, x in enumerate(plan.orders))
    said = [DecidedOrders(plan=plan.id, plan_digest=plan.digest, overrides=some) for some in (kim, lou)]
    people = {p.who: p for p in review_overrides(model, whole, [plan], said).people}
    assert people["Kim"].verdict == "lost" and people["Kim"].added.high < 0
    assert people["Lou"].verdict == "not proven" and people["Lou"].added.low < 0 < people["Lou"].added.high


def test_what_is_not_known_yet_waits_and_what_has_no_price_is_told(model, history, state):
    plan = hg.plan_orders(model, history, state, orders=TERMS).plan
    decided = DecidedOrders(plan=plan.id, plan_digest=plan.digest, overrides=(changed(plan, "A6", 0.0),))
    found = review_overrides(model, history, [plan], [decided])
    assert found.waiting == ("A6",) and not found.people
    bare = hg.plan_orders(model, history, state[["article", "on_hand"]], orders={}).plan
    free = DecidedOrders(plan=bare.id, plan_digest=bare.digest, overrides=(changed(bare, "A6", 0.0),))
    assert review_overrides(model, history, [bare], [free]).unpriced == ("A6",)
    with pytest.raises(DataError, match="which is not given"):
        review_overrides(model, history, [plan], [free])


def test_the_whole_road_on_the_command_line(project, whole, state, tmp_path, capsys, monkeypatch):
    openpyxl = pytest.importorskip("openpyxl")
    from holdgood.cli.app import main

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["holdgood", *map(str, arguments)])
        try:
            main()
            code = 0
        except SystemExit as end:
            code = end.code or 0
        said = capsys.readouterr()
        return code, said.out, said.err

    monkeypatch.chdir(tmp_path)
    bundle = project / "runs" / "0001" / "bundle"
    state.to_csv("state.csv", index=False)
    whole.to_csv("now.csv", index=False)
    code, out, err = call(
        "plan", "orders", bundle, project / "sales.csv", "--state", "state.csv", "--xlsx", "o.xlsx", "--html", "o.html"
    )
    assert code == 0, err
    assert "to order" in out and "check first" in out and "holdgood plan read o.xlsx --plan plan.json" in out
    book = openpyxl.load_workbook("o.xlsx")
    book["Summary"]["B5"] = "Pat"
    page = book["ACME"]
    head = {str(c.value): c.column for c in page[1]}
    for row in range(2, page.max_row + 1):
        page.cell(row, head["Decision"]).value = "accept"
    page.cell(2, head["Decision"]).value, page.cell(2, head["New quantity"]).value = "change", 500
    page.cell(2, head["Your reason"]).value = "campaign"
    page.cell(3, head["New quantity"]).value = "many"
    book.save("o.xlsx")
    code, out, err = call("plan", "read", "o.xlsx", "-o", "final.csv", "--strict")
    assert code == 1 and "campaign" in out and "text where a number" in err
    decided = json.loads((tmp_path / "decided.json").read_text(encoding="utf-8"))["payload"]
    assert len(decided["overrides"]) == 1 and len(decided["open"]) >= 1
    assert "500" in (tmp_path / "final.csv").read_text(encoding="utf-8")
    code, out, err = call("plan", "review", bundle, "now.csv", "-o", "review.json")
    assert code == 0, err
    # one change says nothing of a person's hand, however much it cost: its own line does
    told = json.loads((tmp_path / "review.json").read_text(encoding="utf-8"))["payload"]
    (person,), (change,) = told["people"], told["outcomes"]
    assert (person["who"], person["overrides"], person["verdict"]) == ("Pat", 1, "not proven")
    assert person["added"]["value"] == change["added"] < 0 and person["added"]["low"] is person["added"]["high"] is None
    row = next(line for line in out.splitlines() if line.strip().startswith("Pat"))
    assert "not proven" in row and "campaign" in out and f"{change['added']:,.0f}".lstrip("-") in out
    # another person reads a sheet back, and the plan is made again: nothing that somebody wrote is lost
    first = json.loads((tmp_path / "plan.json").read_text(encoding="utf-8"))
    code, out, err = call("plan", "read", "o.xlsx", "--who", "Kim")
    (pats,) = tmp_path.glob("decided-*-pat.json")
    assert f"what Pat decided (decided.json) is kept as {pats.name}" in out
    assert f"--decided decided.json --decided {pats.name} --plan plan.json" in out
    while datetime.now(UTC).isoformat(timespec="seconds") <= first["payload"]["made_utc"]:
        time.sleep(0.05)  # made in the same second from the same facts it would be the same plan, and nothing to keep
    code, out, err = call("plan", "orders", bundle, project / "sales.csv", "--state", "state.csv", "--xlsx", "o.xlsx")
    (kept,) = tmp_path.glob("plan-*.json")
    assert code == 0 and json.loads(kept.read_text(encoding="utf-8"))["payload"] == first["payload"]
    assert "what people wrote in the sheet (o.xlsx) is kept as o-before.xlsx" in out
    assert f"its orders: holdgood plan read o-before.xlsx --plan {kept.name}" in out
    assert openpyxl.load_workbook("o-before.xlsx")["Summary"]["B5"].value == "Pat"
    code, _, err = call("plan", "review", bundle, "now.csv")  # the new plan, and what was decided on the earlier one
    assert code == 3 and f"do this:  --plan {kept.name}" in err
    assert call("plan", "review", bundle, "now.csv", "--plan", kept.name)[0] == 0
    code, _, err = call("plan", "read", "o.xlsx", "--plan", "none.json")
    assert code == 3 and "no record at" in err
    # lead times of past orders and working days, once as an option and once as a declared table
    past = pd.DataFrame({"supplier": "Bolt", "lead_time": [0, 1, 1, 1, 2, 2, 3, None]})
    past.to_csv("past.csv", index=False)
    said = (
        (project / "holdgood.toml")
        .read_text(encoding="utf-8")
        .replace("[orders]", '[tables.past]\nsource = "past.csv"\n[orders]')
    )
    calendar = 'deliveries = "past"\n[orders.calendars.ACME]\norders = ["2024-02-12", "2024-02-19"]\n'
    (tmp_path / "holdgood.toml").write_text(said + calendar, encoding="utf-8")
    shop = ("plan", "orders", bundle, project / "sales.csv", "--state", "state.csv", "--json")
    found = []
    for more in (("--deliveries", "past.csv"), ("--terms", tmp_path / "holdgood.toml")):
        code, out, err = call(*shop, *more)
        assert code == 0, err
        found.append({line["item"]: line for line in json.loads(out)["lines"]})
    assert all(f["A1"]["terms"]["lead_late"] == 3 and f["A1"]["terms"]["never"] == 0.125 for f in found)
    assert found[0]["A0"]["quantity"] > 0 == found[1]["A0"]["quantity"]
    assert "no order is taken on 2024-02-05" in found[1]["A0"]["reason"]


def test_sums_of_money_are_those_of_a_calculation_of_its_own(model, history, whole, state, capsys):
    """Stock, sales and costs of every changed item walked step by step in a table, and summed by person with pandas."""
    plan = hg.plan_orders(model, history, state, orders=TERMS).plan
    wanted = {"A0": 90.0, "A1": 0.0, "A2": 48.0, "A3": 60.0, "A4": 200.0, "A5": 10.0, "A6": 75.0}
    changes = [changed(plan, item, units, ("Kim", "Pat")[i % 2]) for i, (item, units) in enumerate(wanted.items())]
    changes = [c for c in changes if c.after != c.before]
    decided = DecidedOrders(plan=plan.id, plan_digest=plan.digest, overrides=tuple(changes))
    found = review_overrides(model, whole, [plan], [decided])
    later = whole[whole.week > history.week.max()].sort_values("week")
    rows = []
    for change in changes:
        line = next(x for x in plan.lines if x.id == change.line)
        steps = line.terms.lead + plan.review
        demand = later[later.article == change.item].pieces.to_numpy()[:steps]
        for name, units in (("before", change.before), ("after", change.after)):
            hand = line.on_hand
            for t, asked in enumerate(demand):
                came = line.coming[t] if t < len(line.coming) else 0.0
                hand += came + (units if t == line.terms.lead else 0.0)
                decides = t >= line.terms.lead
                rows.append((change.item, change.who, name, decides * line.terms.shortage * max(asked - hand, 0.0)))
                hand = max(hand - asked, 0.0)
                rows.append((change.item, change.who, name, decides * line.terms.holding * hand))
            of_order = min(units, hand)  # what was there before is sold first
            left_for = min(of_order / (2 * line.demand / steps), 10 * steps)
            rows.append((change.item, change.who, name, line.terms.holding * of_order * left_for))
    costs = pd.DataFrame(rows, columns=["item", "who", "how", "cost"])
    cost = costs.pivot_table(index=["item", "who"], columns="how", values="cost", aggfunc="sum")
    added = (cost.before - cost.after).rename("added").reset_index()
    ours = pd.DataFrame([(o.item, o.added) for o in found.outcomes], columns=["item", "ours"])
    both = added.merge(ours, on="item", validate="one_to_one")
    assert len(both) == len(changes) >= 6
    assert both.ours.to_numpy() == pytest.approx(both.added.to_numpy(), rel=1e-9)
    people = {p.who: p.added.value for p in found.people}
    assert people.pop("all") == pytest.approx(added.added.sum())
    assert people == pytest.approx(added.groupby("who").added.sum().to_dict())
    review_text(found)
    shown = capsys.readouterr().out.splitlines()
    for who, total in (*added.groupby("who").added.sum().items(), ("all", added.added.sum())):
        line = next(x for x in shown if x.startswith(who))
        printed = float(re.search(r"([+−])€([\d,]+)", line)[2].replace(",", "")) * (
            -1 if "−€" in line.split("(")[0] else 1
        )
        assert abs(printed - total) <= 1.0
