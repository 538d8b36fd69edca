"""An organisation's webhooks: made, changed, tried out, and their deliveries sent again."""

from __future__ import annotations

import base64
import datetime
import secrets
import uuid
from collections.abc import Iterable

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.evidence.services import record
from accounts.identity.addresses import place_of
from accounts.identity.core import Actor, Conflict, NotFound, Reference, Refusal
from accounts.identity.sealing import seal, unseal
from accounts.notices.core import LEASE
from accounts.notices.models import Webhook, WebhookDelivery
from accounts.notices.services.publishing import leave, send_soon
from accounts.organisations.models import Organisation

PERMISSION = "webhooks.manage"
PING = "ping"
MOST = 20
OVERLAP = datetime.timedelta(hours=24)


@transaction.atomic
def create_webhook(*, actor: Actor, url: str, events: Iterable[str]) -> tuple[Webhook, str]:
    """A webhook of the actor's organisation, and the only showing of its secret in clear (`whsec_…`).

    The address must be https; whether it may be asked at all is judged at each delivery, when its name is resolved.
    """
    actor.require(PERMISSION)
    if actor.sandbox:
        raise Refusal("no_webhooks_in_sandbox", _("Test data makes no events. Set webhooks up with a live token."))
    organisation = Organisation.objects.select_for_update(no_key=True).of(actor)
    chosen, address = _events(events), _address(url)
    if Webhook.objects.filter(organisation=organisation).count() >= MOST:
        raise Conflict(
            "too_many_webhooks",
            _("An organisation has %(most)s webhooks at most. Remove one that you no longer need.") % {"most": MOST},
        )
    secret = _secret()
    try:
        with transaction.atomic():
            webhook = Webhook.objects.create(organisation=organisation, url=address, events=chosen, secret=seal(secret))
    except IntegrityError:
        raise Conflict(
            "webhook_exists", _("There is a webhook for this address already. Choose its events there."), pointer="/url"
        ) from None
    _record(actor, "webhook.created", webhook, {"host": webhook.host, "events": chosen})
    return webhook, secret


@transaction.atomic
def choose_events(*, actor: Actor, webhook: Webhook, events: Iterable[str]) -> Webhook:
    """What this webhook hears of from now on; what waits for it already is sent all the same."""
    _own(actor, webhook)
    webhook.events = _events(events)
    webhook.save(update_fields=["events"])
    _record(actor, "webhook.changed", webhook, {"events": webhook.events})
    return webhook


@transaction.atomic
def rotate_secret(*, actor: Actor, webhook: Webhook) -> str:
    """A new secret, shown once. For 24 hours the one before signs too, so that the receiver can change in between."""
    held = _own(actor, webhook)
    secret = _secret()
    try:
        before = seal(unseal(held.secret))
    except Refusal:  # sealed under a key that is gone: nobody can sign with it
        before = ""
    webhook.previous_secret, webhook.previous_until = before, timezone.now() + OVERLAP if before else None
    webhook.secret = seal(secret)
    webhook.save(update_fields=["secret", "previous_secret", "previous_until"])
    _record(actor, "webhook.secret_changed", webhook, {})
    return secret


@transaction.atomic
def disable_webhook(*, actor: Actor, webhook: Webhook) -> Webhook:
    """Send nothing there until it is switched on again; what happens meanwhile is kept for it."""
    _own(actor, webhook)
    now = timezone.now()
    if Webhook.objects.filter(pk=webhook.pk, disabled_at=None).update(disabled_at=now) != 1:
        raise Conflict("webhook_is_off", _("This webhook is switched off already."))
    webhook.disabled_at = now
    _record(actor, "webhook.disabled", webhook, {})
    return webhook


@transaction.atomic
def enable_webhook(*, actor: Actor, webhook: Webhook) -> Webhook:
    """Send again, with a clean slate, and at once what waited."""
    _own(actor, webhook)
    fresh = {"disabled_at": None, "failing_since": None, "given_up": 0, "rests_until": None}
    if Webhook.objects.filter(pk=webhook.pk).exclude(disabled_at=None).update(**fresh) != 1:
        raise Conflict("webhook_is_on", _("This webhook is switched on already."))
    webhook.refresh_from_db()
    now = timezone.now()
    not_on_its_way = Q(attempted_at=None) | Q(attempted_at__lt=now - LEASE)
    webhook.deliveries.filter(not_on_its_way, status="waiting").update(next_attempt_at=now)
    _record(actor, "webhook.enabled", webhook, {})
    send_soon()
    return webhook


@transaction.atomic
def remove_webhook(*, actor: Actor, webhook: Webhook) -> None:
    """Forget the address, its secret, and all deliveries to it."""
    _own(actor, webhook)
    _record(actor, "webhook.removed", webhook, {"host": webhook.host})
    webhook.delete()


@transaction.atomic
def ping(*, actor: Actor, webhook: Webhook) -> WebhookDelivery:
    """Send a test event now, whatever events the webhook asked for."""
    _must_be_on(_own(actor, webhook))
    key = f"ping:{uuid.uuid4()}"
    leave([webhook], PING, key, {"webhook": webhook.pk})
    delivery = WebhookDelivery.objects.get(webhook=webhook, event_key=key)
    _record(actor, "webhook.tried", webhook, {})
    return delivery


@transaction.atomic
def replay(*, actor: Actor, delivery: WebhookDelivery) -> WebhookDelivery:
    """Send this one again now, under the same id, with the whole schedule of attempts before it."""
    _must_be_on(_own(actor, delivery.webhook))
    done = WebhookDelivery.objects.filter(pk=delivery.pk).exclude(status="waiting")
    if done.update(**_again()) != 1:
        raise Conflict("delivery_is_waiting", _("This delivery waits to be sent already."))
    _record(actor, "webhook.replayed", delivery.webhook, {"deliveries": 1})
    send_soon()
    delivery.refresh_from_db()
    return delivery


@transaction.atomic
def replay_failed(*, actor: Actor, webhook: Webhook) -> int:
    """Send again all that was given up; returns how many."""
    _must_be_on(_own(actor, webhook))
    count = webhook.deliveries.filter(status="failed").update(**_again())
    if count:
        _record(actor, "webhook.replayed", webhook, {"deliveries": count})
        send_soon()
    return count


def _again() -> dict[str, object]:
    return {"status": "waiting", "attempts": 0, "next_attempt_at": timezone.now(), "delivered_at": None}


def _own(actor: Actor, webhook: Webhook) -> Webhook:
    """The webhook as it is now, held until the end of the transaction: absent for another organisation's people."""
    actor.require(PERMISSION)
    found = Webhook.objects.visible_to(actor).select_for_update(no_key=True).filter(pk=webhook.pk).first()
    if found is None:
        raise NotFound(_("There is no such webhook."))
    return found


def _must_be_on(webhook: Webhook) -> None:
    if not webhook.active:
        raise Conflict("webhook_is_off", _("This webhook is switched off. Switch it on first."))


def _events(asked: Iterable[str]) -> list[str]:
    events = sorted(set(asked))
    unknown = [event for event in events if event not in settings.WEBHOOK_KINDS]
    if unknown or not events:
        raise Refusal(
            "unknown_event",
            _("Choose among these events: %(known)s.") % {"known": ", ".join(sorted(settings.WEBHOOK_KINDS))},
            pointer="/events",
        )
    return events


def _address(text: str) -> str:
    """The address as it will be asked. Only https, so that nobody on the way reads the events."""
    try:
        place = place_of(text.strip())
    except Refusal as refusal:
        raise Refusal(refusal.code, refusal.detail, pointer="/url") from None
    if place.scheme != "https" and not place.allowed:
        raise Refusal("address_is_not_safe", _("The address must begin with https://."), pointer="/url")
    if len(place.url) > 500:
        raise Refusal("address_is_too_long", _("The address has 500 characters at most."), pointer="/url")
    return place.url


def _secret() -> str:
    return "whsec_" + base64.urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip("=")


def _record(actor: Actor, verb: str, webhook: Webhook, data: dict[str, object]) -> None:
    record(
        actor=actor, verb=verb, object=Reference("webhook", webhook.pk),
        organisation_id=webhook.organisation_id, data=data,
    )  # fmt: skip
