"""Where the pages of declarations lie."""

from django.urls import path

from licensing.declarations.pages import audits, duties, effects, looking, quotas, uploads
from licensing.declarations.pages import declarations as pages

urlpatterns = [
    path("declarations/", pages.declarations, name="declarations"),
    path("declarations/coverage/", looking.coverage_of_all, name="declarations_coverage"),
    path("declarations/new/", pages.create, name="declaration_create"),
    path("declarations/<int:declaration_id>/", pages.declaration, name="declaration"),
    path("declarations/<int:declaration_id>/progress/", pages.progress, name="declaration_progress"),
    path("declarations/<int:declaration_id>/works/", looking.works, name="declaration_works"),
    path("declarations/<int:declaration_id>/coverage/", looking.coverage, name="declaration_coverage"),
    path("declarations/<int:declaration_id>/difference/", looking.difference, name="declaration_difference"),
    path(
        "declarations/<int:declaration_id>/difference/file/",
        looking.difference_file,
        name="declaration_difference_file",
    ),
    path("declarations/<int:declaration_id>/overlaps/", looking.overlaps, name="declaration_overlaps"),
    path(
        "declarations/<int:declaration_id>/questions/<int:question_id>/answer/", audits.answer, name="question_answer"
    ),
    path(
        "declarations/<int:declaration_id>/questions/<int:question_id>/settle/", audits.settle, name="question_settle"
    ),
    path("declarations/<int:declaration_id>/audits/", audits.audits, name="declaration_audits"),
    path("audits/<int:sample_id>/", audits.audit, name="audit"),
    path("audits/<int:sample_id>/file/", audits.audit_file, name="audit_file"),
    path("audits/<int:sample_id>/close/", audits.close, name="audit_close"),
    path("declarations/<int:declaration_id>/rejects/", pages.rejects, name="declaration_rejects"),
    path("declarations/<int:declaration_id>/attach/", pages.attach, name="declaration_attach"),
    path("declarations/<int:declaration_id>/uploads/cancel/", uploads.cancel, name="declaration_upload_cancel"),
    path("declarations/<int:declaration_id>/manifest/forget/", uploads.do_without, name="declaration_do_without"),
    path("declarations/<int:declaration_id>/submit/", pages.submit, name="declaration_submit"),
    path("declarations/<int:declaration_id>/amend/", pages.amend, name="declaration_amend"),
    path("declarations/<int:declaration_id>/cancel/", pages.cancel, name="declaration_cancel"),
    path("declarations/<int:declaration_id>/resume/", pages.resume, name="declaration_resume"),
    path("declarations/<int:declaration_id>/discard/", pages.discard, name="declaration_discard"),
    path("declarations/<int:declaration_id>/accept/", pages.accept, name="declaration_accept"),
    path("declarations/<int:declaration_id>/ask/", pages.ask, name="declaration_ask"),
    path("tariffs/versions/<int:version_id>/effect/", effects.work_out, name="tariff_effect"),
    path("licences/<int:licence_id>/quota/", quotas.quota, name="licence_quota"),
    path("duties/", duties.duties, name="duties"),
    path("duties/calendar.ics", duties.calendar_file, name="duties_calendar"),
    path("duties/licence/<int:licence_id>/", duties.year, name="duties_year"),
    path("duties/<int:duty_id>/nil/", duties.report_nil, name="duty_nil"),
    path("duties/<int:duty_id>/waive/", duties.waive, name="duty_waive"),
]
