"""Where the pages of declarations lie."""

from django.urls import path

from licensing.declarations.pages import declarations as pages
from licensing.declarations.pages import duties, effects

urlpatterns = [
    path("declarations/", pages.declarations, name="declarations"),
    path("declarations/new/", pages.create, name="declaration_create"),
    path("declarations/<int:declaration_id>/", pages.declaration, name="declaration"),
    path("declarations/<int:declaration_id>/progress/", pages.progress, name="declaration_progress"),
    path("declarations/<int:declaration_id>/works/", pages.works, name="declaration_works"),
    path("declarations/<int:declaration_id>/rejects/", pages.rejects, name="declaration_rejects"),
    path("declarations/<int:declaration_id>/attach/", pages.attach, name="declaration_attach"),
    path("declarations/<int:declaration_id>/submit/", pages.submit, name="declaration_submit"),
    path("declarations/<int:declaration_id>/amend/", pages.amend, name="declaration_amend"),
    path("declarations/<int:declaration_id>/discard/", pages.discard, name="declaration_discard"),
    path("declarations/<int:declaration_id>/accept/", pages.accept, name="declaration_accept"),
    path("declarations/<int:declaration_id>/ask/", pages.ask, name="declaration_ask"),
    path("tariffs/versions/<int:version_id>/effect/", effects.work_out, name="tariff_effect"),
    path("duties/", duties.duties, name="duties"),
    path("duties/calendar.ics", duties.calendar_file, name="duties_calendar"),
    path("duties/licence/<int:licence_id>/", duties.year, name="duties_year"),
    path("duties/<int:duty_id>/nil/", duties.report_nil, name="duty_nil"),
    path("duties/<int:duty_id>/waive/", duties.waive, name="duty_waive"),
]
