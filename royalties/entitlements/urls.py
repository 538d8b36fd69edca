"""Addresses of entitlements, gathered by `royalties.urls`."""

from django.urls import path

from royalties.entitlements.pages import advances, creators, rights, sisters

urlpatterns = [
    path("entitlements/", rights.entitlements, name="entitlements"),
    path("entitlements/new/", rights.entitlement_new, name="entitlement_new"),
    path("entitlements/mine/", creators.my_entitlements, name="my_entitlements"),
    path("entitlements/<int:entitlement_id>/", rights.entitlement, name="entitlement"),
    path("entitlements/<int:entitlement_id>/file/", rights.entitlement_file, name="entitlement_file"),
    path("entitlements/<int:entitlement_id>/decide/", rights.entitlement_decide, name="entitlement_decide"),
    path("entitlements/<int:entitlement_id>/end/", rights.entitlement_end, name="entitlement_end"),
    path("entitlements/<int:entitlement_id>/end/decide/", rights.entitlement_end_decide, name="entitlement_end_decide"),
    path("advances/", advances.advances, name="advances"),
    path("advances/new/", advances.advance_new, name="advance_new"),
    path("advances/<int:advance_id>/", advances.advance, name="advance"),
    path("advances/<int:advance_id>/decide/", advances.advance_decide, name="advance_decide"),
    path("advances/<int:advance_id>/mark/", advances.advance_mark, name="advance_mark"),
    path("advances/<int:advance_id>/write-off/ask/", advances.write_off_ask, name="advance_write_off_ask"),
    path("advances/<int:advance_id>/write-off/decide/", advances.write_off_decide, name="advance_write_off_decide"),
    path("sisters/", sisters.sisters, name="sisters"),
    path("sisters/agreements/new/", sisters.agreement_new, name="sister_agreement_new"),
    path("sisters/agreements/<int:agreement_id>/", sisters.agreement, name="sister_agreement"),
    path("sisters/agreements/<int:agreement_id>/file/", sisters.agreement_file, name="sister_agreement_file"),
    path("sisters/agreements/<int:agreement_id>/decide/", sisters.agreement_decide, name="sister_agreement_decide"),
    path("sisters/agreements/<int:agreement_id>/end/", sisters.agreement_end, name="sister_agreement_end"),
    path(
        "sisters/agreements/<int:agreement_id>/end/decide/",
        sisters.agreement_end_decide,
        name="sister_agreement_end_decide",
    ),
    path("sisters/agreements/<int:agreement_id>/read/", sisters.agreement_read, name="sister_agreement_read"),
    path("sisters/statements/<int:sister_statement_id>/", sisters.statement, name="sister_statement"),
    path(
        "sisters/statements/<int:sister_statement_id>/detail.csv",
        sisters.statement_detail,
        name="sister_statement_detail",
    ),
    path("sisters/statements/<int:sister_statement_id>/mark/", sisters.statement_mark, name="sister_statement_mark"),
]
