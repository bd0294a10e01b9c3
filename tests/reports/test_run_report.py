"""The report of a run: sound HTML, nothing from outside, nothing invented, nothing leaked."""

import base64
import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from holdgood.core.records import Capacity, CardSection, Comparison, Interval
from holdgood.reports import render_run

VOID = {"meta", "br", "img", "link", "input", "hr"}
KINDS = ["declared", "assumed", "multiclass", "regression", "empty", "hostile"]


class Page(HTMLParser):
    """Reads a page strictly: every tag is closed in order; collects what the tests ask about."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.faults, self.ids, self.headings, self.links, self.tags = [], [], [], [], [], []
        self.scripts, self.figures, self.words, self.tables = [], [], [], []
        self.feed(text)
        self.close()
        self.faults += [f"<{tag}> is not closed" for tag in self.open]

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.tags.append((tag, found))
        if "id" in found:
            self.ids.append(found["id"])
        if re.fullmatch(r"h[1-6]", tag):
            self.headings.append(int(tag[1]))
        self.links += [v for k, v in attrs if k in ("src", "href", "srcset", "action", "data", "poster")]
        if tag == "figure":
            self.figures.append({"live": "data-live" in found, "table": False, "caption": False, "still": False})
        if "figure" in self.open:
            here = self.figures[-1]
            here["table"] |= tag == "table"
            here["caption"] |= tag == "figcaption"
            here["still"] |= tag == "svg" and "still" in found.get("class", "")
        if tag == "script":
            self.scripts.append([found.get("type"), ""])
        if tag not in VOID and not (self.open and self.open[-1] == "svg-void"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        if not self.open or self.open[-1] != tag:
            self.faults.append(f"</{tag}> closes {self.open[-3:]}")
        else:
            self.open.pop()

    def handle_data(self, data):
        if self.open and self.open[-1] == "script":
            self.scripts[-1][1] += data
        elif self.open and self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


@pytest.fixture(params=KINDS)
def page(request):
    view = request.getfixturevalue(request.param)
    html = render_run(view)
    return view, html, Page(html)


def test_tags_ids_and_headings_are_sound(page):
    _, html, read = page
    assert read.faults == []
    assert len(read.ids) == len(set(read.ids))
    assert read.headings[0] == 1
    assert read.headings.count(1) == 1
    assert all(b - a <= 1 for a, b in zip(read.headings, read.headings[1:]))
    assert html.startswith("<!DOCTYPE html>\n<html lang=")
    assert "<meta charset" in html[:200]


def test_landmarks_and_contents(page):
    _, _, read = page
    tags = [t for t, _ in read.tags]
    assert [tags.count(t) for t in ("header", "nav", "main", "footer")] == [1, 1, 1, 1]
    targets = [v.removeprefix("#") for v in read.links]
    assert set(targets) <= set(read.ids)
    assert [a["id"] for t, a in read.tags if t == "section"] == [
        "asked", "verdict", "money", "data", "split", "features", "ladder", "evaluation", "fairness", "card", "appendix",
    ]  # fmt: skip
    labelled = [a["aria-labelledby"] for t, a in read.tags if t == "section"]
    assert set(labelled) <= set(read.ids)


def test_every_figure_has_title_table_and_still_drawing(page):
    _, _, read = page
    assert read.figures
    assert all(f["table"] and f["caption"] and f["still"] for f in read.figures)


def test_nothing_comes_from_outside(page):
    _, html, read = page
    assert all(link.startswith("#") for link in read.links)
    style = html[html.index("<style>") : html.index("</style>")]
    assert "url(" not in style
    assert "@import" not in style
    assert not [t for t, _ in read.tags if t in ("link", "iframe", "object", "embed", "img", "base", "form")]
    assert not [k for _, a in read.tags for k in a if k.startswith("on")]


def test_policy_allows_the_scripts_of_this_page_and_nothing_else(page):
    _, _, read = page
    policy = next(a["content"] for t, a in read.tags if a.get("http-equiv") == "Content-Security-Policy")
    allowed = set(re.findall(r"'sha256-([^']+)'", policy))
    running = [text for kind, text in read.scripts if kind is None]
    digests = {base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in running}
    assert digests == allowed
    assert policy.startswith("default-src 'none';")
    assert "script-src 'sha256" in policy


def test_no_unknown_number_is_printed(page):
    _, _, read = page
    assert not re.search(r"\b(nan|NaN|inf|Infinity|None|undefined)\b", read.text)


def test_data_blocks_are_json(page):
    _, _, read = page
    blocks = [text for kind, text in read.scripts if kind == "application/json"]
    assert len(blocks) == sum(f["live"] for f in read.figures)
    for block in blocks:
        assert json.loads(block)["series"]
        assert "<" not in block


def test_size_and_determinism(page):
    view, html, _ = page
    assert len(html.encode()) < 1_600_000
    assert render_run(view) == html


def test_hostile_names_stay_words(hostile):
    html = render_run(hostile)
    read = Page(html)
    assert "<script>alert(1)" not in html
    assert "<img src=x" not in html
    assert "</script><script>alert(1)</script><img src=x onerror=alert(1)> {{ 7*7 }} $accent" in read.text
    assert "49" not in [w.strip() for w in read.words]
    assert sum(kind is None for kind, _ in read.scripts) == 2


def test_verdict_comes_before_the_evidence_and_open_gates_first(declared):
    text = Page(render_run(declared)).text
    order = [
        text.index(w)
        for w in (
            "which flights will arrive",
            "Ready to pilot",
            "checklist signed",
            "beats the prior",
            "What matters most",
        )
    ]
    assert order == sorted(order)
    assert "1 gate open (nobody has signed the checklist)" in text


def test_steps_of_the_ladder_are_a_list_under_their_sentence(declared):
    sentences = (
        "Money.",
        "1 of 2 steps up the ladder was worth climbing:",
        "– a → b +€5, yes",
        "– b → c, not <b>",
        "Fair.",
    )
    verdict = declared.verdict.model_copy(update={"sentences": sentences})
    html = render_run(replace(declared, verdict=verdict))
    assert Page(html).faults == []
    flat = "".join(line.strip() for line in html.splitlines())
    steps = '<ul class="plain"><li>a → b +€5, yes</li><li>b → c, not &lt;b&gt;</li></ul>'
    assert f"<p>1 of 2 steps up the ladder was worth climbing:</p>{steps}<p>Fair.</p>" in flat
    assert "– a →" not in html
    only = render_run(replace(declared, verdict=verdict.model_copy(update={"sentences": ("– lone",)})))
    assert "<li>lone</li>" in only


def section(html, name, until):
    return Page(html[html.index(f'id="{name}"') :].split(f'id="{until}"')[0]).text


def test_the_ladder_says_its_rule_with_the_level_and_names_rungs_in_plain_words(declared):
    text = section(render_run(declared), "ladder", "evaluation")
    assert f"The rule: {declared.leaderboard.rule}" in text
    for said in ("Always the average", "One decision tree", "a short list of questions", "Several models together"):
        assert said in text
    for rung in declared.leaderboard.ladder:
        assert f"not taken {rung.why}" in text or f"taken {rung.why}" in text
    assert "Under each value: its interval; 95% for scores, 95% for steps, wide enough" in text


def test_steps_have_a_price_only_where_costs_are_declared(declared, assumed):
    text = section(render_run(declared), "ladder", "evaluation")
    assert "In money, EUR a month" in text
    assert "What each step up earns" in text
    text = section(render_run(assumed), "ladder", "evaluation")
    assert "Nobody has declared costs, so that steps have no price here." in text
    assert "In money" not in text
    assert "What each step up earns" not in text


def in_plain_words(view, values, unit, verdicts=("better", "better", "not proven")):
    """A view whose ladder is told in plain words: a value and a gain a rung."""
    board, rungs = view.leaderboard, []
    for rung, value, verdict in zip(board.ladder, values, (None, *verdicts), strict=False):
        found = {"plain": Interval(value=value, low=0.9 * value, high=1.1 * value)}
        if verdict is not None:
            step = values[0] - value
            found["plain_gain"] = Comparison(
                first=rung.name, second="prior", difference=step, low=-2.0 if verdict == "not proven" else step - 10, high=step + 10,
                unit=unit, verdict=verdict,
            )  # fmt: skip
        rungs.append(rung.model_copy(update=found))
    chosen = {"ladder": tuple(rungs), "chosen": rungs[len(verdicts)].trial}
    return replace(view, leaderboard=board.model_copy(update=chosen))


def test_without_costs_the_ladder_speaks_of_rows_judged_wrongly(assumed, declared):
    told = in_plain_words(assumed, [312.0, 201.0, 190.0], "of 1,000 rows", ("better", "better"))
    text = section(render_run(told), "ladder", "evaluation")
    assert (
        "In plain words, on rows that the models had not seen: Always the average judges 310 (95%: 280 to 340) of 1,000 rows wrongly; "
        "One decision tree judges 190 (95%: 171 to 209) of 1,000 rows wrongly." in text
    )
    assert "Judged wrongly, of 1,000 rows" in text
    assert "201 181 to 221 111 fewer (95%: 101 to 121) better" in text
    assert "all of them counted alike" in text
    assert "but not in these words" not in text
    told = replace(told, declaration=declared.declaration)
    assert "In plain words" not in section(render_run(told), "ladder", "evaluation")


def test_a_step_that_is_proven_but_judges_no_fewer_rows_wrongly_says_what_it_is_worth(assumed):
    told = in_plain_words(assumed, [312.0, 306.0], "of 1,000 rows", ("not proven",))
    text = section(render_run(told), "ladder", "evaluation")
    assert "6 fewer (95%: 2 more to 16 fewer) not proven" in text
    assert "The step to Weighted sum is proven, but not in these words: its chances are truer" in text


def test_without_costs_an_amount_is_missed_by_so_much_in_the_targets_unit(regression):
    told = in_plain_words(regression, [48.0, 31.0, 55.0], "the target's unit", ("better", "worse"))
    text = section(render_run(told), "ladder", "evaluation")
    name = regression.declaration.task.target
    assert f"Always the average misses {name} by 48 (95%: 43 to 53) on average" in text
    assert f"Average miss, in the unit of {name}" in text
    assert "17 smaller (95%: 7 to 27) better" in text
    assert "7 larger (95%: 17 larger to 3 smaller) worse" in text


def test_overfitting_is_told_in_words_with_the_numbers_behind(declared, regression):
    text = section(render_run(declared), "ladder", "evaluation")
    for sentence in declared.evaluation.overfitting.sentences:
        assert sentence in text
    assert "that it learned from 0.3505 20,000" in text
    assert "that chose nothing 0.431 (95%: 0.425 to 0.437) 52,000" in text
    assert "Does it overfit?" not in section(render_run(regression), "ladder", "evaluation")


def test_comparisons_and_calibration_name_the_level_of_their_interval(declared):
    text = Page(render_run(declared)).text
    part = text[text.index("What the sealed holdout said") :]
    comparison = declared.evaluation.against_prior
    assert re.search(rf"{comparison.first} against {comparison.second}: \S+ \(95%: ", part)
    assert re.search(r"Calibration error \S+ \(95%: ", part)


def test_the_release_checklist_is_not_folded(declared):
    sections = [CardSection(title=t) for t in ("Intended use", "Who is affected, and how")]
    sections += [
        CardSection(title="Release checklist", paragraphs=("9 of 17 done, 8 open.",), table=(("Signed?", "open"),))
    ]
    card = declared.card.model_copy(update={"sections": (*sections, CardSection(title="Data"))})
    html = render_run(replace(declared, card=card))
    part = html[html.index('id="card"') :]
    assert part.index("9 of 17 done, 8 open.") < part.index("<summary>The rest of the card: Data")


def test_every_check_and_status_is_listed(declared):
    text = Page(render_run(declared)).text
    for outcome in declared.audit_tables.outcomes + declared.audit_target.outcomes:
        assert outcome.code in text
    for word in ("passed", "not applicable", "skipped", "ignored", "not enough memory", "ignored by Ann"):
        assert word in text


def test_money_is_shown_as_declared(declared):
    text = Page(render_run(declared)).text
    assert "€41,200" in text
    assert "€34,000 to €48,400" in text
    assert "€300 per flight" in text
    assert "ASSUMED" not in text
    assert "+€24,300" in text


def test_without_costs_no_amount_is_shown_but_the_ratio(assumed):
    html = render_run(assumed)
    body = Page(html[html.index('id="money"') :].split('id="data"')[0]).text
    assert "ASSUMED" in body
    assert "2.41 false alarms" in body
    assert "1,430" not in body
    assert "1,431" not in body
    assert "false_alarm =" in body
    assert "In money" not in Page(html).text


def test_values_of_rows_and_secrets_stay_out(declared):
    html = render_run(declared)
    for value in ("UNITED-LEVEL", "4983", "4,983", "s3cret"):
        assert value not in html


def test_thin_groups_say_that_they_cannot_tell(declared):
    text = Page(render_run(declared)).text
    assert "cannot tell: 32 rows, 900 would tell" in text
    assert "about 900 rows would tell" in text


def test_a_worn_holdout_is_named(regression, declared):
    assert "opened 7 times" in Page(render_run(regression)).text
    assert "worn" not in Page(render_run(declared)).text


def test_a_page_without_charts_carries_no_chart_library(empty, declared):
    assert len(render_run(empty)) < 100_000
    assert len(render_run(declared)) > 700_000


def test_perturbed_records_change_the_page(declared, assumed):
    before = render_run(declared)
    changed = declared.split.model_copy(update={"no_outcome": 4_741})
    after = render_run(replace(declared, split=changed))
    assert "4,741 rows" in after
    assert "4,741 rows" not in before


def test_wide_tables_are_cut_and_counted(declared):
    many = {f"column {i}": "only identifies" for i in range(10_000)}
    html = render_run(replace(declared, ledger=declared.ledger.model_copy(update={"left_out": many})))
    assert "9,800 more columns" in html
    assert len(html.encode()) < 1_600_000


def test_a_capacity_is_told_under_money(declared):
    said = "At most 50 a day: 120 of 300 rows that deserve action are acted on"
    limit = Capacity(a_day=50, days=3, full_days=2, deserving=300, acted=120, sentence=said)
    html = render_run(replace(declared, evaluation=declared.evaluation.model_copy(update={"capacity": limit})))
    assert said in html and said not in render_run(declared)
