"""`/api/v1/`: the slices' addresses, their description, and its page, which loads nothing from elsewhere."""

from django.urls import include, path

from config.api.pages import Description, Docs

urlpatterns = [
    path("schema/", Description.as_view(), name="api-schema"),
    path("docs/", Docs.as_view(), name="api-docs"),
    path("", include("accounts.api_urls")),
    path("", include("licensing.api_urls")),
    path("", include("royalties.api_urls")),
]
