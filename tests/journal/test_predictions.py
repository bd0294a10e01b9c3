import json

import pytest

from holdgood.core.errors import DataError, DeclarationError, DuplicateError
from holdgood.core.records import Alarm, Prediction
from holdgood.core.records.commitment import committed
from holdgood.core.records.envelope import unwrap, wrap, wrap_as_text


def test_a_prediction_is_found_by_its_id_and_a_shadows_answer_comes_last(journal, answer):
    journal.append_many([answer(place="shadow"), answer(answer={"probability": 0.9})], "server")
    assert journal.prediction("m", "p1").answer == {"probability": 0.9}
    assert journal.prediction("m", "p2") is None
    assert journal.prediction("other", "p1") is None
    journal.append(answer("p2", place="shadow"), "server")
    assert journal.prediction("m", "p2").place == "shadow"


def test_a_prediction_that_is_there_is_refused_whole(journal, answer):
    journal.append(answer(), "server")
    with pytest.raises(DuplicateError, match="'p1' of 'm' already"):
        journal.append_many([answer("p2"), answer(answer={})], "other")
    with pytest.raises(DuplicateError, match="'p3'"):
        journal.append_many([answer("p3"), answer("p3")], "other")
    assert journal.prediction("m", "p2") is None
    assert list(journal.heads()) == ["server"]
    journal.append_many([answer(model="n"), answer(place="shadow"), answer("p2")], "other")
    assert len(journal.entries("prediction")) == 4
    assert journal.verify() == []


def test_entries_are_found_by_model_and_time(journal, answer, label):
    journal.append_many([answer("p1", hour=1), answer("p2", hour=5), answer("q", model="n", hour=2), label("p1")], "s")
    assert [e.record["payload"]["id"] for e in journal.entries("prediction", model="m", since="2026-03-01T05:00Z")] == [
        "p2"
    ]
    assert [p.id for _, p in journal.read(Prediction, until="2026-03-01T03:00:00+00:00")] == ["p1", "q"]
    assert [e.kind for e in journal.entries(model="m", newest_first=True, limit=1)] == ["label"]
    assert journal.entries("label")[0].moment == "2026-03-05T00:00:00.000000+00:00"
    with pytest.raises(DeclarationError, match="'soon' is no day or time"):
        journal.entries(since="soon")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"event_time": "soon"}, "the event_time of a prediction is 'soon'"),
        ({"known_time": "99"}, "known_time"),
        ({"subject": "x" * 501}, "the subject of a prediction has 501 characters"),
        ({"id": "a\x00b"}, "the id of a prediction"),
        ({"model": "\ud800"}, "the model of a prediction"),
        ({"id": ""}, "without the id"),
    ],
)
def test_what_cannot_be_found_again_is_refused(journal, answer, change, said):
    with pytest.raises(DataError, match=said):
        journal.append(answer(**change), "server")
    assert journal.entries() == []


def test_odd_facts_are_kept_as_they_are(journal, answer):
    facts = {
        "nan": float("nan"),
        "nul": "\x00",
        "half": "\ud83d",
        "smile": "\U0001f600",
        "big": 2**70,
        "deep": {"l": [1, None]},
    }
    journal.append(answer(facts=facts), "server")
    assert journal.prediction("m", "p1").facts == {**facts, "nan": None}
    assert journal.verify() == []


def test_an_alarm_of_no_model_has_none(journal):
    journal.append(Alarm(code="M", title="t", subject="s", severity="low", message="m"), "watch")
    assert journal.entries()[0].model == ""
    assert journal.verify() == []


def test_the_text_of_an_envelope_is_the_envelope(answer):
    record = answer(facts={"a": float("inf"), "b": [1, {"c": "é\ud83d"}]})
    assert {**json.loads(wrap_as_text(record)), "created_utc": ""} == wrap(record) | {"created_utc": ""}


def test_an_id_is_answered_by_one_place_and_a_shadow_beside_it(journal, answer):
    journal.append_many([answer(place="canary"), answer(place="shadow")], "server")
    for place in ("champion", "canary", "shadow"):
        with pytest.raises(DuplicateError):
            journal.append(answer(place=place), "another server")
    assert journal.predictions("m", ["p1", "gone"])["p1"].place == "canary"


def test_who_kept_the_facts_proves_what_was_answered(journal, answer):
    row = {"a": 1.5, "b": "x"}
    journal.append_many(
        [
            answer("kept"),
            answer("committed", facts=None, commitment=committed(row)),
            answer("nothing", facts=None),
            answer("shadowed", facts=None, commitment=committed(row)),
            answer("shadowed", facts=None, place="shadow"),
        ],
        "server",
    )
    for id_ in ("kept", "committed", "shadowed"):
        assert journal.proves("m", id_, {"b": "x", "a": 1.5}) is True
        assert journal.proves("m", id_, {"b": "x", "a": 1.25}) is False
        assert journal.proves("m", id_, {"a": 1.5}) is False
    with pytest.raises(DataError, match="neither facts nor a commitment"):
        journal.proves("m", "nothing", row)
    with pytest.raises(DataError, match="no prediction 'committed' of 'n'"):
        journal.proves("n", "committed", row)
    (entry,) = [e for e, p in journal.read(Prediction) if p.id == "committed"]
    text = json.dumps(entry.record)
    assert '"x"' not in text and "1.5" not in text
    journal.forget(entry.writer, entry.number, who="bo", why="asked for")
    with pytest.raises(DataError, match="forgotten cannot be proved"):
        journal.proves("m", "committed", row)
    assert journal.verify() == []


def test_a_prediction_from_before_there_were_commitments_is_read(answer):
    old = wrap(answer())
    del old["payload"]["commitment"]
    assert unwrap(old, Prediction) == answer()
