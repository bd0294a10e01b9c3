"""What people wrote stays: before a plan or a decision takes a file's place, what lies there is moved aside under a name that says what it is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from holdgood.connectors.order_sheet import touched
from holdgood.core.errors import EnvironmentFault, HoldgoodError
from holdgood.core.records import DecidedOrders, OrderPlan
from holdgood.core.records.envelope import read

_LONGEST = 40


@dataclass(frozen=True)
class Kept:
    """``what`` it is, in words; ``was``: where it lay; ``path``: where it lies now. ``plan``: the name of its plan, "" where nobody knows."""

    what: str
    was: Path
    path: Path
    plan: str = ""

    def __str__(self) -> str:
        return f"{self.what} ({self.was.name}) is kept as {self.path}"


def keep_earlier(plan: OrderPlan, plan_file: Path | None, sheet: Path | None) -> tuple[Kept, ...]:
    """Move aside what ``plan`` and its sheet are about to replace: another plan, and a sheet in which somebody may have written.

    A sheet that is as it was made goes; so does a file with this very plan. EnvironmentFault where a file cannot be moved.
    """
    there = plan_file is not None and plan_file.exists()
    earlier = _plan_at(plan_file) if plan_file is not None and there else None
    kept = []
    if sheet is not None and sheet.exists() and touched(sheet, earlier):
        kept.append(
            _aside(sheet, f"{sheet.stem}-before", "what people wrote in the sheet", earlier.id if earlier else "")
        )
    if plan_file is not None and there and (earlier is None or earlier.digest != plan.digest):
        name = f"{plan_file.stem}-{earlier.id if earlier else 'before'}"
        what = f"the plan of {earlier.made_utc[:16].replace('T', ' ')}" if earlier else "a file that is no plan"
        kept.append(_aside(plan_file, name, what, earlier.id if earlier else ""))
    return tuple(kept)


def keep_decided(decided: DecidedOrders, file: Path) -> tuple[Kept, ...]:
    """Move aside what other people decided, or the same one on another plan. What the same person said of the same plan is replaced: the sheet
    was read again.
    """
    if not file.exists():
        return ()
    try:
        earlier = read(file, DecidedOrders)
    except HoldgoodError:
        return (_aside(file, f"{file.stem}-before", "a file that is no record of decisions", ""),)
    if (earlier.plan_digest, earlier.who) == (decided.plan_digest, decided.who):
        return ()
    who = re.sub(r"\W+", "-", earlier.who.lower()).strip("-")[:_LONGEST].strip("-") or "nobody"
    return (_aside(file, f"{file.stem}-{earlier.plan}-{who}", f"what {earlier.who} decided", earlier.plan),)


def _plan_at(file: Path) -> OrderPlan | None:
    try:
        return read(file, OrderPlan)
    except HoldgoodError:
        return None


def _aside(file: Path, stem: str, what: str, plan: str) -> Kept:
    """Give a file a name that nothing has yet."""
    free, number = file.with_name(stem + file.suffix), 2
    while free.exists():
        free, number = file.with_name(f"{stem}-{number}{file.suffix}"), number + 1
    try:
        file.rename(free)
    except OSError as error:
        raise EnvironmentFault(
            f"{file} holds {what} and cannot be moved to {free.name}: {error.strerror or error}",
            "to keep it before another takes its place",
            "close it where it is open, or choose another name or folder",
        ) from None
    return Kept(what, file, free, plan)
