"""Tariffs in whole sentences: what a charge asks, and what differs between two versions."""

from __future__ import annotations

import datetime
from collections.abc import Collection
from decimal import Decimal
from typing import Any

from babel.lists import format_list
from django import template
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config import formats
from config.templatetags.tariffs import price
from licensing import labels, terms
from licensing.tariffs.comparing import Change, Segment
from licensing.tariffs.core import Charge, Schedule
from licensing.tariffs.currencies import major
from licensing.tariffs.forms_editor import LABELS, MODELS

register = template.Library()

WHAT: dict[str, Any] = {
    **LABELS,
    "unit_price": gettext_lazy("Price"),
    "package_price": gettext_lazy("Price of a package"),
    "work_price": gettext_lazy("Price of a work"),
    "count": gettext_lazy("What the licensee declares"),
    "self_service": gettext_lazy("Sold at once"),
    "valid_to": gettext_lazy("First day after it"),
}


@register.filter
def a_period(months: int | None) -> str:
    """How often a price is owed: `12|a_period` → a year."""
    if months is None:
        return _("a billing period")
    if months in (1, 12):
        return _("a month") if months == 1 else _("a year")
    return _("every %(months)s months") % {"months": months}


@register.filter
def whom(charge: Charge) -> str:
    """What a charge is for: `For training on web works`, and for whom."""
    uses, kinds = (
        None if terms.ANY in codes else _listed(map(labels.label, codes)) for codes in (charge.uses, charge.kinds)
    )
    if uses and kinds:
        said = _("For %(uses)s on works of the kind %(kinds)s")
    elif uses:
        said = _("For %(uses)s on works of any kind")
    elif kinds:
        said = _("For any use of works of the kind %(kinds)s")
    else:
        said = _("For any use of works of any kind")
    said = said % {"uses": uses, "kinds": kinds}
    if not charge.licensee_tiers:
        return said
    tiers = _listed(f"“{tier}”" for tier in charge.licensee_tiers)
    return _("%(for)s, by licensees of the tier %(tiers)s") % {"for": said, "tiers": tiers}


@register.filter
def in_words(charge: Charge, schedule: Schedule) -> str:
    """What a charge asks, as a sentence: `For training on …: ₩0.05 for each 1,000 tokens.`"""
    return f"{whom(charge)}: {asked(charge, schedule)}."


@register.filter
def asked(charge: Charge, schedule: Schedule) -> str:
    """The price of a charge, as the rest of a sentence."""
    rates: Any = charge.rates
    currency, often = schedule.currency, a_period(schedule.period_months)
    if charge.model == "flat":
        said = _("%(price)s %(often)s, whatever was used")
        return said % {"price": price(rates.amount, currency), "often": often}
    if charge.model == "percentage":
        said = _("%(percent)s of the amount “%(base)s” that the licensee declares")
        return said % {"percent": formats.percent(rates.percent), "base": rates.base}
    if charge.model == "per_work":
        return _("%(price)s for each distinct work") % {"price": price(rates.work_price, currency)}
    if charge.model == "package":
        said = _("%(price)s for each package of %(size)s; a package begun counts whole")
        return said % {"price": price(rates.package_price, currency), "size": measured(charge, rates.size)}
    if charge.model == "per_unit":
        return _each(price(rates.unit_price, currency), charge, rates.per)
    return _tiers(charge, currency)


@register.filter
def measured(charge: Charge, per: int) -> str:
    """What so many of a charge's units are: `1,000 tokens`, `1,000 of the “subscribers” that the licensee declares`."""
    values = {"per": formats.number(per), "unit": labels.unit_label(charge.unit), "count": charge.count}
    if charge.count:
        return _("%(per)s of the “%(count)s” that the licensee declares") % values
    return f"{values['per']} {values['unit']}"


def _each(said: str, charge: Charge, per: int) -> str:
    values = {"price": said, "unit": labels.unit_label(charge.unit), "count": charge.count}
    if per == 1 and charge.count:
        return _("%(price)s for each of the “%(count)s” that the licensee declares") % values
    if per == 1:
        return _("%(price)s for each of the %(unit)s used") % values
    return _("%(price)s for each %(measure)s") % {"price": said, "measure": measured(charge, per)}


def _tiers(charge: Charge, currency: str) -> str:
    tiered: Any = charge.rates.tiered  # type: ignore[attr-defined]
    (_lower, first), *rest = tiered.bounds()
    parts = [_each(price(first.price, currency), charge, tiered.per)]
    if not rest:
        return parts[0]
    parts[0] = _("%(price)s up to %(upper)s") % {"price": parts[0], "upper": formats.number(first.up_to)}
    for lower, tier in rest:
        values = {
            "price": price(tier.price, currency),
            "lower": formats.number(lower),
            "upper": formats.number(tier.up_to),
        }
        said = _("%(price)s from there up to %(upper)s") if tier.up_to else _("%(price)s above %(lower)s")
        parts.append(said % values)
    how = (
        _("each price counts for what lies in its own tier")
        if charge.model == "graduated"
        else _("the price of the tier that the whole quantity reaches counts for all of it")
    )
    return f"{_listed(parts)}; {how}"


@register.filter
def together(schedule: Schedule) -> list[str]:
    """How the charges come together, sentence by sentence."""
    currency = schedule.currency
    found = []
    if len(schedule.charges) > 1:
        greatest = schedule.combine == "greatest"
        found.append(
            _("Of the charges that apply, only the greatest counts.")
            if greatest
            else _("The charges that apply add up.")
        )
    if schedule.minimum is not None:
        values = {"amount": formats.money(schedule.minimum, currency), "often": a_period(schedule.period_months)}
        found.append(_("At least %(amount)s %(often)s is owed.") % values)
    if schedule.cap is not None:
        values = {"amount": formats.money(schedule.cap, currency), "often": a_period(schedule.period_months)}
        found.append(_("Never more than %(amount)s %(often)s is owed.") % values)
    if schedule.period_months:
        said = _("The prices are for a billing period of %(months)s months, counted from the first day of the licence.")
        one = _("The prices are for a billing period of one month, counted from the first day of the licence.")
        found.append(one if schedule.period_months == 1 else said % {"months": schedule.period_months})
    if schedule.self_service:
        found.append(sold_at_once(schedule.self_service))
    found.append(_("Each charge is calculated exactly and rounded once, half up."))
    return found


def sold_at_once(own: Any) -> str:
    values = {"months": own.months, "tiers": _listed(f"“{tier}”" for tier in own.tiers)}
    if own.tiers:
        return (
            _("Firms of the tier %(tiers)s may take a licence of %(months)s months at once, at this fixed price.")
            % values
        )
    return _("Any firm may take a licence of %(months)s months at once, at this fixed price.") % values


# ── What differs ───────────────────────────────────────────────────────────────────────────────────────────


@register.filter
def what(change: Change) -> str:
    return str(WHAT.get(change.what, change.what))


@register.filter
def was(change: Change, currency: str) -> str:
    return _said(change.what, change.before, currency)


@register.filter
def now(change: Change, currency: str) -> str:
    return _said(change.what, change.after, currency)


@register.filter
def rise(change: Change | Segment) -> str:
    """By how much a price rose or fell: +20%, −16.67%; empty where there is nothing to compare with."""
    if change.percent is None or (isinstance(change, Segment) and not change.differs):
        return ""
    if not change.percent:
        return _("less than 0.01%")
    sign = "+" if change.percent > 0 else "\u2212"
    return sign + formats.percent(abs(change.percent))


@register.filter
def run(segment: Segment) -> str:
    """A run of quantities: `1,001 – 2,000`, `above 2,000`."""
    if segment.upper is None:
        lower = formats.number(segment.lower - 1)
        return _("above %(lower)s") % {"lower": lower} if segment.lower > 1 else _("any quantity")
    return f"{formats.number(segment.lower)} – {formats.number(segment.upper)}"


def _said(name: str, value: Any, currency: str) -> str:
    """A value of a tariff as people say it."""
    if name in ("minimum", "cap") and value is not None:
        return price(major(value, currency), currency)
    if name in ("unit_price", "package_price", "work_price", "amount"):
        return price(value, currency)
    if name == "percent":
        return formats.percent(value)
    if name in ("uses", "kinds"):
        return _listed(map(labels.label, value))
    if name == "licensee_tiers":
        return _listed(value) or _("every licensee")
    if name == "unit":
        return labels.unit_label(value)
    if name == "model":
        return str(MODELS.get(value, value))
    if name == "combine":
        return _("only the greatest counts") if value == "greatest" else _("all add up")
    if name == "self_service":
        return sold_at_once(value) if value else _("no")
    if name == "period_months":
        return _("any") if value is None else _("%(n)s months") % {"n": value}
    if isinstance(value, datetime.date):
        return formats.day(value)
    if isinstance(value, int | Decimal):
        return formats.number(value)
    return str(value) if value else _("none")


def _listed(parts: Any) -> str:
    texts: Collection[str] = [str(part) for part in parts]
    return format_list(list(texts), locale=formats.locale()) if texts else ""
