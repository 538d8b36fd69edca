"""`/api/v1/`: the slices' addresses, their description, and its page, which loads nothing from elsewhere."""

from importlib.util import find_spec

from django.urls import URLPattern, URLResolver, include, path

from config.api.pages import Description, Docs

urlpatterns: list[URLPattern | URLResolver] = [
    path("schema/", Description.as_view(), name="api-schema"),
    path("docs/", Docs.as_view(), name="api-docs"),
]

for module in ("licensing.api_urls", "royalties.api_urls"):
    if find_spec(module):
        urlpatterns.append(path("", include(module)))
