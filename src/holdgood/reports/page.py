"""One file from templates, style, scripts and data: nothing is loaded, and the page tells the browser so."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from holdgood.core.records import Comparison, Interval
from holdgood.reports import format as words
from holdgood.reports.declared import without_secrets
from holdgood.reports.words import family, is_share, metric

CHART_LIBRARY = "vendor/echarts.common.min.js"
# A page with ten thousand columns is not read; the records in the run folder have all of them.
MOST_COLUMNS = 200


def render_page(template: str, *, charts: bool, **context: Any) -> str:
    """Fill a template; ``charts`` puts the chart library into the page (0.7 MB) where there is something to draw.

    The content security policy lets only the scripts of this very page run, by their hashes, and nothing be loaded.
    """
    scripts = [_asset(CHART_LIBRARY)] if charts else []
    scripts.append(_asset("assets/report.js"))
    text = _environment().get_template(template)
    return text.render(
        style=Markup(_asset("assets/report.css")),  # nosec B704 # noqa: S704 - our own file
        scripts=[Markup(s) for s in scripts],  # nosec B704 # noqa: S704 - our own files
        policy=_policy(scripts),
        most_columns=MOST_COLUMNS,
        **context,
    )


def data_block(value: Any) -> Markup:
    r"""JSON that is safe inside a ``<script type="application/json">``: no tag can close it.

    >>> print(data_block({"name": "</script><b>"}))
    {"name":"\u003c/script\u003e\u003cb\u003e"}
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)  # nosec B704 # noqa: S704 - escaped above


@cache
def _asset(path: str) -> str:
    return files("holdgood.reports").joinpath(path).read_text(encoding="utf-8").replace("\r\n", "\n")


def _policy(scripts: Iterable[str]) -> str:
    digests = (base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in scripts)
    allowed = " ".join(f"'sha256-{d}'" for d in digests)
    loads = f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data:"
    return f"{loads}; base-uri 'none'; form-action 'none'"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("holdgood.reports", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "count": words.count,
        "number": words.number,
        "fixed": words.fixed,
        "interval": words.interval,
        "chance": words.chance,
        "cell": _cell,
        "ticked": _ticked,
        "money": words.money,
        "percent": words.percent,
        "duration": words.duration,
        "size": words.size,
        "moment": words.moment,
        "day": _day,
        "listed": words.listed,
        "known": words.known,
        "sign": words.sign,
        "metric": metric,
        "family": family,
        "data_block": data_block,
        "without_secrets": without_secrets,
        "is_share": is_share,
        "capitalize_first": _capitalize_first,
        "full_stop": _full_stop,
        "levels": _levels,
        "parameter": _parameter,
        "times": _times,
    }
    return environment


def _cell(value: Interval | Comparison, **how: Any) -> Markup:
    """A value with its range on a line of its own, for tables."""
    middle, spread = words.interval_pieces(value, **how)
    return Markup('{}<span class="range">{}</span>').format(middle, spread) if spread else escape(middle)


def _ticked(text: str) -> Markup:
    """Names between backticks as code.

    >>> print(_ticked("`a<b` holds 0"))
    <code>a&lt;b</code> holds 0
    """
    pieces = text.split("`")
    if len(pieces) % 2 == 0:
        return escape(text)
    return Markup("").join(Markup("<code>{}</code>").format(p) if i % 2 else p for i, p in enumerate(pieces))


def _capitalize_first(text: str) -> str:
    """A capital letter in front, the rest as it is (ROC AUC stays ROC AUC)."""
    return text[:1].upper() + text[1:]


def _full_stop(text: str) -> str:
    """A sentence as one, whether or not it came with its full stop."""
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _day(text: str) -> str:
    """An ISO time without a time of day that says nothing."""
    return text.replace("T", " ").removesuffix(" 00:00:00")


def _levels(intervals: Iterable[Interval]) -> str:
    return " and ".join(dict.fromkeys(words.percent(i.level) for i in intervals))


def _parameter(value: Any) -> str:
    return words.number(value) if isinstance(value, float) else str(value)


def _times(ratio: float) -> str:
    return f"{words.number(ratio, 2)} ×" if words.known(ratio) else words.NOTHING
