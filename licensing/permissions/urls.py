"""Where the pages of permission lie, and those of imports and of one member."""

from django.urls import path

from licensing.permissions.pages import checks, imports, mandates, members, own, queue, registry, reserve, search

urlpatterns = [
    path("members/<int:holder_id>/", members.holder, name="holder"),
    path("imports/", imports.imports, name="imports"),
    path("imports/<int:import_id>/", imports.one_import, name="import"),
    path("imports/<int:import_id>/progress/", imports.progress, name="import_progress"),
    path("imports/<int:import_id>/rejects.csv", imports.rejects, name="import_rejects"),
    path("mandates/", mandates.mandates, name="mandates"),
    path("mandates/new/", mandates.mandate_create, name="mandate_create"),
    path("mandates/<int:mandate_id>/end/", mandates.mandate_end, name="mandate_end"),
    path("permissions/check/", checks.permission_check, name="permission_check"),
    path("search/", search.search, name="permission_search"),
    path("reserve/", reserve.reserve, name="reserve"),
    path("reserve/details/", reserve.details, name="reserve_details"),
    path("reserve/sent/", reserve.sent, name="reserve_sent"),
    path("reservations/", registry.reservations, name="reservations"),
    path("reservations/queue/", queue.queue, name="reservation_queue"),
    path("reservations/mine/", own.mine, name="reservations_mine"),
    path("reservations/new/", own.new, name="reservation_new"),
    path("reservations/texts/", own.texts, name="reservation_texts"),
    path("reservations/texts/<str:language>/<str:kind>.txt", own.text, name="reservation_text"),
    path("reservations/<int:reservation_id>/", registry.reservation, name="reservation"),
    path("reservations/<str:ref>/", reserve.follow, name="reservation_follow"),
    path("reservations/<str:ref>/confirm/", reserve.confirm, name="reservation_confirm"),
    path("reservations/<str:ref>/receipt.pdf", reserve.paper, name="reservation_receipt"),
    path("reservations/<str:ref>/withdraw/", reserve.withdraw, name="reservation_withdraw"),
    path("reservations/<str:ref>/decide/", queue.decide, name="reservation_decide"),
]
