"""The routes of the house: its own pages, sign-in, the three apps, and the API."""

from django.conf import settings
from django.urls import include, path

from config import pages

urlpatterns = [
    path("", pages.home, name="home"),
    path("theme/", pages.theme, name="theme"),
    path("healthz", pages.healthz, name="healthz"),
    path("i18n/setlang/", pages.language, name="set_language"),
    path("accounts/", include("allauth.urls")),
    path("api/v1/", include("config.api.urls")),
    path("", include("accounts.urls")),
    path("", include("licensing.urls")),
    path("", include("royalties.urls")),
]

if settings.DEBUG:
    urlpatterns.append(path("style/", pages.style, name="style"))
