"""Addresses of what was withheld in a year, gathered by `royalties.urls`."""

from django.urls import path

from royalties.payouts.pages import withholding

urlpatterns = [
    path("withholding/", withholding.withholding, name="withholding"),
    path("withholding/mine/", withholding.my_withholding, name="my_withholding"),
    path("withholding/<int:year>/authority.csv", withholding.authority, name="withholding_authority"),
    path(
        "withholding/<int:year>/<int:holder_id>/certificate.<slug:form>",
        withholding.certificate,
        name="withholding_certificate",
    ),
]
