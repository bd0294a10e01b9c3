"""Tend a model in use, one step after the other: consider, retrain, compare, promote, watch the new one, go back.

What has happened stands in the journal and nowhere else, so that a pass that was killed is taken up by the next one, and a pass that is
started twice does nothing twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np

from holdgood.bundle import verify
from holdgood.core.errors import DataError, DeclarationError, did_you_mean
from holdgood.core.events import Listener, silent
from holdgood.core.records import ChallengeLook, Promotion, RetrainDecision, Standing
from holdgood.core.text import counted
from holdgood.journal.outcomes import Outcomes, outcomes
from holdgood.retraining import decide
from holdgood.workflow.folder import Project
from holdgood.workflow.live.alone import alone
from holdgood.workflow.live.approval import refused_by
from holdgood.workflow.live.conditions import against
from holdgood.workflow.live.duel import Pair, Phase, earlier_looks, look_at, refused_by_shadow
from holdgood.workflow.live.folded import fold, foldable
from holdgood.workflow.live.folder import RETRAINING, WRITER, Live
from holdgood.workflow.live.fresh import on_newest
from holdgood.workflow.live.promised import held_out, run_of
from holdgood.workflow.live.promotion import promote, retire, roll_back
from holdgood.workflow.live.told import meant, moment_of, stray, us_of
from holdgood.workflow.live.weighing import gather
from holdgood.workflow.predict import Predictor
from holdgood.workflow.run import run

POLICY = "the policy"
_MOST_STEPS = 8
_MOST_NAMED = 10


@dataclass(frozen=True)
class Step:
    """One thing that was done or found. ``on``: whether the next step can be taken at once."""

    what: str
    sentence: str
    on: bool = False
    waits: bool = False


@dataclass(frozen=True)
class Tended:
    """A pass over one model: its steps, and what it waits for, if for a person."""

    model: str
    steps: tuple[Step, ...]

    @property
    def waits(self) -> str:
        """What somebody has to do; empty where nobody has."""
        return next((s.sentence for s in self.steps if s.waits), "")


@dataclass(frozen=True)
class Asked:
    """How a pass was started. ``now`` (UTC); ``dated``: changes count from ``now``, which is in the past."""

    live: Live
    model: str
    project: Project | None
    new: tuple[str, ...]
    related: Mapping[str, Sequence[str]]
    now: datetime
    dated: bool
    auto: bool
    by: str
    listener: Listener

    @property
    def when(self) -> str:
        """For the records of what is live."""
        return self.now.isoformat() if self.dated else ""


def tend(
    live: Live,
    model: str | None = None,
    *,
    project: Project | None = None,
    new: Sequence[str] = (),
    related: Mapping[str, Sequence[str]] | None = None,
    now: datetime | None = None,
    auto: bool = False,
    by: str = POLICY,
    listener: Listener = silent,
) -> Tended:
    """Do for one model whatever its policy asks for now, until nothing more can be done.

    ``project``: whose declaration is trained again; without one the bundle's own is. ``new``: files of new rows with outcomes;
    ``related``: files of further rows by joined table. ``auto``: a challenger that has won goes live without asking, whatever
    ``[policy]`` says; what ``[approval]`` asks for still holds. ``now``: look from a moment in the past.

    Raises DataError where the model has no champion, DeclarationError for a moment that is still to come, EnvironmentFault where another pass
    is under way.
    """
    name = _named(live, model)
    clock = datetime.now(UTC)
    moment = (now or clock).astimezone(UTC)
    # told now, and not by the promotion at the end of a training of hours
    if not by.strip():
        raise DeclarationError("a pass without a name", "whose word it is", "--by NAME, or leave it out")
    if moment > clock:
        raise DeclarationError(f"a look as of {moment.isoformat()[:19]}", "a moment in the past", "leave --as-of out")
    done: list[Step] = []
    with alone(live, "retrain", "tended", name) as held:
        asked = Asked(held, name, project, tuple(new), related or {}, moment, now is not None, auto, by, listener)
        while len(done) < _MOST_STEPS:
            step = _next(asked)
            done.append(step)
            if not step.on:
                break
    return Tended(name, tuple(done))


def _next(asked: Asked) -> Step:
    """The one thing that is due."""
    standing = {s.place: s for s in asked.live.standing(asked.model)}
    champion, shadow = standing["champion"], standing.get("shadow")
    if shadow is not None and shadow.bundle_digest == champion.bundle_digest:
        retire(asked.live, asked.model, "shadow", by=asked.by, why="it is the champion again", when=asked.when)
        return Step("clear", "the shadow is empty again", on=True)
    if shadow is not None:
        return _compare(asked, champion, shadow)
    if _probation_due(asked, champion):
        promote(
            asked.live, champion.replaces, asked.model, place="shadow", by=asked.by, when=asked.when,
            why=f"probation of {champion.bundle_digest[:12]}: what it replaced answers beside it",
        )  # fmt: skip
        return Step(
            "probation",
            f"{champion.replaces[:12]} answers in the shadow of its successor, which is on probation",
            on=True,
        )
    waiting = _undone(asked)
    return _train(asked, champion, waiting) if waiting is not None else _consider(asked, champion)


def _consider(asked: Asked, champion: Standing) -> Step:
    """Retrain, do not, or not yet: on the record, with reasons."""
    seen = gather(asked.live, asked.model, champion, asked.project, asked.now)
    found = decide(seen.evidence, asked.live.settings.policy).model_copy(
        update={
            "model": asked.model,
            "bundle_digest": champion.bundle_digest,
            "performance": seen.evidence.performance,
            "new_rows": seen.evidence.new_rows,
            "as_of": asked.now.isoformat(),
            "by": asked.by,
        }
    )
    last = _last(asked)
    if last is None or (last.decision, last.reasons) != (found.decision, found.reasons):
        asked.live.journal.append(found, WRITER)
    return Step(found.decision, "; ".join(found.reasons), on=found.decision == "retrain")


def _train(asked: Asked, champion: Standing, decision: RetrainDecision) -> Step:
    """The same declaration on new data, then the challenger's own verdict, then its place in the shadow (or the test at once)."""
    live, policy = asked.live, asked.live.settings.policy
    predictor = Predictor.load(live.bundle(champion.bundle_digest))
    known, bare, strays = _learnable(asked, predictor, moment_of(decision.as_of))
    if known is None and bare and asked.project is None and not asked.new:
        raise DataError(
            f"no rows to learn from: the journal has outcomes of {bare:,} answers and no facts of them (keep.facts = false)",
            "rows with their outcome",
            "give them as files: --new FILE; or keep facts from now on (live.toml)",
        )
    folded = fold(
        live.path / RETRAINING,
        predictor,
        asked.project,
        policy,
        new=asked.new,
        related=asked.related,
        known=known,
        now=asked.now,
    )
    done = run(folded.project, listener=asked.listener)
    made = verify(done.bundle)
    told = f"run {done.id} learned from {counted(folded.rows, 'row')}, {folded.from_journal:,} of them from the journal"
    told += f" (it keeps no facts of {counted(bare, 'answer')} with an outcome)" if bare else ""
    if strays:
        listed = ", ".join(strays[:_MOST_NAMED]) + (", …" if len(strays) > _MOST_NAMED else "")
        told += f"; {counted(len(strays), 'label')} left out, no outcome that the model knows: {listed}"
    corrected = folded.log.entries[0]
    told += f"; {corrected.sentence}" if corrected.cells_changed else ""
    pair = Pair(asked.model, champion.bundle_digest, made.digest, 0, "held out", done.id)
    failed = [g.sentence for g in done.verdict.gates if g.status == "failed"] if policy.gates else []
    if failed or made.digest == champion.bundle_digest:
        why = "it is the same model" if not failed else f"its own gates failed ({'; '.join(failed)})"
        look = ChallengeLook(
            model=asked.model, champion=pair.champion, challenger=pair.challenger, phase="gates", decision="keep", reason=why, run=done.id
        )  # fmt: skip
        live.journal.append_many([folded.log, look], WRITER)
        return Step("keep", f"{told}; {why}, the champion stays")
    if policy.fresh_rows == "shadow":
        live.journal.append(folded.log, WRITER)
        promote(
            live, done.bundle, asked.model, place="shadow", by=asked.by, why=f"challenger: {told}", when=asked.when,
            instead_of="",
        )  # fmt: skip
        return Step("shadow", f"{told}; challenger {made.digest[:12]} answers in the shadow")
    pair = replace(pair, since=_learned_until(asked, champion))
    look_now = on_newest(pair, predictor, done, folded, policy)
    if look_now is None:
        raise DataError(
            "no rows that neither model has learned from",
            "rows that came after both were made",
            'wait for newer rows, or compare in the shadow: fresh_rows = "shadow"',
        )
    live.keep(done.bundle)
    live.journal.append_many([folded.log, look_now], WRITER)
    if look_now.decision != "promote":
        return Step("keep", f"{told}; {look_now.reason}")
    return _go_live(asked, champion, made.digest, look_now)


def _compare(asked: Asked, champion: Standing, shadow: Standing) -> Step:
    """A look at the pair; what it decides is done, or waited for."""
    phase: Phase = "probation" if shadow.bundle_digest == champion.replaces else "shadow"
    since = max(moment_of(shadow.since), moment_of(champion.since))
    pair = Pair(
        asked.model, champion.bundle_digest, shadow.bundle_digest, round(since.timestamp() * 1e6), phase, shadow.run
    )
    past = earlier_looks(asked.live.journal, pair)
    look = past[-1] if past and past[-1].decision != "not yet" else None
    if look is None:
        predictor = Predictor.load(asked.live.bundle(champion.bundle_digest))
        look = look_at(asked.live.journal, pair, predictor, asked.live.settings.policy, asked.now)
        if look is None:
            refused = refused_by_shadow(asked.live.journal, pair, asked.now)
            told = f"; its contract refused {refused:,} requests that the champion answered" if refused else ""
            return Step("not yet", f"{phase}: too few new outcomes for a look at {shadow.bundle_digest[:12]}{told}")
        asked.live.journal.append(look, WRITER)
    if look.decision == "not yet":
        return Step("not yet", f"{phase}: {look.reason}")
    if phase == "probation":
        return _end_probation(asked, shadow, look)
    if look.decision == "promote":
        return _go_live(asked, champion, shadow.bundle_digest, look)
    retire(asked.live, asked.model, "shadow", by=asked.by, why=look.reason, when=asked.when)
    return Step("keep", look.reason)


def _go_live(asked: Asked, champion: Standing, digest: str, look: ChallengeLook) -> Step:
    """Promote where the policy lets it, and nothing speaks against it."""
    live = asked.live
    there = live.at(asked.model)
    if there is None or there.bundle_digest != champion.bundle_digest:  # training takes hours, in which people act
        return Step("not yet", f"{look.reason}; but another champion answers by now: the next pass looks anew")
    if no := refused_by(live, asked.model, digest):
        said = f"{look.reason}; but {', '.join(no)} refused it: the champion stays"
        shadow = live.at(asked.model, "shadow")
        if shadow is not None and shadow.bundle_digest == digest:
            retire(live, asked.model, "shadow", by=asked.by, why=said, when=asked.when)
        return Step("keep", said)
    kept = verify(live.bundle(digest))
    spoken = against(live, kept, asked.model, by=asked.by, replaces=champion)
    if spoken:
        return Step("waits", f"{look.reason}; it does not go live yet: {'; '.join(spoken)}", waits=True)
    if live.settings.policy.promote == "ask" and not asked.auto:
        todo = f"holdgood promote {digest[:12]}, or holdgood retrain --auto"
        return Step("waits", f"{look.reason}; a person lets it go live: {todo}", waits=True)
    promote(
        live, digest, asked.model, by=asked.by, why=look.reason, evidence=look.comparison, when=asked.when,
        instead_of=champion.bundle_digest,
    )  # fmt: skip
    return Step("promote", look.reason, on=True)


def _end_probation(asked: Asked, shadow: Standing, look: ChallengeLook) -> Step:
    """Go back where the replaced model is proven better, else let it rest."""
    live = asked.live
    if look.decision == "keep":
        retire(live, asked.model, "shadow", by=asked.by, why=look.reason, when=asked.when)
        return Step("confirmed", f"probation passed: {look.reason}")
    if live.settings.policy.roll_back == "ask" and not asked.auto:
        return Step(
            "waits", f"{look.reason}; a person goes back: holdgood rollback {asked.model} --why REASON", waits=True
        )
    roll_back(live, asked.model, to=shadow.bundle_digest, by=asked.by, why=look.reason, when=asked.when)
    return Step("roll back", look.reason, on=True)


def _learnable(asked: Asked, predictor: Predictor, as_of: datetime) -> tuple[Outcomes | None, int, list[str]]:
    """Labelled predictions with their facts; how many labelled ones have none; ids of labels that are no outcome of the task.

    Which rows: those labelled when the decision was taken, so that a pass that was killed is taken up with the same. What came out: the
    newest word now, so that a label that stopped a training can be corrected.
    """
    found = outcomes(asked.live.journal, asked.model, as_of=as_of)
    if asked.now > as_of:
        decided = set(found.id[found.labelled].tolist())
        found = outcomes(asked.live.journal, asked.model, as_of=asked.now)
        found = found.where(np.array([i in decided for i in found.id], bool))
    there = found.labelled & found.final & ~found.censored & (found.place != "shadow") & (found.verdict != "refused")
    found, task = found.where(there), predictor.task
    # a word that is no class would make another task of it, for which nothing else was declared
    none = np.array([stray(label, task) is not None for label in found.label], bool)
    strays, found = list(dict.fromkeys(map(str, found.id[none]))), found.where(~none)
    for i, label in enumerate(found.label):
        if not isinstance(label, Mapping) and task.classes:
            found.label[i] = meant(label, task)
    told = np.array([facts is not None for facts in found.facts], bool)
    kept, bare = found.where(told), int((~told).sum())
    if asked.new and not foldable(kept, predictor.declaration.task.target):
        return None, bare, strays  # the files bring the outcomes that these labels cannot be turned into
    return (kept if len(kept) else None), bare, strays


def _learned_until(asked: Asked, champion: Standing) -> int:
    """The newest row that the champion has learned from or was judged on, in microseconds; when it went live where that isn't known."""
    kept = held_out(run_of(asked.project, champion.run, champion.bundle_digest))
    if kept is not None and len(kept.moment):
        return int(kept.moment.max())
    return us_of(champion.since)


def _probation_due(asked: Asked, champion: Standing) -> bool:
    """Once after each promotion over another model, never after going back."""
    if not asked.live.settings.policy.probation_rows or champion.action != "promote" or not champion.replaces:
        return False
    since = moment_of(champion.since)
    begun = asked.live.journal.read(Promotion, model=asked.model)
    return not any(
        p.place == "shadow" and p.bundle_digest == champion.replaces and moment_of(e.moment) >= since for e, p in begun
    )


def _last(asked: Asked) -> RetrainDecision | None:
    found = asked.live.journal.read(RetrainDecision, model=asked.model)
    return found[-1][1] if found else None


def _undone(asked: Asked) -> RetrainDecision | None:
    """A decision to retrain that nothing followed yet: the pass that took it was killed, or has just taken it."""
    decided = asked.live.journal.read(RetrainDecision, model=asked.model)
    if not decided or decided[-1][1].decision != "retrain":
        return None
    number = decided[-1][0].number
    looks = asked.live.journal.read(ChallengeLook, model=asked.model)
    changes = asked.live.journal.read(Promotion, model=asked.model)
    after = [e for e, _ in (*looks, *changes) if e.writer == decided[-1][0].writer and e.number > number]
    return None if after else decided[-1][1]


def _named(live: Live, model: str | None) -> str:
    names = [s.model for s in live.standing() if s.place == "champion"]
    if model in names or (model is None and len(names) == 1):
        return model or names[0]
    raise DataError(
        f"{live.path.name} has {'no champion' if not names else f'{len(names)} champions'}"
        + (f" named {model!r}" if model else ""),
        "one of: " + ", ".join(names) if names else "a model that answers",
        did_you_mean(model or "", names) or ("--model NAME" if names else "holdgood promote RUN"),
    )
