"""On which line of a text file each of its rows stands, for whoever opens it in an editor."""

from __future__ import annotations

from pathlib import Path

_HEADED = {".csv": 1, ".tsv": 1, ".txt": 1, ".jsonl": 0, ".ndjson": 0}
"""Lines above the first row."""


def lines_of(source: Path | str, rows: int) -> list[int]:
    """The line (from 1) of each row; empty where that cannot be told: no text file of lines, or rows that go over several."""
    file = Path(source)
    above = _HEADED.get(file.suffix.lower())
    if above is None or not file.is_file():
        return []
    with file.open("rb") as text:
        filled = [number for number, line in enumerate(text, 1) if line.strip()]
    return filled[above:] if len(filled) == rows + above else []
