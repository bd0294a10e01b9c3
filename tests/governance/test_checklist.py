from holdgood.core.declaration import Declaration, GateSpec
from holdgood.core.records import CleanLog, Outcome, RepairEntry
from holdgood.governance import judge
from holdgood.governance.checklist import checklist


def items(declaration, records, **more):
    verdict = judge(declaration, **records)
    kept = {k: v for k, v in records.items() if k not in ("fairness", "latency_ms", "size_mb")}
    return {i.question: i for i in checklist(declaration, verdict=verdict, **{"clean": CleanLog()} | kept | more)}


def test_a_declared_project_has_nothing_open_but_what_nobody_did(declaration, records):
    open_ = [q for q, i in items(declaration, records).items() if i.status == "open"]
    assert open_ == ["Were weak parts of the data looked for?"]
    notes = ("12 slices were looked at on one half of the holdout, 3 tested on the other, 0 confirmed as weak.",)
    evaluation = records["evaluation"].model_copy(update={"notes": notes})
    looked = items(declaration, records | {"evaluation": evaluation})["Were weak parts of the data looked for?"]
    assert looked.status == "done"


def test_an_empty_declaration_leaves_questions_for_people(records):
    found = items(Declaration(), records)
    assert found["Is the question written down in one sentence?"].status == "open"
    assert found["Is there somebody to turn to?"].status == "open"
    assert found["Has somebody put their name under this list?"].status == "open"


def test_a_ladder_of_the_prior_alone_compared_nothing(declaration, records):
    question = "Was the simplest thing tried first, and every step up compared?"
    assert items(declaration, records)[question].status == "done"
    board = records["leaderboard"].model_copy(update={"only_prior": True})
    assert items(declaration, records | {"leaderboard": board})[question].status == "open"


def test_repairs_need_a_reason(declaration, records):
    entry = RepairEntry(repair="to-number", table="t", cells_changed=3)
    question = "Is every changed cell counted, with its reason?"
    assert (
        "no reason given for to-number"
        in items(declaration, records, clean=CleanLog(entries=(entry,)))[question].answer
    )
    told = entry.model_copy(update={"why": "the scale prints a comma"})
    assert items(declaration, records, clean=CleanLog(entries=(told,)))[question].status == "done"


def test_a_skipped_check_and_a_missing_audit_are_open(declaration, records, audit):
    question = "Were the tables audited?"
    skipped = audit.model_copy(update={"outcomes": (Outcome(code="A", title="a", scope="tables", status="skipped"),)})
    assert items(declaration, records, audit_tables=skipped)[question].status == "open"
    assert items(declaration, records, audit_tables=None)[question].answer == "No audit was run."


def test_a_gate_that_is_switched_off_answers_nothing(declaration, records):
    off = declaration.model_copy(update={"gates": GateSpec(max_latency_ms=None)})
    found = items(off, records)["Does it answer fast enough?"]
    assert found.status == "open"
    assert "switched this gate off" in found.answer


def test_features_without_an_origin_are_named(declaration, records, ledger):
    lone = ledger.features[0].model_copy(update={"origin": ()})
    found = items(declaration, records, ledger=ledger.model_copy(update={"features": (lone,)}))
    assert found["Does every feature name the columns it comes from?"].status == "open"
