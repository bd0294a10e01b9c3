"""In which order candidates have their turn."""

from __future__ import annotations

from collections.abc import Sequence

from holdgood.core.errors import DataError
from holdgood.core.protocols import Candidate


def in_order(
    candidates: Sequence[Candidate], most: int | None, as_given: bool = False
) -> tuple[list[Candidate], list[Candidate]]:
    """First configurations by rung, then all others as given (or all ``as_given``); what is beyond ``most`` comes apart."""
    if not candidates:
        raise DataError("training was given no candidates", "at least the prior", "check budget.models")
    names = [c.name for c in candidates]
    twice = [n for i, n in enumerate(names) if n in names[:i] or n in ("chosen", "ensemble")]
    if twice:
        raise DataError(
            f"candidates share the name {twice[0]!r}",
            "one name each, and none called 'chosen' or 'ensemble'",
            "rename one of them",
        )
    families = [c.family for c in candidates]
    firsts = [i for i, family in enumerate(families) if families.index(family) == i]
    firsts.sort(key=lambda i: (candidates[i].rung, i))
    ordered = [candidates[i] for i in firsts] + [c for i, c in enumerate(candidates) if i not in firsts]
    ordered = list(candidates) if as_given else ordered
    return ordered[:most], ordered[most:] if most is not None else []
