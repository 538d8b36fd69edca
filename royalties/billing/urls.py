"""Addresses of billing, gathered by `royalties.urls`."""

from django.urls import path

from royalties.billing.pages import early
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
    path("invoices/<int:invoice_id>/", pages.invoice, name="invoice"),
    path("invoices/<int:invoice_id>/receipts/", pages.receipt_new, name="receipt_new"),
]
