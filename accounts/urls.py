"""The pages of the ground floor."""

from django.urls import path

from accounts.access.pages import account, firms, people, staff, tokens
from accounts.approvals import pages as approvals
from accounts.evidence import pages as evidence
from accounts.identity import pages as identity
from accounts.notices.pages import notices, webhooks

app_name = "accounts"
urlpatterns = [
    path(".well-known/jwks.json", identity.jwks, name="jwks"),
    path("welcome/<str:token>/", people.welcome, name="welcome"),
    path("join/account/", account.account, name="account"),
    path("join/account/sent/", account.sent, name="account_sent"),
    path("join/account/<str:token>/", account.opened, name="account_open"),
    path("join/firm/", firms.firm, name="firm"),
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
    path("webhooks/", webhooks.webhooks, name="webhooks"),
    path("webhooks/new/", webhooks.create, name="webhook_new"),
    path("webhooks/<int:webhook_id>/", webhooks.webhook, name="webhook"),
    path("webhooks/<int:webhook_id>/events/", webhooks.choose_events, name="webhook_events"),
    path("webhooks/<int:webhook_id>/secret/", webhooks.new_secret, name="webhook_secret"),
    path("webhooks/<int:webhook_id>/enable/", webhooks.enable, name="webhook_enable"),
    path("webhooks/<int:webhook_id>/disable/", webhooks.disable, name="webhook_disable"),
    path("webhooks/<int:webhook_id>/remove/", webhooks.remove, name="webhook_remove"),
    path("webhooks/<int:webhook_id>/ping/", webhooks.ping, name="webhook_ping"),
    path("webhooks/<int:webhook_id>/replay/", webhooks.replay_failed, name="webhook_replay_failed"),
    path("webhooks/<int:webhook_id>/deliveries/<int:delivery_id>/", webhooks.delivery, name="webhook_delivery"),
    path("webhooks/<int:webhook_id>/deliveries/<int:delivery_id>/replay/", webhooks.replay, name="webhook_replay"),
    path("approvals/", approvals.approvals, name="approvals"),
    path("evidence/", evidence.evidence, name="evidence"),
]
