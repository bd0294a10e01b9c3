"""Gates and verdict, the bundle that is held against the run to the bit, and the report."""

from __future__ import annotations

import shutil

from holdgood.bundle import save as save_bundle
from holdgood.bundle import verify as verify_bundle
from holdgood.core.errors import BundleError
from holdgood.core.records import Bundle as BundleRecord
from holdgood.core.records import (
    ModelCard,
    Verdict,
)
from holdgood.core.records.envelope import read, write, write_bytes
from holdgood.features.background import Background
from holdgood.governance import card, judge
from holdgood.reports import RunView, render_run
from holdgood.training.fitted_band import FittedBand
from holdgood.workflow.blank import learned
from holdgood.workflow.contract import contract_of
from holdgood.workflow.folder import StepFolder, versions
from holdgood.workflow.judging import class_weight
from holdgood.workflow.predict import Predictor, for_bundle, parity
from holdgood.workflow.steps.numbers import finite
from holdgood.workflow.usual import usual
from holdgood.workflow.work import DEVELOPMENT, Work


def judge_release(work: Work, folder: StepFolder) -> Verdict:
    """Gates, verdict and card."""
    assert (
        work.audit_tables
        and work.audit_target
        and work.split
        and work.leaderboard
        and work.evaluation
        and work.fairness
    )
    assert work.ledger and work.clean and work.chain and work.target
    size = _megabytes(work)
    work.verdict = judge(
        work.declaration,
        audit_tables=work.audit_tables,
        audit_target=work.audit_target,
        split=work.split,
        ledger=work.ledger,
        leaderboard=work.leaderboard,
        evaluation=work.evaluation,
        fairness=work.fairness,
        latency_ms=work.latency_ms,
        size_mb=size,
    )
    work.card = card(
        work.declaration,
        audit_tables=work.audit_tables,
        audit_target=work.audit_target,
        clean=work.clean,
        split=work.split,
        ledger=work.ledger,
        leaderboard=work.leaderboard,
        evaluation=work.evaluation,
        fairness=work.fairness,
        verdict=work.verdict,
        versions=versions(),
        latency_ms=work.latency_ms,
        size_mb=size,
    )
    write(folder.path / "card.json", work.card)
    return work.verdict


def load_verdict(work: Work, folder: StepFolder) -> None:
    """Restore verdict and card."""
    work.verdict = read(folder.record, Verdict)
    work.card = read(folder.path / "card.json", ModelCard)


def _megabytes(work: Work) -> float:
    folder = work.run.find("train")
    assert folder is not None
    parts = folder.path / "model" / "parts"
    files = [f for name in ("chain", "band") for f in (parts / name).rglob("*") if f.is_file()]
    return sum(f.stat().st_size for f in files) / 1e6


def make_bundle(work: Work, folder: StepFolder) -> BundleRecord:
    """Save, verify, load again, and hold its predictions against the run's: to the bit, or it is not delivered."""
    assert work.plan and work.chain and work.target and work.split and work.leaderboard
    assert work.evaluation and work.fairness and work.verdict and work.card and work.audit_target and work.ledger
    named = work.declaration.main
    development = work.raw[named].take(work.kept[work.rows_of(DEVELOPMENT)])
    learned_from = {**work.raw, named: development}
    contract = contract_of(work.declaration, learned_from, work.plan, work.contract)
    blanks = learned(contract, learned_from)
    target = work.run.path / "bundle"
    fitted = work.bands.get("chosen")
    band = fitted.base if isinstance(fitted, FittedBand) else fitted
    save_bundle(
        target,
        name=work.declaration.name,
        parts={
            "plan": work.plan,
            "chain": work.chain,
            "background": Background.of(work.frame(DEVELOPMENT), work.declaration.budget.seed),
            **usual(work),
            **({"band": fitted} if isinstance(fitted, FittedBand) else {}),
        },
        records={
            "contract": contract,
            "split": work.split,
            "ledger": work.ledger,
            "leaderboard": work.leaderboard,
            "evaluation": work.evaluation,
            "fairness": work.fairness,
            "verdict": work.verdict,
            "card": work.card,
        },
        task=work.target.task,
        run=work.run.id,
        data_fingerprint=work.main.fingerprint(),
        extra_json={
            "declaration": for_bundle(work.declaration).model_dump(mode="json"),
            "threshold": finite(work.leaderboard.threshold),
            "class_weight": None if (tilt := class_weight(work)) is None else tilt.tolist(),
            "band": None if band is None else band.to_json(),
            "average_costs": None if work.average_costs is None else work.average_costs.tolist(),
            "outcome": {c: work.main.type_of(c) for c in work.target.columns if c in work.main.names},
            **({"blanks": blanks} if blanks else {}),
        },
    )
    work.bundle = verify_bundle(target)
    rows = work.judged()
    assert work.holdout_prediction is not None
    # outer folds judged other models of the same procedure: what is delivered is held against itself
    expected = work.holdout_prediction if work.outer is None else work.chain.predict(work.judged_frame())
    predictor = Predictor.load(target)
    raw = {n: predictor.repaired(t) for n, t in work.raw.items()}
    main = predictor.repaired(work.raw[work.declaration.main].take(work.kept[rows]))
    others = {n: t for n, t in raw.items() if n != work.declaration.main}
    beside = None if fitted is None else fitted.beside(expected, work.judged_frame())
    differing = parity(predictor, main, others, expected, beside)
    if differing:
        shutil.rmtree(target)
        raise BundleError(
            f"the saved bundle scores {differing:,} of {len(rows):,} rows differently from the run",
            "the same scores to the bit",
            "nothing is delivered; please report it with the versions from `holdgood doctor`",
        )
    return work.bundle


def make_report(work: Work, folder: StepFolder) -> None:
    """One HTML file beside the bundle."""
    assert work.verdict and work.audit_tables and work.audit_target and work.clean and work.split and work.ledger
    assert work.leaderboard and work.evaluation and work.fairness and work.card
    view = RunView(
        declaration=work.declaration,
        run_id=work.run.id,
        created_utc=str(work.run.status().get("started_utc", "")),
        verdict=work.verdict,
        audit_tables=work.audit_tables,
        audit_target=work.audit_target,
        clean=work.clean,
        split=work.split,
        ledger=work.ledger,
        leaderboard=work.leaderboard,
        evaluation=work.evaluation,
        fairness=work.fairness,
        card=work.card,
        bundle=work.bundle,
        profiles=work.profiles,
        versions=versions(),
        steps=tuple(work.seconds),
    )
    write_bytes(work.run.path / "report.html", render_run(view).encode())
