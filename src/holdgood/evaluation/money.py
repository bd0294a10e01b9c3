"""Money on the holdout: what acting on the model saved against nobody, everybody, and the simplest rule."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from holdgood.core.declaration import Costs
from holdgood.core.records import Comparison, Interval, Money
from holdgood.core.task import COSTS, Task
from holdgood.metrics.capacity import reachable, within_capacity
from holdgood.metrics.compare import paired
from holdgood.metrics.cost import CostTable, answers, as_they_are, break_even_ratio, cost_rows
from holdgood.metrics.interval import weighted

DAYS_A_MONTH = 30.4375
MICROSECONDS_A_DAY = 86_400_000_000
SHORTEST = 0.25
"""Months of holdout below which nothing is stated per month: a week says too little about the other three."""

LARGEST_ROWS = 10


@dataclass(frozen=True)
class Period:
    """What an amount is per: ``scale`` turns an amount a row into an amount per ``per``."""

    per: str
    scale: float
    unit: str
    where: str = "the sealed holdout"


@dataclass(frozen=True)
class Value:
    """Everything that the evaluation says in money."""

    money: Money
    against: tuple[Comparison, ...]
    break_even: float
    sentence: str


def period(
    table: CostTable, n: int, time: np.ndarray | None, months: float | None, where: str = "the sealed holdout"
) -> Period:
    """Per month where the holdout spans at least a week of known time, else on the holdout as a whole.

    ``months``: how long the holdout lasted, where the caller knows it better than first and last row do.
    """
    if months is None and time is not None and len(time):
        months = float(np.max(time) - np.min(time)) / MICROSECONDS_A_DAY / DAYS_A_MONTH
    currency = (
        "false alarms" if table.assumed and table.kind == "binary" else "mistakes" if table.assumed else table.currency
    )
    if table.assumed and table.kind == "regression":
        currency = "units of error"
    if months is not None and months >= SHORTEST:
        return Period("month", n / months, f"{currency} a month".strip(), where)
    return Period(
        "holdout",
        float(n),
        f"{currency} on the {'holdout' if where == 'the sealed holdout' else 'rows judged'}".strip(),
        where,
    )


def value(
    task: Task, y: np.ndarray, prediction: np.ndarray, answer: np.ndarray, *, prior: np.ndarray,
    simple_answer: np.ndarray | None, simple_name: str, table: CostTable, costs: Costs, over: Period,
    clusters: np.ndarray | None, name: str, weight: np.ndarray | None = None,
    spend: Callable[[np.ndarray, np.ndarray], np.ndarray] | None = None, prior_answer: np.ndarray | None = None,
    day: np.ndarray | None = None,
) -> Value:  # fmt: skip
    """What the answers brought, paired row by row with each alternative; ``clusters`` are resampled together.

    ``weight``: how much a row counts; totals are for as many rows as there are. ``spend``: what answers
    cost on rows by position, where the costs' table does not say it. ``day`` (n,): rows that share a capacity, where there is one.

    Binary: against acting on nobody and on everybody (under a capacity: on as many rows a day, whichever).
    Other tasks: against the best constant answer, by the prior's
    predictions. Undeclared costs: amounts are assumed, and for binary tasks the break-even ratio comes instead.
    """
    alternatives = _constant(task, y, prior, table, prior_answer, day)
    if simple_answer is not None:
        alternatives.append((simple_name, simple_answer))
    every = np.arange(len(y))

    def cost(given: np.ndarray) -> np.ndarray:
        return weighted(cost_rows(table, y, given) if spend is None else spend(given, every), weight)

    spent = cost(answer)
    against, saved = [], []
    for other, other_answer in alternatives:
        theirs = cost(other_answer)
        found = paired(spent, theirs, first=name, second=other, clusters=clusters, unit=over.unit)
        against.append(_scaled(found, over.scale))
        saved.append(theirs - spent)
    head = against[0]
    amount = Interval(value=head.difference, low=head.low, high=head.high, n=head.n, method=head.method)
    money = Money(amount=amount, currency=table.currency, per=over.per, assumed=table.assumed)
    if table.assumed:
        stated = as_they_are(table, prediction)
        if day is not None:
            stated = reachable(table, stated, day)
        ratio, sentence = _assumed(task, y, stated, clusters, head, weight, table.capacity)
        return Value(money, tuple(against), ratio, sentence)
    return Value(money, tuple(against), math.nan, _declared(costs, table, over, against, saved[0]))


def _constant(
    task: Task,
    y: np.ndarray,
    prior: np.ndarray,
    table: CostTable,
    prior_answer: np.ndarray | None,
    day: np.ndarray | None,
) -> list[tuple[str, np.ndarray]]:
    """The answers that need no model; ``prior_answer``: the amount that costs least where nothing is known of a row."""
    n = len(y)
    if task.kind == "binary":
        nobody, everybody = np.zeros(n, np.int64), np.ones(n, np.int64)
        if table.capacity is not None and day is not None:
            blind = within_capacity(np.zeros(n), day, table.capacity, everybody == 1).astype(np.int64)
            return [("acting on nobody", nobody), (f"acting on any {table.capacity:,} rows a day", blind)]
        return [("acting on nobody", nobody), ("acting on everybody", everybody)]
    constant = answers(table, prior) if prior_answer is None else prior_answer
    if task.kind == "multiclass":
        return [(f"always answering {task.classes[int(constant[0])]}", constant)]
    return [("the same value for every row", constant)]


def _scaled(c: Comparison, scale: float) -> Comparison:
    return c.model_copy(update={"difference": c.difference * scale, "low": c.low * scale, "high": c.high * scale})


def amount(number: float, currency: str) -> str:
    """An amount with three significant digits; a sign stands before it, a code behind it.

    >>> amount(41234.0, "€"), amount(41234.0, "EUR"), amount(0.4567, "")
    ('€41,200', '41,200 EUR', '0.457')
    """
    digits = rounded(number)
    if currency and not currency.isalpha():
        return f"-{currency}{digits[1:]}" if digits.startswith("-") else f"{currency}{digits}"
    return f"{digits} {currency}".strip()


def rounded(number: float) -> str:
    """Three significant digits, thousands grouped."""
    if not math.isfinite(number):
        return "unknown"
    if number == 0:
        return "0"
    places = 2 - math.floor(math.log10(abs(number)))
    text = f"{round(number, places):,.{min(max(places, 0), 8)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _declared(costs: Costs, table: CostTable, over: Period, against: list[Comparison], saved: np.ndarray) -> str:
    """For example: At your costs (a miss 300, a false alarm 40) it would have saved €41,200 a month …."""
    clauses = [_clause(c, table.currency, over, before=against[i - 1] if i else None) for i, c in enumerate(against)]
    joined = clauses[0] if len(clauses) == 1 else ", ".join(clauses[:-1]) + ", and " + clauses[-1]
    total = float(np.sum(saved))
    largest = float(np.sum(np.sort(saved)[::-1][:LARGEST_ROWS]))
    share = ""
    if total > 0 and len(saved) > LARGEST_ROWS:
        share = f" The ten rows that saved most bring {min(largest / total, 1.0):.1%} of it."
    return f"At your costs{_prices(costs)} it would have {joined}.{share}"


def _prices(costs: Costs) -> str:
    said = _amounts(costs)
    if costs.capacity is None:
        return said
    limit = f"at most {costs.capacity:,} acted on a day"
    return f"{said[:-1]}; {limit})" if said else f" ({limit})"


def _amounts(costs: Costs) -> str:
    if costs.miss is not None and costs.false_alarm is not None:
        return f" (a miss {costs.miss:g}, a false alarm {costs.false_alarm:g})"
    if costs.matrix:
        return " (your matrix of answers and truths)"
    if costs.function is not None:
        return f" (by {costs.function})"
    if costs.over is not None and costs.under is not None:
        return f" ({costs.over:g} for each unit too high, {costs.under:g} for each unit too low)"
    return ""


def _clause(c: Comparison, currency: str, over: Period, *, before: Comparison | None) -> str:
    """One alternative; the verb, the period and the level are said once, where they are the same as before."""
    if not (math.isfinite(c.difference) and math.isfinite(c.low) and math.isfinite(c.high)):
        return f"had an effect that cannot be told against {c.second}"
    saves = c.difference >= 0
    low, high = (c.low, c.high) if saves else (-c.high, -c.low)
    proven = "" if c.verdict != "not proven" else ", not proven"
    same = before is not None and (before.difference >= 0) == saves
    verb = "" if same else "saved " if saves else "lost "
    when = "" if before is not None else " a month" if over.per == "month" else ""
    where = "" if before is not None else f" on {over.where}"
    level = "" if before is not None else f"{c.level:.0%}: "
    size = f"{amount(abs(c.difference), currency)}{when}{where}"
    return f"{verb}{size} ({level}{rounded(low)} to {rounded(high)}{proven}) against {c.second}"


def _assumed(
    task: Task,
    y: np.ndarray,
    p: np.ndarray,
    clusters: np.ndarray | None,
    head: Comparison,
    weight: np.ndarray | None,
    capacity: int | None,
) -> tuple[float, str]:
    """The break-even ratio where there is one, and the sentence that asks for costs."""
    rest = f"declare {COSTS[task.kind]} under [costs] to see money."
    if task.kind != "binary":
        low, high = (head.low, head.high) if head.difference >= 0 else (-head.high, -head.low)
        said = f"{rounded(abs(head.difference))} {'fewer' if head.difference >= 0 else 'more'} {head.unit}"
        span = f"({head.level:.0%}: {rounded(low)} to {rounded(high)})"
        return math.nan, f"ASSUMED: every mistake costs the same; {said} {span} than {head.second}; {rest}"
    found = break_even_ratio(y, p, None, clusters, weight=weight)
    if math.isnan(found.pays_above):
        return math.nan, f"ASSUMED: at no ratio of costs is acting on it proven to pay; {rest}"
    until = found.everybody_from
    beyond = ""
    if capacity is not None:
        beyond = f", with at most {capacity:,} acted on a day"  # everybody cannot be acted on
    elif math.isfinite(until) and until > found.pays_above:
        beyond = f", and beats acting on everybody up to {rounded(until)}"
    return (
        found.pays_above,
        f"ASSUMED: pays if a miss costs more than {rounded(found.pays_above)} false alarms{beyond}; {rest}",
    )
