"""Contracts from the command line: infer, review, check, diff; enforced by predict, row by row."""

import sqlite3

import numpy as np
import pandas as pd
import pytest

QUICK = '[budget]\ntrials = 2\nworkers = 1\nmodels = ["linear"]\n[split]\nfolds = 2\n'


def orders(rows=400, seed=0):
    rng = np.random.default_rng(seed)
    weight = rng.gamma(4, 3, rows).round(2)
    colour = rng.choice(["red", "green"], rows)
    late = (weight + 3 * (colour == "red") + rng.normal(0, 4, rows) > 14).astype(int)
    return pd.DataFrame({"id": np.arange(rows), "weight": weight, "colour": colour, "late": late})


@pytest.fixture(scope="module")
def folder(tmp_path_factory, cli):
    home = tmp_path_factory.mktemp("contract")
    orders().to_csv(home / "orders.csv", index=False)
    (home / "holdgood.toml").write_text(
        QUICK + '[tables.orders]\nsource = "orders.csv"\nids = ["id"]\nkey = ["id"]\n[task]\ntarget = "late"\n'
    )
    assert cli("contract", "infer", at=home).code == 0
    text = (home / "contract.toml").read_text().replace('unseen = "warn"', 'unseen = "refuse"')
    written = []
    for line in text.splitlines():
        written.append(line.replace("}", ', unseen = "refuse" }') if line.startswith('"colour"') else line)
    (home / "contract.toml").write_text("\n".join(written))
    assert cli("contract", "review", "--who", "Ada", at=home).code == 0
    assert cli("run", at=home).code == 0
    return home


def test_infer_writes_rules_and_never_replaces_what_people_worked_on(folder, cli):
    text = (folder / "contract.toml").read_text()
    assert '"weight" = { type = "number"' in text
    assert 'reviewed_by = "Ada"' in text
    again = cli("contract", "infer", at=folder)
    assert again.code == 2
    assert "people may have worked on it" in again.err


def test_check_gives_each_bad_row_its_reason(folder, cli, tmp_path):
    bad = orders(50, 1)
    bad.loc[3, "colour"] = "purple"
    bad["weight"] = bad["weight"].astype(object)
    bad.loc[7, "weight"] = "heavy"
    bad.loc[9, "weight"] = 5000
    bad.loc[11, "id"] = 10
    bad.to_csv(tmp_path / "new.csv", index=False)
    said = cli("contract", "check", tmp_path / "new.csv", "--to", tmp_path / "bad.csv", "--strict", at=folder)
    assert said.code == 1
    assert "1 refused" in said.out
    assert "2 rows share their key" in said.out
    lines = pd.read_csv(tmp_path / "bad.csv").set_index("row")
    assert lines.verdict.to_dict() == {4: "refused", 8: "warn", 10: "warn"}
    assert lines.why[8] == "weight is no number"
    told = cli("contract", "check", tmp_path / "new.csv", "--json", at=folder).json[0]
    assert (told["ok"], told["warn"], told["refused"], told["repeated_keys"]) == (47, 2, 1, 2)


def test_predict_enforces_it_row_by_row(folder, cli, tmp_path):
    rows = orders(6, 2).drop(columns="late")
    rows.loc[2, "colour"] = "purple"
    rows.loc[4, "weight"] = 9999
    rows.to_csv(tmp_path / "new.csv", index=False)
    said = cli("predict", "runs/0001", tmp_path / "new.csv", "--to", tmp_path / "out.csv", at=folder)
    assert said.code == 0
    assert "1 refused" in said.out
    out = pd.read_csv(tmp_path / "out.csv", float_precision="round_trip")
    assert out.verdict.tolist() == ["ok", "ok", "refused", "ok", "warn", "ok"]
    assert out.probability.isna().tolist() == [False, False, True, False, False, False]
    assert out.answer.isna().tolist() == [False, False, True, False, False, False]
    assert out.why[4].startswith("weight is above")
    assert cli("predict", "runs/0001", tmp_path / "new.csv", "--strict", at=folder).code == 1
    alone = tmp_path / "one.csv"
    rows.iloc[[4]].to_csv(alone, index=False)
    (one,) = cli("predict", "runs/0001", alone, "--json", at=folder).json["predictions"]
    assert (one["verdict"], one["why"]) == ("warn", out.why[4])
    assert one["probability"] == out.probability[4]


def test_diff_of_versions_of_data_and_of_contracts(folder, cli, tmp_path):
    new = orders(400, 3)
    new["colour"] = new["colour"].replace("red", "blue")
    new.to_csv(tmp_path / "orders.csv", index=False)
    said = cli("contract", "diff", "orders.csv", tmp_path / "orders.csv", at=folder)
    assert said.code == 0
    assert "the levels of colour: 1 new (blue), 1 gone (red)" in said.out
    assert (
        cli("contract", "diff", "contract.toml", "contract.toml", "--strict", at=folder).out.strip()
        == "nothing differs"
    )
    bundle = cli("contract", "diff", "contract.toml", "runs/0001", "--json", at=folder).json
    assert {d["kind"] for d in bundle} <= {"removed", "range", "missing"}


def test_a_later_edit_is_told_and_the_next_signature_is_a_new_version(folder, cli, tmp_path):
    path = tmp_path / "contract.toml"
    path.write_text((folder / "contract.toml").read_text().replace("high = ", "high = 1"))
    said = cli("contract", "review", path, "--who", "Bo", at=folder)
    assert "version 2, reviewed by Bo" in said.out


def test_a_run_over_rows_that_break_the_contract_says_so(folder, cli, tmp_path):
    for name in ("holdgood.toml", "contract.toml"):
        (tmp_path / name).write_text((folder / name).read_text())
    bad = orders()
    bad.loc[:4, "colour"] = "purple"
    bad.to_csv(tmp_path / "orders.csv", index=False)
    assert cli("run", at=tmp_path).code == 0
    findings = cli("show", "audit", "--json", at=tmp_path).out
    assert "AUD044" in findings
    assert "colour is a word never seen before (5 rows)" in findings


def test_mistakes_are_three_lines(folder, cli):
    for arguments, says in (
        (("contract", "check", "orders.csv", "--contract", "none.toml"), "no none.toml"),
        (("contract", "review", "--who", " "), "without a name"),
        (("contract", "diff", "contract.toml", "nowhere.csv"), "nowhere.csv"),
        (("contract", "check", "other=orders.csv"), "no table 'other'"),
    ):
        said = cli(*arguments, at=folder)
        assert said.code in (2, 3), said.all
        assert says in said.err
        assert len(said.err.strip().splitlines()) >= 3


def test_a_refused_row_gets_no_answer_whatever_its_columns_are_called(cli, tmp_path):
    rows = orders().drop(columns="late").assign(probability=lambda f: f.weight * 2, answer="x")
    rows["late"] = (rows.weight > 12).astype(int)
    rows.to_csv(tmp_path / "orders.csv", index=False)
    (tmp_path / "holdgood.toml").write_text(
        QUICK + '[tables.orders]\nsource = "orders.csv"\nids = ["id"]\n[task]\ntarget = "late"\n'
    )
    assert cli("contract", "infer", at=tmp_path).code == 0
    text = (tmp_path / "contract.toml").read_text()
    lines = [n.replace("}", ', unseen = "refuse" }') if n.startswith('"colour"') else n for n in text.splitlines()]
    (tmp_path / "contract.toml").write_text("\n".join(lines))
    assert cli("run", at=tmp_path).code == 0
    new = rows.head(3).drop(columns="late")
    new.loc[1, "colour"] = "purple"
    new.to_csv(tmp_path / "new.csv", index=False)
    told = cli("predict", "runs/0001", "new.csv", "--json", at=tmp_path).json["predictions"]
    assert [t["verdict"] for t in told] == ["ok", "refused", "ok"]
    assert {k for k, v in told[1].items() if v is None} == {"probability", "answer"}


def test_nothing_is_written_over_what_it_was_made_from(cli, tmp_path):
    orders(120).to_csv(tmp_path / "orders.csv", index=False)
    other = orders(120).to_csv(index=False)
    (tmp_path / "other.csv").write_text(other)
    assert cli("contract", "infer", "orders.csv", at=tmp_path).code == 0
    for arguments in (
        ("check", "orders.csv", "--to", "orders.csv"),
        ("check", "orders.csv", "orders=other.csv", "--to", "other.csv"),
        ("check", "orders.csv", "--contract", "contract.toml", "--to", "contract.toml"),
        ("infer", "orders.csv", "--to", "orders.csv", "--force"),
        ("infer", "orders.csv", "b=other.csv", "--to", "other.csv", "--force"),
    ):
        before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
        said = cli("contract", *arguments, at=tmp_path)
        assert said.code == 2, said.all
        assert "over its own source" in said.err
        assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before


def test_a_project_is_not_written_over_either(cli, tmp_path):
    orders(120).to_csv(tmp_path / "orders.csv", index=False)
    (tmp_path / "holdgood.toml").write_text('[tables.orders]\nsource = "orders.csv"\n[task]\ntarget = "late"\n')
    for name in ("orders.csv", "holdgood.toml"):
        said = cli("contract", "infer", "--to", name, "--force", at=tmp_path)
        assert said.code == 2, said.all
        assert "over its own source" in said.err


def test_a_path_with_an_equals_sign_is_a_path(cli, tmp_path):
    for place in ("y=2024/part.parquet", "a=b.parquet"):
        (tmp_path / place).parent.mkdir(exist_ok=True)
        orders(120).to_parquet(tmp_path / place)
        said = cli("contract", "infer", place, "--force", at=tmp_path)
        assert said.code == 0, said.all
        assert said.out.startswith(("part:", "a=b:"))
        assert cli("contract", "check", place, at=tmp_path).code == 0
    assert cli("contract", "infer", "name=a=b.parquet", "--force", at=tmp_path).out.startswith("name:")


def test_a_table_is_called_as_everywhere_else_and_two_of_one_name_are_refused(cli, tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        orders(120).to_csv(tmp_path / folder / "orders.2026.csv", index=False)
    assert cli("contract", "infer", "a/orders.2026.csv", at=tmp_path).code == 0
    assert '[tables."orders.2026"]' in (tmp_path / "contract.toml").read_text()
    two = cli("contract", "infer", "a/orders.2026.csv", "b/orders.2026.csv", "--to", "two.toml", at=tmp_path)
    assert two.code == 2
    assert "two tables are called 'orders.2026'" in two.err
    named = cli("contract", "infer", "x=a/orders.2026.csv", "b/orders.2026.csv", "--to", "two.toml", at=tmp_path)
    assert named.code == 0


def test_infer_says_that_the_data_are_dirty_and_bounds_no_running_number(cli, tmp_path):
    frame = orders(300)
    frame.loc[::40, "weight"] = -999
    frame.to_csv(tmp_path / "dirty.csv", index=False)
    said = cli("contract", "infer", "dirty.csv", at=tmp_path)
    assert said.code == 0
    assert "issue" in said.out
    assert "mend first: holdgood clean dirty.csv" in " ".join(said.out.split())
    (ids,) = [line for line in (tmp_path / "contract.toml").read_text().splitlines() if line.startswith('"id"')]
    assert "low" not in ids
    assert "high" not in ids
    clean = cli("contract", "infer", "u.csv", "--to", "u.toml", at=_written(tmp_path, orders(300)))
    assert "mend first" not in clean.out

    turned = orders(300)
    turned["ordered_at"] = pd.date_range("2024-01-01", periods=300)
    turned["delivered_at"] = turned["ordered_at"] + pd.to_timedelta(np.arange(300) % 9 + 1, unit="D")
    turned.loc[::50, "delivered_at"] = turned["ordered_at"] - pd.Timedelta(40, "D")
    told = cli("contract", "infer", "u.csv", "--to", "t.toml", at=_written(tmp_path, turned)).out
    assert "no repair is known; look first: holdgood audit u.csv" in told
    listed = cli("audit", "u.csv", "--no-report", "--cells", "cells.csv", at=tmp_path).out
    assert "not among the cells, since no repair says which one is wrong: " in listed
    assert "AUD008 (6 rows)" in listed
    later = orders(20)
    later["id"] += 5_000
    later.to_csv(tmp_path / "later.csv", index=False)
    assert "20 ok" in cli("contract", "check", "later.csv", "--contract", "u.toml", at=tmp_path).out


def _written(folder, frame):
    frame.to_csv(folder / "u.csv", index=False)
    return folder


def test_numbers_that_name_rows_of_another_table_are_not_bounded(cli, tmp_path):
    rng = np.random.default_rng(3)
    names = np.arange(1_000, 1_200)
    pd.DataFrame({"customer": names, "age": rng.integers(20, 80, 200)}).to_csv(tmp_path / "people.csv", index=False)
    bought = pd.DataFrame({"who": rng.choice(names, 900), "spent": rng.gamma(2, 30, 900).round(2)})
    bought.to_csv(tmp_path / "bought.csv", index=False)
    assert cli("contract", "infer", "bought.csv", "people.csv", at=tmp_path).code == 0
    lines = {line.split(" ")[0]: line for line in (tmp_path / "contract.toml").read_text().splitlines()}
    assert "low" not in lines['"who"'] and "low" not in lines['"customer"']
    assert "low" in lines['"spent"'] and "low" in lines['"age"']


@pytest.mark.parametrize("source", ["sqlite:///u.db?table=u", "u=sqlite:///u.db?table=u", "u.db"])
def test_a_database_is_never_written_over(cli, tmp_path, source):
    with sqlite3.connect(tmp_path / "u.db") as connection:
        orders(60).to_sql("u", connection, index=False)
    before = (tmp_path / "u.db").read_bytes()
    for command in (["infer", source, "--force"], ["check", source]):
        said = cli("contract", *command, "--to", "u.db", at=tmp_path)
        assert said.code == 2
        assert (tmp_path / "u.db").read_bytes() == before
    (tmp_path / "holdgood.toml").write_text('[tables.u]\nsource = "sqlite:///u.db?table=u"\n')
    said = cli("contract", "infer", "--force", "--to", "u.db", at=tmp_path)
    assert "over its own source" in said.err
    assert (tmp_path / "u.db").read_bytes() == before
