"""Every command as people and machines use it: text, --json, exit codes, --help; Ctrl-C and going on."""

import json
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from holdgood.cli.app import app

COMMANDS = [c.callback.__name__.replace("_", "-") for c in app.registered_commands]
RECORDS = [
    "verdict",
    "audit",
    "clean",
    "split",
    "features",
    "ladder",
    "leaderboard",
    "evaluation",
    "fairness",
    "card",
    "contract",
]


def test_help_names_every_command_and_every_exit_code(cli, tmp_path):
    assert COMMANDS == [
        "audit",
        "clean",
        "ignore",
        "init",
        "run",
        "status",
        "show",
        "report",
        "rebalance",
        "trust",
        "predict",
        "forecast",
        "explain",
        "verify",
        "runs",
        "compare",
        "lessons",
        "promote",
        "rollback",
        "approve",
        "retire",
        "backup",
        "restore",
        "retrain",
        "watch",
        "acknowledge",
        "demo",
        "doctor",
    ]
    said = cli("--help", at=tmp_path)
    assert said.code == 0
    assert all(re.search(rf"^\s+{c}\s+\S", said.out, re.MULTILINE) for c in COMMANDS)
    for code in ("0 done", "1 something", "2 declaration", "3 data", "4 bundle", "5 library", "6 disk", "130"):
        assert code in re.sub(r"\s+", " ", said.out)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command_teaches(cli, tmp_path, command):
    said = cli(command, "--help", at=tmp_path)
    assert said.code == 0
    assert f"holdgood {command}" in said.out
    assert len(said.out.split("\n\n")[1].split()) >= 5, "what the command does, in a sentence"
    options = re.findall(r"^\s+(?:-\w, )?--([\w-]+)(.*)$", said.out, re.MULTILINE)
    assert {name for name, _ in options} >= {"help"}


def test_without_arguments_and_with_wrong_ones_the_way_is_shown(cli, tmp_path):
    assert "Usage" in cli(at=tmp_path).all
    wrong = cli("runn", at=tmp_path)
    assert wrong.code == 2
    assert "'run'" in wrong.err
    assert cli("run", "--bugdet", "3", at=tmp_path).code == 2
    assert cli("run", "--seed", "-1", at=tmp_path).code == 2


def test_version_from_a_process_of_its_own(tmp_path, environment):
    said = subprocess.run(
        [sys.executable, "-m", "holdgood.cli.app", "--version"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment,
    )
    assert (said.returncode, said.stderr) == (0, "")
    assert re.fullmatch(r"holdgood \d+\.\d+\.\d+\S*\n", said.stdout)


@pytest.fixture
def dirty(tmp_path, make_orders):
    frame = make_orders()
    frame["weight"] = np.where(np.arange(len(frame)) % 16 == 0, -999.0, 50 + frame.x * 3)
    frame.to_csv(tmp_path / "t.csv", index=False)
    return tmp_path


def test_audit_in_words_and_for_machines(cli, dirty):
    said = cli("audit", "t.csv", at=dirty)
    assert said.code == 0
    assert "400 rows · 4 columns" in said.out
    assert "AUD007" in said.out
    assert "holdgood clean t.csv --apply AUD007" in said.out
    assert (dirty / "t.audit.html").read_text().lower().startswith("<!doctype html>")
    told = cli("audit", "t.csv", "--json", "--no-report", at=dirty).json
    assert told["report"] is None
    assert {"AUD007"} <= {o["code"] for o in told["audit"]["outcomes"] if o["status"] == "issue"}
    assert cli("audit", "t.csv", "--strict", "--no-report", at=dirty).code == 1


def test_audit_writes_its_report_where_asked(cli, dirty):
    (dirty / "reports").mkdir()
    assert cli("audit", "t.csv", "--report", "reports", at=dirty).code == 0
    assert (dirty / "reports" / "t.audit.html").exists()
    assert cli("audit", "t.csv", "--report", "here.html", at=dirty).code == 0
    assert (dirty / "here.html").exists()
    assert not (dirty / "t.audit.html").exists()


def test_clean_shows_first_and_writes_only_what_was_asked(cli, dirty):
    before = (dirty / "t.csv").read_bytes()
    for asked in ([], ["--preview"], ["--apply", "AUD007", "--preview"]):
        shown = cli("clean", "t.csv", *asked, at=dirty)
        assert shown.code == 0
        assert "-999 became missing in 25 cells" in shown.out
        assert "nothing written" in shown.out
    assert not list(dirty.glob("*.clean.*"))
    applied = cli("clean", "t.csv", "--apply", "aud007", at=dirty)
    assert "written: t.clean.parquet" in applied.out
    assert (dirty / "t.csv").read_bytes() == before
    assert pq.read_table(dirty / "t.clean.parquet").column("weight").null_count == 25
    log = json.loads((dirty / "t.clean.parquet.log.json").read_text())["payload"]
    assert [e["cells_changed"] for e in log["entries"]] == [25]
    told = cli("clean", "t.csv", "--apply", "all", "--to", "other.csv", "--json", at=dirty).json
    assert told["written"] == "other.csv"
    assert told["clean"]["entries"] == log["entries"]


def test_init_writes_a_file_that_runs(cli, refuses, dirty):
    made = cli("init", "t.csv", "--target", "late", at=dirty)
    assert made.code == 0
    assert "written: holdgood.toml" in made.out
    refuses("init", "t.csv", at=dirty, code=2, says="exists")
    told = cli("init", "t.csv", "--target", "late", "--force", "--json", at=dirty).json
    assert told["worth_a_look"]
    assert (dirty / "holdgood.toml.bak").exists()
    assert cli("run", "--budget", "trials=1", "--until", "split", "--json", at=dirty).json["until"] == "split"


def test_run_says_the_verdict_first_and_then_where_things_are(cli, copied):
    said = cli("run", "--fresh", at=copied)
    assert said.out.strip().startswith("VERDICT")
    assert "declare miss and false_alarm under [costs]" in said.out
    assert "report: runs/0002/report.html" in said.out
    assert "bundle: runs/0002/bundle (verified)" in said.out
    first, *steps = said.err.splitlines()
    assert first.startswith("  budget trials=")
    assert [line.split()[1] for line in steps][:3] == ["read", "audit-tables", "clean"]


def test_run_for_machines_and_under_a_strict_eye(cli, make_project, make_orders):
    frame = make_orders()
    frame["late"] = np.random.default_rng(5).permutation(frame["late"])
    folder = make_project(frame)
    said = cli("run", "--json", "--strict", "--seed", "3", at=folder)
    told = said.json
    assert told["verdict"]["status"] == "not ready"
    assert said.code == 1
    assert said.err == ""
    assert cli("run", "--json", "--seed", "3", at=folder).code == 0


def test_until_stops_and_run_goes_on_from_there(cli, make_project, make_orders):
    folder = make_project(make_orders())
    stopped = cli("run", "--until", "audit-target", at=folder)
    assert "run 0001 stopped after audit-target" in stopped.out
    assert cli("show", "audit", at=folder).code == 0
    assert cli("runs", "--json", at=folder).json[0]["status"] == "partial"
    done = cli("run", "--json", at=folder)
    assert done.json["run"] == "0001"


def test_status_before_after_and_when_stale(cli, make_project, make_orders):
    folder = make_project(make_orders())
    before = cli("status", "--json", at=folder).json
    assert [s["step"] for s in before] == [1, 2, 3, 4, 5, 6, 7]
    assert [s["state"] for s in before] == ["open"] + ["blocked"] * 6
    assert before[0]["next"] == "holdgood run"
    assert cli("run", at=folder).code == 0
    after = cli("status", "--json", at=folder).json
    assert [s["state"] for s in after] == ["done"] * 6 + ["open"]
    assert "declare [costs] miss and false_alarm" in cli("status", at=folder).out
    text = (folder / "holdgood.toml").read_text()
    (folder / "holdgood.toml").write_text(text + '[costs]\nmiss = 3\nfalse_alarm = 1\ncurrency = "EUR"\n')
    stale = cli("status", "--json", at=folder).json
    assert {s["state"] for s in stale[:6]} == {"stale"}
    assert {s["next"] for s in stale[:6]} == {"holdgood run"}
    again = cli("run", at=folder)
    assert "EUR" in again.out or "€" in again.out
    assert re.search(r"✓ split\s+kept", again.err), "what is unchanged is kept"


@pytest.mark.parametrize("what", RECORDS)
def test_show_says_each_record_in_words_and_for_machines(cli, finished, what):
    said = cli("show", what, at=finished)
    assert (said.code, said.err) == (0, "")
    assert said.out.strip()
    told = cli("show", what, "--json", at=finished).json
    assert isinstance(told, list if what == "audit" else dict)


def test_show_and_report_take_a_run_and_a_folder(cli, refuses, finished, tmp_path):
    assert cli("show", "-p", finished, "--run", "1", at=tmp_path).out.strip().startswith("VERDICT")
    refuses("show", "-p", finished, "--run", "7", at=tmp_path, code=3, says="0001")
    refuses("show", "verdct", "-p", finished, at=tmp_path, code=2, says="verdict")
    refuses("show", "zzz", "-p", finished, at=tmp_path, code=2)


def test_report_is_found_and_copied(cli, finished, tmp_path):
    assert cli("report", at=finished).out.strip() == "runs/0001/report.html"
    assert cli("report", "-p", finished, "--to", "copy.html", at=tmp_path).out.strip() == "copy.html"
    assert (tmp_path / "copy.html").read_bytes() == (finished / "runs/0001/report.html").read_bytes()


def test_predict_gives_the_scores_of_the_run_to_the_bit(cli, finished, tmp_path):
    kept = pq.read_table(finished / "runs/0001/08-evaluate/predictions.parquet")
    rows, expected = kept.column("row").to_numpy(), kept.column("prediction").to_numpy()
    shown = cli("predict", "runs/0001", "t.csv", at=finished)
    assert "400 rows in all" in shown.out
    told = cli("predict", "runs/0001/bundle", "t.csv", "--json", at=finished).json
    assert told["rows"] == 400
    assert [told["predictions"][r]["probability"] for r in rows] == expected.tolist()
    assert {p["answer"] for p in told["predictions"]} <= {"yes", "no"}
    for name in ("out.parquet", "out.csv", "out.xlsx", "out.jsonl"):
        written = cli("predict", finished / "runs/0001", finished / "t.csv", "--to", name, "--json", at=tmp_path).json
        assert (written["rows"], written["written"], written["predictions"]) == (400, name, None)
        assert written["refused"] == 0
        assert (tmp_path / name).stat().st_size > 1000
    np.testing.assert_array_equal(pd.read_parquet(tmp_path / "out.parquet")["probability"].to_numpy()[rows], expected)
    one = tmp_path / "one.csv"
    pd.read_csv(finished / "t.csv").iloc[[rows[0]]].to_csv(one, index=False)
    alone = cli("predict", finished / "runs/0001", one, "--json", at=tmp_path).json
    assert alone["predictions"][0]["probability"] == expected[0]


def test_explain_names_facts(cli, finished):
    said = cli("explain", "runs/0001", "t.csv", "--first", "2", "--top", "1", at=finished)
    assert said.out.count("row ") == 2
    assert "t.x" in said.out
    told = cli("explain", "runs/0001", "t.csv", "--first", "4", "--json", at=finished).json
    assert [set(r["facts"]) for r in told] == [{"t.x", "t.kind"}] * 4


def test_verify_says_the_digest(cli, finished):
    told = cli("verify", "runs/0001", "--json", at=finished).json
    assert told["ok"] is True
    assert told["digest"] in cli("verify", "runs/0001/bundle", at=finished).out


def test_runs_are_listed_and_compared_on_the_rows_both_held_out(cli, refuses, copied):
    text = (copied / "holdgood.toml").read_text()
    (copied / "holdgood.toml").write_text(text.replace('"linear"', '"prior"'))
    assert cli("run", at=copied).code == 0
    listed = cli("runs", at=copied)
    assert len(listed.out.splitlines()) == 3
    assert "…" not in listed.out, "nothing is cut off where nobody looks at a screen"
    told = cli("runs", "--json", at=copied).json
    assert [(r["id"], r["status"], r["chosen"]) for r in told] == [
        ("0001", "done", "linear"),
        ("0002", "done", "prior"),
    ]
    said = cli("compare", "1", "2", at=copied)
    assert "run 0001 is better" in said.out
    assert "declared differently: budget.models" in said.out
    other = cli("compare", "2", "0001", "--json", at=copied).json
    pair = other["pairs"][0]
    assert pair["rows"] == 100
    assert pair["difference"]["verdict"] == "worse"
    assert pair["difference"]["high"] < 0
    refuses("compare", "1", "9", at=copied, code=3, says="0002")


def test_doctor_says_what_to_install(cli, tmp_path, monkeypatch):
    told = cli("doctor", "--json", at=tmp_path).json
    by_name = {line["what"]: line for line in told}
    assert by_name["lightgbm"]["ok"]
    assert by_name["checks"]["ok"]
    assert {"connectors", "checks", "repairs", "models", "detectors", "disk", "cores"} <= set(by_name)
    from importlib import metadata

    from holdgood.workflow import doctor

    real = metadata.version

    def version(name):
        if name == "openpyxl":
            raise metadata.PackageNotFoundError(name)
        return real(name)

    monkeypatch.setattr(doctor.metadata, "version", version)
    assert "pip install 'holdgood[excel]'" in cli("doctor", at=tmp_path).out


@pytest.fixture
def small_demo(tmp_path, monkeypatch, make_orders):
    """An example of one small table, brought by a package made up here."""
    import types

    example = tmp_path / "example"
    example.mkdir()
    (example / "holdgood.toml").write_text(
        '[task]\ntarget = "late"\nquestion = "Which are late?"\n[budget]\ntrials = 2\nworkers = 1\nmodels = ["linear"]\n'
        '[split]\nfolds = 2\n[tables.t]\nsource = "data/t.parquet"\n'
    )
    (example / "demo.toml").write_text(
        'package = "made_up_demo"\nextra = "demo"\ntables = ["t"]\nsentence = "One table."\n[later]\nt = "x > 2"\n'
    )
    monkeypatch.setattr("holdgood.workflow.demo.example", lambda name="flights": example)
    package = types.ModuleType("made_up_demo")
    package.t = make_orders()
    return package


def test_demo_walks_the_line_and_keeps_later_rows_apart(cli, small_demo, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "made_up_demo", small_demo)
    said = cli("demo", "demo", at=tmp_path)
    assert said.code == 0
    assert "VERDICT" in said.out
    assert "next: holdgood status -p demo" in said.out
    assert "Which are late?" in said.err
    later = pd.read_parquet(tmp_path / "demo/data/later/t.parquet")
    assert (later.x > 2).all()
    assert len(later) + len(pd.read_parquet(tmp_path / "demo/data/t.parquet")) == 400
    told = cli("demo", "demo", "--json", at=tmp_path).json
    assert set(told) == {"run", "verdict", "report", "bundle"}


def test_demo_without_its_data_says_what_to_install(refuses, small_demo, tmp_path):
    refuses("demo", "demo", at=tmp_path, code=5, says=["made_up_demo", "pip install 'holdgood[demo]'"])


def test_ctrl_c_while_reading_is_told_and_ends_with_130(refuses, finished, monkeypatch):
    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("holdgood.workflow.tables.audit", stop)
    refuses("audit", "t.csv", "--no-report", at=finished, code=130, says="nothing is lost")


def test_memory_that_is_gone_is_told(refuses, finished, monkeypatch):
    def stop(*_, **__):
        raise MemoryError

    monkeypatch.setattr("holdgood.workflow.tables.audit", stop)
    refuses("audit", "t.csv", "--no-report", at=finished, code=6, says="memory")


TRIALS = "runs/*/07-train/trials/*.json"


def reused(run):
    """Trials of a finished run that an earlier attempt at it had fitted."""
    board = json.loads((run / "07-train/record.json").read_text())["payload"]
    return [t["name"] for t in board["trials"] if "interrupted training" in t["reason"]]


def start_training(folder, environment):
    """``holdgood run`` in a process group of its own, as a terminal starts it; returns once its first trial is kept."""
    earlier = set(folder.glob(TRIALS))
    process = subprocess.Popen(
        [sys.executable, "-m", "holdgood.cli.app", "run"],
        cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    limit = time.monotonic() + 300
    while not set(folder.glob(TRIALS)) - earlier:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < limit
        time.sleep(0.005)
    return process


@pytest.fixture
def long(make_project, make_orders):
    """Training that goes on for some seconds after its first trial."""
    frame = make_orders(3000)
    for i in range(12):
        frame[f"z{i}"] = np.random.default_rng(i).normal(size=3000)
    folder = make_project(frame)
    text = (folder / "holdgood.toml").read_text()
    text = text.replace('models = ["linear"]', 'models = ["linear", "tree"]').replace("trials = 2", "trials = 3")
    (folder / "holdgood.toml").write_text(text.replace("folds = 2", "folds = 4"))
    return folder


def test_ctrl_c_in_training_leaves_a_run_that_goes_on(cli, long, environment):
    process = start_training(long, environment)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=300)
    assert process.returncode == 130, err
    assert out == ""
    assert "Traceback" not in err
    assert [line[:11] for line in err.splitlines()[-3:]] == ["error: trai", "  expected:", "  do this: "]
    assert cli("runs", "--json", at=long).json[0]["status"] == "interrupted"
    states = [s["state"] for s in cli("status", "--json", at=long).json]
    assert states[:3] == ["done", "done", "open"]
    again = cli("run", at=long)
    assert again.code == 0
    assert "bundle: runs/0001/bundle (verified)" in again.out
    assert re.search(r"✓ features\s+kept", again.err)
    assert "prior" in reused(long / "runs/0001")
    assert cli("verify", "runs/0001", at=long).code == 0


def test_a_process_killed_in_training_loses_no_earlier_run_and_goes_on(cli, long, environment):
    text = (long / "holdgood.toml").read_text()
    (long / "holdgood.toml").write_text(text.replace('["linear", "tree"]', '["prior"]'))
    assert cli("run", at=long).code == 0
    digest = cli("verify", "runs/0001", "--json", at=long).json["digest"]
    (long / "holdgood.toml").write_text(text)
    process = start_training(long, environment)
    process.kill()
    process.communicate(timeout=300)
    assert process.returncode == -signal.SIGKILL
    assert not (long / "runs/0002/07-train/record.json").exists()
    assert cli("verify", "runs/0001", "--json", at=long).json["digest"] == digest
    assert "runs/0001" in cli("report", at=long).out, "the newest finished run is still the first"
    again = cli("run", "--json", at=long)
    assert again.json["run"] == "0002"
    assert cli("verify", "runs/0001", "--json", at=long).json["digest"] == digest
    assert "prior" in reused(long / "runs/0002")
