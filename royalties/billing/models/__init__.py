"""Billing: what accepted declarations cost, and the money that came in for it."""

from royalties.billing.models.dunning import DunningPolicy, InvoiceDispute, InvoiceReminder
from royalties.billing.models.invoices import (
    STATUSES,
    STILL_OPEN,
    Invoice,
    InvoiceCredit,
    InvoiceDeclaration,
    InvoiceLine,
    PoolDeclaration,
    Receipt,
    VatRule,
)
from royalties.billing.models.settling import KeptPayment, Refund, WriteOff
from royalties.billing.models.tax import TaxDetails, TaxInvoice, VatExemption

__all__ = [
    "STATUSES",
    "STILL_OPEN",
    "DunningPolicy",
    "Invoice",
    "InvoiceCredit",
    "InvoiceDeclaration",
    "InvoiceDispute",
    "InvoiceLine",
    "InvoiceReminder",
    "KeptPayment",
    "PoolDeclaration",
    "Receipt",
    "Refund",
    "TaxDetails",
    "TaxInvoice",
    "VatExemption",
    "VatRule",
    "WriteOff",
]
