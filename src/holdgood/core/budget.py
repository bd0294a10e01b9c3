"""A budget is wall-clock seconds or work units; a clock counts down from the call, not from the first fit."""

from __future__ import annotations

import math
import re
import time
from dataclasses import dataclass, field, replace

from holdgood.core.errors import DeclarationError

_UNIT_SECONDS = {"s": 1.0, "sec": 1.0, "second": 1.0, "seconds": 1.0, "m": 60.0, "min": 60.0, "minute": 60.0}
_UNIT_SECONDS |= {"minutes": 60.0, "h": 3600.0, "hour": 3600.0, "hours": 3600.0, "d": 86400.0, "day": 86400.0}
_UNIT_SECONDS |= {"days": 86400.0, "ms": 0.001, "w": 604800.0, "week": 604800.0, "weeks": 604800.0}


def seconds_of(text: str | float) -> float:
    """Read a duration such as ``"60s"``, ``"2 minutes"``, ``"1h30m"`` or plain seconds.

    >>> seconds_of("1h30m"), seconds_of("2 minutes"), seconds_of(5)
    (5400.0, 120.0, 5.0)
    """
    if isinstance(text, (int, float)) and not isinstance(text, bool):
        if not math.isfinite(text) or text < 0:
            raise DeclarationError(f"a duration of {text}", "seconds, zero or more", 'write for example "60s"')
        return float(text)
    found = re.findall(r"(\d+(?:\.\d+)?)\s*([a-zA-Z]*)", str(text))
    rest = re.sub(r"(\d+(?:\.\d+)?)\s*([a-zA-Z]*)", "", str(text)).strip()
    if not found or rest or any(unit and unit.lower() not in _UNIT_SECONDS for _, unit in found):
        raise DeclarationError(
            f"a duration of {text!r}",
            "a number and a unit: s, min, h, d",
            'write for example "60s" or "2 hours" (a budget of work is written "trials=20")',
        )
    return sum(float(number) * _UNIT_SECONDS[unit.lower() or "s"] for number, unit in found)


@dataclass(frozen=True)
class Budget:
    """What may be spent: ``seconds`` of wall clock from call to return, or ``trials`` (work units, replayable).

    One trial is one candidate with all its folds. With ``trials`` set the clock is not looked at, so that the same
    seed gives the same result to the bit.
    """

    seconds: float | None = None
    trials: int | None = None

    @classmethod
    def parse(cls, value: str | float | int | Budget | None, default: str = "120s") -> Budget:
        """Read ``"60s"``, ``60.0``, ``"trials=40"`` or an existing budget.

        >>> Budget.parse("trials=40").trials, Budget.parse("2 min").seconds
        (40, 120.0)
        """
        if isinstance(value, Budget):
            return value
        text = default if value is None else value
        if isinstance(text, str) and (match := re.fullmatch(r"\s*trials\s*=\s*(\d+)\s*", text)):
            if int(match.group(1)) < 1:
                raise DeclarationError("a budget of 0 trials", "at least one trial", 'write for example "trials=10"')
            return cls(trials=int(match.group(1)))
        seconds = seconds_of(text)
        if seconds <= 0:
            raise DeclarationError(f"a budget of {text!r}", "more than zero seconds", 'write for example "60s"')
        return cls(seconds=seconds)

    def __str__(self) -> str:
        return f"trials={self.trials}" if self.trials is not None else f"{self.seconds:g}s"

    @property
    def bounds(self) -> str:
        """What of a run it bounds, in words."""
        if self.trials is not None:
            return f"budget {self}: bounds training, whose clock is not looked at"
        return (
            f"budget {self}: training gets what the other steps leave of it; these are done in any case, "
            "so that a run with a short budget takes longer"
        )


@dataclass(frozen=True)
class Clock:
    """A started budget. ``left()`` is infinite under a work budget."""

    budget: Budget
    started: float = field(default_factory=time.monotonic)

    def spent(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self.started

    def left(self) -> float:
        """Seconds until the budget ends; infinite for work budgets, never below zero."""
        return math.inf if self.budget.seconds is None else max(0.0, self.budget.seconds - self.spent())

    def ending_in(self, seconds: float) -> Clock:
        """The same budget on a clock that ends in so many seconds, or sooner; a work budget has no such end."""
        if self.budget.seconds is None:
            return self
        return replace(self, started=time.monotonic() - max(self.spent(), self.budget.seconds - seconds))
