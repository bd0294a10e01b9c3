"""Cover of sums over the horizon at many ends of the training rows: python benchmarks/forecast/lead_sums.py [SET:ENDS:ORIGINS …]

A set's official end is one origin, and all its series share that origin's shock. Here every end is a horizon before the next, errors of the
origins before it spread paths around a plain forecast (the mean of the last steps of the same phase), and the sum of what came is
held against them. No row of split `test` is read but to know that it is not used.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from panels import load  # noqa: E402

from holdgood.core.panel import Panel  # noqa: E402
from holdgood.evaluation.path_scores import randomised_pit  # noqa: E402
from holdgood.training.panels.errors import Sizes, Trajectories, traits  # noqa: E402

SETS = ("m5_store_dept:30:8", "m5_store_dept:15:2", "favorita_weekly:6:2", "walmart:4:3", "dominicks:5:3")
MOST, SAMPLES, SHARE = 120, 200, 0.9
LEVELS = (0.5, 0.8, 0.9, 0.95)


def held(name: str, ends: int, origins: int, *, parted: bool) -> np.ndarray:
    """PIT values of sums, (ends, series). ``parted``: shocks are told apart; else errors are drawn as they come."""
    set_of = load(name)
    horizon, season = set_of.kind.horizon, max(1, set_of.kind.season)
    series = {i: g.to_numpy(float) for i, g in set_of.train.groupby("unique_id")["y"]}
    steps = int(SHARE * max(map(len, series.values())))
    ids = [i for i, y in series.items() if len(y) >= steps][:MOST]
    y = np.stack([series[i][-steps:] for i in ids])
    ends = min(ends, (steps - max(2 * horizon, 4 * season)) // horizon - origins)
    point, error, known = [], [], []
    for back in range(ends + origins):
        past, came = np.split(y[:, : steps - horizon * back], [steps - horizon * (back + 1)], axis=1)
        width = 4 if season > 1 else 8
        cycle = past[:, -width * season :].reshape(len(y), width, season).mean(axis=1)
        point.append(np.tile(cycle, (1, -(-horizon // season)))[:, :horizon])
        error.append(came - point[-1])
        times = np.zeros(past.size, "M8[us]")
        panel = Panel(np.array(ids), np.arange(len(y) + 1) * past.shape[1], times, past.ravel(), "D", (season,))
        known.append(traits(panel, point[-1]))
    random, out = np.random.default_rng(0), np.empty((ends, len(y)))
    kind, code = np.zeros(len(y), np.int64), np.repeat(np.arange(origins), len(y))
    for end in range(ends):
        before = slice(end + 1, end + 1 + origins)
        seen, errors = np.concatenate(known[before]), np.concatenate(error[before])
        sizes = Sizes.learned(seen, errors)
        kept = Trajectories.kept(
            errors, sizes.of(seen), np.zeros(len(code), np.int64), code if parted else np.arange(len(code)), 0
        )
        units = kept.draw(kind, np.array([f"{end} {i}" for i in ids]), SAMPLES, horizon, 0)
        paths = point[end][:, None] + sizes.of(known[end])[:, None, None] * units
        total = np.maximum(paths, 0.0).sum(axis=2)
        out[end] = randomised_pit((point[end] + error[end]).sum(axis=1), total, random.random(len(y)))
    return out


def main() -> None:
    for said in sys.argv[1:] or SETS:
        name, ends, origins = said.split(":")
        for parted in (False, True):
            pit = held(name, int(ends), int(origins), parted=parted)
            inside = [np.abs(pit - 0.5) <= level / 2 for level in LEVELS]
            cover = "  ".join(
                f"{level:.0%}: {held_in.mean():.1%}" for level, held_in in zip(LEVELS, inside, strict=True)
            )
            word = "shocks told apart" if parted else "as they come"
            between = inside[1].mean(axis=1).std()
            print(
                f"{name:<16} {len(pit):>2} ends of {origins} origins, {word:<17}  {cover}  80% between ends: ±{between:.1%}"
            )


if __name__ == "__main__":
    main()
