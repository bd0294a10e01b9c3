"""One measurement: printed as a JSON line, and appended to benchmarks/results/NAME.jsonl for summarise.py."""

from __future__ import annotations

import json
from pathlib import Path

RESULTS = Path(__file__).resolve().parent / "results"


def record(name: str, row: dict[str, object]) -> None:
    """Print and keep one row of a benchmark."""
    line = json.dumps({"bench": name, **row})
    print(line, flush=True)
    RESULTS.mkdir(parents=True, exist_ok=True)
    with (RESULTS / f"{name}.jsonl").open("a", encoding="utf-8") as file:
        file.write(line + "\n")
