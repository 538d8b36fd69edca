"""Where the pages of tariffs lie."""

from django.urls import path

from licensing.tariffs.pages import deciding, editor
from licensing.tariffs.pages import tariffs as pages

urlpatterns = [
    path("tariffs/", pages.tariffs, name="tariffs"),
    path("tariffs/propose/", pages.propose, name="tariff_propose"),
    path("tariffs/draft/", editor.new, name="tariff_new"),
    path("tariffs/draft/preview/", editor.preview, name="tariff_preview"),
    path("tariffs/versions/<int:version_id>/edit/", editor.edit, name="tariff_edit"),
    path("tariffs/<int:tariff_id>/", pages.tariff, name="tariff"),
    path("tariffs/versions/<int:version_id>/document.json", pages.document, name="tariff_document"),
    path("tariffs/versions/<int:version_id>/determine/", deciding.determine, name="tariff_determine"),
    path("tariffs/versions/<int:version_id>/refuse/", deciding.refuse, name="tariff_refuse"),
]
