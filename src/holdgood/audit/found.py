"""How a check says what it found: plain words, numbers, names in backticks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Literal

from holdgood.core.protocols import Check
from holdgood.core.records.audit import EXAMPLES, Finding, Picture, Proposal, Severity, Sure
from holdgood.core.text import counted as counted

Evidence = Mapping[str, float | int | str | None]


def found(
    check: Check,
    level: Literal["issue", "tip"],
    severity: Severity,
    table: str,
    columns: Sequence[str],
    message: str,
    *,
    rows: int = 0,
    evidence: Evidence | None = None,
    proposal: Proposal | None = None,
    late: bool = False,
    sure: Sure = "certain",
    examples: Iterable[int] = (),
    picture: Picture | None = None,
) -> Finding:
    """A finding that carries the check's code and title."""
    return Finding(
        code=check.code,
        title=check.title,
        level=level,
        severity=severity,
        table=table,
        columns=tuple(columns),
        message=message,
        evidence=dict(evidence or {}),
        rows=int(rows),
        proposal=proposal,
        late=late,
        sure=sure,
        examples=tuple(int(r) for r in islice(examples, EXAMPLES)),
        picture=picture,
    )


def listed(names: Sequence[str], limit: int = 6) -> str:
    """Names in backticks, joined as in a sentence; long lists are cut and counted.

    >>> listed(["a", "b", "c"]), listed([str(i) for i in range(9)], 2)
    ('`a`, `b` and `c`', '`0`, `1` and 7 more')
    """
    shown = [f"`{n}`" for n in names[:limit]]
    if len(names) > limit:
        return ", ".join(shown) + f" and {len(names) - limit:,} more"
    return shown[0] if len(shown) == 1 else ", ".join(shown[:-1]) + " and " + shown[-1]


def percent(part: float, whole: float) -> str:
    """A share in words that never rounds something to nothing or almost all to all.

    >>> percent(1, 3), percent(1, 100_000), percent(99_999, 100_000), percent(5, 5)
    ('33.3%', 'under 0.01%', 'over 99.9%', '100%')
    """
    if whole <= 0 or part <= 0:
        return "0%"
    share = 100.0 * part / whole
    if share >= 100.0:
        return "100%"
    if share > 99.9:
        return "over 99.9%"
    if share < 0.01:
        return "under 0.01%"
    return f"{share:.2f}%" if share < 1.0 else f"{share:.1f}%"


def number(value: float) -> str:
    """A number as a person would write it.

    >>> number(-999.0), number(0.12345678), number(1234567.0)
    ('-999', '0.1235', '1,234,567')
    """
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    return f"{value:.4g}"


def is_are(names: Sequence[object]) -> str:
    """The verb that fits."""
    return "is" if len(names) == 1 else "are"
