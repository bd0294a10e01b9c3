import numpy as np

from holdgood.audit.aud011_identifiers import CHECK

rng = np.random.default_rng(7)


def test_running_numbers_and_unique_codes_are_tips(tables_of):
    columns = {
        "n": rng.permutation(200),
        "code": [f"P{i * 7}" for i in range(200)],
        "float": np.arange(200) + 0.5,
        "amount": rng.choice(10**9, 200, replace=False),
        "words": [f"a sentence with several words and number {i}" for i in range(200)],
    }
    (finding,) = CHECK.run(tables_of({"t": columns}))
    assert (finding.level, finding.columns) == ("tip", ("n", "code"))


def test_amounts_kept_as_text_name_no_row(tables_of):
    cents = rng.choice(10**7, 200, replace=False)
    amounts = [f"{c / 100:,.2f}".translate(str.maketrans(",.", ".,")) for c in cents]
    assert CHECK.run(tables_of({"t": {"every": amounts, "nearly": [*amounts[:-1], amounts[0]]}})) == []


def test_declared_keys_are_known(tables_of):
    assert CHECK.run(tables_of({"t": {"n": range(200), "x": [1, 2] * 100}}, specs={"t": {"key": ["n"]}})) == []


def test_not_applicable_for_few_rows(tables_of, refuses):
    assert refuses(CHECK, tables_of({"t": {"n": [1, 2, 3]}}))


def test_codes_that_hardly_repeat_and_numbers_kept_as_floats(tables_of):
    code = [f"{v:08x}" for v in rng.integers(0, 2**32, 1_000)]
    code[:9] = code[500:509]
    columns = {"code": code, "nr": np.arange(1_000) + 1.0, "name": [f"Jane {i % 990}" for i in range(1_000)]}
    (finding,) = CHECK.run(tables_of({"t": columns}))
    assert (finding.columns, finding.evidence["repeats"]) == (("code", "nr"), 9)
    assert "(nearly)" in finding.message


def test_keys_that_another_table_points_to_are_known(tables_of):
    names = [f"M{i:03d}" for i in range(80)]
    tables = {"main": {"machine": rng.choice(names, 500)}, "machines": {"id": names, "x": rng.normal(size=80)}}
    assert CHECK.run(tables_of(tables)) == []
