"""The pages of two comparisons: runs on what they held out, and models on new labelled rows."""

from __future__ import annotations

from holdgood.core.records import NewRowsBoard, RunComparison, RunPair
from holdgood.reports import compare_charts as charts
from holdgood.reports.declared import without_secrets
from holdgood.reports.figure import Figure
from holdgood.reports.format import percent
from holdgood.reports.page import render_page

_RUNS = (
    ("difference", "Which is better"),
    ("runs", "The runs"),
    ("cost", "Cost"),
    ("changed", "What differs"),
    ("trials", "Trials"),
)
_NEW = (
    ("ranking", "Ranking"),
    ("difference", "Differences"),
    ("seen", "What was tuned on which rows"),
    ("metrics", "All metrics"),
)


def render_comparison(compared: RunComparison, title: str = "") -> str:
    """Runs side by side as one HTML text; write it as UTF-8. No network, no row's values."""
    figures = {
        "scores": charts.scores_figure(compared),
        "differences": charts.differences_figure(compared),
        "cost": charts.cost_figure(compared),
        "families": charts.families_figure(compared),
    }
    names = [r.run for r in compared.runs]
    return render_page(
        "compare.html",
        charts=_live(figures),
        title=title or "Runs " + ", ".join(names),
        contents=_RUNS,
        c=compared,
        names=names,
        said=[pair_sentence(p) for p in compared.pairs],
        figures=figures,
        declared=[(c.what, *map(without_secrets, c.values)) for c in compared.declared],
        surroundings=[(c.what, *c.values) for c in compared.surroundings],
    )


def render_new_rows(board: NewRowsBoard, title: str = "") -> str:
    """A leaderboard on new rows as one HTML text; write it as UTF-8. No network, no row's values."""
    first = first_of(board)
    figures = {
        "scores": charts.entrants_figure(board.entrants, board.metric, board.higher_is_better),
        "against": charts.against_figure(board.entrants, first),
    }
    return render_page(
        "new_rows.html",
        charts=_live(figures),
        title=title or "Leaderboard on new rows",
        contents=_NEW,
        b=board,
        source=without_secrets(board.source),
        first=first,
        figures=figures,
        measured=list(dict.fromkeys(n for e in board.entrants for n in e.metrics)),
    )


def first_of(board: NewRowsBoard) -> str:
    """The model that the others are compared with: what the run named first delivered."""
    return next(e.name for e in board.entrants if e.role == "delivered" and e.run == board.origins[0].run)


def pair_sentence(pair: RunPair) -> str:
    """A pair in words."""
    d = pair.difference
    if d is None:
        return f"runs {pair.first} and {pair.second} cannot be paired: {pair.reason}"
    said = {
        "better": f"run {d.first} is better than run {d.second}",
        "worse": f"run {d.first} is worse than run {d.second}",
        "not proven": f"neither of runs {d.first} and {d.second} is proven better",
    }[d.verdict]
    return (
        f"{said}: mean {d.unit} per row lower by {d.difference:.5g} ({percent(d.level)}: {d.low:.5g} to {d.high:.5g}) "
        f"on {pair.rows:,} rows that both held out"
    )


def _live(figures: dict[str, Figure | None]) -> bool:
    return any(f is not None and f.option is not None for f in figures.values())
