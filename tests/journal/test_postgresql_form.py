"""What somebody with every right on the server does to the form of a journal is told, and an untouched one is not."""

import psycopg
import pytest

from holdgood.journal import Filter, Journal

pytestmark = pytest.mark.server
_NOT_READY = "UPDATE pg_index SET indisready = {}, indisvalid = {} WHERE indexrelid = 'entries_by_subject'::regclass"


@pytest.fixture
def written(database, answer, label):
    journal = Journal(database)
    journal.append_many([answer(f"p{i}", subject=f"s{i}") for i in range(9)], "server")
    journal.append(label("p1"), "labels")
    journal.forget("server", 3, who="ann", why="asked to")
    return journal


def by_owner(database, *statements):
    with psycopg.connect(database, autocommit=True) as owner:
        for statement in statements:
            owner.execute(statement)


@pytest.mark.parametrize("extension", [False, True])
def test_an_untouched_journal_has_its_form(written, database, extension):
    if extension:
        by_owner(database, "CREATE EXTENSION amcheck")
    by_owner(database, "CREATE INDEX of_our_own ON entries (commitment)")  # for speed: hides nothing
    assert written.verify(written.heads()) == []


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("DROP INDEX entries_about", "the index 'entries_about' is gone"),
        ("DROP INDEX one_prediction", "the index 'one_prediction' is gone: a prediction may be there twice"),
        (
            "DROP INDEX one_prediction; CREATE INDEX one_prediction ON entries (model, ref, (place = 'shadow')) WHERE kind = 'prediction'",
            "the index 'one_prediction' is another than holdgood made",
        ),
        (
            "DROP INDEX entries_by_subject; CREATE INDEX entries_by_subject ON entries (subject) WHERE subject <> 's4'",
            "the index 'entries_by_subject' is another",
        ),
        (_NOT_READY.format("true", "false"), "the index 'entries_by_subject' is not valid"),
        ("ALTER TABLE entries DROP CONSTRAINT entries_pkey", "the primary key of 'entries' (writer, number) is gone"),
        ("ALTER TABLE entries DISABLE TRIGGER append_only", "the trigger 'append_only', which keeps entries from being changed, is switched off"),
        ("DROP TRIGGER never_emptied ON entries", "the trigger 'never_emptied', which keeps entries from being changed, is gone"),
        (
            "CREATE OR REPLACE FUNCTION holdgood_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$",
            "the trigger 'append_only', which keeps entries from being changed, does something else",
        ),
        (
            "CREATE TRIGGER silent BEFORE INSERT ON entries FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
            "a trigger that holdgood did not make: 'silent'",
        ),
        ("CREATE RULE nothing AS ON INSERT TO entries DO INSTEAD NOTHING", "a rule that holdgood did not make: 'nothing'"),
        ("ALTER TABLE entries ENABLE ROW LEVEL SECURITY", "row security is switched on"),
        ("ALTER TABLE entries ADD CONSTRAINT only_m CHECK (model <> 'n')", "a constraint that holdgood did not make: 'only_m'"),
        ("CREATE UNIQUE INDEX once ON entries (commitment)", "a unique index that holdgood did not make: 'once'"),
        ("ALTER TABLE entries ADD COLUMN more TEXT", "a column that holdgood did not make: 'more'"),
        ("ALTER TABLE entries ALTER COLUMN moment DROP NOT NULL, ALTER COLUMN hash DROP NOT NULL", "the column 'hash' of 'entries' is another"),
    ],
)  # fmt: skip
def test_what_was_changed_in_the_form_is_told(written, database, statement, said):
    heads = written.heads()
    by_owner(database, *statement.split(";")) if "$$" not in statement else by_owner(database, statement)
    faults = written.verify(heads)
    assert any(said in fault for fault in faults), faults


@pytest.mark.parametrize("extension", [False, True])
def test_an_index_that_does_not_hold_an_entry_is_told(written, database, answer, extension):
    by_owner(database, _NOT_READY.format("false", "false"))
    written.append(answer("hidden", subject="s4"), "server")  # nobody finds this person's newest row by the index
    by_owner(database, _NOT_READY.format("true", "true"))
    if extension:
        by_owner(database, "CREATE EXTENSION amcheck")
    with psycopg.connect(database, options="-c enable_seqscan=off") as reader:
        assert reader.execute("SELECT count(*) FROM entries WHERE subject = 's4'").fetchone() == (1,)
    assert len([*written.rows(Filter(writer="server", order="chain"))]) == 11
    (fault,) = written.verify(written.heads())
    assert fault.startswith("the index 'entries_by_subject' does not say what the table holds")
    if not extension:
        assert fault.endswith("8 entries, and 9 in the table")


def test_a_schema_whose_name_is_quoted_is_no_other_form(database, answer):
    with psycopg.connect(database, autocommit=True) as server:
        server.execute('CREATE SCHEMA "Team-A"')
    book = Journal(database + "?options=-csearch_path%3D%22Team-A%22")
    book.append(answer("p1"), "server")
    assert book.verify() == []
