import numpy as np
import pytest

from holdgood.audit.aud043_formats import CHECK
from holdgood.audit.times_written import Clock, minutes_in

rng = np.random.default_rng(1)
TIMES = [f"{h}:{m:02d} {half}.m." for h in range(1, 13) for m in range(0, 60, 7) for half in "ap"]


def test_times_that_carry_more_are_rewritten_and_words_become_missing(tables_of):
    odd = ["10:46aDec 1", "12/02/2011 5:50 a.m.", "6:55 PM", "Not Available", "Thu 6:55"]
    (finding,) = CHECK.run(tables_of({"t": {"leaves": TIMES + odd}}))
    told = finding.proposal.parameters
    assert told["mapping"] == {"10:46aDec 1": "10:46 a.m.", "12/02/2011 5:50 a.m.": "5:50 a.m.", "6:55 PM": "6:55 p.m."}
    assert told["missing"] == ["Not Available", "Thu 6:55"]
    assert (finding.level, finding.rows) == ("issue", 5)


def test_a_clock_of_24_hours(tables_of):
    times = [f"{h:02d}:{m:02d}" for h in range(24) for m in range(0, 60, 5)]
    (finding,) = CHECK.run(tables_of({"t": {"at": [*times, "7:10 pm", "12:05 a.m."]}}))
    assert finding.proposal.parameters["mapping"] == {"7:10 pm": "19:10", "12:05 a.m.": "00:05"}


@pytest.mark.parametrize(
    ("text", "minutes"),
    [("12:00 a.m.", 0), ("12:00 p.m.", 720), ("1:05p", 785), ("13:00 p.m.", None), ("9:00 a.m. to 9:30 a.m.", None)],
)
def test_minutes(text, minutes):
    assert minutes_in(text, Clock(" a.m.", " p.m.", False)) == minutes


def test_every_time_is_written_as_it_was_read():
    for clock in (Clock(" a.m.", " p.m.", False), Clock("AM", "PM", True), Clock("", "", True)):
        for minute in range(0, 1440, 13):
            assert minutes_in(clock.write(minute), clock) == minute


def test_codes_with_other_separators(tables_of):
    phones = [f"555-{a}-{b}" for a, b in zip(rng.integers(100, 999, 200), rng.integers(1000, 9999, 200), strict=True)]
    odd = ["5551234567", "(555) 123-9999", "555.123.4568"]
    (finding,) = CHECK.run(tables_of({"t": {"phone": [*phones, *odd]}}))
    assert finding.proposal.parameters["mapping"] == {
        "5551234567": "555-123-4567",
        "(555) 123-9999": "555-123-9999",
        "555.123.4568": "555-123-4568",
    }


def test_dates_numbers_names_and_mixed_codes_are_none_of_its_business(tables_of):
    columns = {
        "day": ["2011-01-05"] * 95 + ["05/01/2011"] * 5,
        "amount": ["10.5"] * 95 + ["1,000"] * 5,
        "name": ["Ann Lee"] * 95 + ["O'Hara, Tim"] * 5,
        "code": ["A1", "AB12", "ABC", "A-1-B", "77"] * 20,
    }
    assert CHECK.run(tables_of({"t": columns})) == []


def test_not_applicable_without_texts(tables_of, refuses):
    assert refuses(CHECK, tables_of({"t": {"a": [1]}})) == "no column is kept as text"


def test_codes_that_a_spreadsheet_took_for_numbers(tables_of):
    codes = [f"{i * 37 % 100_000:05d}" for i in range(1, 400)]
    (finding,) = CHECK.run(tables_of({"t": {"zip": [*codes, "35233.0", "1234", "512", "90210.00"]}}))
    assert finding.proposal.parameters == {"mapping": {"35233.0": "35233", "1234": "01234", "512": "00512", "90210.00": "90210"}}  # fmt: skip
    # where no code begins with a zero, a shorter one has lost none
    assert CHECK.run(tables_of({"t": {"zip": [*(str(10_000 + i) for i in range(300)), "1234", "512"]}})) == []


def test_pairs_of_numbers_that_became_days(tables_of):
    pages = [f"{i}-{i + 7}" for i in range(1, 200)]
    (finding,) = CHECK.run(tables_of({"t": {"pages": [*pages, "Jun-70", "12-Mar"]}}))
    assert finding.proposal.parameters == {"missing": ["12-Mar", "Jun-70"]}
    assert CHECK.run(tables_of({"t": {"month": [f"{m}-{y}" for m in ("Jan", "Jun") for y in range(10, 60)]}})) == []


def test_lists_with_other_signs_between(tables_of):
    kinds = ["Drama", "Crime", "Comedy", "Horror"]
    lists = [f"{a},{b}" for a in kinds for b in kinds for _ in range(5)]
    (finding,) = CHECK.run(tables_of({"t": {"kind": [*lists, "Drama|Crime", "Horror; Comedy", "Sun|Moon"]}}))
    assert finding.proposal.parameters["mapping"] == {"Drama|Crime": "Drama,Crime", "Horror; Comedy": "Horror,Comedy"}
    # signs that stand together say different things
    assert CHECK.run(tables_of({"t": {"kind": [f"{x}/a" for x in lists]}})) == []
