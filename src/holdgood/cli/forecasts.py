"""What the terminal shows of a forecasting run: how good at past origins, by kind of demand, and whether intervals held."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdgood.cli import draw

if TYPE_CHECKING:
    # only named in annotations: --help must not wait for pydantic
    from holdgood.core.records import ForecastEvaluation, PanelReport

_LEVELS = ("0.8", "0.95")


def accuracy_text(found: ForecastEvaluation) -> None:
    """One line a kind of demand."""
    rows = []
    for one in (found.overall, *found.segments, *found.levels):
        verdict = one.value_added.verdict if one.value_added else "not proven"
        cover = [f"{one.cover[k]:.0%}" if k in one.cover else "" for k in _LEVELS]
        rows.append(
            [
                f"  {one.name}",
                f"{one.series:,}",
                f"{one.loss:.3f}",
                f"{one.naive:.3f}",
                verdict,
                f"{one.wape:.1%}",
                f"{one.bias:+.1%}",
                _known(one.rmsse, ".3f"),
                _known(one.crps, ".1%"),
                _known(one.quantile_loss, ".1%"),
                *cover,
            ]
        )
    names = [
        found.metric,
        "the naive",
        "against it",
        "volume wrong",
        "bias",
        "rmsse",
        "crps",
        "quantile",
        *(f"in {float(k):.0%}" for k in _LEVELS),
    ]
    draw.rows_text(["  series", "", *names], rows)
    for lead in found.leads:
        held = ", ".join(f"{float(k):.0%}: {v:.0%}" for k, v in lead.cover.items())
        span = (
            f" (80% at single origins: {lead.lowest:.0%} to {lead.highest:.0%})" if lead.lowest < lead.highest else ""
        )
        draw.out.print(f"  sums over {lead.steps} steps, intervals held: {held}{span}")
    if (items := found.items) is not None:
        draw.out.print(
            f"  {items.items:,} items: {items.too_narrow:,} with fewer outcomes inside their {items.level:.0%} interval than chance explains "
            f"(by chance about {items.narrow_by_chance:.0f}), {items.too_wide:,} with more (by chance about {items.wide_by_chance:.0f})"
        )


def _known(value: float, form: str) -> str:
    return "" if value != value else format(value, form)


def panel_text(panel: PanelReport, *, most: int = 6) -> None:
    """What was odd about the table."""
    for note in panel.notes[:most]:
        where = f" (rows {', '.join(f'{r:,}' for r in note.rows)})" if note.rows else ""
        draw.out.print(f"  {note.level:<6} {note.message}{where}")
    if panel.ended:
        draw.out.print(f"  {len(panel.ended):,} ended items get no forecast: holdgood show panel", style="dim")
