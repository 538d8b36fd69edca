"""Pages of licences: both parties read; the society grants, suspends and terminates."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access.paging import ordering, paginate
from accounts.evidence.models import Event
from accounts.identity.core import Actor, NotFound, Refusal
from accounts.identity.gate import ActorRequest, requires, signed_in
from accounts.organisations.models import Organisation
from licensing.licences import core, services
from licensing.licences.forms.licences import LicenceForm, SuspendForm, TerminateForm
from licensing.licences.models import Licence, Offer, Signature
from licensing.licences.pages import obligations
from licensing.tariffs.services import version_in_force

HAPPENED = {
    "licence.created": _("granted"),
    "licence.granted": _("granted: both sides have signed"),
    "licence.amended": _("replaced by its amendment"),
    "certificate.issued": _("certificate issued"),
    "licence.activated": _("activated"),
    "licence.suspended": _("suspended"),
    "licence.resumed": _("resumed"),
    "licence.terminated": _("terminated"),
    "licence.expired": _("expired"),
}
SORTS = {"ref": "ref", "licensee": "licensee__name", "society": "society__name", "term": "valid", "status": "status"}


@signed_in
@require_GET
def licences(request: ActorRequest) -> HttpResponse:
    """One's own licences, as the society that granted them or the firm that holds them."""
    actor = request.actor
    found = Licence.objects.visible_to(actor).select_related("society", "licensee", "tariff")
    status, asked = request.GET.get("status", ""), request.GET.get("q", "").strip()
    if status in Licence.Status.values:
        found = found.filter(status=status)
    if asked:
        names = (
            Q(licensee__name__icontains=asked) | Q(society__name__icontains=asked) | Q(tariff__name__icontains=asked)
        )
        found = found.filter(Q(ref__icontains=asked) | names)
    context = {
        "page": paginate(request, found.order_by(ordering(request, SORTS, default="-pk"), "-pk")),
        "statuses": Licence.Status.choices,
        "status": status,
        "asked": asked,
        "can_manage": _may_grant(actor),
        "can_ask": actor.organisation_kind == "licensee" and actor.can("licences.request"),
    }
    return render(request, "licensing/licences/list.html", context)


@signed_in
@require_GET
def licence(request: ActorRequest, licence_id: int) -> HttpResponse:
    """What one licence allows, under which rates, and what the society may do with it."""
    actor = request.actor
    found = _find(actor, licence_id)
    today = timezone.localdate()
    own = actor.organisation_id == found.licensee_id and actor.can("licences.request")
    following = Licence.objects.filter(succeeds=found).first()
    offer = Offer.objects.filter(licence=found).select_related("terms", "quote").first()
    context = {
        "licence": found,
        "version": version_in_force(found.tariff, today),
        "in_force": core.in_force(found.terms, today),
        "can_manage": _may_grant(actor) and found.society_id == actor.organisation_id,
        "begins": found.status == Licence.Status.ACTIVE and today < found.valid.lower,
        "bar": _bar(found, today),
        "obligations": obligations.of(found),
        "notice_day": obligations.renewal_notice(found),
        "following": following,
        "may_renew": own and not following and found.valid.upper is not None and found.status in _RENEWED,
        "may_amend": own and not following and found.status == Licence.Status.ACTIVE,
        "offer": offer,
        "sides": _sides(offer),
        "documents": offer.documents.select_related("file").order_by("language") if offer else (),
        "suspend_form": SuspendForm(auto_id="suspend_%s"),
        "terminate_form": TerminateForm(initial={"on": today}, auto_id="terminate_%s"),
        "happened": HAPPENED,
        "events": Event.objects.visible_to(actor).about("licence", found.pk).order_by("-id")[:20],
    }
    return render(request, "licensing/licences/detail.html", context)


@requires("licences.manage")
@require_http_methods(["GET", "POST"])
def create(request: ActorRequest) -> HttpResponse:
    """Grant a licence."""
    society = get_object_or_404(Organisation, pk=request.actor.organisation_id, kind=Organisation.Kind.SOCIETY)
    form = LicenceForm(request.POST or None, society=society)
    if request.method == "POST" and form.is_valid():
        try:
            made = services.create_licence(actor=request.actor, society=society, **form.cleaned_data)
        except Refusal as refusal:
            field = (refusal.pointer or "").lstrip("/")
            form.add_error(field if field in form.fields else None, str(refusal))
        else:
            messages.success(request, _("The licence %(ref)s is on record.") % {"ref": made.ref})
            return redirect("licensing:licence", made.pk)
    return render(request, "licensing/licences/create.html", {"form": form})


@requires("licences.manage")
@require_POST
def activate(request: ActorRequest, licence_id: int) -> HttpResponse:
    return _done(request, licence_id, services.activate, _("The licence is active."))


@requires("licences.manage")
@require_POST
def suspend(request: ActorRequest, licence_id: int) -> HttpResponse:
    said = {name: request.POST.get(name, "") for name in ("ground", "reason")}
    return _done(request, licence_id, services.suspend, _("The licence is suspended."), **said)


@requires("licences.manage")
@require_POST
def resume(request: ActorRequest, licence_id: int) -> HttpResponse:
    return _done(request, licence_id, services.resume, _("The licence is active again."))


@requires("licences.manage")
@require_POST
def terminate(request: ActorRequest, licence_id: int) -> HttpResponse:
    form = TerminateForm(request.POST)
    if not form.is_valid():
        raise Refusal("bad_day", str(_("Write the first day that is no longer licensed.")), pointer="/on")
    return _done(request, licence_id, services.terminate, _("The licence is terminated."), **form.cleaned_data)


_RENEWED = (Licence.Status.ACTIVE, Licence.Status.EXPIRED)


@dataclass(frozen=True, slots=True)
class Bar:
    """How much of a term has passed, in days."""

    passed: int
    days: int
    left: int


def _bar(licence: Licence, today: datetime.date) -> Bar | None:
    """None for a licence without an end, and before its first day."""
    since, until = licence.valid.lower, licence.valid.upper
    if until is None or today < since:
        return None
    days = (until - since).days
    passed = min((today - since).days + 1, days)
    return Bar(passed, days, days - passed)


def _sides(offer: Offer | None) -> list[tuple[str, Any, Signature | None]]:
    signatures = {each.side: each for each in offer.signatures.all()} if offer else {}
    return [(side, label, signatures.get(side)) for side, label in Signature.Side.choices]


def _may_grant(actor: Actor) -> bool:
    return actor.is_society and actor.can("licences.manage")


def _find(actor: Actor, licence_id: int) -> Licence:
    found = Licence.objects.visible_to(actor).select_related(
        "society", "licensee", "tariff__society", "succeeds", "certificate"
    )
    licence = found.filter(pk=licence_id).first()
    if licence is None:
        raise NotFound(str(_("There is no such licence.")))
    return licence


def _done(request: ActorRequest, licence_id: int, act: Callable[..., Any], said: Any, **keys: Any) -> HttpResponse:
    """One act on a licence, then its page again."""
    act(actor=request.actor, licence=_find(request.actor, licence_id), **keys)
    messages.success(request, said)
    return redirect("licensing:licence", licence_id)
