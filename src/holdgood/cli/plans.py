"""Commands for plans: orders, read, review. Heavy imports wait until a command runs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from holdgood.cli import draw
from holdgood.cli.review_text import review_text
from holdgood.cli.tables import Json
from holdgood.core.text import counted

if TYPE_CHECKING:
    # only named in annotations: --help must not wait for pydantic
    from holdgood.core.records import DecidedOrders, OrderLine, OrderPlan
    from holdgood.workflow.ordering.kept import Kept

app = typer.Typer(
    name="plan",
    help="From forecasts to decisions: what to order, the planner's sheet, and what changes to it were worth.",
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
_PlanFile = Annotated[Path, typer.Option("--plan", help="The plan (JSON) that the sheet was made from.")]
_ROWS, _CHECKS = 15, 5
_CENTS_BELOW = 100.0


@app.command("orders")
def orders(
    bundle: Annotated[Path, typer.Argument(help="A bundle of a forecasting run, or a run folder that holds one.")],
    history: Annotated[str, typer.Argument(help="The history so far, as for holdgood forecast.")],
    state: Annotated[
        str | None,
        typer.Option(
            "--state",
            help="One row an item: the item's columns as in the history, on_hand, on_order, arrives, supplier, price, unit_cost, lead_time (in "
            "steps), pack, minimum … Only on_hand is needed. Default: the table under [orders].",
        ),
    ] = None,
    open_orders: Annotated[
        str | None, typer.Option("--open-orders", help="Several open orders an item: its columns, on_order, arrives.")
    ] = None,
    deliveries: Annotated[
        str | None,
        typer.Option(
            "--deliveries",
            help="Past orders, from which lead times are drawn: the item's columns or supplier, ordered and delivered (dates), or lead_time in "
            "steps; empty where nothing came.",
        ),
    ] = None,
    terms: Annotated[
        Path | None,
        typer.Option(
            "--terms", help="A holdgood.toml whose [orders] counts; default the project's in which the bundle lies."
        ),
    ] = None,
    future: Annotated[str | None, typer.Option("--future", help="Steps ahead with the columns known ahead.")] = None,
    items: Annotated[str | None, typer.Option("--items", help="One row an item with its attributes.")] = None,
    samples: Annotated[
        int | None, typer.Option("--samples", min=20, help="Paths an item; default as declared.")
    ] = None,
    to: Annotated[
        Path | None, typer.Option("--out", "-o", help="Where the plan goes (JSON); default plan.json with --xlsx.")
    ] = None,
    xlsx: Annotated[
        Path | None,
        typer.Option("--xlsx", help="Where the planner's sheet goes: accept, change or reject, then plan read."),
    ] = None,
    html: Annotated[
        Path | None, typer.Option("--html", help="Where the order desk goes: one page with the reasons.")
    ] = None,
    json: Json = False,
) -> None:
    """What to order now: each item with its reason, the money at stake and the risk either way, most money first.

    An order of now decides the steps from its own arrival to that of the next order that could be placed. Money is what it saves
    against waiting for that one. Undeclared costs are ASSUMED: then each line says what a missing unit must cost for its order to pay.

    Example: holdgood plan orders runs/0001/bundle sales.csv --state stock.csv

    Example: holdgood plan orders runs/0001/bundle sales.csv --state stock.csv --xlsx orders.xlsx --html orders.html

    Example: holdgood plan read orders.xlsx --plan plan.json -o final.csv
    """
    from holdgood.workflow.ordering.api import plan_orders
    from holdgood.workflow.ordering.kept import keep_earlier

    made = plan_orders(
        bundle, history, state, orders=terms, open_orders=open_orders, deliveries=deliveries, future=future, items=items, samples=samples,
    )  # fmt: skip
    to = to or (Path("plan.json") if xlsx is not None else None)
    kept = keep_earlier(made.plan, to, xlsx)
    written = [made.save(to)] if to is not None else []
    written += [made.to_excel(xlsx)] if xlsx is not None else []
    written += [made.to_html(html)] if html is not None else []
    if json:
        files = {"written": [str(p) for p in written], "kept": [str(k.path) for k in kept]}
        draw.as_json({"plan": made.plan.id, **made.plan.payload(), **files})
        return
    plan_text(made.plan)
    kept_text(kept)
    for path in written:
        draw.out.print(f"written: {path}")
    if xlsx is not None:
        draw.out.print(f"when the sheet comes back: holdgood plan read {xlsx} --plan {to} -o final.csv", style="cyan")
    elif not written:
        draw.out.print("next: the planner's sheet, --xlsx FILE; a page with the reasons, --html FILE", style="cyan")


def kept_text(kept: Sequence[Kept]) -> None:
    """What lay where something was written, and where it lies now; a sheet with the plan that it is read against."""
    for one in kept:
        draw.out.print(str(one), style="yellow")
    sheets = [one for one in kept if one.path.suffix == ".xlsx" and one.plan]
    for sheet in sheets:
        for plan in (one for one in kept if one.path.suffix == ".json" and one.plan == sheet.plan):
            draw.out.print(f"  its orders: holdgood plan read {sheet.path} --plan {plan.path}", style="cyan")


def plan_text(plan: OrderPlan) -> None:
    """The plan on one screen: the sum, the lines with most money at stake, what to check first."""
    from holdgood.reports.format import number
    from holdgood.reports.order_desk import chance, lead

    draw.out.print()
    draw.out.print(lead(plan), style="bold")
    shown, others = plan.orders[:_ROWS], plan.orders[_ROWS:]
    saved, rest = _stakes(plan, shown, others)
    rows = []
    for line, amount in zip(shown, saved, strict=True):
        stake = amount or f"above {number(line.break_even)}"
        runs_out = f"{chance(line.short_if_not)} → {chance(line.short)}"
        note = "approved" if line.approved else "check" if line.checks else ""
        rows.append([line.item, line.supplier, number(line.quantity), line.arrives, stake, runs_out, note])
    if others:
        rows.append([f"… and {len(others):,} more", "", "", "", rest, "", ""])
    if rows:
        saves = "pays if a unit short costs" if plan.assumed else "saves"
        names = ["item", "supplier", "order", "arrives", saves, "runs out", ""]
        keep = [k for k, n in enumerate(names) if n != "supplier" or any(line.supplier for line in plan.lines)]
        draw.rows_text([names[k] for k in keep], [[row[k] for k in keep] for row in rows])
    if others:
        draw.out.print(f"all {len(plan.orders):,} orders: the sheet (--xlsx), the page (--html)", style="dim")
    for line in plan.orders[:1]:
        draw.out.print(f"why {line.item}: {line.reason}")
    doubtful = [(line.item, c) for line in plan.lines for c in line.checks]
    if doubtful:
        draw.out.print("check first:")
        for item, said in doubtful[:_CHECKS]:
            draw.out.print(f"  {item}: {said}")
        if len(doubtful) > _CHECKS:
            draw.out.print(f"  … and {len(doubtful) - _CHECKS:,} more", style="dim")
    for said in (*plan.limits, *plan.assumptions, *(n.message for n in plan.notes)):
        draw.err.print(f"note: {said}", style="yellow")
    if plan.left_out:
        first = plan.left_out[0]
        draw.err.print(
            f"note: {counted(len(plan.left_out), 'item')} not planned, for example {first.item}: {first.why}",
            style="yellow",
        )


def _stakes(plan: OrderPlan, shown: Sequence[OrderLine], others: Sequence[OrderLine]) -> tuple[list[str], str]:
    """What lines save, and what those that are not shown save together, adding up to the sum in the lead; "" where money is not known."""
    from holdgood.reports.adding_up import adding_up
    from holdgood.reports.format import money

    stakes = [line.money for line in shown]
    left = [line.money for line in others if math.isfinite(line.money)]
    parts = [v for v in (*stakes, math.fsum(left) if left else math.nan) if math.isfinite(v)]
    total = math.fsum(parts)
    places = 0 if abs(total) >= _CENTS_BELOW or total == int(total) else 2
    words = iter([money(v, plan.currency, places) for v in adding_up(parts, total, places, rest=bool(left))])
    return [next(words) if math.isfinite(v) else "" for v in stakes], next(words, "")


@app.command("read")
def read(
    sheet: Annotated[Path, typer.Argument(help="The sheet that came back (.xlsx).")],
    plan: _PlanFile = Path("plan.json"),
    to: Annotated[
        Path | None, typer.Option("--out", "-o", help="Where the final orders go (csv, xlsx, parquet, jsonl).")
    ] = None,
    record: Annotated[
        Path | None,
        typer.Option("--record", help="Where decisions and overrides go; default decided.json beside the plan."),
    ] = None,
    who: Annotated[str | None, typer.Option("--who", help="Who decided, instead of the name on the sheet.")] = None,
    accept_rest: Annotated[
        bool, typer.Option("--accept-rest", help="Accept the lines without a decision; default they stay open.")
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 1 if a cell could not be read or a line is open.")
    ] = False,
    json: Json = False,
) -> None:
    """Read a planner's sheet back: final orders, and who changed what and why.

    Lines are found by their own name, whatever was sorted or filtered. A cell that cannot be taken gets a word, and its line stays
    open: text in a quantity, less than nothing, broken packs, deleted rows, cells moved against each other. A sheet of another plan is
    refused.

    Example: holdgood plan read orders.xlsx --plan plan.json -o final.csv
    """
    from holdgood.workflow.ordering.decided import read_decided

    done = read_decided(sheet, plan, who=who, accept_rest=accept_rest, to=to, record=record)
    decided, path = done.decided, done.path
    if json:
        files = {"record": str(path), "written": to and str(to), "kept": [str(k.path) for k in done.kept]}
        draw.as_json({**decided.payload(), **files})
    else:
        decided_text(decided)
        kept_text(done.kept)
        for file in (path, *([to] if to else [])):
            draw.out.print(f"written: {file}")
        if decided.overrides:
            records = [path, *(k.path for k in done.kept if k.plan == decided.plan)]
            every = " ".join(f"--decided {file}" for file in records)
            draw.out.print(
                f"when the outcome is known: holdgood plan review BUNDLE HISTORY {every} --plan {plan}", style="cyan"
            )
    if strict and (decided.open or decided.broken or any(not f.taken for f in decided.faults)):
        raise typer.Exit(1)


def decided_text(decided: DecidedOrders) -> None:
    """What was decided, what was changed, what could not be read."""
    from holdgood.reports.format import number

    units = [o for o in decided.orders if o.quantity > 0]
    said = f"{decided.who} decided {counted(len(decided.orders), 'line')}: {counted(len(units), 'order')}"
    said += f", {counted(len(decided.overrides), 'change')} to the plan"
    draw.out.print(said + (f"; {counted(len(decided.open), 'line')} still open" if decided.open else ""), style="bold")
    if decided.open:
        more = "open lines are not ordered: fill them in and read the sheet again, or take them as planned with --accept-rest"
        draw.out.print(more, style="dim")
    rows = [
        [o.item, number(o.before), number(o.after), o.reason or "no reason given"] for o in decided.overrides[:_ROWS]
    ]
    if rows:
        draw.rows_text(["changed", "from", "to", "why"], rows)
    for said in decided.broken:
        draw.err.print(f"not kept: {said}", style="bold yellow")
    for fault in decided.faults[: 3 * _ROWS]:
        where = f"{fault.sheet} {fault.cell} " if fault.cell else ""
        found = f" ({fault.found!r})" if fault.found else ""
        draw.err.print(
            f"{'note' if fault.taken else 'not read'}: {where}{fault.item}: {fault.said}{found}", style="yellow"
        )
    if len(decided.faults) > 3 * _ROWS:
        draw.err.print(f"… and {len(decided.faults) - 3 * _ROWS:,} more; the record has all", style="yellow")


@app.command("review")
def review(
    bundle: Annotated[Path, typer.Argument(help="The bundle of the forecast: it says what the columns are.")],
    history: Annotated[str, typer.Argument(help="The history with what was asked for since.")],
    decided: Annotated[
        list[Path] | None, typer.Option("--decided", help="What plan read wrote; repeat for several plans.")
    ] = None,
    plan: Annotated[
        list[Path] | None, typer.Option("--plan", help="The plans that were decided on; repeat for several.")
    ] = None,
    to: Annotated[Path | None, typer.Option("--out", "-o", help="Where the review goes (JSON).")] = None,
    json: Json = False,
) -> None:
    """What each change to a plan was worth once outcomes are known: money saved or lost, by change and by person, with intervals.

    The steps that an order decided are walked again with the demand that came, once with the plan's quantity and once with the
    planner's; what is left over is held until it is sold. Where a stock-out hid demand the figure is told to be one-sided.

    Example: holdgood plan review runs/0001/bundle sales_now.csv --decided decided.json --plan plan.json
    """
    from holdgood.workflow.ordering.review import review_files

    found = review_files(bundle, history, decided or [Path("decided.json")], plan or [Path("plan.json")], to=to)
    if json:
        draw.as_json(found.payload())
        return
    review_text(found)
    if to is not None:
        draw.out.print(f"written: {to}")


def demo_orders_text(folder: Path, bundle: Path) -> None:
    """The demo's order sheet, and what ordering by it would have saved on months that nothing had read."""
    from holdgood.reports.format import interval, money, percent
    from holdgood.workflow.ordering.demo import demo_orders

    done = demo_orders(folder, bundle)
    plan, walked = done.planned.plan, done.replayed
    plan_text(plan)
    kept_text(done.kept)
    for path in (done.plan, done.sheet, done.desk):
        if path is not None:
            draw.out.print(f"written: {path}")
    if done.sheet is not None:
        draw.out.print(
            f"when the sheet comes back: holdgood plan read {done.sheet} --plan {done.plan} -o final.csv", style="cyan"
        )
    else:
        draw.err.print("note: no order sheet without openpyxl: pip install 'holdgood[excel]'", style="yellow")
    draw.out.print()
    ours, theirs = float(walked.ours.loss.sum()), float(walked.theirs.loss.sum())
    change = (theirs - ours) / theirs if theirs else 0.0
    said = f"{percent(abs(change))} {'less' if change >= 0 else 'more'}"
    draw.out.print(
        f"At these costs of a demonstration, over {walked.steps} months that nothing had read: ordering by the plan each month would have cost "
        f"{money(ours, plan.currency)}, the tuned rule of minimum and maximum {money(theirs, plan.currency)}: {said}.",
        style="bold",
    )
    draw.out.print(f"  saved an item: {interval(walked.saved, plan.currency, signed=True)}: {walked.saved.verdict}")
    fill = f"{percent(walked.ours.fill_rate)} of demand met in its month against {percent(walked.theirs.fill_rate)}"
    draw.out.print(f"  {fill}; {done.rule}", style="dim")
