"""The face of the app: names its slices' models, so that Django finds them."""

from royalties.billing.models import Invoice, InvoiceDeclaration, InvoiceLine, Receipt, VatRule
from royalties.distribution.models import Allocation, Rule, Run, RunPool, RunReceipt
from royalties.ledger.models import Account, Journal, Posting
from royalties.statements.models import Statement

__all__ = [
    "Account",
    "Allocation",
    "Invoice",
    "InvoiceDeclaration",
    "InvoiceLine",
    "Journal",
    "Posting",
    "Receipt",
    "Rule",
    "Run",
    "RunPool",
    "RunReceipt",
    "Statement",
    "VatRule",
]
