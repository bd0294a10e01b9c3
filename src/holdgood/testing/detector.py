"""The contract of a detector. A new detector is done when ``check_detector`` is silent."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from holdgood.core.frame import Feature, Frame, frame_of
from holdgood.core.protocols import Detector
from holdgood.core.records import Alarm

ROWS, ALPHA, TRIES = 400, 0.05, 60


def check_detector(detector: Detector) -> None:
    """Hold a detector to the contract; AssertionError says what broke. Uses small data that it makes itself."""
    assert isinstance(detector, Detector), "a detector has a code, a title and look(reference, current, alpha, seed)"
    assert detector.code, "a detector needs a code"
    assert detector.title, "a detector needs a title"
    for check in (check_silence, check_shift, check_bits, check_names_and_order, check_odd_rows, check_false_alarms):
        check(detector)


def made_up(seed: int, rows: int = ROWS) -> Frame:
    """Rows of two correlated numbers (one with gaps), a count, a category with gaps and a text."""
    rng = np.random.default_rng(seed)
    base = rng.normal(size=rows)
    gaps = base + 0.3 * rng.normal(size=rows)
    gaps[rng.random(rows) < 0.1] = np.nan
    level = np.array(["red", "green", "blue", None], object)[rng.choice(4, rows, p=[0.5, 0.3, 0.15, 0.05])]
    text = np.array(["word " * k for k in rng.integers(1, 60, rows)], object)
    count = rng.poisson(3.0, rows).astype(np.float64)
    kinds = (("base", "number"), ("gaps", "number"), ("count", "number"), ("level", "category"), ("text", "text"))
    return frame_of([(Feature(n, k), a) for (n, k), a in zip(kinds, (base, gaps, count, level, text), strict=True)])  # type: ignore[arg-type]


def shifted(frame: Frame) -> Frame:
    """The same values moved far away, every feature shuffled by itself: neither one nor their company is as before."""
    arrays = []
    rng = np.random.default_rng(0)
    for feature, as_it_was in zip(frame.features, frame.arrays, strict=True):
        values = rng.permutation(as_it_was)
        if feature.type == "number":
            arrays.append(values * 2.0 + 10.0)
        else:
            arrays.append(np.array([None if v is None else f"{v} {v} other" for v in values], object))
    return Frame(frame.features, tuple(arrays))


def _look(detector: Detector, reference: Frame, current: Frame) -> list[Alarm]:
    return detector.look(reference, current, alpha=ALPHA, seed=0)


def check_silence(detector: Detector) -> None:
    """The very rows of the reference are no drift."""
    frame = made_up(1)
    assert _look(detector, frame, frame) == [], "an alarm about the rows of the reference itself"


def check_shift(detector: Detector) -> None:
    """What has moved far away is seen, and told completely."""
    alarms = _look(detector, made_up(1), shifted(made_up(2)))
    assert alarms, "everything moved far away and there was no alarm"
    for alarm in alarms:
        assert alarm.code == detector.code, f"an alarm of {alarm.code} from {detector.code}"
        assert alarm.subject, "an alarm without a subject"
        assert alarm.message, "an alarm without a message"
        assert alarm.alpha == ALPHA, f"asked for alpha {ALPHA}, stated {alarm.alpha}"
        assert math.isnan(alarm.p) or alarm.p < ALPHA, f"an alarm with p = {alarm.p}"
        assert (alarm.n_reference, alarm.n_current) == (ROWS, ROWS), "an alarm without its numbers of rows"


def check_bits(detector: Detector) -> None:
    """Same rows, same seed: same alarms; and the rows are left as they were."""
    reference, current = made_up(1), shifted(made_up(2))
    once = _look(detector, reference, current)
    assert once == _look(detector, reference, current), "two looks at the same rows differ"
    for frame, fresh in ((reference, made_up(1)), (current, shifted(made_up(2)))):
        for values, as_made in zip(frame.arrays, fresh.arrays, strict=True):
            same = np.array_equal(values, as_made, equal_nan=values.dtype.kind == "f")
            assert same, "the detector changed the rows that it looked at"


def check_names_and_order(detector: Detector) -> None:
    """Names change only the words; the order of rows changes nothing."""

    def renamed(frame: Frame) -> Frame:
        features = tuple(replace(f, name=f"z{len(frame.features) - i}") for i, f in enumerate(frame.features))
        return Frame(features, frame.arrays)

    reference, current = made_up(1), shifted(made_up(2))
    numbers = [(a.statistic, a.p, a.severity) for a in _look(detector, reference, current)]
    other = [(a.statistic, a.p, a.severity) for a in _look(detector, renamed(reference), renamed(current))]
    assert numbers == other, "other column names give other numbers"
    mixed = current.take(np.random.default_rng(0).permutation(ROWS))
    found = [(round(a.statistic, 9), a.severity) for a in _look(detector, reference, mixed)]
    assert found == [(round(s, 9), v) for s, _, v in numbers], "the order of rows changes the alarms"


def check_odd_rows(detector: Detector) -> None:
    """No rows, one row, nothing but gaps, one value only: no error, and no alarm about too little."""
    frame = made_up(1)
    assert _look(detector, frame, frame.take(np.arange(0))) == [], "an alarm about no rows"
    assert _look(detector, frame, frame.take(np.arange(1))) == [], "an alarm about one row"
    gone = Frame(frame.features[:2], (np.full(ROWS, np.nan), np.ones(ROWS)))
    assert _look(detector, gone, gone) == [], "an alarm about empty and constant columns"


def check_false_alarms(detector: Detector) -> None:
    """Rows of the same kind raise an alarm no more often than stated (binomial bound, one in a thousand)."""
    false = sum(bool(_look(detector, made_up(100 + i), made_up(5000 + i, ROWS // 2))) for i in range(TRIES))
    chance, bound = 1.0, 0
    while chance > 0.001:
        bound += 1
        chance = sum(math.comb(TRIES, k) * ALPHA**k * (1 - ALPHA) ** (TRIES - k) for k in range(bound, TRIES + 1))
    assert false < bound, f"{false} alarms in {TRIES} looks at unchanged rows; stated: {ALPHA:.0%}"
