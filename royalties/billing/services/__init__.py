"""What accepted declarations cost becomes an invoice; money that comes in for it becomes a pool."""

from royalties.billing.services.checks import problems
from royalties.billing.services.compensation import bill_case, cases_to_bill
from royalties.billing.services.drafts import Draft, Waiting, draft, waiting
from royalties.billing.services.invoices import bill, find_invoice, set_vat_rule
from royalties.billing.services.receipts import record_receipt

__all__ = [
    "Draft",
    "Waiting",
    "bill",
    "bill_case",
    "cases_to_bill",
    "draft",
    "find_invoice",
    "problems",
    "record_receipt",
    "set_vat_rule",
    "waiting",
]
