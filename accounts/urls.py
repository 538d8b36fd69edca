"""The pages of the ground floor."""

from django.urls import path

from accounts.access.pages import people, staff, tokens
from accounts.approvals import pages as approvals
from accounts.evidence import pages as evidence
from accounts.identity import pages as identity
from accounts.notices.pages import notices

app_name = "accounts"
urlpatterns = [
    path(".well-known/jwks.json", identity.jwks, name="jwks"),
    path("welcome/<str:token>/", people.welcome, name="welcome"),
    path("profile/", people.profile, name="profile"),
    path("profile/switch/", people.switch, name="switch"),
    path("staff/", staff.staff, name="staff"),
    path("staff/<int:membership_id>/invite/", staff.invite_again, name="staff_invite"),
    path("staff/<int:membership_id>/remove/", staff.remove, name="staff_remove"),
    path("tokens/", tokens.tokens, name="tokens"),
    path("tokens/<int:token_id>/revoke/", tokens.revoke, name="token_revoke"),
    path("notices/", notices.notices, name="notices"),
    path("notices/read/", notices.read_all, name="notices_read"),
    path("notices/<int:notice_id>/read/", notices.read, name="notice_read"),
    path("approvals/", approvals.approvals, name="approvals"),
    path("evidence/", evidence.evidence, name="evidence"),
]
