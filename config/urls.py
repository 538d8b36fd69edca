"""The routes of the house: its own pages, sign-in, the three apps, and the API."""

from importlib.util import find_spec

from django.conf import settings
from django.urls import include, path

from config import pages

urlpatterns = [
    path("", pages.home, name="home"),
    path("theme/", pages.theme, name="theme"),
    path("healthz", pages.healthz, name="healthz"),
    path("i18n/", include("django.conf.urls.i18n")),
    path("accounts/", include("allauth.urls")),
]

for prefix, module in (("api/v1/", "config.api.urls"), ("", "accounts.urls"), ("", "licensing.urls"), ("", "royalties.urls")):
    if find_spec(module):
        urlpatterns.append(path(prefix, include(module)))

if settings.DEBUG:
    urlpatterns.append(path("style/", pages.style, name="style"))
