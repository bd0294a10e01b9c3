"""Approve: a person lets a bundle answer, or does not. The newest word of each person counts."""

from __future__ import annotations

from pathlib import Path

from holdgood.core.errors import DataError, DeclarationError, did_you_mean
from holdgood.core.records import Approval
from holdgood.workflow.live.folder import WRITER, Live


def approve(
    live: Live, bundle: Path | str, model: str | None = None, *, who: str, why: str = "", approved: bool = True
) -> Approval:
    """Write down what a person says of a bundle (its folder, a run folder, or the digest of one kept here). The bundle is kept, so that
    what is promoted later is what was looked at.
    """
    if not who.strip():
        raise DeclarationError("an approval without a name", "who approves", "--by NAME")
    named = live.settings.approval.by
    if named and who not in named:
        raise DeclarationError(
            f"{who!r} is not among those who approve",
            "one of: " + ", ".join(named),
            did_you_mean(who, named) or "see live.toml",
        )
    if not approved and not why.strip():
        raise DataError("a refusal without a reason", "why it may not go live", "--why REASON")
    kept = live.keep_named(bundle)
    said = Approval(model=model or kept.name, bundle_digest=kept.digest, approved=approved, who=who, why=why)
    live.journal.append(said, WRITER)
    return said


def words_on(live: Live, model: str, digest: str) -> dict[str, bool]:
    """The newest word of everybody whose word counts on a bundle."""
    named = live.settings.approval.by
    said = [a for _, a in live.journal.read(Approval, model=model) if a.bundle_digest == digest]
    return {a.who: a.approved for a in said if not named or a.who in named}


def refused_by(live: Live, model: str, digest: str) -> tuple[str, ...]:
    """Who said no."""
    return tuple(who for who, yes in words_on(live, model, digest).items() if not yes)


def approved_by(live: Live, model: str, digest: str) -> tuple[str, ...]:
    """Who said yes."""
    return tuple(who for who, yes in words_on(live, model, digest).items() if yes)
