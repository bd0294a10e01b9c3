"""holdgood predict from a table of PostgreSQL into another: stopped between pieces, taken up again, run twice."""

import numpy as np
import pandas as pd
import psycopg
import pytest

import holdgood as hg
from holdgood.connectors import read_table
from holdgood.workflow.scoring import predict_file

ROWS = 200


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"id": [f"r{i}" for i in range(300)], "x": rng.normal(size=300)})
    frame["late"] = frame.x + rng.normal(size=300) / 2 > 0.3
    folder = tmp_path_factory.mktemp("into")
    frame.to_parquet(folder / "t.parquet")
    declared = {"task": {"target": "late"}, "tables": {"t": {"source": "t.parquet", "key": ["id"]}}}
    declared["budget"] = {"trials": 1, "workers": 1, "models": ["linear"]}
    return hg.run(declaration=declared, project=folder).bundle


@pytest.mark.server
def test_rows_come_in_the_same_order_whoever_else_reads(postgres):
    """A large table is read from where another reader has stopped, unless that is forbidden: a batch would not be known again."""
    with psycopg.connect(postgres, autocommit=True) as link:
        link.execute("DROP TABLE IF EXISTS wide")
        link.execute(
            "CREATE UNLOGGED TABLE wide AS SELECT i, repeat('x', 1500) AS f FROM generate_series(1, 26000) AS i"
        )
        with link.transaction(), link.cursor("other") as other:
            other.execute("SELECT * FROM wide")
            other.fetchmany(9_000)
        assert link.execute("SELECT i FROM wide LIMIT 1").fetchone()[0] > 1, "the server does so"
        found = read_table(f"{postgres}?query=SELECT%20i%20FROM%20wide%20LIMIT%202", name="wide")
        link.execute("DROP TABLE wide")
    assert found.data.column("i").to_pylist() == [1, 2]


@pytest.mark.server
def test_each_row_is_written_once(bundle, postgres, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with psycopg.connect(postgres, autocommit=True) as link:
        link.execute(
            "DROP SCHEMA IF EXISTS shop CASCADE; CREATE SCHEMA shop; CREATE TABLE shop.orders (id text, x float8)"
        )
        link.execute("INSERT INTO shop.orders SELECT 'o' || i, sin(i) FROM generate_series(1, %s) AS i", (ROWS,))
    source, target = f"{postgres}?table=shop.orders", f"{postgres}?table=shop.scored"
    seen = []

    def stop(event):
        if event.step == "writing":
            seen.append(event)
            if len(seen) == 2:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        predict_file(bundle, source, [], to=target, size=32, tell=stop)

    def rows():
        with psycopg.connect(postgres) as link:
            return link.execute("SELECT id, probability, answer, verdict FROM shop.scored").fetchall()

    assert len(rows()) == 64
    done = predict_file(bundle, source, [], to=target)
    assert (done.added, done.path) == (ROWS - 64, None)
    assert "s3cret" not in done.written
    assert predict_file(bundle, source, [], to=target).added == 0
    wanted = predict_file(bundle, source, []).records
    assert sorted(rows()) == sorted((r["id"], r["probability"], r["answer"], r["verdict"]) for r in wanted)
    assert len({r[0] for r in rows()}) == ROWS
    assert list(tmp_path.iterdir()) == []
