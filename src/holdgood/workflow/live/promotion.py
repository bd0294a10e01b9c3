"""Promote, roll back, retire: what stands in a model's places, each change a record with who, why and on what evidence."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from holdgood.core.errors import DataError, DeclarationError
from holdgood.core.records import Bundle, Comparison, Promotion, Standing
from holdgood.core.records.journal import Place
from holdgood.journal import Entry
from holdgood.journal.keys import LONGEST, asked_time
from holdgood.workflow.live.approval import approved_by
from holdgood.workflow.live.conditions import against
from holdgood.workflow.live.folder import WRITER, Live, bundle_in

_PLACES = ("champion", "canary", "shadow")


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
) -> Promotion:
    """Put a bundle (its folder, a run folder, or the digest of one kept here) in a place of a model; returns what was written down.

    ``model``: its name in use, default the bundle's own. ``share`` (0 to 1): of the requests that a canary answers. What answers must
    fulfil ``conditions``; ``overrule`` lets it go live all the same, and ``why`` then says so for ever. A champion that came from the
    canary or the shadow leaves that place. ``when`` (UTC): from when it counts, if not now; never before the model's last change.
    """
    _said(by, why)
    if place not in _PLACES:
        raise DeclarationError(f"no place {place!r}", "champion, canary or shadow", "choose one of them")
    kept = _kept(live, bundle)
    name = model or kept.name
    if not name or len(name) > LONGEST:
        raise DeclarationError("a model needs a name", f"at most {LONGEST} characters", "name it: --model NAME")
    history = _history(live, name)
    standing: dict[str, Standing] = {s.place: s for s in live.standing(name)}
    _fits(standing, kept, name, place, share)
    spoken = against(live, kept, name, by=by, replaces=standing.get("champion")) if place != "shadow" else ()
    if spoken and not overrule:
        raise DataError(
            f"{name} {kept.digest[:12]} does not go live: " + "; ".join(spoken),
            "gates that do not fail, and the approvals that live.toml asks for",
            "mend it, have it approved (holdgood approve), or overrule with a reason: --overrule --why REASON",
        )
    moment = _moment(when, history)
    there = standing.get(place)
    said = Promotion(
        bundle_digest=kept.digest,
        replaces=there.bundle_digest if there else "",
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
    left = [s for s in standing.values() if s.place != place and s.bundle_digest == kept.digest and place == "champion"]
    leaves = [_leaving(s, by, "it is the champion now", moment) for s in left]
    live.journal.append_many([said, *leaves], WRITER)
    return said


def roll_back(live: Live, model: str, *, by: str, why: str, to: str = "", when: str = "") -> Promotion:
    """Put back, in one step, what was the champion before this one; ``to``: the digest of any earlier one. Its kept copy is verified first."""
    _said(by, why)
    history = _history(live, model)
    there, target = live.at(model), _before(history, model, to)
    kept = live.keep(live.bundle(target))
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
    live.journal.append(said, WRITER)
    return said


def retire(live: Live, model: str, place: Place = "champion", *, by: str, why: str, when: str = "") -> Promotion:
    """Empty a place. A champion leaves last: a canary or a shadow without one has nobody to be compared with."""
    _said(by, why)
    standing = {s.place: s for s in live.standing(model)}
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
    said = _leaving(standing[place], by, why, _moment(when, _history(live, model)))
    live.journal.append(said, WRITER)
    return said


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


def _kept(live: Live, bundle: Path | str) -> Bundle:
    path = bundle_in(bundle)
    return live.keep(path if path.is_dir() else live.bundle(str(bundle)))


def _history(live: Live, model: str) -> list[tuple[Entry, Promotion]]:
    return live.journal.read(Promotion, model=model)


def _before(history: Sequence[tuple[Entry, Promotion]], model: str, to: str) -> str:
    """The digest of the champion that stood before the one of now. Going back twice goes back two steps."""
    stack: list[str] = []
    once: set[str] = set()
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
        once.add(said.bundle_digest)
    found = [d for d in once if to and d.startswith(to)] if to else [d for d in stack[:-1] if d][-1:]
    if len(found) != 1:
        raise DataError(
            f"{model} has {'no earlier champion' if not found else 'several champions'}{f' {to!r}' if to else ''}",
            "a bundle that was its champion before",
            "holdgood journal show --kind promotion --model NAME",
        )
    return found[0]


def _fits(standing: dict[str, Standing], kept: Bundle, name: str, place: str, share: float | None) -> None:
    there = standing.get(place)
    if place == "canary":
        if share is None or not 0 < share < 1:
            raise DeclarationError(f"a canary with a share of {share}", "between 0 and 1", "for example --share 0.1")
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
    """A stated moment, which must lie between the model's last change and now."""
    now = asked_time(datetime.now(UTC))
    moment = asked_time(when) if when else now
    last = max((entry.moment for entry, _ in history), default="")
    if moment < last or moment > now:
        raise DataError(
            f"a change of what is live, dated {moment[:19]}",
            f"a moment between the last change ({last[:19] or 'none yet'}) and now",
            "history is not written anew: leave --when out",
        )
    return moment if when else ""
