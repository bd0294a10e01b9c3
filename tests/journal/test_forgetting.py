import pytest

from holdgood.core.errors import DataError
from holdgood.journal.forgetting import of_subject, older_than


def test_a_persons_predictions_labels_and_overrides_go_and_nothing_else(journal, answer, label):
    journal.append_many([answer("p1"), answer("p2", subject="bob"), answer("p3")], "server")
    journal.append_many([label("p1"), label("p2"), label("p3")], "labels")
    heads = journal.heads()
    places = of_subject(journal, "ann")
    assert places == {
        ("labels", 1): ("label", "m"),
        ("labels", 3): ("label", "m"),
        ("server", 1): ("prediction", "m"),
        ("server", 3): ("prediction", "m"),
    }
    journal.forget_many(list(places), "live", who="officer", why="asked to")
    assert of_subject(journal, "ann") == {}
    assert journal.prediction("m", "p1") is None
    assert [e.record["payload"]["id"] for e in journal.entries("prediction", model="m")] == ["p2"]
    assert journal.entries("tombstone")[0].record["entries"] == [
        ["labels", 1, 1],
        ["labels", 3, 3],
        ["server", 1, 1],
        ["server", 3, 3],
    ]
    assert journal.verify(heads) == []
    journal.append(answer("p1", subject="eve"), "server")  # the id is free again
    assert journal.verify(journal.heads()) == []


def test_one_models_rows_go_alone(journal, answer, label):
    journal.append_many([answer("p1"), answer("p1", model="n"), label("p1"), label("p1", model="n")], "server")
    assert [what.model for what in of_subject(journal, "ann").values()] == ["m", "n", "m", "n"]
    assert list(of_subject(journal, "ann", "n")) == [("server", 2), ("server", 4)]
    assert list(older_than(journal, "2027-01-01", "m")) == [("server", 1), ("server", 3)]


def test_old_rows_go_with_the_labels_that_came_late(journal, answer, label):
    journal.append_many(
        [answer("p1", hour=1), answer("p2", hour=9), label("p1", day=20), label("p2", day=20)], "server"
    )
    places = older_than(journal, "2026-03-01T05:00Z")
    assert list(places) == [("server", 1), ("server", 3)]


def test_all_or_nothing(journal, answer):
    journal.append_many([answer("p1"), answer("p2")], "server")
    with pytest.raises(DataError, match="1 of 2 entries are not there"):
        journal.forget_many([("server", 1), ("server", 9)], "live", who="o", why="w")
    assert journal.prediction("m", "p1") is not None
    assert list(journal.heads()) == ["server"]
