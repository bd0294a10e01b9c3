"""Several sources, some of them broken: the others are audited, the report and the exit code say what was not."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest


@pytest.fixture
def good(tmp_path):
    pq.write_table(pa.table({"a": list(range(100)), "b": ["x", "y"] * 50}), tmp_path / "a.parquet")
    return tmp_path


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("b.csv", b"", "is empty (0 bytes)"),
        ("b.csv", b"x,y\n", "no rows"),
        ("b.parquet", b"PAR1 rubbish PAR1", "not a readable Parquet file"),
        ("b.db", b"rubbish" * 300, "not a database"),
        ("b.xyz", b"1", "suffix '.xyz' is not known"),
        (None, b"", "no file b.csv"),
    ],
)
def test_a_broken_source_is_told_and_the_rest_is_audited(cli, good, name, content, says):
    if name:
        (good / name).write_bytes(content)
    answer = cli("audit", "a.parquet", name or "b.csv", "--json", "--no-report", at=good)
    assert answer.code == 3
    report = answer.json["audit"]
    assert [t["name"] for t in report["tables"]] == ["a"]
    (reading,) = [o for o in report["outcomes"] if o["code"] == "AUD012"]
    assert says in reading["findings"][0]["message"]
    assert "AUD011" in {o["code"] for o in report["outcomes"] if o["status"] == "tip"}


def test_a_table_without_columns(cli, good):
    pq.write_table(pa.table({}), good / "b.parquet")
    answer = cli("audit", "b.parquet", "a.parquet", "--no-report", at=good)
    assert answer.code == 3
    assert "0 columns" in " ".join(answer.out.split())


def test_the_report_is_written_beside_the_first_that_could_be_read(cli, good):
    (good / "b.csv").write_bytes(b"")
    answer = cli("audit", "b.csv", "a.parquet", at=good)
    assert answer.code == 3
    assert "was not audited" in " ".join(answer.out.split())
    assert "known and fine? holdgood ignore AUD011" in answer.out  # and not the file that cannot be read
    assert "was not audited" in (good / "a.audit.html").read_text()


def test_where_nothing_can_be_read_the_error_is_raised(refuses, good):
    (good / "b.csv").write_bytes(b"")
    refuses("audit", "b.csv", "c.csv", at=good, code=3, says="is empty")


def test_two_sources_of_one_name(cli, good):
    (good / "a.csv").write_text("c,d\n" + "1,2\n" * 30)
    answer = cli("audit", "a.parquet", "a.csv", "--json", "--no-report", at=good)
    assert [t["name"] for t in answer.json["audit"]["tables"]] == ["a", "a_2"]
