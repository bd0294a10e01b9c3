"""By group: what each group gets, with intervals, and how far groups lie apart; thin groups are 'cannot tell'."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from holdgood.core.declaration import FairnessSpec
from holdgood.core.errors import DataError
from holdgood.core.records import FairnessReport, Gap, GroupReport, GroupResult, Interval
from holdgood.core.task import Task
from holdgood.fairness.gaps import FEWEST_CLUSTERS, clusters_worth, largest_gap, summed
from holdgood.fairness.measures import DESCRIBED_ONLY, Ratio, gate_measure, ratios
from holdgood.metrics.interval import mean_interval, share_interval
from holdgood.metrics.quantile import normal_quantile

MISSING = "(missing)"
MOST_LISTED = 40
MOST_NAMED = 5
LEVEL = 0.95


def by_group(
    task: Task,
    y: np.ndarray,
    prediction: np.ndarray,
    answers: np.ndarray,
    attributes: Mapping[str, np.ndarray],
    spec: FairnessSpec,
    *,
    clusters: np.ndarray | None = None,
    seed: int = 0,
) -> FairnessReport:
    """Measures and gaps of every attribute on holdout rows.

    ``y`` (n,) coded, ``prediction`` as in Task, ``answers`` (n,) class codes or values as given at the threshold in
    use; ``attributes``: name to (n,) labels, None for missing (a group of its own); ``clusters`` (n,): rows that belong
    together. A group under ``spec.min_rows`` rows, or (binary) under ``spec.min_positives`` positives or negatives, is
    thin: no measures, but the rows that would tell. So is a group whose rows are worth fewer than eight clusters (two
    customers are two facts, however many orders they place); sentences name it. Intervals of groups are 95% each; a
    gap's interval holds for all pairs of groups of one attribute at once and is Bonferroni-corrected over attributes;
    several measures are several questions, of which the gate asks one (``FairnessReport.measure``). Raises DataError
    for arrays of other lengths.
    """
    for name, labels in attributes.items():
        if len(labels) != len(y):
            raise DataError(
                f"{len(labels):,} labels of {name!r} for {len(y):,} rows", "one label a row", "score the same rows"
            )
    measure = gate_measure(spec, task)
    if not attributes:
        sentence = "Nobody has declared the groups to be fair to; that is not the same as being fair."
        return FairnessReport(measure=measure, rows=len(y), sentence=sentence)
    level = 1.0 - (1.0 - LEVEL) / len(attributes)
    found = ratios(task, y, prediction, answers, measure)
    pairs = [
        _attribute(name, labels, found, task, y, spec, measure, level, clusters, [seed, position])
        for position, (name, labels) in enumerate(attributes.items())
    ]
    reports = tuple(report for report, _ in pairs)
    few = [f"{report.attribute}: {said}" for report, said in pairs if said]
    left_out = f" Too few clusters to tell in {'; in '.join(few)}." if few else ""
    sentence = _sentence(reports, measure) + left_out
    return FairnessReport(attributes=reports, measure=measure, rows=len(y), sentence=sentence)


def _attribute(
    name: str, labels: np.ndarray, found: tuple[Ratio, ...], task: Task, y: np.ndarray, spec: FairnessSpec,
    measure: str, level: float, clusters: np.ndarray | None, seed: list[int],
) -> tuple[GroupReport, str]:  # fmt: skip
    """One attribute's report, and its groups of too few clusters in words (empty: there are none)."""
    missing = np.array([v is None for v in labels], bool)
    text = np.where(missing, MISSING, labels).astype(str)
    names, codes = np.unique(text, return_inverse=True)
    n = np.bincount(codes, minlength=len(names))
    positives = (
        np.bincount(codes, weights=y == 1, minlength=len(names)).astype(np.int64) if task.kind == "binary" else n * 0
    )
    thin = n < spec.min_rows
    if task.kind == "binary":
        thin |= (positives < spec.min_positives) | (n - positives < spec.min_positives)
    # several rows of one cluster are no better than one: below a few clusters no spread can be known
    worth = n * 1.0 if clusters is None else clusters_worth(np.ones(len(y)), codes, len(names), clusters)
    clustered_few = ~thin & (worth < FEWEST_CLUSTERS) & (clusters is not None)
    thin |= clustered_few
    gate = next(r for r in found if r.name == measure)
    needed = _rows_needed(gate, spec)
    # largest first, thin ones behind; equals by their label
    order = sorted(range(len(names)), key=lambda g: (bool(thin[g]), -int(n[g]), str(names[g])))
    results = []
    for g in order:
        if thin[g]:
            alike = math.ceil(n[g] * FEWEST_CLUSTERS / worth[g]) if clustered_few[g] else 0
            rows = max(needed, spec.min_rows, int(n[g]) + 1, alike)
            results.append(
                GroupResult(name=str(names[g]), n=int(n[g]), positives=int(positives[g]), thin=True, rows_needed=rows)
            )
            continue
        rows_of = codes == g
        measures = {r.name: _interval(r, rows_of, clusters) for r in found}
        results.append(GroupResult(name=str(names[g]), n=int(n[g]), positives=int(positives[g]), measures=measures))
    thick = [g for g in order if not thin[g]]
    few = [(str(names[g]), float(worth[g])) for g in order if clustered_few[g]]
    gaps = _gaps(found, codes, thick, [str(names[g]) for g in thick], few, spec, level, clusters, seed)
    return GroupReport(attribute=name, groups=tuple(_shortened(results)), gaps=gaps), _few_clusters(few)


def _gaps(
    found: tuple[Ratio, ...], codes: np.ndarray, thick: list[int], names: list[str], few: list[tuple[str, float]],
    spec: FairnessSpec, level: float, clusters: np.ndarray | None, seed: list[int],
) -> tuple[Gap, ...]:  # fmt: skip
    gaps = []
    for position, ratio in enumerate(found):
        if ratio.name in DESCRIBED_ONLY:
            continue
        # where nobody in a group was acted on, its precision has no value; the other groups still have theirs
        valued = [i for i, g in enumerate(thick) if np.any(ratio.bottom[codes == g] > 0)]
        left_out = list(few)
        if clusters is not None:
            # a measure of few rows, such as precision, can lie in few clusters although the group does not
            worth = clusters_worth(ratio.bottom, codes, int(codes.max(initial=-1)) + 1, clusters)
            left_out += [(names[i], float(worth[thick[i]])) for i in valued if worth[thick[i]] < FEWEST_CLUSTERS]
            valued = [i for i in valued if worth[thick[i]] >= FEWEST_CLUSTERS]
        place = np.full(int(codes.max(initial=-1)) + 1, -1)
        place[[thick[i] for i in valued]] = np.arange(len(valued))
        table = summed(ratio, place[codes], len(valued), clusters)
        gap = largest_gap(
            ratio, table, [names[i] for i in valued], limit=spec.max_gap, level=level, clustered=clusters is not None,
            seed=int(np.random.SeedSequence([*seed, position]).generate_state(1)[0]),
        )  # fmt: skip
        if gap is not None:
            more = f"; not compared, too few clusters to tell: {_few_clusters(left_out)}" if left_out else ""
            gaps.append(gap.model_copy(update={"sentence": gap.sentence + more}))
    return tuple(gaps)


def _few_clusters(few: list[tuple[str, float]]) -> str:
    """Groups with the clusters that their rows are worth, for example: north (worth 2 of 8 needed)."""
    said = [f"{name} (worth {worth:.2g} of {FEWEST_CLUSTERS} needed)" for name, worth in few[:MOST_NAMED]]
    rest = len(few) - len(said)
    return ", ".join(said) + (f" and {rest:,} more" if rest else "")


def _interval(ratio: Ratio, rows: np.ndarray, clusters: np.ndarray | None) -> Interval:
    """A measure of one group's rows with its own 95% interval."""
    of = rows & (ratio.bottom > 0)
    together = None if clusters is None else clusters[of]
    return share_interval(ratio.top[of], together) if ratio.share else mean_interval(ratio.top[of], together)


def _rows_needed(ratio: Ratio, spec: FairnessSpec) -> int:
    """Rows of a group that would pin the gate's measure to half the limit either way, at the spread of all rows."""
    share = float(np.mean(ratio.bottom > 0)) if len(ratio.bottom) else 0.0
    if share == 0.0:
        return spec.min_rows
    of = ratio.bottom > 0
    rate = float(np.mean(ratio.top[of]))
    variance = max(rate * (1.0 - rate), 0.05) if ratio.share else float(np.var(ratio.top[of]))
    half = spec.max_gap / 2.0
    return math.ceil(normal_quantile(0.975) ** 2 * variance / half**2 / share)


def _shortened(results: list[GroupResult]) -> list[GroupResult]:
    """All groups that can be told, then thin ones up to forty entries; the rest of the thin ones as one entry."""
    thick = [r for r in results if not r.thin]
    thin = [r for r in results if r.thin]
    room = max(0, MOST_LISTED - len(thick))
    rest = thin[room:]
    if len(rest) < 2:
        return results
    together = GroupResult(
        name=f"({len(rest):,} more groups, each too thin)", n=sum(r.n for r in rest),
        positives=sum(r.positives for r in rest), thin=True, rows_needed=max(r.rows_needed for r in rest),
    )  # fmt: skip
    return [*thick, *thin[:room], together]


def _sentence(reports: tuple[GroupReport, ...], measure: str) -> str:
    """One sentence over all attributes, on the gate's measure."""
    words = measure.replace("_", " ")
    by_verdict: dict[str, list[str]] = {"gap": [], "cannot tell": [], "within": []}
    for report in reports:
        verdicts = [g.verdict for g in report.gaps if g.measure == measure]
        by_verdict[verdicts[0] if verdicts else "cannot tell"].append(report.attribute)
    said = []
    if by_verdict["gap"]:
        said.append(f"proven gap between groups of {', '.join(by_verdict['gap'])}")
    if by_verdict["cannot tell"]:
        said.append(f"cannot tell for {', '.join(by_verdict['cannot tell'])}")
    if by_verdict["within"]:
        said.append(f"within the limit for {', '.join(by_verdict['within'])}")
    return f"Fairness ({words}): {'; '.join(said)}."
