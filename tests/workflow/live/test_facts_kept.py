"""Facts that callers add beside the contract's columns reach neither the watch nor a retraining; without facts both say what they can't do."""

import numpy as np
import pandas as pd
import pytest

from holdgood.core.declared_policy import PolicySpec
from holdgood.core.errors import DataError
from holdgood.journal.outcomes import outcomes
from holdgood.workflow.live import retrain
from holdgood.workflow.live.folded import fold
from holdgood.workflow.live.in_use import features_of
from holdgood.workflow.live.retrain import tend
from holdgood.workflow.live.watch import watch
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


def test_without_facts_the_watch_says_what_it_is_blind_to_and_watches_the_rest(begin, traffic, at):
    live, _ = begin('[keep]\nfacts = false\n[watch]\ngroups = ["site"]\nfeeds = ["site"]\n')
    traffic.answered(live, "turned", 0, 14)
    seen = watch(live, MODEL, at=at(14))
    assert [n for n in seen.look.notes if "keep.facts" in n] == [
        "the journal keeps no facts of rows (keep.facts): not watched: drift of features, groups (site), feeds by site"
    ]
    assert {"MON001", "MON002", "MON009"}.isdisjoint(a.code for a in seen.alarms)
    assert "MON007" in {a.code for a in seen.alarms}  # outcomes tell without facts
    assert seen.look.performance.verdict == "worse" and seen.look.estimate is not None and seen.benefit is not None


def test_without_facts_a_retraining_learns_from_files_and_says_so(begin, traffic, at, monkeypatch):
    policy = '[policy]\nleast_rows = 100\ncool_down = "1 d"\nschedule = "2 d"\n[keep]\nfacts = false\n'
    live, project = begin(policy)
    traffic.answered(live, "calm", 0, 7)
    with pytest.raises(DataError, match=r"outcomes of \d+ answers and no facts of them \(keep.facts = false\)") as told:
        tend(live, now=at(9))
    assert "--new FILE" in str(told.value)
    learned = []

    def folded(*args, **more):
        learned.append(more["known"])
        raise KeyboardInterrupt  # as far as it matters here

    monkeypatch.setattr(retrain, "fold", folded)
    with pytest.raises(KeyboardInterrupt):
        tend(live, project=project, now=at(9))
    assert learned == [None]
