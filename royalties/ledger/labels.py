"""The chart's labels, once more as literals, so that the translator's tools find them."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from royalties.ledger.core import kind_of

KINDS: Final = {
    "bank": gettext_lazy("Bank"),
    "receivable": gettext_lazy("Receivable from licensees"),
    "billed": gettext_lazy("Billed, not yet received"),
    "vat": gettext_lazy("VAT owed"),
    "pool": gettext_lazy("Received, to be distributed"),
    "favour": gettext_lazy("In favour of licensees"),
    "credited": gettext_lazy("Credited after it was paid"),
    "clearing": gettext_lazy("Distribution under way"),
    "deduction": gettext_lazy("Deduction"),
    "reserve": gettext_lazy("Reserve"),
    "payable": gettext_lazy("Payable to holders"),
    "recoverable": gettext_lazy("Paid too much, to be recovered"),
    "held": gettext_lazy("Held"),
    "suspense": gettext_lazy("Suspense"),
    "unapplied": gettext_lazy("Received, not applied yet"),
    "exchange": gettext_lazy("Currency exchange"),
    "charges": gettext_lazy("Bank charges"),
    "advance": gettext_lazy("Advances to holders"),
    "sister": gettext_lazy("Payable to sister societies"),
    "tax": gettext_lazy("Tax withheld"),
    "paying": gettext_lazy("Payments ordered"),
    "refunding": gettext_lazy("Refunds to be paid"),
    "borne": gettext_lazy("Borne by the society"),
    "undistributable": gettext_lazy("Cannot be distributed"),
}
JOURNALS: Final = {
    "invoice": gettext_lazy("invoice"),
    "credit_note": gettext_lazy("credit note"),
    "receipt": gettext_lazy("receipt"),
    "unapplied": gettext_lazy("receipt, not applied yet"),
    "charges": gettext_lazy("bank charges"),
    "write_off": gettext_lazy("write-off"),
    "refund": gettext_lazy("refund"),
    "run": gettext_lazy("distribution run"),
    "reversal": gettext_lazy("reversal"),
    "entitlements": gettext_lazy("moved to those with a right to it"),
    "advance": gettext_lazy("advance"),
    "advance_write_off": gettext_lazy("write-off of an advance"),
    "sister_payment": gettext_lazy("payment to a sister society"),
    "payout": gettext_lazy("payout"),
    "payout_settled": gettext_lazy("payments carried out"),
    "payout_returned": gettext_lazy("payments returned"),
    "expiry": gettext_lazy("expiry"),
    "recovery": gettext_lazy("recovery of what was paid too much"),
}


def kind_label(kind: str) -> str:
    """An account's kind in the reader's language: `deduction:management fee` → Deduction: management fee."""
    code, _colon, name = kind.partition(":")
    label = str(KINDS.get(code) or kind_of(kind).label)
    return _("%(kind)s: %(name)s") % {"kind": label, "name": name} if name else label


def journal_label(kind: str) -> str:
    """What a journal's kind says happened."""
    return str(JOURNALS.get(kind, kind))
