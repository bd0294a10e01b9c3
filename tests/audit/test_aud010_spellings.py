import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdgood.audit.aud010_spellings import CHECK, one_slip

rng = np.random.default_rng(6)
TOWNS = ["Lyon", "Marseille", "Toulouse", "Bordeaux", "Orléans"]


def test_case_spaces_and_accents_are_an_issue_with_a_mapping(tables_of):
    towns = [*rng.choice(TOWNS, 500), "lyon", "LYON ", "Orleans", " Marseille"]
    (finding,) = CHECK.run(tables_of({"t": {"town": towns}}))
    assert (finding.level, finding.rows) == ("issue", 4)
    mapping = {"lyon": "Lyon", "LYON ": "Lyon", "Orleans": "Orléans", " Marseille": "Marseille"}
    assert finding.proposal.parameters["mapping"] == mapping


@pytest.mark.parametrize(("typos", "level"), [(["Marseile"], "tip"), (["Marseile", "Tolouse", "Bordeauy"], "issue")])
def test_slips_of_one_letter(tables_of, typos, level):
    (finding,) = CHECK.run(tables_of({"t": {"town": [*rng.choice(TOWNS, 500), *typos]}}))
    assert (finding.level, finding.rows) == (level, len(typos))


def test_names_that_differ_by_a_letter_are_honest(tables_of):
    names = ["Brian"] * 50 + ["Bryan", "Ethan", "Nathan", "Carlos", "Emilio", "Harriet", "Simone"] + ["Denise"] * 50
    codes = ["A1"] * 50 + ["a2", "B1", "m", "M"] * 10
    columns = {"name": names, "code": (codes * 2)[: len(names)], "id": [f"k{i}" for i in range(len(names))]}
    assert CHECK.run(tables_of({"t": columns})) == []


@given(st.text("abcde", min_size=1, max_size=8), st.text("abcde", min_size=1, max_size=8))
@settings(max_examples=50, deadline=None)
def test_one_slip_is_symmetric_and_agrees_with_the_edit_distance(a, b):
    assert one_slip(a, b) == one_slip(b, a)
    if one_slip(a, b):
        assert 1 <= _distance(a, b) <= 2
    if _distance(a, b) == 1 and len(a) == len(b):
        assert one_slip(a, b)


def _distance(a, b):
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        last, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (x != y))
    return row[-1]


def test_not_applicable_without_categories(tables_of, refuses):
    assert refuses(CHECK, tables_of({"t": {"a": [1]}})) == "no column of categories"
