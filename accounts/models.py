"""The face of the app: names its slices' models, so that Django finds them."""

from accounts.access.models import Membership, RememberedAnswer, Token
from accounts.approvals.models import Approval
from accounts.evidence.models import Event
from accounts.identity.models import User
from accounts.notices.models import Letter, Notice, Webhook, WebhookDelivery
from accounts.organisations.models import Organisation

__all__ = [
    "Approval",
    "Event",
    "Letter",
    "Membership",
    "Notice",
    "Organisation",
    "RememberedAnswer",
    "Token",
    "User",
    "Webhook",
    "WebhookDelivery",
]
