"""Public pages of certificates: enter a code, see whether the licence holds; the same for programs at stable addresses."""

from __future__ import annotations

import hashlib
from typing import Any, Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.access.limits import caller, limit
from accounts.identity.core import Actor, NotFound
from accounts.identity.gate import ActorRequest, requires, signed_in
from licensing.licences import clauses, wording
from licensing.licences.models import Certificate, Licence, Offer
from licensing.licences.services import certificate_files, certificates, documents

SECONDS: Final = 60  # that a file may be kept without asking again: a suspension shows within a minute
ASKED_MOST: Final = 600  # requests of one address in ten minutes
MISSED_MOST: Final = 20  # unknown codes of one address in ten minutes
TEN_MINUTES: Final = 600


@require_safe
def lookup(request: HttpRequest) -> HttpResponse:
    """Enter a code."""
    typed = request.GET.get("code", "").strip()
    code = certificates.written(typed)
    if code:
        return redirect("licensing:certificate", code)
    wrong = _("A code has sixteen letters and digits, such as ABCD-EFGH-JKMN-2345.") if typed else ""
    return render(request, "licensing/certificates/lookup.html", {"typed": typed[:60], "wrong": wrong})


@require_safe
def certificate(request: HttpRequest, code: str) -> HttpResponse:
    """Whether the licence holds today, for whom and for what; nothing of what it costs."""
    neat = certificates.written(code)
    if neat and neat != code:
        return redirect("licensing:certificate", neat)
    try:
        state = certificate_files.state_of(_find(request, code), timezone.localdate())
    except NotFound as unknown:
        context = {"typed": code[:60], "wrong": str(unknown)}
        return render(request, "licensing/certificates/lookup.html", context, status=404)
    about: dict[str, Any] = {
        "certificate": state.certificate,
        "state": state,
        "society": wording.party(state.said["society"]),
        "licensee": wording.party(state.said["licensee"]),
        "rows": certificate_files.scope_said(state.said),
        "first_day": wording.day(state.said["term"]["from"]),
        "last_day": wording.last_day(state.said["term"]["to"]),
    }
    answer = render(request, "licensing/certificates/certificate.html", about)
    answer["X-Robots-Tag"] = "noindex"
    return answer


@require_safe
def file(request: HttpRequest, code: str, name: str) -> HttpResponseBase:
    """One file of a certificate."""
    state = certificate_files.state_of(_find(request, code), timezone.localdate())
    return _served(request, *certificate_files.written(state, name))


@require_safe
def paper(request: HttpRequest, code: str, language: str) -> HttpResponseBase:
    """The certificate to print."""
    found = _find(request, code)
    if language not in clauses.LANGUAGES:
        raise NotFound(_("There is no such file of a certificate."))
    answer = _served(request, certificate_files.paper(found, language), "application/pdf")
    answer["Content-Disposition"] = f'attachment; filename="certificate-{found.code}-{language}.pdf"'
    return answer


@require_safe
def vocabulary(request: HttpRequest) -> HttpResponseBase:
    """What the words of our ODRL documents mean."""
    return _served(request, *certificate_files.vocabulary())


@requires("licences.manage")
@require_POST
def issue(request: ActorRequest, licence_id: int) -> HttpResponse:
    """The society gives a licence its certificate, where it was granted without one."""
    found = _licence(request.actor, licence_id)
    if found.society_id != request.actor.organisation_id:
        raise NotFound(_("There is no such licence."))
    made = certificates.issue(licence=found, actor=request.actor)
    messages.success(request, _("The certificate is issued. Anyone with its code can check the licence."))
    return redirect("licensing:certificate", made.code)


@signed_in
@require_safe
def signed_copy(request: ActorRequest, licence_id: int, language: str) -> HttpResponse:
    """The agreement with both signatures, for its parties."""
    found = _licence(request.actor, licence_id)
    offer = Offer.objects.filter(licence=found).first()
    if offer is None or language not in clauses.LANGUAGES:
        raise NotFound(_("This licence was granted without a signed document."))
    held = Certificate.objects.filter(licence=found).first()
    known = (held.code, certificates.address(held.code)) if held else None
    answer = HttpResponse(documents.signed_copy(offer, language, known), content_type="application/pdf")
    answer["Content-Disposition"] = f'attachment; filename="{found.ref}-signed-{language}.pdf"'
    answer["Cache-Control"] = "private, no-store"
    answer["X-Content-Type-Options"] = "nosniff"
    return answer


def _find(request: HttpRequest, code: str) -> Certificate:
    """The certificate; who tries many codes is stopped."""
    who = caller(request)
    limit("certificate", who, most=ASKED_MOST, seconds=TEN_MINUTES)
    try:
        return certificates.find(code)
    except NotFound:
        limit("certificate-unknown", who, most=MISSED_MOST, seconds=TEN_MINUTES)
        raise


def _licence(actor: Actor, licence_id: int) -> Licence:
    found = Licence.objects.visible_to(actor).select_related("society", "licensee").filter(pk=licence_id).first()
    if found is None:
        raise NotFound(_("There is no such licence."))
    return found


def _served(request: HttpRequest, body: bytes, media_type: str) -> HttpResponseBase:
    """With a strong ETag, so that a reader who has it already gets no body (304)."""
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    answer: Any = HttpResponse(body, content_type=media_type)
    answer["ETag"] = etag
    answer["Cache-Control"] = f"public, max-age={SECONDS}"
    answer["X-Content-Type-Options"] = "nosniff"
    answer["X-Robots-Tag"] = "noindex"
    answer["Access-Control-Allow-Origin"] = "*"
    return get_conditional_response(request, etag=etag, response=answer) or answer
