"""The steps of a rating in words, in the reader's language: for pages, the API and documents alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal, localcontext
from functools import lru_cache

from babel import Locale
from babel.numbers import format_currency, format_decimal, format_percent
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from licensing.labels import unit_label
from licensing.tariffs.core import Step
from licensing.tariffs.currencies import MINOR_DIGITS


def price(major: str | Decimal, currency: str) -> str:
    """An exact price in major units, all its digits: "0.05" KRW → ₩0.05. One without end is cut, with ≈."""
    number, cut = _number(str(major))
    whole = number == round(number, MINOR_DIGITS[currency])
    said = format_currency(number, currency, locale=_locale(), currency_digits=whole, decimal_quantization=whole)
    return ("≈ " if cut else "") + said


def explained(steps: Iterable[Step | Mapping[str, str]], currency: str) -> list[dict[str, str]]:
    """The steps of a rating, or their JSON, each with its label, value and detail."""
    read = [step if isinstance(step, Step) else Step.from_data(step) for step in steps]
    return [_SAID[step.code](step, currency) for step in read]


def _locale() -> Locale:
    return _locales("ko_KR" if (get_language() or "").startswith("ko") else "en_GB")


@lru_cache
def _locales(name: str) -> Locale:
    return Locale.parse(name)


def _number(text: str) -> tuple[Decimal, bool]:
    """An exact string as a Decimal, and whether it had to be cut."""
    with localcontext(prec=80):
        if "/" in text:
            above, below = text.split("/")
            return (Decimal(above) / Decimal(below)).quantize(Decimal("1e-9")), True
        return Decimal(text), False


def _count(text: str) -> str:
    if not text:
        return "–"
    return format_decimal(Decimal(text), locale=_locale(), decimal_quantization=False)


def _percent(text: str) -> str:
    return format_percent(Decimal(text).scaleb(-2), locale=_locale(), decimal_quantization=False)


def _says(label: str, value: str, detail: str = "") -> dict[str, str]:
    return {"label": label, "value": value, "detail": detail}


def _flat(step: Step, currency: str) -> dict[str, str]:
    return _says(_("A fixed amount a period"), price(step.product, currency))


def _product(step: Step, currency: str) -> str:
    """`1,000,000,000 tokens × ₩0.05 ÷ 1,000`"""
    said = f"{_count(step.quantity)} {unit_label(step.unit)} × {price(step.price, currency)}"
    return f"{said} ÷ {_count(step.per)}" if step.per not in ("", "1") else said


def _per_unit(step: Step, currency: str) -> dict[str, str]:
    return _says(_("Units × price"), price(step.product, currency), _product(step, currency))


def _tier(step: Step) -> str:
    lower, upper = _count(step.lower), step.upper and _count(step.upper)
    if not upper:
        return _("Tier from %(lower)s") % {"lower": lower}
    return _("Tier %(lower)s to %(upper)s") % {"lower": lower, "upper": upper}


def _graduated(step: Step, currency: str) -> dict[str, str]:
    return _says(_tier(step), price(step.product, currency), _product(step, currency))


def _volume(step: Step, currency: str) -> dict[str, str]:
    label = _("%(tier)s is reached and prices all") % {"tier": _tier(step)}
    return _says(label, price(step.product, currency), _product(step, currency))


def _packages(step: Step, currency: str) -> dict[str, str]:
    detail = _("%(units)s %(unit)s ÷ %(size)s, a package begun counts whole") % {
        "units": _count(step.quantity),
        "unit": unit_label(step.unit),
        "size": _count(step.per),
    }
    return _says(_("Packages"), _count(step.price), detail)


def _package(step: Step, currency: str) -> dict[str, str]:
    detail = f"{_count(step.quantity)} × {price(step.price, currency)}"
    return _says(_("Packages × price"), price(step.product, currency), detail)


def _per_work(step: Step, currency: str) -> dict[str, str]:
    return _says(_("Distinct works × price"), price(step.product, currency), _product(step, currency))


def _percentage(step: Step, currency: str) -> dict[str, str]:
    detail = f"{price(step.quantity, currency)} × {_percent(step.price)}"
    label = _("%(percent)s of the declared base “%(base)s”") % {
        "percent": _percent(step.price),
        "base": step.name,
    }
    return _says(label, price(step.product, currency), detail)


def _round(step: Step, currency: str) -> dict[str, str]:
    exact = price(step.quantity, currency)
    rounded = price(step.product, currency)
    return _says(_("Rounded once, half up"), rounded, exact if exact != rounded else "")


def _charge(step: Step, currency: str) -> dict[str, str]:
    return _says(step.name, price(step.product, currency))


def _sum(step: Step, currency: str) -> dict[str, str]:
    return _says(_("Sum of the charges"), price(step.product, currency))


def _greatest(step: Step, currency: str) -> dict[str, str]:
    return _says(_("Greatest of the charges"), price(step.product, currency))


def _minimum(step: Step, currency: str) -> dict[str, str]:
    return _says(
        _("At least %(minimum)s a period") % {"minimum": price(step.price, currency)}, price(step.product, currency)
    )


def _cap(step: Step, currency: str) -> dict[str, str]:
    return _says(_("At most %(cap)s a period") % {"cap": price(step.price, currency)}, price(step.product, currency))


def _ordinary(step: Step, currency: str) -> dict[str, str]:
    return _says(_("What the tariff would have asked"), price(step.product, currency))


def _asked(step: Step, currency: str) -> dict[str, str]:
    detail = _("%(multiple)s times the ordinary fee, or an amount a work where that is more")
    return _says(_("What was asked"), price(step.product, currency), detail % {"multiple": _count(step.name)})


def _settled(step: Step, currency: str) -> dict[str, str]:
    return _says(_("What the case was settled on"), price(step.product, currency))


_SAID: dict[str, Callable[[Step, str], dict[str, str]]] = {
    "flat": _flat,
    "per_unit": _per_unit,
    "graduated": _graduated,
    "volume": _volume,
    "packages": _packages,
    "package": _package,
    "per_work": _per_work,
    "percentage": _percentage,
    "round": _round,
    "charge": _charge,
    "sum": _sum,
    "greatest": _greatest,
    "minimum": _minimum,
    "cap": _cap,
    # An invoice of compensation.
    "ordinary": _ordinary,
    "asked": _asked,
    "settled": _settled,
}
