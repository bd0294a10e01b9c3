"""Errors in values: missing, disguised, mistyped, in another unit, in another column, misspelled, contradicting."""

from __future__ import annotations

import numpy as np
import pandas as pd
from case import Case, NotPlantable, Place, as_written, numbers, some
from kind import Kind, Strength, Truth, share, some_rows, stretch
from prepare import accented, dated, depot_and_city, worded

GROUP = "values"


def missing_block(case: Case, strength: Strength, rng: np.random.Generator) -> Truth:
    """One stretch of rows, in file order, is empty in one to three columns. Weak 0.3%, middle 2%, strong 10% of the rows."""
    free = [
        p for p in sorted_places(case) if not case.tables[p[0]][p[1]].isna().any() and len(case.tables[p[0]]) >= 500
    ]
    table, first = some(free, rng, "no complete column")
    more = [c for t, c in free if t == table and c != first]
    columns = [first, *rng.choice(more, min(len(more), int(rng.integers(0, 3))), replace=False)]
    frame = case.frame(table)
    rows = stretch(len(frame), share(strength, 0.003, 0.02, 0.10), rng)
    for column in columns:
        frame[column] = emptied(frame[column], rows)
    case.put(table, frame)
    return Truth(table, tuple(map(str, columns)), rows)


def sentinel_number(case: Case, strength: Strength, rng: np.random.Generator) -> Truth:
    """A number that means "missing" (-999, -9999, 99999), outside of the column's range. Weak 0.2%, middle 1%, strong 5%."""
    table, column = some(numbers(case), rng, "no number column")
    frame = case.frame(table)
    values = frame[column]
    codes = [c for c in (-999, -9999, 99999) if not values.min() <= c <= values.max()]
    code = some(codes, rng, "every code lies in the column's range")
    rows = some_rows(len(frame), share(strength, 0.002, 0.01, 0.05), rng)
    frame.loc[rows, column] = code
    case.put(table, frame)
    return Truth(table, (column,), rows, {"code": code})


def sentinel_word(case: Case, strength: Strength, rng: np.random.Generator) -> Truth:
    """A word that means "missing" among categories. Weak 0.2%, middle 1%, strong 5%."""
    table, column = some(texts(case), rng, "no column of words")
    frame = case.frame(table)
    taken = set(frame[column].dropna())
    word = some([w for w in ("?", "n/a", "N/A", "-", "null", "#N/A", "missing") if w not in taken], rng, "all taken")
    rows = some_rows(len(frame), share(strength, 0.002, 0.01, 0.05), rng)
    frame.loc[rows, column] = word
    case.put(table, frame)
    return Truth(table, (column,), rows, {"word": word})


def sentinel_in_number(case: Case, strength: Strength, rng: np.random.Generator) -> Truth:
    """A word that means "missing" among numbers, so that the file reads as text. Weak 0.2%, middle 1%, strong 5%."""
    table, column = some(numbers(case), rng, "no number column")
    frame = case.frame(table)
    word = some(("?", "n/a", "-", "null", "#N/A"), rng, "")
    rows = some_rows(len(frame), share(strength, 0.002, 0.01, 0.05), rng)
    frame[column] = as_written(frame[column])
    frame.loc[rows, column] = word
    case.put(table, frame)
    return Truth(table, (column,), rows, {"word": word})


def zero_impossible(case: Case, strength: Strength, rng: np.random.Generator) -> Truth:
    """Zero where zero cannot be (a weight, an age, a count of rooms). Weak 0.2%, middle 1%, strong 5%."""
    free = case.free()
    table, column = some([p for p in case.known.positive if p in free], rng, "no column that can never be zero")
    frame = case.frame(table)
    rows = some_rows(len(frame), share(strength, 0.002, 0.01, 0.05), rng)
    frame.loc[rows, column] = 0
    case.put(table, frame)
    return Truth(table, (column,), rows)


def mixed_types(case: Case, strength: Strength, rng: np.random.Generator) -> Truth:
    """Words and remarks among numbers: the file reads as text. Weak 0.2%, middle 1%, strong 5%."""
    table, column = some(numbers(case), rng, "no number column")
    frame = case.frame(table)
    rows = some_rows(len(frame), share(strength, 0.002, 0.01, 0.05), rng)
    text = as_written(frame[column])
    remarks = ("see note", "broken", "too high", "approx. {}", "{} (est.)", "about {}", "{}!", "x{}")
    wrong = [str(rng.choice(remarks)).format(v) for v in text.loc[rows].fillna("5")]
    text.loc[rows] = wrong
    frame[column] = text
    case.put(table, frame)
    return Truth(table, (column,), rows)


def malformed_dates(case: Case, strength: Strength, rng: np.random.Generator) -> Truth:
    """Dates that no calendar knows (31 February, month 13, letters, cut off): read as text. Weak 0.2%, middle 1%, strong 5%."""
    table, column = some(case.known.dates, rng, "no date")
    frame = case.frame(table)
    rows = some_rows(len(frame), share(strength, 0.002, 0.01, 0.05), rng)
    text = as_written(frame[column])
    text.loc[rows] = [_malformed(str(v), rng) for v in text.loc[rows]]
    frame[column] = text
    case.put(table, frame)
    return Truth(table, (column,), rows)


def _malformed(text: str, rng: np.random.Generator) -> str:
    year, month, rest = text[:4], text[5:7], text[8:]
    forms = (f"{year}-13-{rest}", f"{year}-02-31{rest[2:]}", f"{year}-{month}-{rest}".replace("0", "O", 1), f"{year}-{month}",
             f"{year}/{month}//{rest}", f"00-{month}-{rest}")  # fmt: skip
    return str(rng.choice(forms))


def dates_out_of_range(case: Case, strength: Strength, rng: np.random.Generator) -> Truth:
    """1900-01-01, 1970-01-01, 2099-12-31, 9999-12-31 or a hundred years off. Weak 0.2%, middle 1%, strong 5%."""
    table, column = some(case.known.dates, rng, "no date")
    frame = case.frame(table)
    rows = some_rows(len(frame), share(strength, 0.002, 0.01, 0.05), rng)
    which = str(rng.choice(["1900-01-01", "2099-12-31", "9999-12-31", "century"]))
    values = frame[column].astype("datetime64[us]")
    if which == "century":
        years = int(rng.choice([-100, 100]))
        values.loc[rows] = [v + pd.DateOffset(years=years) for v in values.loc[rows]]
    else:
        values.loc[rows] = pd.Timestamp(which).as_unit("us")
    frame[column] = values
    case.put(table, frame)
    return Truth(table, (column,), rows, {"which": which})


def _scaled(case: Case, place: Place, rows: np.ndarray, change, **parameters: object) -> Truth:
    table, column = place
    frame = case.frame(table)
    values = frame[column].astype(float)
    values.loc[rows] = change(values.loc[rows])
    frame[column] = values
    case.put(table, frame)
    return Truth(table, (column,), rows, dict(parameters))


def _part_of(case: Case, table: str, strength: Strength, rng: np.random.Generator) -> np.ndarray:
    """Rows in another unit: one stretch of the file in half of the cases, scattered in the other half."""
    n, part = len(case.tables[table]), share(strength, 0.003, 0.02, 0.10)
    return stretch(n, part, rng) if rng.random() < 0.5 else some_rows(n, part, rng)


def unit_thousand(case: Case, strength: Strength, rng: np.random.Generator) -> Truth:
    """Some rows in thousandths of the unit, or in thousands of it. Weak 0.3%, middle 2%, strong 10% of the rows."""
    free = [p for p in numbers(case) if (case.tables[p[0]][p[1]] > 0).all()]
    place = some(free, rng, "no positive number column")
    factor = float(rng.choice([1000.0, 0.001]))
    return _scaled(case, place, _part_of(case, place[0], strength, rng), lambda v: v * factor, factor=factor)


def unit_temperature(case: Case, strength: Strength, rng: np.random.Generator) -> Truth:
    """Degrees Fahrenheit among Celsius, or the other way. Weak 0.3%, middle 2%, strong 10% of the rows."""
    places = [(p, True) for p in case.known.celsius] + [(p, False) for p in case.known.fahrenheit]
    place, celsius = some(places, rng, "no temperature")
    change = (lambda v: (v * 1.8 + 32).round(2)) if celsius else (lambda v: ((v - 32) / 1.8).round(2))
    return _scaled(case, place, _part_of(case, place[0], strength, rng), change, to="F" if celsius else "C")


def unit_inch(case: Case, strength: Strength, rng: np.random.Generator) -> Truth:
    """Inches among millimetres, or the other way. Weak 0.3%, middle 2%, strong 10% of the rows."""
    places = [(p, 1 / 25.4) for p in case.known.millimetres] + [(p, 25.4) for p in case.known.inches]
    place, factor = some(places, rng, "no length in millimetres or inches")
    rows = _part_of(case, place[0], strength, rng)
    rows = rows[case.tables[place[0]][place[1]].to_numpy()[rows] != 0]
    if len(rows) == 0:
        raise NotPlantable("every row drawn is zero, the same in either unit")
    return _scaled(case, place, rows, lambda v: (v * factor).round(3), factor=factor)


def unit_mile(case: Case, strength: Strength, rng: np.random.Generator) -> Truth:
    """Kilometres among miles. Weak 0.3%, middle 2%, strong 10% of the rows."""
    place = some(case.known.miles, rng, "no length in miles")
    rows = _part_of(case, place[0], strength, rng)
    return _scaled(case, place, rows, lambda v: (v * 1.609344).round(1), factor=1.609344)


def swapped(case: Case, strength: Strength, rng: np.random.Generator) -> Truth:
    """The values of two columns exchanged. Weak 0.3%, middle 2%, strong 8% of the rows."""
    table, one, two = some(case.known.swaps, rng, "no two columns that could be mistaken")
    frame = case.frame(table)
    rows = some_rows(len(frame), share(strength, 0.003, 0.02, 0.08), rng)
    a, b = frame[one].to_numpy(copy=True), frame[two].to_numpy(copy=True)
    if pd.api.types.is_numeric_dtype(frame[one]):
        a, b = a.astype(float), b.astype(float)
    a[rows], b[rows] = b[rows], a[rows].copy()
    frame[one], frame[two] = a, b
    case.put(table, frame)
    return Truth(table, (one, two), rows)


def spellings(case: Case, strength: Strength, rng: np.random.Generator) -> Truth:
    """The same category in capitals, in small letters, with other punctuation. Weak 0.3%, middle 2%, strong 10%."""
    table, column = some(_worded(case, 3), rng, "no vocabulary in words")
    frame = case.frame(table)
    rows = _with_words(frame[column], share(strength, 0.003, 0.02, 0.10), rng, 2)
    form = str(rng.choice(["upper", "lower", "dash"]))
    out = frame[column].copy()
    out.loc[rows] = [_respelled(str(v), form) for v in out.loc[rows]]
    changed = rows[(out.loc[rows] != frame[column].loc[rows]).to_numpy()]
    if len(changed) == 0:
        raise NotPlantable("every value drawn is spelled so already")
    frame[column] = out
    case.put(table, frame)
    return Truth(table, (column,), changed, {"form": form})


def _respelled(text: str, form: str) -> str:
    if form == "dash":
        for one, two in (("-", " "), (" ", "_"), ("_", "-")):
            if one in text:
                return text.replace(one, two)
        return text.upper()
    out = text.upper() if form == "upper" else text.lower()
    return out if out != text else text.title() if text.title() != text else text.upper()


def typos(case: Case, strength: Strength, rng: np.random.Generator) -> Truth:
    """One letter left out, doubled, exchanged or mistaken in a closed vocabulary. Weak 0.2%, middle 1%, strong 5%."""
    table, column = some(_worded(case, 4), rng, "no vocabulary in words")
    frame = case.frame(table)
    rows = _with_words(frame[column], share(strength, 0.002, 0.01, 0.05), rng, 4)
    known = set(frame[column].dropna())
    out = frame[column].copy()
    out.loc[rows] = [mistyped(str(v), rng, known) for v in out.loc[rows]]
    frame[column] = out
    case.put(table, frame)
    return Truth(table, (column,), rows)


def mistyped(text: str, rng: np.random.Generator, known: set[str]) -> str:
    """The text with one slip of a finger; never another known value."""
    while True:
        at = int(rng.integers(0, len(text) - 1))
        slip = int(rng.integers(4))
        letter = "abcdefghijklmnopqrstuvwxyz"[int(rng.integers(26))]
        out = (
            text[:at] + text[at + 1 :],
            text[: at + 1] + text[at:],
            text[:at] + text[at + 1] + text[at] + text[at + 2 :],
            text[:at] + letter + text[at + 1 :],
        )[slip]
        if out != text and out not in known and out.strip() == out:
            return out


def whitespace(case: Case, strength: Strength, rng: np.random.Generator) -> Truth:
    """Blanks before or after, doubled, tabs, no-break spaces. Weak 0.3%, middle 2%, strong 10%."""
    table, column = some(_worded(case, 1), rng, "no vocabulary in words")
    frame = case.frame(table)
    rows = _with_words(frame[column], share(strength, 0.003, 0.02, 0.10), rng, 1)
    forms = ("{} ", " {}", "  {}", "{}\t", "\u00a0{}", "{}\u00a0", "{}\r")
    out = frame[column].copy()
    out.loc[rows] = [str(rng.choice(forms)).format(v) for v in out.loc[rows]]
    frame[column] = out
    case.put(table, frame)
    return Truth(table, (column,), rows)


def mojibake(case: Case, strength: Strength, rng: np.random.Generator) -> Truth:
    """UTF-8 read as Latin-1 (or the letters lost) in some rows with accents. Weak 0.3%, middle 2%, strong 10%."""
    frame = case.frame(case.main)
    accents = np.flatnonzero([any(ord(ch) > 127 for ch in v) for v in frame["town"]])
    wanted = max(2, round(share(strength, 0.003, 0.02, 0.10) * len(frame)))
    rows = np.sort(rng.choice(accents, min(wanted, len(accents)), replace=False))
    lost = bool(rng.random() < 0.3)
    out = frame["town"].copy()
    out.loc[rows] = [_misread(v, lost) for v in out.loc[rows]]
    frame["town"] = out
    case.put(case.main, frame)
    return Truth(case.main, ("town",), rows, {"lost": lost})


def _misread(text: str, lost: bool) -> str:
    if lost:
        return "".join("\ufffd" if ord(ch) > 127 else ch for ch in text)
    return text.encode("utf-8").decode("latin-1")


def broken_dependency(case: Case, strength: Strength, rng: np.random.Generator) -> Truth:
    """A column that another one determines (a depot's town, a degree's number) says otherwise. Weak 0.2%, middle 1%, strong 5%."""
    table, by, column = some([*case.known.depends, (case.main, "depot", "depot_city")], rng, "")
    frame = case.frame(table)
    rows = some_rows(len(frame), share(strength, 0.002, 0.01, 0.05), rng)
    others = frame[column].drop_duplicates().to_numpy()
    out = frame[column].to_numpy(copy=True)
    for row in rows:
        out[row] = rng.choice(others[others != out[row]])
    frame[column] = out
    case.put(table, frame)
    return Truth(table, (column,), rows, {"by": by}, others=((table, by),))


def entry_digit(case: Case, strength: Strength, rng: np.random.Generator) -> Truth:
    """A digit too many: ten times the value in single rows. Weak 0.1%, middle 0.5%, strong 2%."""
    free = [p for p in numbers(case) if (case.tables[p[0]][p[1]] > 0).all()]
    place = some(free, rng, "no positive number column")
    rows = some_rows(len(case.tables[place[0]]), share(strength, 0.001, 0.005, 0.02), rng)
    return _scaled(case, place, rows, lambda v: v * 10)


def entry_transposed(case: Case, strength: Strength, rng: np.random.Generator) -> Truth:
    """Two neighbouring digits exchanged in single rows. Weak 0.1%, any digits; middle 0.5%, the first two; strong 2%, the first two
    of values that then lie beyond the middle 99% of the column (fewer rows where there are not so many).
    """
    free = [p for p in numbers(case) if (case.tables[p[0]][p[1]] >= 10).mean() > 0.9]
    place = some(free, rng, "no number column of two digits")
    values = case.tables[place[0]][place[1]].to_numpy(float)
    whole = bool((values % 1 == 0).all())
    out = np.array([_transposed(v, whole, None if strength == "weak" else 0, rng) for v in values])
    usable = out != values
    if strength == "strong":
        low, high = np.quantile(values, [0.005, 0.995])
        usable &= (out < low) | (out > high)
    if usable.sum() < 2:
        raise NotPlantable("no two digits whose exchange would show")
    wanted = max(2, round(share(strength, 0.001, 0.005, 0.02) * len(values)))
    rows = np.sort(rng.choice(np.flatnonzero(usable), min(wanted, int(usable.sum())), replace=False))
    return _scaled(case, place, rows, lambda _: out[rows])


def _transposed(value: float, whole: bool, at: int | None, rng: np.random.Generator) -> float:
    """The value with two neighbouring digits exchanged: the first two, or any (``at`` None); itself where they are equal."""
    text = str(int(value)) if whole else repr(float(value))
    spots = [i for i in range(len(text) - 1) if text[i].isdigit() and text[i + 1].isdigit() and text[i] != text[i + 1]]
    spots = [i for i in spots if at is None or i == at]
    if not spots:
        return value
    i = int(rng.choice(spots))
    return float(text[:i] + text[i + 1] + text[i] + text[i + 2 :])


def emptied(values: pd.Series, rows: np.ndarray) -> pd.Series:
    """The column with some rows missing; whole numbers stay whole, and true or false stays that."""
    if pd.api.types.is_bool_dtype(values):
        out = values.astype("boolean")
    elif pd.api.types.is_integer_dtype(values):
        out = values.astype("Int64")
    else:
        out = values.copy()
    out.iloc[rows] = None if out.dtype == object else pd.NA if pd.api.types.is_extension_array_dtype(out) else np.nan
    return out


def sorted_places(case: Case) -> list[Place]:
    """Free places in schema order."""
    free = case.free()
    return [(t, c) for t, f in case.tables.items() for c in f.columns if (t, c) in free]


def texts(case: Case) -> list[Place]:
    """Free columns of words with a closed vocabulary, complete."""
    out = []
    for table, column in sorted_places(case):
        values = case.tables[table][column]
        if values.dtype == object and len(values) >= 500 and not values.isna().any() and 2 <= values.nunique() <= 100:
            out.append((table, column))
    return out


def _worded(case: Case, letters: int) -> list[Place]:
    free = case.free()
    out = [p for p in case.known.vocabulary if p in free]
    return [p for p in out if case.tables[p[0]][p[1]].dropna().astype(str).str.len().median() >= letters]


def _with_words(values: pd.Series, part: float, rng: np.random.Generator, letters: int) -> np.ndarray:
    usable = np.flatnonzero(values.notna() & (values.astype(str).str.count("[A-Za-z]") >= letters))
    return np.sort(rng.choice(usable, min(len(usable), max(2, round(part * len(values)))), replace=False))


KINDS = (
    Kind("missing_block", missing_block, ("AUD001",), group=GROUP),
    Kind("sentinel_number", sentinel_number, ("AUD007",), ("AUD028",), group=GROUP),
    Kind("sentinel_word", sentinel_word, ("AUD007",), prepare=worded, group=GROUP),
    Kind("sentinel_in_number", sentinel_in_number, ("AUD007", "AUD006"), group=GROUP),
    Kind("zero_impossible", zero_impossible, ("AUD007",), ("AUD028",), group=GROUP),
    Kind("mixed_types", mixed_types, ("AUD006",), ("AUD012",), group=GROUP),
    Kind("malformed_dates", malformed_dates, ("AUD008",), ("AUD006", "AUD012"), prepare=dated, group=GROUP),
    Kind("dates_out_of_range", dates_out_of_range, ("AUD008",), ("AUD007",), prepare=dated, group=GROUP),
    Kind("unit_thousand", unit_thousand, ("AUD022",), ("AUD028", "AUD035"), group=GROUP),
    Kind("unit_temperature", unit_temperature, ("AUD022",), ("AUD023", "AUD027", "AUD028", "AUD035"), group=GROUP,
         blind="a temperature in the other unit that is itself a common temperature looks like weather"),
    Kind("unit_inch", unit_inch, ("AUD022",), ("AUD028", "AUD035"), group=GROUP),
    Kind("unit_mile", unit_mile, ("AUD022",), ("AUD026", "AUD028", "AUD035"), group=GROUP,
         blind="a factor of 1.6 lies within the spread of most lengths; only a column that it contradicts can tell"),
    Kind("swapped", swapped, ("AUD023",), ("AUD022", "AUD026", "AUD028", "AUD024"), group=GROUP,
         blind="two columns with the same range and no third that links them can be exchanged without a trace"),
    Kind("spellings", spellings, ("AUD010",), ("AUD024",), prepare=worded, group=GROUP),
    Kind("typos", typos, ("AUD024",), ("AUD010",), prepare=worded, group=GROUP),
    Kind("whitespace", whitespace, ("AUD025",), ("AUD010",), prepare=worded, group=GROUP),
    Kind("mojibake", mojibake, ("AUD025",), ("AUD010", "AUD024"), prepare=accented, group=GROUP),
    Kind("broken_dependency", broken_dependency, ("AUD026",), ("AUD030",), prepare=depot_and_city, group=GROUP),
    Kind("entry_digit", entry_digit, ("AUD028",), ("AUD022",), group=GROUP,
         blind="ten times a small value of a column that spans more than a factor of ten is an ordinary value"),
    Kind("entry_transposed", entry_transposed, ("AUD028",), ("AUD026",), group=GROUP,
         blind="exchanged digits mostly give another ordinary value: without a second copy or a linked column nothing shows"),
)  # fmt: skip
