"""make bench-stats (2): do the holdout's intervals cover as often as they say? By simulation on the real code.

Every cell is a kind of number (mean loss, RMSE, share, AUC, money, differences of each), a shape of the data and a number of rows.
The truth is known in closed form, or by quadrature. Counted: how often a 95% interval misses it. Accepted by the exact binomial test
of 5%, corrected over all cells: liberal is not allowed, conservative is. Misses on each side are told beside.
One JSON line a cell in benchmarks/results/stats.jsonl; finished cells of the same code are not done again.

    --simulations 2000   --fresh
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from scipy import integrate, special
from scipy.stats import norm

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from record import RESULTS, record  # noqa: E402

from holdgood.metrics import auc_interval, delong, mean_interval, paired, root_mean_interval, share_interval  # noqa: E402

Ends = tuple[float, float]
Cell = tuple[str, float, Callable[[np.random.Generator], Ends]]
"""Name, the true value, and a draw: the interval from one made-up holdout."""


def code_stamp() -> str:
    """A hash of what decides the results."""
    metrics = HERE.parents[1] / "src" / "holdgood" / "metrics"
    digest = hashlib.sha256()
    for path in (metrics / "interval.py", metrics / "compare.py", HERE / "intervals.py"):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def unequal(n: int, groups: int) -> np.ndarray:
    """Cluster of each row, the largest cluster some ten times the median."""
    weight = 1.0 / np.arange(1, groups + 1) ** 0.7
    return np.searchsorted(np.round(np.cumsum(weight) / weight.sum() * n).astype(int), np.arange(n), side="right")


def together(rng: np.random.Generator, codes: np.ndarray | None, n: int, within: float = 0.5) -> np.ndarray:
    """Standard normals, (n,), that correlate inside a cluster."""
    own = rng.normal(size=n)
    if codes is None:
        return own
    return math.sqrt(within) * rng.normal(size=int(codes.max()) + 1)[codes] + math.sqrt(1 - within) * own


def layouts() -> Iterator[tuple[str, int, np.ndarray | None]]:
    """(words, rows, clusters)"""
    for n in (50, 300, 2000):
        yield f"n={n}", n, None
    yield "n=1000 in 60 unequal clusters", 1000, unequal(1000, 60)


def ends(found: object) -> Ends:
    return found.low, found.high  # type: ignore[attr-defined]


def losses() -> Iterator[Cell]:
    """Log loss of calibrated chances: the truth is the mean entropy; RMSE of noise with a known size, thin and heavy tails."""
    spread = 1.5

    def entropy(z: float) -> float:
        p = special.expit(spread * z)
        return float(special.entr(p) + special.entr(1 - p)) * float(norm.pdf(z))

    truth = integrate.quad(entropy, -8, 8)[0]
    for words, n, codes in layouts():

        def log_loss(rng: np.random.Generator, n: int = n, codes: np.ndarray | None = codes) -> Ends:
            p = special.expit(spread * together(rng, codes, n))
            y = rng.random(n) < p
            return ends(mean_interval(-np.log(np.where(y, p, 1 - p)), codes))

        yield f"log loss, {words}", truth, log_loss
        for tail, df in (("normal", math.inf), ("heavy (t5)", 5.0)):
            size = 1.0 if math.isinf(df) else math.sqrt(df / (df - 2))

            def rmse(rng: np.random.Generator, n: int = n, codes: np.ndarray | None = codes, df: float = df) -> Ends:
                e = together(rng, codes, n)
                if not math.isinf(df):
                    e = e / np.sqrt(rng.chisquare(df, n) / df)
                return ends(root_mean_interval(np.square(e), codes))

            yield f"RMSE, {tail} errors, {words}", size, rmse


def shares() -> Iterator[Cell]:
    """Shares of 0/1 rows, rare and common; in clusters through a latent normal."""
    for p in (0.03, 0.3):
        for words, n, codes in layouts():

            def share(rng: np.random.Generator, n: int = n, codes: np.ndarray | None = codes, p: float = p) -> Ends:
                return ends(share_interval((together(rng, codes, n, 0.2) < norm.ppf(p)).astype(float), codes))

            yield f"share {p:g}, {words}", p, share


def areas() -> Iterator[Cell]:
    """AUC of two normals a distance apart, and the difference of two scores on the same rows."""
    for distance in (0.5, 1.5, 3.0):
        truth = float(norm.cdf(distance / math.sqrt(2)))
        for words, n, codes in layouts():

            def area(
                rng: np.random.Generator, n: int = n, codes: np.ndarray | None = codes, d: float = distance
            ) -> Ends:
                y = outcomes(rng, n)
                return ends(auc_interval(y, together(rng, codes, n, 0.2) + d * y, codes))

            yield f"AUC {truth:.3f}, {words}", truth, area
    for one, two in ((1.2, 1.2), (1.4, 1.0)):
        truth = float(norm.cdf(one / math.sqrt(2)) - norm.cdf(two / math.sqrt(2)))
        for words, n, codes in layouts():

            def difference(
                rng: np.random.Generator,
                n: int = n,
                codes: np.ndarray | None = codes,
                one: float = one,
                two: float = two,
            ) -> Ends:
                y = outcomes(rng, n)
                common = together(rng, codes, n, 0.2)
                a, b = (0.8 * common + 0.6 * rng.normal(size=n) + d * y for d in (one, two))
                return ends(delong(y, a, b, clusters=codes))

            yield f"AUC difference {truth:.3f}, {words}", truth, difference


def outcomes(rng: np.random.Generator, n: int) -> np.ndarray:
    """One fifth positives, spread at random; at least two."""
    y = np.zeros(n)
    y[rng.permutation(n)[: max(2, n // 5)]] = 1.0
    return y


def money() -> Iterator[Cell]:
    """A miss costs 300 and a false alarm 40 (few rows carry most), amounts with a long tail, and differences of both."""
    miss, alarm, rare = 300.0, 40.0, 0.08
    for words, n, codes in layouts():
        for found, false in ((0.7, 0.15), (0.5, 0.05)):
            truth = rare * (1 - found) * miss + (1 - rare) * false * alarm - rare * miss

            def saved(
                rng: np.random.Generator,
                n: int = n,
                codes: np.ndarray | None = codes,
                found: float = found,
                false: float = false,
            ) -> Ends:
                y = together(rng, codes, n, 0.2) < norm.ppf(rare)
                acted = rng.random(n) < np.where(y, found, false)
                spent = np.where(y & ~acted, miss, np.where(acted & ~y, alarm, 0.0))
                return ends(paired(spent, np.where(y, miss, 0.0), first="a", second="b", clusters=codes))

            yield f"money saved against acting on nobody ({found:g}, {false:g}), {words}", -truth, saved

        def amounts(rng: np.random.Generator, n: int = n, codes: np.ndarray | None = codes) -> Ends:
            return ends(mean_interval(np.exp(together(rng, codes, n)), codes))

        yield f"mean of log-normal amounts, {words}", math.exp(0.5), amounts

        def gain(rng: np.random.Generator, n: int = n, codes: np.ndarray | None = codes) -> Ends:
            common = together(rng, codes, n)
            a, b = (s * (0.9 * common + math.sqrt(0.19) * rng.normal(size=n)) for s in (1.0, 1.1))
            return ends(paired(np.square(a), np.square(b), first="a", second="b", clusters=codes))

        yield f"difference of squared errors, {words}", 1.1**2 - 1.0, gain


def cells() -> list[Cell]:
    return [*losses(), *shares(), *areas(), *money()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--simulations", type=int, default=2000)
    parser.add_argument("--fresh", action="store_true")
    options = parser.parse_args()
    stamp, path = code_stamp(), RESULTS / "stats.jsonl"
    lines = [json.loads(x) for x in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []
    enough = [r for r in lines if r.get("stamp") == stamp and r["simulations"] >= options.simulations]
    done = set() if options.fresh else {r["cell"] for r in enough}
    for name, truth, draw in cells():
        if name not in done:
            begun = time.process_time()
            row = {"part": "interval", "cell": name, "of": name.split(",")[0], "stamp": stamp}
            counted = missed(name, truth, draw, options.simulations)
            record("stats", {**row, **counted, "cpu_s": round(time.process_time() - begun, 1)})


def missed(name: str, truth: float, draw: Callable[[np.random.Generator], Ends], simulations: int) -> dict[str, int]:
    """How often the truth lies below the interval, and above it."""
    rng = np.random.default_rng(int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big"))
    below = above = 0
    for _ in range(simulations):
        low, high = draw(rng)
        below += truth < low
        above += truth > high
    return {"simulations": simulations, "below": int(below), "above": int(above)}


if __name__ == "__main__":
    main()
