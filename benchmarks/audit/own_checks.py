"""Does a kind's own pass with its own checks find what both passes with all checks find? Read after planted.py.

planted.py looks at its first seeds with everything and at the others with the kind's own checks. This runs the first seeds once
more with the own checks alone and counts the runs whose outcome differs from the line that is there. Option: --tables adult,flights
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from planted import BOTH_PASSES, RESULTS, run_one  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", default="adult,flights,electricity")
    parser.add_argument("--strengths", default="strong,middle")
    options = parser.parse_args()
    rows = [json.loads(line) for line in RESULTS.read_text(encoding="utf-8").splitlines()]
    wanted = [
        r
        for r in rows
        if r["seed"] < BOTH_PASSES
        and r["table"] in options.tables.split(",")
        and r["strength"] in options.strengths.split(",")
    ]
    other = []
    for row in wanted:
        alone = run_one(row["kind"], row["table"], row["strength"], row["seed"], 0)["outcome"]
        if alone != row["outcome"]:
            other.append({k: row[k] for k in ("kind", "table", "strength", "seed", "outcome")} | {"alone": alone})
    print(json.dumps({"bench": "own_checks", "runs": len(wanted), "differ": len(other), "which": other}))


if __name__ == "__main__":
    main()
