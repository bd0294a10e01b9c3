"""Ids that the server makes: whoever has seen many cannot tell the next one."""

import itertools
import random
from collections import Counter

import numpy as np

from holdgood.serving.entry import fresh_id


def test_ids_are_96_even_bits_that_no_seed_repeats():
    seen = []
    for _ in range(2):
        random.seed(0)
        np.random.seed(0)
        seen.append([fresh_id() for _ in range(2_000)])
    ids = seen[0] + seen[1]
    assert len(set(ids)) == len(ids) and {len(i) for i in ids} == {24}
    for place in zip(*ids, strict=True):  # no digit of an id is a counter, a clock or a constant
        counts = Counter(place)
        assert set(counts) == set("0123456789abcdef")
        assert max(counts.values()) < 2 * min(counts.values())
    steps = Counter(int(b, 16) - int(a, 16) for a, b in itertools.pairwise(ids))
    assert max(steps.values()) == 1


def test_every_answer_without_a_name_gets_one_of_them(within, job_rows, monkeypatch):
    made = []

    def counted():
        made.append(fresh_id())
        return made[-1]

    monkeypatch.setattr("holdgood.serving.predicting.fresh_id", counted)

    async def scenario(ask, desk):
        _, one, _ = await ask("POST", "/predict", {"row": job_rows[0]})
        _, many, _ = await ask("POST", "/predict", {"rows": job_rows[:3]})
        assert [one["id"], *(a["id"] for a in many["answers"])] == made

    within(scenario)
