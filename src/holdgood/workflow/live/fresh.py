"""The newest rows, which the challenger's run held out: a paired test at once, where no shadow is asked for."""

from __future__ import annotations

import numpy as np

from holdgood.connectors import read_table
from holdgood.core.declared_policy import PolicySpec
from holdgood.core.records import ChallengeLook
from holdgood.core.table import Table
from holdgood.metrics.score import loss_rows
from holdgood.retraining import challenge
from holdgood.workflow.live.duel import Pair, plan_of, said, unit_of
from holdgood.workflow.live.folded import Folded
from holdgood.workflow.live.promised import held_out
from holdgood.workflow.live.told import DAY
from holdgood.workflow.predict import Predictor
from holdgood.workflow.result import Run

FEWEST = 20


def on_newest(pair: Pair, champion: Predictor, run: Run, folded: Folded, policy: PolicySpec) -> ChallengeLook | None:
    """Champion and challenger on rows of the challenger's holdout that came after ``pair.since``, all at once.

    ``pair.since``: the newest row that the champion has learned from, or was judged on. None where too few rows came after it.
    """
    kept = held_out(run)
    if kept is None:
        return None
    fresh = np.flatnonzero((kept.moment > pair.since) & np.isfinite(kept.y))
    if len(fresh) < FEWEST:
        return None
    declared = folded.project.declaration
    tables = {
        name: read_table(spec.source, name=name, types=dict(spec.types)) for name, spec in declared.tables.items()
    }
    rows = champion.table_of(tables[declared.main].take(kept.row[fresh].astype(np.int64)).data)
    others: dict[str, Table] = {n: champion.table_of(t.data, n) for n, t in tables.items() if n != declared.main}
    y, task = kept.y[fresh], champion.task
    losses = [loss_rows(task, y, p) for p in (champion.predict(rows, others), kept.prediction[fresh])]
    found = challenge(
        *losses, plan=plan_of(policy, "held out", len(fresh)), clusters=np.floor(kept.moment[fresh] / DAY).astype(np.int64),
        unit=unit_of(task),
    )  # fmt: skip
    return said(pair, found, 0, int(kept.moment[fresh].min()), int(kept.moment[fresh].max()))
