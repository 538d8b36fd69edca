"""Where the pages of licences lie."""

from django.urls import path

from licensing.licences.pages import licences as pages

urlpatterns = [
    path("licences/", pages.licences, name="licences"),
    path("licences/new/", pages.create, name="licence_create"),
    path("licences/<int:licence_id>/", pages.licence, name="licence"),
    path("licences/<int:licence_id>/activate/", pages.activate, name="licence_activate"),
    path("licences/<int:licence_id>/suspend/", pages.suspend, name="licence_suspend"),
    path("licences/<int:licence_id>/resume/", pages.resume, name="licence_resume"),
    path("licences/<int:licence_id>/terminate/", pages.terminate, name="licence_terminate"),
]
