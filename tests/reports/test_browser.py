"""The page in a real browser: silent, offline, drawn, turned, printed, walked by keyboard."""

import os
import shutil

import pytest

from holdgood.core.records import (
    AuditReport,
    ColumnProfile,
    Finding,
    OrderLine,
    OrderPlan,
    Outcome,
    Profile,
    TableSummary,
)
from holdgood.core.records.audit import Picture
from holdgood.reports import render_audit, render_run
from holdgood.reports.order_desk import DeskView, render_desk
from holdgood.reports.words import family

pytestmark = pytest.mark.server
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


def absent(reason):
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="module")
def browser():
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        absent("playwright is not installed")
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        absent("no chromium on this machine: apt-get install chromium")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield chromium
        chromium.close()


class Opened:
    """A page with what it said and asked for."""

    def __init__(self, browser, path, **how):
        self.context = browser.new_context(**({"viewport": {"width": 1200, "height": 900}} | how))
        self.page = self.context.new_page()
        self.said, self.asked = [], []
        self.page.on("console", lambda m: self.said.append(m.text))
        self.page.on("pageerror", lambda e: self.said.append(str(e)))
        self.page.on("dialog", lambda d: (self.said.append(f"dialog {d.message}"), d.dismiss()))
        self.page.on("request", lambda r: self.asked.append(r.url))
        self.page.goto(path.as_uri())
        if how.get("java_script_enabled", True):
            self.page.wait_for_selector("figure[data-live]:not(.drawn)", state="detached")

    def count(self, selector):
        return self.page.locator(selector).count()

    def ground(self):
        return self.page.evaluate("getComputedStyle(document.body).backgroundColor")


@pytest.fixture
def show(browser, tmp_path):
    opened = []

    def open_one(html, **how):
        path = tmp_path / f"report{len(opened)}.html"
        path.write_text(html, encoding="utf-8")
        opened.append(Opened(browser, path, **how))
        return opened[-1]

    yield open_one
    for one in opened:
        one.context.close()


@pytest.mark.parametrize("kind", ["declared", "assumed", "multiclass", "regression", "empty", "hostile"])
def test_draws_everything_without_a_word_or_a_request(show, request, kind):
    it = show(render_run(request.getfixturevalue(kind)))
    assert it.said == []
    assert len(it.asked) == 1
    assert it.count("figure.drawn .live svg") == it.count("figure[data-live]")
    assert it.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_dots_are_drawn_with_their_whiskers(show, declared):
    it = show(render_run(declared))
    drawn = it.page.locator("#ladder figure.drawn .live svg").first.inner_html()
    for rung in declared.leaderboard.ladder:
        assert family(rung.name).label in drawn
    # a whisker is a horizontal stroke of two units; there is one for every rung (the curve's own axis has none)
    strokes = it.page.evaluate(
        "[...document.querySelector('#ladder figure .live svg').querySelectorAll('path[stroke-width=\"2\"]')].length"
    )
    assert strokes == len(declared.leaderboard.ladder)


def test_a_step_that_is_bought_shows_its_gain_its_price_and_its_costs_in_one_line(show, declared):
    it = show(render_run(declared))
    line = it.page.locator("section#ladder table", has_text="What the step bought").locator("tbody tr").nth(4)
    words = " ".join(line.inner_text().split())
    for said in (
        "Boosting",
        "the best of 4 configurations",
        "0.421",
        "+0.0260",
        "over Weighted sum",
        "+€7,800",
        "12 s",
        "42 µs",
        "1.8 MB",
    ):
        assert said in words, words
    assert "taken proven at 1.4 times the latency" in words
    titles = it.page.locator("section#ladder figcaption strong").all_inner_texts()
    assert titles == ["What each rung scores, simplest first", "What each step up gains", "What each step up earns"]
    # the line at zero and a whisker a step, in the figure of gains as in that of money
    for at in (1, 2):
        drawn = it.page.locator("section#ladder figure.drawn .live svg").nth(at)
        assert drawn.locator('path[stroke-width="2"]').count() == len(declared.leaderboard.ladder) - 1


def test_theme_turns_and_is_remembered_by_the_charts(show, declared):
    it = show(render_run(declared), color_scheme="light")
    light, chart = it.ground(), it.page.locator("#ladder .live svg").first.inner_html()
    button = it.page.get_by_role("button", name="Dark theme")
    button.click()
    assert it.ground() != light
    assert it.page.locator("#ladder .live svg").first.inner_html() != chart
    it.page.get_by_role("button", name="Light theme").click()
    assert it.ground() == light
    assert it.said == []


def test_dark_by_preference_and_light_on_paper(show, declared):
    it = show(render_run(declared), color_scheme="dark")
    dark = it.ground()
    assert dark != "rgb(255, 255, 255)"
    it.page.emulate_media(media="print", color_scheme="dark")
    assert it.ground() in ("rgb(255, 255, 255)", "rgba(0, 0, 0, 0)")
    assert it.page.locator("#ladder svg.still").first.is_visible()
    assert not it.page.locator("#ladder .live").first.is_visible()
    assert len(it.page.pdf(format="A4")) > 20_000


def test_keyboard_reaches_skip_link_theme_and_contents(show, declared):
    it = show(render_run(declared))
    reached = []
    for _ in range(5):
        it.page.keyboard.press("Tab")
        reached.append(it.page.evaluate("document.activeElement.textContent.trim()"))
    assert reached == ["Skip to the report", "Dark theme", "What was asked", "Verdict", "Money"]
    assert it.page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    it.page.keyboard.press("Enter")
    it.page.locator(".contents a[aria-current]", has_text="Money").wait_for()


def test_tables_sort_by_number_and_unknown_stays_below(show, declared):
    it = show(render_run(declared))
    it.page.get_by_text("All trials (8)").click()
    table = it.page.locator("#appendix table[data-sortable]")
    head = table.get_by_role("button", name="log loss")
    names = lambda: table.locator("tbody th").all_inner_texts()  # noqa: E731
    head.click()
    assert names()[:3] == ["ensemble-1", "boosting-1", "forest-1"]
    assert set(names()[-2:]) == {"forest-2", "linear-9"}
    head.click()
    assert names()[0] == "prior-1"
    assert set(names()[-2:]) == {"forest-2", "linear-9"}
    assert table.locator("th[aria-sort=descending]").count() == 1


def test_readable_on_a_telephone_and_without_scripts(show, declared):
    narrow = show(render_run(declared), viewport={"width": 360, "height": 740})
    assert narrow.page.evaluate("document.documentElement.scrollWidth") <= 360
    still = show(render_run(declared), java_script_enabled=False)
    assert still.page.locator("#ladder svg.still").first.is_visible()
    assert not still.page.locator(".theme").is_visible()


def test_the_audit_page_is_as_silent(show, declared):
    it = show(render_audit(declared.audit_tables, declared.profiles))
    assert it.said == []
    assert len(it.asked) == 1


def wide(columns=2_000):
    names = [f"measurement number {i}" for i in range(columns)]
    spread = (0.001, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 0.999)
    profile = Profile(
        table="wide", rows=5_000,
        columns=tuple(
            ColumnProfile(name=n, type="number", rows=5_000, missing=i % 7, distinct=5_000, mean=i, sd=1.0, quantiles=spread)
            for i, n in enumerate(names)
        ),
    )  # fmt: skip
    picture = Picture(title="A `line` & more", form="line", y=(1.0, 2.0, float("nan"), 9.0, 1.0), marks=(3,))
    findings = tuple(
        Finding(code="AUD007", title="a title", level="issue", severity=("high", "medium", "low")[i % 3], table="wide",
                columns=(n,), message=f"`{n}` is odd", picture=picture, evidence={"share": 0.1}, examples=(1, 2, 9))
        for i, n in enumerate(names[:400])
    )  # fmt: skip
    outcome = Outcome(code="AUD007", title="t", scope="tables", status="issue", findings=findings)
    summary = TableSummary(name="wide", source="wide.parquet", rows=5_000, columns=columns)
    return AuditReport(scope="tables", tables=(summary,), outcomes=(outcome,), seconds=1.0), profile


def test_two_thousand_columns_stay_small_quick_and_findable(show):
    report, profile = wide()
    html = render_audit(report, [profile])
    assert len(html.encode()) < 3_000_000
    it = show(html)
    took = it.page.evaluate("performance.timing.loadEventEnd - performance.timing.navigationStart")
    assert took < 2_000
    assert it.said == []
    assert it.page.locator("svg.picture").first.is_visible()
    assert it.page.locator("section#findings > article").count() == 3
    assert not it.page.get_by_text("measurement number 1999").first.is_visible()
    it.page.get_by_text("Columns of wide (5,000 rows, 2,000 columns)").click()
    it.page.get_by_label("Find a column").fill("number 1999")
    assert it.page.locator("#columns-1 [role=status]").inner_text() == "1 column"
    assert it.page.get_by_role("rowheader", name="measurement number 1999").is_visible()
    it.page.get_by_label("Find a column").fill("aud007")
    assert it.page.locator("#columns-1 [role=status]").inner_text() == "400 columns"
    assert it.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_the_audit_page_reads_on_a_telephone_in_the_dark_and_without_scripts(show):
    report, profile = wide(80)
    narrow = show(render_audit(report, [profile]), viewport={"width": 360, "height": 740}, color_scheme="dark")
    assert narrow.page.evaluate("document.documentElement.scrollWidth") <= 360
    assert narrow.ground() != "rgb(255, 255, 255)"
    still = show(render_audit(report, [profile]), java_script_enabled=False)
    assert still.page.locator("svg.picture").first.is_visible()
    still.page.get_by_text("Columns of wide").first.click()
    assert not still.page.locator("input[type=search]").is_visible()
    assert still.page.get_by_role("rowheader", name="measurement number 3", exact=True).is_visible()


def test_the_order_desk_is_sifted_by_supplier_words_and_checks(show):
    named = [
        ("Bolt M8", "Acme", ()),
        ("Nut M8", "Acme", ("stock is negative",)),
        ("Bolt M10", "Borg", ("new item",)),
        ("Washer", "Borg", ()),
    ]
    lines = tuple(
        OrderLine(
            id=f"L{i}", item=item, supplier=supplier, quantity=5.0, money=9.0 - i, checks=checks, reason="because"
        )
        for i, (item, supplier, checks) in enumerate(named)
    )
    it = show(render_desk(DeskView(OrderPlan(lines=lines, currency="EUR", assumed=False))))
    page = it.page

    def seen():
        shown = page.locator("#desk details.order:visible")
        return [shown.nth(i).locator("summary strong").inner_text() for i in range(shown.count())]

    status = page.locator(".search.desk [role=status]")
    assert seen() == [item for item, _, _ in named] and status.inner_text() == ""
    page.select_option("[data-desk=supplier]", "Borg")
    assert seen() == ["Bolt M10", "Washer"] and status.inner_text() == "2 of 4 orders"
    page.fill("[data-desk=text]", " bolt ")
    assert seen() == ["Bolt M10"]
    page.select_option("[data-desk=supplier]", "")
    assert seen() == ["Bolt M8", "Bolt M10"]
    page.fill("[data-desk=text]", "acme")  # suppliers are found by name too
    assert seen() == ["Bolt M8", "Nut M8"]
    page.check("[data-desk=checks]")
    assert seen() == ["Nut M8"] and status.inner_text() == "1 of 4 orders"
    page.fill("[data-desk=text]", "nothing of the kind")
    assert seen() == [] and status.inner_text() == "0 of 4 orders"
    page.fill("[data-desk=text]", "")
    page.uncheck("[data-desk=checks]")
    assert len(seen()) == 4 and status.inner_text() == ""
    assert it.said == [] and len(it.asked) == 1
