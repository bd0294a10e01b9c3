"""The watch as a service: a plain loop that takes each look when it is due, and goes on after a kill where it was.

Once it runs nothing but a signal ends it: a fault may pass (a database that is away), be mended by somebody (an entry that was changed), or concern
one model of many. Who looks once is told by an error and its exit code; the service says it, and looks again.
"""

from __future__ import annotations

import math
import random
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TypeVar

from holdgood.bundle.verify import read_manifest
from holdgood.core.errors import EnvironmentFault, HoldgoodError
from holdgood.core.records import Standing
from holdgood.core.table import Table
from holdgood.workflow.live.folder import Live
from holdgood.workflow.live.watch import Watched, due, watch
from holdgood.workflow.predict import Predictor

JITTER = 0.02
"""Share of the time between looks by which a look may be late: several services do not all ask at once."""

LONGEST_SLEEP = 3600.0

NAP = 1.0
"""Seconds after which a service that was asked to end while it slept knows it, at most."""

FIRST_WAIT, LONGEST_WAIT = 1.0, 60.0
"""Seconds between tries while a journal is away: twice as long each time."""

T = TypeVar("T")


class Ending:
    """Whether the service was asked to end."""

    def __init__(self) -> None:
        self.asked = False

    def sleep(self, seconds: float) -> None:
        """Sleep, but not past the moment at which the end is asked for."""
        until = time.monotonic() + seconds
        while not self.asked and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, NAP))


@contextmanager
def ended_by_sigterm() -> Iterator[Ending]:
    """SIGTERM asks for the end. The first process of a container must take the signal: nothing else would end it but a kill."""
    ending = Ending()

    def ask(*_: object) -> None:
        ending.asked = True

    before = signal.signal(signal.SIGTERM, ask)
    try:
        yield ending
    finally:
        signal.signal(signal.SIGTERM, before)


def patiently(
    doing: Callable[[], T],
    said: Callable[[HoldgoodError, float], None],
    *,
    passing: type[HoldgoodError] = EnvironmentFault,
    sleep: Callable[[float], None] = time.sleep,
    ended: Callable[[], bool] = lambda: False,
) -> T | None:
    """Do what needs the journal, as often as it takes: a service may begin before its database does. None where it ``ended`` while it waited.

    ``said``: what is away, and how many seconds it waits for it. ``passing``: faults that are waited for; what waiting does not mend (no live
    folder, no driver) is raised.
    """
    wait = FIRST_WAIT
    while not ended():
        try:
            return doing()
        except passing as error:
            said(error, wait)
            sleep(wait)
            wait = min(2.0 * wait, LONGEST_WAIT)
    return None


def champions(live: Live, *, forecasting: bool = False) -> list[str]:
    """The models that are live now and can be watched: those that answer rows; or, ``forecasting``, the others."""
    return sorted({s.model for s in live.standing() if s.place == "champion" and _forecasts(live, s) is forecasting})


def _forecasts(live: Live, standing: Standing) -> bool:
    try:
        return read_manifest(live.bundle(standing.bundle_digest)).task.get("kind") == "forecast"
    except HoldgoodError:  # a bundle that cannot be read: the look says so
        return False


def joined(live: Live, model: str, files: Mapping[str, str]) -> dict[str, Table]:
    """Of ``files`` (by table) those that a champion joins, read now. DataError for one that cannot be read."""
    champion = live.at(model)
    if champion is None or not files:
        return {}
    predictor = Predictor.load(live.bundle(champion.bundle_digest))
    wanted = {j.table for j in predictor.plan.joins}
    return {name: predictor.table_of(file, name) for name, file in files.items() if name in wanted}


def run(
    live: Live,
    models: Sequence[str] | None,
    said: Callable[[str, Watched | HoldgoodError], None],
    *,
    files: Mapping[str, str] | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    sleep: Callable[[float], None] = time.sleep,
    rounds: int | None = None,
    ended: Callable[[], bool] = lambda: False,
) -> None:
    """Watch for ever (or ``rounds`` looks, or until ``ended``; a look that was begun is finished).

    ``models`` None: all that are live, those too that are promoted while it runs. ``files``: of tables that features are joined from, read
    anew at each look; a look that cannot have them is taken without. A look has the time at which it was due, so that one that was cut off is
    taken up, not repeated. What fails (a database that is away, a journal or a bundle that was changed) is said and tried again at the next
    look; the loop goes on. Which models are live and when looks are due is asked until the journal answers, at most a minute between tries.
    """
    gap = timedelta(days=live.settings.watch.days)
    jitter = random.Random(0)
    taken = 0
    planned: dict[str, tuple[datetime, timedelta]] = {}

    def planning(model: str, at: datetime) -> None:
        planned[model] = at, timedelta(seconds=jitter.random() * JITTER * gap.total_seconds())

    def begin(model: str) -> None:
        planning(model, due(live, model, now()))

    def away(error: HoldgoodError, _: float) -> None:
        said("watch", error)

    def begin_again(model: str) -> None:
        try:
            begin(model)
        except EnvironmentFault:
            raise
        except HoldgoodError:  # of this model alone: others must not wait for it, and the look says what it is
            planning(model, now())

    while (rounds is None or taken < rounds) and not ended():
        patiently(
            lambda: _follow(live, models, planned, begin, said), away, passing=HoldgoodError, sleep=sleep, ended=ended
        )
        if not planned:
            sleep(LONGEST_SLEEP)
            continue
        model = min(planned, key=lambda m: planned[m][0])
        next_at, late = planned[model]
        wait = (next_at + late - now()).total_seconds()
        if (
            wait > 2.0 * gap.total_seconds()
        ):  # the clock was set back: nobody would look for as long as it had been ahead
            patiently(partial(begin_again, model), away, sleep=sleep, ended=ended)
            continue
        if wait > 0:
            sleep(min(wait, LONGEST_SLEEP))
            continue
        # Looks that were missed are not made up for one by one: the newest that is due covers their rows by its longer windows.
        at = next_at + max(0, math.floor((now() - next_at) / gap)) * gap
        try:
            said(model, watch(live, model, at=at, others=_others(live, model, files or {}, said)))
        except HoldgoodError as error:
            said(model, error)
        planning(model, at + gap)
        taken += 1


def _follow(
    live: Live, models: Sequence[str] | None, planned: dict[str, tuple[datetime, timedelta]], begin: Callable[[str], None],
    said: Callable[[str, Watched | HoldgoodError], None],
) -> None:  # fmt: skip
    """Models that came are looked at too, those that are no longer live no more. What cannot be told leaves both as they were: it is said, except
    that a journal is away, which each look says by itself; where nothing is looked at yet it is raised.
    """
    faults: list[tuple[str, HoldgoodError]] = []
    try:
        there = champions(live) if models is None else models
    except HoldgoodError as error:
        faults.append(("watch", error))
    else:
        for gone in planned.keys() - set(there):
            del planned[gone]
        for model in there:
            if model not in planned:
                try:
                    begin(model)
                except HoldgoodError as error:
                    faults.append((model, error))
    if faults and not planned:
        raise faults[0][1]
    for name, fault in faults:
        if not isinstance(fault, EnvironmentFault):
            said(name, fault)


def _others(
    live: Live, model: str, files: Mapping[str, str], said: Callable[[str, Watched | HoldgoodError], None]
) -> dict[str, Table]:
    try:
        return joined(live, model, files)
    except HoldgoodError as error:  # the look says what it is blind to without them
        said(model, error)
        return {}
