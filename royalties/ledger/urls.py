"""Addresses of the ledger, gathered by `royalties.urls`."""

from django.urls import path

from royalties.ledger import pages

urlpatterns = [
    path("ledger/", pages.accounts, name="ledger"),
    path("ledger/accounts/<int:account_id>/", pages.account, name="ledger_account"),
    path("ledger/journals/", pages.journals, name="ledger_journals"),
    path("ledger/journals/<int:journal_id>/", pages.journal, name="ledger_journal"),
    path("ledger/trial/", pages.trial, name="ledger_trial"),
]
