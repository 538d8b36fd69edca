"""The society's queue: who reserved what, what it may be about, and accept or reject; what is due first stands first."""

from __future__ import annotations

from typing import Final

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from accounts.access.paging import paginate
from accounts.identity.core import Actor, Forbidden, NotFound, Refusal
from accounts.identity.gate import ActorRequest, requires
from licensing.permissions.core import deadlines
from licensing.permissions.models import Reservation
from licensing.permissions.reserve_forms import DecideForm
from licensing.permissions.services import reservations as services
from licensing.permissions.services.public_search import find_works
from licensing.permissions.services.settling import accept_as_work
from licensing.repertoire.models import Holder, Work

SHOWN: Final = 10_000  # characters of evidence on the page
_STATUSES: Final = tuple(s for s in Reservation.Status if s not in ("unconfirmed", "received"))


@requires("reservations.manage")
@require_GET
def queue(request: ActorRequest) -> HttpResponse:
    """What waits for its check, the earliest deadline first; or what was decided."""
    actor = _society_s(request.actor)
    mine = Reservation.objects.visible_to(actor)
    waiting = mine.filter(status=Reservation.Status.RECEIVED)
    tab = "decided" if request.GET.get("tab") == "decided" else "waiting"
    today = timezone.localdate()
    if tab == "waiting":
        listed = waiting.order_by("due_on", "id")
    else:
        listed = mine.filter(status__in=_STATUSES).order_by("-id")
    listed = listed.select_related("work", "holder", "claimant_holder")
    counts = waiting.aggregate(waiting=Count("pk"), overdue=Count("pk", filter=Q(due_on__lt=today)))
    context = {
        "page": paginate(request, listed, counted=False),
        "tab": tab,
        "counts": counts | {"today": waiting.filter(due_on=today).count()},
        "today": today,
        "soon": deadlines.working_days_after(today, 1, "KR"),
    }
    return render(request, "licensing/reservations/queue.html", context)


@never_cache
@requires("reservations.manage")
@require_http_methods(["GET", "POST"])
def decide(request: ActorRequest, ref: str) -> HttpResponse:
    """One reservation with all that was sent in, and the decision."""
    actor = _society_s(request.actor)
    found = _found(actor, ref)
    form = DecideForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            _decided(request, form, found)
        except Refusal as refusal:
            form.add_error(None, str(refusal))
        else:
            return _next(actor)
    context = {
        "reservation": found,
        "form": form,
        "waits": found.status == Reservation.Status.RECEIVED,
        "today": timezone.localdate(),
        "works": _works(actor, found),
        "holders": _holders(actor, found),
        "raw": _raw(found),
        "shown": SHOWN,
    }
    return render(request, "licensing/reservations/decide.html", context)


def _decided(request: ActorRequest, form: DecideForm, found: Reservation) -> None:
    act = request.POST.get("decision", "")
    if act == "accept":
        services.accept(actor=request.actor, reservation=found)
        messages.success(request, _("%(ref)s is accepted; who asked is told.") % {"ref": found.ref})
    elif act == "reject":
        services.reject(actor=request.actor, reservation=found, reasons=form.given(found.language))
        messages.success(request, _("%(ref)s is rejected; who asked is told why.") % {"ref": found.ref})
    elif act.startswith("work:"):
        work = _work(request.actor, act.removeprefix("work:"))
        made = accept_as_work(actor=request.actor, reservation=found, work=work)
        said = _("%(ref)s is accepted as a reservation of the work “%(work)s”, in the place of %(old)s.")
        messages.success(request, said % {"ref": made.ref, "work": work.title, "old": found.ref})
    else:
        raise Refusal("no_decision", _("Accept it, or reject it."))


def _next(actor: Actor) -> HttpResponse:
    """On to what is due next, so that a row of decisions needs no way back."""
    waiting = Reservation.objects.visible_to(actor).filter(status=Reservation.Status.RECEIVED)
    following = waiting.order_by("due_on", "id").values_list("ref", flat=True).first()
    if following is None:
        return redirect("licensing:reservation_queue")
    return redirect("licensing:reservation_decide", following)


def _society_s(actor: Actor) -> Actor:
    if not actor.is_society:
        raise Forbidden(_("Reservations are checked by the society that they were sent to."))
    return actor


def _found(actor: Actor, ref: str) -> Reservation:
    mine = Reservation.objects.visible_to(actor).public()
    about = ("work", "holder", "society", "claimant_holder", "signal", "supersedes")
    found = mine.filter(ref=services.spelled(ref)).select_related(*about).first()
    if found is None:
        raise NotFound(_("There is no such reservation."))
    return found


def _work(actor: Actor, number: str) -> Work:
    found = None
    if number.isascii() and number.isdigit() and len(number) < 19:
        found = Work.objects.visible_to(actor).filter(pk=int(number)).first()
    if found is None:
        raise NotFound(_("There is no such work."))
    return found


def _works(actor: Actor, found: Reservation) -> list[Work]:
    """Works of the society that a number or a title may be about. A web address stays one: it holds more than a work."""
    if found.target != Reservation.Target.IDENTIFIER:
        return []
    asked = [found.title] if found.title else []
    if found.scheme != "title":
        asked.append(f"{found.scheme}:{found.value}")
    works = {work.pk: work for text in asked for work in find_works(text)[1]}
    return [work for work in works.values() if work.society_id == actor.organisation_id][:10]


def _holders(actor: Actor, found: Reservation) -> list[Holder]:
    """Members whom who asked may be: by e-mail address or name; and who holds the work."""
    by = Q(pk__in=[])
    if found.claimant_email:
        by |= Q(email__iexact=found.claimant_email)
    if found.claimant_name:
        by |= Q(name__iexact=found.claimant_name) | Q(name_ko=found.claimant_name)
    if found.work_id:
        by |= Q(shares__work=found.work_id)
    return list(Holder.objects.visible_to(actor).filter(by).distinct().order_by("name")[:20])


def _raw(found: Reservation) -> str:
    """What a machine-readable signal said, as text; the template escapes it."""
    if found.signal is None:
        return ""
    return bytes(found.signal.raw)[: 4 * SHOWN].decode("utf-8", "replace")[:SHOWN]
