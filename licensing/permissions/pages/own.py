"""A member's own reservations: make one for a work or for all works, see them, take texts from them."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override
from django.views.decorators.http import require_GET, require_http_methods

from accounts.access.paging import paginate
from accounts.identity.core import Actor, Forbidden, NotFound, Refusal
from accounts.identity.gate import ActorRequest, requires, signed_in
from licensing.intake.importing import ImportResult
from licensing.intake.services import keep
from licensing.permissions import wording
from licensing.permissions.models import Reservation
from licensing.permissions.reserve_forms import ListForm, OwnForm
from licensing.permissions.services import reservations as services
from licensing.permissions.services.importing_reservations import import_reservations
from licensing.permissions.services.targets import Claimant, Target
from licensing.repertoire.models import Holder, Work

MOST_HOLDERS: Final = 500
MOST_IN_TEXTS: Final = 200
SHOWN: Final = 100  # refused rows on the page
LANGUAGES: Final = ("ko", "en")


@signed_in
@require_GET
def mine(request: ActorRequest) -> HttpResponse:
    """What I reserved, the newest first."""
    actor = _member(request.actor)
    found = Reservation.objects.visible_to(actor).select_related("work", "holder", "society").order_by("-id")
    status = request.GET.get("status", "")
    if status in Reservation.Status.values:
        found = found.filter(status=status)
    context = {
        "page": paginate(request, found, counted=False),
        "status": status,
        "statuses": [c for c in Reservation.Status.choices if c[0] != Reservation.Status.UNCONFIRMED],
        "may_reserve": actor.can("reservations.make"),
        "may_withdraw": actor.can("reservations.make"),
    }
    return render(request, "licensing/reservations/mine.html", context)


@requires("reservations.make")
@require_http_methods(["GET", "POST"])
def new(request: ActorRequest) -> HttpResponse:
    """Reserve one work (`?work=`) or, without it, all works of a holder."""
    actor = _member(request.actor)
    work = _work(actor, (request.POST if request.method == "POST" else request.GET).get("work", ""))
    holders = _holders(actor, work)
    form = OwnForm(request.POST or None, holders=holders, work=work)
    if request.method == "POST" and form.is_valid():
        try:
            made = _reserved(actor, form, work)
        except Refusal as refusal:
            field = (refusal.pointer or "").strip("/")
            form.add_error(field if field in form.fields else None, str(refusal))
        else:
            messages.success(request, _("Reserved. It counts from the moment that the receipt names."))
            return redirect("licensing:reservation_follow", made.ref)
    return render(request, "licensing/reservations/new.html", {"form": form, "work": work, "holders": holders})


def _reserved(actor: Actor, form: OwnForm, work: Work | None) -> Reservation:
    data = form.cleaned_data
    holder: Holder = data["holder"]
    return services.reserve(
        actor=actor,
        society=work.society if work else holder.society,
        target=Target.work(work) if work else Target.of_holder(holder),
        uses=data["uses"],
        territory=data["territory"],
        effective_from=data["effective_from"],
        source=Reservation.Source.MEMBER,
        claimant=Claimant(holder=holder, name=holder.name),
    )


@requires("reservations.make")
@require_http_methods(["GET", "POST"])
def upload(request: ActorRequest) -> HttpResponse:
    """Many at once from a small file: read while the member waits, and told row by row what was wrong."""
    actor = _member(request.actor)
    form = ListForm(request.POST or None, request.FILES or None, holders=_holders(actor, None))
    result: ImportResult | None = None
    if request.method == "POST" and form.is_valid():
        holder, sent = form.cleaned_data["holder"], form.cleaned_data["file"]
        try:
            with transaction.atomic():
                kept = keep(actor=actor, stream=sent, name=sent.name or "", organisation=holder.society)
                result = import_reservations(actor=actor, society=holder.society, file=kept, holder=holder)
        except Refusal as refusal:
            form.add_error("file", str(refusal))
    rejects = [(each, _(each.reason) if each.reason else "") for each in result.rejects[:SHOWN]] if result else []
    context = {"form": form, "result": result, "rejects": rejects}
    status = 422 if form.errors and request.headers.get("HX-Request") else 200
    return render(request, "licensing/reservations/upload.html", context, status=status)


@signed_in
@require_GET
def texts(request: ActorRequest) -> HttpResponse:
    """Standard texts about my reservations, or about one of them (`?ref=`), in both languages."""
    ref = request.GET.get("ref", "")
    found = _told_of(request, ref)
    link = _link(request, found, ref)
    both = []
    for language in LANGUAGES:
        with override(language):
            both.append((language, wording.standard_texts(_name(request.actor, found), found, link)))
    context = {"texts": both, "ref": ref, "reservations": found}
    return render(request, "licensing/reservations/texts.html", context)


@signed_in
@require_GET
def text(request: ActorRequest, language: str, kind: str) -> HttpResponse:
    """One of the texts as a file."""
    ref = request.GET.get("ref", "")
    found = _told_of(request, ref)
    if language not in LANGUAGES:
        raise NotFound(_("There is no such text."))
    with override(language):
        texts = wording.standard_texts(_name(request.actor, found), found, _link(request, found, ref))
    known = {each.kind: each for each in texts}
    if kind not in known:
        raise NotFound(_("There is no such text."))
    return HttpResponse(
        known[kind].body + "\n",
        content_type="text/plain; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="reservation-{kind}-{language}.txt"'},
    )


def _told_of(request: ActorRequest, ref: str) -> list[Reservation]:
    """The member's standing reservations, or the one named."""
    actor = _member(request.actor)
    found = Reservation.objects.visible_to(actor).counting(timezone.now())
    if ref:
        found = found.filter(ref=services.spelled(ref))
    listed = list(found.select_related("work", "holder", "claimant_holder").order_by("-id")[:MOST_IN_TEXTS])
    if ref and not listed:
        raise NotFound(_("There is no such reservation."))
    return listed


def _name(actor: Actor, found: list[Reservation]) -> str:
    """In whose name the texts speak, as the active language writes it."""
    holders = dict.fromkeys(str(each.claimant_holder) for each in found if each.claimant_holder)
    return ", ".join(holders) or actor.label


def _link(request: ActorRequest, found: list[Reservation], ref: str) -> str:
    route, args = ("reservation_follow", [found[0].ref]) if ref else ("reservations", [])
    return request.build_absolute_uri(reverse(f"licensing:{route}", args=args))


def _member(actor: Actor) -> Actor:
    if not actor.holder_ids:
        raise Forbidden(_("This page is for rights holders and those who act for them."))
    return actor


def _work(actor: Actor, number: str) -> Work | None:
    if not number:
        return None
    found = None
    if number.isascii() and number.isdigit() and len(number) < 19:
        found = Work.objects.visible_to(actor).select_related("society").filter(pk=int(number)).first()
    if found is None:
        raise NotFound(_("There is no such work."))
    return found


def _holders(actor: Actor, work: Work | None) -> list[Any]:
    """In whose name: those who have a share in the work, else all for whom the actor acts."""
    found = Holder.objects.visible_to(actor).select_related("society")
    if work is not None:
        found = found.filter(shares__work=work).distinct()
    return list(found.order_by("name", "pk")[:MOST_HOLDERS])
