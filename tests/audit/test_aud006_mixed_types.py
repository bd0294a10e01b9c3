import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from holdgood.audit.aud006_mixed_types import CHECK
from holdgood.audit.written import vocabulary, writing
from holdgood.cleaning.to_number import REPAIR
from holdgood.core.table import Table
from holdgood.testing.check import check_check

rng = np.random.default_rng(6)
PRICES = [f"{v:.2f}" for v in rng.gamma(3, 20, 300)]
COUNTS = [str(v) for v in rng.poisson(300, 300)]


def _some(texts, spoil, n=12):
    out = list(texts)
    for at in rng.choice(len(out), n, replace=False):
        out[at] = spoil(out[at])
    return out


def test_fractions_with_a_few_words_are_an_issue(tables_of):
    prices = [f"{i * 1.37:.2f}" for i in range(95)] + ["ask", "ask", "tbd", "-", "n/a"]
    (finding,) = CHECK.run(tables_of({"t": {"price": prices}}))
    assert (finding.level, finding.rows, finding.evidence["numbers"]) == ("issue", 5, 95)
    assert finding.proposal.repair == "to-number"
    assert finding.examples[0] >= 95


@pytest.mark.parametrize("texts", [PRICES, COUNTS], ids=["fractions", "whole"])
@pytest.mark.parametrize(
    ("spoil", "lost", "extra"),
    [
        (lambda v: "see note", 12, {}),
        (lambda v: f"{v} kg", 0, {"strip": ["kg"]}),
        (lambda v: f"${v}", 0, {"strip": ["$"]}),
        (lambda v: "?", 12, {}),
        (lambda v: f"{v}%", 0, {"strip": ["%"]}),
        (lambda v: f"{float(v) / 100:.4f}%", 12, {}),
    ],
    ids=["words", "units", "currency", "missing", "percent", "hundredths"],
)
def test_what_keeps_numbers_from_being_numbers_is_counted(tables_of, texts, spoil, lost, extra):
    (finding,) = CHECK.run(tables_of({"t": {"x": _some(texts, spoil)}}))
    assert (finding.level, finding.rows, finding.evidence["lost"]) == ("issue", 12, lost)
    assert {k: v for k, v in finding.proposal.parameters.items() if k != "decimal"} == extra


def test_one_unit_in_several_spellings_and_with_notes_is_one_unit(tables_of):
    tails = ["oz", "oz.", "Ounce", "OZ. Silo Can"]
    sizes = [f"{v}.0 {tails[i % 4]}" for i, v in enumerate(rng.integers(6, 30, 300))]
    (finding,) = CHECK.run(tables_of({"t": {"x": sizes}}))
    assert (finding.evidence["dressed"], finding.evidence["lost"]) == (300, 0)
    assert sorted(finding.proposal.parameters["strip"]) == sorted(tails)
    # pounds are another quantity than ounces: they are not taken for the same number
    mixed = [f"{v}.0 {'lb' if i % 10 == 0 else 'oz'}" for i, v in enumerate(rng.integers(6, 30, 300))]
    (finding,) = CHECK.run(tables_of({"t": {"x": mixed}}))
    assert (finding.evidence["lost"], finding.proposal.parameters["strip"]) == (30, ["oz"])


@pytest.mark.parametrize("below", ["({})", "{}-", "\u2212{}", "(${})"])
def test_amounts_below_zero_as_accountants_write_them_are_not_lost(tables_of, below):
    amounts = [f"{v:,.2f}" for v in np.random.default_rng(3).gamma(3, 400, 400)]
    texts = [below.format(a) if i % 16 == 0 else a for i, a in enumerate(amounts)]
    context = tables_of({"t": {"x": texts}})
    (finding,) = CHECK.run(context)
    assert finding.evidence["lost"] == 0
    assert "25 below zero" in finding.message
    repair = finding.proposal
    out, _ = REPAIR.apply(context.tables["t"], repair.columns, dict(repair.parameters))
    assert sum(v < 0 for v in out.data.column("x").to_pylist()) == 25
    assert out.data.column("x").null_count == 0


def test_another_unit_is_named(tables_of):
    weights = [
        f"{v:.1f} kg" if i % 30 else f"{1000 * v:.0f} g"
        for i, v in enumerate(np.random.default_rng(2).gamma(4, 2, 600))
    ]
    (finding,) = CHECK.run(tables_of({"t": {"x": weights}}))
    assert "20 in another unit, 'g': not converted, they would become missing" in finding.message
    assert "none" not in finding.message
    assert finding.evidence["lost"] == 20


def test_brackets_beside_a_minus_may_mean_something_else(tables_of):
    texts = [
        f"({v:.2f})" if i % 9 == 0 else f"{v:.2f}" for i, v in enumerate(np.random.default_rng(3).normal(0, 9, 400))
    ]
    (finding,) = CHECK.run(tables_of({"t": {"x": [t.replace("(-", "(") for t in texts]}}))
    assert finding.evidence["lost"] == 45


def test_numbers_with_the_other_decimal_sign(tables_of):
    (finding,) = CHECK.run(tables_of({"t": {"x": _some(PRICES, lambda v: v.replace(".", ","))}}))
    assert (finding.rows, finding.evidence["other_signs"], finding.evidence["lost"]) == (12, 12, 0)
    assert finding.proposal.parameters == {"mixed": True}


def test_fractions_only_are_a_tip(tables_of):
    (finding,) = CHECK.run(tables_of({"t": {"price": [f"1.{i:03d},5" for i in range(99)]}}))
    assert finding.level == "tip"
    assert finding.proposal.parameters == {"decimal": ","}
    (finding,) = CHECK.run(tables_of({"t": {"share": [f"{i / 7:.1f}%" for i in range(99)]}}))
    assert (finding.level, finding.proposal.parameters) == ("tip", {"strip": ["%"]})


def test_codes_in_digits_are_left_alone(tables_of):
    columns = {
        "zip": [f"{i:05d}" for i in range(1000, 1300)],
        "postal": [str(10000 + 7 * i) if i % 50 else "unknown" for i in range(300)],
        "flight": [str(100 + i % 40) for i in range(300)],
        "car": [["A4", "A6", "100"][i % 3] for i in range(300)],
        "house": [f"{i % 90 + 1}{'abc'[i % 3] if i % 11 == 0 else ''}" for i in range(300)],
        "diagnosis": [f"V{i % 60}" if i % 9 == 0 else f"{200 + i % 70}.{i % 10}" for i in range(300)],
        "ages": [["0-9", "10-19", "80+"][i % 3] for i in range(300)],
    }
    assert CHECK.run(tables_of({"t": columns})) == []


def test_booleans_in_several_spellings(tables_of):
    said = ["yes", "no"] * 100 + ["Y", "N", "true", "0", None]
    (finding,) = CHECK.run(tables_of({"t": {"x": said, "y": ["Y", "N", "T", "F", "N"] * 41}}))
    assert (finding.columns, finding.rows) == (("x",), 4)
    assert finding.proposal.parameters == {"mapping": {"0": "no", "N": "no", "Y": "yes", "true": "yes"}}


def test_mixed_objects_of_pandas_become_an_issue(tables_of):
    frame = pd.DataFrame({"a": [1, "two", 3.0, {"x": 1}] * 5})
    (finding,) = CHECK.run(tables_of({"t": Table.of(frame, "t")}))
    assert "mixes types" in finding.message


def test_a_note_of_the_reader_is_not_told_twice(tables_of):
    frame = pd.DataFrame({"a": [*(float(v) for v in PRICES), "soon", "later"]}, dtype=object)
    table = Table.of(frame, "t")
    assert [n.code for n in table.notes] == ["mixed-types"]
    (finding,) = CHECK.run(tables_of({"t": table}))
    assert (finding.rows, finding.proposal.repair) == (2, "to-number")


def test_classes_exclude_each_other_and_cover_all():
    texts = [
        *PRICES[:40],
        "1,2",
        "3 kg",
        "4 kg",
        "5 kg",
        "$7",
        "V57",
        "12A",
        "abc",
        "1x2",
        "n/a",
        "",
        " 8 ",
        "1 234",
        None,
    ]
    words = vocabulary(Table.of(pa.table({"x": texts}), "t"), "x")
    seen = writing(words)
    masks = np.stack([seen.number, seen.swapped, seen.dressed, seen.absent, seen.code, seen.other])
    assert (masks.sum(0) == 1).all()
    assert words.texts(seen.code) == ["12A", "V57"]
    assert words.texts(seen.other) == ["1x2", "abc"]


def test_the_contract_on_a_table_of_mixed_texts(tables_of):
    columns = {
        "x": _some(PRICES, lambda v: f"{v} kg"),
        "y": _some(COUNTS, lambda v: "none"),
        "z": ["yes", "no", "Y"] * 100,
    }
    check_check(CHECK, lambda: tables_of({"t": columns}))


def test_not_applicable_without_texts(tables_of, refuses):
    assert refuses(CHECK, tables_of({"t": {"a": [1, 2]}}))
