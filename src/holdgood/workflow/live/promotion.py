"""Promote, roll back, retire: what stands in a model's places, each change a record with who, why and on what evidence."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from holdgood.core.errors import DataError, DeclarationError, Overtaken, did_you_mean
from holdgood.core.records import Bundle, Comparison, Promotion, Standing
from holdgood.core.records.journal import Place
from holdgood.journal import Entry
from holdgood.journal.keys import LONGEST, asked_time
from holdgood.journal.live_on import stood
from holdgood.workflow.live.approval import approved_by
from holdgood.workflow.live.conditions import against, other_task
from holdgood.workflow.live.folder import WRITER, Live

_PLACES = ("champion", "canary", "shadow")
_TRIES = 20
"""How often others may write between our look and our write."""


def promote(
    live: Live,
    bundle: Path | str,
    model: str | None = None,
    *,
    place: Place = "champion",
    share: float | None = None,
    by: str,
    why: str,
    evidence: Comparison | None = None,
    overrule: bool = False,
    when: str = "",
    instead_of: str | None = None,
) -> Promotion:
    """Put a bundle (its folder, a run folder, or the digest of one kept here) in a place of a model; returns what was written down.

    ``model``: its name in use, default the bundle's own. ``share`` (0 to 1): of the requests that a canary answers. What answers must
    fulfil ``conditions``; ``overrule`` lets it go live all the same, and ``why`` then says so for ever. A champion that came from the
    canary or the shadow leaves that place. ``when`` (UTC): from when it counts, if not now; never before the model's last change.
    ``instead_of``: the digest that must still stand in the place ("": nothing). Who changes what is live at the same time waits.
    """
    _said(by, why)
    if place not in _PLACES:
        raise DeclarationError(f"no place {place!r}", "champion, canary or shadow", "choose one of them")
    kept = live.keep_named(bundle)
    name = model or kept.name
    if not name or len(name) > LONGEST:
        raise DeclarationError("a model needs a name", f"at most {LONGEST} characters", "name it: --model NAME")

    def decided() -> list[Promotion]:
        history = _history(live, name)
        standing: dict[str, Standing] = {s.place: s for s in stood(history)}
        there = standing.get(place)
        replaces = there.bundle_digest if there else ""
        if instead_of is not None and replaces != instead_of:
            raise DataError(
                f"{replaces[:12] or 'nothing'} is the {place} of {name} by now, not {instead_of[:12] or 'nothing'}",
                "what the decision was about",
                "decide anew: nothing was changed",
            )
        _fits(standing, kept, name, place, share)
        spoken = against(live, kept, name, by=by, replaces=standing.get("champion")) if place != "shadow" else ()
        if spoken and not overrule:
            champion = standing.get("champion")
            other = champion is not None and other_task(live, kept, champion)
            raise DataError(
                f"{name} {kept.digest[:12]} does not go live: " + "; ".join(spoken),
                "gates that do not fail, and the approvals that live.toml asks for",
                "give it a name of its own: its callers would get answers to another question (--model OTHER_NAME)"
                if other
                else "mend it, have it approved (holdgood approve), or overrule with a reason: --overrule --why REASON",
            )
        moment = _moment(when, history)
        said = Promotion(
            bundle_digest=kept.digest,
            replaces=replaces,
            by=by,
            why=why,
            evidence=evidence,
            model=name,
            place=place,
            share=share if place == "canary" and share is not None else 1.0,
            run=kept.run,
            approvals=approved_by(live, name, kept.digest),
            overruled=spoken,
            when=moment,
        )
        elsewhere = [s for s in standing.values() if s.place != place and s.bundle_digest == kept.digest]
        left = elsewhere if place == "champion" else []
        return [said, *(_leaving(s, by, "it is the champion now", moment) for s in left)]

    return _written(live, decided)


def roll_back(live: Live, model: str, *, by: str, why: str, to: str = "", when: str = "") -> Promotion:
    """Put back, in one step, what was the champion before this one; ``to``: the digest of any earlier one. Its kept copy is verified first."""
    _said(by, why)

    def decided() -> list[Promotion]:
        history = _in_use(live, model)
        there = next((s for s in stood(history) if s.place == "champion"), None)
        kept = live.keep(live.bundle(_before(history, model, to)))
        said = Promotion(
            bundle_digest=kept.digest,
            replaces=there.bundle_digest if there else "",
            by=by,
            why=why,
            model=model,
            action="roll back",
            run=kept.run,
            approvals=approved_by(live, model, kept.digest),
            when=_moment(when, history),
        )
        return [said]

    return _written(live, decided)


def retire(live: Live, model: str, place: Place = "champion", *, by: str, why: str, when: str = "") -> Promotion:
    """Empty a place. A champion leaves last: a canary or a shadow without one has nobody to be compared with."""
    _said(by, why)

    def decided() -> list[Promotion]:
        history = _in_use(live, model)
        standing = {s.place: s for s in stood(history)}
        if place not in standing:
            raise DataError(
                f"{model} has no {place}", f"one of: {', '.join(standing) or 'nothing'}", "holdgood journal live-on"
            )
        others = [p for p in standing if p != place]
        if place == "champion" and others:
            raise DataError(
                f"{model} still has a {' and a '.join(others)}",
                "a champion that leaves last",
                f"retire its {others[0]} first",
            )
        return [_leaving(standing[place], by, why, _moment(when, history))]

    return _written(live, decided)


def _written(live: Live, decided: Callable[[], list[Promotion]]) -> Promotion:
    """Decide on what stands and write it down, with nobody in between: who was overtaken decides anew."""
    for _ in range(_TRIES - 1):
        with suppress(Overtaken):
            return _at_once(live, decided)
    return _at_once(live, decided)


def _at_once(live: Live, decided: Callable[[], list[Promotion]]) -> Promotion:
    head = live.journal.head(WRITER)  # before the look: promotions and approvals are in this chain
    said = decided()
    live.journal.append_many(said, WRITER, after=head)
    return said[0]


def _leaving(standing: Standing, by: str, why: str, when: str) -> Promotion:
    return Promotion(
        bundle_digest=standing.bundle_digest,
        by=by,
        why=why,
        model=standing.model,
        action="retire",
        place=standing.place,
        when=when,
    )


def _history(live: Live, model: str) -> list[tuple[Entry, Promotion]]:
    return live.journal.read(Promotion, model=model)


def _in_use(live: Live, model: str) -> list[tuple[Entry, Promotion]]:
    """The history of a model that has one; DataError with the names there are otherwise."""
    history = _history(live, model)
    if not history:
        known = sorted({said.model for _, said in live.journal.read(Promotion)})
        raise DataError(
            f"no model {model!r} was ever live in {live.path}",
            f"one of: {', '.join(known)}" if known else "a model that was live; there is none yet",
            did_you_mean(model, known) or "name one of them, or another live folder: --live FOLDER",
        )
    return history


def _before(history: Sequence[tuple[Entry, Promotion]], model: str, to: str) -> str:
    """The digest of the champion that stood before the one of now. Going back twice goes back two steps."""
    stack: list[str] = []
    once: dict[str, None] = {}
    for _, said in history:
        if said.place != "champion":
            continue
        if said.action == "roll back" and said.bundle_digest in stack:
            while stack[-1] != said.bundle_digest:
                stack.pop()
        elif said.action == "retire":
            stack.append("")
        elif not stack or stack[-1] != said.bundle_digest:
            stack.append(said.bundle_digest)
        once[said.bundle_digest] = None
    found = [d for d in once if to and d.startswith(to)] if to else [d for d in stack[:-1] if d][-1:]
    if len(found) != 1:
        others = [d for d in once if not stack or d != stack[-1]]
        if others and not to:
            listed = ", ".join(d[:12] for d in others)
            raise DataError(
                f"{model} has no earlier champion that it has not gone back from",
                f"--to with one of those that were its champion: {listed}",
                f"holdgood rollback {shlex.quote(model)} --to {others[-1][:12]} --why REASON",
            )
        raise DataError(
            f"{model} has {'no earlier champion' if not found else 'several champions'}{f' {to!r}' if to else ''}",
            "a bundle that was its champion before",
            "holdgood journal show --kind promotion --model NAME",
        )
    return found[0]


def _fits(standing: dict[str, Standing], kept: Bundle, name: str, place: str, share: float | None) -> None:
    there = standing.get(place)
    if place != "champion" and kept.task.get("kind") == "forecast":
        raise DataError(
            f"{kept.digest[:12]} forecasts series, and would be asked nothing as a {place}",
            "a champion: it alone answers /forecast and /plan",
            "promote it as the champion; holdgood rollback takes it back",
        )
    if place == "canary":
        if share is None or not 0 < share < 1:
            came = "a canary without a share" if share is None else f"a canary with a share of {share}"
            raise DeclarationError(came, "a share between 0 and 1", "a canary needs --share, for example --share 0.1")
        if "champion" not in standing:
            raise DataError(
                f"{name} has no champion", "one that answers the other requests", "promote a champion first"
            )
    elif share not in (None, 1.0):
        raise DeclarationError(f"a {place} with a share", "a share for a canary only", "leave --share out")
    if there and there.bundle_digest == kept.digest and (place != "canary" or there.share == share):
        raise DataError(f"{kept.digest[:12]} is the {place} of {name} already", "another bundle", "nothing was changed")


def _said(by: str, why: str) -> None:
    if not by.strip() or not why.strip():
        raise DeclarationError(
            "a change of what is live without a name or a reason", "who, and why", "--by NAME --why REASON"
        )


def _moment(when: str, history: Sequence[tuple[Entry, Promotion]]) -> str:
    """A stated moment, which must lie between the model's last change and now; without one, empty for now.

    Where the clock is behind the last change (it was set back, or another machine's runs ahead), right after that: nobody is kept from
    going back by a clock.
    """
    now = asked_time(datetime.now(UTC))
    last = max((entry.moment for entry, _ in history), default="")
    if not when:
        return "" if now > last else asked_time(datetime.fromisoformat(last) + timedelta(microseconds=1))
    moment = asked_time(when)
    if moment < last or moment > now:
        raise DataError(
            f"a change of what is live, dated {moment[:19]}",
            f"a moment between the last change ({last[:19] or 'none yet'}) and now",
            "history is not written anew: leave --when out",
        )
    return moment
