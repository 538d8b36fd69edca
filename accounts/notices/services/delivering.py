"""Send what is due to whom it is due; see the functions below."""

from __future__ import annotations

import datetime
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import structlog
from django.db import transaction
from django.db.models import F, OuterRef, Q, Subquery
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from accounts.access.models import Membership, Role
from accounts.evidence.services import record
from accounts.identity.core import SYSTEM, Reference, Refusal
from accounts.identity.outbound import fetch
from accounts.identity.sealing import unseal
from accounts.notices import core
from accounts.notices.models import Webhook, WebhookDelivery
from accounts.notices.services.telling import notify

TIMEOUT = 10.0  # seconds for one attempt
ANSWER_BYTES = 2048  # what is kept of an answer
REST = datetime.timedelta(minutes=1)  # in which a webhook that has just failed is left alone
KEPT = datetime.timedelta(days=90)
BUDGET = 50.0  # seconds of one run: beat starts the next one
_AT_ONCE = 8
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Outcome:
    status_code: int | None = None
    error: str = ""
    answer: str = ""

    @property
    def accepted(self) -> bool:
        return not self.error


def deliver_due() -> int:
    """Send the deliveries that are due; returns how many were tried. Safe beside itself.

    Of each webhook one at a time, the oldest first, so that a slow receiver holds up nobody else's events. A webhook
    that fails rests for a minute, and what waits for it keeps its attempts. Nothing is sent inside a transaction.
    """
    tried, end = 0, time.monotonic() + BUDGET
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="webhook") as pool:
        while time.monotonic() < end and (claimed := _claim(_due())):
            sent = [(delivery, pool.submit(_send, *_parcel(delivery))) for delivery in claimed]
            for delivery, result in sent:
                _settle(delivery, result.result())
            tried += len(claimed)
    return tried


def forget_deliveries() -> int:
    """Delete what is older than 90 days, sent or not; returns how many deliveries that were."""
    return WebhookDelivery.objects.filter(created_at__lt=timezone.now() - KEPT).delete()[0]


def _due() -> list[WebhookDelivery]:
    """The oldest due delivery of each webhook that is on and does not rest, the longest due first."""
    now = timezone.now()
    awake = Q(rests_until=None) | Q(rests_until__lte=now)
    due = WebhookDelivery.objects.filter(webhook=OuterRef("pk"), status="waiting", next_attempt_at__lte=now)
    first = Subquery(due.order_by("next_attempt_at", "id").values("pk")[:1])
    webhooks = Webhook.objects.filter(awake, disabled_at=None).annotate(first=first).exclude(first=None)
    found = WebhookDelivery.objects.filter(pk__in=webhooks.values("first")).select_related("webhook")
    return list(found.order_by("next_attempt_at", "id")[: 4 * _AT_ONCE])


def _claim(due: Iterable[WebhookDelivery]) -> list[WebhookDelivery]:
    """Those that nobody else took meanwhile. A claim counts as an attempt, so that no delivery can crash us for ever."""
    claimed = []
    for delivery in due:
        now = timezone.now()
        rows = WebhookDelivery.objects.filter(
            pk=delivery.pk, status="waiting", next_attempt_at=delivery.next_attempt_at, attempts=delivery.attempts
        )
        if rows.update(next_attempt_at=now + core.LEASE, attempts=F("attempts") + 1, attempted_at=now) == 1:
            delivery.next_attempt_at, delivery.attempts, delivery.attempted_at = (
                now + core.LEASE,
                delivery.attempts + 1,
                now,
            )
            claimed.append(delivery)
    return claimed


def _parcel(delivery: WebhookDelivery) -> tuple[str, bytes, dict[str, str]]:
    """What is sent: address, body, headers. Read here, because a sender's thread asks no database."""
    webhook, body, now = delivery.webhook, delivery.body.encode(), timezone.now()
    try:
        secrets = [unseal(webhook.secret)]
        if webhook.previous_until and webhook.previous_until > now:
            secrets.append(unseal(webhook.previous_secret))
    except Refusal as refusal:
        return "", b"", {"error": refusal.code}
    return webhook.url, body, {
        "Content-Type": "application/json",
        "Jeongsan-Event": delivery.kind,
        "Jeongsan-Delivery": str(delivery.pk),
        "Jeongsan-Signature": core.signature(body, secrets, int(now.timestamp())),
    }  # fmt: skip


def _send(url: str, body: bytes, headers: dict[str, str]) -> _Outcome:
    """One attempt. Only an answer of 2xx says that the receiver has it; a redirect is not followed."""
    if not url:
        return _Outcome(error=headers["error"])
    try:
        answer = fetch(
            url, limit=ANSWER_BYTES, timeout=TIMEOUT, redirects=0, method="POST", body=body, headers=headers, cut=True
        )
    except Refusal as refusal:
        return _Outcome(error=refusal.code)
    text = answer.body.decode(errors="replace").replace("\x00", "")
    return _Outcome(answer.status, "" if 200 <= answer.status < 300 else "not_accepted", text)


@transaction.atomic
def _settle(delivery: WebhookDelivery, outcome: _Outcome) -> None:
    """Write down how an attempt ended, if it is still ours: after its lease somebody else may have taken it.

    The webhook is held first, as those do who manage it; `no_key` lets events be published for it meanwhile.
    """
    now = timezone.now()
    webhook = Webhook.objects.select_for_update(no_key=True).filter(pk=delivery.webhook_id).first()
    again = None if outcome.accepted else core.next_attempt(delivery.attempts, now)
    status = "delivered" if outcome.accepted else "waiting" if again else "failed"
    mine = WebhookDelivery.objects.filter(
        pk=delivery.pk, status="waiting", next_attempt_at=delivery.next_attempt_at, attempts=delivery.attempts
    )
    settled = mine.update(
        status=status, next_attempt_at=again, delivered_at=now if outcome.accepted else None,
        status_code=outcome.status_code, error=outcome.error, answer=outcome.answer,
    )  # fmt: skip
    if settled != 1 or webhook is None:
        return
    if outcome.accepted:
        webhook.failing_since, webhook.given_up, webhook.rests_until = None, 0, None
    else:
        log.info("webhook.failed", delivery=delivery.pk, attempts=delivery.attempts, error=outcome.error)
        webhook.failing_since, webhook.rests_until = webhook.failing_since or now, now + REST
        webhook.given_up += status == "failed"
    webhook.save(update_fields=["failing_since", "given_up", "rests_until"])
    _switch_off_if_lost(webhook, now)


def _switch_off_if_lost(webhook: Webhook, now: datetime.datetime) -> None:
    """Stop sending where nobody has listened for long, and tell those who look after it."""
    if webhook.failing_since is None or not core.is_lost(webhook.failing_since, webhook.given_up, now):
        return
    if Webhook.objects.filter(pk=webhook.pk, disabled_at=None).update(disabled_at=now) != 1:
        return
    record(
        actor=SYSTEM, verb="webhook.given_up", object=Reference("webhook", webhook.pk),
        organisation_id=webhook.organisation_id, data={"since": webhook.failing_since.isoformat()},
    )  # fmt: skip
    administrators = Membership.objects.filter(
        organisation_id=webhook.organisation_id, role=Role.ADMINISTRATOR, user__is_active=True
    )
    languages: dict[str, list[int]] = {}
    for user_id, language in administrators.values_list("user_id", "user__language").distinct():
        languages.setdefault(language, []).append(user_id)
    for language, people in languages.items():
        with override(language):
            notify(
                user_ids=people, key=f"webhook-given-up:{webhook.pk}:{now.isoformat()}", kind="webhook",
                subject=_("A webhook is switched off: %(host)s") % {"host": webhook.host},
                body=_(
                    "It has not accepted our events for a long time, so we stopped sending them. What happens meanwhile "
                    "is kept: look at the last answers, repair the receiver, and switch the webhook on again."
                ),
                link=reverse("accounts:webhook", args=[webhook.pk]),
            )  # fmt: skip
