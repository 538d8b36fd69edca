"""Pages of standard terms: anyone reads what is published; a society writes, compares and publishes its own."""

from __future__ import annotations

import json
from typing import Any, Final

from django.contrib import messages
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access.paging import paginate
from accounts.identity.core import Actor, NotFound, Refusal
from accounts.identity.gate import ActorRequest, requires
from accounts.organisations.models import Organisation
from licensing.licences import clauses, comparing, terms, wording
from licensing.licences.conditions import Conditions
from licensing.licences.forms.offers import ConditionsForm
from licensing.licences.forms.terms import ClauseForms, NameForm, place, shown
from licensing.licences.models import StandardTerms
from licensing.licences.services import terms as services

_BLANK: Final[dict[str, Any]] = {"name": {"en": "", "ko": ""}, "terms": "", "conditions": {}, "clauses": []}


@require_GET
def terms_list(request: ActorRequest) -> HttpResponse:
    """Every society's published terms, and one's own drafts."""
    actor, asked, society = request.actor, request.GET.get("q", "").strip(), request.GET.get("society", "").strip()
    found = StandardTerms.objects.visible_to(actor).exclude(status=StandardTerms.Status.SUPERSEDED)
    found = found.select_related("society").order_by("society__name", "ref", "-version")
    if asked:
        named = Q(name__icontains=asked) | Q(name_ko__icontains=asked) | Q(ref__icontains=asked)
        found = found.filter(named | Q(society__name__icontains=asked) | Q(society__name_ko__icontains=asked))
    if society:
        found = found.filter(society__ref=society)
    context = {"page": paginate(request, found), "asked": asked, "society": society, "can_write": _may_write(actor)}
    return render(request, "licensing/terms/list.html", context)


@require_GET
def terms_version(request: ActorRequest, terms_id: int) -> HttpResponse:
    """One version in either language, with what differs from another."""
    found = _find(request.actor, terms_id)
    language = request.GET.get("language", "")
    language = language if language in clauses.LANGUAGES else wording.language()
    of_ref = StandardTerms.objects.visible_to(request.actor).filter(society=found.society, ref=found.ref)
    versions = list(of_ref.order_by("-version").defer("clauses")[:50])
    against = _against(of_ref, found, request.GET.get("against", ""))
    values = Conditions.from_data(found.conditions)
    mine = _may_write(request.actor) and request.actor.organisation_id == found.society_id
    context = {
        "terms": found,
        "language": language,
        "languages": [("en", "English"), ("ko", "한국어")],
        "name": found.name_ko if language == "ko" else found.name,
        "versions": versions,
        "conditions": wording.conditions(found.conditions),
        "clauses": [(heading, text.split("\n")) for heading, text in clauses.filled(found.clauses, values, language)],
        "others": [
            (clause["heading"][language], clause["text"][language].split("\n"))
            for clause in found.clauses
            if not clauses.holds(clause, values.as_data())
        ],
        "against": against,
        "changes": comparing.clause_changes(against.clauses, found.clauses, language) if against else [],
        "condition_changes": _condition_changes(against, found) if against else [],
        "is_draft": found.status == StandardTerms.Status.DRAFT,
        "can_write": mine,
    }
    return render(request, "licensing/terms/version.html", context)


@require_GET
def terms_document(request: ActorRequest, terms_id: int) -> HttpResponse:
    """A version as JSON, as `import_terms` reads it."""
    found = _find(request.actor, terms_id)
    text = json.dumps(services.document_of(found), ensure_ascii=False, indent=2) + "\n"
    answer = HttpResponse(text, content_type="application/json; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{found.ref}-v{found.version}.json"'
    return answer


@requires("licences.manage")
@require_http_methods(["GET", "POST"])
def terms_new(request: ActorRequest) -> HttpResponse:
    """A first draft, or that of a next version: from the text that the house ships, from a version, or from nothing."""
    society = get_object_or_404(Organisation, pk=request.actor.organisation_id, kind=Organisation.Kind.SOCIETY)
    writing = _Writing(request, _started(request, society))
    if request.method == "POST" and writing.is_valid():
        try:
            made = services.draft(actor=request.actor, society=society, document=writing.document)
        except Refusal as refusal:
            writing.refuse(refusal)
        else:
            messages.success(request, _("The draft is kept. Read it once more, then publish it."))
            return redirect("licensing:terms_version", made.pk)
    return render(request, "licensing/terms/write.html", {"writing": writing, "terms": None})


@requires("licences.manage")
@require_http_methods(["GET", "POST"])
def terms_edit(request: ActorRequest, terms_id: int) -> HttpResponse:
    """Write a draft anew."""
    found = _find_own(request.actor, terms_id)
    writing = _Writing(request, services.document_of(found), ref=found.ref)
    if request.method == "POST" and writing.is_valid():
        try:
            services.revise(actor=request.actor, terms=found, document=writing.document)
        except Refusal as refusal:
            writing.refuse(refusal)
        else:
            messages.success(request, _("The draft is kept. Read it once more, then publish it."))
            return redirect("licensing:terms_version", found.pk)
    return render(request, "licensing/terms/write.html", {"writing": writing, "terms": found})


@requires("licences.manage")
@require_POST
def terms_publish(request: ActorRequest, terms_id: int) -> HttpResponse:
    found = _find_own(request.actor, terms_id)
    services.publish(actor=request.actor, terms=found)
    messages.success(request, _("The terms are published. New offers can be made under them."))
    return redirect("licensing:terms_version", found.pk)


@requires("licences.manage")
@require_POST
def terms_discard(request: ActorRequest, terms_id: int) -> HttpResponse:
    services.discard(actor=request.actor, terms=_find_own(request.actor, terms_id))
    messages.success(request, _("The draft is thrown away."))
    return redirect("licensing:terms")


class _Writing:
    """The forms of one version together."""

    def __init__(self, request: ActorRequest, document: dict[str, Any], ref: str = "") -> None:
        data = request.POST if request.method == "POST" else None
        self.fixed = ref
        named = {"ref": document["terms"], "name_en": document["name"]["en"], "name_ko": document["name"]["ko"]}
        self.name = NameForm(data, initial=named)
        if ref:
            del self.name.fields["ref"]
        conditions = Conditions.from_data(document["conditions"]).as_data()
        self.conditions = ConditionsForm(data, initial=conditions, prefix="conditions")
        self.clauses = ClauseForms(data, initial=[shown(each) for each in document["clauses"]], prefix="clauses")
        self.names = [f"{{{name}}}" for name in clauses.NAMES]
        self.kept: list[int] = []

    def is_valid(self) -> bool:
        valid = [self.name.is_valid(), self.conditions.is_valid(), self.clauses.is_valid()]
        return all(valid)

    @property
    def document(self) -> dict[str, Any]:
        self.kept = [n for n, form in enumerate(self.clauses.forms) if not form.is_empty]
        return {
            "terms": self.fixed or self.name.cleaned_data["ref"],
            "name": {"en": self.name.cleaned_data["name_en"], "ko": self.name.cleaned_data["name_ko"]},
            "conditions": self.conditions.conditions,
            "clauses": [self.clauses.forms[n].clause for n in self.kept],
        }

    def refuse(self, refusal: Refusal) -> None:
        """Each problem at its field."""
        self.name.add_error(None, str(refusal))
        for error in refusal.errors:
            number, field = place(str(error.get("pointer", "")), self.kept)
            form = self.name if number is None else self.clauses.forms[number]
            if field in form.fields:
                form.add_error(field, str(error["detail"]))
            elif str(error["detail"]) != str(refusal):
                form.add_error(None, str(error["detail"]))


def _started(request: ActorRequest, society: Organisation) -> dict[str, Any]:
    """What the writing starts from, as `?start=` says: `shipped`, the number of a version, or nothing."""
    start = request.GET.get("start", "shipped")
    if start == "shipped":
        return terms.shipped()
    if start.isascii() and start.isdigit() and len(start) < 10:
        mine = StandardTerms.objects.filter(society=society, pk=int(start)).first()
        if mine:
            return services.document_of(mine)
    return _BLANK


def _condition_changes(before: StandardTerms, after: StandardTerms) -> list[tuple[str, str, str]]:
    pairs = zip(wording.conditions(before.conditions), wording.conditions(after.conditions), strict=True)
    return [(label, old, new) for (label, old), (_label, new) in pairs if old != new]


def _against(of_ref: Any, found: StandardTerms, asked: str) -> StandardTerms | None:
    """The version to compare with: the one named, else the one before."""
    if asked.isascii() and asked.isdigit() and len(asked) < 10:
        return of_ref.exclude(pk=found.pk).filter(version=int(asked)).first()
    return of_ref.filter(version__lt=found.version).order_by("-version").first()


def _may_write(actor: Actor) -> bool:
    return actor.is_society and actor.can("licences.manage")


def _find(actor: Actor, terms_id: int) -> StandardTerms:
    found = StandardTerms.objects.visible_to(actor).select_related("society").filter(pk=terms_id).first()
    if found is None:
        raise NotFound(_("There are no such terms."))
    return found


def _find_own(actor: Actor, terms_id: int) -> StandardTerms:
    found = _find(actor, terms_id)
    if found.society_id != actor.organisation_id:
        raise NotFound(_("There are no such terms."))
    return found
