"""The ladder as a table of plain text: what ``print`` shows of a leaderboard."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # the leaderboard prints itself with this
    from holdgood.core.records.leaderboard import Leaderboard, Rung

NOTHING = "–"
_HEADS = ("rung", "score", "interval", "gain over the best rung taken below", "taken", "why", "one row", "size")
_NUMBERS = (1, 6, 7)
"""Columns that are set to the right."""


def ladder_table(board: Leaderboard) -> str:
    """A line a rung, then what was chosen and why, then the notes."""
    lines = [f"{board.metric}, {'higher' if board.higher_is_better else 'lower'} is better"]
    if board.ladder:
        lines[0] += f"; {_judged_on(board)}"
        lines += _aligned([_HEADS, *(_cells(rung) for rung in board.ladder)])
    lines.append(f"chosen: {board.chosen or 'nothing'}" + (f" ({board.reason})" if board.reason else ""))
    lines += [text for text in (board.shortfall, board.without) if text]
    return "\n".join([*lines, *(f"note: {note}" for note in board.notes)])


def _judged_on(board: Leaderboard) -> str:
    return f"out of fold on {board.rows:,} rows" + (f", {board.division}" if board.folds else "")


def _cells(rung: Rung) -> tuple[str, ...]:
    score, gain = rung.score, rung.gain
    return (
        rung.name,
        _number(score.value),
        NOTHING if math.isnan(score.low) else f"{_number(score.low)} to {_number(score.high)}",
        NOTHING if gain is None else f"{gain.difference:+.3g} ({gain.low:.3g} to {gain.high:.3g}) over {gain.second}",
        "yes" if rung.taken else "no",
        rung.why or NOTHING,
        f"{rung.predict_ms:.3g} ms" if math.isfinite(rung.predict_ms) else NOTHING,
        f"{rung.size_bytes / 1e6:.3g} MB" if math.isfinite(rung.size_bytes) else NOTHING,
    )


def _number(value: float) -> str:
    if math.isnan(value):
        return NOTHING
    return f"{value:.4f}" if abs(value) < 1000 else f"{value:,.0f}"


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    wide = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            c.rjust(w) if i in _NUMBERS else c.ljust(w) for i, (c, w) in enumerate(zip(row, wide, strict=True))
        ).rstrip()
        for row in rows
    ]
