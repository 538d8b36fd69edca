"""The page of the engine."""

from django.urls import path

from licensing.engine import pages

urlpatterns = [path("engine/", pages.engine, name="engine")]
