"""Where the pages of permission lie."""

from django.urls import path

from licensing.permissions import pages

urlpatterns = [
    path("mandates/", pages.mandates, name="mandates"),
    path("mandates/new/", pages.mandate_create, name="mandate_create"),
    path("mandates/<int:mandate_id>/end/", pages.mandate_end, name="mandate_end"),
    path("permissions/check/", pages.permission_check, name="permission_check"),
]
