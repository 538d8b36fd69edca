"""What every page may use: money, numbers and periods in the reader's language, badges, tables, steps and charts.

`{% load jeongsan %}` gives them all; `docs/pages.md` shows each in use.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from config import charts, formats, treemaps
from config.statuses import label_of, tone_of

register = template.Library()


@register.filter
def money(amount: int | Decimal | None, currency: str) -> str:
    """Minor units and a currency, as money: `1234567|money:"KRW"` → ₩1,234,567. An unrounded Decimal keeps its digits."""
    return formats.money(amount, currency)


@register.filter
def number(value: int | Decimal | str | None) -> str:
    """Digits grouped as the language does, none dropped."""
    return formats.number(value)


@register.filter
def compact(value: int | Decimal | None) -> str:
    """A large number in few letters (20.9B, 208.6억); the exact one stays in its title."""
    if value is None:
        return formats.NOTHING
    return format_html('<span title="{}">{}</span>', formats.number(value), formats.compact(value))


@register.filter
def ppm(value: int | None) -> str:
    """A share in parts per million as an exact percentage: `333333|ppm` → 33.3333%."""
    return formats.ppm(value)


@register.filter
def percent(value: Decimal | str | None) -> str:
    """A rate already in percent: `"15"|percent` → 15%."""
    return formats.percent(value)


@register.filter
def day(value: datetime.date | None) -> str:
    return formats.day(value)


@register.filter
def last_day(until: datetime.date | None) -> str:
    """The last day of something that ends before `until`, as people count it."""
    return formats.day(until - datetime.timedelta(days=1) if until else None)


@register.filter(expects_localtime=True)
def instant(value: datetime.datetime | None) -> str:
    """A moment, to the minute, in Asia/Seoul."""
    return formats.instant(value)


@register.filter
def period(start: Any, end: datetime.date | None = None) -> str:
    """A half-open range with its last day as people count it. Takes a range, a pair, or `start|period:end`."""
    return formats.period(start, end)


@register.filter
def get(mapping: Mapping[Any, Any] | None, key: Any) -> Any:
    """`counts|get:status` for keys that are not names."""
    return mapping.get(key) if mapping else None


@register.inclusion_tag("components/badge.html")
def badge(status: str, label: str = "", tone: str = "") -> dict[str, Any]:
    """A status as a badge. Give `label` where the model has one: `{% badge run.status run.get_status_display %}`."""
    return {"label": label or label_of(status), "tone": tone or tone_of(status)}


@register.inclusion_tag("components/icon.html")
def icon(name: str) -> dict[str, str]:
    return {"name": name}


@register.inclusion_tag("components/steps.html")
def steps(
    choices: Iterable[tuple[str, Any]], current: str, failed: bool = False, notes: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Where something stands on its way. `choices` are (value, label) in order; `failed` marks the current step as stopped.

    The last step, once reached, is done. `notes` puts a line (when, by whom) under a step.
    """
    pairs = [(str(value), label) for value, label in choices]
    order = [value for value, _label in pairs]
    here = order.index(current) if current in order else -1
    items = []
    for place, (value, label) in enumerate(pairs):
        state = "done" if place < here or (place == here == len(pairs) - 1 and not failed) else "todo"
        if place == here and state != "done":
            state = "failed" if failed else "current"
        items.append({"label": label, "state": state, "note": (notes or {}).get(value, "")})
    return {"items": items}


@register.simple_block_tag
def table(content: str, label: str, kind: str = "") -> SafeString:
    """A table's frame: scrolls sideways with a visible cue where it must. `kind`: "", "wide" (scrolls at any width),
    "stack" (rows become cards on a phone; give each <td> a `data-label`), "compact"; several may stand together."""
    kinds = kind.split()
    wrap = " ".join(["table-wrap", *(f"table-{name}" for name in kinds if name in ("wide", "stack"))])
    inner = "table table-compact" if "compact" in kinds else "table"
    return format_html(
        '<div class="{}" role="region" aria-label="{}" tabindex="0"><table class="{}">{}</table></div>',
        wrap,
        label,
        inner,
        mark_safe(content),  # the block was rendered, and so escaped, by the template
    )


@register.simple_block_tag
def card(content: str, title: str = "", link: str = "", link_label: str = "") -> SafeString:
    """A titled panel; `link` with `link_label` stands at the right of its title."""
    more = format_html('<a class="small" href="{}">{}</a>', link, link_label or _("Show all")) if link else ""
    head = format_html('<div class="card-head"><h2>{}</h2>{}</div>', title, more) if title else ""
    return format_html('<section class="card">{}{}</section>', head, mark_safe(content))


@register.simple_tag(takes_context=True)
def sort_th(context: template.Context, key: str, label: str, numeric: bool = False) -> SafeString:
    """A column heading that sorts by `?sort=key`, then by `?sort=-key`; keeps the other parameters, forgets the page."""
    query = context["request"].GET.copy()
    now = query.get("sort", "")
    query.pop("page", None)
    query["sort"] = f"-{key}" if now == key else key
    aria, mark = {key: ("ascending", "▲"), f"-{key}": ("descending", "▼")}.get(now, ("", ""))
    return format_html(
        '<th scope="col"{}{}><a href="?{}">{}{}</a></th>',
        mark_safe(' class="n"') if numeric else "",
        format_html(' aria-sort="{}"', aria) if aria else "",
        query.urlencode(),
        label,
        format_html('<span class="sort-mark" aria-hidden="true">{}</span>', mark) if mark else "",
    )


@register.inclusion_tag("components/chart.html")
def chart_bars(
    rows: Iterable[tuple[Any, ...]], title: str, currency: str = "", note: str = "", heading: str = ""
) -> dict[str, Any]:
    """Horizontal bars, one a row: `(label, value)` or `(label, value, url)`, in the given order."""
    return charts.bars(rows, title=title, currency=currency, heading=heading).context(note)


@register.inclusion_tag("components/chart.html")
def chart_stacked(
    rows: Iterable[tuple[str, str, int]], title: str, currency: str = "", note: str = "", heading: str = ""
) -> dict[str, Any]:
    """Columns over time, each divided by series: `(period, series, value)`; periods and series keep their first order."""
    return charts.stacked(rows, title=title, currency=currency, heading=heading).context(note)


@register.inclusion_tag("components/chart.html")
def chart_line(
    rows: Iterable[tuple[str, int]], title: str, currency: str = "", note: str = "", heading: str = ""
) -> dict[str, Any]:
    """One line over time: `(period, value)`."""
    return charts.line(rows, title=title, currency=currency, heading=heading).context(note)


@register.inclusion_tag("components/chart.html")
def chart_treemap(
    rows: Iterable[tuple[str, int, int]], title: str, done: str, left: str, note: str = "", heading: str = ""
) -> dict[str, Any]:
    """Tiles as large as their amounts, each filled by a part of it: `(label, whole, part)`; `done` and `left` name the two."""
    return treemaps.parts(rows, title=title, done=done, left=left, heading=heading).context(note)
