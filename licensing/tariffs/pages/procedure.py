"""A society's own steps while rates are set: publish a draft, extend, withdraw, discard; answer comments."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.identity.core import Actor, Forbidden, NotFound, Refusal
from accounts.identity.gate import ActorRequest, requires, signed_in
from licensing.tariffs import services
from licensing.tariffs.forms_procedure import AnswerForm, ExtendForm, PublishForm, WithdrawForm
from licensing.tariffs.models import Comment, TariffVersion


@requires("tariffs.manage")
@require_http_methods(["GET", "POST"])
def publish(request: ActorRequest, version_id: int) -> HttpResponse:
    """Make a draft public, with reasons: the consultation opens at once."""
    version = own(request.actor, version_id)
    if version.published_at is not None or version.status not in ("draft", "proposed"):
        return redirect(address(version))
    form = PublishForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            version = services.publish(actor=request.actor, version=version, **form.terms)
        except Refusal as refusal:
            blame(form, refusal, {"closes": "last_day"})
        else:
            messages.success(request, _("The proposal is published, and the consultation is open."))
            return redirect("licensing:consultation", version.pk)
    return render(request, "licensing/tariffs/publish.html", {"version": version, "form": form})


@requires("tariffs.manage")
@require_http_methods(["GET", "POST"])
def withdraw(request: ActorRequest, version_id: int) -> HttpResponse:
    version = own(request.actor, version_id)
    form = WithdrawForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            services.withdraw(actor=request.actor, version=version, reason=form.cleaned_data["reason"])
        except Refusal as refusal:
            blame(form, refusal)
        else:
            messages.success(request, _("The proposal is withdrawn."))
            return redirect(address(version))
    return render(request, "licensing/tariffs/withdraw.html", {"version": version, "form": form})


@requires("tariffs.manage")
@require_POST
def discard(request: ActorRequest, version_id: int) -> HttpResponse:
    version = own(request.actor, version_id)
    services.discard(actor=request.actor, version=version)
    messages.success(request, _("The draft is discarded."))
    return redirect("licensing:tariffs")


@signed_in
@require_POST
def extend(request: ActorRequest, version_id: int) -> HttpResponse:
    """Leave the consultation open for longer: the society, or the rate body that will decide."""
    version = either(request.actor, version_id)
    form = ExtendForm(request.POST)
    if form.is_valid():
        services.extend(actor=request.actor, version=version, closes=form.closes)
        messages.success(request, _("The consultation stays open for longer."))
    else:
        messages.error(request, _("Choose a day."))
    return redirect("licensing:consultation", version.pk)


@requires("tariffs.manage")
@require_POST
def answer(request: ActorRequest, comment_id: int) -> HttpResponse:
    """The society answers a published comment."""
    found = Comment.objects.visible_to(request.actor).select_related("version__tariff").filter(pk=comment_id).first()
    if found is None or found.version.tariff.society_id != request.actor.organisation_id:
        raise NotFound(_("There is no such comment."))
    form = AnswerForm(request.POST)
    if form.is_valid():
        services.answer(actor=request.actor, comment=found, text=form.cleaned_data["text"])
        messages.success(request, _("Your answer stands beside the comment."))
    else:
        messages.error(request, _("Write an answer of at most 20,000 characters."))
    return redirect(f"{reverse('licensing:consultation', args=[found.version_id])}#{found.ref}")


def own(actor: Actor, version_id: int) -> TariffVersion:
    """A version of the actor's own society, or 404."""
    versions = TariffVersion.objects.select_related("tariff__society", "addressed_to")
    found = versions.filter(pk=version_id, tariff__society_id=actor.organisation_id or 0).first()
    if found is None:
        raise NotFound(_("There is no such version."))
    return found


def either(actor: Actor, version_id: int) -> TariffVersion:
    """A version that the actor's society proposes, or on which the actor's rate body decides."""
    versions = TariffVersion.objects.select_related("tariff__society", "addressed_to")
    found = versions.filter(pk=version_id).exclude(status=TariffVersion.Status.DRAFT).first()
    ours = found is not None and actor.organisation_id in (found.tariff.society_id, found.addressed_to_id)
    if found is None or not ours or not actor.organisation_id:
        raise NotFound(_("There is no such version."))
    if not (actor.can("tariffs.manage") or actor.can("tariffs.determine")):
        raise Forbidden(_("Your role does not allow this."))
    return found


def blame(form: Any, refusal: Refusal, names: dict[str, str] | None = None) -> None:
    """Put what was refused at its field, or above the form."""
    field = (refusal.pointer or "").strip("/").partition("/")[0]
    field = (names or {}).get(field, field)
    form.add_error(field if field in form.fields else None, str(refusal))


def address(version: TariffVersion) -> str:
    return f"{reverse('licensing:tariff', args=[version.tariff_id])}?version={version.version}"
