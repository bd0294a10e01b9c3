"""Numbers for people: as many digits as the interval carries, units always, and a dash where nothing was measured."""

from __future__ import annotations

import math
from collections.abc import Iterable

from holdgood.core.records import Comparison, Interval

NOTHING = "–"
_SYMBOLS = {"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥", "INR": "₹"}


def known(value: float | None) -> bool:
    """Whether there is a finite number to show."""
    return value is not None and math.isfinite(value)


def fixed(value: float | None, decimals: int) -> str:
    """A number with the given decimals (negative: rounded to tens, hundreds …), thousands marked, a true minus sign.

    >>> fixed(-41234.5, -2), fixed(0.12345, 3), fixed(-0.0001, 2), fixed(float("nan"), 2)
    ('−41,200', '0.123', '0.00', '–')
    """
    if value is None or math.isnan(value):
        return NOTHING
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    text = f"{abs(round(value, decimals)):,.{max(decimals, 0)}f}"
    return f"−{text}" if value < 0 and any(c in "123456789" for c in text) else text


def number(value: float | None, digits: int = 3) -> str:
    """A lone number with the given significant digits; whole numbers stay whole.

    >>> number(1234567), number(0.0210), number(12.0), number(0.0000321), number(-1234.56), number(None)
    ('1,234,567', '0.021', '12', '3.2×10⁻⁵', '−1,235', '–')
    """
    if value is None or not math.isfinite(value):
        return fixed(value, 0)
    if value == int(value):
        return fixed(value, 0)
    magnitude = math.floor(math.log10(abs(value)))
    if magnitude < -4:
        mantissa, exponent = f"{abs(value):.1e}".split("e")
        power = str(int(exponent)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
        return f"{'−' if value < 0 else ''}{mantissa}×10{power}"
    text = fixed(value, max(0, digits - 1 - magnitude))
    return text.rstrip("0").rstrip(".") if "." in text else text


def decimals(low: float, high: float, value: float) -> int:
    """How many decimals an interval allows: its half width to two digits where it begins with 1 or 2, else to one.

    >>> decimals(0.401, 0.423, 0.412), decimals(0.425, 0.437, 0.431), decimals(1.0, 1.0, 1.0)
    (3, 3, 2)
    """
    half = abs(high - low) / 2
    if not math.isfinite(half) or half == 0:
        if not math.isfinite(value) or value == 0:
            return 2
        return max(0, 2 - math.floor(math.log10(abs(value))))
    magnitude = math.floor(math.log10(half))
    return min(8, (1 if half / 10.0**magnitude < 3 else 0) - magnitude)


def money_decimals(low: float, high: float, value: float) -> int:
    """The same for amounts, one digit finer: people compare them with sums they know.

    >>> money_decimals(33_900, 48_300, 41_200), money_decimals(0.2, 0.8, 0.5)
    (-2, 2)
    """
    half = abs(high - low) / 2
    if not math.isfinite(half) or half == 0:
        return 0 if abs(value) >= 100 else 2
    return min(2, 1 - math.floor(math.log10(half)))


def interval(
    value: Interval | Comparison, currency: str | None = None, signed: bool = False, share: bool = False
) -> str:
    """A value with its interval and level, rounded to what the interval carries; ``share`` shows it as per cent.

    >>> interval(Interval(value=0.41234, low=0.40111, high=0.42333, n=900))
    '0.412 (95%: 0.401 to 0.423)'
    >>> interval(Interval(value=0.41234, low=0.40111, high=0.42333, n=900, level=0.975), share=True)
    '41.2% (97.5%: 40.1% to 42.3%)'
    >>> interval(Interval(value=41234, low=33901, high=48333), currency="EUR", signed=True)
    '+€41,200 (95%: +€33,900 to +€48,300)'
    """
    middle, spread = interval_pieces(value, currency, signed, share)
    return f"{middle} ({percent(value.level)}: {spread})" if spread else middle


def interval_pieces(
    value: Interval | Comparison, currency: str | None = None, signed: bool = False, share: bool = False
) -> tuple[str, str]:
    """The value and its range apart; the range is empty where there is none.

    >>> interval_pieces(Interval(value=0.41234, low=0.40111, high=0.42333))
    ('0.412', '0.401 to 0.423')
    """
    factor = 100 if share else 1
    numbers = [factor * x for x in (middle_of(value), value.low, value.high)]
    places = (decimals if currency is None else money_decimals)(numbers[1], numbers[2], numbers[0])
    show = [_shown(x, places, currency, signed) + ("%" if share and math.isfinite(x) else "") for x in numbers]
    return (show[0], "") if NOTHING in show[1:] else (show[0], f"{show[1]} to {show[2]}")


def middle_of(value: Interval | Comparison) -> float:
    """The number in the middle: an interval's value, a comparison's difference."""
    return value.value if isinstance(value, Interval) else value.difference


def _shown(value: float, places: int, currency: str | None, signed: bool) -> str:
    text = fixed(value, places) if currency is None else money(value, currency, places)
    return sign(value, text) if signed else text


def sign(value: float | None, text: str) -> str:
    """Put a plus before a text whose number is above zero.

    >>> sign(2.0, "€2"), sign(-2.0, "−€2"), sign(float("nan"), "–")
    ('+€2', '−€2', '–')
    """
    return f"+{text}" if value is not None and value > 0 else text


def money(value: float | None, currency: str, places: int | None = None) -> str:
    r"""An amount with its currency; cents only where the amount is small.

    >>> money(300, "EUR"), money(-12.5, "USD"), money(41234.4, "CHF"), money(3.2, ""), money(float("nan"), "EUR")
    ('€300', '−$12.50', 'CHF\xa041,234', '3.20', '–')
    """
    if value is None or not math.isfinite(value):
        return fixed(value, 0)
    if places is None:
        places = 0 if abs(value) >= 100 or value == int(value) else 2
    text = fixed(abs(value), places)
    symbol = _SYMBOLS.get(currency.upper(), currency)
    amount = f"{symbol}{text}" if len(symbol) <= 1 else f"{symbol}\u00a0{text}"
    return f"−{amount}" if value < 0 and any(c in "123456789" for c in text) else amount


def percent(share: float | None, places: int | None = None) -> str:
    """A share of one as per cent.

    >>> percent(0.1234), percent(0.95, 0), percent(0.00042), percent(1.0), percent(None), percent(0.00001)
    ('12.3%', '95%', '0.042%', '100%', '–', '< 0.01%')
    """
    if share is None or not math.isfinite(share):
        return fixed(share, 0)
    value = 100 * share
    if places is None:
        if 0 < abs(value) < 0.01:
            return "< 0.01%" if value > 0 else "> −0.01%"
        places = 0 if value == int(value) else 1 if abs(value) >= 1 else 1 - math.floor(math.log10(abs(value)))
    return f"{fixed(value, places)}%"


def chance(p: float | None) -> str:
    """A p value as it is read aloud.

    >>> chance(0.0312), chance(1e-9), chance(None)
    ('p = 0.031', 'p < 0.001', 'p –')
    """
    if p is None or not math.isfinite(p):
        return f"p {NOTHING}"
    return "p < 0.001" if p < 0.001 else f"p = {fixed(p, 3)}"


def duration(seconds: float | None) -> str:
    """A time span in the unit that people would say.

    >>> duration(0.0000384), duration(0.0123), duration(0.84), duration(12.3), duration(125), duration(7290)
    ('38 µs', '12 ms', '0.84 s', '12 s', '2 min 5 s', '2 h 1 min')
    """
    if seconds is None or not math.isfinite(seconds):
        return NOTHING
    if seconds < 0.001:
        return f"{fixed(seconds * 1e6, 0 if seconds >= 1e-5 or seconds == 0 else 1)} µs"
    if seconds < 0.1:
        return f"{fixed(seconds * 1e3, 0 if seconds >= 0.01 else 1)} ms"
    if seconds < 59.5:
        return f"{fixed(seconds, 0 if seconds >= 10 else 1 if seconds >= 1 else 2)} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours:,} h {minutes} min" if minutes else f"{hours:,} h"


def size(count: float | None) -> str:
    """Bytes in decimal units.

    >>> size(0), size(812), size(1_800_000), size(2.5e9)
    ('0 B', '812 B', '1.8 MB', '2.5 GB')
    """
    if count is None or not math.isfinite(count):
        return NOTHING
    value, unit = float(count), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if value < 1000:
            break
        value, unit = value / 1000, larger
    return f"{fixed(value, 0 if unit == 'B' or value >= 100 else 1)} {unit}"


def count(value: float | None, word: str = "", many: str = "") -> str:
    """A whole number with its noun.

    >>> count(1, "row"), count(412806, "row"), count(2, "entry", "entries"), count(7)
    ('1 row', '412,806 rows', '2 entries', '7')
    """
    text = fixed(value, 0)
    return text if not word else f"{text} {word if value == 1 else many or word + 's'}"


def moment(text: str) -> str:
    """An ISO time without its T, to the minute, UTC.

    >>> moment("2026-11-22T23:00:07+00:00"), moment("2013-07-01"), moment("")
    ('2026-11-22 23:00 UTC', '2013-07-01', '–')
    """
    if len(text) < 16 or text[10] not in "T ":
        return text or NOTHING
    clock = text[11:16]
    zone = " UTC" if text.endswith(("+00:00", "Z")) else ""
    return f"{text[:10]} {clock}{zone}"


def listed(words: Iterable[str], limit: int = 6) -> str:
    """Names in a row, the tail counted.

    >>> listed(["a", "b", "c"]), listed("abcdefgh", 3), listed([])
    ('a, b, c', 'a, b, c and 5 more', '–')
    """
    names = [str(w) for w in words]
    if not names:
        return NOTHING
    head = ", ".join(names[:limit])
    return head if len(names) <= limit else f"{head} and {len(names) - limit:,} more"
