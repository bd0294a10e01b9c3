"""What the terminal shows: records as text, progress as it happens. Formatting only."""

from __future__ import annotations

import json
import math
import time
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.live import Live
from rich.table import Table as Grid
from rich.text import Text

if TYPE_CHECKING:
    # only named in annotations: --help must not wait for pydantic
    from holdgood.core.events import Event
    from holdgood.core.records import FairnessReport, Interval, Leaderboard, Verdict

COLOURS = {
    "issue": "red",
    "tip": "yellow",
    "passed": "green",
    "failed": "red",
    "open": "yellow",
    "done": "green",
    "stale": "yellow",
    "blocked": "dim",
}
_SIGNS = {"passed": "✓", "failed": "✗", "open": "○", "done": "✓", "stale": "~", "blocked": "·"}

# No markup: a feature may be called "weight [kg]" or "rate [/min]", and square brackets are no commands.
out = Console(highlight=False, soft_wrap=True, markup=False, emoji=False)
err = Console(stderr=True, highlight=False, soft_wrap=True, markup=False, emoji=False)
_NO_SCREEN = 10_000
_SILENCE_S, _SHARE_OF_TIME = 10.0, 0.1


def as_json(value: Any) -> None:
    """Print one JSON document for machines."""
    print(json.dumps(value, ensure_ascii=False, default=str))


class Progress:
    """Draws events: one line a step, the running one alive with best so far and time left.

    Where there is no terminal, the running one is a plain line now and then: after ten seconds of silence, later after a tenth of the time.
    """

    def __init__(self, quiet: bool = False) -> None:
        self.quiet = quiet
        self._begun = self._said = time.monotonic()
        self._live: Live | None = None

    def __enter__(self) -> Progress:
        if not self.quiet and err.is_terminal:
            self._live = Live(Text(""), console=err, refresh_per_second=8, transient=True)
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def __call__(self, event: Event) -> None:
        """Take one event."""
        if self.quiet:
            return
        if event.kind in ("step-done", "step-reused"):
            seconds = event.numbers.get("seconds")
            spent = "kept" if seconds is None else f"{seconds:6.1f} s"
            err.print(Text.assemble(("  ✓ ", "green"), f"{event.step:<14}", (f"{spent:>9}", "dim")))
            self._said = time.monotonic()
            self._show("")
        elif event.kind == "note" and event.step == "run":
            err.print(Text(f"  {event.message}", style="dim"))
        elif event.kind == "step-start":
            self._show(f"  … {event.step}")
        elif event.kind == "step-failed":
            err.print(Text.assemble(("  ✗ ", "red"), f"{event.step:<14} {event.message}"))
        else:
            parts = [f"  … {event.step}", event.message]
            if event.fraction is not None:
                parts.append(f"{event.fraction:.0%}")
            if event.best:
                parts.append(f"best so far {event.best}")
            if event.seconds_left is not None:
                parts.append(f"about {event.seconds_left:.0f} s left")
            self._show(" · ".join(p for p in parts if p))

    def _show(self, line: str) -> None:
        if self._live is not None:
            self._live.update(Text(line, style="dim", no_wrap=True, overflow="ellipsis"))
            return
        now = time.monotonic()
        if line and now - self._said >= max(_SILENCE_S, _SHARE_OF_TIME * (now - self._begun)):
            self._said = now
            err.print(line)


def verdict_text(verdict: Verdict) -> None:
    """Verdict first, then its sentences, then the gates."""
    out.print()
    out.print(Text.assemble(("VERDICT  ", "bold"), (verdict.headline, "bold")))
    for sentence in verdict.sentences:
        out.print(f"  {sentence}")
    out.print()
    gates_text(verdict)


def gates_text(verdict: Verdict) -> None:
    """One line a gate, sign and word, never colour alone."""
    for gate in verdict.gates:
        out.print(
            Text.assemble(
                (f"  {_SIGNS[gate.status]} {gate.status:<7}", COLOURS[gate.status]),
                f"{gate.name:<22} ",
                (gate.observed, "dim"),
            )
        )


def ladder_text(board: Leaderboard) -> None:
    """The ladder: score, interval, what each rung bought."""
    grid = Grid(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name, justify in (("rung", "left"), (board.metric, "right"), ("95%", "left"), ("taken", "left"), ("", "left")):
        grid.add_column(name, justify=justify)  # type: ignore[arg-type]
    for rung in board.ladder:
        grid.add_row(
            Text(rung.name),
            f"{rung.score.value:.4f}",
            _between(rung.score),
            "yes" if rung.taken else "no",
            Text(rung.sentence),
        )
    _print_grid(grid)
    out.print(f"  chosen: {board.chosen} ({board.reason})")
    if board.without:
        out.print(f"  {board.without}", style="bold yellow")
    for note in board.notes:
        out.print(Text(f"  note: {note}"))


def _between(score: Interval) -> str:
    """The ends of an interval; nothing where one fold alone tells none."""
    return "" if math.isnan(score.low) else f"{score.low:.4f} to {score.high:.4f}"


def trials_text(board: Leaderboard) -> None:
    """Every trial: how it ended, its score, what it cost to fit."""
    rows_text(
        ["trial", "family", "status", board.metric, "95%", "fit s", "why"],
        [
            [
                t.name,
                t.family,
                t.status,
                "" if t.score is None else f"{t.score.value:.4f}",
                "" if t.score is None else _between(t.score),
                f"{t.fit_seconds:.1f}",
                t.reason,
            ]
            for t in board.trials
        ],
    )
    out.print(f"  chosen: {board.chosen} ({board.reason})")


def fairness_text(report: FairnessReport) -> None:
    """Gaps, one line each."""
    if not report.attributes:
        out.print("  no groups are declared: name columns in fairness.groups")
    for attribute in report.attributes:
        for gap in attribute.gaps:
            out.print(f"  {attribute.attribute:<18} {gap.measure:<22} {gap.verdict:<12} {gap.sentence}")
        thin = sum(g.thin for g in attribute.groups)
        if thin:
            out.print(
                f"  {attribute.attribute:<18} {thin} of {len(attribute.groups)} groups are too thin to tell",
                style="dim",
            )


def rows_text(names: list[str], rows: list[list[str]]) -> None:
    """A plain grid."""
    grid = Grid(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in names:
        grid.add_column(Text(name))
    for row in rows:
        grid.add_row(*(Text(cell) for cell in row))
    _print_grid(grid)


def _print_grid(grid: Grid) -> None:
    """A grid, fitted to the screen; in a pipe or a file no cell is cut off."""
    wide = Console(file=out.file, width=_NO_SCREEN, highlight=False, markup=False, emoji=False)
    (out if out.is_terminal else wide).print(grid)


def status_line(number: int, title: str, state: str, sentence: str, command: str) -> None:
    """One of the guide's seven steps."""
    tail = f"   next: {command}" if command else ""
    out.print(
        Text.assemble(
            f" {number} ",
            (f"{_SIGNS[state]} {state:<8}", COLOURS[state]),
            f"{title:<30} ",
            (sentence, "dim"),
            (tail, "cyan"),
        )
    )
