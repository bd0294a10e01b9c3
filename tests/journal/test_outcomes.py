import numpy as np

from holdgood.journal import outcomes


def test_predictions_come_with_the_newest_label_known_by_then(journal, answer, label):
    journal.append_many([answer("p1", hour=1), answer("p2", hour=2, place="canary"), answer("p3", hour=3)], "server")
    journal.append_many(
        [label("p1", "no", day=5), label("p1", "yes", day=9), label("p2", 7, day=6, final=False, censored=True)], "l"
    )
    journal.append(label("stray", day=2), "l")
    now = outcomes(journal, "m")
    assert now.id.tolist() == ["p1", "p2", "p3"]
    assert now.label.tolist() == ["yes", 7, None]
    assert now.labelled.tolist() == [True, True, False]
    assert now.final.tolist() == [True, False, False]
    assert now.censored.tolist() == [False, True, False]
    assert now.place.tolist() == ["champion", "canary", "champion"]
    assert now.share_labelled == 2 / 3
    assert now.delay[0] == 8 * 86400 - 3600
    assert np.isnan(now.delay[2])
    assert np.isnat(now.label_known[2])
    assert now.event_time[0] == np.datetime64("2026-03-01T01:00")
    assert now.facts[0] == {"a": 1.5, "b": "x"}
    then = outcomes(journal, "m", "2026-03-01T01:00Z", "2026-03-01T03:00Z", as_of="2026-03-05")
    assert then.id.tolist() == ["p1", "p2"]
    assert then.label.tolist() == ["no", None]
    assert then.where(then.labelled).id.tolist() == ["p1"]


def test_of_two_labels_known_at_once_the_later_written_holds(journal, answer, label):
    journal.append(answer(), "s")
    journal.append(label(value=[1, 2]), "l")
    journal.append(label(value=[3, 4]), "a")
    assert outcomes(journal, "m").label[0] == [3, 4]


def test_nothing_there_is_an_empty_table(journal):
    none = outcomes(journal, "m")
    assert len(none) == 0
    assert np.isnan(none.share_labelled)
