"""Charts as SVG, drawn on the server: they follow the page's theme, need no script, and carry their numbers as a table.

Bars are written by hand: they cost microseconds and their text keeps its size on a phone. Columns and lines over time are
drawn by Altair and vl-convert (about 0.7 s for the first in a process, 120 ms after it), so they are kept in the cache
under the digest of what they draw; the same data is drawn once.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from unicodedata import east_asian_width

from babel.numbers import format_compact_currency, get_currency_precision
from django.core.cache import cache
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from config import formats

COLOURS = tuple(f"var(--chart-{number})" for number in range(1, 7))
KEPT_SECONDS = 7 * 24 * 3600
_SIZES = {"wide": (440, 200), "narrow": (270, 180)}  # of the plot, in pixels of text of 13
_INNER_ROLES = re.compile(r' role="graphics-[a-z]+"| aria-roledescription="[^"]*"')
_ROW, _LABEL_COLUMNS = 44, 32


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawn chart: its SVG, the series for a legend, and the same numbers as a table (headings, rows of text)."""

    kind: str
    title: str
    svg: SafeString
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    series: Sequence[tuple[str, str]] = ()

    def context(self, note: str = "") -> dict[str, Any]:
        return {"chart": self, "note": note}


def bars(rows: Iterable[tuple[Any, ...]], *, title: str, currency: str = "", heading: str = "") -> Chart:
    """Horizontal bars in the given order: rows of `(label, value)` or `(label, value, url)`; values in minor units if `currency`."""
    items = [(str(row[0]), int(row[1]), row[2] if len(row) > 2 else "") for row in rows]
    write = _writer(currency)
    top = max((value for _label, value, _url in items), default=0) or 1
    lines = [
        _bar(place, label, value, url, 100 * max(value, 0) / top, write(value))
        for place, (label, value, url) in enumerate(items)
    ]
    svg = format_html(
        '<svg class="chart-bars" width="100%" height="{}" role="{}" aria-label="{}">{}</svg>',
        _ROW * len(items),
        "group" if any(url for *_rest, url in items) else "img",
        _described(title, items, write),
        mark_safe("".join(lines)),
    )
    table = [(label, write(value)) for label, value, _url in items]
    return Chart("bars", title, svg, (heading or _("Name"), _value_heading(currency)), table)


def _bar(place: int, label: str, value: int, url: str, percent: float, text: str) -> str:
    y = place * _ROW
    name = format_html('<text x="0" y="{}">{}<title>{}</title></text>', y + 15, shortened(label), label)
    return format_html(
        '<g>{}<text class="quiet" x="100%" y="{}" text-anchor="end">{}</text>'
        '<rect x="0" y="{}" width="100%" height="8" rx="2" fill="var(--chart-track)"/>'
        '<rect x="0" y="{}" width="{}%" height="8" rx="2" fill="var(--chart-1)"/></g>',
        format_html('<a href="{}">{}</a>', url, name) if url else name,
        y + 15,
        text,
        y + 23,
        y + 23,
        f"{percent:.3f}",
    )


def columns(text: str) -> int:
    """How wide a text is, in letters; a Hangul syllable is as wide as two."""
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)


def shortened(label: str, room: int = _LABEL_COLUMNS) -> str:
    """As much of a label as fits, in letters: by default beside its value on a phone."""
    width = 0
    for place, letter in enumerate(label):
        width += columns(letter)
        if width > room:
            return label[:place].rstrip() + "…"
    return label


def stacked(rows: Iterable[tuple[str, str, int]], *, title: str, currency: str = "", heading: str = "") -> Chart:
    """Columns over time divided by series: rows of `(period, series, value)`. Beyond six series the last colour repeats."""
    items = [(str(period), str(series), int(value)) for period, series, value in rows]
    periods, names = list(dict.fromkeys(item[0] for item in items)), list(dict.fromkeys(item[1] for item in items))
    colours = [COLOURS[min(place, len(COLOURS) - 1)] for place in range(len(names))]
    sums: dict[tuple[str, str], int] = {}
    for period, series, value in items:
        sums[period, series] = sums.get((period, series), 0) + value
    write = _writer(currency)
    totals = {period: sum(sums.get((period, name), 0) for name in names) for period in periods}
    svg = _over_time("stacked", title, currency, totals, [(*key, value) for key, value in sums.items()], names, colours)
    table = [
        [period, *(write(sums.get((period, name), 0)) for name in names), write(totals[period])] for period in periods
    ]
    return Chart(
        "stacked",
        title,
        svg,
        (heading or _("Period"), *names, _("Total")),
        table,
        list(zip(names, colours, strict=True)),
    )


def line(rows: Iterable[tuple[str, int]], *, title: str, currency: str = "", heading: str = "") -> Chart:
    """One line over time: rows of `(period, value)`, in order. A single period is no line and is drawn as a column."""
    totals = {str(period): int(value) for period, value in rows}
    write = _writer(currency)
    kind, data = "line" if len(totals) > 1 else "stacked", [(period, "", value) for period, value in totals.items()]
    svg = _over_time(kind, title, currency, totals, data, [""], [COLOURS[0]])
    table = [(period, write(value)) for period, value in totals.items()]
    return Chart("line", title, svg, (heading or _("Period"), _value_heading(currency)), table)


def _over_time(
    kind: str,
    title: str,
    currency: str,
    totals: dict[str, int],
    data: list[tuple[str, str, int]],
    names: list[str],
    colours: list[str],
) -> SafeString:
    """The SVG from the cache, or drawn; the description is written anew, in the reader's language."""
    ticks = _ticks(max(totals.values(), default=0))
    labels = [_short(tick, currency) for tick in ticks]
    what = [kind, list(_SIZES.items()), list(totals), data, names, colours, ticks, labels]
    key = "chart:" + hashlib.sha256(json.dumps(what).encode()).hexdigest()
    drawn = cache.get(key)
    if drawn is None:
        drawn = {size: _draw(size, kind, list(totals), data, names, colours, ticks, labels) for size in _SIZES}
        cache.set(key, drawn, KEPT_SECONDS)
    described = escape(_described(title, [(period, total, "") for period, total in totals.items()], _writer(currency)))
    pictures = (
        svg.replace('class="marks"', f'class="chart-{size}" role="img" aria-label="{described}"', 1)
        for size, svg in drawn.items()
    )
    return mark_safe("".join(pictures))


def _draw(
    size: str,
    kind: str,
    periods: list[str],
    data: list[tuple[str, str, int]],
    names: list[str],
    colours: list[str],
    ticks: list[int],
    labels: list[str],
) -> str:
    """Draw by Altair; imported here because most processes never draw."""
    import altair as alt
    import vl_convert

    width, height = _SIZES[size]
    values = [
        {"period": period, "series": series, "value": value, "order": names.index(series)}
        for period, series, value in data
    ]
    written = "[" + ",".join(json.dumps(label) for label in labels) + "]"
    encoding: dict[str, Any] = {
        "x": alt.X(
            "period:O",
            sort=periods,
            title=None,
            axis=alt.Axis(labelAngle=0, labelOverlap=True, labelLimit=110, ticks=False),
        ),
        "y": alt.Y(
            "value:Q",
            title=None,
            scale=alt.Scale(domain=[0, ticks[-1]], nice=False),
            axis=alt.Axis(
                values=ticks, labelExpr=f"{written}[indexof({ticks}, datum.value)]", domain=False, ticks=False
            ),
        ),
    }
    if kind == "stacked":
        encoding["color"] = alt.Color("series:N", scale=alt.Scale(domain=names, range=colours), legend=None)
        encoding["order"] = "order:Q"
        mark = partial(alt.Chart.mark_bar, width=alt.RelativeBandSize(0.62))
    else:
        mark = partial(
            alt.Chart.mark_line, color=colours[0], strokeWidth=2.5, point=alt.OverlayMarkDef(color=colours[0], size=45)
        )
    chart = (
        mark(alt.Chart(alt.Data(values=values)))
        .encode(**encoding)
        .properties(width=width, height=height, background="transparent")
    )
    chart = chart.configure_axis(
        labelFont="inherit",
        labelFontSize=13,
        labelPadding=8,
        labelColor="currentColor",
        gridColor="var(--line)",
        domainColor="var(--line-strong)",
    ).configure_view(stroke=None)
    spec = chart.to_dict()
    svg = vl_convert.vegalite_to_svg({**spec, "config": {**spec["config"], "aria": False}})
    return _INNER_ROLES.sub("", svg)  # the picture speaks as one, by its label


def _ticks(top: int) -> list[int]:
    """Four or five round steps from zero that reach `top`."""
    rough = max(top, 1) / 4
    power = 10 ** (len(str(int(rough))) - 1)
    step = next((factor * power for factor in (1, 2, 5, 10) if factor * power >= rough), 10 * power)
    count = max(1, -(-max(top, 1) // step))
    return [step * number for number in range(count + 1)]


def _short(value: int, currency: str) -> str:
    if not currency:
        return formats.compact(value)
    major = value / 10 ** get_currency_precision(currency)
    return format_compact_currency(major, currency, locale=formats.locale(), fraction_digits=1)


def _writer(currency: str) -> Any:
    return (lambda value: formats.money(value, currency)) if currency else formats.number


def _value_heading(currency: str) -> str:
    return _("Amount") if currency else _("Number")


def _described(title: str, items: Sequence[tuple[Any, ...]], write: Any) -> str:
    """What a screen reader says for the picture: the title and the first few values; the table holds them all."""
    said = ", ".join(f"{item[0]}: {write(item[1])}" for item in items[:8])
    return f"{title}. {said}" + ("…" if len(items) > 8 else "")
