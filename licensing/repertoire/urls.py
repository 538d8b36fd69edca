"""Where the pages of members and works lie; one member's own page lies with the mandates, a slice above."""

from django.urls import path

from licensing.repertoire.pages import joining, merging, registration
from licensing.repertoire.pages import register as pages

urlpatterns = [
    path("members/", pages.holders, name="holders"),
    path("members/new/", pages.holder_new, name="holder_new"),
    path("members/<int:holder_id>/edit/", pages.holder_edit, name="holder_edit"),
    path("works/", pages.works, name="works"),
    path("works/new/", pages.work_new, name="work_new"),
    path("works/<int:work_id>/", pages.work, name="work"),
    path("works/<int:work_id>/edit/", pages.work_edit, name="work_edit"),
    path("works/<int:work_id>/names/", merging.work_names, name="work_names"),
    path("works/<int:work_id>/shares/", pages.work_shares, name="work_shares"),
    path("join/apply/", joining.apply, name="apply"),
    path("join/mine/", joining.applications, name="applications"),
    path("join/mine/<int:application_id>/withdraw/", joining.withdraw, name="application_withdraw"),
    path("applications/", joining.queue, name="application_queue"),
    path("applications/<int:application_id>/", joining.application, name="application"),
    path("applications/<int:application_id>/identity/", joining.identity, name="application_identity"),
    path("registrations/", registration.registrations, name="registrations"),
    path("registrations/new/", registration.new, name="registration_new"),
    path("registrations/<int:registration_id>/", registration.registration, name="registration"),
    path("registrations/<int:registration_id>/change/", registration.change, name="registration_change"),
    path("registrations/<int:registration_id>/confirm/", registration.confirm, name="registration_confirm"),
    path("registrations/<int:registration_id>/confirm-for/", registration.confirm_for, name="registration_confirm_for"),
    path("registrations/<int:registration_id>/object/", registration.object_to, name="registration_object"),
    path("registrations/<int:registration_id>/withdraw/", registration.withdraw, name="registration_withdraw"),
]
