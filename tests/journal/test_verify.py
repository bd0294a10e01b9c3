"""Whatever is done through the journal verifies; whatever is done behind its back is told."""

import shutil
import sqlite3

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from holdgood.core.errors import DataError, DuplicateError
from holdgood.core.records import Alarm, Label, Prediction, Promotion
from holdgood.journal import Filter, Journal
from holdgood.journal.chain import Row, link, sha
from holdgood.journal.tombstones import tombstone

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("predict"), st.sampled_from("abcdef"), st.sampled_from(["w", "v"])),
        st.tuples(st.just("label"), st.sampled_from("abcdef"), st.sampled_from(["w", "v"])),
        st.tuples(st.just("many"), st.sampled_from("abcdef"), st.sampled_from(["w", "v"])),
        st.tuples(st.just("forget"), st.integers(1, 8), st.sampled_from(["w", "v"])),
    ),
    max_size=14,
)


def prediction(id):
    return Prediction(id=id, model="m", bundle_digest="d", subject=f"person {id}", facts={"x": 1.5, "é": "\x00"})


def done(journal, steps):
    """Do the steps that can be done; the heads after each."""
    kept = []
    for what, which, writer in steps:
        try:
            if what == "predict":
                journal.append(prediction(which), writer)
            elif what == "label":
                journal.append(Label(prediction=which, model="m", value=1), writer)
            elif what == "many":
                journal.append_many(
                    [prediction(which), Alarm(code="c", title="t", subject="s", severity="low", message="m")], writer
                )
            else:
                journal.forget(writer, which, who="officer", why="asked to")
        except (DuplicateError, DataError):
            pass  # refused whole; what follows shows that nothing was left half done
        kept.append(journal.heads())
    return kept


@given(STEPS)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_history_verifies_against_every_head_kept_on_the_way(tmp_path_factory, steps):
    journal = Journal(tmp_path_factory.mktemp("h") / "j.sqlite")
    for heads in [{}, *done(journal, steps)]:
        assert journal.verify(heads) == []
    ids = [e.record["payload"]["id"] for e in journal.entries("prediction") if e.record]
    assert len(ids) == len(set(ids))


@pytest.fixture(scope="module")
def history(tmp_path_factory):
    """A journal with entries of two writers, forgotten ones and tombstones, and its heads."""
    path = tmp_path_factory.mktemp("history") / "j.sqlite"
    journal = Journal(path)
    steps = [("predict", "a", "w"), ("many", "b", "v"), ("label", "a", "w"), ("predict", "c", "w"), ("forget", 1, "w")]
    done(journal, [*steps, ("predict", "d", "v"), ("forget", 3, "v"), ("label", "c", "v")])
    with sqlite3.connect(path) as db:
        db.execute("DROP TRIGGER never_rewritten")
    db.close()
    return path, journal.heads(), [*journal.rows(Filter(order="chain"))]


@given(st.data())
@settings(max_examples=120, deadline=None)
def test_any_changed_byte_of_any_column_is_found(tmp_path_factory, history, data):
    path, heads, rows = history
    row = data.draw(st.sampled_from(rows))
    column = data.draw(st.sampled_from(Row._fields))
    value = getattr(row, column)
    if isinstance(value, int):
        changed = data.draw(st.integers(-3, 40).filter(lambda n: n != value))
    elif value is None:
        changed = data.draw(st.sampled_from([b"", b"x", b"champion"]))
    else:
        old = value.encode()
        at = data.draw(st.integers(0, max(0, len(old) - 1)))
        byte = data.draw(st.integers(0, 255).filter(lambda b: not old or b != old[at]))
        changed = data.draw(st.sampled_from([None, old[:at] + bytes([byte]) + old[at + 1 :], old + b" ", old[:-1]]))
    copy = tmp_path_factory.mktemp("copy") / "j.sqlite"
    shutil.copy(path, copy)
    db = sqlite3.connect(copy)
    try:
        new = "CAST(? AS TEXT)" if isinstance(changed, bytes) else "?"
        db.execute(
            f"UPDATE entries SET {column} = {new} WHERE writer = ? AND number = ?", (changed, row.writer, row.number)
        )
        db.commit()
    except sqlite3.IntegrityError:
        return  # the table itself refuses
    finally:
        db.close()
    assert Journal(copy).verify(heads), (row.writer, row.number, column, changed)


def test_a_tombstone_whose_record_came_back_is_told(history, tmp_path):
    path, heads, rows = history
    shutil.copy(path, tmp_path / "j.sqlite")
    with sqlite3.connect(tmp_path / "j.sqlite") as db:
        first = next(r for r in rows if r.record is not None and r.kind == "prediction")
        db.execute(
            "UPDATE entries SET record = ?, salt = ? WHERE writer = 'w' AND number = 1", (first.record, first.salt)
        )
    db.close()
    faults = Journal(tmp_path / "j.sqlite").verify(heads)
    assert "entry 1 of 'w': its record was changed" in faults


def test_an_index_that_hides_an_entry_is_told(journal_file, answer, tmp_path):
    journal_file.append_many([answer(f"p{i}", subject=f"s{i}") for i in range(9)], "w")
    heads = journal_file.heads()
    with sqlite3.connect(journal_file.path) as db:
        (page,) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'entries_by_subject'").fetchone()
        (size,) = db.execute("PRAGMA page_size").fetchone()
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    raw = bytearray(journal_file.path.read_bytes())
    at = raw.index(b"s4", (page - 1) * size, page * size)
    raw[at : at + 2] = b"s3"
    journal_file.path.write_bytes(raw)
    assert [row.ref for row in journal_file.rows(Filter(subject="s4"))] == [], "the person's rows are not found"
    assert any("index entries_by_subject" in fault for fault in journal_file.verify(heads))


@pytest.mark.parametrize("record", ["no JSON", "[" * 100_000, "[]", '{"entries": [["w", 1e999, 2]]}'])
@pytest.mark.parametrize("kind", ["prediction", "tombstone"])
def test_a_record_that_is_none_is_told_not_fallen_over(journal_file, answer, record, kind):
    journal_file.append_many([answer("a"), answer("b")], "w")
    heads = journal_file.heads()
    with sqlite3.connect(journal_file.path) as db:
        db.execute("DROP TRIGGER never_rewritten")
        db.execute(
            "UPDATE entries SET kind = ?, record = ?, salt = 's', commitment = ? WHERE number = 1",
            (kind, record, sha("s", record)),
        )
    db.close()
    assert "entry 1 of 'w': its hash does not match" in journal_file.verify(heads)
    if not record.startswith("{"):
        with pytest.raises(DataError, match="entry 1 of 'w' holds no record"):
            journal_file.entries()


def test_what_was_live_is_never_forgotten(journal_file, answer):
    """A tombstone cannot hide who put what live: it is refused, and one that was forged is told."""
    journal_file.append(Promotion(bundle_digest="d", by="ann", why="w", model="m"), "live")
    with pytest.raises(DataError, match="nothing was forgotten"):
        journal_file.forget("live", 1, who="eve", why="none")
    heads = journal_file.heads()
    with journal_file.session() as session, session.writing("live"):
        session.many(
            "UPDATE entries SET record = NULL, salt = NULL, model = NULL, moment = NULL WHERE number = ?", [(1,)]
        )
        (row,) = link(
            heads["live"], "live", [tombstone([("live", 1, 1)], "eve", "none")], "2026-01-01T00:00:00.000000+00:00"
        )
        session.insert([row])
    assert journal_file.verify(heads) == ["entry 1 of 'live' has a tombstone, but a promotion is never forgotten"]


@pytest.mark.server
@pytest.mark.parametrize(
    ("statement", "said"),
    [
        (
            "UPDATE entries SET record = replace(record, 'person a', 'person z') WHERE number = 1",
            "its record was changed",
        ),
        ("UPDATE entries SET subject = 'else' WHERE number = 1", "what it is found by was changed"),
        ("DELETE FROM entries WHERE number = 2", "the last ones are gone"),
        ("TRUNCATE entries", "had 2 entries"),
    ],
)
def test_a_server_refuses_changes_and_what_its_owner_does_is_found(database, statement, said):
    journal = Journal(database)
    done(journal, [("predict", "a", "w"), ("label", "a", "w")])
    heads = journal.heads()
    with psycopg.connect(database, autocommit=True) as owner:
        with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
            owner.execute(statement)
        owner.execute("ALTER TABLE entries DISABLE TRIGGER ALL")
        owner.execute(statement)
    assert any(said in fault for fault in journal.verify(heads))
