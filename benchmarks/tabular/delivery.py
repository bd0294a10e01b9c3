"""What to deliver: a refit on all rows, or the mean of the folds' models? One choice, both ways, scored on the test rows.

Both ways get the same members and weights (five families, eight trials, so that nothing depends on the clock). One JSON line a
set and split, with the error relative to the folds' models, in benchmarks/results/delivery.jsonl; docs/decisions/ 11 quotes it.

    --sets credit_g,concrete   --splits 2
"""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path
from typing import Any
from unittest.mock import patch

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from record import record  # noqa: E402
from sets import entries, load, score  # noqa: E402

import holdgood as hg  # noqa: E402
from holdgood.training import Ensemble, portfolio  # noqa: E402
from holdgood.training.bag import bag  # noqa: E402
from holdgood.training.cost import Aim  # noqa: E402
from holdgood.training.work import fit_all  # noqa: E402

MODELS = ["prior", "linear", "lightgbm", "xgboost", "catboost"]
SMALL = "credit_g,cylinder_bands,concrete,steel_plates,student_dropout,splice"


def both(kept: dict[str, Ensemble]) -> Any:
    """In the place of the choice of what to deliver: makes both, and goes on as it would have."""
    real = portfolio._Training._bagged

    def made(self: Any, choice: Any, k: int, pool: Any, ticket: Any, refits: Any) -> Any:
        weights = choice.blend.weights.tolist() if choice.step.ensemble and choice.blend is not None else [1.0]
        work, members = self.work, choice.chosen
        n = len(work.y)
        full = [fit_all(work, p.candidate, p.refit_rounds(n), math.inf, None, p.hints()).chain for p in members]
        kept["refit"] = Ensemble(full, weights)
        mean = bag(work, pool, ticket, members, weights, k, Aim(), left=lambda: math.inf)
        if mean is not None:
            kept["folds"] = mean.chain
        return real(self, choice, k, pool, ticket, refits)

    return patch.object(portfolio._Training, "_bagged", made)


def compare(entry: dict[str, Any], split: int) -> dict[str, Any]:
    """Errors of both on one split: one less the area, log loss or RMSE."""
    one, kept = load(entry, split), dict[str, Ensemble]()
    with both(kept):
        model = hg.fit(
            one.train, one.y_train, budget="trials=8", task=one.task, metric=one.metric, prefer="best", models=MODELS, seed=0
        )  # fmt: skip
    frame = model._frame(one.test)
    found = {name: score(one, chain.predict(frame)) for name, chain in kept.items()}
    error = {name: 1.0 - s if one.metric == "roc_auc" else s for name, s in found.items()}
    ratio = round(error["refit"] / error["folds"], 4) if "folds" in error else None
    return {
        "set": one.name,
        "split": split,
        "rows": len(one.y_train),
        "metric": one.metric,
        **found,
        "error_ratio": ratio,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", default=SMALL)
    parser.add_argument("--splits", type=int, default=2)
    options = parser.parse_args()
    for entry in entries():
        for split in range(options.splits):
            if entry["name"] in options.sets.split(","):
                record("delivery", compare(entry, split))


if __name__ == "__main__":
    main()
