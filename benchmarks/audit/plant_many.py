"""Errors between tables, and of what a table stands for: keys, orphans, fan-out, units and zones that differ, groups missing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from case import Case, NotPlantable, numbers, some
from kind import Kind, Strength, Truth, share, some_rows
from plant_values import texts
from prepare import branches, keyed

GROUP = "many tables"


def broken_grain(case: Case, strength: Strength, rng: np.random.Generator) -> Truth:
    """Rows that carry another row's key. Weak 0.2%, middle 1%, strong 5% of a table's rows (at least two)."""
    table, key = some([k for k in case.known.keys if len(case.tables[k[0]]) >= 50], rng, "no key is known")
    frame = case.frame(table)
    rows = some_rows(len(frame), share(strength, 0.002, 0.01, 0.05), rng)
    others = rng.choice(np.setdiff1d(np.arange(len(frame)), rows), len(rows), replace=False)
    for column in key:
        values = frame[column].to_numpy(copy=True)
        values[rows] = values[others]
        frame[column] = values
    case.put(table, frame)
    return Truth(table, tuple(key), rows, level="table")


def orphans(case: Case, strength: Strength, rng: np.random.Generator) -> Truth:
    """Rows of the main table that point to nobody. Weak 0.3%, middle 2%, strong 10% of the rows."""
    complete = [j for j in case.known.joins if _orphaned(case, j) == 0]
    main, column, other, key = some(complete, rng, "no join without orphans")
    frame = case.frame(main)
    rows = some_rows(len(frame), share(strength, 0.003, 0.02, 0.10), rng)
    known = set(case.tables[other][key])
    made = [f"{str(v)[:-1]}{chr(90 - i % 3)}{i % 4}" for i, v in enumerate(frame[column].iloc[rows])]
    frame.loc[rows, column] = [m if m not in known else f"{m}9" for m in made]
    case.put(main, frame)
    return Truth(main, (column,), rows, others=((other, key),), level="table")


def _orphaned(case: Case, join: tuple[str, str, str, str]) -> int:
    main, column, other, key = join
    return int((~case.tables[main][column].isin(case.tables[other][key])).sum())


def fan_out(case: Case, strength: Strength, rng: np.random.Generator) -> Truth:
    """Rows of a looked-up table stand twice under their key, saying different things. Weak one key, middle 5%, strong 25%."""
    main, column, other, key = some(case.known.joins, rng, "no join")
    frame = case.frame(other)
    used = np.flatnonzero(frame[key].isin(set(case.tables[main][column].dropna())))
    n = 1 if strength == "weak" else max(2, round(share(strength, 0.0, 0.05, 0.25) * len(used)))
    picked = rng.choice(used, min(n, len(used)), replace=False)
    copies = frame.iloc[picked].copy()
    for name in frame.columns:
        if name != key:
            copies[name] = frame[name].iloc[rng.integers(0, len(frame), len(copies))].to_numpy()
    case.put(other, pd.concat([frame, copies], ignore_index=True))
    rows = np.arange(len(frame), len(frame) + len(copies))
    return Truth(other, (key,), rows, others=((main, column),), level="table")


def meters(case: Case, rng: np.random.Generator) -> None:
    """A second table about the same records: the same amount measured again (half a percent off), and when."""
    if "meters" in case.tables:
        return
    frame = case.frame(case.main)
    if "record_id" not in frame:
        ids = rng.choice(np.arange(100_000, 999_999), len(frame), replace=False)
        frame["record_id"] = [f"R{i}" for i in ids]
    clock = next((c for t, c in case.known.dates if t == case.main), None)
    if clock is None:
        clock = "seen_at"
        minutes = np.sort(rng.integers(0, 500_000, len(frame)))
        frame[clock] = (pd.Timestamp("2021-03-01") + pd.to_timedelta(minutes, unit="min")).astype("datetime64[us]")
    case.put(case.main, frame)
    amounts = [c for t, c in numbers(case, levels=50) if t == case.main and (frame[c] > 0).mean() > 0.9]
    if not amounts:
        amounts = [c for t, c in numbers(case, complete=False, levels=50) if t == case.main]
    if not amounts:
        raise NotPlantable("no amount that a second table could hold")
    column = amounts[int(rng.integers(len(amounts)))]
    rows = np.sort(rng.choice(len(frame), len(frame) * 6 // 10, replace=False))
    second = frame.iloc[rows][["record_id", clock]].reset_index(drop=True)
    second[column] = (frame[column].to_numpy(float)[rows] * (1 + 0.005 * rng.standard_normal(len(rows)))).round(4)
    case.put("meters", second)
    case.spec("meters").update({"key": ["record_id"], "join": {"on": {"record_id": "record_id"}}})
    case.declared["task"]["table"] = case.main
    joins = (*case.known.joins, (case.main, "record_id", "meters", "record_id"))
    case.known = replace(case.known, joins=joins, dates=((case.main, clock), ("meters", clock)))
    case.declared["_meters"] = {"column": column, "clock": clock}


def unit_between(case: Case, strength: Strength, rng: np.random.Generator) -> Truth:
    """A second table holds the same amount in another unit throughout. Weak 1.609, middle 25.4, strong 1000 times as much."""
    column = case.declared["_meters"]["column"]
    frame = case.frame("meters")
    factor = share(strength, 1.609344, 25.4, 1000.0)
    frame[column] = (frame[column] * factor).round(4)
    case.put("meters", frame)
    return Truth("meters", (column,), (), {"factor": factor}, others=((case.main, column),))


def zone_between(case: Case, strength: Strength, rng: np.random.Generator) -> Truth:
    """A second table holds the same moments in another time zone throughout. Weak 1, middle 2, strong 5 to 9 hours away."""
    clock = case.declared["_meters"]["clock"]
    frame = case.frame("meters")
    hours = {"weak": 1, "middle": 2, "strong": int(rng.integers(5, 10))}[strength] * int(rng.choice([-1, 1]))
    frame[clock] = frame[clock] + pd.Timedelta(hours=hours)
    case.put("meters", frame)
    return Truth("meters", (clock,), (), {"hours": hours}, others=((case.main, clock),), level="table")


def reference(case: Case, rng: np.random.Generator) -> None:
    """Shares of the groups of one column, declared as the population's; they are those of the clean table."""
    words = [c for t, c in texts(case) if t == case.main and 2 <= case.tables[t][c].nunique() <= 20]
    frame = case.frame(case.main)
    if words:
        column = words[int(rng.integers(len(words)))]
    else:
        column = "region"
        frame[column] = rng.choice(np.array(["north", "south", "east", "west", "centre"], dtype=object), len(frame),
                                   p=[0.35, 0.25, 0.2, 0.12, 0.08])  # fmt: skip
        case.put(case.main, frame)
    shares = frame[column].value_counts(normalize=True)
    case.declared["audit"] = {"reference": [{"columns": [column], "table": case.main, "shares": shares.to_dict()}]}


def group_thinned(case: Case, strength: Strength, rng: np.random.Generator) -> Truth:
    """Most of one group (of 3% of the population or more) is missing from the table. Weak 20%, middle 50%, strong 80% of its
    rows.
    """
    declared = case.declared["audit"]["reference"][0]
    column = declared["columns"][0]
    group = some([g for g, s in declared["shares"].items() if 0.03 <= s <= 0.6], rng, "no group of 3% to 60%")
    frame = case.frame(case.main)
    mine = np.flatnonzero(frame[column] == group)
    gone = rng.choice(mine, round(share(strength, 0.2, 0.5, 0.8) * len(mine)), replace=False)
    case.put(case.main, frame.drop(index=gone))
    return Truth(case.main, (column,), (), {"removed": len(gone)}, level="table")


def used(case: Case, rng: np.random.Generator) -> None:
    """A table of rows such as the model will meet: a random third of the main table's own rows, without the outcome."""
    frame = case.frame(case.main)
    mine = np.zeros(len(frame), dtype=bool)
    mine[rng.choice(len(frame), len(frame) // 3, replace=False)] = True
    case.put("in_use", frame[mine].drop(columns=[case.target]))
    case.put(case.main, frame[~mine])
    case.spec("in_use")
    case.declared["task"]["table"] = case.main
    case.declared["audit"] = {"use": "in_use"}


def uncovered(case: Case, strength: Strength, rng: np.random.Generator) -> Truth:
    """The table has no rows in a region where the model will be used: the top of a number, or some categories. Weak 3%,
    middle 10%, strong 25% of the rows in use lie there.
    """
    part = share(strength, 0.03, 0.10, 0.25)
    frame, use = case.frame(case.main), case.tables["in_use"]
    words = [c for t, c in texts(case) if t == case.main and c in use]
    amounts = [c for t, c in numbers(case, levels=30) if t == case.main and c in use]
    column = some([*words, *amounts], rng, "no column to leave a region out of")
    if column in words:
        shares = use[column].value_counts(normalize=True)
        near = shares[(shares - part).abs() <= part * 0.6]
        level = some(list(near.index), rng, "no category of about that share")
        keep = frame[column] != level
    else:
        keep = frame[column] <= use[column].quantile(1 - part)
    case.put(case.main, frame[keep])
    return Truth(case.main, (column,), (), {"share": part}, level="table", others=(("in_use", column),))


KINDS = (
    Kind("broken_grain", broken_grain, ("AUD004",), ("AUD030", "AUD013", "AUD002"), prepare=keyed, declared=True, group=GROUP),
    Kind("orphans", orphans, ("AUD005",), prepare=branches, declared=True, group=GROUP),
    Kind("fan_out", fan_out, ("AUD013",), ("AUD004", "AUD026", "AUD030"), prepare=branches, declared=True, group=GROUP),
    Kind("unit_between", unit_between, ("AUD037",), prepare=meters, declared=True, group=GROUP),
    Kind("zone_between", zone_between, ("AUD037",), ("AUD033",), prepare=meters, declared=True, group=GROUP),
    Kind("group_thinned", group_thinned, ("AUD038",), ("AUD032",), prepare=reference, declared=True, group="representativeness"),
    Kind("uncovered", uncovered, ("AUD039",), ("AUD032",), prepare=used, declared=True, group="representativeness"),
)  # fmt: skip
