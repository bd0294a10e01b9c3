"""Candidates for training: the portfolio's entries and the families found by entry point, each with the encoder it needs.

The portfolio is data (``holdgood/models/portfolio.json``): an ordered list of good configurations a kind of task and class
of size, ``{"format": 1, "lists": {kind: {size: [{"family", "name", "parameters"}, …]}}}`` with sizes as in ``size_class``. The
first entry of a family is its default. An entry without ``parameters`` stands for the family's own configuration of that
name, where it has one for that size. A family without an entry comes with all configurations of its own file; one that is
not installed is left out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from importlib.resources import files
from importlib.util import find_spec
from typing import Any

from holdgood.core import plugins
from holdgood.core.errors import DeclarationError, MissingExtra, did_you_mean
from holdgood.core.protocols import Candidate, Json, ModelFamily, Space
from holdgood.core.task import Task
from holdgood.features.encode.for_needs import encoder_for
from holdgood.governance.lessons import UNKNOWN, configured

FORMAT = 1
CROSSED = ("lightgbm",)
"""Configurations that are tried once more, last of all, with columns made of two (``encode.crosses``) beside the others."""
_GROUP = "holdgood.models"
SMALL, MEDIUM = 3_000, 30_000
"""Development rows below which a table is *small*, and *medium*; others are *large*."""


@dataclass(frozen=True)
class Portfolio:
    """What training may try, and where it may search on."""

    candidates: list[Candidate]
    spaces: list[Space]


def portfolio(task: Task, rows: int, columns: int, families: Sequence[str] = ()) -> Portfolio:
    """The portfolio's entries of the wanted families (default: all whose libraries are there), then families that it does
    not know. The prior is always in.

    Raises DeclarationError for a family that is not known, MissingExtra for one that is asked for and whose library is
    not installed.
    """
    known = plugins.names(_GROUP)
    for name in families:
        if name not in known:
            raise DeclarationError(
                f"no model family named {name!r}",
                "one of: " + ", ".join(known),
                did_you_mean(name, known) or "run: holdgood doctor",
            )
        missing = _missing(name)
        if missing is not None:
            raise missing
    installed = {n: f for n, f in plugins.load_all(_GROUP).items() if _missing(n) is None and task.kind in f.kinds}
    wanted = {n: f for n, f in installed.items() if not families or n in families or f.rung == 0}
    entries = _listed().get(task.kind, {}).get(size_class(rows), [])
    made = (_entry(wanted[e["family"]], e, task, rows, columns) for e in entries if e["family"] in wanted)
    found = [c for c in made if c is not None]
    listed = {c.family for c in found}
    for name, family in sorted(wanted.items(), key=lambda item: (item[1].rung, item[0])):
        if name not in listed:
            found += [_candidate(family, label, p) for label, p in family.configurations(task, rows, columns)]
    found += [_crossed(wanted[c.family], c) for c in found if c.name in CROSSED]
    spaces = [_space(f, task, rows, columns, found) for f in wanted.values() if hasattr(f, "space")]
    return Portfolio(found, spaces)


def candidates(task: Task, rows: int, columns: int, families: Sequence[str] = ()) -> list[Candidate]:
    """The candidates alone; see ``portfolio``."""
    return portfolio(task, rows, columns, families).candidates


def by_lessons(tried: Portfolio, families: Mapping[str, float], configurations: Mapping[str, float]) -> Portfolio:
    """The same candidates in the order that lessons advise: nothing is added, nothing is left out.

    ``families`` and ``configurations`` (by ``configured``): how each stood (higher is better; a family that no lesson speaks of stands at 0.5,
    a configuration at 0). The prior and the simplest family above it stay in front: whatever lessons say, complexity has to
    beat them. Then come the first configurations of the families, then all others; within a family, proven ones sooner.
    """
    place = {c.name: i for i, c in enumerate(tried.candidates)}
    proven = {c.name: configurations.get(configured(c.name, c.parameters), 0.0) for c in tried.candidates}
    of_family: dict[str, list[Candidate]] = {}
    for c in sorted(tried.candidates, key=lambda c: (-proven[c.name], place[c.name])):
        of_family.setdefault(c.family, []).append(c)
    simple = sorted(of_family, key=lambda f: (of_family[f][0].rung, place[of_family[f][0].name]))[:2]
    rest = [f for f in of_family if f not in simple]
    rest.sort(key=lambda f: (-families.get(f, UNKNOWN), of_family[f][0].rung, place[of_family[f][0].name]))
    firsts = [of_family[f][0] for f in (*simple, *rest)]
    others = [c for f in of_family for c in of_family[f][1:]]
    # among the variants a family that always was behind waits for the others; otherwise the portfolio's order stands
    others.sort(key=lambda c: (-families.get(c.family, UNKNOWN), -proven[c.name], place[c.name]))
    return Portfolio([*firsts, *others], tried.spaces)


def size_class(rows: int) -> str:
    """The portfolio's word for a number of development rows.

    >>> [size_class(n) for n in (300, 3_000, 30_000)]
    ['small', 'medium', 'large']
    """
    return "small" if rows < SMALL else "medium" if rows < MEDIUM else "large"


@cache
def _listed() -> Mapping[str, Mapping[str, list[dict[str, Any]]]]:
    """The shipped lists."""
    shipped = json.loads((files("holdgood.models") / "portfolio.json").read_text(encoding="utf-8"))
    return shipped["lists"] if shipped.get("format") == FORMAT else {}


def _entry(family: Any, entry: Mapping[str, Any], task: Task, rows: int, columns: int) -> Candidate | None:
    """A candidate from an entry of the portfolio; None where the family has no configuration of that name for this size."""
    if "parameters" in entry:
        return _candidate(family, entry["name"], entry["parameters"])
    own = dict(family.configurations(task, rows, columns))
    return _candidate(family, entry["name"], own[entry["name"]]) if entry["name"] in own else None


def _crossed(family: type[ModelFamily], like: Candidate) -> Candidate:
    """The same configuration on the same columns and the crosses of a fold's training rows."""
    made = _candidate(family, f"{like.name}-crosses", like.parameters)
    encoder = partial(encoder_for, family.needs, crossed=True)
    return replace(made, make_encoder=encoder, parameters=dict(like.parameters) | {"crosses": True}, tentative=True)


def _candidate(family: type[ModelFamily], label: str, parameters: Mapping[str, Json]) -> Candidate:
    return Candidate(
        name=label if label.startswith(family.name) else f"{family.name}-{label}",
        family=family.name,
        rung=family.rung,
        needs=family.needs,
        make_encoder=partial(encoder_for, family.needs),
        make_model=partial(family.make, dict(parameters)),
        parameters=dict(parameters),
        startup=float(getattr(family, "startup", 0.0)),
    )


def _space(family: Any, task: Task, rows: int, columns: int, found: Sequence[Candidate]) -> Space:
    """The search space of a family, around the parameters of its first candidate and beyond them those of its default."""
    default = dict(family.configurations(task, rows, columns)[0][1])
    first = next((dict(c.parameters) for c in found if c.family == family.name), {})
    return Space(family.name, family.space(task, rows, columns), partial(_candidate, family), default | first)


def learner_there(name: str, families: Sequence[str] = ()) -> bool:
    """Whether a family may be used: it is asked for, or nothing is, and its library is there."""
    return (not families or name in families) and _missing(name) is None


def left_out(families: Sequence[str] = ()) -> tuple[str, ...]:
    """A note for each registered family that was not asked for by name and whose library is not installed."""
    missing = {} if families else {name: _missing(name) for name in plugins.names(_GROUP)}
    return tuple(f"{name} was left out: {error.do}" for name, error in missing.items() if error is not None)


def _missing(name: str) -> MissingExtra | None:
    """What to say where a family's library is not there: it tells which one it is, or it cannot be loaded at all."""
    try:
        family: ModelFamily = plugins.load(_GROUP, name)
    except MissingExtra as error:
        return error
    library, extra = getattr(family, "library", ""), getattr(family, "extra", "")
    if library and find_spec(library) is None:
        return MissingExtra.named(extra, library, f"the model family {name!r}")
    return None
