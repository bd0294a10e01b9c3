"""Facts that callers add beside the contract's columns reach neither the watch nor a retraining."""

import numpy as np
import pandas as pd

from holdgood.core.declared_policy import PolicySpec
from holdgood.journal.outcomes import outcomes
from holdgood.workflow.live.folded import fold
from holdgood.workflow.live.in_use import features_of
from holdgood.workflow.predict import Predictor

MODEL = "company"


def test_columns_that_no_contract_knows_are_neither_watched_nor_learned(begin, traffic, tmp_path):
    live, _ = begin("")
    traffic.answered(live, "calm", 0, 1)
    known = outcomes(live.journal, MODEL)
    for i, facts in enumerate(known.facts):
        facts[f"made-up {i}"] = "x"  # a column a row
        facts["told beforehand"] = known.label[i]["hours_taken"]
    model = Predictor.load(live.bundle(live.standing(MODEL)[0].bundle_digest))
    others = {n: model.table_of(frame, n) for n, frame in traffic.others.items()}
    frame, rows = features_of(model, known.facts, np.ones(len(known), bool), others)
    assert len(frame) == len(rows) == len(known) > 0
    files = {n: [str(tmp_path / f"{n}.parquet")] for n in traffic.others}
    for name, given in traffic.others.items():
        given.to_parquet(files[name][0])
    folded = fold(tmp_path / "folded", model, None, PolicySpec(), related=files, known=known)
    source = folded.project.declaration.tables[model.declaration.main].source
    names = list(pd.read_parquet(source).columns)
    assert "hours_taken" in names and not [n for n in names if "made-up" in n or "told" in n]
