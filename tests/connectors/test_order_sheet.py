"""The planner's sheet: what was decided comes back as it was decided; every cell that cannot be read gets a word; other sheets are refused."""

import zipfile
from datetime import datetime

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from holdgood.connectors.order_sheet import read_sheet, write_sheet
from holdgood.connectors.order_sheet.cells import Unreadable, quantity_of
from holdgood.connectors.order_sheet.held import implausible
from holdgood.connectors.order_sheet.layout import titles
from holdgood.core.errors import DataError, ReadError
from holdgood.core.records import HeldLimit, ItemTerms, LeftOut, OrderLine, OrderPlan

openpyxl = pytest.importorskip("openpyxl")

NOW = datetime(2024, 5, 1, 12)


def plan(n=6, **more):
    lines = tuple(
        OrderLine(
            id=f"L{i:04d}", item=f"A{i:02d}", supplier=["ACME", "Bolt & Co"][i % 2], quantity=12.0 * (i + 1), arrives="2024-06-01",
            money=100.0 - i, at_risk=1.0, short=0.01, short_if_not=0.9, reason="10 on hand against 50 expected.", on_hand=10.0,
            demand=50.0, checks=("look",) if i == 1 else (), approved=i == 0, terms=ItemTerms(pack=12.0, unit_cost=2.5),
        )
        for i in range(n)
    )  # fmt: skip
    return OrderPlan(
        lines=lines, currency="EUR", assumed=False, made_utc="2024-05-01T08:00:00+00:00", cutoff="2024-04-30", **more
    )


class Sheet:
    """A sheet in the planner's hands."""

    def __init__(self, path):
        self.path, self.book = path, openpyxl.load_workbook(path)
        self.book["Summary"]["B5"] = "Pat Planner"

    def page_of(self, item):
        for page in self.book.worksheets:
            head = {str(c.value): c.column for c in page[1]}
            if "Line" in head:
                for row in range(2, page.max_row + 1):
                    if str(page.cell(row, head["Item"]).value) == item:
                        return page, row, head
        raise AssertionError(item)

    def put(self, item, **cells):
        page, row, head = self.page_of(item)
        for title, value in cells.items():
            page.cell(row, head[title.replace("_", " ")]).value = value
        return self

    def all(self, decision):
        for page in self.book.worksheets:
            head = {str(c.value): c.column for c in page[1]}
            if "Line" in head:
                for row in range(2, page.max_row + 1):
                    page.cell(row, head["Decision"]).value = decision
        return self

    def save(self):
        self.book.save(self.path)
        return self.path


@pytest.fixture
def sheet(tmp_path):
    return Sheet(write_sheet(plan(), tmp_path / "orders.xlsx"))


def test_accepting_everything_orders_the_plan(sheet):
    found = read_sheet(sheet.all("accept").save(), plan(), now=NOW)
    assert [(o.item, o.quantity, o.supplier) for o in found.orders] == [
        (x.item, x.quantity, x.supplier) for x in plan().lines
    ]
    assert not found.overrides and not found.open and not found.faults
    assert found.orders[0].by == "approved by the plan"
    assert found.orders[1].by == found.who == "Pat Planner"
    assert found.plan_digest == plan().digest


def test_changes_and_rejections_become_overrides_with_who_why_from_to_and_when(sheet):
    sheet.all("accept").put("A01", Decision="change", New_quantity=36, Your_reason="new  customer").put(
        "A02", Decision="reject", Your_reason="delisted"
    )
    found = read_sheet(sheet.save(), plan(), now=NOW)
    assert [(o.item, o.before, o.after, o.who, o.reason, o.when) for o in found.overrides] == [
        ("A01", 24.0, 36.0, "Pat Planner", "new customer", "2024-05-01T12:00:00"),
        ("A02", 36.0, 0.0, "Pat Planner", "delisted", "2024-05-01T12:00:00"),
    ]
    assert {o.item: o.quantity for o in found.orders}["A01"] == 36.0
    assert not found.faults


def test_lines_without_a_decision_stay_open_unless_the_rest_is_accepted(sheet):
    path = sheet.put("A03", New_quantity=60, Your_reason="more").save()
    found = read_sheet(path, plan())
    assert [o.item for o in found.orders] == ["A00", "A03"]  # the first came approved; a quantity alone is a change
    assert found.open == ("A01", "A02", "A04", "A05")
    rest = read_sheet(path, plan(), accept_rest=True)
    assert not rest.open
    assert {o.item: o.quantity for o in rest.orders}["A03"] == 60.0


@pytest.mark.parametrize(
    ("value", "word"),
    [
        ("ten", "text where a number"),
        ("12 pcs", "text where a number"),
        ("40.000", "two ways: write 40 or 40000, without marks"),
        ("1,200", "two ways: write 1.2 or 1200, without marks"),
        ("1.200,5", "write 1200.5"),
        ("1.200.000", "write 1200000"),
        ("2 400", "write 2400"),
        ("2,5", "write 2.5"),
        (1e12, "no quantity that can be meant: above 100,000, a thousand times"),
        (-12, "zero or more"),
        (30, "24 or 36"),
        (True, "true or false"),
        (datetime(2024, 12, 1), "date"),
        ("=C2*2", "never worked out"),
        ("#N/A", "error of Excel"),
        ("#DIV/0!", "error of Excel"),
    ],
)  # fmt: skip
def test_a_quantity_that_cannot_be_read_is_told_with_its_cell_and_its_line_stays_open(sheet, value, word):
    found = read_sheet(sheet.all("accept").put("A01", Decision="change", New_quantity=value).save(), plan())
    (fault,) = found.faults
    assert word in fault.said
    assert (fault.sheet, fault.cell, fault.item, fault.taken) == ("Bolt & Co", "P2", "A01", False)
    assert found.open == ("A01",)


def test_bounds_of_the_supplier_hold():
    line = OrderLine(id="L1", item="A", terms=ItemTerms(pack=0.0, minimum=50.0, maximum=80.0))
    assert quantity_of(50, line) == 50.0
    assert quantity_of(0, line) == 0.0
    assert quantity_of("  ", line) is None
    for value, word in ((49.9, "smallest"), (81, "largest"), (float("nan"), "finite")):
        with pytest.raises(Unreadable, match=word):
            quantity_of(value, line)


@pytest.mark.parametrize(
    ("cells", "word"),
    [
        ({"Decision": "maybe"}, "accept, change or reject"),
        ({"Decision": "change"}, "without a quantity"),
        ({"Decision": "reject", "New_quantity": 12}, "one of the two"),
        ({"Decision": "accept", "New_quantity": 12}, "one of the two"),
        ({"Order": 9999}, "the plan says 24"),
        ({"Item": "A05"}, "moved against each other"),
        ({"Line": "L9999"}, "no such line"),
        ({"Line": None}, "does not have"),
        ({"Line": "L0003"}, "stands here 2 times"),
    ],
)
def test_what_does_not_fit_together_is_told(sheet, cells, word):
    found = read_sheet(sheet.all("accept").put("A01", **cells).save(), plan())
    assert any(word in f.said for f in found.faults)
    assert "A01" in found.open


def test_orders_that_break_what_the_plan_was_held_to_are_told(tmp_path):
    held = (
        HeldLimit(name="budget", most=650.0, in_money=True),
        HeldLimit(name="capacity", most=250.0),
        HeldLimit(name="minimum of ACME", supplier="ACME", least=270.0, in_money=True),
    )
    made = plan(held=held)  # 252 units at 2.50, 108 of them of ACME
    path = write_sheet(made, tmp_path / "orders.xlsx")
    assert read_sheet(Sheet(path).all("accept").save(), made).broken == (
        "capacity: the orders take 252 units, more than 250 units",
    )
    found = read_sheet(Sheet(path).put("A01", Decision="change", New_quantity=48, Your_reason="x").save(), made)
    assert found.broken == (
        "budget: the orders take 690 EUR, more than 650 EUR",
        "capacity: the orders take 276 units, more than 250 units",
    )
    found = read_sheet(Sheet(path).put("A00", Decision="reject", New_quantity=None).save(), made)
    assert found.broken[2] == "minimum of ACME: the orders come to 240 EUR, less than 270 EUR"
    sheet = Sheet(path).all("reject")
    assert not read_sheet(sheet.save(), made).broken


def test_a_quantity_ten_times_the_plans_is_taken_and_told(sheet):
    sheet.put("A01", Decision="change", New_quantity=492, Your_reason="x")
    assert not read_sheet(sheet.save(), plan()).faults  # 50 are expected
    sheet.put("A01", New_quantity=504)
    (fault,) = read_sheet(sheet.save(), plan()).faults
    assert fault.taken and "far above the plan, which orders 24 and expects 50" in fault.said


def test_beyond_a_thousand_times_all_that_is_known_of_an_item_nothing_is_taken():
    line = OrderLine(id="L1", item="A", quantity=0.0, demand=float("nan"), on_hand=250.0, coming=(100.0, 300.0))
    assert implausible(line, 400_000.0) == ""
    assert "above 400,000" in implausible(line, 400_001.0)
    # what the supplier takes at most says itself how much can be meant; a pack and a smallest order do, too
    assert implausible(line.model_copy(update={"terms": ItemTerms(maximum=5e6)}), 5e6) == ""
    assert implausible(line.model_copy(update={"terms": ItemTerms(pack=5_000.0)}), 5e6) == ""


def test_days_of_arrival_are_dates_in_excel_and_none_where_nothing_comes(tmp_path):
    lines = plan(2).lines
    lines = (*lines, lines[0].model_copy(update={"id": "L0009", "item": "none", "arrives": "", "quantity": 0.0}))
    found = Sheet(write_sheet(OrderPlan(lines=lines), tmp_path / "o.xlsx"))
    page, row, head = found.page_of("A00")
    cell = page.cell(row, head["Arrives"])
    assert (cell.value, cell.is_date, cell.number_format) == (datetime(2024, 6, 1), True, "yyyy-mm-dd")
    page, row, head = found.page_of("none")
    assert page.cell(row, head["Arrives"]).value is None
    hourly = (lines[0].model_copy(update={"arrives": "2024-06-01 06:30"}), lines[1])
    page, row, head = Sheet(write_sheet(OrderPlan(lines=hourly), tmp_path / "h.xlsx")).page_of("A00")
    assert page.cell(row, head["Arrives"]).value == datetime(2024, 6, 1, 6, 30)


def test_a_change_without_a_reason_is_taken_and_told(sheet):
    found = read_sheet(sheet.all("accept").put("A01", Decision="Change ", New_quantity=" 48 ").save(), plan())
    assert found.overrides[0].after == 48.0
    assert [(f.taken, f.said) for f in found.faults] == [(True, "changed without a reason")]


def test_rows_are_found_by_name_however_they_are_sorted_and_deleted_ones_stay_open(sheet):
    sheet.all("accept").put("A02", Decision="change", New_quantity=60, Your_reason="x")
    page, _, _ = sheet.page_of("A00")
    rows = [[c.value for c in r] for r in page.iter_rows(min_row=2, max_row=page.max_row)]
    for at, values in enumerate(reversed(rows), start=2):
        for k, value in enumerate(values, start=1):
            page.cell(at, k).value = value
    page.delete_rows(sheet.page_of("A04")[1])
    page.insert_rows(1, 2)  # somebody wrote a title above
    found = read_sheet(sheet.save(), plan())
    assert {o.item: o.quantity for o in found.orders} == {"A00": 12, "A01": 24, "A02": 60, "A03": 48, "A05": 72}
    assert found.open == ("A04",)
    assert [f.said for f in found.faults] == ["its row is gone: the line stays open"]


def test_columns_may_be_moved_but_not_lost(sheet):
    page, _, head = sheet.all("accept").page_of("A00")
    page.delete_cols(head["Why"])
    assert len(read_sheet(sheet.save(), plan()).orders) == 6
    page.cell(1, head["Decision"] - 1).value = "Verdict"
    with pytest.raises(DataError, match="lost the column Decision"):
        read_sheet(sheet.save(), plan())


def test_a_stale_a_changed_and_a_foreign_sheet_are_refused(sheet, tmp_path):
    path = sheet.all("accept").save()
    newer = plan().model_copy(update={"made_utc": "2024-05-08T08:00:00+00:00"})
    with pytest.raises(DataError, match=r"of 2024-05-01.*not from plan .* of 2024-05-08.*it is older"):
        read_sheet(path, newer)
    with pytest.raises(DataError, match="it is changed"):
        read_sheet(path, plan(5))
    other = openpyxl.Workbook()
    other.save(tmp_path / "other.xlsx")
    with pytest.raises(DataError, match="does not say which plan"):
        read_sheet(tmp_path / "other.xlsx", plan())
    sheet.book["_plan"]["B1"] = 2
    with pytest.raises(DataError, match="format 2"):
        read_sheet(sheet.save(), plan())


def test_nobody_signs_for_nobody(sheet):
    sheet.book["Summary"]["B5"] = "  "
    path = sheet.all("accept").save()
    with pytest.raises(DataError, match="nobody's name"):
        read_sheet(path, plan())
    assert read_sheet(path, plan(), who="Kim").who == "Kim"


def test_what_is_no_workbook_is_told(tmp_path):
    for name, content in (("text.xlsx", b"item,order\n"), ("half.xlsx", b"PK\x03\x04broken")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ReadError, match="not a readable workbook"):
            read_sheet(tmp_path / name, plan())
    with zipfile.ZipFile(tmp_path / "zip.xlsx", "w") as packed:
        packed.writestr("[Content_Types].xml", "<a>")
    with pytest.raises(ReadError, match="not a readable workbook"):
        read_sheet(tmp_path / "zip.xlsx", plan())
    with pytest.raises(ReadError):
        read_sheet(tmp_path / "gone.xlsx", plan())


def test_a_workbook_that_unpacks_to_more_than_memory_is_refused(sheet, monkeypatch):
    monkeypatch.setenv("HOLDGOOD_MEMORY", "0.1 MB")
    with pytest.raises(ReadError, match="unpacks to"):
        read_sheet(sheet.save(), plan())


def test_the_sheet_is_what_a_planner_likes(sheet):
    page = sheet.book["ACME"]
    head = {str(c.value): c.column_letter for c in page[1]}
    assert page.freeze_panes == "C2"
    assert page.protection.sheet
    assert page.auto_filter.ref
    assert page.column_dimensions[head["Line"]].hidden
    free = {t for t, letter in head.items() if not page[f"{letter}2"].protection.locked}
    assert free == {"Decision", "New quantity", "Your reason"}
    kinds = {v.type: str(v.sqref) for v in page.data_validations.dataValidation}
    assert kinds["list"].startswith(head["Decision"])
    assert kinds["decimal"].startswith(head["New quantity"])
    assert page[f"{head['Ordered']}2"].value.startswith("=IF(")
    assert sheet.book["_plan"].sheet_state == "veryHidden"
    assert sheet.book.sheetnames[:3] == ["Summary", "ACME", "Bolt & Co"]
    left = Sheet(write_sheet(plan(left_out=(LeftOut(item="Z", why="no row in the state"),)), sheet.path))
    assert [c.value for c in left.book["Not planned"][2]] == ["Z", "no row in the state"]


def test_names_of_items_never_become_formulas_and_pages_have_names_that_excel_takes(tmp_path):
    evil = '=HYPERLINK("http://x","y")'
    one = OrderLine(id="L0001", item=evil, supplier="'a/b:" + "c" * 60, quantity=1.0, reason="=1+1", checks=("@x",))
    path = write_sheet(OrderPlan(lines=(one,), currency='"€'), tmp_path / "o.xlsx")
    found = Sheet(path)
    page, row, head = found.page_of(evil)
    assert len(page.title) <= 31
    for title in ("Item", "Why", "Check first"):
        assert page.cell(row, head[title]).data_type == "s"
    back = read_sheet(found.all("accept").save(), OrderPlan(lines=(one,), currency='"€'))
    assert [o.item for o in back.orders] == [evil]


# few letters, so that names collide once they are cut, cleaned or compared without case: many cheap cases instead of long random texts
NAMES = st.text(st.sampled_from("aAb '/:\x07ß"), max_size=3).flatmap(
    lambda t: st.sampled_from([t, 12 * t, f"{t}summary"])
)


# a busy machine is no fault of the names: neither a single slow case nor slow drawing says anything
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(NAMES, max_size=12))
def test_every_supplier_gets_a_page_of_its_own(names):
    found = titles(names)
    assert len({t.lower() for t in found}) == len(names)
    for title in found:
        assert 0 < len(title) <= 31
        assert not set("[]:*?/\\") & set(title)
        assert title == title.strip("' ")
        assert title.lower() not in ("summary", "not planned", "_plan", "history")


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), max_size=20)
CHOICE = st.sampled_from(["accept", "change", "reject", None])


@settings(
    max_examples=15,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(
    st.lists(
        st.tuples(TEXT, TEXT, st.integers(0, 40), CHOICE, st.integers(0, 40), TEXT, st.booleans()), min_size=1, max_size=8
    ),
    st.randoms(use_true_random=False),
)  # fmt: skip
def test_round_trip(tmp_path, rows, chance):
    """Whatever items and suppliers are called, in whatever order rows come back, the decisions are those that were written."""
    lines = tuple(
        OrderLine(
            id=f"L{i:04d}",
            item=f"{i}{item}",
            supplier=supplier,
            quantity=6.0 * units,
            approved=ok,
            terms=ItemTerms(pack=6.0),
        )
        for i, (item, supplier, units, _, _, _, ok) in enumerate(rows)
    )
    made = OrderPlan(lines=lines, made_utc="2024-05-01T08:00:00+00:00")
    path = write_sheet(made, tmp_path / "orders.xlsx")
    book = openpyxl.load_workbook(path)
    wanted, changed, open_ = {}, {}, []
    for page in book.worksheets:
        head = {str(c.value): c.column for c in page[1]}
        if "Line" not in head:
            continue
        content = [[c.value for c in row] for row in page.iter_rows(min_row=2)]
        chance.shuffle(content)
        for at, values in enumerate(content, start=2):
            for k, value in enumerate(values, start=1):
                cell = page.cell(at, k)
                cell.value = value
                if isinstance(value, str) and k <= 2:
                    cell.data_type = "s"
            line = next(x for x in lines if x.id == values[head["Line"] - 1])
            _, _, _, choice, other, why, _ = rows[lines.index(line)]
            page.cell(at, head["Decision"]).value = choice
            if choice == "change":
                page.cell(at, head["New quantity"]).value = 6 * other
            why = "".join(c for c in why if c.isprintable()).lstrip("=")
            page.cell(at, head["Your reason"]).value = why
            if choice is None:
                open_.append(line.item)
                continue
            wanted[line.item] = {"accept": line.quantity, "change": 6.0 * other, "reject": 0.0}[choice]
            if wanted[line.item] != line.quantity:
                changed[line.item] = " ".join(why.split())
    book.save(path)
    found = read_sheet(path, made, who="Pat")
    assert {o.item: o.quantity for o in found.orders} == wanted
    assert {o.item: o.reason for o in found.overrides} == changed
    assert sorted(found.open) == sorted(open_)
    assert all(f.taken for f in found.faults)
