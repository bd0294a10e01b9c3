import numpy as np
import pytest

from holdgood.audit.aud024_typos import CHECK
from holdgood.cleaning.replace_values import REPAIR

rng = np.random.default_rng(6)
TOWNS = ["Lyon", "Marseille", "Toulouse", "Bordeaux", "Orléans"]


@pytest.mark.parametrize(("typos", "level"), [(["Marseile"], "tip"), (["Marseile", "Tolouse", "Bordeauy"], "issue")])
def test_slips_of_one_letter(tables_of, typos, level):
    context = tables_of({"t": {"town": [*rng.choice(TOWNS, 500), *typos]}})
    (finding,) = CHECK.run(context)
    assert (finding.level, finding.rows, finding.proposal.cells) == (level, len(typos), len(typos))
    assert sorted(finding.examples) == list(range(500, 500 + len(typos)))
    clean, entry = REPAIR.apply(context.tables["t"], ["town"], finding.proposal.parameters)
    assert entry.cells_changed == len(typos)
    assert set(clean.data.column("town").to_pylist()) == set(TOWNS)


def test_letters_among_digits_are_read_where_only_one_text_fits(tables_of):
    zips = [f"{z}" for z in range(30100, 30900, 40)] * 20
    context = tables_of({"t": {"zip": [*zips, "3x100", "301o0", "3o14o", "x0180", "30xx0"]}})
    (finding,) = CHECK.run(context)
    told = finding.proposal.parameters
    assert finding.level == "issue" and finding.rows == 5
    assert told["mapping"] == {"3x100": "30100", "3o14o": "30140", "x0180": "30180"}
    assert told["missing"] == ["301o0", "30xx0"]


def test_slips_inside_longer_texts(tables_of):
    texts = [f"{i} patients" for i in range(2, 300)] + ["7 paxients", "301 patiens", "44 ptaients"]
    (finding,) = CHECK.run(tables_of({"t": {"sample": texts}}))
    to = {"7 paxients": "7 patients", "301 patiens": "301 patients", "44 ptaients": "44 patients"}
    assert finding.proposal.parameters["mapping"] == to


def test_short_levels_in_a_closed_vocabulary(tables_of):
    answers = ["Yes", "No"] * 300 + ["Yse", "eYs", "Yess", "Noo", "Nx", "Ys", "oN", "YEs", "Yexs", "xNo", "wYes", "NoK"]
    (finding,) = CHECK.run(tables_of({"t": {"answer": answers}}))
    assert finding.proposal.parameters["mapping"]["Yse"] == "Yes"
    assert finding.proposal.parameters["mapping"]["Noo"] == "No"
    assert finding.rows >= 6


def test_honest_neighbours_are_left_alone(tables_of):
    n = 400
    columns = {
        "name": ["Brian"] * 300
        + ["Bryan", "Ethan", "Nathan", "Carlos", "Emilio", "Harriet", "Simone"]
        + ["Denise"] * 93,
        "code": [f"hf-{i}" for i in rng.integers(1, 9, n - 1)] + ["hf-9"],
        "plate": [f"N{i}AA" for i in rng.integers(100, 180, n - 3)] + ["N190UA", "N191UA", "N10012"],
        "size": ["engine"] * 300 + ["engines"] * 2 + ["motor"] * 98,
        "amount": [f"{v:.1f}" for v in np.round(rng.gamma(2, 20, n), 1)],
        "id": [f"k{i}" for i in range(n)],
    }
    assert CHECK.run(tables_of({"t": columns})) == []


def test_not_applicable_without_texts(tables_of, refuses):
    assert refuses(CHECK, tables_of({"t": {"a": [1]}})) == "no column is kept as text"


@pytest.mark.parametrize("typo", ["nrth", "souhh", "weest", "eastt"])
def test_a_single_slip_in_a_closed_vocabulary_is_a_tip(tables_of, typo):
    levels = ["north", "south", "east", "west"]
    (finding,) = CHECK.run(tables_of({"t": {"side": [*levels * 300, typo]}}))
    assert (finding.level, finding.sure, finding.rows, finding.examples) == ("tip", "possible", 1, (1200,))
    assert finding.proposal.parameters["mapping"][typo] in levels


@pytest.mark.parametrize(
    ("levels", "rare"),
    [
        (["boat", "coat", "goat", "moat"], ["doat"]),  # levels are near each other by themselves
        (["shirt", "skirt", "blouse", "belt"], ["skort"]),
        (["red", "green", "blue", "black"], ["cyan", "ochre", "pink", "geen"]),  # rare words are usual here
        (["cat", "dog", "horse", "apple"], ["apples", "cap"]),  # a plural, and a word too short to tell
    ],
)
def test_a_rare_word_of_its_own_is_no_slip(tables_of, levels, rare):
    assert CHECK.run(tables_of({"t": {"kind": [*levels * 300, *rare]}})) == []


def test_signs_added_to_several_levels(tables_of):
    towns = ["Lyon", "Brno", "Kiel", "Graz"] * 50
    (finding,) = CHECK.run(tables_of({"t": {"town": [*towns, "Lyon-*", "Brno-*", "Kiel-*", "Graz*"]}}))
    assert finding.proposal.parameters["mapping"] == {"Brno-*": "Brno", "Kiel-*": "Kiel", "Lyon-*": "Lyon"}
