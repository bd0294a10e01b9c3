"""The report of one run: what was asked, the verdict, the evidence, and how to get it all again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from holdgood.core.declaration import Costs
from holdgood.core.records import Evaluation, FairnessReport, Overfitting, Verdict
from holdgood.reports import charts, curves
from holdgood.reports import format as words
from holdgood.reports.audit_report import findings_view
from holdgood.reports.declared import as_toml, without_secrets
from holdgood.reports.page import render_page
from holdgood.reports.plain import plain
from holdgood.reports.shapes import shown_tables
from holdgood.reports.stake import ordered
from holdgood.reports.view import RunView
from holdgood.reports.words import family

CONTENTS = (
    ("asked", "What was asked"),
    ("verdict", "Verdict"),
    ("money", "Money"),
    ("data", "Data"),
    ("split", "Split"),
    ("features", "Features"),
    ("ladder", "Ladder"),
    ("evaluation", "Evaluation"),
    ("fairness", "Fairness"),
    ("card", "Model card"),
    ("appendix", "Appendix"),
)

DASH = "– "
"""How a sentence of the verdict begins that belongs to the one before it."""

_GATE_ORDER = {"failed": 0, "open": 1, "passed": 2}


def render_run(view: RunView) -> str:
    """The whole report as one HTML text of about one megabyte; write it as UTF-8. No network, no row's values."""
    declaration, evaluation = view.declaration, view.evaluation
    figures = _figures(view)
    return render_page(
        "run.html",
        charts=_any_live(figures),
        title=declaration.name,
        contents=CONTENTS,
        v=view,
        kind=_kind(view),
        headline=_headline(view.verdict),
        said=_said(view.verdict.sentences),
        gates=sorted(view.verdict.gates, key=lambda g: _GATE_ORDER[g.status]),
        findings=findings_view([view.audit_tables, view.audit_target], {}),
        shown=shown_tables(view.profiles, ordered([view.audit_tables, view.audit_target])),
        currency=declaration.costs.currency,
        costs_declared=declaration.costs.declared,
        declared_costs=_declared_costs(declaration.costs),
        cost_matrix=_cost_matrix(declaration.costs),
        fill_in=_costs_to_fill_in(evaluation),
        figures=figures,
        group_measures=_group_measures(view.fairness),
        left_out=list(view.ledger.left_out.items()),
        gain_levels=_span([r.gain.level for r in view.leaderboard.ladder if r.gain]),
        chosen_rung=next(
            (family(r.name).label for r in view.leaderboard.ladder if r.trial == view.leaderboard.chosen), ""
        ),
        plain=None if declaration.costs.declared else plain(view.leaderboard, declaration.task.target),
        earned_unit=next((r.money_gain.unit for r in view.leaderboard.ladder if r.money_gain), ""),
        overfitting_rows=_overfitting(evaluation.overfitting),
        members=[(name, words.fixed(weight, 3)) for name, weight in view.leaderboard.members.items()],
        steps=[
            (name, words.duration(s), "reused from an earlier run" if reused else "in this run")
            for name, s, reused in view.steps
        ],
        declaration_toml=as_toml(declaration),
        bundle_files=[(f.path, words.size(f.size), f.sha256) for f in view.bundle.files] if view.bundle else [],
        fingerprints=_fingerprints(view),
        assumed_sentence=_assumed_sentence(evaluation),
        **_amount(evaluation),
    )


def _overfitting(found: Overfitting | None) -> list[tuple[str, str, str]]:
    """The numbers behind the sentences, from the rows a model knows best to those that it knows least."""
    if found is None:
        return []
    rows = [
        ("that it learned from", words.number(found.learned, 4), words.count(found.learned_rows)),
        (
            "that it was picked on",
            words.number(found.picked if found.tries > 1 else None, 4),
            words.count(found.out_of_fold.n),
        ),
        ("kept out of its fits and of its choice", words.interval(found.out_of_fold), words.count(found.out_of_fold.n)),
        ("that chose nothing", words.interval(found.fresh), words.count(found.fresh.n)),
    ]
    return [row for row in rows if row[1] != words.NOTHING]


def _span(levels: Sequence[float]) -> str:
    """Levels from the lowest to the highest.

    >>> _span([0.95]), _span([0.98, 0.967]), _span([])
    ('95%', '96.7% to 98%', '')
    """
    ends = dict.fromkeys(words.percent(f(levels)) for f in (min, max)) if levels else {}
    return " to ".join(ends)


def _kind(view: RunView) -> str:
    """The kind of task as resolved (the bundle knows), else as declared."""
    said = (view.bundle.task if view.bundle else {}).get("kind") or view.declaration.task.kind
    return {
        "auto": "decided from the data",
        "binary": "yes or no",
        "multiclass": "one of several classes",
        "regression": "a number",
        "forecast": "a forecast",
        "failure": "time to an event",
    }.get(said, str(said))


def _figures(view: RunView) -> dict[str, Any]:
    evaluation, currency = view.evaluation, view.declaration.costs.currency
    drawn = curves.curve_figures(evaluation, currency)
    # slices are measured in log loss (classes) or squared error; only the first has its overall twin among the metrics
    overall = evaluation.metrics.get("log_loss")
    chances = evaluation.confusion is not None
    return {
        "split": charts.split_figure(view.split, view.declaration.split.gap),
        "ladder": charts.ladder_figure(view.leaderboard),
        "gains": charts.gains_figure(view.leaderboard),
        "earned": charts.earned_figure(view.leaderboard, currency) if view.declaration.costs.declared else None,
        "money": charts.money_figure(evaluation, currency),
        "money_curves": [c.figure for c in drawn if c.in_money],
        "curves": [c.figure for c in drawn if not c.in_money],
        "calibration": evaluation.calibration and curves.calibration_figure(evaluation.calibration, chances),
        "histogram": curves.histogram_figure(view.histograms),
        "importance": charts.importance_figure(evaluation.importance),
        "slices": charts.slices_figure(evaluation.slices, overall),
        "groups": [charts.group_figure(a, view.fairness.measure) for a in view.fairness.attributes],
    }


def _any_live(figures: dict[str, Any]) -> bool:
    """Whether anything needs the chart library."""
    flat = [f for entry in figures.values() for f in (entry if isinstance(entry, list) else [entry])]
    return any(f is not None and f.option is not None for f in flat)


def _amount(evaluation: Evaluation) -> dict[str, str]:
    """The headline amount and its range, both rounded to what the interval carries; empty where costs are assumed."""
    if evaluation.money is None or evaluation.money.assumed:
        return {"amount": "", "amount_range": ""}
    amount, spread = words.interval_pieces(evaluation.money.amount, evaluation.money.currency)
    return {"amount": amount, "amount_range": spread}


def _assumed_sentence(evaluation: Evaluation) -> str:
    """What can be said without costs: the ratio at which it pays, never an amount."""
    if evaluation.money_sentence.startswith("ASSUMED"):
        rest = evaluation.money_sentence.removeprefix("ASSUMED").lstrip(" :")
        return rest[:1].upper() + rest[1:]
    if words.known(evaluation.break_even_ratio):
        return f"Pays if a miss costs more than {words.number(evaluation.break_even_ratio)} false alarms."
    return "Nobody has declared what right and wrong answers cost, so no savings are shown."


def _headline(verdict: Verdict) -> str:
    """The headline without the status, which stands above it in large letters."""
    rest = verdict.headline.removeprefix(verdict.status).lstrip(" ,:.")
    return rest[:1].upper() + rest[1:]


def _said(sentences: Iterable[str]) -> list[tuple[str, list[str]]]:
    """Paragraphs, each with the list that follows it: sentences that begin with a dash are its items.

    >>> _said(["One step was worth it:", "– a → b", "Fair."])
    [('One step was worth it:', ['a → b']), ('Fair.', [])]
    """
    said: list[tuple[str, list[str]]] = []
    for sentence in sentences:
        if not sentence.startswith(DASH):
            said.append((sentence, []))
        elif said:
            said[-1][1].append(sentence.removeprefix(DASH))
        else:
            said.append(("", [sentence.removeprefix(DASH)]))
    return said


def _declared_costs(costs: Costs) -> list[tuple[str, float]]:
    named = {
        "A miss costs": costs.miss,
        "A false alarm costs": costs.false_alarm,
        "A hit costs": costs.hit or None,
        "A right silence costs": costs.quiet or None,
        "One unit too much costs": costs.over,
        "One unit too little costs": costs.under,
    }
    return [(name, amount) for name, amount in named.items() if amount is not None] if costs.declared else []


def _cost_matrix(costs: Costs) -> list[tuple[str, str, str]]:
    return [
        (truth, answer, words.money(amount, costs.currency))
        for truth, row in costs.matrix.items()
        for answer, amount in row.items()
    ]


def _costs_to_fill_in(evaluation: Evaluation) -> str:
    """The lines of the declaration that turn ASSUMED into money, for this kind of task."""
    head = '[costs]\ncurrency = "EUR"\n'
    if evaluation.confusion is None:
        return f"{head}over = …    # one unit predicted too high\nunder = …   # one unit predicted too low"
    if len(evaluation.confusion.labels) == 2:
        return f"{head}miss = …   # a real case that nobody was warned of\nfalse_alarm = …   # a warning for nothing"
    return f"{head}\n[costs.matrix.TRUTH]   # one such table a true class\nANSWER = …   # what this answer costs then"


def _group_measures(fairness: FairnessReport) -> list[list[str]]:
    """Names of all measures of each attribute, the gate's one first."""
    tables = []
    for attribute in fairness.attributes:
        names = dict.fromkeys(name for g in attribute.groups for name in g.measures)
        tables.append(sorted(names, key=lambda n: n != fairness.measure))
    return tables


def _fingerprints(view: RunView) -> list[tuple[str, str]]:
    named = [(f"table {name}, as read", digest) for name, digest in view.clean.before.items()]
    named += [(f"table {name}, as cleaned", digest) for name, digest in view.clean.after.items()]
    named.append(("holdout", view.split.holdout_fingerprint))
    if view.bundle:
        named.append(("data of the bundle", view.bundle.data_fingerprint))
    return [(without_secrets(name), digest) for name, digest in named if digest]
