"""What people wrote is not lost where a plan is made again, or another sheet is read, into the same folder."""

import json

import pytest

from holdgood.connectors.order_sheet import touched, write_sheet
from holdgood.core.errors import EnvironmentFault
from holdgood.core.records import DecidedOrders, OrderLine, OrderPlan
from holdgood.core.records.envelope import read, write
from holdgood.workflow.ordering.decided import read_decided
from holdgood.workflow.ordering.kept import keep_decided, keep_earlier

openpyxl = pytest.importorskip("openpyxl")


def plan(made="2024-05-01T08:00:00+00:00", quantity=12.0):
    lines = tuple(OrderLine(id=f"L{i:04d}", item=f"A{i}", supplier="ACME", quantity=quantity) for i in range(3))
    return OrderPlan(lines=lines, made_utc=made, cutoff="2024-04-30")


NEXT = plan("2024-05-08T08:00:00+00:00", 24.0)


def fill(path, who="Pat", decision="accept"):
    """Somebody writes a name, and a decision on every line."""
    book = openpyxl.load_workbook(path)
    book["Summary"]["B5"] = who
    page = book["ACME"]
    at = {str(c.value): c.column for c in page[1]}["Decision"]
    for row in range(2, page.max_row + 1):
        page.cell(row, at).value = decision
    book.save(path)
    return path


@pytest.fixture
def made(tmp_path):
    """A folder with a plan and its sheet."""
    return write(tmp_path / "plan.json", plan()), write_sheet(plan(), tmp_path / "orders.xlsx")


def test_a_filled_sheet_and_its_plan_stay_and_can_still_be_read(made, tmp_path):
    fill(made[1])
    sheet, earlier = keep_earlier(NEXT, *made)
    assert sheet.path == tmp_path / "orders-before.xlsx" and earlier.path == tmp_path / f"plan-{plan().id}.json"
    assert not any(p.exists() for p in made)
    assert str(sheet) == f"what people wrote in the sheet (orders.xlsx) is kept as {sheet.path}"
    assert str(earlier) == f"the plan of 2024-05-01 08:00 (plan.json) is kept as {earlier.path}"
    assert len(read_decided(sheet.path, earlier.path).decided.orders) == 3


def test_a_sheet_that_nobody_wrote_in_goes_and_the_same_plan_again_is_no_other(made, tmp_path):
    (only,) = keep_earlier(NEXT, *made)
    assert only.path.name.startswith("plan-") and made[1].exists()
    write(made[0], plan())
    assert keep_earlier(plan(), *made) == ()
    assert keep_earlier(plan(), tmp_path / "none.json", tmp_path / "none.xlsx") == ()


def test_every_further_one_gets_a_number(made, tmp_path):
    for n in range(3):
        write(made[0], plan())
        fill(write_sheet(plan(), made[1]), who=f"Pat {n}")
        keep_earlier(NEXT, *made)
    for name, who in (("orders-before", "Pat 0"), ("orders-before-2", "Pat 1"), ("orders-before-3", "Pat 2")):
        assert openpyxl.load_workbook(tmp_path / f"{name}.xlsx")["Summary"]["B5"].value == who
    assert {p.name for p in tmp_path.glob("plan-*.json")} == {f"plan-{plan().id}{n}.json" for n in ("", "-2", "-3")}


def test_in_doubt_a_sheet_is_kept(made, tmp_path):
    assert not touched(made[1], plan())
    assert touched(made[1], NEXT) and touched(made[1], None)
    made[0].write_text("{}")
    assert [k.path.name for k in keep_earlier(NEXT, *made)] == ["orders-before.xlsx", "plan-before.json"]
    made[1].write_bytes(b"no workbook")
    assert touched(made[1], plan())
    openpyxl.load_workbook(write_sheet(plan(), made[1])).save(made[1])
    book = openpyxl.load_workbook(made[1])
    book["ACME"]["C2"].comment = openpyxl.comments.Comment("call them first", "Pat")
    book.save(made[1])
    assert touched(made[1], plan())


def test_what_another_person_decided_or_on_another_plan_is_kept_and_ones_own_is_read_again(made, tmp_path):
    file, sheet = tmp_path / "decided.json", fill(made[1])
    assert read_decided(sheet, made[0]).kept == ()
    assert read_decided(fill(sheet, decision="reject"), made[0]).kept == ()
    assert all(o.quantity == 0 for o in read(file, DecidedOrders).orders)
    (pats,) = read_decided(sheet, made[0], who="Kim Ö.").kept
    assert pats.path.name == f"decided-{plan().id}-pat.json" and read(pats.path, DecidedOrders).who == "Pat"
    assert read(file, DecidedOrders).who == "Kim Ö."
    (kims,) = keep_decided(DecidedOrders(plan=NEXT.id, plan_digest=NEXT.digest, who="Kim Ö."), file)
    assert kims.path.name == f"decided-{plan().id}-kim-ö.json" and str(kims).startswith("what Kim Ö. decided")
    file.write_text(json.dumps({"mine": 1}))
    assert keep_decided(DecidedOrders(plan="x", plan_digest="y"), file)[0].path.name == "decided-before.json"


def test_what_cannot_be_moved_is_not_written_over(made, monkeypatch):
    def no(self, target):
        raise PermissionError(13, "in use")

    monkeypatch.setattr("pathlib.Path.rename", no)
    with pytest.raises(EnvironmentFault, match="cannot be moved to orders-before.xlsx: in use"):
        keep_earlier(NEXT, made[0], fill(made[1]))
    assert all(p.exists() for p in made)
