"""What people call things in the journal is understood, or told to be unknown."""

import pytest

from holdgood.core.records import AnswerOverride, Label, Prediction
from holdgood.core.records.envelope import Record
from holdgood.journal import Journal


class Later(Record):
    """Of a version that is still to come."""

    kind = "later"
    what: str


@pytest.fixture
def at(tmp_path, cli):
    """A folder with a journal that holds one answer of each of two people, a label and an override."""
    book = Journal(str(tmp_path / "j.sqlite"))
    asked = {"model": "flights", "bundle_digest": "d", "answer": {"answer": "no"}, "facts": {"x": 1}}
    book.append_many([Prediction(id=f"0{i}", subject=f"person-{i}", **asked) for i in range(2)], "server")
    book.append(Label(prediction="00", model="flights", value="yes", known_time="2026-03-09"), "live")
    book.append(AnswerOverride(prediction="01", model="flights", before="no", after="yes", who="desk"), "live")
    return tmp_path


@pytest.fixture
def asked(at, cli):
    return lambda *words: cli("journal", *words, "--journal", "j.sqlite", at=at)


@pytest.mark.parametrize(
    ("word", "kind"),
    [("label", "label"), ("labels", "label"), ("Labels", "label"), ("override", "answer-override"), ("overrides", "answer-override"),
     ("answer-overrides", "answer-override"), ("answer_override", "answer-override"), ("prediction", "prediction")],
)  # fmt: skip
def test_a_kind_is_known_by_its_plain_names(asked, word, kind):
    found = asked("show", "--kind", word, "--json")
    assert found.code == 0 and {e["kind"] for e in found.json} == {kind}


@pytest.mark.parametrize(("word", "do"), [("lable", "did you mean 'label'"), ("bogus", "leave --kind out")])
def test_an_unknown_kind_is_no_empty_table(asked, word, do):
    told = asked("show", "--kind", word)
    said = " ".join(told.err.split())
    assert told.code == 2 and told.out == ""
    assert f"no such kind of entry: '{word}'" in said and "label, answer-override, alarm" in said and do in said, said


def test_a_kind_without_entries_and_one_of_a_later_version_are_no_mistakes(at, asked):
    assert asked("show", "--kind", "promotion").code == 0
    Journal(str(at / "j.sqlite")).append(Later(what="?"), "live")
    assert [e["kind"] for e in asked("show", "--kind", "later", "--json").json] == ["later"]


def test_a_model_that_is_not_there_is_no_empty_table(asked):
    told = asked("show", "--model", "fligths")
    assert told.code == 3 and told.out == ""
    assert "no entry is of a model 'fligths'" in told.err and "did you mean 'flights'" in told.err
    assert asked("show", "--model", "flights", "--kind", "promotion").code == 0


def test_an_override_says_what_was_decided_instead(asked):
    assert "01 · now yes · desk" in asked("show", "--kind", "override").out
