"""Pages of tariffs, public to read. Those of the procedure stand beside them, a society writes in `editor.py`."""

from __future__ import annotations

import datetime
import difflib
from typing import Final

from django.db.models import Exists, OuterRef, Prefetch, Q
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from accounts.access.paging import paginate
from accounts.identity.core import Actor, Refusal
from accounts.identity.gate import ActorRequest
from licensing.tariffs import comparing, core, worked
from licensing.tariffs.editing import pretty
from licensing.tariffs.forms import PreviewForm
from licensing.tariffs.models import PRICING, Tariff, TariffVersion
from licensing.tariffs.models.tariffs import TariffVersionQuerySet

STATES: Final = {"in_force": gettext_lazy("in force today"), "open": gettext_lazy("open for comments")}
ON_THE_WAY: Final = (TariffVersion.Status.DRAFT, TariffVersion.Status.PROPOSED, TariffVersion.Status.INTERIM)


@require_GET
def tariffs(request: ActorRequest) -> HttpResponse:
    """All published tariffs, and the proposals that anyone may comment on now."""
    actor = request.actor
    today = timezone.localdate()
    versions = TariffVersion.objects.visible_to(actor)
    found = (
        Tariff.objects.visible_to(actor)
        .select_related("society")
        .prefetch_related(
            Prefetch("versions", versions.in_force(today), to_attr="today"),
            Prefetch("versions", versions.filter(status__in=ON_THE_WAY).order_by("version"), to_attr="coming"),
        )
        .order_by("society__name", "name", "pk")
    )
    asked, state = request.GET.get("q", "").strip(), request.GET.get("state", "")
    if asked:
        found = found.filter(Q(name__icontains=asked) | Q(ref__icontains=asked) | Q(society__name__icontains=asked))
    if request.GET.get("mine") and actor.organisation_id:
        found = found.filter(society_id=actor.organisation_id)
    if state in STATES:
        found = found.filter(Exists(_of_state(versions, state, today).filter(tariff=OuterRef("pk"))))
    open_now = (
        _of_state(versions, "open", today).select_related("tariff__society").order_by("consultation__endswith", "pk")
    )
    waiting = TariffVersion.objects.none()
    if actor.can("tariffs.determine"):
        ours = Q(addressed_to=None) | Q(addressed_to_id=actor.organisation_id)
        waiting = TariffVersion.objects.filter(ours, status=TariffVersion.Status.PROPOSED)
    context = {
        "page": paginate(request, found),
        "open": open_now[:50],
        "waiting": waiting.select_related("tariff__society").order_by("created_at")[:50],
        "can_propose": actor.is_society and actor.can("tariffs.manage"),
        "is_society": actor.is_society,
        "asked": asked,
        "state": state,
        "states": STATES.items(),
        "filtered": asked or state or request.GET.get("mine"),
    }
    return render(request, "licensing/tariffs/list.html", context)


@require_GET
def tariff(request: ActorRequest, tariff_id: int) -> HttpResponse:
    """One tariff: a version in plain words, as a table, as JSON, with an example and with figures to try."""
    actor, today = request.actor, timezone.localdate()
    found = get_object_or_404(Tariff.objects.visible_to(actor).select_related("society"), pk=tariff_id)
    versions = list(_versions(found, actor))
    version, asked_day = _chosen(versions, request.GET, today)
    schedule = core.parse(version.document)
    form = PreviewForm(schedule, request.GET if request.GET.get("try") else None)
    rating, refused = _tried(form)
    example = worked.example(schedule)
    earlier = before(versions, version)
    context = {
        "tariff": found,
        "versions": [(each, before(versions, each)) for each in versions],
        "version": version,
        "schedule": schedule,
        "document": pretty(version.document),
        "in_force": prices_on(version, today),
        "asked_day": asked_day,
        "nothing_that_day": asked_day is not None and not prices_on(version, asked_day),
        "open_now": version.takes_comments(today),
        "form": form,
        "rating": rating,
        "refused": refused,
        "example": example,
        "example_rating": _rated(example, schedule),
        "earlier": earlier,
        "api": request.build_absolute_uri(reverse("tariff-detail", args=[found.pk])),
        "can_propose": actor.can("tariffs.manage") and actor.organisation_id == found.society_id,
        "is_anyone": not request.user.is_authenticated,
        "number": str(found.pk),
        "can_ask": actor.organisation_kind == "licensee" and actor.can("licences.request"),
    }
    return render(request, "licensing/tariffs/detail.html", context)


@require_GET
def compare(request: ActorRequest, tariff_id: int) -> HttpResponse:
    """What differs between two versions of a tariff: in words, then as text."""
    actor = request.actor
    found = get_object_or_404(Tariff.objects.visible_to(actor).select_related("society"), pk=tariff_id)
    versions = list(_versions(found, actor))
    by_number = {str(version.version): version for version in versions}
    later = by_number.get(request.GET.get("to", "")) or versions[0]
    earlier = by_number.get(request.GET.get("from", "")) or before(versions, later) or versions[-1]
    schedules = core.parse(earlier.document), core.parse(later.document)
    context = {
        "tariff": found,
        "versions": versions,
        "earlier": earlier,
        "later": later,
        "before": schedules[0],
        "after": schedules[1],
        "difference": comparing.compare(*schedules),
        "lines": _lines(earlier, later),
    }
    return render(request, "licensing/tariffs/compare.html", context)


@require_GET
def document(request: ActorRequest, version_id: int) -> HttpResponse:
    """A version's document as a file."""
    found = TariffVersion.objects.visible_to(request.actor).select_related("tariff")
    version = get_object_or_404(found, pk=version_id)
    name = f"{version.tariff.ref}-v{version.version}.json"
    return HttpResponse(
        pretty(version.document),
        content_type="application/json",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _versions(found: Tariff, actor: Actor) -> TariffVersionQuerySet:
    """A tariff's versions as this actor may see them, the latest first, each with what its page tells of it."""
    related = ("tariff__society", "determined_by", "addressed_to", "amends")
    return TariffVersion.objects.visible_to(actor).filter(tariff=found).select_related(*related).order_by("-version")


def _of_state(versions: TariffVersionQuerySet, state: str, today: datetime.date) -> TariffVersionQuerySet:
    if state == "open":
        return versions.undecided().filter(consultation__contains=today)
    return versions.in_force(today)


def _chosen(
    versions: list[TariffVersion], asked: QueryDict, today: datetime.date
) -> tuple[TariffVersion, datetime.date | None]:
    """The version asked for by its number or by a day on which it prices, else the one in force, else the latest."""
    day = parse_day(asked.get("on", ""))
    by_number = {str(version.version): version for version in versions}
    in_force = next((version for version in versions if prices_on(version, day or today)), None)
    if asked.get("version", "") in by_number:
        return by_number[str(asked["version"])], None
    return in_force or versions[0], day


def parse_day(text: str) -> datetime.date | None:
    try:
        return datetime.date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        return None


def prices_on(version: TariffVersion, day: datetime.date) -> bool:
    lower, upper = version.valid.lower, version.valid.upper
    return version.status in PRICING and lower <= day and (upper is None or day < upper)


def before(versions: list[TariffVersion], version: TariffVersion) -> TariffVersion | None:
    """The version that this one is to be held against: what it amends, else the last that priced, else the one before."""
    earlier = [each for each in versions if each.version < version.version]
    if version.amends_id:
        return next((each for each in earlier if each.pk == version.amends_id), None)
    priced = (*PRICING, TariffVersion.Status.REPLACED)
    return next((each for each in earlier if each.status in priced), earlier[0] if earlier else None)


def _tried(form: PreviewForm) -> tuple[core.Rating | None, str]:
    """The rating of the figures, or why there is none."""
    if not form.is_bound or not form.is_valid():
        return None, ""
    try:
        return form.rating(), ""
    except Refusal as refusal:
        return None, str(refusal)


def _rated(example: worked.Figures, schedule: core.Schedule) -> core.Rating | None:
    """What the example comes to; none where the tariff's own prices make it more than an amount may be."""
    try:
        return example.rating(schedule)
    except Refusal:
        return None


def _lines(earlier: TariffVersion, later: TariffVersion) -> list[tuple[str, str]]:
    """The two documents line by line: (`+`, `-`, `@` or space, line)."""
    old, new = (pretty(version.document).splitlines() for version in (earlier, later))
    lines = difflib.unified_diff(old, new, f"v{earlier.version}", f"v{later.version}", lineterm="", n=2)
    return [(line[:1], line) for line in lines]
