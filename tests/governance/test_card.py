from holdgood.core.declaration import Declaration
from holdgood.core.records import Comparison, Interval, ModelCard, Slice, envelope
from holdgood.governance import card, judge, words
from holdgood.governance.checklist import checklist


def build(declaration, records, **more):
    verdict = judge(declaration, **records)
    return card(declaration, verdict=verdict, versions={"numpy": "2.4", "holdgood": "0.1"}, **records | more)


def section(made, title):
    return next(s for s in made.sections if s.title.startswith(title))


def text(made):
    return " ".join(
        [made.title, *(w for s in made.sections for w in (s.title, *s.paragraphs, *(c for r in s.table for c in r)))]
    )


def test_the_card_says_what_records_say(declaration, records, tmp_path):
    made = build(declaration, records)
    assert dict(section(made, "Intended use").table)["Question"] == "Which flights will be late?"
    assert dict(section(made, "Who is affected").table)["Affected"] == "passengers"
    assert "before 2013-07-01" in dict(section(made, "Data").table)["Dates"]
    assert ("t.arrived", "known only after the decision") in section(made, "What was left out").table
    assert "7 rows had no outcome" in section(made, "What was left out").paragraphs[0]
    assert dict(section(made, "Evaluation").table)["log loss"] == "0.4 (95%: 0.39 to 0.41, n=1,000)"
    assert "1 group too thin" in dict(section(made, "Fairness").table)["site"]
    assert section(made, "Money").paragraphs == ("At your costs it would have saved €41,200 a month.",)
    assert (
        dict(section(made, "What it costs").table)["One answer"]
        == "features and model, one row: 2 ms at the 95th percentile"
    )
    training = dict(section(made, "What it costs").table)["Training"]
    assert training.startswith("search and refits: 12 s (the step train also ")
    assert training.endswith("; budget of the run: 60s")
    assert [k for k, _ in section(made, "Versions").table][2:] == ["holdgood", "numpy"]
    assert envelope.read(envelope.write(tmp_path / "card.json", made), ModelCard) == made


def test_what_nobody_declared_says_so(records):
    made = build(Declaration(), records)
    assert words.NOT_DECLARED in dict(section(made, "Intended use").table).values()
    assert dict(section(made, "Who is affected").table)["Contact"] == words.NOT_DECLARED
    assert any("no amount of money" in p for p in section(made, "Money").paragraphs)
    assert any("searched for, not proven" in p for p in section(made, "Limits").paragraphs)


def test_missing_records_are_said_not_invented(declaration, records):
    made = build(
        declaration,
        records | {"fairness": None, "ledger": None, "audit_tables": None, "audit_target": None},
        latency_ms=float("nan"),
        size_mb=float("nan"),
    )
    assert "not the same as being fair" in section(made, "Fairness").paragraphs[0]
    assert "Nobody recorded" in section(made, "What was left out").paragraphs[-1]
    assert dict(section(made, "Data").table)["Audit of the target"] == "not run"
    assert dict(section(made, "What it costs").table)["Model files"] == "not measured"
    assert "nan" not in text(made).lower().split()


def test_limits_name_weak_slices_and_notes(declaration, records):
    weak = Slice(name="site is C", n=300, loss=Interval(value=0.8, low=0.7, high=0.9, n=300))
    evaluation = records["evaluation"].model_copy(update={"slices": (weak,)})
    said = section(build(declaration, records | {"evaluation": evaluation}), "Limits").paragraphs
    assert any("worse where site is C (n=300, loss 0.8)" in p for p in said)
    assert "Intervals: blocks of 4 days." in said


def test_the_checklist_goes_into_the_card(declaration, records):
    verdict = judge(declaration, **records)
    kept = {k: v for k, v in records.items() if k not in ("fairness", "latency_ms", "size_mb")}
    items = checklist(declaration, clean=None, verdict=verdict, **kept)
    by_question = {i.question: i for i in items}
    assert by_question["Is every changed cell counted, with its reason?"].status == "open"
    assert by_question["Has somebody put their name under this list?"].answer == "signed by A. Person"
    assert by_question["Is it proven better than the prior?"].status == "done"
    made = section(build(declaration, records), "Release checklist")
    done = sum(i.status == "done" for i in items)
    assert made.paragraphs == (f"{done} of {len(items)} done, {len(items) - done} open.",)
    assert dict(made.table) == {i.question: f"{i.status}: {i.answer}" for i in items}
    begins = [answer.split(":")[0] for _, answer in made.table]
    assert begins == sorted(begins, reverse=True)


def test_money_against_is_shown_only_as_declared(declaration, records):
    against = (
        Comparison(
            first="the model", second="acting on nobody", difference=5, low=4, high=6, n=9, unit="EUR", verdict="better"
        ),
    )
    evaluation = records["evaluation"].model_copy(update={"money_against": against})
    assert section(build(declaration, records | {"evaluation": evaluation}), "Money").table
    assert not section(build(Declaration(), records | {"evaluation": evaluation}), "Money").table
