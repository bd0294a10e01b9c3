"""Comparisons in the terminal. Formatting only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdgood.cli import draw
from holdgood.core.text import one_line
from holdgood.reports import format as words
from holdgood.reports.compare_charts import best_of_families
from holdgood.reports.compare_report import first_of, pair_sentence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdgood.core.records import Comparison, DataKind, NewRowsBoard, RunComparison
    from holdgood.workflow.lesson_list import Listed

MOST_LINES = 40


def comparison_text(compared: RunComparison) -> None:
    """The answer first, then scores and costs, the best of each family, and what differs."""
    for pair in compared.pairs:
        draw.out.print(pair_sentence(pair))
        if pair.only_first or pair.only_second:
            draw.out.print(
                f"  left out: {pair.only_first:,} rows that only run {pair.first} held out, "
                f"{pair.only_second:,} that only run {pair.second} did",
                style="dim",
            )
    draw.out.print()
    draw.rows_text(
        ["run", "chosen", "holdout", "prior", "trials", "fits", "one row", "a row of many", "size"],
        [
            [
                r.run,
                r.chosen,
                f"{r.metric} {words.interval(r.score)}" if r.score else words.NOTHING,
                words.fixed(r.prior.value, 4) if r.prior else words.NOTHING,
                str(len(r.trials)),
                words.duration(r.fit_seconds),
                words.duration(r.latency_ms / 1000),
                words.duration(r.predict_us_per_row / 1e6),
                words.size(r.size_bytes),
            ]
            for r in compared.runs
        ],
    )
    draw.out.print("\nthe best of each family, out of fold on development rows")
    draw.rows_text(
        ["run", "family", "trial", "score", "fits", "a row of many", "size"],
        [
            [
                r.run,
                t.family,
                t.name,
                words.interval(t.score) if t.score else words.NOTHING,
                words.duration(t.fit_seconds),
                words.duration(t.predict_us_per_row / 1e6),
                words.size(t.size_bytes),
            ]
            for r in compared.runs
            for t in best_of_families(r)
        ],
    )
    draw.out.print()
    for title, changes in (("declared differently", compared.declared), ("data and libraries", compared.surroundings)):
        if not changes:
            draw.out.print(f"{title}: {'nothing' if title.startswith('declared') else 'the same'}")
            continue
        draw.out.print(f"{title}: " + ", ".join(c.what for c in changes))
        for c in changes[:MOST_LINES]:
            draw.out.print(f"  {c.what}: " + " | ".join(c.values), style="dim")
        if len(changes) > MOST_LINES:
            draw.out.print(f"  and {len(changes) - MOST_LINES} more: --html FILE or --json has all", style="dim")
    for note in compared.notes:
        draw.out.print(f"note: {note}", style="yellow")


def new_rows_text(board: NewRowsBoard) -> None:
    """The ranking, then what each run had seen."""
    first = first_of(board)
    money = any(e.cost is not None for e in board.entrants)
    draw.rows_text(
        ["model", "role", board.metric, *(["cost a row"] if money else []), f"against {first}", "against its prior"],
        [
            [
                e.name,
                e.role,
                words.interval(e.score),
                *([words.interval(e.cost, board.currency) if e.cost else words.NOTHING] if money else []),
                _gain(e.against_first),
                _gain(e.against_own_prior),
            ]
            for e in board.entrants
        ],
    )
    left = f"; {board.left_out:,} left out that a run was tuned on" if board.left_out else ""
    left += f"; {board.no_outcome:,} without an outcome" if board.no_outcome else ""
    draw.out.print(f"\n{board.rows:,} rows of {board.source}{left}")
    for o in board.origins:
        draw.out.print(f"  run {o.run}: tuned on {o.tuned_on}. {o.sentence}", style="dim")
    for note in board.notes:
        draw.out.print(f"note: {note}", style="yellow")


def _gain(gain: Comparison | None) -> str:
    return words.NOTHING if gain is None else f"{gain.verdict}: {words.interval(gain, signed=True)}"


def lessons_text(listed: Sequence[Listed], like: str | None = None) -> None:
    """One lesson a block: where it comes from, what it says, and how it fared."""
    if not listed:
        draw.out.print(
            "no lesson" + (" that fits" if like else " yet") + ": every finished training writes one into lessons/"
        )
    for x in listed:
        alike = "" if x.similarity is None else f" · {words.percent(x.similarity, 0)} similar to run {like}"
        # a lesson may come from anybody: what it says is shown, and does nothing to the terminal
        draw.out.print(one_line(f"{x.lesson.id}  {x.lesson.project} run {x.lesson.run}{alike}"), style="bold")
        draw.out.print(f"  data: {kind_words(x.lesson.data)}")
        for sentence in x.lesson.sentences:
            draw.out.print(f"  {one_line(sentence)}")
        draw.out.print(f"  {x.fared}", style="dim")


def kind_words(data: DataKind) -> str:
    """A kind of data in words."""
    parts = [data.task, words.count(data.rows, "row"), words.count(data.features, "feature")]
    parts += [f"{data.numbers} numbers", f"{data.categories} categories"]
    parts += [words.count(data.texts, "text")] if data.texts else []
    parts += [f"{data.classes} classes"] if data.classes > 2 else []
    parts += [f"rarest class {words.percent(data.rarest)}"] if words.known(data.rarest) else []
    parts += [f"{words.percent(data.missing)} missing"] if data.missing else []
    parts += ["over time"] if data.over_time else []
    parts += ["in groups"] if data.grouped else []
    parts += [words.count(data.joined, "joined table")] if data.joined else []
    return ", ".join(parts)
