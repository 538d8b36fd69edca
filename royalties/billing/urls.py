"""Addresses of billing, gathered by `royalties.urls`."""

from django.urls import path

from royalties.billing.pages import early, entries, owing
from royalties.billing.pages import invoices as pages

urlpatterns = [
    path("invoices/", pages.invoices, name="invoices"),
    path("invoices/waiting/", pages.waiting, name="invoices_waiting"),
    path("invoices/cases/<int:case_id>/", pages.case_bill, name="case_bill"),
    path("invoices/new/", pages.invoice_new, name="invoice_new"),
    path("invoices/estimates/<int:duty_id>/", early.invoice_estimate, name="invoice_estimate"),
    path("invoices/advances/<int:licence_id>/", early.invoice_advance, name="invoice_advance"),
    path("invoices/unpaid/", early.unpaid, name="unpaid"),
    path("invoices/unpaid/<int:licence_id>/suspend/", early.unpaid_suspend, name="unpaid_suspend"),
    path("invoices/revenue/", pages.revenue, name="revenue"),
    path("invoices/vat/", pages.vat, name="vat"),
    path("invoices/vat/licensees/", owing.vat_exemptions, name="vat_exemptions"),
    path("invoices/late/", owing.late, name="invoices_late"),
    path("invoices/late/steps/", owing.reminding, name="reminding"),
    path("invoices/tax/", owing.tax_details, name="tax_details"),
    path("invoices/tax/export/", owing.tax_export, name="tax_export"),
    path("invoices/write-offs/", owing.write_offs, name="write_offs"),
    path("invoices/write-offs/<int:write_off_id>/", owing.write_off, name="write_off"),
    path("invoices/write-offs/<int:write_off_id>/decide/", owing.write_off_decide, name="write_off_decide"),
    path("invoices/<int:invoice_id>/write-off/", owing.write_off_new, name="write_off_new"),
    path("invoices/<int:invoice_id>/dispute/", owing.invoice_dispute, name="invoice_dispute"),
    path("invoices/<int:invoice_id>/tax-invoice/", owing.tax_invoice_new, name="tax_invoice_new"),
    path("bank/entries/", entries.entries, name="bank_entries"),
    path("bank/entries/match/", entries.match, name="bank_match"),
    path("bank/entries/<int:entry_id>/", entries.entry, name="bank_entry"),
    path("bank/entries/<int:entry_id>/act/", entries.entry_act, name="bank_entry_act"),
    path("bank/refunds/", entries.refunds, name="refunds"),
    path("bank/refunds/new/", entries.refund_new, name="refund_new"),
    path("bank/refunds/<int:refund_id>/", entries.refund, name="refund"),
    path("bank/refunds/<int:refund_id>/decide/", entries.refund_decide, name="refund_decide"),
    path("invoices/<int:invoice_id>/", pages.invoice, name="invoice"),
    path("invoices/<int:invoice_id>/receipts/", pages.receipt_new, name="receipt_new"),
]
