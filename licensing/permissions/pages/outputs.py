"""What a holder puts on their site, and the same texts at stable public addresses."""

from __future__ import annotations

from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import get_conditional_response
from django.utils.http import http_date
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_safe

from accounts.identity.core import NotFound
from accounts.identity.gate import ActorRequest, signed_in
from licensing.permissions import signal_words
from licensing.permissions.services import outputs, sites, subjects
from licensing.permissions.services.outputs import Document
from licensing.permissions.services.subjects import Subject
from licensing.repertoire.lookup import find_holder
from licensing.repertoire.models import Work

MINUTES: Final = 5  # that a document may be kept without asking again
SHOWN_CHARACTERS: Final = 20_000
SHOWN_LINES: Final = 30  # what is longer is folded


@signed_in
@require_GET
def site_outputs(request: ActorRequest, site_id: int) -> HttpResponse:
    site = sites.find_site(actor=request.actor, site_id=site_id)
    return _page(request, subjects.of_site(site.host), reverse("licensing:site", args=[site.pk]))


@signed_in
@require_GET
def work_outputs(request: ActorRequest, work_id: int) -> HttpResponse:
    work = Work.objects.visible_to(request.actor).select_related("society").filter(pk=work_id).first()
    if work is None:
        raise NotFound(str(_("There is no such work.")))
    return _page(request, subjects.of_work(work.society.ref, work.ref), reverse("licensing:work", args=[work.pk]))


@signed_in
@require_GET
def holder_outputs(request: ActorRequest, holder_id: int) -> HttpResponse:
    holder = find_holder(actor=request.actor, holder_id=holder_id)
    subject = subjects.of_holder(holder.society.ref, holder.ref)
    return _page(request, subject, reverse("licensing:holder", args=[holder.pk]))


def _page(request: ActorRequest, subject: Subject, up: str) -> HttpResponse:
    """Each text, where it goes, and its download."""
    texts = [_text(subject, form) for form in outputs.forms_of(subject)]
    context = {"subject": subject, "texts": texts, "up": up, "up_label": subject.title}
    return render(request, "licensing/sites/outputs.html", context)


def _text(subject: Subject, form: str) -> dict[str, Any]:
    document = outputs.document(subject, form)
    body = document.body.decode()
    return {
        "form": form,
        "title": signal_words.OUTPUTS[form][0],
        "where": signal_words.OUTPUTS[form][1],
        "body": body[:SHOWN_CHARACTERS],
        "long": body.count("\n") > SHOWN_LINES,
        "cut": len(body) > SHOWN_CHARACTERS,
        "link": subject.address(form),
        "unsaid": outputs.unsaid(subject, form),
    }


@require_safe
def work_document(request: HttpRequest, society: str, work_ref: str, document: str) -> HttpResponse:
    return _served(request, outputs.document(subjects.of_work(society, work_ref), document))


@require_safe
def holder_document(request: HttpRequest, society: str, holder_ref: str, document: str) -> HttpResponse:
    return _served(request, outputs.document(subjects.of_holder(society, holder_ref), document))


@require_safe
def site_document(request: HttpRequest, host: str, document: str) -> HttpResponse:
    return _served(request, outputs.document(subjects.of_site(host), document))


@require_safe
def own_tdmrep(request: HttpRequest) -> HttpResponse:
    """This site's own reservation file."""
    return _served(request, outputs.own_tdmrep())


def _served(request: HttpRequest, document: Document) -> HttpResponse:
    """With a strong ETag, so that a reader who has it already gets no body (304)."""
    response = HttpResponse(document.body, content_type=document.media_type)
    response["ETag"] = document.etag
    response["Last-Modified"] = http_date(document.changed_at.timestamp())
    response["Cache-Control"] = f"public, max-age={MINUTES * 60}"
    response["X-Content-Type-Options"] = "nosniff"
    response["Access-Control-Allow-Origin"] = "*"
    if "download" in request.GET:
        response["Content-Disposition"] = f'attachment; filename="{document.form}"'
    conditional = get_conditional_response(
        request, etag=document.etag, last_modified=int(document.changed_at.timestamp()), response=response
    )
    return conditional if isinstance(conditional, HttpResponse) else response
