"""make bench-stats (1): does the ladder's stop rule keep its level, and how much power does it have? By simulation on the real code.

*Level*: ladders in which no rung adds anything to the lowest, or none to the first that does, through `training.choice.family_steps`,
`training.selection.blend` and `training.ladder.climb`. Counted: climbs to a rung that is no better than one below it, by each
preference, and whether any rung is called proven over one that is as good. Accepted by the exact binomial test of 5%, corrected over
the cells. (`best` takes the best score whatever it adds, so that only ladders without any gain bind it.)
*Power*: the same with gains of growing size, in true standard errors of the gain. The oracle of the same level is told which rung
and which configuration is best and the true spread: a one-sided z test at 5% of that one gain on the same rows. Beside it stands an
oracle that is told everything but which rung it is: the largest z over the rungs, at its exact critical value for 5%.
One JSON line a cell in benchmarks/results/stats.jsonl; finished cells of the same code are not done again.

    --simulations 2000   --fresh   --only level|power   --cells "best of"
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import norm

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from record import RESULTS, record  # noqa: E402
from worlds import FOLDS, SQUARED, Trial, World, _Candidate, drawn, raced  # noqa: E402

from holdgood.metrics import metric  # noqa: E402
from holdgood.training.choice import family_steps  # noqa: E402
from holdgood.training.ladder import ALPHA, Climb, Step, climb  # noqa: E402
from holdgood.training.races import Races  # noqa: E402
from holdgood.training.score import Judge  # noqa: E402
from holdgood.training.selection import blend  # noqa: E402

PREFERENCES = ("simple", "balanced", "best")
EFFECTS = (1.0, 1.5, 2.0, 2.5, 3.0, 4.0)
Draw = Callable[[np.random.Generator], tuple[list[Step], Judge, Races | None]]


def code_stamp() -> str:
    """A hash of what decides the results."""
    digest = hashlib.sha256()
    source = HERE.parents[1] / "src" / "holdgood"
    files = [
        source / "training" / f"{n}.py"
        for n in ("ladder", "critical", "races", "replay", "choice", "selection", "score", "further")
    ]
    for path in [
        *files,
        source / "metrics" / "interval.py",
        source / "metrics" / "compare.py",
        HERE / "ladder.py",
        HERE / "worlds.py",
    ]:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def level_cells() -> Iterator[tuple[str, Draw, tuple[int, ...]]]:
    """(name, a draw, what each step is truly worth: more is better)."""
    for measure, n, rungs in (
        ("rmse", 100, 1), ("rmse", 100, 4), ("rmse", 1000, 4), ("log_loss", 300, 4), ("roc_auc", 300, 1), ("roc_auc", 300, 4),
    ):  # fmt: skip
        yield f"{measure}, n={n}, {rungs} above", *_of(World(n, (1.0,) * (1 + rungs), measure=measure))
    yield "rmse, n=300, 4 above, nearly alike", *_of(World(300, (1.0,) * 5, shared=0.99))
    for measure, shared in (("rmse", 0.5), ("log_loss", 0.9)):
        many = World(400, (1.0,) * 5, shared=shared, configurations=4, measure=measure)
        yield f"{measure}, n=400, 4 above, best of 4 each, shared {shared:g}", *_of(many)
    for clusters in (20, 100):
        yield f"rmse, n=1000, 3 above, {clusters} unequal clusters", *_of(World(1000, (1.0,) * 4, clusters=clusters))
    both = World(1000, (1.0,) * 4, clusters=60, configurations=4)
    yield "rmse, n=1000, 3 above, 60 unequal clusters, best of 4", *_of(both)
    yield "rmse, n=300, the first adds, 4 above add nothing", *_of(World(300, (2.5, *(1.0,) * 5)))
    yield "rmse, n=1000, the second adds, 3 above add nothing", *_of(World(1000, (2.5, 2.5, *(1.0,) * 4)))
    for rungs in (1, 3):
        flat = World(400, (1.0,) * (1 + rungs), configurations=21, raced=True)
        yield f"racing: rmse, n=400, {rungs} above, 20 raced proposals each", *_of(flat)
    yield "OLS on noise, n=100, 3 above and ensemble", lambda rng: ols(rng, 100, 0.0), (0,) * 5
    yield "OLS, n=300, the first adds, 2 above are noise, ensemble", lambda rng: ols(rng, 300, 1.5), (0, *(1,) * 4)


def _of(world: World) -> tuple[Draw, tuple[int, ...]]:
    order = sorted(set(world.sizes), reverse=True)
    return lambda rng: _ladder(world, rng), tuple(order.index(s) for s in world.sizes)


def _ladder(world: World, rng: np.random.Generator) -> tuple[list[Step], Judge, Races | None]:
    steps, judge, _, told = raced(world, rng) if world.raced else (*drawn(world, rng), None)
    return steps, judge, told


def ols(rng: np.random.Generator, n: int, slope: float) -> tuple[list[Step], Judge, None]:
    """Least squares refitted in five folds on nested columns, of which only the first may matter; the mean is the prior.

    Rungs above the first have two configurations: their columns of noise, and half as many. The ensemble of all is on top.
    """
    X = np.column_stack([np.ones(n), rng.normal(size=(n, 12))])
    y = slope * X[:, 1] + rng.standard_t(6, size=n)
    fold_of = rng.permutation(n) % FOLDS
    columns = [(0, 1)] + [(i, 2 + w) for i, width in enumerate((0, 4, 11), start=1) for w in {width, width // 2}]
    trials, predictions = [], {}
    for index, (rung, width) in enumerate(columns):
        out = np.empty(n)
        for f in range(FOLDS):
            inside = fold_of == f
            coefficients = np.linalg.lstsq(X[~inside, :width], y[~inside], rcond=None)[0]
            out[inside] = X[inside, :width] @ coefficients
        trials.append(Trial(index, _Candidate(f"rung{rung}-{width}", f"rung{rung}", rung)))
        predictions[index] = out
    judge = Judge(SQUARED, metric("rmse", SQUARED), y, fold_of)
    steps = family_steps(trials, predictions, judge)  # type: ignore[arg-type]
    mixed = blend(SQUARED, y, [predictions[i] for i in range(1, len(trials))], judge.parts, list)
    steps.append(Step("ensemble", "ensemble", "ensemble", mixed.prediction, 9.0, 9e3, ensemble=True))
    return steps, judge, None


def level(name: str, draw: Draw, truth: tuple[int, ...], simulations: int) -> dict[str, Any]:
    """How often each preference climbs to what is no better, and how often any such rung is called proven."""
    rng = np.random.default_rng(int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big"))
    climbs: dict[str, int] = {}
    proven = 0
    for _ in range(simulations):
        steps, judge, told = draw(rng)
        # all preferences begin with the same walk: the others are asked in some cells only
        mixed = len(steps) - 1 if steps[-1].ensemble else None
        asked = PREFERENCES if len(set(truth)) == 1 and (len(judge.y) == 300 or mixed) else ("balanced",)
        results = {p: climb(steps, judge, prefer=p, races=told, mixed=mixed) for p in asked}
        for p, found in results.items():
            climbs[p] = climbs.get(p, 0) + any(truth[i] >= truth[found.chosen] for i in range(found.chosen))
        proven += bool(false_claims(results["balanced"], truth))
    return {"simulations": simulations, "climbs": climbs, "proven": proven, "any_gain": len(set(truth)) > 1}


def false_claims(found: Climb, truth: tuple[int, ...]) -> list[int]:
    """Rungs that are called better than one that is as good."""
    at = {r.name: i for i, r in enumerate(found.rungs)}
    return [
        i for i, r in enumerate(found.rungs)
        if r.gain is not None and r.gain.verdict == "better" and truth[i] <= truth[at[r.gain.second]]
    ]  # fmt: skip


def power_worlds() -> Iterator[tuple[str, Callable[[float], World], int, int]]:
    """(name, size of the better rungs -> world, the step that it climbs from, the first better step)."""
    yield "one rung above", lambda s: World(400, (1.0, s)), 0, 1
    yield "one rung above, 60 unequal clusters", lambda s: World(1200, (1.0, s), clusters=60), 0, 1
    yield "one rung above, best of 4", lambda s: World(400, (1.0, s), configurations=4), 0, 1
    yield "three above, all add the same", lambda s: World(400, (1.0, s, s, s)), 0, 1
    yield "three above, from the second on", lambda s: World(400, (1.0, 1.0, s, s)), 0, 2
    yield "three above, the last alone", lambda s: World(400, (1.0, 1.0, 1.0, s)), 0, 3
    yield (
        "three above, the last alone, alike",
        lambda s: World(400, (1.0, 1.0, 1.0, s), shared=0.99),
        0,
        3,
    )
    wide: dict[str, Any] = {"configurations": 21, "raced": True}
    yield (
        "racing: one rung above, 20 proposals, all add the same",
        lambda s: World(400, (1.0, s), alike=True, **wide),
        0,
        1,
    )
    yield "racing: one rung above, 20 proposals, the default alone adds", lambda s: World(400, (1.0, s), **wide), 0, 1
    yield (
        "racing: one rung above, 20 proposals, the tenth alone adds",
        lambda s: World(400, (1.0, s), best_at=10, **wide),
        0,
        1,
    )
    yield "the first is proven, a second adds", lambda s: World(400, (2.5, 1.0, s)), 1, 2


def size_for(world: Callable[[float], World], low: int, high: int, effect: float) -> float:
    """Size of the better rungs such that their gain is ``effect`` true standard errors; by bisection."""
    start = world(1.0).sizes[low]
    small, large = 0.0, start
    for _ in range(60):
        middle = (small + large) / 2
        gain, error = world(middle).gain_and_error(low, high)
        if gain / error < effect:
            small, large = small, middle
        else:
            small, large = middle, large
    return (small + large) / 2


def critical(world: World, low: int, looks: int) -> float:
    """The value that the largest z over so many predictions exceeds with probability 5% where none adds anything."""
    correlation = world.gains_correlate(world.sizes[low], [world.sizes[low]] * looks)
    z = np.random.default_rng(0).multivariate_normal(np.zeros(looks), correlation, 200_000, method="eigh")
    return float(np.quantile(z.max(axis=1), 1 - ALPHA))


def power(
    name: str, make: Callable[[float], World], low: int, high: int, effect: float, simulations: int
) -> dict[str, Any]:
    """How often the ladder climbs to a rung that is truly better, and how often the oracles prove one, on the same rows."""
    world = make(size_for(make, low, high, effect))
    gain = world.gain_and_error(low, high)[0]
    ups, others = range(low + 1, len(world.sizes)), world.configurations - 1
    bound, line = critical(world, low, len(ups) * world.configurations), norm.isf(ALPHA)
    flat = world.gain_and_error(low, low)[1]  # of a configuration that adds nothing
    best = [world.gain_and_error(low, i)[1] for i in ups]
    errors = np.array([[e] + [e if world.alike else flat] * others for e in best])
    rng = np.random.default_rng(round(1000 * effect) + len(name))
    told = untold = balanced = 0
    for _ in range(simulations):
        steps, judge, predictions, races = raced(world, rng) if world.raced else (*drawn(world, rng), None)
        losses = np.square(predictions).mean(axis=2)
        z = (losses[low, 0] - losses[low + 1 :]) / errors
        told += z[high - low - 1, 0] > line
        untold += z.max() > bound
        balanced += climb(steps, judge, races=races).chosen > low
    counts = {"told": int(told), "untold": int(untold), "balanced": int(balanced)}
    relative = round(gain / world.sizes[low] ** 2, 4)
    return {"simulations": simulations, "effect": effect, "relative_gain": relative, **counts}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--simulations", type=int, default=2000)
    parser.add_argument("--only", default="level,power")
    parser.add_argument("--cells", default="", help="a part of the names of the cells that are wanted")
    parser.add_argument("--fresh", action="store_true")
    options = parser.parse_args()
    stamp = code_stamp()
    path = RESULTS / "stats.jsonl"
    lines = [json.loads(x) for x in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []
    enough = [r for r in lines if r.get("stamp") == stamp and r["simulations"] >= options.simulations]
    done = set() if options.fresh else {(r["part"], r["cell"]) for r in enough}

    def keep(part: str, cell: str, of: str, measured: Callable[[], dict[str, Any]]) -> None:
        if part in options.only.split(",") and options.cells in cell and (part, cell) not in done:
            begun = time.process_time()
            row = measured()
            record("stats", {"part": part, "cell": cell, "of": of, "stamp": stamp, **row,
                             "cpu_s": round(time.process_time() - begun, 1)})  # fmt: skip

    for name, draw, truth in level_cells():
        keep("level", name, "", lambda: level(name, draw, truth, options.simulations))  # noqa: B023
    for name, make, low, high in power_worlds():
        for effect in EFFECTS:
            cell = f"{name}: {effect:g}"
            keep("power", cell, name, lambda: power(name, make, low, high, effect, options.simulations))  # noqa: B023


if __name__ == "__main__":
    main()
