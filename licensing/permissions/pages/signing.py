"""A member's mandates: see them, give one by signing, take one back; and the terms, which anybody may read."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from accounts.identity.core import Actor, Forbidden, NotFound, Refusal
from accounts.identity.gate import ActorRequest, requires, signed_in
from accounts.organisations.models import Organisation
from licensing import terms
from licensing.permissions import wording
from licensing.permissions.models import Mandate, MandateSignature, MandateTerms
from licensing.permissions.services import signing as services
from licensing.permissions.services.mandate_paper import receipt
from licensing.permissions.signing_forms import SignForm
from licensing.repertoire.models import Holder

MOST_HOLDERS: Final = 200
MOST_MANDATES: Final = 500


@signed_in
@require_GET
def mine(request: ActorRequest) -> HttpResponse:
    """Use by use: what I have allowed, since when, what that means, and what I can do about it."""
    actor = _member(request.actor)
    holders, holder = _holders(request)
    today = timezone.localdate()
    mandates = _running(holder)
    signatures = {
        each.mandate_id: each
        for each in MandateSignature.objects.filter(mandate__in=[m.pk for m in mandates]).order_by("-pk")
    }
    uses = [
        (use, wording.use_name(use), wording.MEANINGS[use], [m for m in mandates if terms.covers(m.uses, use)])
        for use in terms.USES
    ]
    context = {
        "holders": holders,
        "holder": holder,
        "uses": uses,
        "signatures": signatures,
        "today": today,
        "terms": services.terms_in_force(holder.society_id, today),
        "may_sign": actor.can(services.SIGN),
        "may_see_money": actor.can("statements.view"),
    }
    return render(request, "licensing/signing/mine.html", context)


@requires(services.SIGN)
@never_cache
@require_http_methods(["GET", "POST"])
def sign(request: ActorRequest) -> HttpResponse:
    """Choose, read, sign: one page, so that what is signed stands above the signature."""
    _member(request.actor)
    holders, holder = _holders(request)
    held = services.terms_in_force(holder.society_id, timezone.localdate())
    if held is None:
        return render(request, "licensing/signing/no_terms.html", {"holder": holder})
    asked = [use for use in request.GET.getlist("use") if use in terms.USES]
    form = SignForm(
        request.POST or None, holder=holder, terms_=held, free=_free(holder), initial={"uses": asked} if asked else {}
    )
    if request.method == "POST" and form.is_valid():
        try:
            made = _signed(request, form, holder)
        except Refusal as refusal:
            field = (refusal.pointer or "").strip("/")
            form.add_error(field if field in form.fields else None, str(refusal))
        else:
            messages.success(request, _("Signed. Your receipt is below; you can have it at any time."))
            return redirect("licensing:signature", made[0].pk)
    context = {
        "form": form, "holder": holder, "holders": holders, "terms": held, "text": _text(held), "free": form.free,
        "may_see_money": request.actor.can("statements.view"),
    }  # fmt: skip
    return render(request, "licensing/signing/sign.html", context)


def _signed(request: ActorRequest, form: SignForm, holder: Holder) -> list[MandateSignature]:
    data = form.cleaned_data
    read = MandateTerms.objects.filter(society_id=holder.society_id, version=data["version"]).first()
    if read is None:
        raise Refusal("terms_changed", _("The terms have changed meanwhile. Read them again, then sign."))
    return services.sign(
        actor=request.actor, holder=holder, terms=read, uses=data["uses"], kinds=data["kinds"],
        territory=data["territory"], since=data["since"], typed_name=data["typed_name"], language=_language(),
    )  # fmt: skip


@signed_in
@never_cache
@require_http_methods(["GET", "POST"])
def take_back(request: ActorRequest, mandate_id: int) -> HttpResponse:
    """When it would end and what that means; then, on the button, it does."""
    actor = request.actor
    found = Mandate.objects.filter(holder_id__in=actor.holder_ids).select_related("holder", "society")
    mandate = found.filter(pk=mandate_id).first()
    if mandate is None:
        raise NotFound(_("There is no such mandate."))
    actor.require(services.SIGN)
    if request.method == "POST":
        ended = services.take_back(actor=actor, mandate=mandate)
        messages.success(request, _("Taken back. The first day without it is %(day)s.") % {"day": ended.valid.upper})
        return redirect(f"{reverse('licensing:my_mandates')}?holder={mandate.holder_id}")
    signature = mandate.signatures.select_related("terms").order_by("pk").first()
    today = timezone.localdate()
    on = services.earliest_end(mandate, today)
    context = {
        "mandate": mandate,
        "on": on,
        "ends_before": mandate.valid.upper is not None and mandate.valid.upper <= on,
        "terms": signature.terms if signature else services.terms_in_force(mandate.society_id, today),
    }
    return render(request, "licensing/signing/take_back.html", context)


@signed_in
@never_cache
@require_GET
def signature(request: ActorRequest, signature_id: int) -> HttpResponse:
    """What was signed, by whom, when; with the document to the letter."""
    found = _signature(request.actor, signature_id)
    together = MandateSignature.objects.filter(
        mandate__holder_id=found.mandate.holder_id, user_id=found.user_id, terms_id=found.terms_id,
        signed_at__date=timezone.localdate(found.signed_at),
    ).exclude(pk=found.pk)  # fmt: skip
    context = {
        "signature": found,
        "mandate": found.mandate,
        "document": services.document_of(found),
        "together": together.select_related("mandate").order_by("pk")[:10],
    }
    return render(request, "licensing/signing/signature.html", context)


@signed_in
@never_cache
@require_GET
def paper(request: ActorRequest, signature_id: int) -> HttpResponse:
    """The receipt as PDF."""
    found = _signature(request.actor, signature_id)
    language = request.GET.get("language", "")
    language = language if language in services.LANGUAGES else _language()
    link = request.build_absolute_uri(reverse("licensing:signature", args=[found.pk]))
    name = f"mandate-{found.mandate_id}-{language}.pdf"
    return HttpResponse(
        receipt(found, language, link),
        content_type="application/pdf",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@signed_in
@never_cache
@require_GET
def document(request: ActorRequest, signature_id: int) -> HttpResponse:
    """The very bytes that were signed: their SHA-256 is the digest on the receipt."""
    found = _signature(request.actor, signature_id)
    return HttpResponse(
        services.document_of(found).encode(),
        content_type="text/plain; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="mandate-{found.mandate_id}.txt"'},
    )


@require_GET
def mandate_terms(request: ActorRequest) -> HttpResponse:
    """A society's terms, for anybody: `?society=REF`, and `?version=` for those that were in force before."""
    society = Organisation.objects.filter(ref=request.GET.get("society", ""), kind="society").first()
    if society is None and request.actor.is_society:
        society = Organisation.objects.filter(pk=request.actor.organisation_id or 0).first()
    if society is None:
        raise NotFound(_("There is no such society."))
    found = MandateTerms.objects.filter(society=society).order_by("-valid_from", "-version")
    asked = request.GET.get("version", "")
    shown = services.terms_in_force(society.pk, timezone.localdate())
    if asked:
        number = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 10 else 0
        shown = found.filter(version=number).first()
        if shown is None:
            raise NotFound(_("There is no such version of the terms."))
    context = {"society": society, "terms": shown, "text": _text(shown) if shown else "", "versions": found[:50]}
    return render(request, "licensing/signing/terms.html", context)


def _language() -> str:
    return "ko" if (get_language() or "").startswith("ko") else "en"


def _text(held: MandateTerms) -> str:
    return held.text_ko if _language() == "ko" and held.text_ko else held.text


def _member(actor: Actor) -> Actor:
    if not actor.holder_ids:
        raise Forbidden(_("This page is for rights holders and those who act for them."))
    return actor


def _holders(request: ActorRequest) -> tuple[list[Holder], Holder]:
    """For whom the actor acts, and which of them this is about (`?holder=`, else the first)."""
    known = list(
        Holder.objects.filter(pk__in=request.actor.holder_ids)
        .select_related("society")
        .order_by("name", "pk")[:MOST_HOLDERS]
    )
    asked = (request.POST if request.method == "POST" else request.GET).get("holder", "")
    if not asked:
        return known, known[0]
    for holder in known:
        if str(holder.pk) == asked:
            return known, holder
    raise NotFound(_("There is no such holder."))


def _running(holder: Holder) -> list[Mandate]:
    """The holder's mandates that are in force or will be."""
    found = Mandate.objects.filter(holder=holder, society_id=holder.society_id).order_by("valid", "pk")
    today = timezone.localdate()
    return [m for m in found[:MOST_MANDATES] if m.valid.upper is None or m.valid.upper > today]


def _free(holder: Holder) -> list[str]:
    """The uses that no running mandate covers for all kinds, everywhere, without an end."""
    whole = [m for m in _running(holder) if m.valid.upper is None and terms.ANY in m.kinds and terms.ANY in m.territory]
    return [use for use in terms.USES if not any(terms.covers(m.uses, use) for m in whole)]


def _signature(actor: Actor, signature_id: int) -> Any:
    found = MandateSignature.objects.filter(mandate__in=Mandate.objects.visible_to(actor))
    one = found.select_related("mandate__holder", "mandate__society", "terms__society", "user").filter(pk=signature_id)
    if (made := one.first()) is None:
        raise NotFound(_("There is no such signature."))
    return made
