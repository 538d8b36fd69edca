"""What figures, subjects and parts of a report are called, in the reader's language."""

from __future__ import annotations

from typing import Any, Final

from django.utils.translation import gettext_lazy as _

FIGURES: Final[dict[str, Any]] = {
    "billed": _("Billed, net of VAT"),
    "collected": _("Collected, net of VAT"),
    "deducted": _("Deducted"),
    "reserved": _("Put into reserve"),
    "attributed": _("Attributed to holders"),
    "kept_held": _("Attributed and held"),
    "kept_suspense": _("Put into suspense"),
    "paid": _("Paid to holders, tax included"),
    "withheld": _("Of which withheld as tax"),
    "to_sisters": _("Passed on to sister societies"),
    "not_attributed": _("Collected, not yet attributed"),
    "not_paid": _("Attributed, not yet paid"),
    "in_payment": _("Ordered, not yet confirmed by the bank"),
    "held": _("Held until something is settled"),
    "suspense": _("In suspense: work or holder not known yet"),
    "recoverable": _("Paid too much, to be recovered"),
    "undistributable": _("Cannot be distributed"),
    "reserve": _("Reserve"),
    "bank": _("At the bank"),
}
NOTES: Final[dict[str, Any]] = {
    "activities": _("What the society did in the year"),
    "governance": _("Legal form, bodies, entities that it owns or controls, and what their members are paid"),
    "refusals": _("Licences that were refused, and why"),
    "costs": _("What running the society cost, and what covered it"),
    "payments": _("How often holders are paid"),
    "delays": _("Why money was not paid within nine months of the end of its year"),
    "social": _("What social, cultural and educational deductions were used for"),
    "auditor": _("The auditor's report"),
}


def figure_label(code: str) -> str:
    return str(FIGURES.get(code, code))


def note_label(code: str) -> str:
    return str(NOTES.get(code, code))
