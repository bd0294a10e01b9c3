"""Lessons of earlier trainings: which are of similar data, what they say together, and whether they hold again. Pure."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from holdgood.core.records import Comparison, DataKind, Lesson

SIMILAR = 0.7
"""Lessons of data less similar than this are not used."""
MOST = 20
"""So many of the most similar lessons are used at most."""
UNKNOWN = 0.5
"""How a family stands of which no lesson speaks: between those that were always among the best and those that never were."""


@dataclass(frozen=True)
class Found:
    """A lesson and how similar its data are, between 0 and 1."""

    lesson: Lesson
    similarity: float


def similarity(one: DataKind, two: DataKind) -> float:
    """How alike two kinds of data are: 1 for the same shape, 0 for another kind of task.

    >>> a = DataKind(task="binary", rows=1000, features=10, numbers=10, classes=2, rarest=0.5)
    >>> b = a.model_copy(update={"rows": 10_000})
    >>> similarity(a, a), round(similarity(a, b), 2), similarity(a, a.model_copy(update={"task": "regression"}))
    (1.0, 0.87, 0.0)
    """
    if one.task != two.task:
        return 0.0
    parts = [
        (2.0, _near(one.rows, two.rows, 10.0)),
        (1.0, _near(one.features, two.features, 10.0)),
        (1.0, _near(one.classes, two.classes, 4.0)),
        (1.0, _alike(_logit(one.rarest), _logit(two.rarest), 2.0)),
        (1.0, 1.0 - abs(_share(one.categories, one.features) - _share(two.categories, two.features))),
        (0.5, 1.0 - abs(one.missing - two.missing)),
        (1.0, float((one.texts > 0) == (two.texts > 0))),
        (1.0, float(one.over_time == two.over_time)),
        (0.5, float(one.grouped == two.grouped)),
        (0.5, float((one.joined > 0) == (two.joined > 0))),
    ]
    return sum(w * p for w, p in parts) / sum(w for w, _ in parts)


def _near(one: int, two: int, times: float) -> float:
    """1 for equal counts, 1/e where one is so many times the other."""
    return _alike(math.log1p(one), math.log1p(two), math.log(times))


def _alike(one: float, two: float, scale: float) -> float:
    if math.isnan(one) or math.isnan(two):
        return float(math.isnan(one) and math.isnan(two))
    return math.exp(-abs(one - two) / scale)


def _logit(share: float) -> float:
    return math.log(share / (1.0 - share)) if 0.0 < share < 1.0 else math.nan


def _share(part: int, of: int) -> float:
    return part / of if of else 0.0


def search(lessons: Iterable[Lesson], data: DataKind, least: float = SIMILAR, most: int = MOST) -> list[Found]:
    """Lessons of similar data, most similar first. Of several on the same rows only the one with most trials: they are one case."""
    cases: dict[str, Lesson] = {}
    for lesson in sorted(lessons, key=lambda x: (-x.trials, x.id)):
        cases.setdefault(lesson.source or lesson.id, lesson)
    found = [Found(lesson, similarity(lesson.data, data)) for lesson in cases.values()]
    ranked = sorted(found, key=lambda f: (-f.similarity, f.lesson.id))
    return [f for f in ranked if f.similarity >= least][:most]


def standings(found: Sequence[Found]) -> dict[str, float]:
    """How families stood: the share of lessons, by similarity, in which nothing was proven better, drawn to ``UNKNOWN``.

    Best first. One lesson alone moves a family half the way.
    """
    told: dict[str, list[tuple[float, float]]] = {}
    for f in found:
        for family in f.lesson.families:
            told.setdefault(family.family, []).append((f.similarity, float(family.standing != "behind")))
    scores = {
        family: (UNKNOWN + sum(w * good for w, good in votes)) / (1.0 + sum(w for w, _ in votes))
        for family, votes in told.items()
    }
    # of those that stand alike, those that were the best more often come sooner
    best = {
        family: sum(
            f.similarity for f in found for x in f.lesson.families if x.family == family and x.standing == "best"
        )
        for family in scores
    }
    ranked = sorted(scores, key=lambda family: (-scores[family], -best[family], family))
    return {family: round(scores[family], 6) for family in ranked}


def configured(name: str, parameters: Mapping[str, Any]) -> str:
    """What a configuration is known by: a name alone means other parameters in another size of data, or in another search."""
    return f"{name} {json.dumps(dict(parameters), sort_keys=True, default=str)}"


def configurations(found: Sequence[Found]) -> dict[str, float]:
    """How configurations stood against the first of their family: above 0 where proven gains weigh more than losses."""
    scores: dict[str, float] = {}
    for f in found:
        for p in f.lesson.parameters:
            vote = {"better": 1.0, "worse": -1.0}.get(p.gain.verdict, 0.0)
            key = configured(p.trial, p.parameters)
            scores[key] = scores.get(key, 0.0) + vote * f.similarity
    return scores


Outcome = Literal["held", "contradicted", "not proven"]


def outcome(lesson: Lesson, again: Callable[[str, str], Comparison | None]) -> tuple[Outcome, str]:
    """Whether what a lesson proved of families is seen again, and the sentence behind it.

    ``again(better, worse)``: the paired comparison of these families in the new training, None where one was not tried.
    """
    claims = [x.family for x in lesson.families if x.standing == "behind"]
    leader = next((x.family for x in lesson.families if x.standing == "best"), "")
    seen, against = [], []
    for loser in claims:
        found = again(leader, loser)
        if found is not None and found.verdict == "better":
            seen.append(loser)
        elif found is not None and found.verdict == "worse":
            against.append(loser)
    if against:
        return "contradicted", f"{', '.join(against)} proven better than {leader} here"
    if seen:
        return "held", f"{leader} proven better than {', '.join(seen)} here too"
    return "not proven", "nothing that it proved of families was proven here, one way or the other"
