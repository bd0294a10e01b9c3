"""What is told: an alarm that begins, goes on or is over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from holdgood.core.records import Alarm


class Undelivered(Exception):
    """A message did not arrive; the text says why, without secrets."""


@dataclass(frozen=True)
class Message:
    """``key``: names this message for the receiver, the same at every attempt. ``at``: UTC, ISO; ``until``: by when the next word comes."""

    alarm: Alarm
    about: Literal["begins", "goes on", "ends"]
    key: str
    at: str
    until: str

    @property
    def subject(self) -> str:
        """One line, without line breaks whatever names hold."""
        state = "over: " if self.about == "ends" else ""
        return _line(f"[{self.alarm.severity}] {self.alarm.model}: {state}{self.alarm.title} ({self.alarm.subject})")[
            :200
        ]

    @property
    def text(self) -> str:
        """What happened, how sure it is, and what to do."""
        a = self.alarm
        stake = f"At stake: {a.stake:,.0f} {a.currency}\n" if a.stake == a.stake else ""
        over = f"This is over since {self.at}.\n" if self.about == "ends" else ""
        return (
            f"{over}{_line(a.message)}\n{stake}What to do: {_line(a.todo)}\n\n"
            f"Model {_line(a.model)}, {a.code}, rows from {a.begins} until {a.ends}. Alarm {a.id}; stated rate of false alarms of the look: {a.alpha:.2g}.\n"
        )


def _line(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)
