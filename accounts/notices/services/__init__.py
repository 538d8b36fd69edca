"""Tell people, addresses and programs: once each."""

from accounts.notices.services.letters import send_letter
from accounts.notices.services.mailing import mail_waiting
from accounts.notices.services.publishing import publish
from accounts.notices.services.telling import mark_read, notify

__all__ = ["mail_waiting", "mark_read", "notify", "publish", "send_letter"]
