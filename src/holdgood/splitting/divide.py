"""The wall: every row goes to development, the holdout, neither, or has no outcome. No feature is looked at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import numpy as np

from holdgood.core.budget import seconds_of
from holdgood.core.declaration import SplitSpec
from holdgood.core.errors import SplitError
from holdgood.core.records import Split
from holdgood.core.task import Task
from holdgood.splitting.draw import draw_groups, draw_rows, draw_stratified, one_class

DEVELOPMENT, HOLDOUT, UNUSED, NO_OUTCOME = 0, 1, 2, 3
SHARE = 0.25
FEWEST = 20
UNKNOWN_TIME = np.iinfo(np.int64).min

How = Literal["random", "stratified", "group", "time"]


@dataclass(frozen=True, eq=False)
class Division:
    """A Split with the part of every row: ``part`` (n,) int8 of DEVELOPMENT, HOLDOUT, UNUSED or NO_OUTCOME.

    ``unseen_classes``: class codes that occur in the holdout and never in development.
    """

    split: Split
    part: np.ndarray
    unseen_classes: tuple[int, ...] = ()

    def rows(self, part: int) -> np.ndarray:
        """Positions of one part, ascending."""
        return np.flatnonzero(self.part == part)


def divide(
    spec: SplitSpec,
    task: Task,
    y: np.ndarray,
    *,
    time: np.ndarray | None = None,
    groups: np.ndarray | None = None,
    weight: np.ndarray | None = None,
    seed: int = 0,
) -> Division:
    """Divide rows as declared.

    ``y`` (n,) is coded, NaN where there is no outcome; ``time`` (n,) int64 microseconds since the epoch (the smallest
    int64: unknown); ``groups`` (n,) int codes; ``weight`` (n,): rows of weight zero are not used. ``auto``: time where it
    is given and moves, else group where groups are given, else stratified for classes and random for regression.
    SplitError where rows cannot be divided as asked.
    """
    part = np.full(len(y), DEVELOPMENT, np.int8)
    part[np.isnan(y)] = NO_OUTCOME
    if weight is not None:
        part[(part == DEVELOPMENT) & (weight == 0)] = UNUSED
    usable = np.flatnonzero(part == DEVELOPMENT)
    if len(usable) < FEWEST:
        raise SplitError(
            f"{len(usable)} rows with an outcome (of {len(y)})",
            f"at least {FEWEST}, some for development and some for the holdout",
            "collect more rows, or check task.target: a target that is NULL has no outcome",
        )
    how = _kind(spec, task, time, groups, usable)
    share = SHARE if spec.holdout is None or spec.holdout == "none" else spec.holdout
    cutoff = end = None
    rng = np.random.default_rng([seed, 7])
    if spec.holdout == "none":
        end = _without_holdout(spec, part, time) if how == "time" else None
    elif how == "time":
        assert time is not None
        cutoff, end = _by_time(spec, part, time, usable, share)
        if groups is not None:
            _keep_together(part, groups)
    elif how == "group":
        assert groups is not None
        part[usable[draw_groups(groups[usable], y[usable], task, share, rng)]] = HOLDOUT
    elif how == "stratified":
        part[usable[draw_stratified(y[usable], share, rng)]] = HOLDOUT
    else:
        part[usable[draw_rows(len(usable), share, rng)]] = HOLDOUT
    _check(task, y, part, how, sealed=spec.holdout != "none")
    unseen = _unseen(task, y, part)
    split = Split(
        how=how,
        table="",
        development=int(np.sum(part == DEVELOPMENT)),
        holdout=int(np.sum(part == HOLDOUT)),
        unused=int(np.sum(part == UNUSED)),
        no_outcome=int(np.sum(part == NO_OUTCOME)),
        cutoff="" if cutoff is None else iso(cutoff),
        end="" if end is None else iso(end),
        by=tuple(spec.by),
        seed=seed,
        outer=spec.outer if spec.holdout == "none" else 0,
        sentence=_no_holdout(part, spec.outer)
        if spec.holdout == "none"
        else _sentence(task, y, part, how, cutoff, end, unseen),
    )
    return Division(split, part, unseen)


def _kind(spec: SplitSpec, task: Task, time: np.ndarray | None, groups: np.ndarray | None, usable: np.ndarray) -> How:
    timed = spec.cutoff is not None or spec.end is not None
    if spec.kind == "time" or (timed and spec.kind == "auto"):
        if time is None:
            raise SplitError(
                "a split by time, but the main table has no time",
                "a time column",
                'declare `time` of the main table, or task.decision_time; or split.kind = "stratified"',
            )
        return "time"
    if spec.kind == "group" and groups is None:
        raise SplitError(
            "a split by group without groups", "columns that keep rows together", 'declare split.by = ["column"]'
        )
    at_random: How = "random" if task.kind == "regression" else "stratified"
    if spec.kind != "auto":
        return at_random if spec.kind == "stratified" else spec.kind
    if time is not None:
        known = time[usable][time[usable] != UNKNOWN_TIME]
        if len(known) and known.min() < known.max():
            return "time"
    if groups is not None:
        return "group"
    return at_random


def moment(text: str, what: str) -> int:
    """Microseconds since the epoch of an ISO date or time; UTC where no zone is written.

    >>> moment("1970-01-02", "split.cutoff")
    86400000000
    """
    try:
        when = datetime.fromisoformat(text.strip())
    except ValueError:
        raise SplitError(
            f"{what} = {text!r} is not a date",
            "an ISO date or time in UTC",
            'write for example "2013-07-01" or "2013-07-01T06:00"',
        ) from None
    when = when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
    return (when - datetime(1970, 1, 1, tzinfo=UTC)) // _MICROSECOND


_MICROSECOND = datetime(1970, 1, 1, 0, 0, 0, 1) - datetime(1970, 1, 1)


def iso(microseconds: int) -> str:
    """An ISO date, with the time of day where it is not midnight.

    >>> iso(86_400_000_000), iso(3_600_000_000)
    ('1970-01-02', '1970-01-01T01:00:00')
    """
    try:
        when = datetime(1970, 1, 1) + int(microseconds) * _MICROSECOND
    except OverflowError:  # plain numbers may lie outside the years 1 to 9999 that a date can name
        return str(np.datetime64(int(microseconds), "us"))
    return when.date().isoformat() if microseconds % 86_400_000_000 == 0 else when.isoformat()


def _by_time(
    spec: SplitSpec, part: np.ndarray, time: np.ndarray, usable: np.ndarray, share: float
) -> tuple[int, int | None]:
    """Mark holdout and unused rows in ``part``; the cutoff and the end in microseconds."""
    known = time[usable][time[usable] != UNKNOWN_TIME]
    if len(known) == 0:
        raise SplitError(
            "a split by time, but no row has a known time", "times of rows", "check `time` of the main table"
        )
    end = None if spec.end is None else moment(spec.end, "split.end")
    within = known if end is None else known[known < end]
    span = f"the rows run from {iso(int(known.min()))} to {iso(int(known.max()))}"
    if len(within) == 0:
        raise SplitError(f"split.end = {spec.end!r} leaves no rows", "an end after the first row", span)
    cutoff = _boundary(within, share) if spec.cutoff is None else moment(spec.cutoff, "split.cutoff")
    if end is not None and cutoff >= end:
        raise SplitError(
            f"split.cutoff = {spec.cutoff!r} is not before split.end = {spec.end!r}", "cutoff < end", "correct [split]"
        )
    if not within.min() < cutoff <= within.max():
        raise SplitError(
            f"split.cutoff = {iso(cutoff)!r} leaves {'the holdout' if cutoff > within.max() else 'development'} empty",
            "a cutoff within the data, with rows on both sides",
            span,
        )
    gap = round((seconds_of(spec.gap) + seconds_of(spec.outcome_after)) * 1e6)
    when, part_ = time[usable], part[usable]
    part_[when >= cutoff] = HOLDOUT
    part_[(when >= cutoff - gap) & (when < cutoff)] = UNUSED
    part_[when == UNKNOWN_TIME] = UNUSED
    if end is not None:
        part_[when >= end] = UNUSED
    part[usable] = part_
    return int(cutoff), end


def _boundary(times: np.ndarray, share: float) -> int:
    """The time whose rows and later ones come nearest to the share; rows of one time stay on one side."""
    values, counts = np.unique(times, return_counts=True)
    if len(values) < 2:
        raise SplitError(
            f"a split by time, but all rows have the same time ({iso(int(values[0]))})",
            "at least two different times",
            'declare split.kind = "stratified" or "group"',
        )
    after = len(times) - np.cumsum(counts)[:-1]  # rows from values[1], values[2], … on
    return int(values[1:][np.argmin(np.abs(after - share * len(times)))])


def _keep_together(part: np.ndarray, groups: np.ndarray) -> None:
    """Development rows of groups that also occur in the holdout are not used."""
    held = np.unique(groups[part == HOLDOUT])
    shared = (part == DEVELOPMENT) & np.isin(groups, held)
    if np.sum(part == DEVELOPMENT) - np.sum(shared) < FEWEST // 2:
        raise SplitError(
            f"split.by keeps {len(held):,} groups together, but nearly all rows are of groups that cross the cutoff",
            "groups that end before the holdout begins",
            'split.kind = "group" asks how it does on new groups; without split.by, how it does on the same ones later',
        )
    part[shared] = UNUSED


def _without_holdout(spec: SplitSpec, part: np.ndarray, time: np.ndarray | None) -> int | None:
    """Leave out rows of unknown time and those from the end on; the end in microseconds."""
    assert time is not None
    end = None if spec.end is None else moment(spec.end, "split.end")
    part[(part == DEVELOPMENT) & ((time == UNKNOWN_TIME) | (False if end is None else time >= end))] = UNUSED
    return end


def _no_holdout(part: np.ndarray, outer: int) -> str:
    counts = [int(np.sum(part == p)) for p in (DEVELOPMENT, UNUSED, NO_OUTCOME)]
    said = [f"no holdout: all {counts[0]:,} rows are learned from, and {outer} outer folds judge the whole procedure"]
    said += [f"{counts[1]:,} not used"] if counts[1] else []
    said += [f"{counts[2]:,} without an outcome left out"] if counts[2] else []
    return "; ".join(said) + "."


def _check(task: Task, y: np.ndarray, part: np.ndarray, how: How, *, sealed: bool = True) -> None:
    development, holdout = part == DEVELOPMENT, part == HOLDOUT
    wider = {
        "time": "move split.cutoff, shorten split.gap, or take split.by away",
        "group": "use groups that are smaller, or a larger split.holdout",
    }.get(how, "change split.holdout")
    if sealed and not holdout.any():
        raise SplitError("the holdout is empty", "at least one row with an outcome in it", wider)
    if np.sum(development) < FEWEST // 2:
        raise SplitError(f"{np.sum(development)} rows are left for development", f"at least {FEWEST // 2}", wider)
    if task.kind != "regression" and one_class(y[development]):
        seen = task.classes[int(y[development][0])] if task.classes else int(y[development][0])
        raise SplitError(
            f"all {np.sum(development):,} development rows are of one class ({seen!r})", "at least two classes", wider
        )


def _unseen(task: Task, y: np.ndarray, part: np.ndarray) -> tuple[int, ...]:
    if task.kind == "regression":
        return ()
    held = np.unique(y[part == HOLDOUT])
    return tuple(int(c) for c in held[~np.isin(held, y[part == DEVELOPMENT])])


def _sentence(
    task: Task, y: np.ndarray, part: np.ndarray, how: How, cutoff: int | None, end: int | None, unseen: tuple[int, ...]
) -> str:
    counts = [int(np.sum(part == p)) for p in (DEVELOPMENT, HOLDOUT, UNUSED, NO_OUTCOME)]
    if cutoff is not None:
        until = "" if end is None else f" until {iso(end)}"
        said = [f"{counts[0]:,} rows before {iso(cutoff)} to learn from"]
        said.append(f"{counts[1]:,} from then on{until} sealed as the holdout")
    else:
        way = {"group": "whole groups", "stratified": "class by class"}.get(how, "at random")
        said = [f"{counts[0]:,} rows to learn from, {counts[1]:,} drawn ({way}) and sealed as the holdout"]
    if counts[2]:
        said.append(f"{counts[2]:,} not used")
    if counts[3]:
        said.append(f"{counts[3]:,} without an outcome left out")
    if unseen:
        rows = int(np.isin(y[part == HOLDOUT], unseen).sum())
        kinds = "a class" if len(unseen) == 1 else f"{len(unseen)} classes"
        said.append(f"{rows:,} holdout rows are of {kinds} that development never saw")
    return "; ".join(said) + "."
