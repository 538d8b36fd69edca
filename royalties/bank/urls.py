"""Addresses of the bank's pages, gathered by `royalties.urls`."""

from django.urls import path

from royalties.bank import pages

urlpatterns = [
    path("bank/", pages.accounts, name="bank_accounts"),
    path("bank/rates/", pages.rates, name="bank_rates"),
    path("bank/imports/<int:tried_id>/", pages.import_result, name="bank_import"),
    path("bank/imports/<int:tried_id>/problems/", pages.import_problems, name="bank_import_problems"),
    path("bank/imports/<int:tried_id>/file/", pages.import_file, name="bank_import_file"),
    path("bank/<int:bank_id>/", pages.account, name="bank_account"),
    path("bank/<int:bank_id>/import/", pages.statement_import, name="bank_statement_import"),
    path("bank/<int:bank_id>/columns/", pages.columns, name="bank_columns"),
]
