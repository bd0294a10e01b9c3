"""Ids that the server makes: whoever has seen many cannot tell the next one."""

import itertools
import os
import random
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from holdgood.serving.fresh import fresh_id, request_id


def test_ids_are_96_even_bits_that_no_seed_repeats_behind_the_time():
    began, seen = time.time(), []
    for _ in range(2):
        random.seed(0)
        np.random.seed(0)
        seen.append([fresh_id() for _ in range(2_000)])
    ids = seen[0] + seen[1]
    assert {len(i) for i in ids} == {36}
    moments = [int(i[:12], 16) / 1000 for i in ids]
    assert moments == sorted(moments) and began - 1 < moments[0] and moments[-1] <= time.time()
    drawn = [i[12:] for i in ids]
    assert len(set(drawn)) == len(drawn)
    for place in zip(*drawn, strict=True):  # no digit of what is drawn is a counter, a clock or a constant
        counts = Counter(place)
        assert set(counts) == set("0123456789abcdef")
        assert max(counts.values()) < 2 * min(counts.values())
    steps = Counter(int(b, 16) - int(a, 16) for a, b in itertools.pairwise(drawn))
    assert max(steps.values()) == 1


def test_threads_and_a_process_split_off_never_get_the_same():
    with ThreadPoolExecutor(8) as pool:
        lists = list(pool.map(lambda _: [(fresh_id(), request_id()) for _ in range(1_000)], range(8)))
    ids, requests = zip(*itertools.chain.from_iterable(lists), strict=True)
    assert len({i[12:] for i in ids}) == len(set(requests)) == 8_000
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        os.write(writing, fresh_id()[12:].encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reading, 100).decode() != fresh_id()[12:]
    os.close(reading)
    os.close(writing)


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
