"""Where the pages of compliance lie."""

from django.urls import path

from licensing.compliance.pages import cases, notices

urlpatterns = [
    path("reservation-notices/", notices.reservation_notices, name="reservation_notices"),
    path("reservation-notices/acknowledge/", notices.acknowledge_all, name="reservation_notices_acknowledge"),
    path(
        "reservation-notices/<int:reservation_notice_id>/acknowledge/",
        notices.acknowledge,
        name="reservation_notice_acknowledge",
    ),
    path("cases/", cases.cases, name="cases"),
    path("cases/terms/", cases.terms, name="compensation_terms"),
    path("cases/of/<int:declaration_id>/notify/", cases.notify_all, name="cases_notify"),
    path("cases/<int:case_id>/", cases.case, name="case"),
    path("cases/<int:case_id>/notify/", cases.notify, name="case_notify"),
    path("cases/<int:case_id>/accept/", cases.accept, name="case_accept"),
    path("cases/<int:case_id>/dispute/", cases.dispute, name="case_dispute"),
    path("cases/<int:case_id>/point/", cases.point, name="case_point"),
    path("cases/<int:case_id>/license/", cases.license_afterwards, name="case_license"),
    path("cases/<int:case_id>/settle/", cases.settle, name="case_settle"),
    path("cases/<int:case_id>/decide/", cases.decide, name="case_decide"),
    path("cases/<int:case_id>/close/", cases.close, name="case_close"),
]
