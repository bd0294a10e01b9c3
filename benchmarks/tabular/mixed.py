"""Decision 25: the ensemble against the single model that scored best out of fold, on test rows, whichever of them is chosen.

Each fit refits the ensemble and, beside it, that single model, and scores both on the rows that nothing has seen. One JSON line a
fit: ``ahead`` is the paired gain of the single model out of fold as a share of what the ensemble leaves, ``error`` its standard
error, ``ratio`` the test error of the single model by that of the ensemble (above 1: the ensemble is better).

    python benchmarks/tabular/mixed.py --sets credit_g,concrete --splits 3 --budget 20
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import numpy as np  # noqa: E402
from machine import machine  # noqa: E402
from own_cores import own_cores  # noqa: E402
from record import record  # noqa: E402
from run import LEFT_OUT  # noqa: E402
from sets import Set, entries, load, score  # noqa: E402
from systems import THREADS, columns_of, without_this_set  # noqa: E402

import holdgood as hg  # noqa: E402
from holdgood.training import choice, ladder, portfolio  # noqa: E402
from holdgood.training.finish import Refit, Refits  # noqa: E402
from holdgood.training.progress import Progress  # noqa: E402

ONE_ERROR = 0.6827
SETS = "credit_g,telco_churn,coil2000,cylinder_bands,lending_club,hflights_delay,ames_housing,metro_traffic,concrete"


class Both:
    """Stands in the trainer's way: the ensemble is always taken, and the best single model is refitted beside it."""

    def __init__(self) -> None:
        self.seen: dict[str, Any] = {}
        self.refits: dict[str, Refit] = {}
        self._beside, self._collect = choice.Choice.beside, Refits.collect
        ladder._strongest = self.strongest
        choice.Choice.beside = property(self.beside)  # type: ignore[assignment]
        portfolio.Refits = self.watched()

    def strongest(
        self, steps: Sequence[ladder.Step], judge: Any, scores: Sequence[float], mixed: int | None, races: Any
    ) -> tuple[int, str]:
        self.seen = {}
        if mixed is None:
            return int(np.argmax(scores)), "there is no ensemble"
        worth = [-np.inf if s.ensemble else judge.worth(judge.whole(s.prediction)) for s in steps]
        single = int(np.argmax(worth))
        gain = judge.gain("one", steps[single].prediction, "mean", steps[mixed].prediction, ONE_ERROR)
        left = judge.left(steps[mixed].prediction)
        self.seen = {
            "alone": steps[single].trial, "ahead": gain.difference / left, "error": (gain.high - gain.low) / 2 / left,
        }  # fmt: skip
        return mixed, "the ensemble, whatever is better"

    def beside(self, made: choice.Choice) -> list[Progress]:
        more = [p for p in made.trials if p.candidate.name == self.seen.get("alone")]
        assert self._beside.fget is not None
        return [*self._beside.fget(made), *more]

    def watched(self) -> type[Refits]:
        both = self

        class Watched(Refits):
            def collect(self) -> dict[int, Refit]:
                found = super().collect()
                both.refits = {p.candidate.name: found[p.index] for p in self.wanted if p.index in found}
                return found

        return Watched


def error(one: Set, model: Any) -> float:
    """On the test rows; one minus the area where that is the metric."""
    if one.task == "regression":
        return score(one, model.predict(one.test))
    reached = score(one, columns_of(model.predict_proba(one.test), list(model.classes_), one))
    return 1.0 - reached if one.metric == "roc_auc" else reached


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", default=SETS)
    parser.add_argument("--splits", type=int, default=3)
    parser.add_argument("--budget", type=int, default=20)
    asked = parser.parse_args()
    own_cores(range(THREADS))
    left_out, both = json.loads(LEFT_OUT.read_text(encoding="utf-8")), Both()
    for entry in entries():
        for split in range(asked.splits if entry["name"] in asked.sets.split(",") else 0):
            one = load(entry, split)
            without_this_set(left_out.get(one.name), one.task)
            model = hg.fit(
                one.train, one.y_train, budget=f"{asked.budget}s", task=one.task, metric=one.metric, prefer="best",
                workers=THREADS, seed=split,
            )  # fmt: skip
            row = {"machine": machine(), "set": one.name, "split": split, "budget": asked.budget, **both.seen}
            alone = both.refits.get(both.seen.get("alone", ""))
            if alone is not None and model.leaderboard_.chosen == "ensemble":
                together = error(one, model)
                model.chain_ = alone.chain
                row["ratio"] = error(one, model) / together
            record("tabular-mixed", row)


if __name__ == "__main__":
    main()
