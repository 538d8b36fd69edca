"""Pages of sites: whose they are, what their signals say, and what is reserved by it."""

from __future__ import annotations

import difflib
from typing import Any, Final

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access.paging import paginate
from accounts.identity.core import Actor, NotFound, Refusal
from accounts.identity.gate import ActorRequest, requires, signed_in
from licensing.permissions import signal_words, tasks
from licensing.permissions.models import FoundSignal, Reservation, Site
from licensing.permissions.services import fetching, found, sites
from licensing.permissions.services.reading_signals import problems_of
from licensing.permissions.site_forms import SiteForm

SHOWN_STATEMENTS: Final = 100
SHOWN_VERSIONS: Final = 20
SHOWN_PROBLEMS: Final = 20
SHOWN_CHANGE: Final = 200  # lines


@signed_in
@require_GET
def site_list(request: ActorRequest) -> HttpResponse:
    """The sites on record, by host."""
    actor = request.actor
    known = Site.objects.visible_to(actor).select_related("holder").order_by("host", "pk")
    asked, state = request.GET.get("q", "").strip(), request.GET.get("status", "")
    if asked:
        known = known.filter(Q(host__icontains=asked) | Q(holder__ref=asked) | Q(holder__name__icontains=asked))
    if state == "proved":
        known = known.filter(proved_at__isnull=False)
    elif state == "unproved":
        known = known.filter(proved_at=None)
    elif state == "problem":
        known = known.exclude(problems=[])
    page = paginate(request, known, counted=False)
    standing = Reservation.objects.filter(signal__site__in=list(page), ended_at=None).values("signal__site")
    context = {
        "page": page,
        "asked": asked,
        "state": state,
        "reserved": {row["signal__site"]: row["n"] for row in standing.annotate(n=Count("pk"))},
        "can_manage": actor.can("sites.manage"),
    }
    return render(request, "licensing/sites/list.html", context)


@requires("sites.manage")
@require_http_methods(["GET", "POST"])
def site_new(request: ActorRequest) -> HttpResponse:
    """Put a site on record."""
    form = SiteForm(request.POST or None, actor=request.actor)
    if request.method == "POST" and form.is_valid():
        try:
            site = sites.register(actor=request.actor, **form.cleaned_data)
        except Refusal as refusal:
            field = (refusal.pointer or "").lstrip("/")
            form.add_error(field if field in form.fields else None, str(refusal))
        else:
            tasks.send(tasks.read_site, site.pk)
            messages.success(request, _("%(host)s is on record. Now show that it is yours.") % {"host": site.host})
            return redirect("licensing:site", site.pk)
    return render(request, "licensing/sites/new.html", {"form": form})


@signed_in
@require_GET
def site(request: ActorRequest, site_id: int) -> HttpResponse:
    """One site: its proof, every signal found on it, and what is reserved by them."""
    shown = sites.find_site(actor=request.actor, site_id=site_id)
    can_manage = request.actor.can("sites.manage")
    signals = list(
        FoundSignal.objects.filter(site=shown, ended_at=None).select_related("site").order_by("source", "url")
    )
    standing = Reservation.objects.filter(signal__site=shown, ended_at=None).order_by("place", "pattern", "pk")
    context = {
        "site": shown,
        "proof_file": f"https://{shown.host}{fetching.PROOF_FILE}",
        "proof_meta": f'<meta name="{fetching.PROOF_META}" content="{shown.token}">',
        "problems": _problems(shown),
        "signals": [_signal(signal) for signal in signals],
        "older": [_version(signal) for signal in _ended(shown)],
        "page": paginate(request, standing, size=25),
        "reading": sites.is_being_read(shown),
        "can_manage": can_manage,
        "can_check": can_manage and request.actor.is_society,
    }
    return render(request, "licensing/sites/detail.html", context)


def _ended(shown: Site) -> list[FoundSignal]:
    ended = FoundSignal.objects.filter(site=shown, ended_at__isnull=False).select_related("site")
    return list(ended.order_by("-ended_at")[:SHOWN_VERSIONS])


def _problems(shown: Site) -> list[dict[str, Any]]:
    return [
        problem | {"said": signal_words.PROBLEMS.get(problem.get("code", ""), problem.get("detail", ""))}
        for problem in shown.problems
    ]


def _signal(signal: FoundSignal) -> dict[str, Any]:
    """A signal as it is shown: in words, and exactly as it was found."""
    statements = found.statements_of(signal)
    return {
        "found": signal,
        "label": signal_words.SOURCES.get(signal.source, signal.source),
        "statements": statements[:SHOWN_STATEMENTS],
        "more": max(0, len(statements) - SHOWN_STATEMENTS),
        "raw": found.shown(signal),
        "cut": len(signal.raw) > found.SHOWN_BYTES,
        "problems": _not_understood(signal)[:SHOWN_PROBLEMS],
    }


def _not_understood(signal: FoundSignal) -> list[str]:
    """In the reader's own language, where the text can be read once more; else as it was kept."""
    said = problems_of(signal.source, bytes(signal.raw), signal.site.host if signal.site else "")
    return list(said) if said is not None and len(said) == len(signal.problems) else signal.problems


def _version(signal: FoundSignal) -> dict[str, Any]:
    """An older version with what changed when it was replaced; nothing where it simply went away."""
    later = FoundSignal.objects.filter(
        site=signal.site, source=signal.source, url=signal.url, found_at__gte=signal.ended_at
    )
    following = later.exclude(pk=signal.pk).order_by("found_at", "pk").first()
    change = []
    if following is not None:
        lines = difflib.unified_diff(
            found.shown(signal).splitlines(), found.shown(following).splitlines(), lineterm="", n=1
        )
        change = [line for line in lines if not line.startswith(("---", "+++"))][:SHOWN_CHANGE]
    return _signal(signal) | {"change": "\n".join(change), "replaced": following is not None}


@requires("sites.manage")
@require_POST
def site_read(request: ActorRequest, site_id: int) -> HttpResponse:
    """Have the site read now."""
    shown = sites.ask_to_read(actor=request.actor, site=sites.find_site(actor=request.actor, site_id=site_id))
    tasks.send(tasks.read_site, shown.pk)
    messages.success(request, _("The site is being read. Look again in a moment."))
    return redirect("licensing:site", shown.pk)


@requires("sites.manage")
@require_POST
def site_mark(request: ActorRequest, site_id: int) -> HttpResponse:
    """Staff have checked by other means whose site it is."""
    shown = sites.mark_proved(actor=request.actor, site=sites.find_site(actor=request.actor, site_id=site_id))
    messages.success(request, _("%(host)s counts as proved.") % {"host": shown.host})
    return redirect("licensing:site", shown.pk)


@requires("sites.manage")
@require_POST
def site_take_back(request: ActorRequest, site_id: int) -> HttpResponse:
    """Staff have seen that it is not the member's site."""
    shown = sites.take_back_proof(actor=request.actor, site=sites.find_site(actor=request.actor, site_id=site_id))
    messages.success(request, _("%(host)s no longer counts as proved.") % {"host": shown.host})
    return redirect("licensing:site", shown.pk)


@signed_in
@require_GET
def signal_raw(request: ActorRequest, signal_id: int) -> HttpResponse:
    """A signal byte for byte as it was found, to be kept; never shown by the browser."""
    signal = FoundSignal.objects.filter(_seen_by(request.actor), pk=signal_id).first()
    if signal is None:
        raise NotFound(str(_("There is no such signal.")))
    response = HttpResponse(bytes(signal.raw), content_type="application/octet-stream")
    response["Content-Disposition"] = f'attachment; filename="signal-{signal.pk}-{signal.source}.bin"'
    return response


def _seen_by(actor: Actor) -> Q:
    """Staff see the signals of their society, members those of their sites and their own."""
    if actor.is_system:
        return Q()
    if actor.is_society:
        return Q(society_id=actor.organisation_id)
    return Q(site__holder_id__in=actor.holder_ids) | Q(holder_id__in=actor.holder_ids)
