"""The face of the app: names its slices' models, so that Django finds them."""

from royalties.bank.models import Application, BankAccount, BankStatement, Entry, ExchangeRate, StatementImport
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
from royalties.payees.models import (
    Payee,
    PayeeDetails,
    PayeeImport,
    PayeeReading,
    PayeeTerms,
    SanctionsCheck,
    TaxPaper,
    TaxRule,
)
from royalties.statements.models import Statement

__all__ = [
    "Account",
    "Allocation",
    "Application",
    "BankAccount",
    "BankStatement",
    "Entry",
    "ExchangeRate",
    "ExpiredAllocation",
    "Invoice",
    "InvoiceCredit",
    "InvoiceDeclaration",
    "InvoiceLine",
    "Journal",
    "Payee",
    "PayeeDetails",
    "PayeeImport",
    "PayeeReading",
    "PayeeTerms",
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
    "SanctionsCheck",
    "Statement",
    "StatementImport",
    "TaxPaper",
    "TaxRule",
    "VatRule",
]
