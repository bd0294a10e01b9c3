"""Steps of a walk that was killed while it wrote one: wherever the line was cut, no other step is lost."""

from holdgood.workflow.live.told_steps import ToldSteps

STEPS = [
    {"when": f"2013-09-{day}", "what": "watch", "sentence": f"day {day}: +0.5 nats – über\u2028Ω"}
    for day in (16, 23, 30)
]


def test_wherever_a_line_is_cut_the_others_stay_and_it_is_told_again(tmp_path):
    kept = ToldSteps(tmp_path / "steps.jsonl")
    assert kept.all() == []
    assert [kept.add(s) for s in (*STEPS[:2], STEPS[0])] == [True, True, False]
    assert kept.all() == STEPS[:2]
    whole = kept.file.read_bytes()
    begin = whole.index(b"\n") + 1
    for cut in range(begin, len(whole)):  # letters of several bytes are cut through too
        kept.file.write_bytes(whole[:cut])
        there = STEPS[: 1 + (cut == len(whole) - 1)]  # all but the line's end is there: it is whole
        assert kept.all() == there, cut
        assert kept.add(STEPS[2])
        assert kept.all() == [*there, STEPS[2]], cut
