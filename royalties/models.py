"""The face of the app: names its slices' models, so that Django finds them."""

from royalties.billing.models import (
    Invoice,
    InvoiceCredit,
    InvoiceDeclaration,
    InvoiceLine,
    PoolDeclaration,
    Receipt,
    VatRule,
)
from royalties.distribution.models import (
    Allocation,
    ExpiredAllocation,
    Rule,
    Run,
    RunCorrection,
    RunPool,
    RunPoolDeclaration,
    RunReceipt,
    RunRelease,
)
from royalties.ledger.models import Account, Journal, Posting
from royalties.statements.models import Statement

__all__ = [
    "Account",
    "Allocation",
    "ExpiredAllocation",
    "Invoice",
    "InvoiceCredit",
    "InvoiceDeclaration",
    "InvoiceLine",
    "Journal",
    "PoolDeclaration",
    "Posting",
    "Receipt",
    "Rule",
    "Run",
    "RunCorrection",
    "RunPool",
    "RunPoolDeclaration",
    "RunReceipt",
    "RunRelease",
    "Statement",
    "VatRule",
]
