"""The selection of a portfolio, on losses with a known answer."""

import json

import numpy as np
import pytest

EQUAL = np.ones(4)
REGRET = np.array(
    # one that is good everywhere, two specialists, one that is best everywhere and never done in time, one that is useless
    [[0.4, 0.0, 0.9, 0.0, 1.0], [0.4, 0.0, 0.9, 0.0, 1.0], [0.4, 0.9, 0.0, 0.0, 1.0], [0.4, 0.9, 0.1, 0.0, 1.0]]
)
SECONDS = np.tile([1.0, 2.0, 2.0, 1000.0, 0.1], (4, 1))


@pytest.fixture(scope="module")
def choose(bench):
    return bench("portfolio", "choose")


def test_greedy_takes_the_generalist_then_the_specialists_and_nothing_that_adds_nothing(choose):
    assert choose.greedy(REGRET, SECONDS, EQUAL) == [0, 1, 2]
    assert choose.greedy(REGRET, SECONDS, EQUAL, length=2) == [0, 1]


def test_each_step_is_the_best_single_addition(choose):
    rng = np.random.default_rng(0)
    regret, seconds, weights = rng.random((6, 12)), np.zeros((6, 12)), rng.random(6)
    order = choose.greedy(regret, seconds, weights, budgets=(1.0,), length=5)
    for step in range(len(order)):
        values = [weights @ regret[:, [*order[:step], c]].min(axis=1) for c in range(12)]
        assert values[order[step]] == pytest.approx(min(values))


def test_a_weight_moves_the_choice_and_a_budget_moves_it_too(choose):
    assert choose.greedy(REGRET, SECONDS, np.array([0.0, 0.0, 1.0, 0.0]))[0] == 2
    assert choose.greedy(REGRET, SECONDS, EQUAL, budgets=(1.5,)) == [0]
    assert choose.greedy(REGRET, SECONDS, EQUAL, budgets=(5000.0,)) == [3]


def test_of_two_alike_the_quicker_comes_first(choose):
    regret, seconds = np.full((3, 2), 0.2), np.tile([3.0, 1.0], (3, 1))
    assert choose.greedy(regret, seconds, np.ones(3)) == [1]


def test_regret_is_a_share_of_the_way_from_the_prior(choose):
    loss = np.array([[1.0, 0.6, 0.5, np.nan, 1.5]])
    assert choose.regrets(loss, np.array([1.0])).tolist() == [[1.0, pytest.approx(0.2), 0.0, 1.0, 1.0]]
    assert choose.regrets(np.array([[1.0, 1.2]]), np.array([1.0])).tolist() == [[0.0, 0.0]]  # nothing to learn there


def lines(choose):
    names = ("prior", "good", "left", "right")
    table = {"s0": (1, 0.4, 0.0, 0.9), "s1": (1, 0.4, 0.0, 0.9), "s2": (1, 0.4, 0.9, 0.0)}
    for name, losses in table.items():
        for family, loss in zip(names, losses, strict=True):
            for fold in range(2):
                row = {"set": name, "task": "binary", "rows": 500, "cap": 5000, "fold": fold, "cpu_s": 0.1}
                yield row | {"configuration": {"family": family, "name": family}, "loss": loss + 0.0, "ended": "ok"}


def test_a_set_left_out_has_no_vote(choose):
    losses = choose.read(list(lines(choose)), 5000)
    assert losses.sets == ["s0", "s1", "s2"]
    assert losses.sizes == ["small"] * 3
    named = [losses.configurations[i]["family"] for i in choose.chosen_for(losses, "binary", "small")]
    assert named == ["left", "right"]
    without = [losses.configurations[i]["family"] for i in choose.chosen_for(losses, "binary", "small", "s2")]
    assert without == ["left"]
    assert choose.regret_of(losses, 2, choose.chosen_for(losses, "binary", "small", "s2"), 80.0) == pytest.approx(0.9)


def test_what_is_written_is_what_candidates_read(choose, tmp_path, monkeypatch):
    """Defaults come first, what is learned beyond them after; a set that is left out has no vote on that."""
    results, by_hand = tmp_path / "portfolio.jsonl", tmp_path / "d.json"
    results.write_text("".join(json.dumps(r) + "\n" for r in lines(choose)), encoding="utf-8")
    first = [{"family": "prior", "name": "prior"}, {"family": "good", "name": "good"}]
    every = dict.fromkeys(("binary", "multiclass", "regression"), dict.fromkeys(("small", "medium", "large"), first))
    by_hand.write_text(json.dumps({"lists": every}), encoding="utf-8")
    places = (
        ("RESULTS", results),
        ("SHIPPED", tmp_path / "s.json"),
        ("LEFT_OUT", tmp_path / "l.json"),
        ("DEFAULTS", by_hand),
    )
    for name, place in places:
        monkeypatch.setattr(choose, name, place)
    monkeypatch.setattr(choose, "ROOT", tmp_path)
    monkeypatch.setattr("sys.argv", ["choose.py"])
    choose.main()
    shipped = json.loads((tmp_path / "s.json").read_text(encoding="utf-8"))
    assert shipped["format"] == 1
    assert set(shipped["lists"]) == {"binary", "multiclass", "regression"}
    assert [e["family"] for e in shipped["lists"]["binary"]["small"]] == ["prior", "good", "left", "right"]
    left_out = json.loads((tmp_path / "l.json").read_text(encoding="utf-8"))
    assert [e["family"] for e in left_out["s2"]] == ["prior", "good", "left"]


def test_the_pool_is_drawn_inside_the_spaces_and_again_alike(bench):
    pool = bench("portfolio", "pool")
    rng = np.random.default_rng(0)
    for _ in range(50):
        assert 3 <= pool.draw(("int", 3, 9, True), rng) <= 9
        assert 0.01 <= pool.draw(("float", 0.01, 1.0, True), rng) <= 1.0
        assert pool.draw(["a", "b"], rng) in ("a", "b")
    found = pool.pool()
    assert found == pool.pool()
    assert {"prior", "linear", "lightgbm"} <= {c["family"] for c in found}
    assert len({(c["family"], c["name"]) for c in found}) == len(found)
    own = next(c for c in found if c["family"] == "lightgbm")
    assert pool.parameters_of(own, pool.TYPICAL, 500, 5)["learning_rate"] > 0
