"""Errors about the outcome and the split: late facts, leaks, overlap, wrong and contradicting labels, telling gaps, imbalance."""

from __future__ import annotations

import numpy as np
import pandas as pd
from case import Case, NotPlantable, numbers, some
from kind import Kind, Strength, Truth, share, some_rows
from plant_rows import _with_copies
from plant_values import emptied, texts
from prepare import dated

GROUP = "target and split"
HOLDOUT = 0.25


def classes(case: Case, rng: np.random.Generator) -> None:
    """The outcome as two classes: amounts become low and high, parted at the 70th percentile."""
    frame = case.frame(case.main)
    values = frame[case.target]
    if pd.api.types.is_numeric_dtype(values):
        cut = float(values.quantile(0.7))
        words = np.where(values > cut, "high", "low").astype(object)
        frame[case.target] = pd.Series(words).where(values.notna(), None)
        case.put(case.main, frame)


def _outcome(case: Case) -> tuple[pd.DataFrame, np.ndarray, bool]:
    """The main table, the outcome as numbers (classes 0/1, NaN where there is none), and whether it is an amount."""
    frame = case.frame(case.main)
    values = frame[case.target]
    if pd.api.types.is_numeric_dtype(values):
        return frame, values.to_numpy(float), True
    rare = values.value_counts().index[-1]
    return frame, np.where(values.isna(), np.nan, (values == rare).astype(float)), False


def leak_number(case: Case, strength: Strength, rng: np.random.Generator) -> Truth:
    """A number made from the outcome. Strong: nearly exact; middle: R² about 0.98, or 2% of the classes otherwise; weak: R² about
    0.85, or 10% otherwise.
    """
    frame, y, amount = _outcome(case)
    n = len(y)
    if amount:
        noise = share(strength, 0.42, 0.14, 0.005) * float(np.nanstd(y))
        leak = 3.0 + 0.7 * y + 0.7 * noise * rng.standard_normal(n)
    else:
        flipped = rng.random(n) < share(strength, 0.10, 0.02, 0.0)
        leak = np.where(flipped, 1 - y, y) * 2.0 + 10 + 0.3 * rng.standard_normal(n)
    leak = np.where(np.isnan(leak), rng.permutation(leak), leak).round(3)
    frame["score_now"] = np.where(np.isnan(leak), np.nanmedian(leak), leak)
    case.put(case.main, frame)
    return Truth(case.main, ("score_now",), ())


def leak_category(case: Case, strength: Strength, rng: np.random.Generator) -> Truth:
    """A category that stands for the outcome (codes of a class, or of fifths of an amount). Strong: always; middle: for 98% of the
    rows; weak: for 90%.
    """
    frame, y, amount = _outcome(case)
    known = ~np.isnan(y)
    level = np.zeros(len(y), dtype=int)
    level[known] = pd.qcut(y[known], 5, labels=False, duplicates="drop") if amount else y[known].astype(int)
    codes = rng.permutation(np.array(["K1", "K4", "K7", "L2", "L5"], dtype=object))
    stray = (rng.random(len(y)) < share(strength, 0.10, 0.02, 0.0)) | ~known
    level[stray] = rng.integers(0, level.max() + 1, int(stray.sum()))
    frame["closing_code"] = codes[level]
    case.put(case.main, frame)
    return Truth(case.main, ("closing_code",), ())


def decided(case: Case, rng: np.random.Generator) -> None:
    """A moment of decision: the row's own date."""
    dated(case, rng)
    if "decision_time" not in case.declared["task"]:
        column = next(c for t, c in case.known.dates if t == case.main)
        case.declared["task"]["decision_time"] = column


def late_fact(case: Case, strength: Strength, rng: np.random.Generator) -> Truth:
    """A moment after the decision stands in the row (closed, settled, paid). Strong: in all rows; middle: in 30%, the others
    empty; weak: in 3%, the others before the decision.
    """
    frame = case.frame(case.main)
    clock = next(c for t, c in case.known.dates if t == case.main)
    late = pd.to_timedelta(rng.integers(600, 20_000, len(frame)), unit="min")
    part = rng.random(len(frame)) < share(strength, 0.03, 0.30, 1.1)
    # two days before its date a row is decided at the latest, in every base
    values = (frame[clock] + late).where(
        part, pd.NaT if strength == "middle" else frame[clock] - late - pd.Timedelta(days=2)
    )
    frame["settled_at"] = values.astype("datetime64[us]")
    case.put(case.main, frame)
    return Truth(case.main, ("settled_at",), np.flatnonzero(part))


def _divided(case: Case, rng: np.random.Generator) -> None:
    """A split at random, settled here, so that the planting can know on which side a row lies."""
    _, y, _ = _outcome(case)
    part = (rng.random(len(y)) < HOLDOUT).astype(np.int8)
    case.part = np.where(np.isnan(y), np.int8(3), part)


def divided(case: Case, rng: np.random.Generator) -> None:
    """The rows are divided at random, and copies that the base has across the parts are taken out of the holdout."""
    _divided(case, rng)
    assert case.part is not None
    frame = case.frame(case.main)
    again = frame.duplicated(keep=False).to_numpy() & (case.part == 1)
    case.put(case.main, frame[~again])
    case.part = case.part[~again]


def test_in_train(case: Case, strength: Strength, rng: np.random.Generator) -> Truth:
    """Rows of the holdout stand in the development rows as well. Weak 0.5%, middle 3%, strong 15% of the holdout."""
    assert case.part is not None
    frame = case.frame(case.main)
    held = np.flatnonzero(case.part == 1)
    picked = held[some_rows(len(held), share(strength, 0.005, 0.03, 0.15), rng)]
    out, at = _with_copies(frame, frame.iloc[picked], rng)
    part = np.zeros(len(out), dtype=np.int8)
    part[np.setdiff1d(np.arange(len(out)), at)] = case.part
    case.part = part
    case.put(case.main, out)
    return Truth(case.main, (), at, level="table")


def customers(case: Case, rng: np.random.Generator) -> None:
    """A customer a row, about six rows each; every customer lies on one side of the split."""
    _, y, _ = _outcome(case)
    n = len(y)
    codes = rng.choice(np.arange(10_000, 99_999), max(50, n // 6), replace=False)
    who = rng.integers(0, len(codes), n)
    frame = case.frame(case.main)
    frame["customer"] = np.array([f"C{c}" for c in codes], dtype=object)[who]
    side = rng.random(len(codes)) < HOLDOUT
    case.part = np.where(np.isnan(y), np.int8(3), side[who].astype(np.int8))
    case.put(case.main, frame)


def entity_across(case: Case, strength: Strength, rng: np.random.Generator) -> Truth:
    """Customers with rows on both sides of the split. Weak 3%, middle 20% of the customers, strong all (rows drawn at random)."""
    assert case.part is not None
    who = case.tables[case.main]["customer"].to_numpy()
    names = np.unique(who)
    mixed = np.isin(who, rng.choice(names, max(2, round(share(strength, 0.03, 0.20, 1.0) * len(names))), replace=False))
    part = case.part.copy()
    drawn = mixed & (part != 3)
    part[drawn] = rng.random(int(drawn.sum())) < HOLDOUT
    case.part = part
    return Truth(case.main, ("customer",), np.flatnonzero(mixed), level="table")


def label_flip(case: Case, strength: Strength, rng: np.random.Generator) -> Truth:
    """Classes told wrong, at random. Weak 0.5%, middle 3%, strong 10% of the rows."""
    frame, y, amount = _outcome(case)
    if amount:
        raise NotPlantable("the outcome is an amount")
    known = np.flatnonzero(~np.isnan(y))
    rows = np.sort(known[some_rows(len(known), share(strength, 0.005, 0.03, 0.10), rng)])
    levels = frame[case.target].dropna().unique()
    out = frame[case.target].to_numpy(copy=True)
    for row in rows:
        out[row] = rng.choice(levels[levels != out[row]])
    frame[case.target] = out
    case.put(case.main, frame)
    return Truth(case.main, (case.target,), rows, level="table")


def amount_wrong(case: Case, strength: Strength, rng: np.random.Generator) -> Truth:
    """Amounts told wrong: taken from another row that lies far away. Weak 0.5% by one, middle 2% by two, strong 5% by three standard
    deviations or more.
    """
    frame, y, amount = _outcome(case)
    if not amount:
        raise NotPlantable("the outcome is a class")
    known = np.flatnonzero(~np.isnan(y))
    rows = np.sort(known[some_rows(len(known), share(strength, 0.005, 0.02, 0.05), rng)])
    far = share(strength, 1.0, 2.0, 3.0) * float(np.nanstd(y))
    out = y.copy()
    for row in rows:
        out[row] = y[row] + far * rng.uniform(1.0, 1.3) * (1 if y[row] < np.nanmedian(y) or y[row] < far * 1.3 else -1)
    frame[case.target] = out.round(6) if (y[known] % 1 != 0).any() else out.round()
    case.put(case.main, frame)
    return Truth(case.main, (case.target,), rows, level="table")


def conflicting_labels(case: Case, strength: Strength, rng: np.random.Generator) -> Truth:
    """Rows that agree in everything but the class. Weak 0.2%, middle 1%, strong 5% of the rows are copied so."""
    frame, y, amount = _outcome(case)
    if amount:
        raise NotPlantable("the outcome is an amount")
    known = np.flatnonzero(~np.isnan(y))
    picked = known[some_rows(len(known), share(strength, 0.002, 0.01, 0.05), rng)]
    copies = frame.iloc[picked].copy()
    levels = frame[case.target].dropna().unique()
    copies[case.target] = [rng.choice(levels[levels != v]) for v in copies[case.target]]
    out, at = _with_copies(frame, copies, rng)
    case.put(case.main, out)
    return Truth(case.main, (case.target,), at, level="table")


def telling_gaps(case: Case, strength: Strength, rng: np.random.Generator) -> Truth:
    """A column is missing more often where the outcome is the rarer class (or a high amount). Weak 8 against 5%, middle 20 against
    5%, strong 50 against 5%.
    """
    frame, y, amount = _outcome(case)
    high = y > np.nanquantile(y, 0.7) if amount else y == 1
    free = [c for t, c in [*numbers(case), *texts(case)] if t == case.main]
    column = some(free, rng, "no complete column")
    chance = np.where(high, share(strength, 0.08, 0.20, 0.50), 0.05)
    rows = np.flatnonzero(rng.random(len(y)) < chance)
    frame[column] = emptied(frame[column], rows)
    case.put(case.main, frame)
    return Truth(case.main, (column,), rows)


def imbalance(case: Case, strength: Strength, rng: np.random.Generator) -> Truth:
    """The rarer class nearly vanishes. Weak 5%, middle 1.5%, strong 0.4% of the rows are left of it."""
    frame, y, amount = _outcome(case)
    if amount:
        raise NotPlantable("the outcome is an amount")
    rare = np.flatnonzero(y == 1)
    rest = len(y) - len(rare)
    part = share(strength, 0.05, 0.015, 0.004)
    keep = max(8, round(rest * part / (1 - part)))
    gone = rng.choice(rare, len(rare) - keep, replace=False)
    case.put(case.main, frame.drop(index=gone))
    return Truth(case.main, (case.target,), (), {"left": keep}, level="table")


LEAK = ("AUD014", "AUD015")
KINDS = (
    Kind("leak_number", leak_number, LEAK, scope="target", declared=True, group=GROUP),
    Kind("leak_category", leak_category, LEAK, scope="target", declared=True, group=GROUP),
    Kind("late_fact", late_fact, LEAK, prepare=decided, scope="target", declared=True, group=GROUP),
    Kind("test_in_train", test_in_train, ("AUD017",), ("AUD002", "AUD004", "AUD040"), prepare=divided, scope="target", declared=True,
         group=GROUP),
    Kind("entity_across", entity_across, ("AUD040",), ("AUD017",), prepare=customers, scope="target", declared=True,
         group=GROUP),
    Kind("label_flip", label_flip, ("AUD041",), ("AUD018",), prepare=classes, scope="target", declared=True, group=GROUP,
         blind="where the columns say little about the class, a wrong class is as likely as a right one"),
    Kind("amount_wrong", amount_wrong, ("AUD041",), ("AUD028",), scope="target", declared=True, group=GROUP,
         blind="where the columns say little about the amount, a wrong amount is as likely as a right one"),
    Kind("conflicting_labels", conflicting_labels, ("AUD018",), ("AUD004", "AUD029", "AUD041"), prepare=classes, scope="target",
         declared=True, group=GROUP),
    Kind("telling_gaps", telling_gaps, ("AUD019",), scope="target", declared=True, group=GROUP),
    Kind("imbalance", imbalance, ("AUD042",), ("AUD032",), prepare=classes, scope="target", declared=True, group=GROUP),
)  # fmt: skip
