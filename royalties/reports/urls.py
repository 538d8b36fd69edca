"""Addresses of closes and reports, gathered by `royalties.urls`."""

from django.urls import path

from royalties.reports.pages import closing, transparency

urlpatterns = [
    path("reconciliation/", closing.reconciliation, name="reconciliation"),
    path("closings/", closing.closings, name="closings"),
    path("closings/<int:close_id>/", closing.close, name="close"),
    path("closings/<int:close_id>/decide/", closing.decide, name="close_decide"),
    path("closings/<int:close_id>/withdraw/", closing.withdraw, name="close_withdraw"),
    path("reports/", transparency.reports, name="reports"),
    path("transparency/", transparency.published, name="transparency"),
    path("transparency/<int:report_id>/", transparency.report, name="report"),
    path("transparency/<int:report_id>/renew/", transparency.renew, name="report_renew"),
    path("transparency/<int:report_id>/publish/", transparency.publish, name="report_publish"),
    path(
        "transparency/<int:report_id>/journals/<str:currency>/<slug:figure>/",
        transparency.journals,
        name="report_journals",
    ),
    path("transparency/<int:report_id>/report.<slug:form>", transparency.download, name="report_file"),
]
