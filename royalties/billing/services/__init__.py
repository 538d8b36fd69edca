"""What accepted declarations cost becomes an invoice; money that comes in for it becomes a pool."""

from royalties.billing.services.advances import (
    AdvanceDue,
    advance,
    advances_due,
    draft_advance,
    fixed_period,
    issue_advances,
)
from royalties.billing.services.applying import (
    Matched,
    apply_entry,
    book_charges,
    keep_for_licence,
    link_receipt,
    match,
    suggestions,
)
from royalties.billing.services.bases import Basis
from royalties.billing.services.checks import problems
from royalties.billing.services.compensation import bill_case, cases_to_bill
from royalties.billing.services.drafts import Draft, draft
from royalties.billing.services.estimates import draft_estimate, estimate, estimates_due
from royalties.billing.services.invoices import Billed, bill, bill_period, find_invoice
from royalties.billing.services.losses import decide_write_off, request_write_off
from royalties.billing.services.receipts import record_receipt
from royalties.billing.services.refunds import cancel_refund, decide_refund, request_refund, settle_refund
from royalties.billing.services.reminding import (
    ageing,
    close_dispute,
    dispute_invoice,
    late,
    late_invoices,
    policy_on,
    remind_unpaid,
    set_dunning_policy,
)
from royalties.billing.services.standing import favour
from royalties.billing.services.taxinvoices import make_tax_invoice, record_tax_details, tax_invoices
from royalties.billing.services.unpaid import overdue, resume_all_paid, suspend_unpaid
from royalties.billing.services.unused import OwedWithoutUse, owed_without_use
from royalties.billing.services.vat import set_vat_exemption, set_vat_rule
from royalties.billing.services.waiting import REASONS, Waiting, adjustments, waiting

__all__ = [
    "REASONS",
    "AdvanceDue",
    "Basis",
    "Billed",
    "Draft",
    "Matched",
    "OwedWithoutUse",
    "Waiting",
    "adjustments",
    "advance",
    "advances_due",
    "ageing",
    "apply_entry",
    "bill",
    "bill_case",
    "bill_period",
    "book_charges",
    "cancel_refund",
    "cases_to_bill",
    "close_dispute",
    "decide_refund",
    "decide_write_off",
    "dispute_invoice",
    "draft",
    "draft_advance",
    "draft_estimate",
    "estimate",
    "estimates_due",
    "favour",
    "find_invoice",
    "fixed_period",
    "issue_advances",
    "keep_for_licence",
    "late",
    "late_invoices",
    "link_receipt",
    "make_tax_invoice",
    "match",
    "overdue",
    "owed_without_use",
    "policy_on",
    "problems",
    "record_receipt",
    "record_tax_details",
    "remind_unpaid",
    "request_refund",
    "request_write_off",
    "resume_all_paid",
    "set_dunning_policy",
    "set_vat_exemption",
    "set_vat_rule",
    "settle_refund",
    "suggestions",
    "suspend_unpaid",
    "tax_invoices",
    "waiting",
]
