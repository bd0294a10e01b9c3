import numpy as np
import pytest

from holdgood.audit.aud045_strayed_values import CHECK
from holdgood.cleaning import clean, installed
from holdgood.cleaning.order import ordered
from holdgood.core.declaration import RepairSpec
from holdgood.testing.check import check_check

N = 400
TOWNS = {"Lyon": "FR", "Nice": "FR", "Brno": "CZ", "Kiel": "DE", "Graz": "AT", "San Remo": "IT"}


def _people():
    rng = np.random.default_rng(5)
    towns = rng.choice(list(TOWNS), N).tolist()
    kinds = rng.choice(["a1", "b2", "c3"], N).tolist()
    return {"name": [f"n{i}" for i in range(N)], "town": towns, "land": [TOWNS[t] for t in towns], "kind": kinds}


def _inside(rows):
    people = _people()
    for i in rows:
        people["town"][i] += " " + people["land"][i]
        people["land"][i] = None
    return people


def _shifted(rows):
    people = _people()
    for i in rows:
        people["town"][i], people["land"][i], people["kind"][i] = people["land"][i], people["kind"][i], None
    return people


def test_a_value_inside_another_column_goes_back_to_its_own(tables_of):
    context = tables_of({"t": _inside(range(3, N, 20))})
    findings = CHECK.run(context)
    assert [(f.columns, f.rows) for f in findings] == [(("town", "land"), 20), (("land", "town"), 20)]
    specs = [
        RepairSpec(repair=p.repair, table="t", columns=list(p.columns), parameters=p.parameters, why="")
        for p in (f.proposal for f in findings)
    ]
    mended = clean(context.tables, ordered(specs), installed())[0]["t"].data
    assert {c: mended[c].to_pylist() for c in ("town", "land")} == {c: _people()[c] for c in ("town", "land")}


def test_shifted_fields_become_missing(tables_of):
    findings = CHECK.run(tables_of({"t": _shifted(range(3, N, 25))}))
    assert [(f.columns[0], f.rows) for f in findings] == [("town", 16), ("land", 16)]
    assert findings[0].proposal.parameters["missing"] == sorted(
        set(TOWNS.values()) & set(findings[0].proposal.parameters["missing"])
    )


def _often_empty():
    people = _people()
    people["land"] = [None if i % 2 else v for i, v in enumerate(people["land"])]
    people["town"] = [f"{t} FR" if i in (3, 9, 15, 21) else t for i, t in enumerate(people["town"])]
    return people


def _said_twice():
    people = _people()
    return people | {"town": [f"{t} {s}" if i % 9 == 0 else t for i, (t, s) in enumerate(zip(people["town"], people["land"], strict=True))]}  # fmt: skip


def _in_common():
    people = _people()
    return people | {
        "born": np.random.default_rng(6).choice(list(TOWNS), N, p=[0.95, 0.01, 0.01, 0.01, 0.01, 0.01]).tolist()
    }


@pytest.mark.parametrize("people", [_people, _often_empty, _said_twice, _in_common], ids=lambda f: f.__name__)
def test_quiet(tables_of, people):
    assert CHECK.run(tables_of({"t": people()})) == []


def test_contract(tables_of):
    check_check(CHECK, lambda: tables_of({"t": _inside(range(3, N, 20))}))
    check_check(CHECK, lambda: tables_of({"t": _shifted(range(3, N, 25))}))


def test_not_applicable_to_numbers(tables_of, refuses):
    assert refuses(CHECK, tables_of({"t": {"x": np.arange(50.0)}}))
