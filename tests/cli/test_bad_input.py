"""What breaks: each bad input gives one clear error or a finding, the right exit code, no stack trace, and loses no earlier run."""

import json
import os
import resource
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest


def found(answer):
    """Codes of issues and tips of ``audit --json``."""
    return {o["code"] for o in answer.json["audit"]["outcomes"] if o["status"] in ("issue", "tip")}


def audited(cli, folder, *files):
    return found(cli("audit", *(files or ("t.csv",)), "--json", "--no-report", at=folder))


def edit(folder, old, new):
    text = (folder / "holdgood.toml").read_text()
    assert old in text
    (folder / "holdgood.toml").write_text(text.replace(old, new))


# ── files and tables ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("command", ["audit", "clean", "init", "run"])
def test_a_missing_file_is_named_with_its_neighbour(refuses, make_project, make_orders, command):
    folder = make_project(make_orders(30))
    edit(folder, "t.csv", "tt.csv")
    asked = [command] if command == "run" else [command, "tt.csv"] + (["--force"] if command == "init" else [])
    refuses(*asked, at=folder, code=3, says=["tt.csv", "did you mean 't.csv'?"])


@pytest.mark.parametrize("command", ["audit", "clean", "init", "run"])
@pytest.mark.parametrize(
    ("body", "says"),
    [(b"", "is empty (0 bytes)"), (b"x,kind,late\n", "no rows"), (b"\n\n\n", "nothing but blanks")],
    ids=["nothing", "header", "blanks"],
)
def test_an_empty_table_is_refused_by_every_command(refuses, make_project, command, body, says):
    folder = make_project(body)
    asked = [command] if command == "run" else [command, "t.csv"] + (["--force"] if command == "init" else [])
    refuses(*asked, at=folder, code=3, says=says)
    assert (folder / "t.csv").read_bytes() == body


def test_an_empty_joined_table_is_refused_too(refuses, make_project, make_orders):
    folder = make_project(make_orders(40), more='[tables.u]\nsource = "u.csv"\njoin = { on = { kind = "id" } }\n')
    (folder / "u.csv").write_text("id,v\n")
    refuses("run", at=folder, code=3, says="table 'u' has no rows")


@pytest.mark.parametrize(("rows", "says"), [(1, "in all 1 row "), (2, "2 rows with an outcome"), (19, "at least 20")])
def test_too_few_rows(cli, refuses, make_project, make_orders, rows, says):
    frame = make_orders(rows)
    frame["late"] = np.resize(["yes", "no"], rows)
    folder = make_project(frame)
    refuses("run", at=folder, code=3, says=says)
    assert f"{rows} row" in cli("audit", "t.csv", at=folder).out
    assert cli("init", "t.csv", "--force", at=folder).code == 0


def test_twenty_rows_are_enough_to_be_told_that_they_are_too_few(cli, make_project, make_orders):
    frame = make_orders(20)
    frame["late"] = np.resize(["yes", "no"], 20)
    said = cli("run", at=make_project(frame))
    assert said.code == 0
    assert "not ready" in said.out


def test_a_folder_or_an_unknown_kind_of_file(refuses, make_project, make_orders):
    folder = make_project(make_orders(30))
    refuses("audit", ".", at=folder, code=3, says="is a folder")
    (folder / "t.pkl").write_bytes(b"\x80\x04.")
    refuses("audit", "t.pkl", at=folder, code=3, says="never opened")
    (folder / "t.parquet").write_bytes(b"PAR1 and no more")
    refuses("audit", "t.parquet", at=folder, code=3, says="t.parquet")


# ── the target ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("target", "code", "says"),
    [
        ("laet", 3, "did you mean 'late'?"),
        ("", 2, "no target is declared"),
        ("late = 'maybe'", 3, "at least two different outcomes"),
        ("x >", 2, "cannot be evaluated"),
        ("sum(x) > 3", 2, "aggregate"),
        ("xx > 3", 3, "x"),
        ("(SELECT 1)", 3, "late"),
    ],
)
def test_targets_that_cannot_be(refuses, make_project, make_orders, target, code, says):
    refuses("run", at=make_project(make_orders(60), target=target), code=code, says=says)


def test_a_constant_target_is_refused_and_a_finding(cli, refuses, make_project, make_orders):
    folder = make_project(make_orders(200, late="yes"))
    refuses("run", at=folder, code=3, says=["'yes'", "200 rows"])
    assert "AUD003" in audited(cli, folder)
    refuses("run", "--target", "kind = 'zzz'", at=folder, code=3, says="at least two")


def test_classes_that_only_the_holdout_has_are_told(cli, make_project, make_orders):
    frame = make_orders(400, day=pd.date_range("2024-01-01", periods=400, freq="D").astype(str))
    frame["late"] = np.where(frame.x > 0.7, "often", np.where(frame.x > 0, "some", "never"))
    frame.loc[340:, "late"] = "unheard of"
    folder = make_project(frame, table='time = "day"')
    assert cli("run", at=folder).code == 0
    assert "60 holdout rows are of a class that development never saw" in cli("show", "split", at=folder).out
    assert cli("predict", "runs/0001", "t.csv", at=folder).code == 0


# ── columns ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_columns_of_nothing_are_a_finding_and_the_run_goes_on(cli, make_project, make_orders):
    folder = make_project(make_orders(120, void="", empty=np.nan))
    assert "AUD001" in audited(cli, folder)
    assert cli("run", at=folder).code == 0
    assert cli("predict", "runs/0001", "t.csv", at=folder).code == 0


def test_names_that_come_twice_or_not_at_all_are_a_finding(cli, make_project, make_orders):
    body = make_orders(120).assign(more=1.5).to_csv(index=False).replace("x,kind,late,more", "x,x,late,", 1)
    folder = make_project(body)
    assert "AUD012" in audited(cli, folder)
    said = cli("audit", "t.csv", "--all", at=folder).out
    assert "'x_2'" in said
    assert cli("run", at=folder).code == 0


def test_numbers_mixed_with_words_are_a_finding(cli, make_project, make_orders):
    mixed = [str(i) if i % 50 else "n/a?" for i in range(200)]
    folder = make_project(make_orders(200, mixed=mixed))
    assert "AUD006" in audited(cli, folder)
    assert cli("run", at=folder).code == 0


def test_infinite_values_are_a_finding_and_the_run_goes_on(cli, make_project, make_orders):
    frame = make_orders(200)
    frame.loc[[3, 8], "x"] = [np.inf, -np.inf]
    for name in ("t.csv", "t.parquet"):
        folder = make_project(frame, name=name)
        assert "AUD009" in audited(cli, folder, name)
    assert cli("run", at=folder).code == 0
    told = cli("predict", "runs/0001", "t.csv", "--json", at=folder).json["predictions"]
    assert all(0 < p["probability"] < 1 for p in told)


def test_an_infinite_amount_is_no_outcome(cli, make_project, make_orders):
    frame = make_orders(200)
    frame["y"] = np.where(frame.index % 10 == 0, np.inf, frame.x + 0.1)
    folder = make_project(frame, target="y", name="t.parquet")
    assert cli("run", at=folder).code == 0
    assert cli("show", "split", "--json", at=folder).json["no_outcome"] == 20


@pytest.mark.parametrize(("name", "role"), [("t.csv", "time"), ("t.parquet", "feature")])
def test_dates_at_the_ends_of_time_are_a_finding_and_the_run_goes_on(cli, make_project, make_orders, role, name):
    day = pd.date_range("2024-01-01", periods=200, freq="D").astype(str).to_numpy(dtype=object)
    day[3:8] = ["0001-01-01", "9999-12-31", "1677-09-21", "2262-04-12", "1500-02-28"]
    frame = make_orders(200)
    folder = make_project(frame.assign(day=day), name=name, table='time = "day"' if role == "time" else "")
    if name == "t.parquet":
        moments = pa.array([np.datetime64(d, "us") for d in day], pa.timestamp("us"))
        pq.write_table(pa.Table.from_pandas(frame).append_column("day", moments), folder / name)
    assert "AUD008" in audited(cli, folder, name)
    assert cli("run", at=folder).code == 0
    assert cli("predict", "runs/0001", name, at=folder).code == 0
    assert cli("init", name, "--force", "--target", "late", at=folder).code == 0


def test_dates_that_do_not_exist_are_a_finding(cli, make_project, make_orders):
    day = pd.date_range("2024-01-01", periods=200, freq="D").astype(str).to_numpy(dtype=object)
    day[3:5] = ["2024-02-31", "0000-00-00"]
    assert "AUD008" in audited(cli, make_project(make_orders(200, day=day)))


def test_a_wrong_encoding_is_a_finding_and_a_declared_wrong_one_an_error(cli, refuses, make_project, make_orders):
    frame = make_orders(120)
    frame["kind"] = frame["kind"].replace("a", "crème")
    body = frame.to_csv(index=False).encode("latin-1")
    folder = make_project(body)
    assert "AUD012" in audited(cli, folder)
    assert cli("run", at=folder).code == 0
    folder = make_project(body, table='options = { encoding = "utf-8" }')
    refuses("run", at=folder, code=3, says=["is not utf-8", "line"])
    folder = make_project(body, table='options = { encoding = "utf8zz" }')
    refuses("run", at=folder, code=3, says="unknown encoding")


@pytest.mark.slow
def test_ten_thousand_columns(cli, tmp_path):
    random = np.random.default_rng(0)
    data = {f"v{i}": np.round(random.normal(size=80), 2) for i in range(10_000)}
    data["late"] = np.where(data["v5000"] + 0.3 * random.normal(size=80) > 0, "yes", "no")
    frame = pd.DataFrame(data)
    frame.to_parquet(tmp_path / "t.parquet")
    begun = os.times()
    assert "80 rows · 10,001 columns" in cli("audit", "t.parquet", "--no-report", at=tmp_path).out
    spent = os.times()
    assert spent.user - begun.user + spent.system - begun.system < 60
    # the rest of the line on fewer: a fit over so many columns says nothing more and takes minutes on a busy machine
    frame[[*frame.columns[4_400:5_500], "late"]].to_parquet(tmp_path / "t.parquet")
    text = (
        '[task]\ntarget = "late"\n[budget]\ntrials = 2\nworkers = 1\nmodels = ["prior", "linear"]\n[split]\nfolds = 2\n'
    )
    (tmp_path / "holdgood.toml").write_text(text + '[tables.t]\nsource = "t.parquet"\n')
    said = cli("run", at=tmp_path)
    assert said.code == 0
    assert cli("predict", "runs/0001", "t.parquet", at=tmp_path).code == 0
    notes = cli("show", "evaluation", "--json", at=tmp_path).json["notes"]
    assert any("of 1,100 facts" in n or "With 1,100 facts" in n for n in notes)


# ── the declaration ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("this is [ not toml", "not valid TOML"),
        ("[task]\ntaget = 'late'\n[tables.t]\nsource = 't.csv'\nkye = ['x']\n", ["did you mean 'target'", "did you mean 'key'?"]),
        ("[costs]\nmiss = -3\nfalse_alarm = 2\n[tables.t]\nsource = 't.csv'\n", ["`miss`", "-3"]),
        ("[costs]\nmiss = 3\n[tables.t]\nsource = 't.csv'\n", "both `miss` and `false_alarm`"),
        ("[costs]\nmiss = nan\nfalse_alarm = inf\n[tables.t]\nsource = 't.csv'\n", "finite"),
        ("[budget]\nrun = 'soon'\n[tables.t]\nsource = 't.csv'\n", "'soon'"),
        ("[budget]\ntrials = 0\n[tables.t]\nsource = 't.csv'\n", "budget.trials"),
        ("[split]\nholdout = 1.5\n[tables.t]\nsource = 't.csv'\n", "split.holdout"),
        ("[tables.t]\nsource = 't.csv'\ntypes = { x = 'numbr' }\n", "tables.t.types.x"),
        ("[tables.t]\n", "tables.t has no source"),
        ("[task]\ntable = 'u'\n[tables.t]\nsource = 't.csv'\n", "'u'"),
        ("", "at least one table"),
    ],
)  # fmt: skip
def test_declarations_that_cannot_be_read(refuses, make_project, make_orders, text, says):
    folder = make_project(make_orders(30))
    (folder / "holdgood.toml").write_text(text)
    refuses("run", at=folder, code=2, says=says)
    assert not (folder / "runs").exists(), "nothing is begun before the declaration stands"


def test_a_declaration_that_is_no_text(cli, refuses, make_project, make_orders):
    folder = make_project(make_orders(30))
    (folder / "holdgood.toml").write_bytes(b"\xff\xfe\x00[task]")
    for command in ("run", "status", "runs", "show", "report"):
        refuses(command, at=folder, code=2, says="UTF-8")


def test_a_project_that_is_not_there(refuses, tmp_path):
    (tmp_path / "orders").mkdir()
    refuses("run", at=tmp_path, code=2, says=["holdgood.toml", "holdgood init"])
    refuses("run", "-p", "ordesr", at=tmp_path, code=2, says=["no folder ordesr", "did you mean 'orders'?"])
    refuses("status", "-p", "nowhere/at/all", at=tmp_path, code=2, says="holdgood init")


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ('known = { xx = "after" }', ["tables.t.known", "did you mean 'x'?"]),
        ('ignore = ["knid"]', ["tables.t.ignore", "did you mean 'kind'?"]),
        ('ids = ["nobody"]', ["tables.t.ids", "'nobody'"]),
        ('key = ["x", "knd"]', ["tables.t.key", "did you mean 'kind'?"]),
        ('types = { knid = "category" }', ["tables.t.types", "did you mean 'kind'?"]),
    ],
)
def test_columns_that_are_declared_must_be_there(refuses, make_project, make_orders, table, says):
    refuses("run", at=make_project(make_orders(60), table=table), code=3, says=says)


@pytest.mark.parametrize(
    ("more", "code", "says"),
    [
        ("[fairness]\ngroups = ['knid']", 3, "did you mean 'kind'?"),
        ("[fairness]\ngroups = ['u.kind']", 3, "'u.kind'"),
        ("[audit]\nignore = [{ code = 'AUD01', who = 'me', why = 'so' }]", 2, "AUD0"),
        ("[[repairs]]\nrepair = 'sentinel-to-mising'\n", 2, "did you mean 'sentinel-to-missing'"),
        ("[[repairs]]\nrepair = 'drop-columns'\ncolumns = ['zz']\n", 2, "'zz'"),
        ("[features]\ntwice = 'x *'\n", 2, "features.twice"),
        ("[features]\ntwice = '2 * xx'\n", 2, "x"),
    ],
)
def test_other_declared_names_must_be_there(refuses, make_project, make_orders, more, code, says):
    refuses("run", at=make_project(make_orders(60), more=more), code=code, says=says)


def test_names_of_models_metrics_and_steps(refuses, make_project, make_orders):
    folder = make_project(make_orders(60))
    refuses("run", "--until", "audit-targt", at=folder, code=2, says="did you mean 'audit-target'")
    refuses("run", "--prefer", "bst", at=folder, code=2, says="bst")
    refuses("run", "--budget", "trials=0", at=folder, code=2, says="trial")
    assert not (folder / "runs").exists()
    edit(folder, '"linear"', '"liner"')
    refuses("run", at=folder, code=2, says="did you mean 'linear'")
    edit(folder, '"liner"', '"linear"')
    edit(folder, "[task]", '[task]\nmetric = "lgo_loss"')
    refuses("run", at=folder, code=2, says="did you mean 'log_loss'")


# ── joins ────────────────────────────────────────────────────────────────────────────────────────────────────────────

JOIN = '[tables.u]\nsource = "u.csv"\njoin = { on = { c = "id" } }\n'


def test_keys_of_different_types_are_refused_not_matched_to_nothing(cli, refuses, make_project, make_orders):
    folder = make_project(make_orders(120, c=np.arange(120) % 10), more=JOIN)
    table = pd.DataFrame({"id": [f"C{i}" for i in range(10)], "v": np.arange(10.0)})
    table.to_csv(folder / "u.csv", index=False)
    refuses("run", at=folder, code=3, says=["join of table 'u'", "same type"])
    table.assign(id=np.arange(10) + 0.0).to_csv(folder / "u.csv", index=False)
    assert cli("run", at=folder).code == 0
    assert "(100.0%) found a partner in u" in cli("show", "features", at=folder).out


def test_joins_by_columns_that_are_not_there(refuses, make_project, make_orders):
    folder = make_project(make_orders(60), more=JOIN.replace("c =", "knd ="))
    pd.DataFrame({"id": ["a"], "v": [1.0]}).to_csv(folder / "u.csv", index=False)
    refuses("run", at=folder, code=3, says=["tables.u.join.on", "did you mean 'kind'?"])
    edit(folder, 'knd = "id"', 'kind = "idd"')
    refuses("run", at=folder, code=3, says=["tables.u.join.on", "did you mean 'id'?"])


# ── odd names ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_odd_names_walk_the_whole_line(cli, tmp_path):
    random = np.random.default_rng(0)
    n = 240
    x = random.normal(size=n)
    frame = pd.DataFrame(
        {
            "order": x,
            'se lect "x"': random.choice(["it's", 'a "b"', "é[/red]"], n),
            "group by": pd.date_range("2024-01-01", periods=n, freq="D").astype(str),
            "été's": x * 2 + random.normal(size=n),
            "[b]": np.resize(["u", "v"], n),
            "a;b -- c": np.arange(n) % 7,
            "数量 :smile:": random.normal(size=n),
            "from": np.where(x + random.normal(size=n) > 0, "yes", "no"),
            "join": np.arange(n) % 12,
        }
    )
    frame.to_csv(tmp_path / "select order.csv", index=False)
    keyed = pd.DataFrame({"where": np.arange(12), "limit": random.normal(size=12), "select": np.resize(["p", "q"], 12)})
    keyed.to_csv(tmp_path / "tab le.csv", index=False)
    assert cli("audit", "select order.csv", "tab le.csv", "--all", at=tmp_path).code == 0
    assert cli("init", "select order.csv", "--target", "from", at=tmp_path).code == 0
    text = (tmp_path / "holdgood.toml").read_text()
    assert '"\\"group by\\" - 2 hours"' in text, "what is proposed can be used as it is"
    text = text.replace('run = "3 min"', 'trials = 2\nmodels = ["linear"]\nworkers = 1').replace(
        "[split]", "[split]\nfolds = 2"
    )
    text = text.replace(
        "groups = []", 'groups = ["[b]", "se lect \\"x\\"", "tab le.select"]\nmin_rows = 10\nmin_positives = 2'
    )
    text += '\n[tables."tab le"]\nsource = "tab le.csv"\njoin = { on = { join = "where" } }\n'
    text += """[features]\n"both of them" = '''"order" + "été's" + "a;b -- c"'''\n"""
    (tmp_path / "holdgood.toml").write_text(text)
    said = cli("run", at=tmp_path)
    assert said.code == 0, said.err
    shown = cli("show", "features", at=tmp_path).out
    for name in ("order", 'se lect "x"', "été's", "[b]", "a;b -- c", "数量 :smile:", "tab le.limit", "both of them"):
        assert f"{name}  " in shown, name
    fairness = cli("show", "fairness", at=tmp_path).out
    assert "[b]" in fairness
    assert "tab le.select" in fairness
    related = ["--table", "tab le=tab le.csv"]
    for to in ("out.csv", "out.xlsx", "out.parquet"):
        assert cli("predict", "runs/0001", "select order.csv", *related, "--to", to, at=tmp_path).code == 0
    assert cli("explain", "runs/0001", "select order.csv", *related, at=tmp_path).code == 0
    assert "[b]" in (tmp_path / "runs/0001/report.html").read_text()
    for what in ("card", "contract", "audit", "ladder", "evaluation"):
        assert cli("show", what, at=tmp_path).code == 0


# ── disk and permission ──────────────────────────────────────────────────────────────────────────────────────────────


def limited(arguments, folder, size, environment):
    """A command that may write no file larger than ``size`` bytes: to it, the disk is full."""
    return subprocess.run(
        [sys.executable, "-m", "holdgood.cli.app", *arguments],
        cwd=folder, env=environment, capture_output=True, text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)),
    )  # fmt: skip


@pytest.mark.parametrize("size", [4_000])
def test_a_full_disk_is_told_and_no_earlier_run_is_lost(cli, copied, environment, size):
    before = {p.relative_to(copied): p.read_bytes() for p in copied.rglob("*") if p.is_file()}
    died = limited(["run", "--fresh"], copied, size, environment)
    assert died.returncode == 6, died.stderr
    assert "Traceback" not in died.stderr
    said, *error = [line for line in died.stderr.splitlines() if "✓" not in line]
    assert said.startswith("  budget trials=2")
    assert [line[:11] for line in error] == ["error: cann", "  expected:", "  do this: "], died.stderr
    after = {p: (copied / p).read_bytes() for p in before if p.name != "openings.jsonl"}
    assert after == {p: b for p, b in before.items() if p in after}
    assert cli("verify", "runs/0001", at=copied).code == 0
    assert "runs/0001" in cli("report", at=copied).out
    assert cli("run", at=copied).code == 0, "with room again it goes on"


@pytest.mark.parametrize(
    "arguments",
    [
        ["audit", "t.csv"],
        ["init", "t.csv", "--force"],
        ["predict", "runs/0001", "t.csv", "--to", "out.xlsx"],
        ["report", "--to", "out.html"],
    ],
    ids=lambda a: " ".join(a[:1] + a[-1:]),
)
def test_other_commands_on_a_full_disk_leave_no_half_a_file(copied, environment, arguments):
    before = {p.relative_to(copied) for p in copied.rglob("*")}
    toml = (copied / "holdgood.toml").read_bytes()
    died = limited(arguments, copied, 1000, environment)
    assert died.returncode == 6, died.stderr
    assert "Traceback" not in died.stderr
    assert died.stderr.count("error: ") == 1
    # what was scored already waits in its hidden folder for the next call; nothing stands under the name that was asked for
    after = {p.relative_to(copied) for p in copied.rglob("*") if ".out.xlsx.pieces" not in p.parts}
    assert after <= before | {copied.joinpath("holdgood.toml.bak").relative_to(copied)}
    assert (copied / "holdgood.toml").read_bytes() == toml


def test_a_file_where_a_folder_is_wanted(refuses, finished, make_project, make_orders):
    folder = make_project(make_orders(60))
    (folder / "file").write_text("in the way")
    refuses("audit", "t.csv", "--report", "file/a.html", at=folder, code=6, says="cannot write")
    run = str(finished / "runs/0001")
    refuses("predict", run, "t.csv", "--to", "file/out.csv", at=folder, code=6, says="out.csv")
    refuses("predict", run, "t.csv", "--to", "nowhere/out.csv", at=folder, code=6, says="no folder nowhere")
    refuses("predict", run, "t.csv", "--to", "out.docx", at=folder, code=3, says=".docx")
    refuses("report", "-p", finished, "--to", "file/r.html", at=folder, code=6, says="r.html")
    (folder / "runs").write_text("in the way")
    refuses("run", at=folder, code=6, says="cannot write")
    assert (folder / "runs").read_text() == "in the way"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_no_permission_is_told(refuses, make_project, make_orders):
    folder = make_project(make_orders(60))
    folder.chmod(0o500)
    try:
        refuses("run", at=folder, code=6, says="ermission")
    finally:
        folder.chmod(0o700)


# ── bundles ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def first(bundle, suffix):
    return sorted(bundle.rglob(f"*{suffix}"))[0]


def cut(bundle):
    path = first(bundle, ".npy")
    path.write_bytes(path.read_bytes()[:-8])


def flip(bundle):
    path = first(bundle, ".npy")
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(bytes(content))


def rewrite(bundle):
    path = bundle / "extra.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"threshold": 0.0}))


DAMAGES = {
    "empty": lambda b: (shutil.rmtree(b), b.mkdir()),
    "gone": shutil.rmtree,
    "no manifest": lambda b: (b / "manifest.json").unlink(),
    "cut manifest": lambda b: (b / "manifest.json").write_bytes((b / "manifest.json").read_bytes()[:90]),
    "cut array": cut,
    "one bit": flip,
    "another threshold": rewrite,
    "a file more": lambda b: (b / "more.pkl").write_bytes(b"\x80\x04."),
    "a file less": lambda b: first(b, ".npy").unlink(),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_bundle_is_refused_by_all_that_use_it(refuses, finished, tmp_path, damage):
    bundle = shutil.copytree(finished / "runs/0001/bundle", tmp_path / "bundle")
    DAMAGES[damage](bundle)
    rows = finished / "t.csv"
    refuses("verify", "bundle", at=tmp_path, code=4)
    refuses("predict", "bundle", rows, "--to", "out.csv", at=tmp_path, code=4)
    refuses("explain", "bundle", rows, at=tmp_path, code=4)
    assert not (tmp_path / "out.csv").exists()


def test_rows_that_do_not_fit_the_bundle(cli, refuses, finished, tmp_path, make_orders):
    run = finished / "runs/0001"
    make_orders(30).drop(columns="x").rename(columns={"kind": "knid"}).to_csv(tmp_path / "less.csv", index=False)
    for command in ("predict", "explain"):
        refuses(command, run, "less.csv", at=tmp_path, code=3, says=["lacks 2 columns", "'knid'"])
        refuses(command, run, "nothing.csv", at=tmp_path, code=3, says="nothing.csv")
        refuses(command, run, "less.csv", "--table", "u=less.csv", at=tmp_path, code=3)
        refuses(command, run, "less.csv", "--table", "u", at=tmp_path, code=2, says="NAME=FILE")
    make_orders(30, x="abc").to_csv(tmp_path / "words.csv", index=False)
    said = cli("predict", run, "words.csv", at=tmp_path)
    assert said.code == 0
    assert "30 values are not" in said.err
    (tmp_path / "none.csv").write_text("x,kind\n")
    assert cli("predict", run, "none.csv", "--json", at=tmp_path).json == {
        "rows": 0,
        "refused": 0,
        "warned": 0,
        "written": None,
        "added": None,
        "predictions": [],
    }
