"""The pages of the middle floor: gathers the routes of its slices."""

from django.urls import include, path

app_name = "licensing"
urlpatterns = [
    path("", include("licensing.tariffs.urls")),
    path("", include("licensing.licences.urls")),
]
