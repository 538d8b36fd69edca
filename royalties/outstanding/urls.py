"""Where money that waits is looked after, and where everybody can read of it."""

from django.urls import path

from royalties.outstanding.pages import creators, finance, public, resolutions, searching, terms

urlpatterns = [
    path("outstanding/", finance.ageing, name="outstanding"),
    path("outstanding/ageing.csv", finance.ageing_csv, name="outstanding_ageing_csv"),
    path("outstanding/amounts/", finance.items, name="outstanding_items"),
    path("outstanding/amounts.csv", finance.items_csv, name="outstanding_items_csv"),
    path("outstanding/warnings/", finance.warnings, name="warnings"),
    path("outstanding/lists/", finance.notices, name="public_lists"),
    path("outstanding/lists/publish/", finance.publish, name="public_list_publish"),
    path("outstanding/attempts/", searching.attempts, name="attempts"),
    path("outstanding/searches/", searching.tracings, name="tracings"),
    path("outstanding/searches/<int:tracing_id>/", searching.tracing, name="tracing"),
    path("outstanding/resolutions/", resolutions.resolutions, name="resolutions"),
    path("outstanding/resolutions/new/", resolutions.new, name="resolution_new"),
    path("outstanding/resolutions/<int:resolution_id>/", resolutions.resolution, name="resolution"),
    path("outstanding/resolutions/<int:resolution_id>/decide/", resolutions.decide, name="resolution_decide"),
    path("outstanding/resolutions/<int:resolution_id>/document/", resolutions.document, name="resolution_document"),
    path("outstanding/terms/", terms.terms_list, name="clock_terms_list"),
    path("outstanding/terms/new/", terms.new, name="clock_terms_new"),
    path("outstanding/terms/<int:clock_terms_id>/", terms.terms, name="clock_terms"),
    path("outstanding/terms/<int:clock_terms_id>/ask/", terms.ask, name="clock_terms_ask"),
    path("outstanding/terms/<int:clock_terms_id>/decide/", terms.decide, name="clock_terms_decide"),
    path("public-notices/", public.notices, name="public_notices"),
    path("public-notices/<int:public_notice_id>/", public.notice, name="public_notice"),
    path("money-that-waits/", creators.waiting, name="my_waiting"),
]
