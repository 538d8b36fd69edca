"""The words of a statement in the reader's language: money, days, and the steps that lead to an amount."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_currency, format_decimal, get_currency_precision
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from licensing.labels import label, role_label, unit_label
from royalties.distribution.services.affected import in_words
from royalties.statements.core import Charge, Factor, Line, PoolFacts, Replaced, Revised, Used, weighted_part


@dataclass(frozen=True, slots=True)
class Step:
    """One line of “why this amount”: what it is, how much, and how it came about."""

    label: str
    value: str
    detail: str = ""
    link: str = ""


@lru_cache
def _locale(code: str) -> Locale:
    return Locale.parse({"en": "en_GB", "ko": "ko_KR"}[code])


def language() -> str:
    return "ko" if (get_language() or "en").startswith("ko") else "en"


@lru_cache(maxsize=50_000)
def _money(amount: int, currency: str, code: str) -> str:
    major = Decimal(amount).scaleb(-get_currency_precision(currency))
    return format_currency(major, currency, locale=_locale(code))


def money(amount: int, currency: str) -> str:
    return _money(amount, currency, language())


def number(value: int | Decimal) -> str:
    return (
        f"{value:,}"
        if isinstance(value, int)
        else format_decimal(value, locale=_locale(language()), decimal_quantization=False)
    )


def share(ppm: int) -> str:
    """Parts per million as an exact percentage."""
    return f"{Decimal(ppm).scaleb(-4).normalize():f}%"


@lru_cache(maxsize=10_000)
def _day(value: datetime.date, code: str) -> str:
    return format_date(value, {"en": "d MMM y", "ko": "y. M. d."}[code], locale=_locale(code))


def day(value: datetime.date) -> str:
    return _day(value, language())


def period(span: tuple[datetime.date, datetime.date]) -> str:
    """A half-open range with its last day as people count it."""
    return f"{day(span[0])} – {day(span[1] - datetime.timedelta(days=1))}"


def use_name(code: str) -> str:
    return label(code)


def unit_name(code: str) -> str:
    return unit_label(code)


def status_name(line: Line) -> str:
    return {"payable": _("payable"), "held": _("held"), "suspense": _("suspense")}[line.status]


def reason_name(line: Line) -> str:
    return {
        "": "",
        "unmatched": _("the identifier matches no work yet"),
        "no_share": _("no holder is recorded for this part"),
        "overclaimed": _("the shares claim more than the whole work"),
        "disputed": _("the share is disputed"),
        "reserved": _("its use was reserved on that day"),
        "unmandated": _("not every holder had given a mandate on that day"),
        "unlicensed": _("the licence does not cover the work that it is"),
        "free": _("the work was in the public domain on that day"),
        "individual": _("its holders had licensed it directly"),
    }[line.reason]


def corrections(replaces: Iterable[Replaced], payable: int, currency: str) -> list[str]:
    """What a statement changes: old amount, new amount, reason."""
    said = []
    for old in replaces:
        numbers = {"number": old.number, "before": money(old.payable, currency), "now": money(payable, currency)}
        if old.reason:
            text = _(
                "This takes the place of %(number)s, which was reversed. Before: %(before)s, now: %(now)s. Reason: %(reason)s"
            )
            said.append(text % (numbers | {"reason": old.reason}))
        else:
            text = _("This takes the place of %(number)s, which was reversed. Before: %(before)s, now: %(now)s.")
            said.append(text % numbers)
    return said


def revisions(revises: Iterable[Revised], currency: str) -> list[str]:
    """What is taken back of an earlier statement and divided anew: old amount, new amount, reason."""
    amended = _(
        "%(licensee)s amended or added to what it had declared for invoice %(invoice)s, so its money is divided anew. Run %(run)s had "
        "given you %(before)s of it; now it is %(now)s. What you got already counts towards it."
    )
    otherwise = _(
        "The money of invoice %(invoice)s is divided anew: %(why)s. Run %(run)s had given you %(before)s of it; now it is %(now)s. "
        "What you got already counts towards it."
    )
    return [
        (amended if each.reasons in ((), ("declarations",)) else otherwise)
        % {
            "why": "; ".join(in_words(each.reasons)), "licensee": each.licensee_name, "invoice": each.invoice, "run": each.run,
            "before": money(each.payable_before, currency), "now": money(each.payable, currency),
        }
        for each in revises
    ]  # fmt: skip


def why(line: Line, currency: str) -> list[Step]:
    """From tariff to share: every number that leads to this amount, in order."""
    return [*why_pool(line.pool, currency), *why_line(line, currency)]


def why_pool(pool: PoolFacts, currency: str) -> list[Step]:
    """From tariff to what is divided: the same for all lines of a pool."""
    if pool.origin is None:
        return [*_fee(pool, currency), *_cuts(pool, currency)]
    steps = [*_fee(pool.origin, currency), *_cuts(pool.origin, currency)]
    return [*steps, _anew(pool, currency)] if pool.kind == "correction" else steps


def came_from(pool: PoolFacts) -> str:
    """Where money comes from that is not new."""
    text = _("released from suspense of run %(run)s") if pool.kind == "release" else _("run %(run)s divided anew")
    return text % {"run": pool.run}


def _anew(pool: PoolFacts, currency: str) -> Step:
    detail = _("of run %(run)s, %(period)s, by what is known now; nothing is deducted again")
    said = {"run": pool.run, "period": period(pool.run_period or pool.period)}
    return Step(_("Divided anew"), money(pool.distributable, currency), detail % said)


def why_line(line: Line, currency: str) -> list[Step]:
    """From a work's weight to the share's amount."""
    return [
        _weight(line),
        _work(line, currency),
        *_released(line, currency),
        *_set(line, currency),
        _share(line, currency),
    ]


def _released(line: Line, currency: str) -> list[Step]:
    """That it waited in suspense, since when and as what."""
    pool = line.pool
    if pool.kind != "release":
        return []
    if not line.waited_as:
        said = _("of run %(run)s, %(period)s, where it waited for its shares; nothing is deducted again")
        detail = said % {"run": pool.run, "period": period(pool.run_period or pool.period)}
        return [Step(_("Released"), money(line.amount, currency), detail)]
    detail = _("of run %(run)s, %(period)s, where it waited as %(identifier)s; nothing is deducted again") % {
        "run": pool.run, "period": period(pool.run_period or pool.period), "identifier": line.waited_as,
    }  # fmt: skip
    return [Step(_("Released from suspense"), money(line.work_amount, currency), detail)]


def _fee(pool: PoolFacts, currency: str) -> list[Step]:
    steps = []
    for charge in pool.charges:
        steps.append(Step(charge_name(charge), money(charge.amount, currency), _how(charge, currency)))
    detail = _("invoice %(invoice)s to %(licensee)s, %(period)s") % {
        "invoice": pool.invoice, "licensee": pool.licensee_name, "period": period(pool.period),
    }  # fmt: skip
    received = _("of %(billed)s billed, without VAT") % {"billed": money(pool.billed, currency)}
    return [
        *steps,
        Step(_("Invoiced"), money(pool.billed, currency), detail),
        Step(_("Received for distribution"), money(pool.amount, currency), received),
    ]


def charge_name(charge: Charge) -> str:
    """A charge by the tariff's own name; an adjustment in words."""
    return {
        "minimum": _("Raised to the minimum"),
        "cap": _("Lowered to the cap"),
        "greatest": _("Only the greatest charge counts"),
        "previously_billed": _("Already billed for this period"),
        "compensation": _("Compensation for use without permission, case %(number)s") % {"number": charge.description},
    }.get(charge.model, charge.description)


def _how(charge: Charge, currency: str) -> str:
    """1,000,000,000 × ₩0.05 ÷ 1,000 + … tokens"""
    products = [_product(factor, currency) for factor in charge.factors]
    if products:
        return " + ".join(products)
    return f"{number(charge.quantity)} {unit_name(charge.unit)}".strip() if charge.quantity is not None else ""


def _product(factor: Factor, currency: str) -> str:
    if factor.percentage:
        return f"{price(factor.quantity, currency)} × {factor.price}%"
    of = f" ÷ {number(int(factor.per))}" if factor.per not in ("", "1") else ""
    return f"{number(int(factor.quantity))} × {price(factor.price, currency)}{of}"


def price(major: str, currency: str) -> str:
    """An exact price in major units with all its digits."""
    return format_currency(Decimal(major), currency, locale=_locale(language()), decimal_quantization=False)


def _cuts(pool: PoolFacts, currency: str) -> list[Step]:
    steps = [
        Step(
            deduction.name, f"− {money(deduction.amount, currency)}",
            _("%(percent)s%% of %(base)s") % {"percent": deduction.percent, "base": money(deduction.base, currency)}
            + limit_text(deduction.limit),
        )
        for deduction in pool.deductions
    ]  # fmt: skip
    if pool.reserve:
        steps.append(Step(_("Reserve"), f"− {money(pool.reserve, currency)}", _("kept, not spent")))
    detail = (
        _("of which %(equal)s in equal parts to each work") % {"equal": money(pool.equal_part, currency)}
        if pool.equal_part
        else ""
    )
    return [*steps, Step(_("Distributable"), money(pool.distributable, currency), detail)]


def limit_text(limit: str) -> str:
    """Why a deduction is not its percent."""
    return {
        "at_least": _(", raised to the least that the rule takes"),
        "at_most": _(", lowered to the most that the rule takes"),
        "left": _(", lowered to what was left"),
    }.get(limit, "")


def _weight(line: Line) -> Step:
    parts = " + ".join(weighed(used) for used in line.uses)
    total = _("of %(total)s for all %(units)s works and identifiers of the pool") % {
        "total": number(line.pool.weighs.total_weight), "units": number(line.pool.weighs.units),
    }  # fmt: skip
    return Step(_("Weight of the work"), number(line.weight), f"{parts}; {total}" if parts else total)


def weighed(used: Used) -> str:
    """700,000 tokens × 1,000 (training); of compensation: 700,000 tokens × 600,000 ppm (training)"""
    factor = f"{number(used.factor)} ppm" if used.by_part else number(used.factor)
    return f"{number(used.units)} {unit_name(used.unit)} × {factor} ({use_name(used.use)})"


def _work(line: Line, currency: str) -> Step:
    pool = line.pool.weighs
    equal, weighted = weighted_part(line)
    text = _("%(rest)s × %(weight)s ÷ %(total)s") % {
        "rest": money(pool.rest, currency), "weight": number(line.weight), "total": number(pool.total_weight),
    }  # fmt: skip
    if pool.equal_part:
        text += _(" + %(equal)s ÷ %(units)s in equal parts") % {
            "equal": money(pool.equal_part, currency),
            "units": number(pool.units),
        }
    extra = line.work_amount - equal - weighted
    if extra > 0:
        text += "; " + ngettext(
            "%(n)s unit more by largest remainder", "%(n)s units more by largest remainder", extra
        ) % {"n": extra}
    return Step(_("The work's amount"), money(line.work_amount, currency), text)


def _set(line: Line, currency: str) -> list[Step]:
    if line.set_amount == line.work_amount:
        return []
    text = _("the shares changed: this part is for uses on which they stood as on %(day)s") % {"day": day(line.used_on)}
    return [Step(_("Part under these shares"), money(line.set_amount, currency), text)]


def _share(line: Line, currency: str) -> Step:
    if line.reason == "overclaimed":
        return Step(_("Held"), money(line.amount, currency), reason_name(line))
    name = _("Your share") if line.status == "payable" else f"{status_name(line).capitalize()}: {reason_name(line)}"
    of = _("%(share)s of %(amount)s") % {"share": share(line.ppm), "amount": money(line.set_amount, currency)}
    return Step(name, money(line.amount, currency), f"{role_label(line.role)}, {of}" if line.role else of)


def category_label(code: str, amount: int) -> str:
    """What moved a holder's account, by the direction in which it did."""
    more, less = {
        "earned": (_("Earned by use of works"), _("Taken back of earlier distributions")),
        "recovered": (_("Paid too much before, to be recovered"), _("Recovered of what was paid too much")),
        "recouped": (_("Advance given back"), _("Recouped of an advance")),
        "paid": (_("Payment came back"), _("Paid to you")),
        "withheld": (_("Tax given back with a payment"), _("Tax withheld")),
        "passed": (_("Passed on from another holder"), _("Passed on to others")),
        "deducted": (_("Deduction given back"), _("Deduction for a sister society")),
        "expired": (_("Given back"), _("Declared non-distributable")),
    }.get(code, (_("Other credit"), _("Other debit")))
    return more if amount >= 0 else less
