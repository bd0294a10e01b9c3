import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

DATA = Path(os.environ.get("HOLDGOOD_DATA", Path(__file__).parents[3] / "shared" / "data"))
FILE = DATA / "forecast" / "inventorybench_dev.parquet"
AGENT = Path(__file__).resolve().parents[2] / "benchmarks" / "inventorybench" / "agent.py"


@pytest.fixture(scope="module")
def environment(bench):
    return bench("inventorybench", "environment")


def game(environment, demand, lead, price=4.0):
    t = len(demand)
    return environment.Instances(
        name=["a"],
        item=np.array(["a"]),
        kind=np.array(["lead_time_0"]),
        price=np.array([price]),
        holding=np.ones(1),
        promised=np.zeros(1, int),
        history=np.full((1, 5), 3.0),
        periods=np.array([t]),
        demand=np.array([demand], float),
        lead=np.array([lead], float),
        published_order=np.zeros((1, t)),
        published_reward=np.zeros(1),
        perfect=np.zeros(1),
    )


def test_a_game_by_hand(environment):
    world = environment.World(game(environment, [3, 5, 2, 4], [0, 1, np.inf, 1]))
    seen = [world.step(np.array([q])) for q in (5.0, 4.0, 9.0, 9.0)]
    # 1: 5 come, 3 sold, 2 left. 2: nothing comes, 2 sold, 0 left. 3: 4 come, 2 sold, 2 left. 4: nothing, 2 sold.
    assert [float(s[0][0]) for s in seen] == [5, 0, 4, 0]
    assert [float(s[2][0]) for s in seen] == [3, 2, 2, 2]
    assert world.reward[0] == 4 * 9 - (2 + 0 + 2 + 0)
    assert world.score()[0] == pytest.approx(32 / (4 * 14))


def test_perfect_foresight_is_the_best_of_all_orders(environment):
    lead = [1, np.inf, 0, np.inf, 0]
    of = game(environment, [2, 1, 2, 3, 1], lead, price=2.0)
    best = 0.0
    for q in np.ndindex(4, 1, 6, 1, 3):
        world = environment.World(of)
        for x in q:
            world.step(np.array([float(x)]))
        best = max(best, world.score()[0])
    assert environment.foresight(of)[0] == pytest.approx(best)


def test_the_agent_answers_whole_orders_for_those_that_run_and_needs_no_demand():
    start = {"history": [9, 11, 10, 9, 12], "price": 4, "holding": 1, "promised_lead_time": 0}
    told = [
        {"start": [{"id": "a", **start, "periods": 2}, {"id": "b", **start}]},
        {"seen": [{"id": "b", "arrived": 12, "on_hand": 0, "sold": 12}]},
    ]
    text = "\n".join(json.dumps(line) for line in told)
    done = subprocess.run([sys.executable, str(AGENT)], input=text, capture_output=True, text=True, check=True)
    first, second = (json.loads(line)["orders"] for line in done.stdout.splitlines())
    assert set(first) == {"a", "b"}
    assert set(second) == {"b"}
    assert all(isinstance(q, int) and 5 < q < 40 for q in [*first.values(), *second.values()])


@pytest.mark.skipif(not FILE.exists(), reason=f"no {FILE.name} under {DATA}: set HOLDGOOD_DATA")
def test_the_shipped_orders_earn_the_shipped_rewards_and_foresight_what_is_published(environment):
    of = environment.read(str(FILE))
    world = environment.World(of)
    for t in range(of.demand.shape[1]):
        world.step(np.nan_to_num(of.published_order[:, t]))
    np.testing.assert_array_equal(world.reward, of.published_reward)
    best = environment.foresight(of)
    kinds = {"lead_time_0": 1.0, "lead_time_4": 0.904, "lead_time_stochastic": 0.704}
    assert best.mean() == pytest.approx(0.869, abs=6e-4)
    for kind, value in kinds.items():
        assert best[of.kind == kind].mean() == pytest.approx(value, abs=6e-4)
