"""Where the pages of permission lie, and those of imports and of one member."""

from django.urls import path

from licensing.permissions.pages import checks, imports, mandates, members

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
]
