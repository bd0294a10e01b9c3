"""Findings that somebody decided about: accepted (true, and lived with) or ignored (not so), with name and reason; stale rules told."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from holdgood.core.declaration import IgnoreSpec
from holdgood.core.records.audit import Finding


@dataclass(frozen=True)
class Settled:
    """What rules leave of a check's findings: ``live`` open ones, ``gone`` decided ones, and what to say about the rules.

    ``wholly``: every finding is decided. ``reason`` and ``who`` are empty where no rule of the check said anything.
    """

    live: tuple[Finding, ...]
    gone: tuple[Finding, ...]
    who: str
    reason: str

    @property
    def wholly(self) -> bool:
        """Whether findings were there, and none is open."""
        return bool(self.gone) and not self.live


def settle(findings: Sequence[Finding], rules: Sequence[IgnoreSpec]) -> Settled:
    """Apply the rules of one check. A rule without columns or table stands for all of them.

    Where a finding keeps some of its columns it stays open for these, and its message says who decided about the others.
    """
    used: set[int] = set()
    live: list[Finding] = []
    gone: list[Finding] = []
    for finding in findings:
        left, hit = _left(finding, rules)
        used |= hit
        (gone if left is None else live).append(finding if left is None else left)
    stale = [r for i, r in enumerate(rules) if i not in used]
    acted = [r for i, r in enumerate(rules) if i in used]
    said = [_why(r) for r in acted] + [
        f"{_what(r)} matches no finding (holdgood ignore --undo {r.code})" for r in stale
    ]
    if gone and live:
        said += [f"settled: {f.message}" for f in gone]
    named = acted or stale
    return Settled(tuple(live), tuple(gone), _joined(r.who for r in named), _joined(said, "; "))


def _left(finding: Finding, rules: Sequence[IgnoreSpec]) -> tuple[Finding | None, set[int]]:
    """The finding without what was decided (None: nothing is left), and the positions of the rules that acted."""
    here = [i for i, r in enumerate(rules) if r.table in (None, finding.table)]
    whole = [i for i in here if not rules[i].columns]
    by_column = {c: i for i in reversed(here) for c in rules[i].columns}
    hit = [c for c in finding.columns if c in by_column]
    used = {*whole, *(by_column[c] for c in hit)}
    if whole:
        return None, used
    if not hit:
        return finding, used
    kept = tuple(c for c in finding.columns if c not in by_column)
    if not kept:
        return None, used
    told = ", ".join(f"`{c}` {_word(rules[by_column[c]])} by {rules[by_column[c]].who}" for c in hit)
    return finding.model_copy(update={"columns": kept, "message": f"{finding.message} ({told})"}), used


def accepted_late(findings: Sequence[Finding], rules: Sequence[IgnoreSpec]) -> tuple[tuple[str, str], ...]:
    """Late columns that somebody accepted as late: true, so that they stay out of the features."""
    out = []
    for finding in findings:
        here = [r for r in rules if r.table in (None, finding.table)]
        for column in finding.columns if finding.late else ():
            acting = next((r for r in here if column in r.columns), None) or next(
                (r for r in here if not r.columns), None
            )
            if acting is not None and acting.decision == "accept":
                out.append((finding.table, column))
    return tuple(dict.fromkeys(out))


def _word(rule: IgnoreSpec) -> str:
    return "accepted" if rule.decision == "accept" else "ignored"


def _why(rule: IgnoreSpec) -> str:
    """The reason; an acceptance says that it is one, and a dated decision its day."""
    if rule.decision == "accept":
        return f"accepted{f' on {rule.on}' if rule.on else ''} because {rule.why}"
    return f"{rule.why} ({rule.on})" if rule.on else rule.why


def _what(rule: IgnoreSpec) -> str:
    where = ", ".join(f"`{c}`" for c in rule.columns)
    where = " of ".join([*([where] if where else []), *([f"`{rule.table}`"] if rule.table else [])])
    return f"the rule by {rule.who} ({_word(rule)}: {rule.why}){f' for {where}' if where else ''}"


def _joined(words: Iterable[str], between: str = ", ") -> str:
    return between.join(dict.fromkeys(words))
