"""Clean: shown first, applied when asked, replayed on new rows, undone to the bit; a project's repairs are declared."""

import json

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest


def bad(rows=300, seed=0):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "w": np.where(rng.random(rows) < 0.1, -999.0, rng.gamma(4, 3, rows).round(2)),
            "c": np.where(rng.random(rows) < 0.1, " red", rng.choice(["red", "green", "blue"], rows)),
            "v": rng.normal(size=rows),
            "y": rng.integers(0, 2, rows),
        }
    )
    return pd.concat([frame, frame.iloc[:9]], ignore_index=True)


@pytest.fixture
def folder(tmp_path):
    bad().to_parquet(tmp_path / "t.parquet")
    return tmp_path


def test_without_apply_cells_are_shown_and_nothing_is_written(folder, cli):
    said = cli("clean", "t.parquet", at=folder)
    assert said.code == 0
    assert "-999.0  →  missing" in said.out
    assert "' red'  →  'red'" in said.out
    assert "nothing written" in said.out
    assert [p.name for p in folder.iterdir()] == ["t.parquet"]


def test_preview_with_codes_shows_only_those(folder, cli):
    said = cli("clean", "t.parquet", "--apply", "AUD007", "--preview", at=folder)
    assert "sentinel-to-missing" in said.out
    assert "red" not in said.out
    assert [p.name for p in folder.iterdir()] == ["t.parquet"]


def test_apply_then_undo_gives_the_source_to_the_bit(folder, cli):
    source = pq.read_table(folder / "t.parquet")
    said = cli("clean", "t.parquet", "--apply", "all", "--json", at=folder).json
    assert said["written"] == "t.clean.parquet"
    cleaned = pq.read_table(folder / "t.clean.parquet")
    assert cleaned.num_rows == 300
    assert cleaned.column("w").null_count > 0
    log = json.loads((folder / "t.clean.parquet.log.json").read_text())["payload"]
    assert sum(e["cells_changed"] for e in log["entries"]) > 0
    done = cli("clean", "--undo", "t.clean.parquet", "--to", "back.parquet", at=folder)
    assert done.code == 0
    assert pq.read_table(folder / "back.parquet").equals(source)
    again = cli("clean", "--undo", "t.clean.parquet", "--to", "back.parquet", at=folder)
    assert again.code == 2
    pq.write_table(cleaned.slice(1), folder / "t.clean.parquet")
    refused = cli("clean", "--undo", "t.clean.parquet", "--to", "other.parquet", at=folder)
    assert refused.code == 3
    assert "changed since it was cleaned" in refused.err


def test_repairs_are_replayed_on_new_rows_without_an_audit(folder, cli):
    assert cli("clean", "t.parquet", "--apply", "all", "--save", "repairs.toml", at=folder).code == 0
    assert "# AUD007" in (folder / "repairs.toml").read_text()
    new = pd.DataFrame({"w": [-999.0, 4.0], "c": [" red", "green"], "v": [0.1, 0.2], "y": [0, 1]})
    new.to_parquet(folder / "new.parquet")
    done = cli("clean", "new.parquet", "--repairs", "repairs.toml", "--json", at=folder).json
    assert sum(e["cells_changed"] for e in done["clean"]["entries"]) == 2
    assert pd.read_parquet(folder / "new.clean.parquet").c.tolist() == ["red", "green"]


def test_some_can_be_left_out(folder, cli):
    done = cli("clean", "t.parquet", "--apply", "all", "--except", "aud007", "--json", at=folder).json
    assert all(e["repair"] != "sentinel-to-missing" for e in done["clean"]["entries"])
    one = cli("clean", "t.parquet", "--columns", "w", "--preview", "--json", at=folder).json
    assert {c for e in one["clean"]["entries"] for c in e["columns"]} == {"w"}


def test_several_tables_are_cleaned_together(folder, cli):
    bad(200, 1).to_csv(folder / "u.csv", index=False)
    done = cli("clean", "t.parquet", "u.csv", "--apply", "all", "--json", at=folder).json
    assert [d["written"] for d in done] == ["t.clean.parquet", "u.clean.parquet"]


def test_a_project_declares_its_repairs_and_keeps_every_byte(folder, cli):
    text = '# mine\n[tables.t]\nsource = "t.parquet"   # here\n[task]\ntarget = "y"\n'
    (folder / "holdgood.toml").write_text(text)
    shown = cli("clean", at=folder)
    assert "sentinel-to-missing" in shown.out
    assert (folder / "holdgood.toml").read_text() == text
    done = cli("clean", "--apply", "AUD007", at=folder)
    assert "1 repairs appended" in done.out or "repairs appended" in done.out
    now = (folder / "holdgood.toml").read_text()
    assert now.startswith(text)
    assert "[[repairs]]" in now
    again = cli("clean", "--apply", "AUD007", at=folder)
    assert "nothing to repair beyond what is declared" in again.out
    assert (folder / "holdgood.toml").read_text() == now


def test_effect_of_one_table(folder, cli):
    said = cli("clean", "t.parquet", "--target", "y", "--effect", "--learner", "linear", at=folder)
    assert said.code == 0
    assert "log loss" in said.out
    told = cli("clean", "t.parquet", "--target", "y", "--effect", "--learner", "linear", "--json", at=folder).json
    assert told["effects"][-1]["repair"] == "all together"


def test_nothing_that_is_there_is_written_over(folder, cli):
    source = (folder / "t.parquet").read_bytes()
    for save in ("t.parquet", "t.clean.parquet"):
        assert cli("clean", "t.parquet", "--apply", "all", "--save", save, at=folder).code == 2
    assert (folder / "t.parquet").read_bytes() == source
    assert not (folder / "t.clean.parquet").exists()
    (folder / "other").mkdir()
    bad(200, 1).to_parquet(folder / "other" / "t.parquet")
    (folder / "out").mkdir()
    two = cli("clean", "t.parquet", "other/t.parquet", "--apply", "all", "--to", "out", at=folder)
    assert two.code == 2
    assert "two tables would be written" in two.err
    assert list((folder / "out").iterdir()) == []
    assert cli("clean", "t.parquet", "--apply", "all", "--to", "c.csv", at=folder).code == 0
    with (folder / "c.csv").open("a") as file:
        file.write("1,mine,2,0\n")
    assert cli("clean", "t.parquet", "--apply", "all", "--to", "c.csv", at=folder).code == 2
    assert "mine" in (folder / "c.csv").read_text()


@pytest.mark.parametrize("ending", ["csv", "csv.gz", "tsv", "jsonl"])
def test_undo_of_what_reads_back_otherwise_leads_to_the_source_all_the_same(folder, cli, ending):
    codes = {"code": [f"{i % 9}" for i in range(200)], "w": [-999.0 if i % 9 == 0 else i / 7 for i in range(200)]}
    codes |= {
        "empty": [None if i % 5 else "" for i in range(200)],
        "at": pd.date_range("2024-01-01", periods=200, unit="us"),
    }
    frame = pd.concat([pd.DataFrame(codes), pd.DataFrame(codes).iloc[:9]], ignore_index=True)
    frame.to_parquet(folder / "u.parquet")
    done = cli("clean", "u.parquet", "--apply", "all", "--to", f"u.{ending}", "--json", at=folder).json
    assert done["undo"] == f"u.{ending}.undo.zip"
    back = cli("clean", "--undo", f"u.{ending}", "--to", "back.parquet", at=folder)
    assert "209 rows as they were" in back.out
    assert "to the bit" in back.out
    assert pq.read_table(folder / "back.parquet").equals(pq.read_table(folder / "u.parquet").replace_schema_metadata())
    text = cli("clean", "--undo", f"u.{ending}", "--to", "back.csv", at=folder)
    assert "a Parquet file would read back to the bit" in text.out
    with (folder / "back.csv").open() as file:
        assert len(file.readlines()) == 210


def test_undo_is_offered_only_where_the_rows_come_back(folder, cli):
    frame = pd.DataFrame({"w": [-999.0 if i % 9 == 0 else i / 7 for i in range(200)], "t": ["a\x00b\r\nc"] * 200})
    frame.to_parquet(folder / "u.parquet")
    said = cli("clean", "u.parquet", "--apply", "AUD007", "--to", "u.csv", at=folder)
    assert said.code == 0
    assert "no undo" in said.out
    assert not (folder / "u.csv.undo.zip").exists()
    assert cli("clean", "u.parquet", "--apply", "AUD007", "--to", "v.parquet", at=folder).code == 0
    assert cli("clean", "--undo", "v.parquet", "--to", "back.csv", at=folder).code == 0


def test_only_the_columns_asked_for_are_repaired_and_unknown_ones_refused(folder, cli):
    frame = bad().assign(h=lambda f: f.w)
    frame.to_parquet(folder / "two.parquet")
    done = cli("clean", "two.parquet", "--apply", "AUD007", "--columns", "h", "--json", at=folder).json
    assert [e["columns"] for e in done["clean"]["entries"]] == [["h"]]
    wrong = '[[repairs]]\nrepair = "sentinel-to-missing"\ncolumns = ["W"]\nparameters = { values = [-999] }\n'
    (folder / "typo.toml").write_text(wrong)
    refused = cli("clean", "two.parquet", "--repairs", "typo.toml", at=folder)
    assert refused.code == 3
    assert "no column 'W'" in refused.err


def test_mistakes(folder, cli):
    for arguments, says in (
        (("clean", "t.parquet", "--apply", "AUD999"), "AUD999"),
        (("clean", "--undo", "t.parquet"), "--undo without --to"),
        (("clean", "--undo", "t.parquet", "--to", "x.parquet"), "undo"),
        (("clean", "t.parquet", "--effect"), "what is predicted"),
        (("clean", "t.parquet", "--repairs", "none.toml"), "none.toml"),
        (("clean",), "holdgood.toml"),
    ):
        said = cli(*arguments, at=folder)
        assert said.code in (2, 3), (arguments, said.all)
        assert says in said.err, (arguments, said.all)


def test_options_behind_a_files_name_hold_for_every_command(cli, tmp_path):
    days = pd.date_range("2024-01-01", periods=200)
    frame = pd.DataFrame(
        {"day": days.strftime("%m/%d/%Y"), "x": [-999.0 if i % 20 == 0 else i % 7 + 0.5 for i in range(200)]}
    )
    frame.to_csv(tmp_path / "us.csv", index=False)
    source = "us.csv?dates=month-first"
    looked = cli("audit", source, at=tmp_path)
    assert f"repair: holdgood clean '{source}' --apply AUD007" in looked.out
    assert (tmp_path / "us.audit.html").exists()
    assert cli("clean", source, "--apply", "AUD007", at=tmp_path).code == 0
    assert pd.read_parquet(tmp_path / "us.clean.parquet").day.dtype.kind == "M"
    assert cli("clean", source, "--apply", "AUD007", "--to", "us.csv", at=tmp_path).code == 2
    cli("ignore", "AUD007", "--table", source, "--who", "A", "--why", "B", at=tmp_path)
    assert "ignored AUD007" in cli("audit", source, "--no-report", at=tmp_path).out
    assert cli("init", source, "-p", "mine", at=tmp_path).code == 0
    assert (
        'source = "../us.csv"\noptions = { "dates" = "month-first" }'
        in (tmp_path / "mine" / "holdgood.toml").read_text()
    )


def test_repairs_of_names_with_control_characters_replay(folder, cli):
    bad().rename(columns={"w": "w\r\x1bkg"}).to_parquet(folder / "t.parquet")
    assert cli("clean", "t.parquet", "--apply", "all", "--save", "r.toml", at=folder).code == 0
    first = pq.read_table(folder / "t.clean.parquet")
    again = cli("clean", "t.parquet", "--repairs", "r.toml", "--to", "again.parquet", at=folder)
    assert again.code == 0, again.out
    assert pq.read_table(folder / "again.parquet").equals(first)


def test_rows_are_never_compared_by_what_is_left_of_the_columns_named(folder, cli):
    steps = [("drop-columns", ["b"]), ("drop-duplicate-rows", ["a", "b"])]
    text = "".join(f'[[repairs]]\nrepair = "{name}"\ncolumns = {json.dumps(columns)}\n' for name, columns in steps)
    (folder / "r.toml").write_text(text)
    pd.DataFrame({"a": [1, 1, 2], "b": [1, 2, 3]}).to_parquet(folder / "s.parquet")
    assert cli("clean", "s.parquet", "--repairs", "r.toml", at=folder).code == 0
    assert pq.read_table(folder / "s.clean.parquet").column("a").to_pylist() == [1, 1, 2]
