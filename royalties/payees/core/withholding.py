"""What is withheld from a payment: the rule of the day, the payee's status, and the paper that lowers the rate. Pure."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from accounts.identity.core import Refusal, say
from royalties.payees.core.rules import TaxRule, TaxTerm

# What a payee is, by the law of the payer's country. The first five are what a society says of its payees; those of a
# payer in the United States follow from residence and papers.
RESIDENT: Final = ("kr_business", "kr_other", "kr_organisation")
UNTAXED: Final = ("exempt", "us_person")
CATEGORIES: Final = (*RESIDENT, "non_resident", "exempt", "us_person", "us_foreign", "us_undocumented")
W9, W8 = "w9", ("w8ben", "w8bene")


@dataclass(frozen=True, slots=True)
class Treaty:
    """A paper by which a payee claims something: in force from `valid_from` to the day before `valid_to`.

    `kind` is `treaty` (application of a treaty's rate in Korea), `w8ben`, `w8bene` or `w9`. `rate` is a part of the payment,
    None where the rule's own table has it; `local_included` says whether the rate covers the local tax as well. A W-8 that
    only says that somebody is foreign `claims` nothing.
    """

    kind: str
    country: str
    valid_from: datetime.date
    valid_to: datetime.date | None
    rate: Fraction | None = None
    local_included: bool = True
    claims: bool = True
    id: int | None = None

    def counts(self, on: datetime.date) -> bool:
        return self.valid_from <= on and (self.valid_to is None or on < self.valid_to)


@dataclass(frozen=True, slots=True)
class TaxRules:
    """The rules of one jurisdiction on one day, one a category at most."""

    jurisdiction: str
    rules: tuple[TaxRule, ...]

    def of(self, category: str, on: datetime.date) -> TaxRule | None:
        """The rule for this category that is in force that day. A rule has its own days: it is asked again here."""
        return next((rule for rule in self.rules if rule.applies_to == category and rule.counts(on)), None)


@dataclass(frozen=True, slots=True)
class TaxLine:
    """One tax: `amount` = `base` × `rate`, truncated as the rule says, in minor units. Ledger account `tax:<name>`."""

    name: str
    base: int
    rate: Fraction
    amount: int


@dataclass(frozen=True, slots=True)
class Withholding:
    """What a payment comes to. gross = net + withheld, withheld = the sum of the lines; `reasons` are codes."""

    gross: int
    lines: tuple[TaxLine, ...]
    withheld: int
    net: int
    reasons: tuple[str, ...]
    category: str
    rule: str = ""
    treaty_id: int | None = None


def withhold(
    *,
    rules: TaxRules,
    tax_status: str,
    residence: str,
    on: datetime.date,
    currency: str,
    gross: int,
    treaty: Treaty | None = None,
) -> Withholding:
    """The tax to be withheld from a payment of `gross` minor units on that day.

    Each tax is truncated to the rule's step for the currency (KRW: 10 won, 국고금 관리법 §47), else to the minor unit,
    and a tax on a tax is of the truncated one. A paper counts on its days only. Raises Refusal where no rule is in force
    for such a payee that day: nothing is ever paid untaxed for want of a rule.

    ₩1,234,567 of business income: 37,030 (of 37,037.01) + 3,703 truncated to 3,700, net 1,193,837.
    """
    if gross < 0:
        raise Refusal("negative_amount", say("A payment is not below zero."))
    paper = treaty if treaty is not None and treaty.counts(on) else None
    category, reasons = category_of(rules.jurisdiction, tax_status, residence, paper)
    if treaty is not None and paper is None:
        reasons = (*reasons, "paper_not_in_force")
    if category in UNTAXED:
        return Withholding(gross, (), 0, gross, (*reasons, category), category, "", paper.id if paper else None)
    rule = rules.of(category, on)
    if rule is None:
        raise Refusal(
            "no_tax_rule",
            say(
                "No tax rule of {jurisdiction} is in force on {day} for “{category}”. Import one before paying.",
                jurisdiction=rules.jurisdiction,
                day=on.isoformat(),
                category=category,
            ),
        )
    return _by(rule, category, reasons, currency, gross, paper)


def category_of(
    jurisdiction: str, tax_status: str, residence: str, paper: Treaty | None
) -> tuple[str, tuple[str, ...]]:
    """What a payee is to the payer's law, with the reasons. `paper` is one that counts on the day."""
    if tax_status == "exempt":
        return "exempt", ()
    if jurisdiction != "US":
        return tax_status, ()
    if paper is not None and paper.kind == W9:
        return "us_person", ("w9",)
    if paper is not None and paper.kind in W8:
        return "us_foreign", (paper.kind,)
    if residence and residence != "US":
        return "us_foreign", ("no_w8",)
    return "us_undocumented", ("no_w9",)


def _by(
    rule: TaxRule, category: str, reasons: tuple[str, ...], currency: str, gross: int, paper: Treaty | None
) -> Withholding:
    """One rule applied. What counts as spent is truncated to the minor unit, so that no less is taxed than the law says."""
    income = gross - int(gross * rule.expense)
    whose = f"{rule.ref} v{rule.version}"
    exempt = rule.exempt_up_to.get(currency)
    if exempt is not None and income <= exempt:
        return Withholding(gross, (), 0, gross, (*reasons, "exempt_amount"), category, whose)
    if not rule.taxes:
        return Withholding(gross, (), 0, gross, (*reasons, "not_withheld"), category, whose)
    taxes, claimed = _claimed(rule, paper)
    lines = _lines(taxes, income, rule.step(currency))
    least = rule.not_collected_below.get(currency)
    if least is not None and lines and lines[0].amount < least:
        return Withholding(gross, (), 0, gross, (*reasons, "small_amount"), category, whose)
    withheld = sum(line.amount for line in lines)
    used = paper.id if paper and claimed else None
    return Withholding(gross, lines, withheld, gross - withheld, (*reasons, *claimed), category, whose, used)


def _claimed(rule: TaxRule, paper: Treaty | None) -> tuple[tuple[TaxTerm, ...], tuple[str, ...]]:
    """The rule's taxes, at the treaty's rate where a paper claims one that is lower."""
    fitting = W8 if rule.jurisdiction == "US" else ("treaty",)
    if paper is None or not paper.claims or paper.kind not in fitting or not rule.treaties_allowed:
        return rule.taxes, ()
    rate, included = paper.rate, paper.local_included
    if rate is None:
        known = rule.treaties.get(paper.country)
        if known is None:
            return rule.taxes, ("no_treaty_rate",)
        rate, included = known.rate, known.local_included
    first, *others = rule.taxes
    on_top = sum((tax.rate for tax in others), Fraction(0))
    if included:
        rate = rate / (1 + on_top)
    if rate > first.rate:
        return rule.taxes, ("treaty_not_lower",)
    return (TaxTerm(first.name, rate, first.of), *others), ("treaty",)


def _lines(taxes: Iterable[TaxTerm], income: int, step: int) -> tuple[TaxLine, ...]:
    lines: dict[str, TaxLine] = {}
    for tax in taxes:
        base = lines[tax.of].amount if tax.of else income
        amount = base * tax.rate // step * step
        lines[tax.name] = TaxLine(tax.name, base, tax.rate, amount)
    return tuple(line for line in lines.values() if line.rate)
