"""Pages of members and works: a society keeps them, a creator sees their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from accounts.access.paging import ordering, paginate
from accounts.identity.core import Actor, Forbidden, NotFound, Refusal
from accounts.identity.gate import ActorRequest, requires, signed_in
from accounts.organisations.models import Organisation
from licensing import labels, terms
from licensing.repertoire import services
from licensing.repertoire.forms import HolderForm, ShareFormSet, WorkForm, share_lines
from licensing.repertoire.lookup import find_holder, looked_up
from licensing.repertoire.models import Holder, Share, Work
from licensing.terms import PPM

HOLDER_SORTS = {"ref": "ref", "name": "name"}


@signed_in
@require_GET
def holders(request: ActorRequest) -> HttpResponse:
    """The members of the society."""
    actor = _society_s(request.actor)
    found = Holder.objects.visible_to(actor)
    asked = request.GET.get("q", "").strip()
    if asked:
        numbers = Q(ipi=asked.replace(" ", "").zfill(11)) | Q(isni=asked.replace(" ", ""))
        found = found.filter(Q(ref=asked) | Q(name__icontains=asked) | Q(name_ko__icontains=asked) | numbers)
    page = paginate(request, found.order_by(ordering(request, HOLDER_SORTS, default="ref"), "pk"), counted=not asked)
    counts = Share.objects.filter(holder__in=list(page)).values("holder").annotate(n=Count("work", distinct=True))
    context = {
        "page": page,
        "asked": asked,
        "works": {row["holder"]: row["n"] for row in counts},
        "can_manage": actor.can("works.import"),
    }
    return render(request, "licensing/repertoire/holders.html", context)


@requires("works.import")
@require_http_methods(["GET", "POST"])
def holder_new(request: ActorRequest) -> HttpResponse:
    form = HolderForm(request.POST or None)
    society = _society(request.actor)

    def save(**fields: Any) -> Holder:
        return services.save_holder(actor=request.actor, society=society, **fields)

    if request.method == "POST" and (made := _saved(form, save)):
        messages.success(request, _("%(name)s is a member now.") % {"name": made})
        return redirect("licensing:holder", made.pk)
    return render(request, "licensing/repertoire/holder_form.html", {"form": form})


@requires("works.import")
@require_http_methods(["GET", "POST"])
def holder_edit(request: ActorRequest, holder_id: int) -> HttpResponse:
    found = find_holder(actor=request.actor, holder_id=holder_id)
    form = HolderForm(request.POST or None, holder=found)

    def save(**fields: Any) -> Holder:
        return services.save_holder(actor=request.actor, society=found.society, holder=found, **fields)

    if request.method == "POST" and _saved(form, save):
        messages.success(request, _("Saved."))
        return redirect("licensing:holder", found.pk)
    return render(request, "licensing/repertoire/holder_form.html", {"form": form, "holder": found})


@signed_in
@require_GET
def works(request: ActorRequest) -> HttpResponse:
    """The society's repertoire, or a creator's own works; by words, identifier, reference or kind."""
    actor = request.actor
    asked, kind = request.GET.get("q", "").strip(), request.GET.get("kind", "")
    found = Work.objects.listed_for(actor)
    if kind in terms.KINDS:
        found = found.filter(kind=kind)
    if asked:
        found = looked_up(found, asked)
    page = paginate(request, found.prefetch_related("identifiers"), counted=False)
    context = {
        "page": page,
        "asked": asked,
        "kind": kind,
        "kinds": [(code, labels.label(code)) for code in terms.KINDS],
        "can_manage": actor.is_society and actor.can("works.import"),
    }
    return render(request, "licensing/repertoire/works.html", context)


@signed_in
@require_GET
def work(request: ActorRequest, work_id: int) -> HttpResponse:
    """One work: what names it, and who holds it."""
    found = _work(request.actor, work_id)
    today = timezone.localdate()
    shares = list(found.shares.select_related("holder").order_by("-valid", "holder__ref", "role"))
    current = {share.pk for share in shares if today in share.valid}
    total = sum(share.ppm for share in shares if share.pk in current)
    context = {
        "work": found,
        "identifiers": list(found.identifiers.order_by("scheme", "value")),
        "aliases": list(found.aliases.order_by("title", "creators")),
        "survivor": services.survivor(found) if found.merged_into_id else None,
        "shares": shares,
        "current": current,
        "total": total,
        "missing": PPM - total,
        "free": found.protected_until is not None and found.protected_until <= today,
        "can_manage": request.actor.is_society and request.actor.can("works.import"),
        "can_reserve": request.actor.can("reservations.make"),
        "can_check": request.actor.can("permissions.check"),
        "can_dispute": request.actor.can("works.import") or request.actor.can("works.register"),
    }
    return render(request, "licensing/repertoire/work.html", context)


@requires("works.import")
@require_http_methods(["GET", "POST"])
def work_new(request: ActorRequest) -> HttpResponse:
    form = WorkForm(request.POST or None)
    society = _society(request.actor)

    def save(**fields: Any) -> Work:
        return services.save_work(actor=request.actor, society=society, **fields)

    if request.method == "POST" and (made := _saved(form, save)):
        messages.success(request, _("The work is on record. Now say who holds it."))
        return redirect("licensing:work_shares", made.pk)
    return render(request, "licensing/repertoire/work_form.html", {"form": form})


@requires("works.import")
@require_http_methods(["GET", "POST"])
def work_edit(request: ActorRequest, work_id: int) -> HttpResponse:
    found = _work(request.actor, work_id)
    form = WorkForm(request.POST or None, work=found)

    def save(**fields: Any) -> Work:
        return services.save_work(actor=request.actor, society=found.society, work=found, **fields)

    if request.method == "POST" and _saved(form, save):
        messages.success(request, _("Saved."))
        return redirect("licensing:work", found.pk)
    return render(request, "licensing/repertoire/work_form.html", {"form": form, "work": found})


@requires("works.import")
@require_http_methods(["GET", "POST"])
def work_shares(request: ActorRequest, work_id: int) -> HttpResponse:
    """All shares of one work, entered together."""
    found = _work(request.actor, work_id)
    shares = list(found.shares.select_related("holder").order_by("valid", "holder__ref", "role"))
    lines = ShareFormSet(request.POST or None, initial=share_lines(shares))
    if request.method == "POST" and lines.is_valid():
        filled = [(form, line) for form in lines if (line := form.line)]
        try:
            services.set_shares(actor=request.actor, work=found, lines=[line for _form, line in filled])
        except Refusal as refusal:
            for error in refusal.errors:
                place = str(error.get("pointer", "")).rpartition("/")[2]
                form = filled[int(place)][0] if place.isdigit() else lines[0]
                form.add_error(None, str(error["detail"]))
        else:
            messages.success(request, _("The shares are on record."))
            return redirect("licensing:work", found.pk)
    return render(request, "licensing/repertoire/work_shares.html", {"work": found, "lines": lines})


def _saved(form: forms.Form, save: Callable[..., Any]) -> Any:
    """What the service saved, or None with the errors in the form."""
    if not form.is_valid():
        return None
    try:
        return save(**form.cleaned_data)
    except Refusal as refusal:
        for error in refusal.errors:
            field = str(error.get("pointer", "")).lstrip("/")
            form.add_error(field if field in form.fields else None, str(error["detail"]))
        return None


def _society_s(actor: Actor) -> Actor:
    if not actor.is_society:
        raise Forbidden(_("Members are seen by their society."))
    return actor


def _society(actor: Actor) -> Organisation:
    return get_object_or_404(Organisation, pk=actor.organisation_id, kind=Organisation.Kind.SOCIETY)


def _work(actor: Actor, work_id: int) -> Work:
    found = Work.objects.visible_to(actor).select_related("society").filter(pk=work_id).first()
    if found is None:
        raise NotFound(_("There is no such work."))
    return found
