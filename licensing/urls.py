"""The pages of the middle floor: gathers the routes of its slices."""

from django.urls import include, path

app_name = "licensing"
urlpatterns = [
    path("", include("licensing.engine.urls")),
    path("", include("licensing.repertoire.urls")),
    path("", include("licensing.tariffs.urls")),
    path("", include("licensing.licences.urls")),
    path("", include("licensing.licences.public_urls")),
    path("", include("licensing.permissions.site_urls")),
    path("", include("licensing.permissions.urls")),
    path("", include("licensing.declarations.urls")),
    path("", include("licensing.claims.urls")),
    path("", include("licensing.disputes.urls")),
    path("", include("licensing.compliance.urls")),
]
