"""Outcomes of which only a lower bound is known, from the journal to what watching sees."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from holdgood.core.records import Label, Prediction
from holdgood.workflow.live.folder import Live
from holdgood.workflow.live.promotion import promote
from holdgood.workflow.live.traffic import gather
from holdgood.workflow.predict import Predictor

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)


def seen(tmp_path, bundle, answer, labels):
    """Traffic of one answer a day, with labels of some of them two days later."""
    live = Live.create(tmp_path / "live")
    promote(live, bundle, "m", by="ann", why="a test", overrule=True)
    (stood,) = live.standing("m")
    days = [(BEGIN + timedelta(days=i)).isoformat() for i in range(len(labels))]
    live.journal.append_many(
        [Prediction(id=f"p{i}", model="m", bundle_digest=stood.bundle_digest, event_time=day, answer=answer, facts={}) for i, day in enumerate(days)],
        "server",
    )  # fmt: skip
    live.journal.append_many(
        [
            Label(prediction=f"p{i}", model="m", known_time=(BEGIN + timedelta(days=i + 2)).isoformat(), **label)
            for i, label in enumerate(labels) if label
        ],
        "labels",
    )  # fmt: skip
    model = Predictor.load(live.bundle(stood.bundle_digest))
    return gather(live, "m", stood, model, None, None, BEGIN + timedelta(days=60)).traffic


@pytest.mark.parametrize("final", [True, False])
def test_a_bound_of_an_amount_says_how_often_ones_as_large_are_known(tmp_path, bundles, final):
    labels = [
        {"value": 1.0}, {"value": 2.0, "censored": True, "final": final}, {"value": 3.0}, {"value": "long", "censored": True}, {"value": 4.0},
        {"value": 9.0, "final": False}, None,
    ]  # fmt: skip
    traffic = seen(tmp_path, bundles(kind="regression"), {"prediction": 2.5}, labels)
    assert traffic.labelled.tolist() == [True, False, True, False, True, False, False]
    assert traffic.censored.tolist() == [False, True, False, False, False, False, False]
    np.testing.assert_allclose(traffic.in_full, [1.0, np.nan, 2 / 3, np.nan, 2 / 3, np.nan, np.nan])
    np.testing.assert_allclose(traffic.delay, [2.0, 2.0, 2.0, np.nan, 2.0, np.nan, np.nan])
    assert traffic.take(np.arange(3)).in_full.shape == (3,)


def test_of_classes_a_bound_says_nothing(tmp_path, bundles):
    traffic = seen(
        tmp_path,
        bundles(),
        {"probability": 0.2, "answer": False},
        [{"value": True}, {"value": False, "censored": True}],
    )
    assert traffic.censored.tolist() == [False, False]
    assert traffic.in_full is None
