import numpy as np
import pytest

from holdgood.audit.aud010_spellings import CHECK
from holdgood.audit.folded import folded

rng = np.random.default_rng(6)
TOWNS = ["Lyon", "Marseille", "Toulouse", "Bordeaux", "Orléans"]


def test_case_and_accents_are_an_issue_with_a_mapping_and_damage_is_left_to_its_own_check(tables_of):
    towns = [*rng.choice(TOWNS, 500), "lyon", "LYON ", "Orleans", " Marseille"]
    (finding,) = CHECK.run(tables_of({"t": {"town": towns}}))
    assert (finding.level, finding.rows, finding.sure) == ("issue", 3, "certain")
    # "LYON " is told as it stands, and as it reads when its space has been mended
    mapping = {"lyon": "Lyon", "LYON ": "Lyon", "LYON": "Lyon", "Orleans": "Orléans"}
    assert finding.proposal.parameters["mapping"] == mapping
    assert sorted(finding.examples) == [500, 501, 502]


@pytest.mark.parametrize(
    ("common", "variant"),
    [
        ("Very Good", "very_good"),
        ("Very Good", "VeryGood"),
        ("non-profit", "nonprofit"),
        ("oz", "oz."),
        ("John Smith", "Smith, John"),
        ("salt and pepper", "salt & pepper"),
        ("new york city hall", "city hall new york"),
        ("Yes", "YES"),
    ],
)
def test_a_rare_variant_of_a_common_level(tables_of, common, variant):
    (finding,) = CHECK.run(tables_of({"t": {"a": [common] * 60 + ["another thing"] * 40 + [variant] * 3}}))
    assert (finding.rows, finding.proposal.parameters["mapping"]) == (3, {variant: common})


def test_codes_and_names_stay_apart(tables_of):
    columns = {
        "grade": ["A", "A+", "A-", "B"] * 30,
        "version": ["1.10", "11.0", "1-2", "12"] * 30,
        "gene": ["AA", "Aa", "aa", "AA"] * 30,
        "case": ["m", "M", "f", "F"] * 30,
        "sign": ["<=50K", ">50K", "50K", "=50K"] * 30,
        "route": ["Paris London", "London Paris", "Rome Paris", "Paris Rome"] * 30,
        "first": ["Ann-Marie", "Annmarie", "Ty-Shawn", "Tyshawn"] * 2 + ["Joan"] * 112,
    }
    assert CHECK.run(tables_of({"t": columns})) == []


def test_single_letters_that_slipped_into_the_other_case(tables_of):
    (finding,) = CHECK.run(tables_of({"t": {"sex": ["M", "F"] * 100 + ["f", "m", "f"]}}))
    assert finding.proposal.parameters["mapping"] == {"f": "F", "m": "M"}


def test_a_folded_form_is_the_same_when_folded_again():
    for text in ["Very_Good!", " a--b ", "R&D", "AB 1-2", "naïve (x)", ".5 kg", "1,000.5"]:
        assert folded(folded(text)) == folded(text)


def test_not_applicable_without_categories(tables_of, refuses):
    assert refuses(CHECK, tables_of({"t": {"a": [1]}})) == "no column of categories"
