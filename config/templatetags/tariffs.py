"""Tariffs in words: the steps of a rating, and prices in major units."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from django import template
from django.utils.translation import gettext as _

from licensing.tariffs import wording
from licensing.tariffs.core import RatedCharge, Step

register = template.Library()


@register.filter
def price(major: str | Decimal, currency: str) -> str:
    """An exact price in major units, all its digits: `"0.05"|price:"KRW"` → ₩0.05. One without end is cut, with ≈."""
    return wording.price(major, currency)


@register.filter
def explained(steps: Iterable[Step | Mapping[str, str]], currency: str) -> list[dict[str, str]]:
    """The steps of a rating as `components/explanation.html` shows them: label, value, detail.

    Takes `Step`s or their JSON: `{% include "…/explanation.html" with steps=line.explanation|explained:currency %}`.
    """
    return wording.explained(steps, currency)


@register.filter
def charge_name(line: RatedCharge | Mapping[str, Any]) -> str:
    """A line of a rating by its name; an adjustment (minimum, cap, greatest) in words."""
    name, model = (line.name, line.model) if isinstance(line, RatedCharge) else (line["name"], line["model"])
    adjustments = {
        "minimum": _("Raised to the minimum"),
        "cap": _("Lowered to the cap"),
        "greatest": _("Only the greatest charge counts"),
        "previously_billed": _("Already billed for this period"),
        "credit_carried": _("Credit from before"),
        "compensation": _("Compensation, case %(number)s") % {"number": name},
    }
    return adjustments.get(model, name)
