"""Leave an event for an organisation's programs."""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.utils import timezone

from accounts.notices.models import Webhook, WebhookDelivery

MOST_BYTES = 64 * 1024


def publish(*, organisation_id: int, kind: str, key: str, data: dict[str, Any]) -> None:
    """Leave this event for each webhook of the organisation that asked for its kind; sent once the change is committed.

    Must run in the transaction of the change. `kind` is one of `settings.WEBHOOK_KINDS`; `key` names the occasion
    (`case-opened:7`): a webhook hears of it once, however often this runs. `data` is small and JSON: references and
    states, from which the receiver asks the API for more. A webhook that is switched off gets it when it is on again.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError(f"{kind} must be published in the transaction of the change it speaks of.")
    if kind not in settings.WEBHOOK_KINDS:
        raise ValueError(f"{kind} is not in settings.WEBHOOK_KINDS")
    leave(list(Webhook.objects.filter(organisation_id=organisation_id, events__contains=[kind])), kind, key, data)


def leave(webhooks: list[Webhook], kind: str, key: str, data: dict[str, Any]) -> None:
    """The event for these webhooks, whatever kinds they asked for."""
    if not webhooks:
        return
    now = timezone.now()
    event = {"key": key, "kind": kind, "created_at": now.isoformat(timespec="milliseconds"), "data": data}
    body = json.dumps(event, cls=DjangoJSONEncoder, ensure_ascii=False, separators=(",", ":"))
    if len(body.encode()) > MOST_BYTES:
        raise ValueError(f"{kind} {key}: an event holds {MOST_BYTES} bytes at most; send references")
    WebhookDelivery.objects.bulk_create(
        [
            WebhookDelivery(webhook=webhook, event_key=key, kind=kind, body=body, next_attempt_at=now)
            for webhook in webhooks
        ],
        ignore_conflicts=True,
    )
    send_soon()


def send_soon() -> None:
    """Have it sent once this transaction is committed; beat sends what a silent queue missed."""
    from accounts.notices.tasks import deliver_webhooks  # tasks stand above services

    transaction.on_commit(lambda: deliver_webhooks.delay(), robust=True)
