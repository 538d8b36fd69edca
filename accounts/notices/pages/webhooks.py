"""Pages of webhooks: where our events go, and how they arrived."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access.paging import paginate
from accounts.identity.core import Actor, Refusal
from accounts.identity.gate import ActorRequest, requires
from accounts.notices import core
from accounts.notices.models import Webhook, WebhookDelivery
from accounts.notices.services import webhooks as services

# What went wrong with an attempt, in words.
ERRORS: dict[str, Any] = {
    "not_accepted": _("The receiver answered, but not with a status of 200 to 299."),
    "unreachable": _("The receiver could not be reached, or its answer could not be read."),
    "too_slow": _("The receiver took longer than 10 seconds."),
    "too_large": _("The receiver's answer was too large."),
    "refused_address": _("The address is not on the public internet, or its port is not one of the web's."),
    "unreadable_secret": _("The secret was sealed under a key that is gone. Make a new secret."),
}


class EventsForm(forms.Form):
    events = forms.MultipleChoiceField(label=_("Events"), widget=forms.CheckboxSelectMultiple)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(kind, f"{label} ({kind})") for kind, label in settings.WEBHOOK_KINDS.items()]
        self.fields["events"].choices = choices  # type: ignore[attr-defined]


class WebhookForm(EventsForm):
    url = forms.CharField(
        label=_("Address"),
        max_length=500,
        help_text=_("Begins with https:// and is reachable from the internet."),
        widget=forms.URLInput(attrs={"placeholder": "https://example.org/jeongsan"}),
    )
    field_order = ["url", "events"]


@requires(services.PERMISSION)
@require_GET
def webhooks(request: ActorRequest) -> HttpResponse:
    found = Webhook.objects.visible_to(request.actor).order_by("-id")
    return render(request, "accounts/notices/webhooks.html", {"page": paginate(request, found)})


@requires(services.PERMISSION)
@never_cache
@require_http_methods(["GET", "POST"])
def create(request: ActorRequest) -> HttpResponse:
    """The form; the answer to a good one shows the secret, once."""
    form = WebhookForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            webhook, secret = services.create_webhook(actor=request.actor, **form.cleaned_data)
        except Refusal as refusal:
            field = (refusal.pointer or "").lstrip("/")
            form.add_error(field if field in form.fields else None, str(refusal))
        else:
            return _secret_shown(request, webhook, secret)
    return render(request, "accounts/notices/webhook_new.html", {"form": form})


@requires(services.PERMISSION)
@require_GET
def webhook(request: ActorRequest, webhook_id: int) -> HttpResponse:
    """One webhook: what it hears of, how it fares, and its deliveries, the newest first."""
    found = _find(request.actor, webhook_id)
    deliveries, status = found.deliveries.defer("body", "answer").order_by("-id"), request.GET.get("status", "")
    if status in WebhookDelivery.Status.values:
        deliveries = deliveries.filter(status=status)
    context = {
        "webhook": found,
        "form": EventsForm(initial={"events": found.events}),
        "page": paginate(request, deliveries),
        "status": status,
        "statuses": WebhookDelivery.Status.choices,
        "any_failed": found.deliveries.filter(status="failed").exists(),
        "errors": ERRORS,
        "both_sign": found.previous_until is not None and found.previous_until > timezone.now(),
    }
    return render(request, "accounts/notices/webhook.html", context)


@requires(services.PERMISSION)
@require_GET
def delivery(request: ActorRequest, webhook_id: int, delivery_id: int) -> HttpResponse:
    """One delivery: what was sent, and what came back last."""
    found = _delivery(request.actor, webhook_id, delivery_id)
    context = {"delivery": found, "webhook": found.webhook, "errors": ERRORS, "most": core.ATTEMPTS}
    return render(request, "accounts/notices/webhook_delivery.html", context)


@requires(services.PERMISSION)
@require_POST
def choose_events(request: ActorRequest, webhook_id: int) -> HttpResponse:
    events = request.POST.getlist("events")
    services.choose_events(actor=request.actor, webhook=_find(request.actor, webhook_id), events=events)
    messages.success(request, _("The events are chosen."))
    return redirect("accounts:webhook", webhook_id)


@requires(services.PERMISSION)
@never_cache
@require_POST
def new_secret(request: ActorRequest, webhook_id: int) -> HttpResponse:
    found = _find(request.actor, webhook_id)
    return _secret_shown(request, found, services.rotate_secret(actor=request.actor, webhook=found))


@requires(services.PERMISSION)
@require_POST
def enable(request: ActorRequest, webhook_id: int) -> HttpResponse:
    services.enable_webhook(actor=request.actor, webhook=_find(request.actor, webhook_id))
    messages.success(request, _("The webhook is switched on, and what waited for it is on its way."))
    return redirect("accounts:webhook", webhook_id)


@requires(services.PERMISSION)
@require_POST
def disable(request: ActorRequest, webhook_id: int) -> HttpResponse:
    services.disable_webhook(actor=request.actor, webhook=_find(request.actor, webhook_id))
    messages.success(request, _("The webhook is switched off. What happens meanwhile is kept for it."))
    return redirect("accounts:webhook", webhook_id)


@requires(services.PERMISSION)
@require_POST
def remove(request: ActorRequest, webhook_id: int) -> HttpResponse:
    services.remove_webhook(actor=request.actor, webhook=_find(request.actor, webhook_id))
    messages.success(request, _("The webhook and its deliveries are removed."))
    return redirect("accounts:webhooks")


@requires(services.PERMISSION)
@require_POST
def ping(request: ActorRequest, webhook_id: int) -> HttpResponse:
    sent = services.ping(actor=request.actor, webhook=_find(request.actor, webhook_id))
    messages.success(request, _("A test event is on its way. Reload this page to see how it arrived."))
    return redirect("accounts:webhook_delivery", webhook_id, sent.pk)


@requires(services.PERMISSION)
@require_POST
def replay(request: ActorRequest, webhook_id: int, delivery_id: int) -> HttpResponse:
    services.replay(actor=request.actor, delivery=_delivery(request.actor, webhook_id, delivery_id))
    messages.success(request, _("The event is on its way again."))
    return redirect("accounts:webhook_delivery", webhook_id, delivery_id)


@requires(services.PERMISSION)
@require_POST
def replay_failed(request: ActorRequest, webhook_id: int) -> HttpResponse:
    count = services.replay_failed(actor=request.actor, webhook=_find(request.actor, webhook_id))
    said = ngettext("%(count)s event is on its way again.", "%(count)s events are on their way again.", count)
    messages.success(request, said % {"count": count})
    return redirect("accounts:webhook", webhook_id)


def _find(actor: Actor, webhook_id: int) -> Webhook:
    return get_object_or_404(Webhook.objects.visible_to(actor), pk=webhook_id)


def _delivery(actor: Actor, webhook_id: int, delivery_id: int) -> WebhookDelivery:
    seen = WebhookDelivery.objects.visible_to(actor).select_related("webhook")
    return get_object_or_404(seen, pk=delivery_id, webhook_id=webhook_id)


def _secret_shown(request: ActorRequest, webhook: Webhook, secret: str) -> HttpResponse:
    return render(request, "accounts/notices/webhook_secret.html", {"webhook": webhook, "secret": secret})
