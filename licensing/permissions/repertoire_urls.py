"""Where the pages of imports and of one member lie."""

from django.urls import path

from licensing.permissions import import_pages, member_pages

urlpatterns = [
    path("members/<int:holder_id>/", member_pages.holder, name="holder"),
    path("imports/", import_pages.imports, name="imports"),
    path("imports/<int:import_id>/", import_pages.one_import, name="import"),
    path("imports/<int:import_id>/progress/", import_pages.progress, name="import_progress"),
    path("imports/<int:import_id>/rejects.csv", import_pages.rejects, name="import_rejects"),
]
