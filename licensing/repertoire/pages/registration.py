"""Register a work: by a member, confirmed by those who share in it, watched by the society."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import messages
from django.db.models import Exists, OuterRef, Q
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access.paging import paginate
from accounts.identity.core import Actor, Forbidden, NotFound, Refusal
from accounts.identity.gate import ActorRequest, requires, signed_in
from licensing.repertoire.models import Holder, Registration, RegistrationShare
from licensing.repertoire.registration_forms import ReasonForm, RegistrationForm, line_forms
from licensing.repertoire.services import registering as services
from licensing.terms import PPM

MOST_HOLDERS: Final = 200


@signed_in
@require_GET
def registrations(request: ActorRequest) -> HttpResponse:
    """What I registered and what I am asked about; for a society, all of it."""
    actor = _concerned(request.actor)
    found = Registration.objects.visible_to(actor).select_related("holder", "work")
    status = request.GET.get("status", "")
    if status in Registration.Status.values:
        found = found.filter(status=status)
    asked = RegistrationShare.objects.filter(
        registration=OuterRef("pk"), holder_id__in=actor.holder_ids, confirmed_at=None, objection=""
    )
    found = found.annotate(asks_me=Exists(asked.filter(registration__status=Registration.Status.OPEN)))
    context = {
        "page": paginate(request, found.order_by("-pk"), counted=False),
        "status": status,
        "statuses": Registration.Status.choices,
        "may_register": bool(actor.holder_ids) and actor.can(services.PERMISSION),
    }
    return render(request, "licensing/registration/list.html", context)


@requires(services.PERMISSION)
@never_cache
@require_http_methods(["GET", "POST"])
def new(request: ActorRequest) -> HttpResponse:
    """A new registration; `?from=` starts from one of mine that came to nothing."""
    actor = _member(request.actor)
    number = request.GET.get("from", "")
    before = _mine(actor, int(number)) if number.isascii() and number.isdigit() and len(number) < 19 else None
    return _form(request, None, before)


@signed_in
@never_cache
@require_http_methods(["GET", "POST"])
def change(request: ActorRequest, registration_id: int) -> HttpResponse:
    """Enter an open registration of mine anew."""
    found = _mine(request.actor, registration_id)
    request.actor.require(services.PERMISSION)
    if found.status != Registration.Status.OPEN:
        messages.info(request, _("This registration is over: nothing more can be done with it."))
        return redirect("licensing:registration", found.pk)
    return _form(request, found, found)


def _form(request: ActorRequest, changed: Registration | None, before: Registration | None) -> HttpResponse:
    data, more = request.POST or None, "more" in request.POST
    holders = list(Holder.objects.visible_to(request.actor).order_by("name", "pk")[:MOST_HOLDERS])
    if changed:
        holders = [changed.holder]
    form = RegistrationForm(data, holders=holders, registration=before)
    lines = line_forms(data, registration=before, more=more)
    alike: list[Any] = []
    if request.method == "POST" and not more and form.is_valid() & lines.is_valid():
        holder = form.cleaned_data["holder"]
        alike = services.similar_works(holder.society_id, form.cleaned_data["title"], form.cleaned_data["identifiers"])
        if not alike or form.cleaned_data["different"]:
            try:
                return _registered(request, form, lines, changed)
            except Refusal as refusal:
                _put(form, lines, refusal)
    context = {"form": form, "lines": lines, "alike": alike, "changed": changed, "more": more}
    return render(request, "licensing/registration/form.html", context)


def _registered(
    request: ActorRequest, form: RegistrationForm, lines: Any, changed: Registration | None
) -> HttpResponse:
    named = [line for each in lines if (line := each.line)]
    unfound = form.cleaned_data["unfound"]
    if changed:
        made = services.change(actor=request.actor, registration=changed, lines=named, unfound=unfound, **form.values)
    else:
        holder = form.cleaned_data["holder"]
        made = services.register(actor=request.actor, holder=holder, lines=named, unfound=unfound, **form.values)
    if made.unknown:
        said = _(
            "No member was found for: %(who)s. These shares are left unrecorded, and their money waits. Ask them to join; "
            "whom you named by e-mail address, we have written to."
        )
        messages.warning(request, said % {"who": ", ".join(made.unknown)})
    if made.registration.status == Registration.Status.CONFIRMED:
        messages.success(request, _("The work is on record."))
    else:
        messages.success(request, _("Sent to the other holders. The work is on record once all have confirmed."))
    return redirect("licensing:registration", made.registration.pk)


@signed_in
@never_cache
@require_GET
def registration(request: ActorRequest, registration_id: int) -> HttpResponse:
    """One registration: the work, its shares, who has confirmed, and what I can do about it."""
    actor = request.actor
    found = _seen(actor, registration_id)
    shares = list(found.shares.select_related("holder").order_by("pk"))
    is_open, may = found.status == Registration.Status.OPEN, actor.can(services.PERMISSION)
    is_mine = found.holder_id in actor.holder_ids
    context = {
        "registration": found,
        "shares": [(share, _named(actor, found, share)) for share in shares],
        "missing": PPM - sum(share.ppm for share in shares),
        "mine": [share for share in shares if share.holder_id in actor.holder_ids],
        "is_mine": is_mine,
        "asks_me": is_open and may and any(s.holder_id in actor.holder_ids and not s.confirmed_at for s in shares),
        "may_change": is_open and may and is_mine,
        "may_repeat": is_mine and may and found.status in ("objected", "withdrawn"),
        "may_confirm_for": is_open and actor.is_society and actor.can(services.STAFF),
        "form": ReasonForm(),
    }
    return render(request, "licensing/registration/detail.html", context)


@require_POST
@signed_in
def confirm(request: ActorRequest, registration_id: int) -> HttpResponse:
    found = services.confirm(actor=request.actor, registration=_seen(request.actor, registration_id))
    if found.status == Registration.Status.CONFIRMED:
        messages.success(request, _("All have confirmed: the work is on record."))
    else:
        messages.success(request, _("Your share is confirmed. The others are still to come."))
    return redirect("licensing:registration", found.pk)


@require_POST
@signed_in
def object_to(request: ActorRequest, registration_id: int) -> HttpResponse:
    found = _seen(request.actor, registration_id)
    services.object_to(actor=request.actor, registration=found, reason=request.POST.get("reason", ""))
    messages.success(request, _("You have objected. The registration is stopped, and everybody is told."))
    return redirect("licensing:registration", found.pk)


@require_POST
@signed_in
def withdraw(request: ActorRequest, registration_id: int) -> HttpResponse:
    found = _seen(request.actor, registration_id)
    services.withdraw(actor=request.actor, registration=found)
    messages.success(request, _("The registration is withdrawn."))
    return redirect("licensing:registration", found.pk)


@require_POST
@signed_in
def confirm_for(request: ActorRequest, registration_id: int) -> HttpResponse:
    """Staff, on a holder's behalf."""
    found = _seen(request.actor, registration_id)
    holder = Holder.objects.visible_to(request.actor).filter(ref=request.POST.get("holder", "")).first()
    if holder is None:
        raise NotFound(_("There is no such holder."))
    reason = request.POST.get("reason", "")
    services.confirm_for(actor=request.actor, registration=found, holder=holder, reason=reason)
    messages.success(request, _("Confirmed for %(holder)s.") % {"holder": holder})
    return redirect("licensing:registration", found.pk)


def _named(actor: Actor, found: Registration, share: RegistrationShare) -> str:
    """Who a share is of: by name to the society and once confirmed; until then as referred to, so that nobody can try
    references to read the list of members."""
    if actor.is_society or share.confirmed_at or share.holder_id in actor.holder_ids:
        return str(share.holder)
    return ""


def _concerned(actor: Actor) -> Actor:
    if not actor.is_society and not actor.holder_ids:
        raise Forbidden(_("This page is for rights holders and those who act for them."))
    return actor


def _member(actor: Actor) -> Actor:
    if not actor.holder_ids:
        raise Forbidden(_("This page is for rights holders and those who act for them."))
    return actor


def _seen(actor: Actor, registration_id: int) -> Registration:
    found = Registration.objects.visible_to(actor).select_related("society", "holder", "work")
    one = found.filter(pk=registration_id).first()
    if one is None:
        raise NotFound(_("There is no such registration."))
    return one


def _mine(actor: Actor, registration_id: int) -> Registration:
    found = Registration.objects.filter(Q(holder_id__in=actor.holder_ids)).select_related("society", "holder")
    one = found.filter(pk=registration_id).first()
    if one is None:
        raise NotFound(_("There is no such registration."))
    return one


def _put(form: RegistrationForm, lines: Any, refusal: Refusal) -> None:
    """Each error at its field or at its line; lines without a share were not sent along."""
    filled = [each for each in lines if each.line]
    for error in refusal.errors:
        field, _slash, row = str(error.get("pointer", "")).strip("/").partition("/")
        if field == "lines" and row.isdigit() and int(row) < len(filled):
            filled[int(row)].add_error("share", str(error["detail"]))
        else:
            form.add_error(field if field in form.fields else None, str(error["detail"]))
