"""What a pool must be like, so that the engine can divide it exactly; else a Refusal that names its invoice."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from django.utils.translation import gettext as _

from accounts.identity.core import Refusal, say
from royalties.distribution.core import RuleTerms

MAX_AMOUNT: Final = 10**15  # every quota lies below: the engine divides by way of doubles
MAX_PRODUCT: Final = 10**37  # amount × total weight: 38 digits


def require_comparable(terms: RuleTerms, units: Iterable[str], *, invoice: str) -> None:
    """Refuse units that the rule cannot compare."""
    try:
        terms.check_units(units)
    except Refusal as refusal:
        said = say("Invoice {invoice}: {problem}", invoice=invoice, problem=refusal.detail)
        raise Refusal(refusal.code, said) from refusal


def require_divisible(*, invoice: str, amount: int, rest: int, units: int, weight: int) -> None:
    """Refuse money that nothing weighs in for, or sums too large. `rest` of the `amount` goes by weight, over so many units."""
    if units == 0 or (weight == 0 and rest > 0):
        detail = _("Nothing that was declared for invoice %(invoice)s has weight, so its money has nobody to go to.")
        raise Refusal("no_weight", detail % {"invoice": invoice})
    if amount >= MAX_AMOUNT or rest * weight >= MAX_PRODUCT:
        detail = _(
            "Invoice %(invoice)s: amount × total weight is too large to divide exactly. "
            "Lower the weights of the rule, keeping their ratios."
        )
        raise Refusal("too_large", detail % {"invoice": invoice})
