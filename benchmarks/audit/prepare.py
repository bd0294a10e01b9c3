"""What some kinds need and a base may lack, added to the clean case first: so that it is not counted as the error."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from case import Case

TOWNS = ("Zürich", "Málaga", "São Paulo", "Kraków", "Orléans", "Göteborg", "Besançon", "Nîmes", "Łódź", "Århus", "Genève",
         "Bogotá", "Lyon", "Porto", "Bern", "Gent", "Turin", "Leeds", "Oslo", "Delft")  # fmt: skip
PLACES = ("Ashford", "Brampton", "Calder", "Dunmore", "Eastleigh", "Farnham", "Glossop", "Hexham", "Ilkley", "Jarrow",
          "Keswick", "Lanark")  # fmt: skip


def dated(case: Case, rng: np.random.Generator) -> None:
    """A date of recording in the main table, where there is no date: two years, in no relation to the order of the file (which
    follows the price or the map in some bases, and would look like a drift of its own).
    """
    if case.known.dates:
        return
    frame = case.frame(case.main)
    days = rng.integers(0, 730, len(frame))
    frame["recorded_on"] = pd.Timestamp("2021-03-01") + pd.to_timedelta(days, unit="D")
    frame["recorded_on"] = frame["recorded_on"].astype("datetime64[us]")
    case.put(case.main, frame)
    case.known = replace(case.known, dates=((case.main, "recorded_on"),))


def accented(case: Case, rng: np.random.Generator) -> None:
    """A town a row, most with accents, some common and some rare."""
    frame = case.frame(case.main)
    weight = rng.dirichlet(np.full(len(TOWNS), 2.0))
    frame["town"] = rng.choice(np.array(TOWNS, dtype=object), len(frame), p=weight)
    case.put(case.main, frame)


def depot_and_city(case: Case, rng: np.random.Generator) -> None:
    """A depot a row (40 of them) and its city (12): the one determines the other."""
    frame = case.frame(case.main)
    weight = rng.dirichlet(np.full(40, 3.0))
    depot = rng.choice(40, len(frame), p=weight)
    city = np.array(PLACES, dtype=object)[rng.integers(0, len(PLACES), 40)]
    frame["depot"] = np.array([f"D{100 + i}" for i in range(40)], dtype=object)[depot]
    frame["depot_city"] = city[depot]
    case.put(case.main, frame)


def worded(case: Case, rng: np.random.Generator) -> None:
    """A depot's code and city a row, where there is no closed vocabulary in words."""
    if not case.known.vocabulary:
        depot_and_city(case, rng)
        case.known = replace(case.known, vocabulary=((case.main, "depot_city"),))


def numbered(case: Case, rng: np.random.Generator) -> None:
    """A record id a row, unique and in no order."""
    frame = case.frame(case.main)
    ids = rng.choice(np.arange(100_000, 999_999), len(frame), replace=False)
    frame["record_id"] = [f"R{i}" for i in ids]
    case.put(case.main, frame)


def keyed(case: Case, rng: np.random.Generator) -> None:
    """A record id that is declared to be the key, in tables where no key is known."""
    if case.known.keys:
        return
    numbered(case, rng)
    case.spec(case.main)["key"] = ["record_id"]
    case.known = replace(case.known, keys=((case.main, ("record_id",)),))


def branches(case: Case, rng: np.random.Generator) -> None:
    """A branch a row and a table of 80 branches that it joins, where the case has one table only."""
    if case.known.joins:
        return
    frame = case.frame(case.main)
    codes = np.array([f"B{i:03d}" for i in range(80)], dtype=object)
    frame["branch"] = rng.choice(codes, len(frame), p=rng.dirichlet(np.full(80, 4.0)))
    case.put(case.main, frame)
    table = pd.DataFrame(
        {
            "branch": codes,
            "place": np.array(PLACES, dtype=object)[rng.integers(0, len(PLACES), 80)],
            "staff": rng.integers(3, 60, 80),
            "opened": pd.Timestamp("2001-01-01") + pd.to_timedelta(rng.integers(0, 6000, 80), unit="D"),
        }
    )
    case.put("branches", table)
    case.spec("branches").update({"key": ["branch"], "join": {"on": {"branch": "branch"}}})
    case.declared.setdefault("task", {})["table"] = case.main
    joins = ((case.main, "branch", "branches", "branch"),)
    case.known = replace(case.known, joins=joins, keys=(*case.known.keys, ("branches", ("branch",))))
