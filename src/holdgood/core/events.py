"""Progress travels as events; whoever wants to draw it passes a listener."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

EventKind: TypeAlias = Literal["step-start", "step-done", "step-reused", "step-failed", "progress", "candidate", "note"]


@dataclass(frozen=True)
class Event:
    """One thing that happened.

    ``step`` is the room's name, ``fraction`` the share of the step that is done (0 to 1, or None where unknown),
    ``best`` the best score so far in words, ``seconds_left`` an estimate until the end of the step.
    """

    kind: EventKind
    step: str
    message: str = ""
    fraction: float | None = None
    best: str = ""
    seconds_left: float | None = None
    numbers: dict[str, float] = field(default_factory=dict)


Listener: TypeAlias = Callable[[Event], None]


def silent(event: Event) -> None:
    """A listener that draws nothing."""
