"""Two requests at once, each with related rows of its own: neither is answered with the other's."""

import pandas as pd

from holdgood.workflow import predict as predicting
from holdgood.workflow.predict import Predictor


def test_a_builder_made_meanwhile_by_another_thread_is_not_taken(bundles, monkeypatch):
    model = Predictor.load(bundles(join=True))
    mine, theirs = (
        {"weather": model.table_of(pd.DataFrame({"at": ["2024-01-01"], "rain": [rain], "kind": ["red"]}), "weather")}
        for rain in (1.0, 9.0)
    )
    made = predicting.Builder

    class Kept(list):
        """What is kept of builders; between keeping one and using it another thread is quicker."""

        def __setitem__(self, at, value):
            super().__setitem__(at, value)
            if value[0][0][0] is mine["weather"]:
                super().__setitem__(at, [((theirs["weather"],), made(model.plan, theirs))])

    object.__setattr__(model, "_builders", Kept())
    monkeypatch.setattr(predicting, "Builder", lambda plan, others: (plan, others))
    assert model._builder(mine) == (model.plan, mine)
