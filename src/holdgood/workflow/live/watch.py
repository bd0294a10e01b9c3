"""Watch: one look at a model in use. Gather, look, rank by what it does, keep books, write down, tell."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from holdgood.bundle import load
from holdgood.core.chain import Chain
from holdgood.core.declared_watch import WatchingSpec
from holdgood.core.errors import DataError, HoldgoodError
from holdgood.core.records import Acknowledgement, Alarm, Benefit, Drift, GroupGap, Standing, Unjudged, WatchLook
from holdgood.core.records.envelope import Record
from holdgood.core.table import Table
from holdgood.core.text import counted
from holdgood.core.traffic import DAY, Look, Traffic
from holdgood.features.usual import Usual
from holdgood.monitoring.bookkeeping import named, standing, surest
from holdgood.monitoring.judged import closed, opened, unjudged
from holdgood.monitoring.mon007_performance import performance
from holdgood.monitoring.mon008_estimate import estimated
from holdgood.monitoring.mon009_fairness import gaps_now
from holdgood.monitoring.mon011_benefit import ledger
from holdgood.monitoring.routes import Message
from holdgood.monitoring.schedule import alpha_of_look
from holdgood.workflow.live.alone import alone
from holdgood.workflow.live.delivery import WRITER, deliver, message_of
from holdgood.workflow.live.detecting import Found, detect
from holdgood.workflow.live.folder import Live
from holdgood.workflow.live.in_use import InUse, features_of, telling_time
from holdgood.workflow.live.traffic import Gathered, fairness_of, gather
from holdgood.workflow.live.unlike import unlike_of
from holdgood.workflow.predict import Predictor

SHORT_DAYS = 28
"""A reference of fewer days has seen no month."""


@dataclass(frozen=True)
class Watched:
    """A look with its alarms (worst first), what was told, and what could not be."""

    look: WatchLook
    alarms: tuple[Alarm, ...]
    benefit: Benefit | None = None
    undelivered: tuple[str, ...] = ()
    again: bool = False
    """The look had been taken before: nothing was looked at anew, only told what had not been told."""

    seen_by: Mapping[str, Acknowledgement] = field(default_factory=dict)
    """Who has seen an alarm, by its id: the last word that names a time, else the last."""


def watch(
    live: Live,
    model: str,
    *,
    at: datetime | None = None,
    usual: Usual | None = None,
    others: Mapping[str, Table] | None = None,
) -> Watched:
    """Look at what was answered until ``at`` (UTC, default now) and tell who should know.

    ``usual``: the reference, default what the bundle carries; ``others``: tables that the features are joined from. The same
    ``at`` again looks at nothing anew and only sends what was not sent: safe after a kill. EnvironmentFault where another look is under way.
    """
    ends = (at or datetime.now(UTC)).astimezone(UTC)
    with alone(live, "watch", "watched", model) as held:
        return _watched(held, model, ends, usual, others or {})


def _watched(live: Live, model: str, ends: datetime, usual: Usual | None, others: Mapping[str, Table]) -> Watched:
    champion = live.at(model)
    if champion is None:
        raise DataError(
            f"no champion of {model!r} is live", "a model that answers", "holdgood promote puts one in place"
        )
    past = looks_of(live, model)
    earlier = [w for w in past if w.ends < ends.isoformat()]
    done = next((w for w in past if w.ends == ends.isoformat()), None)
    if done is None:
        done, alarms, benefit = _look(live, model, champion, ends, earlier, usual, others)
        again = False
    else:
        every = {a.id: a for _, a in live.journal.read(Alarm, model=model) if a.ends == done.ends}
        alarms, benefit, again = [every[i] for i in done.found if i in every], None, True
    faults = _tell(live, model, [*earlier, done])
    every_word = [a for _, a in live.journal.read(Acknowledgement)]
    seen_by = {a.alarm: a for a in sorted(every_word, key=lambda a: bool(a.until))}
    return Watched(done, tuple(alarms), benefit, tuple(faults), again, seen_by)


def looks_of(live: Live, model: str) -> list[WatchLook]:
    """All looks at a model, oldest first."""
    return sorted((r for _, r in live.journal.read(WatchLook, model=model)), key=lambda w: w.ends)


def due(live: Live, model: str, now: datetime) -> datetime:
    """When the next scheduled look is to be taken: ``days`` after the last one; now, where there was none.

    A look that a wrong clock put into the future does not count: nobody would look until then.
    """
    past = [w for w in looks_of(live, model) if datetime.fromisoformat(w.ends) <= now]
    return now if not past else datetime.fromisoformat(past[-1].ends) + timedelta(days=live.settings.watch.days)


def _look(
    live: Live,
    model: str,
    champion: Standing,
    ends: datetime,
    earlier: Sequence[WatchLook],
    usual: Usual | None,
    others: Mapping[str, Table],
) -> tuple[WatchLook, list[Alarm], Benefit | None]:
    spec = live.settings.watch
    folder = live.bundle(champion.bundle_digest)
    predictor, loaded = Predictor.load(folder), load(folder, verify_first=False)
    kept, kept_losses = loaded.parts.get("usual"), loaded.parts.get("losses")
    reference = usual if usual is not None else kept if isinstance(kept, Usual) else None
    gathered = gather(live, model, champion, predictor, reference, fairness_of(loaded.records), ends)
    days = spec.days
    if earlier:
        # Whoever looks oftener spends less a look: the budget is a year's, not a look's.
        days = min(days, (ends - datetime.fromisoformat(earlier[-1].ends)).total_seconds() / 86_400.0)
    alpha = alpha_of_look(spec.false_a_year, max(days, 1e-6))
    end = gathered.traffic.as_of
    begins = end - round(spec.days * DAY)
    in_use = _in_use(
        predictor,
        reference,
        gathered.facts,
        gathered.traffic.refused,
        gathered.prediction,
        gathered.traffic.when,
        others,
    )
    traffic = replace(
        gathered.traffic,
        unlike=unlike_of(spec, in_use, gathered.traffic),
        expected=_expected(kept_losses if usual is None else None, in_use, len(gathered.traffic)),
    )
    found = detect(spec, predictor, in_use, traffic, alpha)
    found = replace(
        found,
        notes=(
            *found.notes,
            *_bare(gathered.facts, traffic.refused, traffic.groups, spec.feeds),
            *_too_late(traffic, spec),
            *_empty(gathered, champion, ends),
        ),
    )
    now = ends.isoformat()
    first = datetime.fromtimestamp(begins / 1e6, UTC).isoformat()
    still = open_alarms(earlier)
    alarms = [named(a, model, now) for a in found.alarms]
    if still and days < spec.days:
        # What is open is sought as a usual look seeks it: the little that a hasty look may spend could not find it again.
        # That finds nothing new, so it spends nothing.
        usually = detect(spec, predictor, in_use, traffic, alpha_of_look(spec.false_a_year, spec.days))
        alarms += [a for a in (named(a, model, now) for a in usually.alarms) if a.id in still]
    alarms = surest(alarms)
    alarms.sort(key=_weight)
    about = {a.id: a for _, a in live.journal.read(Alarm, model=model) if a.id in still} if still else {}
    longest = end - round(max(spec.windows) * spec.days * DAY)
    blind = unjudged(traffic, begins, longest, [(a.id, a.code, a.subject) for a in about.values()])
    words = [a for _, a in live.journal.read(Acknowledgement)]
    # The last one that names a time counts: that somebody else has seen it too wakes nobody.
    hushed = {a.alarm: a for a in words if a.until}
    books = standing(
        alarms, earlier[::-1], still, hushed, now, days=spec.days, unjudged=blind, closed=closed(words, earlier)
    )
    look = Look(traffic, begins, end)
    record = _record(look, model, champion, first, now, alpha, live, found, alarms)
    left, since = tuple(i for i in blind if i not in record.found and i not in books.ended), opened(earlier)
    record = record.model_copy(
        update={
            "told": tuple(a.id for a in books.fresh),
            "snoozed": tuple(a.id for a in books.snoozed),
            "ended": books.ended,
            "unjudged": left,
            "blind": tuple(
                Unjudged(alarm=i, code=about[i].code, subject=about[i].subject, since=since[i], why=blind[i])
                for i in left
            ),
        }
    )
    benefit = ledger(look)
    written: list[Record] = [*alarms, *([benefit] if benefit else []), record]
    live.journal.append_many(written, WRITER)
    return record, alarms, benefit


def _in_use(
    predictor: Predictor, usual: Usual | None, facts: np.ndarray, refused: np.ndarray, prediction: np.ndarray,
    when: np.ndarray, others: Mapping[str, Table],
) -> InUse:  # fmt: skip
    if usual is None:
        return InUse(
            None,
            None,
            prediction,
            when,
            ("the bundle keeps no reference: drift is not watched; give --reference FILE",),
        )
    told = np.array([f is not None for f in facts], bool) & ~refused
    if not told.any():
        return InUse(usual, None, prediction, when)
    try:
        frame, rows = features_of(predictor, facts, told, others)
    except HoldgoodError as error:
        return InUse(usual, None, prediction, when, (f"drift of features is not watched: {error.came}",))
    return InUse(usual, usual.like(frame), prediction, when, _short(usual), telling_time(usual, predictor), rows)


def _short(usual: Usual) -> tuple[str, ...]:
    """A word where the reference is too short to know what comes and goes with the weeks."""
    days = 0.0 if not len(usual.moment) else float(usual.moment.max() - usual.moment.min()) / DAY + 1
    if not 0 < days < SHORT_DAYS:
        return ()
    return (f"the reference is {days:.0f} days long: what moves with the season looks like drift to it",)


def _bare(facts: np.ndarray, refused: np.ndarray, groups: Mapping[str, np.ndarray], feeds: Sequence[str]) -> list[str]:
    """What is not watched for want of facts, in one sentence."""
    if not (~refused).any() or any(f is not None for f in facts[~refused]):
        return []
    blind = [
        "drift of features",
        *(["groups (" + ", ".join(groups) + ")"] if groups else []),
        *(["feeds by " + ", ".join(feeds)] if feeds else []),
    ]
    return [f"the journal keeps no facts of rows (keep.facts): not watched: {', '.join(blind)}"]


def _too_late(traffic: Traffic, spec: WatchingSpec) -> list[str]:
    """Where outcomes come later than the longest window is long: no row of it has one, and performance would be unwatched in silence."""
    inside = traffic.when >= traffic.as_of - round(max(spec.windows) * spec.days * DAY)
    if not traffic.labelled.any() or not inside.any() or traffic.labelled[inside].any():
        return []
    days = float(np.nanmedian(traffic.delay))
    looks = math.ceil(days / spec.days) + 4
    return [
        f"outcomes come after {days:.0f} days (median), later than the longest window reaches: performance and money are not "
        f"watched; a window of {looks} looks would see them ([watch] windows)"
    ]


def _empty(gathered: Gathered, champion: Standing, ends: datetime) -> list[str]:
    """That silence is no good news where nothing has been answered, and whose the rows are that came all the same."""
    if len(gathered.traffic):
        return []
    n, since = gathered.by_others + gathered.before, champion.since[:16]
    left = "nothing could be judged, and no alarm is over"
    if not n:
        return [f"0 rows since the change at {since}: {left}"]
    whose = [
        f"{gathered.by_others:,} answered by another model" if gathered.by_others else "",
        f"{gathered.before:,} by the same one, about moments before that" if gathered.before else "",
    ]
    do = (
        f"look at a moment after {since} (--at)"
        if ends < datetime.fromisoformat(champion.since)
        else "look again once it has answered; a row counts at the moment that it is about (event_time)"
    )
    how = "restored" if champion.action == "roll back" else "promoted"
    return [
        f"{counted(n, 'row')} came, and none counts for the model that was {how} at {since} "
        f"({', '.join(filter(None, whose))}): {left}; {do}"
    ]


def _expected(losses: object, in_use: InUse, n: int) -> np.ndarray | None:
    """The loss that the bundle's model of losses expects of each answer (n,); None where it has none (or another reference was given)."""
    if not isinstance(losses, Chain) or in_use.features is None:
        return None
    found = np.full(n, np.nan)
    found[in_use.rows] = losses.predict(in_use.features)
    return found


def _record(
    look: Look, model: str, champion: Standing, begins: str, ends: str, alpha: float, live: Live, found: Found,
    alarms: Sequence[Alarm],
) -> WatchLook:  # fmt: skip
    window = look.window
    seen, (expected, why) = performance(look, alpha=alpha), estimated(look)
    promised = look.traffic.promised.loss
    return WatchLook(
        model=model,
        bundle_digest=champion.bundle_digest,
        begins=begins,
        ends=ends,
        budget=live.settings.watch.false_a_year,
        alpha=alpha,
        rows=len(window),
        labelled=int(window.labelled.sum()),
        share_labelled=float(window.labelled.mean()) if len(window) else float("nan"),
        found=tuple(a.id for a in alarms),
        performance=None if seen is None else seen[0],
        loss=float("nan") if seen is None else seen[1].value,
        loss_promised=float("nan") if promised is None else promised.value,
        estimate=expected,
        drift=tuple(Drift(feature=d.feature, effect=d.effect, p=d.p, moved=d.moved, money=d.money) for d in found.drift),
        gaps=tuple(
            GroupGap(attribute=g.attribute, gap=g.gap, between=g.between, thin=g.thin, measure=g.measure)
            for g in gaps_now(window, level=0.95)
        ),
        overridden=float(window.overridden.mean()) if len(window) else float("nan"),
        notes=(*found.notes, *([why] if why else [])),
    )  # fmt: skip


def open_alarms(earlier: Sequence[WatchLook]) -> list[str]:
    """Alarms that were told and are not over."""
    return list(opened(earlier))


def _tell(live: Live, model: str, looks: Sequence[WatchLook]) -> list[str]:
    """Send what the last two looks said, and what failed before, however long ago."""
    newest = {a.id: a for _, a in live.journal.read(Alarm, model=model)}
    until = timedelta(days=2.5 * live.settings.watch.days)
    fresh: list[Message] = []
    late: list[Message] = []
    for look in looks:
        later = (datetime.fromisoformat(look.ends) + until).isoformat()
        about: list[tuple[str, str]] = [(i, "begins") for i in look.told]
        if look is looks[-1]:
            standing_before = open_alarms(looks[:-1])
            about += [(i, "goes on") for i in (*look.found, *look.unjudged) if i in standing_before]
        about += [(i, "ends") for i in look.ended]
        told = [message_of(newest[i], what, look.ends, later) for i, what in about if i in newest]
        (fresh if look in looks[-2:] else late).extend(told)
    return deliver(live, model, fresh, late)


def _weight(alarm: Alarm) -> tuple[Any, ...]:
    stake = -abs(alarm.stake) if alarm.stake == alarm.stake else 0.0
    return ({"high": 0, "medium": 1, "low": 2}[alarm.severity], stake, alarm.p if alarm.p == alarm.p else 1.0, alarm.id)
