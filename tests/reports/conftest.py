"""Realistic records, built by hand: what the report is given in five kinds of run."""

import math

import pytest

from holdgood.core.declaration import parse
from holdgood.core.records import (
    AuditReport,
    Bundle,
    Calibration,
    CardSection,
    CleanLog,
    ColumnProfile,
    Comparison,
    Confusion,
    Evaluation,
    FairnessReport,
    FeatureLedger,
    FileEntry,
    Finding,
    Gap,
    Gate,
    GroupReport,
    GroupResult,
    Importance,
    Interval,
    JoinEntry,
    Leaderboard,
    LedgerEntry,
    ModelCard,
    Money,
    Outcome,
    Profile,
    Proposal,
    RepairEntry,
    Rung,
    Series,
    Slice,
    Split,
    TableSummary,
    Threshold,
    Trial,
    Verdict,
)
from holdgood.evaluation import overfitting
from holdgood.reports import RunView

NAN = math.nan


def between(value, half, n=52_000, method="BCa bootstrap, blocks of 4 days"):
    return Interval(value=value, low=value - half, high=value + half, n=n, method=method)


def gain(first, second, value, half, unit=""):
    verdict = "better" if value - half > 0 else "worse" if value + half < 0 else "not proven"
    return Comparison(
        first=first,
        second=second,
        difference=value,
        low=value - half,
        high=value + half,
        n=52_000,
        unit=unit,
        verdict=verdict,
    )


def outcome(code, title, status="passed", findings=(), scope="tables", **more):
    return Outcome(code=code, title=title, scope=scope, status=status, findings=findings, seconds=0.04, **more)


LATE = Finding(
    code="AUD014", title="Five columns are known only after the decision", level="issue", severity="high", table="flights",
    columns=("dep_time", "dep_delay", "arr_time", "arr_delay", "air_time"), late=True, rows=158_418,
    message="They are missing where there is no outcome and present where there is one: they come into being together with it.",
    evidence={"missing_without_outcome": 0.973, "missing_with_outcome": 0.0, "p": 1.2e-300},
)  # fmt: skip
SENTINEL = Finding(
    code="AUD007", title="A sentinel stands for missing", level="issue", severity="medium", table="planes", columns=("year",), rows=70,
    message="`year` holds 0 in 2.1% of rows, and never anything between 0 and 1956.", evidence={"share": 0.021},
    proposal=Proposal(repair="sentinel-to-missing", table="planes", columns=("year",), cells=70, sentence="turn 0 into missing"),
)  # fmt: skip
ORPHANS = Finding(
    code="AUD005", title="Some rows find no partner", level="tip", severity="low", table="flights", columns=("tailnum",), rows=24_000,
    message="15.2% of flights name a plane that is not in `planes`.", evidence={"share": 0.152},
)  # fmt: skip
THIN = Finding(
    code="AUD021", title="A thin group", level="tip", severity="low", table="flights", columns=("carrier",), rows=32,
    message="Carrier OO has 32 rows; about 900 would tell.",
)  # fmt: skip


def audits(scope, found=()):
    passed = [outcome(f"AUD{i:03d}", f"A check that ended well, number {i}", scope=scope) for i in (1, 2, 3)]
    live = [outcome(f.code, f.title, f.level, (f,), scope) for f in found]
    rest = [
        outcome("AUD011", "Columns that only identify", "not applicable", scope=scope, reason="no table has a key"),
        outcome("AUD006", "Numbers kept as text", "skipped", scope=scope, reason="MemoryError: not enough memory"),
        outcome(
            "AUD010", "Spelling variants", "ignored", scope=scope, reason="both spellings are right", ignored_by="Ann"
        ),
    ]
    tables = (
        TableSummary(name="flights", source="flights.parquet", rows=166_158, columns=19, megabytes=21.4),
        TableSummary(
            name="weather", source="postgresql://ann:s3cret@db/weather?table=w", rows=26_115, columns=15, megabytes=3.1
        ),
    )
    return AuditReport(scope=scope, tables=tables, outcomes=tuple(live + passed + rest), seconds=1.9)


def board(metric="log_loss", higher=False, unit="log loss"):
    rows = [
        ("prior", 0.528, 0.004, None, False), ("linear", 0.447, 0.005, 0.081, True), ("tree", 0.452, 0.006, -0.005, False),
        ("forest", 0.441, 0.005, 0.006, False), ("boosting", 0.421, 0.005, 0.026, True), ("ensemble", 0.4205, 0.005, 0.0006, False),
    ]  # fmt: skip
    rungs = []
    for name, score, half, step, taken in rows:
        below = "linear" if name in ("tree", "forest", "boosting") else "boosting" if name == "ensemble" else "prior"
        rungs.append(
            Rung(
                name=name, trial=f"{name}-1", family=name, score=between(score, half), taken=taken or name == "prior",
                gain=None if step is None else gain(name, below, step, 0.002, unit),
                money_gain=None if step is None else gain(name, below, step * 300_000, 2_100.0, "EUR a month"),
                latency_ratio=NAN if step is None else 14.2 if name == "ensemble" else 1.4,
                tries=4 if name == "boosting" else 1, fit_seconds=12.3, predict_ms=0.042, size_bytes=1.8e6,
                why="the ladder stands on it" if step is None else "proven at 1.4 times the latency" if taken else "not proven",
                sentence="" if step is None else f"{below} to {name}: gains {step} log loss.",
            )
        )  # fmt: skip
    trials = [
        Trial(
            name=f"{n}-1", family=n, rung=i, parameters={"learning_rate": 0.05, "leaves": 31}, status="ok", score=between(s, h),
            fold_scores=(s, s), fit_seconds=2.1 * i, predict_us_per_row=3.2, size_bytes=180_000 * (i + 1), rounds=240,
        )
        for i, (n, s, h, _, _) in enumerate(rows)
    ]  # fmt: skip
    trials.append(
        Trial(name="forest-2", family="forest", rung=3, status="stopped", reason="would not end in the 12 s left")
    )
    trials.append(
        Trial(name="linear-9", family="linear", rung=1, status="failed", reason="ValueError: no finite value")
    )
    return Leaderboard(
        metric=metric, higher_is_better=higher, trials=tuple(trials), ladder=tuple(rungs), chosen="boosting-1",
        reason="Boosting is proven better than the linear model, and its gain is worth its cost; the ensemble's is not.",
        members={"boosting-1": 0.7, "linear-1": 0.3}, rows=106_000, folds=5, fold_kind="blocks of time, oldest first",
        seconds=171.0, budget="180s", prefer="balanced",
        rule="A rung is climbed only where its gain is proven and worth its cost: the chance of climbing for nothing is 5% at most.",
        notes=("The selection inside a family is not part of the interval.",),
    )  # fmt: skip


def curves():
    x = tuple(i / 60 for i in range(61))
    return (
        Series(name="ROC", x=x, y=tuple(v**0.45 for v in x), x_name="false positive rate", y_name="true positive rate"),
        Series(name="precision and recall", x=x, y=tuple(0.95 - 0.7 * v for v in x), x_name="recall", y_name="precision"),
        Series(name="scores where it happened", x=x[::3], y=tuple(0.09 * v for v in x[::3]), x_name="stated chance", y_name="share of rows"),
        Series(name="scores where it did not happen", x=x[::3], y=tuple(0.1 * (1 - v) ** 2 for v in x[::3]), x_name="stated chance", y_name="share of rows"),
        Series(name="money against the threshold", x=x, y=tuple(160_000 * v * (0.7 - v) for v in x), x_name="threshold", y_name="saved, EUR a month"),
        Series(name="money at the threshold in use", x=(0.13,), y=(11_856.0,), x_name="threshold", y_name="saved, EUR a month"),
    )  # fmt: skip


def groups(count=4):
    made = [
        GroupResult(
            name=f"carrier {chr(65 + i % 26)}{i}", n=9_000 - 150 * i, positives=1_200,
            measures={"selection_rate": between(0.3 + 0.01 * (i % 7), 0.01), "true_positive_rate": between(0.6 + 0.01 * (i % 9), 0.03)},
        )
        for i in range(count)
    ]  # fmt: skip
    thin = GroupResult(name="OO", n=32, positives=4, thin=True, rows_needed=900)
    gap = Gap(
        measure="true_positive_rate", largest=between(0.07, 0.05), between=("carrier A0", "carrier B1"), verdict="cannot tell",
        sentence="The gap may be above or below the limit of 10%.",
    )  # fmt: skip
    return GroupReport(attribute="carrier", groups=(*made, thin), gaps=(gap,))


@pytest.fixture
def declared():
    """Binary, costs declared, several tables, time split: the flights."""
    return make_declared()


def make_declared(**changes):
    declaration = parse(
        {
            "name": "Late arrivals",
            "tables": {
                "flights": {"source": "flights.parquet", "time": "sched_dep"},
                "weather": {"source": "postgresql://ann:s3cret@db/weather?table=w", "join": {"on": {"origin": "origin"}}},
            },
            "task": {
                "target": "arr_delay > 30", "decision_time": "sched_dep - INTERVAL 2 HOURS",
                "question": "Two hours before scheduled departure: which flights will arrive more than 30 minutes late?",
            },
            "costs": {"currency": "EUR", "miss": 300, "false_alarm": 40, "per": "flight"},
            "people": {"affected": ["passengers", "gate crews"], "harms": ["needless rebooking"]},
            "fairness": {"groups": ["carrier"]},
            "split": {"gap": "1 day"},
        }
    )  # fmt: skip
    stated = tuple(i / 10 + 0.05 for i in range(10))
    evaluation = Evaluation(
        rows=52_814,
        metric="log_loss",
        metrics={
            "log_loss": between(0.4312, 0.0061), "roc_auc": between(0.7411, 0.0062), "brier": between(0.1352, 0.0023),
            "accuracy": between(0.801, 0.004),
        },
        baselines={
            "prior": {"log_loss": between(0.5312, 0.006), "roc_auc": between(0.5, 0.0), "brier": between(0.17, 0.002)},
            "linear": {"log_loss": between(0.4512, 0.006), "roc_auc": between(0.71, 0.006)},
        },
        against_prior=gain("boosting", "prior", 0.1, 0.006, "log loss a row"),
        against_simple=gain("boosting", "linear", 0.02, 0.003, "log loss a row"),
        calibration=Calibration(
            stated=stated, observed=tuple(v * 0.94 for v in stated), low=tuple(v * 0.94 - 0.02 for v in stated),
            high=tuple(v * 0.94 + 0.02 for v in stated), counts=(5281,) * 10, error=between(0.021, 0.006), p=0.004,
            sentence="Stated chances are a little too high in summer.",
        ),
        threshold=Threshold(value=0.131, low=0.12, high=0.145, chosen_on="out-of-fold development predictions",
                            sentence="Warn from a chance of 13.1% (12.0% to 14.5%), chosen on development rows."),
        confusion=Confusion(labels=("on time", "late"), counts=((31_000, 9_800), (4_114, 7_900))),
        curves=curves(),
        money=Money(amount=between(41_234, 7_201), currency="EUR", per="month", assumed=False),
        money_against=(
            gain("boosting", "acting on nobody", 41_234, 7_201, "EUR a month"), gain("boosting", "acting on everybody", 88_000, 9_000, "EUR a month"),
            gain("boosting", "linear", 9_800, 4_600, "EUR a month"),
        ),
        money_sentence="At your costs (a miss 300, a false alarm 40) it would have saved €41,200 a month on the sealed holdout "
        "(95%: 34,000 to 48,400) against acting on nobody.",
        importance=tuple(
            Importance(name=n, features=(n,), loss_increase=between(v, 0.002))
            for n, v in [("sched_dep_time", 0.041), ("weather.precip", 0.022), ("weather.wind_gust", 0.012), ("carrier", 0.009), ("planes.seats", 0.001)]
        ),
        slices=(Slice(name="weather.precip is above 0.2", n=812, loss=between(0.71, 0.05)), Slice(name="dest is DCA", n=1_204, loss=between(0.55, 0.03))),
        overfitting=overfitting(board(), between(0.4312, 0.0061), learned=0.3505, learned_rows=20_000, prior_fresh=between(0.5312, 0.006)),
        tuned_on="out-of-fold development rows", openings=2,
        notes=("Shuffled one fact at a time: facts that say the same share their importance.",),
    )  # fmt: skip
    records = {
        "declaration": declaration,
        "run_id": "0007",
        "created_utc": "2026-11-22T23:04:00+00:00",
        "verdict": Verdict(
            status="ready to pilot", headline="ready to pilot, 1 gate open (nobody has signed the checklist)",
            sentences=(
                "At your costs (a miss 300, a false alarm 40) it would have saved €41,200 a month on the sealed holdout (95%: 34,000 to 48,400).",
                "2 of 5 steps of complexity were worth it.",
            ),
            gates=(
                Gate(name="beats the prior", status="passed", required="proven better than the prior", observed="+0.100 log loss (0.094 to 0.106)"),
                Gate(name="calibration", status="passed", required="error at most 0.1", observed="0.021 (0.015 to 0.027)"),
                Gate(name="checklist signed", status="open", required="a name", observed="nobody", sentence="nobody has signed the checklist"),
            ),
        ),
        "audit_tables": audits("tables", (SENTINEL, ORPHANS)),
        "audit_target": audits("target", (LATE, THIN)),
        "clean": CleanLog(
            entries=(RepairEntry(repair="sentinel-to-missing", table="planes", columns=("year",), why="0 is no year", cells_changed=70),),
            before={"planes": "a" * 64}, after={"planes": "b" * 64},
        ),
        "split": Split(
            how="time", table="flights", development=105_604, holdout=52_814, unused=110_000, no_outcome=4_740, cutoff="2013-07-01T00:00:00",
            end="2013-09-01T00:00:00", folds=5, fold_kind="blocks of time", holdout_fingerprint="c" * 64,
            sentence="January to June to learn from, July and August sealed, September to December unread.",
        ),
        "ledger": FeatureLedger(
            features=tuple(LedgerEntry(name=f"feature {i}", type="number", builder="as it is", origin=("flights.distance",), distinct=214) for i in range(30)),
            joins=(JoinEntry(table="weather", on={"origin": "origin"}, as_of=True, matched_share=0.9931, median_age_seconds=2700.0, too_old=12),),
            left_out={"flights.dep_delay": "known only after the decision (AUD014)", "flights.flight": "only identifies"},
        ),
        "leaderboard": board(),
        "evaluation": evaluation,
        "fairness": FairnessReport(
            attributes=(groups(),), measure="true_positive_rate", rows=52_814,
            sentence="No gap above 10% is proven; carrier OO is too small to tell.",
        ),
        "card": ModelCard(
            title="Late arrivals", sections=(
                CardSection(
                    title="Intended use", paragraphs=("Warn gate crews two hours before departure.",),
                    table=(("Decision", "to warn"), ("Contact", "not declared")),
                ),
                CardSection(title="Who is affected", paragraphs=("Passengers.",)),
                CardSection(title="Limits", paragraphs=("It has not seen a winter.",)),
            ),
        ),
        "bundle": Bundle(name="late-arrivals", created_by="holdgood 0.1.0", files=(FileEntry(path="chain/model.txt", sha256="d" * 64, size=1_800_000),),
                         parts=(), task={"kind": "binary"}, digest="e" * 64),
        "profiles": (
            Profile(table="flights", rows=166_158, columns=(
                ColumnProfile(name="distance", type="number", rows=166_158, missing=0, distinct=214, low=17.0, high=4983.0, mean=1040.0, sd=733.2),
                ColumnProfile(name="air_time", type="number", rows=166_158, missing=5_000, distinct=509, mean=150.7, sd=93.7),
                ColumnProfile(name="carrier", type="category", rows=166_158, missing=0, distinct=16, levels=(("UNITED-LEVEL", 58_665),)),
            )),
        ),
        "versions": {"python": "3.11.9", "lightgbm": "4.6.0"},
        "steps": (("audit", 1.9, False), ("features", 4.2, True), ("training", 171.0, False)),
        "commands": ("holdgood run --replay 0007", "holdgood verify runs/0007/bundle"),
    }  # fmt: skip
    return RunView(**(records | changes))


@pytest.fixture
def assumed():
    """Binary, nobody declared costs."""
    return make_assumed()


def make_assumed():
    view = make_declared()
    declaration = view.declaration.model_copy(update={"costs": type(view.declaration.costs)()})
    money = Money(amount=between(1_431.0, 200.0), currency="", per="month", assumed=True)
    series = tuple(
        s.model_copy(update={"y_name": s.y_name.replace("EUR", "false alarms")}) for s in view.evaluation.curves
    )
    evaluation = view.evaluation.model_copy(
        update={
            "money": money, "break_even_ratio": 2.413, "curves": series,
            "money_sentence": "ASSUMED: pays if a miss costs more than 2.41 false alarms; declare miss and false_alarm under [costs] to see money.",
        }
    )  # fmt: skip
    return make_declared(declaration=declaration, evaluation=evaluation)


@pytest.fixture
def multiclass():
    """Four classes, a declared matrix of costs, no threshold, no curves, no groups."""
    labels = ("ok", "scrap", "rework", "<unknown>")
    declaration = parse(
        {
            "name": "Parts",
            "task": {"target": "state", "kind": "multiclass"},
            "costs": {"currency": "CHF", "matrix": {"scrap": {"ok": 12.5}}},
        }
    )
    evaluation = Evaluation(
        rows=900, metric="log_loss", metrics={"log_loss": between(0.9, 0.05), "balanced_accuracy": between(0.61, 0.03)},
        confusion=Confusion(labels=labels, counts=((200, 10, 3, 0), (20, 180, 11, 2), (5, 9, 211, 0), (0, 0, 0, 0))),
        money=Money(amount=between(812.0, 90.0), currency="CHF", per="holdout", assumed=False),
    )  # fmt: skip
    return make_declared(
        declaration=declaration, evaluation=evaluation, fairness=FairnessReport(), bundle=None, profiles=()
    )


@pytest.fixture
def regression():
    """A number is predicted; random split; residual curve with a band; a histogram of answers."""
    declaration = parse({"name": "House prices", "task": {"target": "price", "kind": "regression"}})
    x = tuple(10_000.0 * i for i in range(1, 41))
    residuals = Series(
        name="residuals against predictions", x=x, y=tuple(-0.01 * v for v in x), low=tuple(-0.2 * v for v in x), high=tuple(0.2 * v for v in x),
        x_name="predicted", y_name="observed minus predicted",
    )  # fmt: skip
    evaluation = Evaluation(
        rows=4_000, metric="rmse", metrics={"rmse": between(48_211.0, 1_400.0), "r2": between(0.83, 0.01)}, curves=(residuals,),
        calibration=Calibration(stated=x[:10], observed=x[:10], low=tuple(v * 0.9 for v in x[:10]), high=tuple(v * 1.1 for v in x[:10]),
                                counts=(400,) * 10, error=between(900.0, 300.0)),
        slices=(Slice(name="near the sea", n=500, loss=between(4e9, 4e8)),), worn=True, openings=7,
    )  # fmt: skip
    return make_declared(
        declaration=declaration, evaluation=evaluation, split=Split(how="random", table="houses", development=12_000, holdout=4_000),
        leaderboard=board("rmse", False, ""), fairness=FairnessReport(attributes=(groups(60),), measure="true_positive_rate"),
        histograms=(Series(name="answers", x=x, y=tuple(400.0 - i for i in range(40)), x_name="price", y_name="rows"),),
    )  # fmt: skip


@pytest.fixture
def empty():
    """Everything optional is absent, and every number that may be unknown is unknown."""
    unknown = Interval(value=NAN, low=NAN, high=NAN)
    nothing = Comparison(first="a", second="b", difference=NAN, low=NAN, high=NAN)
    stated = (NAN, NAN)
    return RunView(
        declaration=parse({}), run_id="1", created_utc="", verdict=Verdict(status="not ready", headline="not ready"),
        audit_tables=AuditReport(scope="tables", tables=(), outcomes=()), audit_target=AuditReport(scope="target", tables=(), outcomes=()),
        clean=CleanLog(), split=Split(how="none", table="t", development=0, holdout=0),
        ledger=FeatureLedger(features=(LedgerEntry(name="f", type="number", builder="b", missing_share=NAN),),
                             joins=(JoinEntry(table="u", on={}, matched_share=NAN),)),
        leaderboard=Leaderboard(
            metric="log_loss", higher_is_better=False, trials=(Trial(name="t", family="f", rung=0, status="ok", score=unknown, fit_seconds=NAN),),
            ladder=(Rung(name="r", trial="t", family="f", score=unknown, gain=nothing, money_gain=nothing),), seconds=NAN,
        ),
        evaluation=Evaluation(
            rows=0, metric="log_loss", metrics={"log_loss": unknown}, baselines={"prior": {"log_loss": unknown}}, against_prior=nothing,
            calibration=Calibration(stated=stated, observed=stated, low=stated, high=stated, counts=(0, 0), error=unknown),
            threshold=Threshold(value=NAN, low=NAN, high=NAN, chosen_on=""), confusion=Confusion(labels=("0", "1"), counts=((0, 0), (0, 0))),
            curves=(Series(name="c", x=(NAN,), y=(NAN,)),), money=Money(amount=unknown, assumed=True), money_against=(nothing,),
            importance=(Importance(name="i", features=(), loss_increase=unknown),), slices=(Slice(name="s", n=0, loss=unknown),),
        ),
        fairness=FairnessReport(attributes=(GroupReport(
            attribute="a", groups=(GroupResult(name="g", n=0, measures={"accuracy": unknown}), GroupResult(name="h", n=1, thin=True)),
            gaps=(Gap(measure="accuracy", largest=unknown),)),), measure="accuracy"),
        card=ModelCard(title="", sections=()),
        profiles=(Profile(table="t", rows=0, columns=(ColumnProfile(name="x", type="number", rows=0, missing=0, distinct=0),)),),
    )  # fmt: skip


HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(1)> {{ 7*7 }} $accent \"'&"


@pytest.fixture
def hostile(declared):
    """Names, labels, sentences and columns all try to become markup."""
    e, f, b = declared.evaluation, declared.fairness, declared.leaderboard
    nasty = HOSTILE
    return make_declared(
        declaration=declared.declaration.model_copy(update={"name": nasty}),
        run_id=nasty,
        evaluation=e.model_copy(
            update={
                "confusion": Confusion(labels=(nasty, nasty + "2"), counts=((1, 2), (3, 4))),
                "curves": tuple(s.model_copy(update={"name": nasty}) for s in e.curves),
                "importance": (Importance(name=nasty, features=(nasty,), loss_increase=between(0.2, 0.1)),),
                "slices": (Slice(name=nasty, n=5, loss=between(0.2, 0.1)),),
                "notes": (nasty,),
                "baselines": {nasty: e.baselines["prior"]},
                "money_against": (gain(nasty, nasty, 5.0, 1.0, nasty),),
            }
        ),
        fairness=f.model_copy(update={"attributes": (f.attributes[0].model_copy(update={"attribute": nasty}),)}),
        leaderboard=b.model_copy(
            update={"ladder": tuple(r.model_copy(update={"name": nasty, "sentence": nasty}) for r in b.ladder)}
        ),
        card=ModelCard(title=nasty, sections=(CardSection(title=nasty, paragraphs=(nasty,), table=((nasty, nasty),)),)),
        clean=CleanLog(entries=(RepairEntry(repair=nasty, table=nasty, why=nasty, columns=(nasty,)),)),
        audit_tables=audits(
            "tables", (LATE.model_copy(update={"message": nasty, "columns": (nasty,), "title": nasty}),)
        ),
        versions={nasty: nasty},
        commands=(nasty,),
    )
