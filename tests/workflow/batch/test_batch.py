"""Rows scored in pieces: the same as at once, going on after a stop, and once into a table."""

import itertools
import json
import sqlite3
import subprocess
import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import holdgood as hg
from holdgood.core.errors import DataError, DeclarationError, EnvironmentFault, ReadError
from holdgood.core.table import Note, Table
from holdgood.metrics.capacity import within_capacity
from holdgood.workflow.batch.acted import Acted
from holdgood.workflow.batch.deliver import folder_for
from holdgood.workflow.batch.kept import Kept
from holdgood.workflow.batch.pieces import Pieces, content, rows_of_a_piece
from holdgood.workflow.batch.score import size_for
from holdgood.workflow.predict import Predictor
from holdgood.workflow.scoring import predict_file

ROWS = 300


@pytest.fixture(scope="module")
def shop(finished, tmp_path_factory):
    """New rows as CSV, some of whose cells are no numbers, beside the tables that are joined."""
    folder = tmp_path_factory.mktemp("shop")
    rows = pd.read_parquet(finished.folder.path.parent.parent / "orders.parquet").head(ROWS)
    rows["weight"] = rows.weight.astype(object).where(np.arange(ROWS) % 37 != 5, "heavy")
    rows["site"] = np.where(np.arange(ROWS) % 41 == 3, "moon", rows.site)
    rows.drop(columns=["left_at", "hours_taken"]).to_csv(folder / "new.csv", index=False)
    return folder


@pytest.fixture(scope="module")
def predict(finished, shop):
    base = finished.folder.path.parent.parent
    joined = [f"{n}={base / n}.parquet" for n in ("customers", "weather")]

    def call(to=None, source=shop / "new.csv", **more):
        return predict_file(finished.bundle, str(source), joined, to=to, **more)

    return call


@pytest.fixture(scope="module")
def whole(predict):
    return predict(size=10**6)


def stop_after(pieces, step="scoring"):
    """A listener that is interrupted when so many pieces are done."""
    seen = []

    def tell(event):
        if event.step == step and event.kind == "progress":
            seen.append(event)
            if len(seen) == pieces:
                raise KeyboardInterrupt

    return tell


@settings(max_examples=8, deadline=None)
@given(size=st.integers(1, ROWS + 1))
def test_scores_verdicts_and_reasons_do_not_depend_on_the_size_of_pieces(size, predict, whole):
    found = predict(size=max(size, 8))
    assert found.records == whole.records
    assert (found.refused, found.warned, found.notes) == (whole.refused, whole.warned, whole.notes)
    assert any("weight is no number" in r["why"] for r in found.records)


def test_rows_of_a_piece_are_bounded_and_spans_cover_all():
    assert rows_of_a_piece(20) == 65_536
    assert rows_of_a_piece(1000) == 2000
    assert rows_of_a_piece(10**7) == 1024
    table = Table.of(pa.table({"a": range(10)}))
    assert Pieces(table, 4).spans() == [(0, 4), (4, 8), (8, 10)]
    assert Pieces(table.take(np.zeros(0, int)), 4).spans() == [(0, 0)]


def test_what_a_reader_lost_goes_with_its_piece():
    table = Table("t", pa.table({"a": range(10)}), (), notes=(Note("changed-type", "", 3, ("a",), (1, 4, 9)),))
    assert [[n.rows for n in p.notes] for p in Pieces(table, 4)] == [[(1,)], [(0,)], [(1,)]]


def test_content_is_known_again_and_any_change_of_it_seen():
    base = Table.of(pa.table({"a": [1, 2, None], "b": ["x", "", None]}))
    again = Table.of(pa.table({"a": pa.chunked_array([[1], [2, None]]), "b": ["x", "", None]}))
    assert content(base) == content(again)
    others = [
        Table.of(pa.table({"a": [1, None, 2], "b": ["x", "", None]})),
        Table.of(pa.table({"a": [1, 2, None], "c": ["x", "", None]})),
        Table.of(pa.table({"a": [1, 2, None], "b": ["x", None, None]})),
        base.with_data(base.data, notes=[Note("changed-type", "", 1, ("a",), (2,))]),
    ]
    assert len({content(t) for t in [base, *others]}) == 5


@pytest.mark.parametrize("suffix", ["csv", "parquet", "jsonl"])
def test_a_file_that_was_interrupted_is_the_same_to_the_bit(predict, tmp_path, suffix):
    straight, broken = tmp_path / f"a.{suffix}", tmp_path / f"b.{suffix}"
    predict(straight, size=64)
    with pytest.raises(KeyboardInterrupt):
        predict(broken, size=64, tell=stop_after(3))
    assert not broken.exists()
    done = predict(broken)
    assert "192 of 300 rows had been scored before, and were kept" in done.notes
    assert broken.read_bytes() == straight.read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == [f"a.{suffix}", f"b.{suffix}"]


@pytest.mark.parametrize("harm", ["torn line", "torn bytes", "changed byte", "no index", "rubbish"])
def test_what_a_crash_or_a_disk_did_to_kept_pieces_is_scored_anew(predict, tmp_path, harm):
    straight, broken = tmp_path / "a.csv", tmp_path / "b.csv"
    predict(straight)
    with pytest.raises(KeyboardInterrupt):
        predict(broken, size=64, tell=stop_after(3))
    folder = folder_for(str(broken))
    index, data = folder / "done.jsonl", folder / "pieces.arrow"
    if harm == "torn line":
        index.write_bytes(index.read_bytes()[:-20])
    elif harm == "torn bytes":
        data.write_bytes(data.read_bytes()[:-100] + b"")
    elif harm == "changed byte":
        raw = bytearray(data.read_bytes())
        raw[len(raw) // 2] ^= 1
        data.write_bytes(raw)
    elif harm == "no index":
        index.write_bytes(b"")
    else:
        (folder / "batch.json").write_text("{")
    predict(broken)
    assert broken.read_bytes() == straight.read_bytes()


def test_pieces_of_another_source_are_not_taken(predict, shop, tmp_path):
    target = tmp_path / "out.csv"
    with pytest.raises(KeyboardInterrupt):
        predict(target, size=64, tell=stop_after(2))
    changed = pd.read_csv(shop / "new.csv")
    changed.loc[0, "site"] = "south" if changed.site[0] == "north" else "north"
    changed.to_csv(tmp_path / "other.csv", index=False)
    done = predict(target, tmp_path / "other.csv")
    assert any("of another source or bundle" in n for n in done.notes)
    predict(tmp_path / "fresh.csv", tmp_path / "other.csv")
    assert target.read_bytes() == (tmp_path / "fresh.csv").read_bytes()


def test_two_runs_at_once_to_one_file_are_refused(tmp_path):
    first = Kept(tmp_path / ".out.pieces", "k", 5, "out")
    with pytest.raises(EnvironmentFault, match="another run is at work"):
        Kept(tmp_path / ".out.pieces", "k", 5, "out")
    first.close()
    Kept(tmp_path / ".out.pieces", "k", 5, "out").close()


def test_no_rows_give_a_file_without_rows(predict, shop, tmp_path):
    (tmp_path / "none.csv").write_text((shop / "new.csv").read_text().splitlines()[0] + "\n")
    done = predict(tmp_path / "out.csv", tmp_path / "none.csv")
    assert done.rows == 0
    assert (tmp_path / "out.csv").read_text().startswith('"order"')


# -- tables


def rows_in(path, table="scored"):
    with sqlite3.connect(path) as link:
        names = [c[1] for c in link.execute(f"PRAGMA table_info({table})")]
        found = link.execute(f"SELECT * FROM {table} ORDER BY rowid").fetchall()
    return [dict(zip(names, row, strict=True)) for row in found]


def test_a_table_gets_what_a_file_gets_and_a_rerun_adds_nothing(predict, whole, tmp_path):
    url = f"sqlite:///{tmp_path}/out.db?table=scored"
    done = predict(url, size=64)
    assert (done.added, done.path, done.written) == (ROWS, None, url)
    assert rows_in(tmp_path / "out.db") == whole.records
    again = predict(url, size=17)
    assert again.added == 0
    assert any("nothing was added" in n for n in again.notes)
    assert rows_in(tmp_path / "out.db") == whole.records
    assert [p.name for p in tmp_path.iterdir()] == ["out.db"]


def test_a_table_that_was_interrupted_goes_on(predict, whole, tmp_path):
    url = f"sqlite:///{tmp_path}/out.db?table=scored"
    with pytest.raises(KeyboardInterrupt):
        predict(url, size=64, tell=stop_after(2, "writing"))
    assert len(rows_in(tmp_path / "out.db")) == 128
    for folder in tmp_path.glob(".*pieces"):  # from another machine: nothing waits here, and the ledger's pieces hold
        for file in folder.iterdir():
            file.unlink()
    assert predict(url, size=50).added == ROWS - 128
    assert rows_in(tmp_path / "out.db") == whole.records


def test_a_process_killed_between_rows_and_commit_leaves_no_row(predict, finished, shop, whole, tmp_path):
    base, target = finished.folder.path.parent.parent, f"sqlite:///{tmp_path}/out.db?table=scored"
    script = f"""
import os
from holdgood.connectors.sqlite_ledgered import SqliteLedgered
from holdgood.workflow.scoring import predict_file
write, seen = SqliteLedgered._together, []
def killed(self):
    seen.append(1)
    class Late:
        def __enter__(s): s.inner = write(self); return s.inner.__enter__()
        def __exit__(s, *e):
            if len(seen) == 4: os._exit(9)
            return s.inner.__exit__(*e)
    return Late()
SqliteLedgered._together = killed
joined = ["customers={base}/customers.parquet", "weather={base}/weather.parquet"]
predict_file({str(finished.bundle)!r}, {str(shop / "new.csv")!r}, joined, to={target!r}, size=64)
"""
    assert subprocess.run([sys.executable, "-c", script], capture_output=True).returncode == 9
    assert len(rows_in(tmp_path / "out.db")) == 128
    done = predict(target)
    assert done.added == ROWS - 128
    assert "300 of 300 rows had been scored before, and were kept" in done.notes
    assert rows_in(tmp_path / "out.db") == whole.records


def test_another_batch_is_added_and_an_unfinished_one_is_told(predict, shop, tmp_path):
    url = f"sqlite:///{tmp_path}/out.db?table=scored"
    with pytest.raises(KeyboardInterrupt):
        predict(url, size=64, tell=stop_after(1, "writing"))
    pd.read_csv(shop / "new.csv").head(40).to_csv(tmp_path / "new.csv", index=False)
    done = predict(url, tmp_path / "new.csv")
    assert done.added == 40
    assert any("64 of the 300 rows of another batch" in n for n in done.notes)
    assert len(rows_in(tmp_path / "out.db")) == 104


@pytest.mark.parametrize(
    ("target", "error", "says"),
    [
        ("mysql://h/db?table=t", ReadError, "cannot be written"),
        ("sqlite:///{}/out.db", ReadError, "names no table"),
        ("sqlite:///{}/out.db?table=holdgood_pieces", ReadError, "the ledger"),
        ("sqlite:///{}/out.db?tabel=t", ReadError, "unknown option"),
        ("sqlite:///{}/no/out.db?table=t", EnvironmentFault, "cannot be written"),
        ("sqlite:///{}/taken.db?table=t", DataError, "lacks 4 columns"),
        ("{}/out.xyz", ReadError, "suffix"),
        ("{}/no/out.csv", EnvironmentFault, "no folder"),
    ],
)
def test_a_target_that_cannot_be_is_refused_and_nothing_is_lost(predict, tmp_path, target, error, says):
    with sqlite3.connect(tmp_path / "taken.db") as link:
        link.execute('CREATE TABLE t ("order" TEXT)')
    with pytest.raises(error, match=says):
        predict(target.format(tmp_path))
    assert rows_in(tmp_path / "taken.db", "t") == []


def test_what_is_read_is_not_written(predict, shop):
    with pytest.raises(DeclarationError, match="is what is read"):
        predict(shop / "new.csv")
    assert len(pd.read_csv(shop / "new.csv")) == ROWS


# -- a capacity a day


@settings(max_examples=40, deadline=None)
@given(
    rows=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 4), st.booleans()), max_size=60),
    capacity=st.integers(0, 4),
    cuts=st.lists(st.integers(0, 60), max_size=4),
)
def test_the_best_of_a_day_over_pieces_are_the_best_of_all(rows, capacity, cuts):
    day, gain = np.array([r[0] for r in rows], int), np.array([r[1] for r in rows], float)
    among = np.array([r[2] for r in rows], bool)
    best = Acted(capacity)
    edges = sorted({0, *(min(c, len(rows)) for c in cuts), len(rows)})
    for start, stop in itertools.pairwise(edges):
        at = np.flatnonzero(among[start:stop]) + start
        best.add(at, gain[at], day[at])
    assert best.rows().tolist() == np.flatnonzero(within_capacity(gain, day, capacity, among)).tolist()


@pytest.fixture(scope="module")
def limited(tmp_path_factory):
    """A run with a capacity of 3 a day, and rows of days that lie across pieces."""
    folder = tmp_path_factory.mktemp("limited")
    rng = np.random.default_rng(0)
    x = rng.normal(size=400)
    data = pd.DataFrame(
        {
            "at": pd.Timestamp("2026-01-05") + pd.to_timedelta(np.arange(400) // 20, unit="D"),
            "x": x,
            "late": rng.random(400) < 1 / (1 + np.exp(-2 * x)),
        }
    )
    made = hg.run(
        data, "late", time="at", costs=hg.Costs(miss=5, false_alarm=1, currency="EUR", capacity=3),
        declaration={"budget": {"trials": 1, "workers": 1, "models": ["linear"]}}, project=folder,
    )  # fmt: skip
    mixed = data.drop(columns="late").sample(frac=1.0, random_state=1)
    mixed.to_csv(folder / "new.csv", index=False)
    return made.bundle, folder / "new.csv"


def test_a_daily_capacity_holds_over_pieces_in_files_and_tables(limited, tmp_path):
    bundle, new = limited
    whole = predict_file(bundle, str(new), [], size=1000)
    assert predict_file(bundle, str(new), [], size=33).records == whole.records
    acted = pd.DataFrame(whole.records).act
    assert (acted.groupby(pd.read_csv(new)["at"]).sum() == 3).all()
    with pytest.raises(KeyboardInterrupt):
        predict_file(bundle, str(new), [], to=tmp_path / "a.csv", size=33, tell=stop_after(5))
    resumed = predict_file(bundle, str(new), [], to=tmp_path / "a.csv")
    assert pd.read_csv(tmp_path / "a.csv").act.tolist() == acted.tolist()
    predict_file(bundle, str(new), [], to=f"sqlite:///{tmp_path}/a.db?table=t", size=33)
    assert [bool(r["act"]) for r in rows_in(tmp_path / "a.db", "t")] == acted.tolist()
    assert "60 of 400 rows are acted on (column act): at most 3 a day" in resumed.notes


def test_days_that_are_plain_numbers_are_read_in_one_piece(limited, monkeypatch):
    model = Predictor.load(limited[0])
    rows = Table.of(pa.table({"at": [1, 2, 3], "x": [0.1, 0.2, 0.3]}), "data")
    assert size_for(model, rows) == 3
    dated = Table.of(pd.read_csv(limited[1], parse_dates=["at"]), "data")
    assert size_for(model, dated) == rows_of_a_piece(2)


def test_lines_of_the_index_are_json(tmp_path):
    kept = Kept(tmp_path / "p", "k", 2, "out")
    kept.add(pa.table({"a": [1, 2]}), {"refused": 0})
    kept.add(pa.table({"a": [3]}), {"refused": 1})
    lines = [json.loads(line) for line in (tmp_path / "p" / "done.jsonl").read_text().splitlines()]
    assert [line["said"]["refused"] for line in lines] == [0, 1]
    assert pa.concat_tables(kept.tables()).to_pydict() == {"a": [1, 2, 3]}
    kept.remove()
    assert not (tmp_path / "p").exists()
