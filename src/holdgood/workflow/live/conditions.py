"""What must hold before a bundle answers anybody."""

from __future__ import annotations

from holdgood.bundle import verify
from holdgood.core.errors import BundleError, DataError
from holdgood.core.records import Bundle, Standing
from holdgood.workflow.live.approval import approved_by, refused_by
from holdgood.workflow.live.folder import Live, verdict_of


def against(live: Live, kept: Bundle, model: str, *, by: str, replaces: Standing | None) -> tuple[str, ...]:
    """What speaks against a kept bundle, a sentence each: failed gates, a person's no, approvals that are missing, another task.

    A bundle without a verdict (a forecast) has no gates. Who promotes is not counted among those who approve.
    """
    said = failed_gates(live, kept)
    said += [f"{who} refused it" for who in refused_by(live, model, kept.digest)]
    asked = live.settings.approval
    yes = approved_by(live, model, kept.digest)
    have = [who for who in yes if who != by]
    if len(have) < asked.needed:
        named = f" of {', '.join(asked.by)}" if asked.by else ""
        own = f" ({by} promotes it and so does not count among them)" if by in (*yes, *asked.by) else ""
        said.append(f"{len(have)} of {asked.needed} approvals{named}{own}")
    if replaces is not None:
        said += other_task(live, kept, replaces)
    return tuple(said)


def failed_gates(live: Live, kept: Bundle) -> list[str]:
    """The failed gates of a kept bundle, a sentence each: no approval makes up for one."""
    verdict = verdict_of(live.bundle(kept.digest), kept)
    return [f"gate {g.name!r} failed: {g.observed}" for g in (verdict.gates if verdict else ()) if g.status == "failed"]


def other_task(live: Live, kept: Bundle, champion: Standing) -> list[str]:
    """Whether it answers another question than the champion does: callers would get what they cannot read."""
    try:
        now = verify(live.bundle(champion.bundle_digest)).task
    except (BundleError, DataError):
        return []  # the champion's own copy is damaged or gone: that must not keep a sound one out
    changed = [k for k in ("kind", "classes", "target") if kept.task.get(k) != now.get(k)]
    return [f"its {k} is {kept.task.get(k)!r}, the champion's {now.get(k)!r}" for k in changed]
