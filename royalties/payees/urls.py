"""Addresses of payees, gathered by `royalties.urls`."""

from django.urls import path

from royalties.payees.pages import creators, imports, law, society

urlpatterns = [
    path("payment-details/", creators.my_payee, name="my_payee"),
    path("payment-details/<int:holder_id>/change/", creators.change, name="my_payee_change"),
    path("payment-details/versions/<int:details_id>/object/", creators.stop, name="my_payee_stop"),
    path("payees/stop/<str:token>/", creators.stop_by_link, name="payee_stop"),
    path("payees/", society.payees, name="payees"),
    path("payees/changes/", society.changes, name="payee_changes"),
    path("payees/others/", society.third_party, name="payee_add"),
    path("payees/imports/", imports.imports, name="payee_imports"),
    path("payees/imports/<int:payee_import_id>/", imports.payee_import, name="payee_import"),
    path("payees/imports/<int:payee_import_id>/ask/", imports.ask_import, name="payee_import_ask"),
    path("payees/imports/<int:payee_import_id>/decide/", imports.decide_import, name="payee_import_decide"),
    path("payees/waiting-time/", imports.terms, name="payee_waiting_time"),
    path("payees/waiting-time/<int:payee_terms_id>/", imports.one_terms, name="payee_terms"),
    path("payees/waiting-time/<int:payee_terms_id>/decide/", imports.decide_terms, name="payee_terms_decide"),
    path("payees/holders/<int:holder_id>/", society.change_of_holder, name="payee_of_holder"),
    path("payees/details/<int:details_id>/", society.details, name="payee_details"),
    path("payees/details/<int:details_id>/ask/", society.ask, name="payee_details_ask"),
    path("payees/details/<int:details_id>/decide/", society.decide, name="payee_details_decide"),
    path("payees/details/<int:details_id>/object/", society.stop, name="payee_details_stop"),
    path("payees/details/<int:details_id>/checks/", society.check, name="payee_details_check"),
    path("payees/details/<int:details_id>/read/", society.read, name="payee_details_read"),
    path("payees/papers/<int:paper_id>/", society.paper, name="tax_paper"),
    path("payees/papers/<int:paper_id>/decide/", society.decide_paper, name="tax_paper_decide"),
    path("payees/papers/<int:paper_id>/revoke/", society.revoke_paper, name="tax_paper_revoke"),
    path("payees/<int:payee_id>/", society.payee, name="payee"),
    path("payees/<int:payee_id>/change/", society.change, name="payee_change"),
    path("payees/<int:payee_id>/papers/", society.add_paper, name="payee_paper"),
    path("tax-rules/", law.tax_rules, name="tax_rules"),
    path("tax-rules/<int:tax_rule_id>/", law.tax_rule, name="tax_rule"),
]
