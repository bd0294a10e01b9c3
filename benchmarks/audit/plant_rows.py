"""Errors in rows and whole columns: copies, near copies, copies that contradict, columns that say nothing or say it twice."""

from __future__ import annotations

import numpy as np
import pandas as pd
from case import Case, numbers, some
from kind import Kind, Strength, Truth, share, some_rows
from plant_values import mistyped, texts
from prepare import numbered

GROUP = "rows"


def _with_copies(
    frame: pd.DataFrame, copies: pd.DataFrame, rng: np.random.Generator
) -> tuple[pd.DataFrame, np.ndarray]:
    """The frame with the copies put in at random places, and the positions where they lie."""
    at = np.sort(rng.choice(len(frame) + len(copies), len(copies), replace=False))
    order = np.full(len(frame) + len(copies), -1)
    order[at] = len(frame) + rng.permutation(len(copies))
    order[order < 0] = np.arange(len(frame))
    return pd.concat([frame, copies], ignore_index=True).iloc[order].reset_index(drop=True), at


def exact_duplicates(case: Case, strength: Strength, rng: np.random.Generator) -> Truth:
    """Rows that stand twice, anywhere in the file. Weak 0.2%, middle 1%, strong 5% of the rows are copied."""
    frame = case.frame(case.main)
    picked = some_rows(len(frame), share(strength, 0.002, 0.01, 0.05), rng)
    out, at = _with_copies(frame, frame.iloc[picked], rng)
    case.put(case.main, out)
    return Truth(case.main, (), at, level="table")


def near_duplicates(case: Case, strength: Strength, rng: np.random.Generator) -> Truth:
    """Rows entered a second time with one cell a little different (2%, or a slip of the finger). Shares as above."""
    frame = case.frame(case.main)
    picked = some_rows(len(frame), share(strength, 0.002, 0.01, 0.05), rng)
    copies = frame.iloc[picked].reset_index(drop=True)
    amounts = [c for t, c in numbers(case) if t == case.main]
    words = [c for t, c in texts(case) if t == case.main and copies[c].str.len().median() >= 4]
    touched = []
    for i in range(len(copies)):
        column = some([*amounts, *words], rng, "no column to change")
        touched.append(column)
        if column in words:
            copies.loc[i, column] = mistyped(str(copies.loc[i, column]), rng, set())
        else:
            copies.loc[i, column] = _nudged(copies[column], copies.loc[i, column], rng)
    out, at = _with_copies(frame, copies, rng)
    case.put(case.main, out)
    return Truth(case.main, (), at, {"columns": len(set(touched))}, level="table")


def _nudged(values: pd.Series, value: float, rng: np.random.Generator) -> float:
    """A value a step of the column's own rounding away, or about 2%."""
    whole = pd.api.types.is_integer_dtype(values) or bool((values.dropna() % 1 == 0).all())
    step = max(1.0 if whole else 0.01, abs(float(value)) * 0.02)
    out = float(value) + float(rng.choice([-1, 1])) * step
    return round(out) if pd.api.types.is_integer_dtype(values) else round(out, 0 if whole else 2)


def contradicting_copies(case: Case, strength: Strength, rng: np.random.Generator) -> Truth:
    """Rows with the same record id that say different things in one or two columns. Weak 0.2%, middle 1%, strong 5%."""
    frame = case.frame(case.main)
    picked = some_rows(len(frame), share(strength, 0.002, 0.01, 0.05), rng)
    copies = frame.iloc[picked].reset_index(drop=True)
    free = [c for t, c in [*numbers(case, levels=3), *texts(case)] if t == case.main and c != "record_id"]
    changed = [str(c) for c in rng.permutation(free)[: int(rng.integers(1, 3))]]
    for column in changed:
        values, out = frame[column].to_numpy(), copies[column].to_numpy(copy=True)
        for i in range(len(out)):
            out[i] = rng.choice(values[values != out[i]])
        copies[column] = out
    put, at = _with_copies(frame, copies, rng)
    case.put(case.main, put)
    return Truth(case.main, (*changed, "record_id"), at, level="table")


def constant(case: Case, strength: Strength, rng: np.random.Generator) -> Truth:
    """A column that says (nearly) nothing: strong one value; middle another in 0.05% of the rows; weak in 0.5%."""
    frame = case.frame(case.main)
    one, two = [("EUR", "USD"), (1, 0), ("A", "B"), (2024.0, 2023.0)][int(rng.integers(4))]
    values = np.full(len(frame), one, dtype=object)
    if strength != "strong":
        values[some_rows(len(frame), share(strength, 0.005, 0.0005, 0.0), rng, fewest=1)] = two
    frame["setting"] = pd.Series(values).infer_objects()
    case.put(case.main, frame)
    return Truth(case.main, ("setting",), ())


def redundant(case: Case, strength: Strength, rng: np.random.Generator) -> Truth:
    """A column that another one says already. Strong: a copy; middle: in another unit, or categories under other codes;
    weak: a copy that differs in 1% of the rows.
    """
    places = [p for p in [*numbers(case), *texts(case)] if p[0] == case.main]
    table, column = some(places, rng, "no column to copy")
    frame = case.frame(table)
    values = frame[column].copy()
    number = pd.api.types.is_numeric_dtype(values)
    if strength == "middle" and number:
        values = values.astype(float) * float(rng.choice([1.8, 0.3048, 100.0])) + float(rng.choice([0.0, 32.0]))
    elif strength == "middle":
        levels = rng.permutation(values.unique())
        values = values.map({v: f"{chr(65 + i % 26)}{i // 26}" for i, v in enumerate(levels)})
    elif strength == "weak":
        rows = some_rows(len(frame), 0.01, rng)
        out = values.to_numpy(copy=True)
        out[rows] = rng.permutation(out)[: len(rows)]
        values = pd.Series(out)
    frame["again"] = values
    case.put(table, frame)
    return Truth(table, ("again",), (), {"of": column}, others=((table, column),))


def identifier(case: Case, strength: Strength, rng: np.random.Generator) -> Truth:
    """A column that only names rows (a tip). Strong: a running number; middle: an opaque text; weak: 1% come twice."""
    frame = case.frame(case.main)
    n = len(frame)
    if strength == "strong":
        frame.insert(0, "nr", np.arange(1, n + 1) + int(rng.integers(0, 10_000)))
    else:
        ids = np.array([f"{v:010x}" for v in rng.integers(0, 2**40, n)], dtype=object)
        if strength == "weak":
            ids[some_rows(n, 0.01, rng)] = ids[some_rows(n, 0.01, rng)]
        frame.insert(0, "nr", ids)
    case.put(case.main, frame)
    return Truth(case.main, ("nr",), ())


KINDS = (
    Kind("exact_duplicates", exact_duplicates, ("AUD002",), ("AUD004", "AUD032", "AUD033"), group=GROUP),
    Kind("near_duplicates", near_duplicates, ("AUD029",), ("AUD030", "AUD004", "AUD032", "AUD033"), group=GROUP,
         blind="in a table of few rounded columns many honest rows are as near to one another"),
    Kind("contradicting_copies", contradicting_copies, ("AUD030",), ("AUD004", "AUD029", "AUD011"),
         prepare=numbered, group=GROUP),
    Kind("constant", constant, ("AUD003",), group=GROUP),
    Kind("redundant", redundant, ("AUD031",), group=GROUP),
    Kind("identifier", identifier, ("AUD011",), group=GROUP),
)  # fmt: skip
