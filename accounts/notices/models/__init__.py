"""Notices to people, letters to addresses, and events to programs."""

from accounts.notices.models.letters import Letter
from accounts.notices.models.notices import Notice
from accounts.notices.models.webhooks import Webhook, WebhookDelivery

__all__ = ["Letter", "Notice", "Webhook", "WebhookDelivery"]
