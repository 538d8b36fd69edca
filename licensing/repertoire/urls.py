"""Where the pages of members and works lie; one member's own page lies with the mandates, a slice above."""

from django.urls import path

from licensing.repertoire.pages import register as pages

urlpatterns = [
    path("members/", pages.holders, name="holders"),
    path("members/new/", pages.holder_new, name="holder_new"),
    path("members/<int:holder_id>/edit/", pages.holder_edit, name="holder_edit"),
    path("works/", pages.works, name="works"),
    path("works/new/", pages.work_new, name="work_new"),
    path("works/<int:work_id>/", pages.work, name="work"),
    path("works/<int:work_id>/edit/", pages.work_edit, name="work_edit"),
    path("works/<int:work_id>/shares/", pages.work_shares, name="work_shares"),
]
