"""Ask to join, see how that stands; and the society's queue of those who asked.

The public page about joining shows terms, mandates and deductions and so lies above, with the royalties.
"""

from __future__ import annotations

from typing import Final

from django.contrib import messages
from django.http import FileResponse, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access.limits import limit
from accounts.access.paging import paginate
from accounts.identity.core import Actor, NotFound, Refusal
from accounts.identity.gate import ActorRequest, requires, signed_in
from licensing.intake.services import path_of
from licensing.repertoire.joining_forms import ApplicationForm, DecisionForm
from licensing.repertoire.models import Application, Holder
from licensing.repertoire.services import joining as services

A_DAY: Final = 24 * 3600
MOST_MEMBERS: Final = 50  # shown of those for whom one acts
TYPES: Final = {"pdf": "application/pdf", "jpg": "image/jpeg", "png": "image/png"}


@never_cache
@require_http_methods(["GET", "POST"])
def apply(request: ActorRequest) -> HttpResponse:
    """The form; who is not signed in is told how to get an account first."""
    asked = request.GET.get("society", "")[:64]
    if not request.user.is_authenticated:
        back = reverse("licensing:apply") + (f"?{urlencode({'society': asked})}" if asked else "")
        return redirect(f"{reverse('accounts:account')}?{urlencode({'next': back})}")
    form = ApplicationForm(request.POST or None, request.FILES or None)
    form.fields["society"].initial = form.fields["society"].queryset.filter(ref=asked).first()  # type: ignore[attr-defined]
    if request.method == "POST" and form.is_valid():
        data = dict(form.cleaned_data)
        try:
            limit("apply", f"user:{request.actor.user_id}", most=10, seconds=A_DAY)
            services.apply(actor=request.actor, identity=data.pop("identity").file, **data)
        except Refusal as refusal:
            _put(form, refusal)
        else:
            messages.success(request, _("Your application is sent. The society answers you here and by e-mail."))
            return redirect("licensing:applications")
    return render(request, "licensing/joining/apply.html", {"form": form})


@signed_in
@require_GET
def applications(request: ActorRequest) -> HttpResponse:
    """Where I am a member, or act for one; what I asked, of which society, and how it stands."""
    actor = request.actor
    mine = Application.objects.filter(user_id=actor.user_id or 0).select_related("society", "holder")
    told = mine.filter(status=Application.Status.ACCEPTED).values("holder_id")
    members = Holder.objects.filter(pk__in=actor.holder_ids).exclude(pk__in=told).select_related("society")
    context = {
        "page": paginate(request, mine.order_by("-pk")),
        "members": members.order_by("name", "pk")[:MOST_MEMBERS],
    }
    return render(request, "licensing/joining/mine.html", context)


@signed_in
@require_POST
def withdraw(request: ActorRequest, application_id: int) -> HttpResponse:
    found = Application.objects.filter(pk=application_id, user_id=request.actor.user_id or 0).first()
    if found is None:
        raise NotFound(_("There is no such application."))
    services.withdraw(actor=request.actor, application=found)
    messages.success(request, _("Your application is withdrawn."))
    return redirect("licensing:applications")


@requires("membership.manage")
@require_GET
def queue(request: ActorRequest) -> HttpResponse:
    """Who asked the society, those that wait first."""
    found = Application.objects.visible_to(request.actor).select_related("user", "holder")
    status = request.GET.get("status", Application.Status.SUBMITTED)
    if status in Application.Status.values:
        found = found.filter(status=status)
    else:
        status = ""
    context = {
        "page": paginate(request, found.order_by("pk" if status == Application.Status.SUBMITTED else "-pk")),
        "status": status,
        "statuses": Application.Status.choices,
    }
    return render(request, "licensing/joining/queue.html", context)


@requires("membership.manage")
@never_cache
@require_http_methods(["GET", "POST"])
def application(request: ActorRequest, application_id: int) -> HttpResponse:
    """One application: who it is, who of the members it may be, and the decision."""
    found = _one(request.actor, application_id)
    form = DecisionForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        data, actor = form.cleaned_data, request.actor
        try:
            if request.POST.get("decision") == "accept":
                services.accept(actor=actor, application=found, ref=data["ref"], answer=data["answer"])
                messages.success(request, _("%(name)s is a member now.") % {"name": found.name})
            elif request.POST.get("decision") == "refuse":
                services.refuse(actor=actor, application=found, answer=data["answer"])
                messages.success(request, _("The application is refused, and the applicant is told."))
            return redirect("licensing:application", found.pk)
        except Refusal as refusal:
            _put(form, refusal)
    context = {
        "application": found,
        "form": form,
        "waits": found.status == Application.Status.SUBMITTED,
        "alike": services.look_alikes(found),
    }
    return render(request, "licensing/joining/application.html", context)


@requires("membership.manage")
@never_cache
@require_GET
def identity(request: ActorRequest, application_id: int) -> HttpResponseBase:
    """The document shown, as a file to keep apart; opened by no browser in this house's name."""
    found = _one(request.actor, application_id)
    if found.identity is None:
        raise NotFound(_("The document was deleted."))
    path, ending = path_of(found.identity), found.identity.name.rpartition(".")[2]
    services.note_identity_seen(actor=request.actor, application=found)
    answer = FileResponse(
        path.open("rb"),
        as_attachment=True,
        filename=f"application-{found.pk}.{ending if ending in TYPES else 'bin'}",
        content_type=TYPES.get(ending, "application/octet-stream"),
    )
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return answer


def _one(actor: Actor, application_id: int) -> Application:
    found = Application.objects.visible_to(actor).select_related("society", "user", "holder", "identity")
    made = found.filter(pk=application_id).first()
    if made is None:
        raise NotFound(_("There is no such application."))
    return made


def _put(form: ApplicationForm | DecisionForm, refusal: Refusal) -> None:
    for error in refusal.errors:
        field = str(error.get("pointer", "")).strip("/")
        form.add_error(field if field in form.fields else None, str(error["detail"]))
