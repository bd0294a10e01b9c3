"""AUD040: entities (customers, patients, machines) whose rows stand on both sides of a split that is not by time.

Three signs, most certain first. *A split that was meant to keep an entity together*: far fewer of its levels stand on both
sides than chance would put there, and yet some do. *A code that repeats*: texts of one pattern, a few rows each. *Rows
that are alike*: levels of one or two columns within which most other columns are constant. What it means for a score is measured: a
small learner is judged on folds by rows and on folds that keep the entity together; the difference is what a random split flatters.
Declared keys and groups are told by AUD017.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from itertools import combinations
from typing import ClassVar, Literal

import numpy as np

from holdgood.audit import columns
from holdgood.audit.aud011_identifiers import identifiers
from holdgood.audit.aud014_late_facts import late_columns
from holdgood.audit.found import Evidence, counted, found, is_are, listed, percent
from holdgood.audit.joined import known_at
from holdgood.audit.outoffold import OutOfFold, out_of_fold
from holdgood.audit.profile import profile
from holdgood.audit.rows import row_hashes
from holdgood.core.errors import NotApplicable
from holdgood.core.protocols import AuditContext
from holdgood.core.records.audit import Finding, Severity
from holdgood.core.records.profile import ColumnProfile
from holdgood.core.table import Table

LEVELS = 30
FEWEST_A_LEVEL, MOST_A_LEVEL = 1.5, 50.0
ROWS = 10
FAR_FEWER, SIGMAS = 0.7, 6.0
SAME_PATTERN, PATTERN_LEVELS = 0.8, 2_000
LOOKED_AT = 20_000
PAIR_COLUMNS = 12
SAME = 0.8
ALIKE, ALIKE_PAIR = 0.5, 0.6
MEASURED = 2
MATTERS, MATTERS_MUCH = 0.01, 0.05
GAP_SIGMAS = 3.0


@dataclass(frozen=True)
class _Entity:
    """Columns that name an entity, and holdout rows whose entity stands in development too, as seen and as chance would put."""

    names: tuple[str, ...]
    across: int
    expected: float
    entities: int
    why: Literal["meant", "code", "alike"]
    alike: tuple[str, ...] = ()


class EntitiesAcross:
    """Finds entities, counts them on both sides, and measures what it does to a score."""

    code: ClassVar[str] = "AUD040"
    title: ClassVar[str] = "entities across the split"
    scope: ClassVar[Literal["tables", "target"]] = "target"

    def run(self, context: AuditContext) -> list[Finding]:
        """Look at both sides of a split that is not by time: later rows of a known entity are what a model will meet."""
        main, holdout = context.main, context.holdout
        if main is None or context.y is None or holdout is None or min(main.rows, holdout.rows) < LEVELS:
            raise NotApplicable("there is no holdout")
        if _by_time(context):
            raise NotApplicable("the split is by time: later rows of a known entity are honest")
        entities = _entities(context, main, holdout)
        gaps = [_gap(context, main, e.names) if i < MEASURED else None for i, e in enumerate(entities)]
        told = [self._tell(main, holdout, e, g) for e, g in zip(entities, gaps, strict=True)]
        return _merged([f for f in told if f is not None])

    def _tell(self, main: Table, holdout: Table, entity: _Entity, gap: _Gap | None) -> Finding | None:
        matters = gap is not None and gap.size >= MATTERS and gap.sigmas >= GAP_SIGMAS
        if entity.why == "alike" and not matters:
            return None
        share = percent(entity.across, holdout.rows)
        who = listed(entity.names)
        if entity.why == "meant":
            said = (
                f"the split keeps most values of {who} on one side, as if it were made to, but {counted(entity.across, 'row')} of the holdout "
                f"({share}; {round(entity.expected):,} by chance) have one that stands in development too"
            )
        else:
            said = (
                f"{who} names {entity.entities:,} things with several rows each"
                if entity.why == "code"
                else f"rows with the same {who} are alike ({listed(entity.alike, 4)} {is_are(entity.alike)} the same within it)"
            )
            said += f", and {counted(entity.across, 'row')} of the holdout ({share}) belong to one that stands in development too"
        if gap is None:
            effect = ""
        elif matters:
            effect = (
                f"; folds by rows say {gap.measure} {gap.by_rows:.3f}, folds that keep it together {gap.together:.3f}: "
                f"a score on this split is too good by about {gap.size:.3f} for things that are new"
            )
        else:
            effect = f"; folds that keep it together score alike ({gap.measure} {gap.together:.3f} against {gap.by_rows:.3f})"
        message = f"{said}{effect}; where the model will meet new ones, declare `split.by`"
        evidence: Evidence = {
            "rows": entity.across,
            "share": round(entity.across / holdout.rows, 6),
            "by_chance": round(entity.expected, 1),
            "entities": entity.entities,
        }
        if gap is not None:
            evidence = {**evidence, "optimism": round(gap.size, 4), "sigmas": round(gap.sigmas, 1)}
        grave = entity.why == "meant" or (matters and gap is not None and gap.size >= MATTERS_MUCH)
        level: Literal["issue", "tip"] = "issue" if grave else "tip"
        severity: Severity = "medium" if grave or matters else "low"
        there = np.isin(row_hashes(main, entity.names), row_hashes(holdout, entity.names))
        return found(
            self,
            level,
            severity,
            main.name,
            entity.names,
            message,
            rows=entity.across,
            evidence=evidence,
            sure="certain" if entity.why == "meant" else "likely" if matters else "possible",
            examples=np.flatnonzero(there),
        )


def _merged(findings: list[Finding]) -> list[Finding]:
    """Several codes whose only news is that they stand on both sides are one finding."""
    slight = [f for f in findings if f.severity == "low"]
    if len(slight) < 2:
        return findings
    first = max(slight, key=lambda f: f.rows)
    others = [c for f in slight if f is not first for c in f.columns]
    message = f"{first.message} (the same goes for {listed(others)})"
    merged = first.model_copy(update={"columns": (*first.columns, *others), "message": message})
    return [f for f in findings if f.severity != "low"] + [merged]


def _by_time(context: AuditContext) -> bool:
    """Whether the holdout begins where development ends; from its own moments where the declaration says how to find them."""
    if context.decision_time is None or context.holdout is None or context.main is None:
        return False
    expression = context.declaration.task.decision_time or context.spec(context.main.name).time
    moments = None if not expression else known_at(context.holdout, expression, "0s")
    if moments is None or moments.null_count == len(moments):
        return context.declaration.split.kind in ("auto", "time")
    told = ~np.isnan(np.asarray(context.y))
    before = np.asarray(context.decision_time)[told]
    after = np.asarray(moments.drop_null())
    return len(before) == 0 or bool(np.quantile(before, 0.99) <= np.quantile(after, 0.01))


def _entities(context: AuditContext, main: Table, holdout: Table) -> list[_Entity]:
    """Columns, then pairs of columns, that name an entity; of several with the same meaning the first."""
    spec = context.spec(main.name)
    told = {*spec.key, *context.declaration.split.by, *context.target_columns, *identifiers(main)}
    shared = set(holdout.names)
    found_: list[_Entity] = []
    plain = []
    for c in profile(main).columns:
        if c.name in told or c.name not in shared or not _may_name(main, c, main.rows):
            continue
        plain.append(c.name)
        across, expected, sigma = _across(main, holdout, (c.name,))
        if across < ROWS:
            continue
        if not context.declaration.split.by and across <= FAR_FEWER * expected and expected - across >= SIGMAS * sigma:
            found_.append(_Entity((c.name,), across, expected, c.distinct, "meant"))
        elif c.name in spec.ids or _is_code(main, c.name):
            found_.append(_Entity((c.name,), across, expected, c.distinct, "code"))
    done = {n for e in found_ for n in e.names}
    return found_ + _alike_ones(context, main, holdout, [n for n in plain if n not in done], told | done)


def _may_name(table: Table, c: ColumnProfile, rows: int) -> bool:
    """Texts and whole numbers with at least 30 levels of a few rows each."""
    if c.type not in ("category", "number") or c.distinct < LEVELS:
        return False
    if not FEWEST_A_LEVEL <= (c.rows - c.missing) / c.distinct <= MOST_A_LEVEL or c.missing > 0.5 * rows:
        return False
    return columns.is_text(table, c.name) or str(table.data.schema.field(c.name).type) == "int64"


def _across(main: Table, holdout: Table, names: tuple[str, ...]) -> tuple[int, float, float]:
    """Holdout rows whose level stands in development, as seen, as a random split would have it, and its standard error."""
    one, two = row_hashes(main, names), row_hashes(holdout, names)
    for name in names:
        two = two[~columns.missing(holdout, name)[: len(two)]] if len(names) == 1 else two
        one = one[~columns.missing(main, name)[: len(one)]] if len(names) == 1 else one
    if len(one) == 0 or len(two) == 0:
        return 0, 0.0, 1.0
    values, back, size = np.unique(np.concatenate([one, two]), return_inverse=True, return_counts=True)
    held = np.bincount(back[len(one) :], minlength=len(values))
    across = int(held[held < size].sum())
    part = len(two) / (len(one) + len(two))
    # a level of c rows is held out as a whole with chance part^c, and then none of its rows meets its like
    alone = part**size
    expected = float((part * size - size * alone).sum())
    variance = float((size**2 * alone * (1.0 - alone) + size * part * (1.0 - part)).sum())
    return across, expected, math.sqrt(max(variance, 1.0))


def _is_code(table: Table, name: str) -> bool:
    """Texts of one pattern with at least three digits that are no dates: C10432, DE-881-K."""
    if not columns.is_text(table, name):
        return False
    dictionary = columns.coded(table, name)[1]
    texts = dictionary.slice(0, PATTERN_LEVELS).to_pylist()
    if len(dictionary) > PATTERN_LEVELS:  # the first by content, not by order of rows
        texts = sorted(dictionary.to_pylist())[:PATTERN_LEVELS]
    digits = sum(sum(c.isdigit() for c in t) >= 3 for t in texts)
    if digits < SAME_PATTERN * len(texts) or sum(bool(_DATE.search(t)) for t in texts) > 0.5 * len(texts):
        return False
    shapes: dict[str, int] = {}
    for text in texts:
        shape = re.sub(r"[A-Z]", "A", re.sub(r"[a-z]", "a", re.sub(r"\d", "9", text)))
        shapes[shape] = shapes.get(shape, 0) + 1
    several = sorted(shapes.values(), reverse=True)[:3]
    return sum(several) >= SAME_PATTERN * len(texts)


_DATE = re.compile(r"(?:19|20)\d\d|\d{1,2}[-/.:]\d{1,2}|[A-Za-z]{3}[- ]\d{2}")


def _alike_ones(context: AuditContext, main: Table, holdout: Table, names: list[str], told: set[str]) -> list[_Entity]:
    """The column, else the pair of columns, within whose levels most other columns are constant."""
    if main.rows * len(names) == 0:
        return []
    positions = np.sort(np.argsort(row_hashes(main, main.names[:8]), kind="stable")[: LOOKED_AT * 2])
    others = [
        c.name for c in main.columns if c.name not in told and c.type in ("category", "number", "boolean", "datetime")
    ][:60]
    coded = {n: _codes(main, n, positions) for n in others}
    best: _Entity | None = None
    for entity_names in [(n,) for n in names] + list(combinations(names[:PAIR_COLUMNS], 2)):
        if len(entity_names) == 2 and best is not None:
            break
        alike = _alike(coded, entity_names)
        bar = ALIKE if len(entity_names) == 1 else ALIKE_PAIR
        if len(alike) < max(2.0, bar * (len(others) - len(entity_names))):
            continue
        across, expected, _ = _across(main, holdout, entity_names)
        if across >= ROWS and (best is None or len(alike) > len(best.alike)):
            entities = len(np.unique(row_hashes(main, entity_names)))
            best = _Entity(entity_names, across, expected, entities, "alike", tuple(alike))
    return [] if best is None else [best]


def _codes(table: Table, name: str, positions: np.ndarray) -> np.ndarray:
    if columns.is_text(table, name):
        return np.asarray(columns.codes(table, name)[0][positions])
    return np.asarray(np.unique(columns.numbers(table, name)[positions], return_inverse=True)[1])


def _alike(coded: dict[str, np.ndarray], names: tuple[str, ...]) -> list[str]:
    """Columns that rows of one level share far more often than any two rows do, and do not decide the level themselves."""
    if any(n not in coded for n in names):
        return []
    own = coded[names[0]]
    for n in names[1:]:
        own = own * (int(coded[n].max()) + 1) + coded[n]
    _, group, size = np.unique(own, return_inverse=True, return_counts=True)
    if not FEWEST_A_LEVEL <= len(own) / len(size) <= MOST_A_LEVEL or len(size) < LEVELS:
        return []
    order = np.argsort(group, kind="stable")
    neighbours = group[order][1:] == group[order][:-1]
    if neighbours.sum() < LEVELS:
        return []
    out = []
    for name, values in coded.items():
        if name in names:
            continue
        count = np.bincount(values - values.min()).astype(np.float64)
        chance = float((count**2).sum()) / len(values) ** 2
        together = float((values[order][1:] == values[order][:-1])[neighbours].mean())
        if chance < 0.98 and (together - chance) / (1.0 - chance) >= SAME:
            out.append(name)
    return out


@dataclass(frozen=True)
class _Gap:
    """Quality on folds by rows and on folds that keep an entity together, their difference, and its clustered t value."""

    by_rows: float
    together: float
    size: float
    sigmas: float
    measure: str


def _gap(context: AuditContext, main: Table, names: tuple[str, ...]) -> _Gap | None:
    without = tuple(dict.fromkeys((*late_columns(context), *names)))
    codes = np.unique(row_hashes(main, names), return_inverse=True)[1]
    try:
        plain = out_of_fold(context, without=without)
        kept = out_of_fold(context, without=without, groups=codes)
    except NotApplicable:
        return None
    worse = _loss(kept) - _loss(plain)
    sums = np.bincount(codes[plain.positions], weights=worse)
    error = math.sqrt(float((sums**2).sum()))
    measure = "AUC" if plain.classes else "R²"
    sigmas = float(worse.sum()) / error if error > 0 else 0.0
    return _Gap(plain.quality(), kept.quality(), plain.quality() - kept.quality(), sigmas, measure)


def _loss(told: OutOfFold) -> np.ndarray:
    """Squared error, or log loss, a row."""
    if not told.classes:
        return np.asarray((told.y - told.prediction) ** 2)
    own = told.prediction[np.arange(len(told.y)), told.y.astype(np.int64)]
    return np.asarray(-np.log(np.maximum(own, 1e-9)))


CHECK = EntitiesAcross()
