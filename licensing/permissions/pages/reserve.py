"""Anybody reserves: find the work, choose the uses, check and send; then confirm by e-mail, follow, withdraw.

Nothing here needs an account or a script. The secret of the link in the e-mail lets its holder see what strangers do
not, and withdraw.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Any, Final

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from accounts.access.limits import TooOften, caller, limit
from accounts.identity.core import NotFound, Refusal
from accounts.identity.gate import ActorRequest
from licensing.matching.core import title_key
from licensing.permissions import wording
from licensing.permissions.models import Reservation
from licensing.permissions.reserve_forms import ReserveForm
from licensing.permissions.services import reservations as services
from licensing.permissions.services.public_search import LONGEST, find_works, societies
from licensing.permissions.services.reservation_paper import receipt
from licensing.permissions.services.targets import Claimant, Target
from licensing.repertoire.models import Work

AN_HOUR: Final = 3600
A_DAY: Final = 24 * AN_HOUR
_FIELDS = ("work", "title", "creators", "identifier", "address", "society")  # of the target


@require_GET
def reserve(request: ActorRequest) -> HttpResponse:
    """Step 1: find the work in the register, or go on with what was typed."""
    asked = request.GET.get("q", "").strip()[:LONGEST]
    spoken: Any = None
    works: list[Work] = []
    more, refused = False, ""
    if asked:
        try:
            limit("search", caller(request), most=60, seconds=60)
            spoken, works, more = find_works(asked)
        except TooOften as too_often:
            refused = str(too_often)
    context = {
        "asked": asked,
        "spoken": spoken,
        "is_web": spoken is not None and spoken[0] in ("domain", "url"),
        "works": works,
        "more": more,
        "refused": refused,
    }
    return render(request, "licensing/reservations/find.html", context, status=429 if refused else 200)


@never_cache
@require_http_methods(["GET", "POST"])
def details(request: ActorRequest) -> HttpResponse:
    """Steps 2 and 3: uses and who asks; then all of it once more, to be sent or changed."""
    given = request.POST if request.method == "POST" else request.GET
    work = _work(given.get("work", ""))
    known = societies()
    if request.method == "GET" or given.get("step") == "change":
        first = given.dict() if request.method == "GET" else None
        form = _form(work, known, initial={k: v for k, v in (first or {}).items() if k in _FIELDS and v})
        if first is None:
            form = _form(work, known, data=given)
        return _entered(request, form, work)
    form = _form(work, known, data=given)
    if not form.is_valid():
        return _entered(request, form, work)
    if given.get("step") != "send":
        return render(request, "licensing/reservations/check.html", _checked(form, work))
    return _sent(request, form, work)


def _form(work: Work | None, known: list[Any], **kwargs: Any) -> ReserveForm:
    return ReserveForm(work=work, societies=known, **kwargs)


def _entered(request: ActorRequest, form: ReserveForm, work: Work | None, status: int = 200) -> HttpResponse:
    return render(request, "licensing/reservations/details.html", {"form": form, "work": work}, status=status)


def _checked(form: ReserveForm, work: Work | None) -> dict[str, Any]:
    """What step 3 shows, and the fields as they came, to be sent along."""
    data = form.cleaned_data
    place, identifier = data.get("address"), data.get("identifier")
    what = work.title if work else (place[0] if place else str(data["title"]))
    if not what and identifier:
        what = wording.identifier_said(*identifier)
    sent: Any = form.data
    kept = [(name, value) for name in form.fields for value in sent.getlist(name)]
    return {"form": form, "data": data, "work": work, "what": what, "kept": kept, "society": _society(form, work)}


def _sent(request: ActorRequest, form: ReserveForm, work: Work | None) -> HttpResponse:
    """Ask for the confirmation by e-mail. The answer is the same whoever the address belongs to."""
    data = form.cleaned_data
    try:
        limit("reserve", caller(request), most=20, seconds=AN_HOUR)
        limit("reserve", data["email"].casefold(), most=20, seconds=A_DAY)
        if not data["homepage"]:
            services.request(
                society=_society(form, work),
                target=_target(form, work),
                uses=data["uses"],
                territory=data["territory"],
                effective_from=data["effective_from"],
                claimant=Claimant(name=data["name"], email=data["email"], role=data["role"]),
                evidence=data["evidence"],
                evidence_url=data["evidence_url"],
                language=form.language,
            )
    except Refusal as refusal:
        form.add_error(_field(form, refusal), str(refusal))
        return _entered(request, form, work, status=429 if isinstance(refusal, TooOften) else 200)
    return redirect("licensing:reserve_sent")


def _field(form: ReserveForm, refusal: Refusal) -> str | None:
    field = (refusal.pointer or "").strip("/").partition("/")[0]
    return field if field in form.fields else None


def _society(form: ReserveForm, work: Work | None) -> Any:
    return work.society if work else form.cleaned_data["society"]


def _target(form: ReserveForm, work: Work | None) -> Target:
    data = form.cleaned_data
    if work is not None:
        return Target.work(work)
    named = {"title": data["title"].strip(), "creators": data["creators"].strip()}
    if data["address"]:
        return Target.place(*data["address"], **named)
    if data["identifier"]:
        return Target.identifier(*data["identifier"], **named)
    # As a declared line that has no identifier is told apart.
    columns = {"scheme": "title", "value": title_key(**named)}
    return Target(Reservation.Target.IDENTIFIER, columns, **named)


def _work(text: str) -> Work | None:
    """The work that was chosen in step 1."""
    if not text:
        return None
    found = None
    if text.isascii() and text.isdigit() and len(text) < 19:
        found = Work.objects.select_related("society").filter(pk=int(text)).first()
    if found is None:
        raise NotFound(_("There is no such work."))
    return found


@require_GET
def sent(request: ActorRequest) -> HttpResponse:
    """Look into your mail: the same page for everybody."""
    return render(request, "licensing/reservations/sent.html")


@never_cache
@require_http_methods(["GET", "POST"])
def confirm(request: ActorRequest, ref: str) -> HttpResponse:
    """The landing page of the e-mail link. It confirms when its button is pressed: programs that scan mail press none."""
    limit("confirm", caller(request), most=60, seconds=AN_HOUR)
    key = _key(request)
    found = services.by_key(ref, key)
    if request.method == "POST":
        services.confirm(ref, key)
        messages.success(request, _("Your reservation is received. Below stands from when it counts."))
    if request.method == "POST" or found.status != Reservation.Status.UNCONFIRMED:
        return redirect(f"{reverse('licensing:reservation_follow', args=[found.ref])}?{urlencode({'key': key})}")
    return render(request, "licensing/reservations/confirm.html", {"reservation": found, "key": key})


@never_cache
@require_GET
def follow(request: ActorRequest, ref: str) -> HttpResponse:
    """One reservation as a timeline. Who asked is shown to them and to the society alone."""
    found, is_own = _shown(request, ref)
    key = request.GET.get("key", "") if is_own else ""
    actor = request.actor
    context = {
        "reservation": found,
        "is_own": is_own,
        "begins_later": found.effective_from is not None and found.effective_from > timezone.now(),
        "key": key,
        "may_withdraw": _may_withdraw(request, found, key),
        "may_decide": actor.is_society
        and actor.organisation_id == found.society_id
        and actor.can("reservations.manage")
        and found.status == Reservation.Status.RECEIVED,
        "link": request.build_absolute_uri(reverse("licensing:reservation_follow", args=[ref])),
        "again": _again(found),
        "supersedes": found.supersedes,
        "superseded_by": Reservation.objects.filter(supersedes=found).first(),
    }
    return render(request, "licensing/reservations/follow.html", context)


@never_cache
@require_GET
def paper(request: ActorRequest, ref: str) -> HttpResponse:
    """The receipt as PDF, in the language asked for; for whom it was given to, and the society."""
    found, is_own = _shown(request, ref)
    if not is_own or found.received_at is None:
        raise NotFound(_("There is no such reservation."))
    language = request.GET.get("language", "")
    language = language if language in ("ko", "en") else found.language
    link = request.build_absolute_uri(reverse("licensing:reservation_follow", args=[ref]))
    return HttpResponse(
        receipt(found, language, link),
        content_type="application/pdf",
        headers={"Content-Disposition": f'attachment; filename="reservation-{found.ref}-{language}.pdf"'},
    )


@never_cache
@require_http_methods(["GET", "POST"])
def withdraw(request: ActorRequest, ref: str) -> HttpResponse:
    """Take a reservation back: with the secret of the e-mail link, or as the member whose it is."""
    found, _own = _shown(request, ref)
    key = _key(request)
    if not _may_withdraw(request, found, key):
        raise NotFound(_("There is no such reservation."))
    if request.method == "POST":
        if key:
            services.withdraw(key=key, reservation=found)
        else:
            services.withdraw(actor=request.actor, reservation=found)
        messages.success(request, _("The reservation is withdrawn. From now on it does not count."))
        back = reverse("licensing:reservation_follow", args=[ref])
        return redirect(f"{back}?{urlencode({'key': key})}" if key else back)
    return render(request, "licensing/reservations/withdraw.html", {"reservation": found, "key": key})


def _again(found: Reservation) -> str:
    """The form filled in with what is public of this: sent once more by who asked, it brings them a fresh link."""
    named: dict[str, Any] = {"title": found.title, "creators": found.creators, "society": found.society_id}
    if found.work_id:
        named = {"work": found.work_id}
    elif found.place:
        named["address"] = found.place
    elif found.scheme and found.scheme != "title":
        named["identifier"] = f"{found.scheme}:{found.value}"
    return urlencode({name: value for name, value in named.items() if value})


def _shown(request: ActorRequest, ref: str) -> tuple[Reservation, bool]:
    """A reservation, and whether this is who asked (by key or as a member) or the society it was made to."""
    found = (
        Reservation.objects.filter(ref=services.spelled(ref))
        .select_related("work", "holder", "society", "supersedes", "claimant_holder")
        .first()
    )
    key = _key(request)
    is_own = found is not None and (
        holds_key(found, key) or Reservation.objects.visible_to(request.actor).filter(pk=found.pk).exists()
    )
    if found is None or (found.status == Reservation.Status.UNCONFIRMED and not is_own):
        raise NotFound(_("There is no such reservation."))
    return found, is_own


def _key(request: ActorRequest) -> str:
    """The secret of the e-mail link, as it came along."""
    return (request.POST if request.method == "POST" else request.GET).get("key", "")[:200]


def holds_key(found: Reservation, key: str) -> bool:
    """Whether this is the secret of the link that was mailed to who asked."""
    digest = hashlib.sha256(key.encode()).hexdigest()
    return bool(key and found.key_sha256) and hmac.compare_digest(found.key_sha256, digest)


def _may_withdraw(request: ActorRequest, found: Reservation, key: str) -> bool:
    if found.ended_at is not None or found.received_at is None:
        return False
    actor = request.actor
    is_theirs = actor.can("reservations.make") and found.claimant_holder_id in actor.holder_ids
    return is_theirs or holds_key(found, key)
